"""The measured and resampled galaxy that all feature families start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galfeat.frame.canonical import TURNS, canonical_views, whole_view
from galfeat.frame.deblend import COLUMNS, PEAK
from galfeat.frame.flags import Flag
from galfeat.frame.image import as_rgb, is_grey
from galfeat.frame.locate import (
    ANGLE,
    AXIS_RATIO,
    BLENDED,
    CENTRE_X,
    CENTRE_Y,
    NOISE,
    OUTSIDE,
    RADII,
    RADIUS,
    SIDES,
    locate,
)
from galfeat.frame.sky import trim_padding
from galfeat.frame.views import View

#: Flatter galaxies are too close to edge-on to be deprojected.
EDGE_ON_AXIS_RATIO = 0.25
#: Rounder galaxies have no position angle; their aligned features are means over rotations.
ROUND_AXIS_RATIO = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A galaxy, measured and resampled.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
        The image without padding at its edges; the pixel coordinates below refer to it.
    origin : tuple of int
        Row and column of its first pixel in the original image.
    sky : ndarray of float64, shape (2, 3)
        Level and noise of the sky in each channel, in counts.
    grey : ndarray of float32, shape (H, W)
        The mean of the channels above the sky, in counts.
    noise : float
        Noise of the smoothed mean of the channels, in counts.
    labels : ndarray of uint8, shape (H, W)
        The object of each pixel: its row in `objects` plus one, 0 for none.
    objects : ndarray of float64, shape (n, 12)
        The objects detected in the image; columns as in `galfeat.frame.deblend`.
    galaxy : int
        The galaxy's row in `objects`.
    yc, xc : float
        The galaxy's centre, in pixels; the first pixel's centre is (0, 0).
    q : float
        Axis ratio, minor to major, 0.08 to 1.
    pa : float
        Position angle of the major axis, in radians from x towards rising rows.
    radii : ndarray of float64, shape (5,)
        Petrosian radius, r20, r50, r80 and r90 along the major axis, in pixels.
    radius : float
        The frame radius, in pixels: half the width of the aligned view.
    flags : Flag
    aligned : tuple of View
        Major axis along x, other objects removed. One view, or four rotated views of a
        galaxy too round to have a position angle.
    deprojected : View or None
        Stretched along the minor axis to face-on; None for edge-on and blended galaxies.
    context : tuple of View
        Three times as wide, not stretched, nothing removed; rotations as for `aligned`.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.frame import Frame, whole_image_frame
    >>> frame = whole_image_frame(np.zeros((32, 48, 3), np.uint8))
    >>> isinstance(frame, Frame), frame.yc, frame.xc, frame.radius
    (True, 15.5, 23.5, 24.0)
    """

    rgb: NDArray[np.uint8]
    origin: tuple[int, int]
    sky: NDArray[np.float64]
    grey: NDArray[np.float32]
    noise: float
    labels: NDArray[np.uint8]
    objects: NDArray[np.float64]
    galaxy: int
    yc: float
    xc: float
    q: float
    pa: float
    radii: NDArray[np.float64]
    radius: float
    flags: Flag
    aligned: tuple[View, ...]
    deprojected: View | None
    context: tuple[View, ...]


def measure_frame(image: NDArray[np.uint8]) -> Frame | None:
    """Find the galaxy in an image and transform it to its canonical frame.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3) or (H, W)

    Returns
    -------
    Frame or None
        None if there is no light above the sky near the image's centre.

    Raises
    ------
    ImageError
        If the array has another shape or dtype, or is smaller than 16 pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.frame import measure_frame
    >>> y, x = np.mgrid[-32:32, -32:32]
    >>> noise = np.random.default_rng(0).normal(20.0, 2.0, x.shape)
    >>> frame = measure_frame((200 * np.exp(-np.hypot(x, 2 * y) / 6) + noise).astype(np.uint8))
    >>> print(f"({frame.yc:.0f}, {frame.xc:.0f}), q = {frame.q:.1f}")
    (32, 32), q = 0.5
    >>> measure_frame(np.zeros((64, 64), np.uint8)) is None
    True
    """
    whole = as_rgb(image)
    y0, y1, x0, x1 = trim_padding(whole)
    rgb = np.ascontiguousarray(whole[y0:y1, x0:x1])
    middle = 0.5 * (whole.shape[0] - 1) - y0, 0.5 * (whole.shape[1] - 1) - x0
    sky, grey, labels, objects, galaxy, measured = locate(rgb, middle)
    if galaxy < 0:
        return None
    noise, yc, xc, q, pa, radius = measured[[NOISE, CENTRE_Y, CENTRE_X, AXIS_RATIO, ANGLE, RADIUS]]
    flags = _flags(measured, objects[galaxy, PEAK]) | _bands(rgb)
    turns = len(TURNS) if Flag.ROUND in flags else 1
    deproject = not flags & (Flag.EDGE_ON | Flag.BLENDED)
    light, equalised = canonical_views(
        rgb, labels, galaxy, sky[0].astype(np.float32), (yc, xc), q, pa, radius, turns, deproject
    )
    views = tuple(map(View, light, equalised))
    return Frame(
        rgb, (y0, x0), sky, grey, noise, labels, objects, galaxy, yc, xc, q, pa,
        measured[RADII:], radius, flags,
        views[:turns], views[-1] if deproject else None, views[turns : 2 * turns],
    )  # fmt: skip


def whole_image_frame(image: NDArray[np.uint8]) -> Frame:
    """Return a frame without sky or source in which every view is the whole image.

    For the features of plain pipelines, the baselines of the canonical frame.

    Raises
    ------
    ImageError
        If `image` is not a valid image; see `as_rgb`.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.frame import whole_image_frame
    >>> frame = whole_image_frame(np.full((64, 64, 3), 7, np.uint8))
    >>> frame.aligned[0].light.shape, float(frame.aligned[0].light.max())
    ((3, 64, 64), 7.0)
    """
    rgb = as_rgb(image)
    height, width, _ = rgb.shape
    centre = 0.5 * (height - 1), 0.5 * (width - 1)
    half = 0.5 * max(height, width)
    light = whole_view(rgb, centre, half)
    view = View(light, light.mean(axis=0))
    return Frame(
        rgb, (0, 0), np.zeros((2, 3)), rgb.mean(axis=2, dtype=np.float32), 0.0,
        np.zeros((height, width), np.uint8), np.zeros((0, COLUMNS)), -1,
        *centre, 1.0, 0.0, np.full(5, half), half, _bands(rgb), (view,), view, (view,),
    )  # fmt: skip


def _bands(rgb: NDArray[np.uint8]) -> Flag:
    return Flag.ONE_BAND if is_grey(rgb) else Flag(0)


def _flags(measured: NDArray[np.float64], peak: float) -> Flag:
    noise, q, r50 = measured[NOISE], measured[AXIS_RATIO], measured[RADII + 2]
    raised = (
        (Flag.TOO_SMALL, r50 < 2.0),
        (Flag.TOO_FAINT, peak < 10.0 * noise),
        (Flag.ROUND, q > ROUND_AXIS_RATIO),
        (Flag.EDGE_ON, q < EDGE_ON_AXIS_RATIO),
        (Flag.BLENDED, measured[BLENDED] > 0.0),
        (Flag.FILLS_FRAME, measured[SIDES] >= 3.0),
        (Flag.OFF_EDGE, measured[OUTSIDE] > 0.1),
    )
    return Flag(sum(flag for flag, is_raised in raised if is_raised))
