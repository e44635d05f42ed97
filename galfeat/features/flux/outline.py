"""The outline of the galaxy at the level of the sky's noise (Pawlik et al. 2016)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.flux.smoothing import boxcar
from galfeat.features.flux.sorting import sorted_values
from galfeat.features.flux.stamp import SKY_BOX
from galfeat.features.morphology.regions import connected_runs
from galfeat.kernels import kernel

#: The sky is measured between these multiples of the elliptical Petrosian radius.
_INNER, _OUTER = 2.0, 4.0
_CLIP = 3.0

# How the outline was found.
FOUND, ADDED, NO_SKY = 0, 1, 2


@kernel
def clipped_level(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return the mode and the standard deviation of values, clipped at three of these.

    The mode is ``2.5 median - 1.5 mean`` (Bertin & Arnouts 1996). Clipping is repeated until no
    value is removed.
    """
    ordered = sorted_values(values)
    number = ordered.size
    first, squares = np.zeros(number + 1), np.zeros(number + 1)
    middle = np.float64(ordered[number // 2])
    for k in range(number):
        value = np.float64(ordered[k]) - middle
        first[k + 1] = first[k] + value
        squares[k + 1] = squares[k] + value * value
    low, high = 0, number
    mode, deviation = 0.0, 0.0
    while True:
        count = high - low
        mean = (first[high] - first[low]) / count
        deviation = np.sqrt(max((squares[high] - squares[low]) / count - mean * mean, 0.0))
        centre = low + count // 2
        median = np.float64(ordered[centre])
        if count % 2 == 0:
            median = 0.5 * (median + np.float64(ordered[centre - 1]))
        mode = 2.5 * median - 1.5 * (mean + middle)
        new_low, new_high = low, high
        while new_low < high and np.float64(ordered[new_low]) < mode - _CLIP * deviation:
            new_low += 1
        while new_high > new_low and np.float64(ordered[new_high - 1]) > mode + _CLIP * deviation:
            new_high -= 1
        if (new_low == low and new_high == high) or new_high <= new_low:
            return mode, deviation
        low, high = new_low, new_high


@kernel
def sky_level(
    light: NDArray[np.float32],
    hidden: NDArray[np.bool_],
    yc: float,
    xc: float,
    radius: float,
    box: tuple[int, int, int],
) -> tuple[float, float, bool]:
    """Return mode and deviation of the sky around the galaxy, and if there is any.

    That of a ring about the centre, between two and four elliptical Petrosian radii; of the box
    of sky if the ring has fewer pixels than a box of full size.
    """
    height, width = light.shape
    inner, outer = (_INNER * radius) ** 2, (_OUTER * radius) ** 2
    values = np.empty(height * width, np.float32)
    number = 0
    for y in range(height):
        dy = (y - yc) ** 2
        for x in range(width):
            distance = dy + (x - xc) ** 2
            if inner <= distance < outer and not hidden[y, x]:
                values[number] = light[y, x]
                number += 1
    if number < SKY_BOX * SKY_BOX:
        y0, x0, side = box
        number = 0
        for y in range(y0, y0 + side):
            for x in range(x0, x0 + side):
                if not hidden[y, x]:
                    values[number] = light[y, x]
                    number += 1
        if number == 0:
            return 0.0, 0.0, False
    mode, deviation = clipped_level(values[:number])
    return mode, deviation, True


@kernel
def region_above(smooth: NDArray[np.float32], level: float) -> tuple[NDArray[np.float32], bool]:
    """Return ones where a smoothed image reaches a level around its peak, and if any pixel does.

    Without any, the region is the peak alone.
    """
    height, width = smooth.shape
    region = np.zeros((height, width), np.float32)
    top, top_y, top_x = np.float32(-np.inf), 0, 0
    for y in range(height):
        for x in range(width):
            if smooth[y, x] > top:
                top, top_y, top_x = smooth[y, x], y, x
    if top < level:
        region[top_y, top_x] = np.float32(1.0)
        return region, False
    runs = connected_runs(smooth, np.float32(level), top_y, top_x)
    for k in range(runs.shape[0]):
        region[runs[k, 0], runs[k, 1] : runs[k, 2]] = np.float32(1.0)
    return region, True


@kernel
def farthest(
    region: NDArray[np.float32], yc: float, xc: float, q: float, pa: float
) -> tuple[float, float]:
    """Return the distance of the farthest pixel of a region, and the axis of its ellipse."""
    c, s = np.cos(pa), np.sin(pa)
    circle, ellipse = 0.0, 0.0
    for y in range(region.shape[0]):
        row = region[y]
        low, high = 0, row.size - 1
        while low <= high and row[low] == np.float32(0.0):
            low += 1
        while high > low and row[high] == np.float32(0.0):
            high -= 1
        if low > high:
            continue
        # Convex functions of x are largest at the ends.
        for x in (low, high):
            u, v = (x - xc) * c + (y - yc) * s, (y - yc) * c - (x - xc) * s
            circle = max(circle, np.hypot(u, v))
            ellipse = max(ellipse, np.hypot(u, v / q))
    return circle, ellipse


@kernel
def smooth_outline(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return means over squares of three pixels, in which outlines are drawn."""
    return boxcar(light, 3)
