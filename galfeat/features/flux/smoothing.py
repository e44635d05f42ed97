"""Boxcar and Gaussian smoothing with the boundaries of the published definitions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.morphology.gini import smoothed_grid
from galfeat.kernels import kernel

#: Sigma from which means over squares are blurred instead of pixels.
_COARSE = 5.0


@kernel
def _reflected(index: int, size: int) -> int:
    """Return the index of a position beyond the edges, mirrored at them."""
    period = 2 * size
    index = index % period
    return index if index < size else period - 1 - index


@kernel
def boxcar(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return means over squares; the image is mirrored at its edges.

    For an even side the square reaches one pixel farther to lower rows and columns.
    """
    if side < 2:
        return image.copy()
    height, width = image.shape
    before = side // 2
    down = np.empty((height, width), np.float32)
    total = np.zeros(width, np.float64)
    for k in range(side):
        row = image[_reflected(k - before, height)]
        for x in range(width):
            total[x] += row[x]
    share = 1.0 / side
    for y in range(height):
        target = down[y]
        leaving = image[_reflected(y - before, height)]
        entering = image[_reflected(y - before + side, height)]
        for x in range(width):
            target[x] = share * total[x]
            total[x] += np.float64(entering[x]) - np.float64(leaving[x])
    result = np.empty((height, width), np.float32)
    sums = np.empty(width + side + 1, np.float64)
    places = np.empty(width + side, np.int32)
    for k in range(width + side):
        places[k] = _reflected(k - before, width)
    for y in range(height):
        row, target = down[y], result[y]
        running = 0.0
        for k in range(width + side):
            sums[k] = running
            running += np.float64(row[places[k]])
        for x in range(width):
            target[x] = share * (sums[x + side] - sums[x])
    return result


@kernel
def gaussian(image: NDArray[np.float32], sigma: float, mirrored: bool) -> NDArray[np.float32]:
    """Return the image blurred with a Gaussian that is cut at four sigma.

    Beyond its edges the image is zero, or mirrored.
    """
    height, width = image.shape
    if sigma >= _COARSE and not mirrored:
        return _coarse_gaussian(image, sigma)
    reach = int(4.0 * sigma + 0.5)
    weights = np.empty(reach + 1, np.float32)
    total = 0.0
    for k in range(reach + 1):
        weight = np.exp(-0.5 * k * k / (sigma * sigma))
        weights[k] = weight
        total += weight if k == 0 else 2.0 * weight
    weights /= np.float32(total)
    padded = np.zeros((height, width + 2 * reach), np.float32)
    for y in range(height):
        target = padded[y, reach : reach + width]
        if mirrored:
            for k in range(-reach, reach + 1):
                row, weight = image[_reflected(y + k, height)], weights[abs(k)]
                for x in range(width):
                    target[x] += weight * row[x]
        else:
            for j in range(max(y - reach, 0), min(y + reach + 1, height)):
                row, weight = image[j], weights[abs(j - y)]
                for x in range(width):
                    target[x] += weight * row[x]
    result = np.zeros((height, width), np.float32)
    for y in range(height):
        row, target = padded[y], result[y]
        if mirrored:
            for x in range(reach):
                row[x] = row[reach + _reflected(x - reach, width)]
                row[reach + width + x] = row[reach + _reflected(width + x, width)]
        for k in range(2 * reach + 1):
            weight = weights[abs(k - reach)]
            for x in range(width):
                target[x] += weight * row[x + k]
    return result


@kernel
def _coarse_gaussian(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return a wide blur by means over squares, with linear interpolation between them."""
    height, width = image.shape
    hidden = np.zeros((height, width), np.bool_)
    grid, side = smoothed_grid(image, hidden, (0, height, 0, width), sigma)
    rows, columns = grid.shape
    result = np.empty((height, width), np.float32)
    for y in range(height):
        v = min(max((y + 0.5) / side - 0.5, 0.0), rows - 1.0)
        j = min(int(v), max(rows - 2, 0))
        fv = np.float32(v - j)
        above, below = grid[j], grid[min(j + 1, rows - 1)]
        for x in range(width):
            u = min(max((x + 0.5) / side - 0.5, 0.0), columns - 1.0)
            i = min(int(u), max(columns - 2, 0))
            fu, k = np.float32(u - i), min(i + 1, columns - 1)
            upper = above[i] + fu * (above[k] - above[i])
            lower = below[i] + fu * (below[k] - below[i])
            result[y, x] = upper + fv * (lower - upper)
    return result
