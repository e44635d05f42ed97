"""Locate and measure the galaxy on native pixels, in one kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.frame.deblend import AREA, BOTTOM, LEFT, PEAK_X, PEAK_Y, RIGHT, TOP, deblend
from galfeat.frame.ellipse import centre_of, ellipse_of, isophote_level
from galfeat.frame.radii import growth_curve, radii_of
from galfeat.frame.sky import sky_level
from galfeat.frame.source import (
    DETECTION,
    FAINTEST,
    choose,
    grey_above_sky,
    is_blended,
    noise_of,
    outside_fraction,
    smooth,
)
from galfeat.kernels import kernel

#: The frame radius in units of r90, the radius that contains 90 % of the light.
RADIUS_IN_R90 = 1.3
#: Minimum frame radius, in pixels.
MIN_RADIUS = 5.0
# Indices of the measurements that `locate` returns.
NOISE, CENTRE_Y, CENTRE_X, AXIS_RATIO, ANGLE, RADIUS, BLENDED, SIDES, OUTSIDE, RADII = range(10)


@kernel
def locate(
    rgb: NDArray[np.uint8], middle: tuple[float, float]
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float32],
    NDArray[np.uint8],
    NDArray[np.float64],
    int,
    NDArray[np.float64],
]:
    """Find the galaxy near the image's centre and measure its position, ellipse and radii.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
        The image without padding.
    middle : tuple of float
        Row and column of the centre of the original image, in pixels of `rgb`.

    Returns
    -------
    sky : ndarray of float64, shape (2, 3)
    grey : ndarray of float32, shape (H, W)
    labels : ndarray of uint8, shape (H, W)
    objects : ndarray of float64, shape (n, 12)
    galaxy : int
        As in `galfeat.frame.Frame`; `galaxy` is -1 if there is none near the centre.
    measured : ndarray of float64, shape (14,)
        Noise of the smoothed image, centre (y, x), axis ratio, position angle, frame radius,
        1 if an object of comparable light touches the galaxy, the number of image sides its
        pixels reach, the fraction of its r90 ellipse outside the image, and the five radii.
        Zero if there is no galaxy.
    """
    measured = np.zeros(RADII + 5, np.float64)
    sky = sky_level(rgb)
    grey = grey_above_sky(rgb, sky)
    smoothed = smooth(grey)
    noise = noise_of(smoothed)
    labels, objects = deblend(smoothed, max(DETECTION * noise, FAINTEST), noise)
    galaxy = choose(labels, objects, middle)
    if galaxy < 0:
        return sky, grey, labels, objects, galaxy, measured
    own = objects[galaxy]
    yc, xc = centre_of(smoothed, labels, galaxy, own[AREA], own[PEAK_Y], own[PEAK_X])
    level = isophote_level(smoothed, labels, galaxy, own, 0.5)
    q, pa, semi_major = ellipse_of(smoothed, labels, galaxy, own, level, yc, xc)
    radii = radii_of(growth_curve(grey, labels, galaxy, yc, xc, q, pa, 2.5 * semi_major + 8.0))
    radius = max(RADIUS_IN_R90 * radii[4], MIN_RADIUS)
    measured[NOISE], measured[CENTRE_Y], measured[CENTRE_X] = noise, yc, xc
    measured[AXIS_RATIO], measured[ANGLE], measured[RADIUS] = q, pa, radius
    measured[BLENDED] = is_blended(objects, galaxy, radius)
    height, width = grey.shape
    measured[SIDES] = (
        int(own[TOP] == 0)
        + int(own[BOTTOM] == height)
        + int(own[LEFT] == 0)
        + int(own[RIGHT] == width)
    )
    measured[OUTSIDE] = outside_fraction(labels.shape, yc, xc, q, pa, radii[4])
    measured[RADII:] = radii
    return sky, grey, labels, objects, galaxy, measured
