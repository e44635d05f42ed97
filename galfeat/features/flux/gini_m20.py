"""The Gini segment, and Gini, M20 and the signal-to-noise ratio on it (Lotz et al. 2004)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.flux.apertures import ellipse_sums, running_sums
from galfeat.features.flux.smoothing import gaussian
from galfeat.features.flux.sorting import ascending
from galfeat.features.flux.stamp import deviation_of
from galfeat.features.morphology.regions import connected_runs
from galfeat.kernels import kernel

#: Sigma of the Gaussian that smooths the image for the segment, in Petrosian radii.
_SMOOTHING = 0.2

# How the segment was found.
ONE, SEVERAL, EMPTY, FULL = 0, 1, 2, 3


@kernel
def gini_segment(
    light: NDArray[np.float32],
    yc: float,
    xc: float,
    radius: float,
    q: float,
    pa: float,
) -> tuple[NDArray[np.bool_], int]:
    """Return the Gini segment and how it was found.

    The image, zero where hidden, is blurred by a fifth of the elliptical Petrosian radius. The
    segment consists of the pixels that reach the blurred image's mean brightness along the
    Petrosian ellipse about the point, and are connected to the brightest. Parts of the ellipse
    outside the image count as dark.
    """
    height, width = light.shape
    smooth = gaussian(light, _SMOOTHING * radius, False)
    sums = running_sums(smooth, np.zeros((height, width), np.bool_))
    outer = ellipse_sums(sums, yc, xc, radius + 0.5, q, pa)[0]
    inner = ellipse_sums(sums, yc, xc, radius - 0.5, q, pa)[0]
    level = np.float32((outer - inner) / (2.0 * np.pi * q * radius))
    segment = np.zeros((height, width), np.bool_)
    number, top = 0, np.float32(-np.inf)
    top_y, top_x = 0, 0
    for y in range(height):
        for x in range(width):
            number += smooth[y, x] >= level
            if smooth[y, x] > top:
                top, top_y, top_x = smooth[y, x], y, x
    if number == 0:
        return segment, EMPTY
    if number == height * width:
        segment[:] = True
        return segment, FULL
    runs = connected_runs(smooth, level, top_y, top_x)
    held = 0
    for k in range(runs.shape[0]):
        segment[runs[k, 0], runs[k, 1] : runs[k, 2]] = True
        held += runs[k, 2] - runs[k, 1]
    return segment, ONE if held == number else SEVERAL


@kernel
def gini_statistics(
    light: NDArray[np.float32],
    hidden: NDArray[np.bool_],
    segment: NDArray[np.bool_],
    variance: NDArray[np.float32],
    gain: float,
    sky_sigma: float,
) -> NDArray[np.float64]:
    """Return Gini, M20 and the mean signal-to-noise ratio per pixel; NaN where undefined.

    Parameters
    ----------
    light, hidden, variance, gain
        See `galfeat.features.flux.statistics`.
    segment : ndarray of bool, shape (H, W)
        The Gini segment.
    sky_sigma : float
        Standard deviation of the sky.
    """
    height, width = light.shape
    number = int(np.sum(segment))
    values = np.empty(number, np.float32)
    places = np.empty((number, 2), np.int32)
    total, sum_y, sum_x, ratio, used, k = 0.0, 0.0, 0.0, 0.0, 0, 0
    for y in range(height):
        for x in range(width):
            if segment[y, x]:
                value = np.float64(light[y, x])
                values[k], places[k, 0], places[k, 1] = light[y, x], y, x
                k += 1
                total += value
                sum_y += value * y
                sum_x += value * x
                if value >= 0.0 and not hidden[y, x]:
                    noise = np.float64(deviation_of(light, variance, y, x, gain, sky_sigma))
                    if noise > 0.0:
                        ratio += value / noise
                        used += 1
    result = np.full(3, np.nan)
    if used > 0:
        result[2] = ratio / used
    order = ascending(np.abs(values))
    weighted, both = 0.0, 0.0
    for k in range(number):
        size = abs(np.float64(values[order[k]]))
        both += size
        weighted += (2.0 * k + 1.0 - number) * size
    if number > 1 and both > 0.0:
        result[0] = weighted / (both * (number - 1.0))
    if total <= 0.0:
        return result
    brighter, threshold = 0.0, np.float32(0.0)
    for k in range(number - 1, -1, -1):
        value = values[order[k]]
        if value > np.float32(0.0):
            if brighter > 0.2 * total:
                break
            threshold = value
            brighter += np.float64(value)
    yc, xc = sum_y / total, sum_x / total
    moment, bright = 0.0, 0.0
    for k in range(number):
        part = np.float64(values[k]) * ((places[k, 0] - yc) ** 2 + (places[k, 1] - xc) ** 2)
        moment += part
        if values[k] >= threshold:
            bright += part
    if moment > 0.0 and bright > 0.0:
        result[1] = np.log10(bright / moment)
    return result
