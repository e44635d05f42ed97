"""Gini, M20 and signal-to-noise ratio on the Gini segment of Lotz et al. (2004)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.morphology.regions import connected_runs, rising_order
from galfeat.kernels import kernel, variable

#: Sigma of the Gaussian that smooths the image for the segment, in Petrosian radii.
SMOOTHING = 0.2
_POINTS = 128


@kernel
def gini_of(values: NDArray[np.float32], order: NDArray[np.int32]) -> float:
    """Return the Gini coefficient of absolute values in ascending order (Lotz et al. 2004).

    0 if all are equal, 1 if all but one are zero. For fewer than two values, or zeros only, 0 is
    returned.
    """
    number = values.size
    total, weighted = 0.0, 0.0
    for rank in range(number):
        value = abs(float(values[order[rank]]))
        total += value
        weighted += (2.0 * rank + 1.0 - number) * value
    if number < 2 or total <= 0.0:
        return 0.0
    return weighted / (total * (number - 1.0))


@kernel
def smoothed_grid(
    image: NDArray[np.float32],
    mask: NDArray[np.bool_],
    box: tuple[int, int, int, int],
    sigma: float,
) -> tuple[NDArray[np.float32], int]:
    """Return means over squares of the box, blurred with a Gaussian, and the squares' side.

    Masked pixels and those outside the box are zero. The variance added by averaging over
    squares and by interpolation is subtracted from the Gaussian's.
    """
    y0, y1, x0, x1 = box
    side = max(1, int(sigma / 2.5))
    rows, columns = (y1 - y0 + side - 1) // side, (x1 - x0 + side - 1) // side
    grid = np.zeros((rows, columns), np.float32)
    line = np.empty(columns * side, np.float32)
    share = np.float32(1.0 / (side * side))
    for j in range(rows):
        line[:] = np.float32(0.0)
        for y in range(y0 + j * side, min(y0 + (j + 1) * side, y1)):
            row, hidden = image[y, x0:x1], mask[y, x0:x1]
            for i in range(x1 - x0):
                line[i] += np.float32(0.0) if hidden[i] else row[i]
        target = grid[j]
        for i in range(columns):
            sums = np.float32(0.0)
            for k in range(side):
                sums += line[i * side + k]
            target[i] = share * sums
    variance = (sigma * sigma - (side * side - 1.0) / 12.0) / (side * side)
    if side > 1:
        variance -= 1.0 / 6.0
    reach = int(4.0 * np.sqrt(variance) + 0.5)
    if reach < 1:
        return grid, side
    weights = np.empty(reach + 1, np.float32)
    total = 0.0
    for k in range(reach + 1):
        weight = np.exp(-0.5 * k * k / variance)
        weights[k] = weight
        total += weight if k == 0 else 2.0 * weight
    weights /= np.float32(total)
    down = np.zeros((rows, columns), np.float32)
    for j in range(rows):
        target = down[j]
        for k in range(max(j - reach, 0), min(j + reach + 1, rows)):
            weight, row = weights[abs(k - j)], grid[k]
            for i in range(columns):
                target[i] += weight * row[i]
    padded = np.zeros(columns + 2 * reach, np.float32)
    for j in range(rows):
        for i in range(columns):
            padded[reach + i] = down[j, i]
        target = grid[j]
        target[:] = np.float32(0.0)
        for k in range(2 * reach + 1):
            weight = weights[abs(k - reach)]
            for i in range(columns):
                target[i] += weight * padded[i + k]
    return grid, side


@kernel
def _sample(grid: NDArray[np.float32], side: int, y: float, x: float) -> float:
    """Return the blurred image at a position in the box; zero outside."""
    rows, columns = grid.shape
    v, u = (y + 0.5) / side - 0.5, (x + 0.5) / side - 0.5
    if v < -0.5 or u < -0.5 or v > rows - 0.5 or u > columns - 0.5:
        return 0.0
    v, u = min(max(v, 0.0), rows - 1.0), min(max(u, 0.0), columns - 1.0)
    j, i = min(int(v), max(rows - 2, 0)), min(int(u), max(columns - 2, 0))
    fv, fu = v - j, u - i
    k, m = min(j + 1, rows - 1), min(i + 1, columns - 1)
    upper = grid[j, i] + fu * (grid[j, m] - grid[j, i])
    lower = grid[k, i] + fu * (grid[k, m] - grid[k, i])
    return upper + fv * (lower - upper)


@kernel
def gini_segment(
    image: NDArray[np.float32],
    mask: NDArray[np.bool_],
    box: tuple[int, int, int, int],
    yc: float,
    xc: float,
    radius: float,
    q: float,
    pa: float,
) -> NDArray[np.int32]:
    """Return the Gini segment within a box as runs of pixels, shape (n, 3).

    A run is a row, its first column and the column after its last, in coordinates of the image.

    The image, with masked pixels set to zero, is blurred by a fifth of the elliptical Petrosian
    radius. The segment consists of the pixels that reach the blurred image's mean brightness
    along the Petrosian ellipse and are connected to its brightest pixel.
    """
    y0, y1, x0, x1 = box
    grid, side = smoothed_grid(image, mask, box, SMOOTHING * radius)
    c, s = np.cos(pa), np.sin(pa)
    threshold = 0.0
    for k in range(_POINTS):
        angle = 2.0 * np.pi * k / _POINTS
        u, v = radius * np.cos(angle), q * radius * np.sin(angle)
        # Equal steps in this angle cover equal areas of a narrow elliptical ring.
        threshold += _sample(grid, side, yc - y0 + u * s + v * c, xc - x0 + u * c - v * s)
    threshold /= _POINTS
    level = np.float32(threshold)
    # Interpolated values never exceed those of the surrounding grid points.
    top, bottom, left, right = grid.shape[0], -1, grid.shape[1], -1
    for j in range(grid.shape[0]):
        for i in range(grid.shape[1]):
            if grid[j, i] >= level:
                top, bottom = min(top, j), j
                left, right = min(left, i), max(right, i)
    if bottom < 0:
        return np.empty((0, 3), np.int32)
    top, bottom = max(side * (top - 1), 0), min(side * (bottom + 2), y1 - y0)
    left, right = max(side * (left - 1), 0), min(side * (right + 2), x1 - x0)
    values = _interpolated(grid, side, top, bottom, left, right)
    best, best_y, best_x = np.float32(-np.inf), variable(0), variable(0)
    for y in range(values.shape[0]):
        row = values[y]
        highest = np.float32(-np.inf)
        for x in range(values.shape[1]):
            highest = max(highest, row[x])
        if highest > best:
            best, best_y = highest, y
    while values[best_y, best_x] != best:
        best_x += 1
    runs = connected_runs(values, level, best_y, best_x)
    runs[:, 0] += y0 + top
    runs[:, 1:] += x0 + left
    return runs


@kernel
def _interpolated(
    grid: NDArray[np.float32], side: int, top: int, bottom: int, left: int, right: int
) -> NDArray[np.float32]:
    """Return the blurred image at every pixel of a part of the box."""
    rows, columns = bottom - top, right - left
    values = np.empty((rows, columns), np.float32)
    width = grid.shape[1]
    line = np.empty(width, np.float32)
    position = np.empty(columns, np.int32)
    part = np.empty(columns, np.float32)
    for x in range(columns):
        u = min(max((left + x + 0.5) / side - 0.5, 0.0), width - 1.0)
        position[x] = min(int(u), max(width - 2, 0))
        part[x] = u - position[x]
    step = 1 if width > 1 else 0
    for y in range(rows):
        v = min(max((top + y + 0.5) / side - 0.5, 0.0), grid.shape[0] - 1.0)
        j = min(int(v), max(grid.shape[0] - 2, 0))
        fv = np.float32(v - j)
        above, below = grid[j], grid[min(j + 1, grid.shape[0] - 1)]
        for i in range(width):
            line[i] = above[i] + fv * (below[i] - above[i])
        target = values[y]
        for x in range(columns):
            i = position[x]
            target[x] = line[i] + part[x] * (line[i + step] - line[i])
    return values


@kernel
def gini_statistics(
    image: NDArray[np.float32],
    mask: NDArray[np.bool_],
    runs: NDArray[np.int32],
    variance: float,
    gain: float,
) -> NDArray[np.float64]:
    """Return Gini, M20, the signal-to-noise ratio per pixel and the area of a Gini segment.

    The first three are zero if the segment contains no light.
    """
    size = np.sum(runs[:, 2] - runs[:, 1])
    values, places = np.empty(size, np.float32), np.empty((size, 2), np.int32)
    number = 0
    total, sum_y, sum_x, squares, snr, counted = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    zero, middle = np.float32(0.0), image.shape[1] // 2
    per_electron, least = np.float32(1.0 / gain), np.float32(variance + 1e-12)
    for k in range(runs.shape[0]):
        y, low, high = runs[k, 0], runs[k, 1], runs[k, 2]
        source, hidden, line = image[y, low:high], mask[y, low:high], values[number:]
        start = np.int32(low - middle)
        light, first, second, quotient, used = zero, zero, zero, zero, zero
        for x in range(high - low):
            own = np.float32(not hidden[x])
            value = own * source[x]
            line[x] = value
            place = np.float32(start + np.int32(x))
            light += value
            first += value * place
            second += value * place * place
            bright = max(value, zero)
            quotient += bright / np.sqrt(bright * per_electron + least)
            used += own * np.float32(value >= zero)
        for x in range(high - low):
            places[number + x, 0], places[number + x, 1] = y, start + x
        number += high - low
        total += float(light)
        sum_x += float(first)
        sum_y += float(light) * y
        squares += float(second) + float(light) * y * y
        snr += float(quotient)
        counted += float(used)
    result = np.zeros(4, np.float64)
    result[3] = number
    if number < 2 or total <= 0.0:
        return result
    order = rising_order(np.abs(values))
    result[0] = gini_of(values, order)
    result[2] = snr / max(counted, 1.0)
    yc, xc = sum_y / total, sum_x / total
    moment = squares - total * (yc * yc + xc * xc)
    bright_moment, held, limit = 0.0, 0.0, -np.inf
    for rank in range(number - 1, -1, -1):
        k = order[rank]
        value = float(values[k])
        if held >= 0.2 * total and value != limit and value > 0.0:
            break
        if value > 0.0:
            bright_moment += value * ((places[k, 0] - yc) ** 2 + (places[k, 1] - xc) ** 2)
            held += value
            limit = value
    if moment > 0.0 and bright_moment > 0.0:
        result[1] = np.log10(bright_moment / moment)
    return result
