"""One galaxy measured once: everything the feature families start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galfeat.frame.deblend import AREA, PEAK, PEAK_X, PEAK_Y, deblend
from galfeat.frame.ellipse import centre_of, ellipse_of, growth_curve, isophote_level, radii_of
from galfeat.frame.equalise import equalise, equalising_table
from galfeat.frame.flags import Flag
from galfeat.frame.image import as_rgb
from galfeat.frame.sky import sky_level, trim_padding
from galfeat.frame.source import (
    DETECTION,
    FAINTEST,
    choose,
    grey_above_sky,
    is_blended,
    noise_of,
    other_objects,
    outside_fraction,
    sides_touched,
    smooth,
)
from galfeat.frame.views import View, pyramid, pyramid_of_masks, sample

#: The frame radius in units of r90, the radius that holds nine tenths of the light.
RADIUS_IN_R90 = 1.3
#: Half-width of the context view in frame radii; the other views reach one.
CONTEXT_RADII = 3.0
#: The deprojected view stretches the minor axis by no more than this.
MOST_STRETCH = 3.0
#: Flatter galaxies are seen too nearly edge-on to be deprojected.
EDGE_ON_AXIS_RATIO = 0.25
#: Rounder galaxies have no position angle; their aligned features are means over turns.
ROUND_AXIS_RATIO = 0.9
#: Turns of a round galaxy, in radians.
TURNS = (0.0, 0.25 * np.pi, 0.5 * np.pi, 0.75 * np.pi)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A galaxy, measured and resampled.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
        The image without padding at its edges; all pixels below are its own.
    origin : tuple of int
        Row and column of its first pixel in the image as it came.
    sky : ndarray of float64, shape (2, 3)
        Level and noise of the sky in each channel, in counts.
    grey : ndarray of float32, shape (H, W)
        The mean of the channels above the sky, in counts.
    noise : float
        Noise of the smoothed mean of the channels, in counts.
    labels : ndarray of int32, shape (H, W)
        Which object a pixel belongs to: its row in `objects` plus one, 0 for none.
    objects : ndarray of float64, shape (n, 8)
        What was found in the image; columns as in `galfeat.frame.deblend`.
    galaxy : int
        The galaxy's row in `objects`.
    yc, xc : float
        The galaxy's centre, in pixels from the middle of the first one.
    q : float
        Axis ratio, minor over major, 0.08 to 1.
    pa : float
        Position angle of the major axis, in radians from x towards rising rows.
    radii : ndarray of float64, shape (5,)
        Petrosian radius, r20, r50, r80 and r90 along the major axis, in pixels.
    radius : float
        The frame radius, in pixels: half the width of the aligned view.
    flags : Flag
    aligned : tuple of View
        The major axis along x, other objects removed. One view, or four turns of a
        galaxy too round to have a position angle.
    deprojected : View or None
        Stretched along the minor axis to face-on; None for edge-on and blended galaxies.
    context : tuple of View
        Three times as wide, not stretched, nothing removed; turns as for `aligned`.
    """

    rgb: NDArray[np.uint8]
    origin: tuple[int, int]
    sky: NDArray[np.float64]
    grey: NDArray[np.float32]
    noise: float
    labels: NDArray[np.int32]
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
    """Find the galaxy in an image and bring it into its canonical frame.

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
        If it is no such image.
    """
    whole = as_rgb(image)
    y0, y1, x0, x1 = trim_padding(whole)
    rgb = np.ascontiguousarray(whole[y0:y1, x0:x1])
    middle = 0.5 * (whole.shape[0] - 1) - y0, 0.5 * (whole.shape[1] - 1) - x0
    sky = sky_level(rgb)
    grey = grey_above_sky(rgb, sky)
    smoothed = smooth(grey)
    noise = noise_of(smoothed)
    labels, objects = deblend(smoothed, max(DETECTION * noise, FAINTEST), noise)
    galaxy = choose(labels, objects, middle)
    if galaxy < 0:
        return None
    peak_y, peak_x, area = objects[galaxy, [PEAK_Y, PEAK_X, AREA]]
    yc, xc = centre_of(smoothed, labels, galaxy, area, peak_y, peak_x)
    level = isophote_level(smoothed, labels, galaxy, 0.5)
    q, pa, semi_major = ellipse_of(smoothed, labels, galaxy, level, yc, xc)
    radii = radii_of(growth_curve(grey, labels, galaxy, yc, xc, q, pa, 2.5 * semi_major + 8.0))
    radius = max(RADIUS_IN_R90 * radii[4], 5.0)

    flags = _flags(objects, galaxy, noise, q, radii, radius)
    if sides_touched(labels, galaxy) >= 3:
        flags |= Flag.FILLS_FRAME
    if outside_fraction(labels.shape, yc, xc, q, pa, radii[4]) > 0.1:
        flags |= Flag.OFF_EDGE
    others = other_objects(labels, galaxy)
    aligned, deprojected, context = _views(rgb, sky[0], others, (yc, xc), q, pa, radius, flags)
    return Frame(
        rgb, (y0, x0), sky, grey, noise, labels, objects, galaxy, yc, xc, q, pa, radii, radius,
        flags, aligned, deprojected, context,
    )  # fmt: skip


def whole_image_frame(image: NDArray[np.uint8]) -> Frame:
    """Return a frame that is the image itself: no sky, no source, every view the whole image.

    For the features of plain pipelines, to which the canonical frame is compared.

    Raises
    ------
    ImageError
        If it is no image of galfeat's kind.
    """
    rgb = as_rgb(image)
    height, width, _ = rgb.shape
    centre = 0.5 * (height - 1), 0.5 * (width - 1)
    half = 0.5 * max(height, width)
    light = sample(pyramid(rgb, half), None, np.zeros(3, np.float32), centre, 0.0, half, 1.0)
    view = View(light, light.mean(axis=0))
    return Frame(
        rgb, (0, 0), np.zeros((2, 3)), rgb.mean(axis=2, dtype=np.float32), 0.0,
        np.zeros((height, width), np.int32), np.zeros((0, 8)), -1,
        *centre, 1.0, 0.0, np.full(5, half), half, Flag(0), (view,), view, (view,),
    )  # fmt: skip


def _flags(
    objects: NDArray[np.float64],
    galaxy: int,
    noise: float,
    q: float,
    radii: NDArray[np.float64],
    radius: float,
) -> Flag:
    flags = Flag(0)
    if radii[2] < 2.0:
        flags |= Flag.TOO_SMALL
    if objects[galaxy, PEAK] < 10.0 * noise:
        flags |= Flag.TOO_FAINT
    if q > ROUND_AXIS_RATIO:
        flags |= Flag.ROUND
    if q < EDGE_ON_AXIS_RATIO:
        flags |= Flag.EDGE_ON
    if is_blended(objects, galaxy, radius):
        flags |= Flag.BLENDED
    return flags


def _views(
    rgb: NDArray[np.uint8],
    sky: NDArray[np.float64],
    others: NDArray[np.bool_],
    centre: tuple[float, float],
    q: float,
    pa: float,
    radius: float,
    flags: Flag,
) -> tuple[tuple[View, ...], View | None, tuple[View, ...]]:
    wide = CONTEXT_RADII * radius
    images = pyramid(rgb, wide)
    masks = pyramid_of_masks(others, len(images))
    level = sky.astype(np.float32)
    turns = TURNS if Flag.ROUND in flags else TURNS[:1]
    aligned = [sample(images, masks, level, centre, pa + turn, radius, 1.0) for turn in turns]
    context = [sample(images, None, level, centre, pa + turn, wide, 1.0) for turn in turns]
    table = equalising_table(aligned[0], max(q, 1.0 / MOST_STRETCH))
    deprojected = None
    if not flags & (Flag.EDGE_ON | Flag.BLENDED):
        stretched = sample(images, masks, level, centre, pa, radius, min(1.0 / q, MOST_STRETCH))
        deprojected = View(stretched, equalise(stretched, *table))
    return (
        tuple(View(view, equalise(view, *table)) for view in aligned),
        deprojected,
        tuple(View(view, equalise(view, *table)) for view in context),
    )
