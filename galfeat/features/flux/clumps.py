"""Smoothness, or clumpiness, and the substructure in contiguous clumps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.flux.apertures import ellipse_sums, running_sums
from galfeat.features.flux.smoothing import boxcar
from galfeat.frame.forest import root_of
from galfeat.kernels import kernel

#: Side of the square and inner radius of the ring, in Petrosian radii.
FRACTION = 0.25
#: Outer radius of the ring, in Petrosian radii.
EXTENT = 1.5
#: A clump rises by this many standard deviations of the sky in as many contiguous pixels.
_RISE, _AREA = 3.0, 5


@kernel
def excess(light: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return the light above its mean over squares, zero where it is below."""
    smooth = boxcar(light, side)
    for y in range(light.shape[0]):
        row, target = light[y], smooth[y]
        for x in range(row.size):
            target[x] = max(row[x] - target[x], np.float32(0.0))
    return smooth


@kernel
def excess_near(
    light: NDArray[np.float32], yc: float, xc: float, radius: float
) -> tuple[NDArray[np.float32], int, int]:
    """Return the `excess` around a galaxy, valid within 1.5 Petrosian radii, and its corner."""
    side = int(FRACTION * radius)
    reach = EXTENT * radius + side + 2.0
    y0, x0 = max(int(yc - reach), 0), max(int(xc - reach), 0)
    y1, x1 = min(int(yc + reach) + 2, light.shape[0]), min(int(xc + reach) + 2, light.shape[1])
    if y1 <= y0 or x1 <= x0:
        y0, y1, x0, x1 = 0, light.shape[0], 0, light.shape[1]
    return excess(light[y0:y1, x0:x1].copy(), side), y0, x0


@kernel
def smoothness(
    light: NDArray[np.float32],
    sums: NDArray[np.float64],
    above: tuple[NDArray[np.float32], int, int],
    yc: float,
    xc: float,
    radius: float,
    box: tuple[int, int, int],
) -> float:
    """Return the smoothness statistic (Lotz et al. 2004, equation 11); NaN without light.

    The light above the image smoothed with a square of a quarter of the Petrosian radius,
    minus that of the box of sky, over all, in a ring from 0.25 to 1.5 Petrosian radii.

    Parameters
    ----------
    light : ndarray of float32, shape (H, W)
    sums : ndarray of float64
        Its `galfeat.features.flux.apertures.running_sums`.
    above : tuple
        From `excess_near`.
    yc, xc, radius : float
        Centre and Petrosian radius.
    box : tuple of int
        Corner and side of the box of sky.
    """
    side = int(FRACTION * radius)
    clumpy, top, left = above
    above_sums = running_sums(clumpy, np.zeros(clumpy.shape, np.bool_))
    inner, outer = FRACTION * radius, EXTENT * radius
    flux = (
        ellipse_sums(sums, yc, xc, outer, 1.0, 0.0)[0]
        - ellipse_sums(sums, yc, xc, inner, 1.0, 0.0)[0]
    )
    clumps = (
        ellipse_sums(above_sums, yc - top, xc - left, outer, 1.0, 0.0)[0]
        - ellipse_sums(above_sums, yc - top, xc - left, inner, 1.0, 0.0)[0]
    )
    if flux <= 0.0:
        return np.nan
    y0, x0, size = box
    if size > 0:
        sky = np.sum(excess(light[y0 : y0 + size, x0 : x0 + size].copy(), side))
        clumps -= np.pi * (outer * outer - inner * inner) * np.float64(sky) / (size * size)
    return clumps / flux


@kernel
def substructure(
    light: NDArray[np.float32],
    segment: NDArray[np.bool_],
    above: tuple[NDArray[np.float32], int, int],
    yc: float,
    xc: float,
    radius: float,
    noise: float,
) -> float:
    """Return the light of contiguous clumps over all of the segment; NaN without light.

    Clumps are sets of at least five pixels, connected by sides or corners, that rise by three
    standard deviations of the sky above the image smoothed with a square of a quarter of the
    Petrosian radius, between a quarter of the Petrosian radius and 1.5 of these.

    Parameters
    ----------
    light, segment : ndarray, shape (H, W)
    above : tuple
        From `excess_near`.
    yc, xc, radius : float
        Centre and Petrosian radius.
    noise : float
        Standard deviation of the sky.
    """
    clumpy, top, left = above
    height, width = clumpy.shape
    total = 0.0
    for y in range(light.shape[0]):
        for x in range(light.shape[1]):
            if segment[y, x]:
                total += np.float64(light[y, x])
    inner, outer = (FRACTION * radius) ** 2, (EXTENT * radius) ** 2
    parents = np.empty(height * width, np.int32)
    sizes, lights = np.zeros(height * width, np.int32), np.zeros(height * width)
    names = np.full((height, width), -1, np.int32)
    number = 0
    for y in range(height):
        for x in range(width):
            if clumpy[y, x] <= _RISE * noise or not segment[y + top, x + left]:
                continue
            distance = (y + top - yc) ** 2 + (x + left - xc) ** 2
            if distance < inner or distance > outer:
                continue
            own = -1
            for j in range(4):
                v, u = (y, x - 1) if j == 0 else (y - 1, x + j - 2)
                if v < 0 or u < 0 or u >= width or names[v, u] < 0:
                    continue
                root = root_of(parents, names[v, u])
                if own < 0:
                    own = root
                elif root != own:
                    parents[root] = own
                    sizes[own] += sizes[root]
                    lights[own] += lights[root]
            if own < 0:
                own = number
                parents[own] = own
                number += 1
            names[y, x] = own
            sizes[own] += 1
            lights[own] += np.float64(clumpy[y, x])
    if total <= 0.0:
        return np.nan
    clumps = 0.0
    for k in range(number):
        if parents[k] == k and sizes[k] >= _AREA:
            clumps += lights[k]
    return clumps / total
