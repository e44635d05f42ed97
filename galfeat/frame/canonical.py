"""The canonical views of a galaxy: their widths, rotations and stretches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.frame.equalise import equalise, equalising_table
from galfeat.frame.views import VIEW_SIZE, halve, halve_mask, resample
from galfeat.kernels import kernel

#: Half-width of the context view in frame radii; the other views reach one.
CONTEXT_RADII = 3.0
#: The deprojected view stretches the minor axis by no more than this.
MAX_STRETCH = 3.0
#: Rotations of a round galaxy's views, in radians.
TURNS = (0.0, 0.25 * np.pi, 0.5 * np.pi, 0.75 * np.pi)
#: An image is halved before it is sampled more coarsely than this many pixels a step.
COARSEST_STEP = 1.5


@kernel
def canonical_views(
    rgb: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    galaxy: int,
    sky: NDArray[np.float32],
    centre: tuple[float, float],
    q: float,
    pa: float,
    radius: float,
    turns: int,
    deprojected: bool,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the aligned views, the context views and the deprojected view.

    Parameters
    ----------
    turns : int
        Number of aligned and of context views: the first of `TURNS`.
    deprojected : bool
        Whether to return a deprojected view.

    Returns
    -------
    light : ndarray of float32, shape (n, 3, 64, 64)
    equalised : ndarray of float32, shape (n, 64, 64)
        As in `galfeat.frame.View`; first the aligned views, then the context views, and last
        the deprojected view.
    """
    number = 2 * turns + int(deprojected)
    light = np.empty((number, 3, VIEW_SIZE, VIEW_SIZE), np.float32)
    equalised = np.empty((number, VIEW_SIZE, VIEW_SIZE), np.float32)
    others = _others(labels, galaxy)
    nothing = np.zeros((0, 0), np.bool_)
    near = halvings(rgb.shape, radius)
    wide = halvings(rgb.shape, CONTEXT_RADII * radius)
    shrunk, hidden = np.zeros((0, 0, 3), np.float32), others
    stretch = min(1.0 / q, MAX_STRETCH)
    for level in range(wide + 1):
        if level == 1:
            shrunk = halve(rgb)
        elif level > 1:
            shrunk = halve(shrunk)
        if 0 < level <= near:
            hidden = halve_mask(hidden)
        for turn in range(turns):
            angle = pa + TURNS[turn]
            if level == near:
                _sample(rgb, shrunk, level, hidden, sky, centre, angle, radius, 1.0, light[turn])
            if level == wide:
                _sample(
                    rgb,
                    shrunk,
                    level,
                    nothing,
                    sky,
                    centre,
                    angle,
                    CONTEXT_RADII * radius,
                    1.0,
                    light[turns + turn],
                )
        if deprojected and level == near:
            _sample(rgb, shrunk, level, hidden, sky, centre, pa, radius, stretch, light[2 * turns])
    low, scale, table = equalising_table(light[0], max(q, 1.0 / MAX_STRETCH))
    for view in range(number):
        equalise(light[view], low, scale, table, equalised[view])
    return light, equalised


@kernel
def whole_view(
    rgb: NDArray[np.uint8], centre: tuple[float, float], half_width: float
) -> NDArray[np.float32]:
    """Return a view of the whole, unmodified image, shape (3, 64, 64)."""
    levels = halvings(rgb.shape, half_width)
    shrunk = np.zeros((0, 0, 3), np.float32)
    for level in range(1, levels + 1):
        shrunk = halve(rgb) if level == 1 else halve(shrunk)
    nothing, sky = np.zeros((0, 0), np.bool_), np.zeros(3, np.float32)
    view = np.empty((3, VIEW_SIZE, VIEW_SIZE), np.float32)
    _sample(rgb, shrunk, levels, nothing, sky, centre, 0.0, half_width, 1.0, view)
    return view


@kernel
def halvings(shape: tuple[int, int, int], half_width: float) -> int:
    """Return how often an image is halved before a view of this half-width is sampled."""
    level, smaller = 0, min(shape[0], shape[1])
    step = 2.0 * half_width / VIEW_SIZE
    while step > COARSEST_STEP and smaller >= 4:
        step, smaller, level = 0.5 * step, smaller // 2, level + 1
    return level


@kernel
def _others(labels: NDArray[np.uint8], galaxy: int) -> NDArray[np.bool_]:
    """Return the mask of the pixels of other objects than the galaxy."""
    height, width = labels.shape
    mask = np.empty((height, width), np.bool_)
    for y in range(height):
        for x in range(width):
            mask[y, x] = (labels[y, x] != 0) & (labels[y, x] != galaxy + 1)
    return mask


@kernel
def _sample(
    rgb: NDArray[np.uint8],
    shrunk: NDArray[np.float32],
    level: int,
    mask: NDArray[np.bool_],
    sky: NDArray[np.float32],
    centre: tuple[float, float],
    angle: float,
    half_width: float,
    stretch: float,
    view: NDArray[np.float32],
) -> None:
    """Sample from the original image, or from the image after `level` halvings."""
    (yc, xc), half = centre, half_width
    for _ in range(level):
        yc, xc, half = 0.5 * (yc - 0.5), 0.5 * (xc - 0.5), 0.5 * half
    if level == 0:
        resample(rgb, mask, sky, yc, xc, angle, half, stretch, view)
    else:
        resample(shrunk, mask, sky, yc, xc, angle, half, stretch, view)
