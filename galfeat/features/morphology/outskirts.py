"""A galaxy's faint outline and its clumps, on native pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.morphology.regions import flood
from galfeat.kernels import kernel, variable


@kernel
def mean_of_nine(
    image: NDArray[np.float32], mask: NDArray[np.bool_], box: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    """Return the means of 3×3 pixels of a box, other objects set to zero, edges repeated."""
    y0, y1, x0, x1 = box
    rows, columns = y1 - y0, x1 - x0
    across = np.empty((rows, columns), np.float32)
    line = np.empty(columns + 2, np.float32)
    third = np.float32(1.0 / 3.0)
    for y in range(rows):
        row, hidden, target = image[y0 + y, x0:x1], mask[y0 + y, x0:x1], across[y]
        for x in range(columns):
            line[x + 1] = np.float32(0.0) if hidden[x] else row[x]
        line[0], line[columns + 1] = line[1], line[columns]
        for x in range(columns):
            target[x] = third * (line[x] + line[x + 1] + line[x + 2])
    result = np.empty((rows, columns), np.float32)
    for y in range(rows):
        above, row, below = across[max(y - 1, 0)], across[y], across[min(y + 1, rows - 1)]
        target = result[y]
        for x in range(columns):
            target[x] = third * (above[x] + row[x] + below[x])
    return result


@kernel
def outline(
    smoothed: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the pixels above a threshold connected to the brightest (Pawlik et al. 2016).

    They are 2 in the first array. The second, shape (h, 2), contains their first and last column
    in each row; in rows without any, the first is larger.
    """
    rows, columns = smoothed.shape
    region = np.zeros((rows, columns), np.uint8)
    top, top_y, top_x = np.float32(-np.inf), variable(0), variable(0)
    low = np.float32(threshold)
    for y in range(rows):
        row, target = smoothed[y], region[y]
        highest = np.float32(-np.inf)
        for x in range(columns):
            target[x] = np.uint8(row[x] >= low)
            highest = max(highest, row[x])
        if highest > top:
            top, top_y = highest, y
    for x in range(columns):
        if smoothed[top_y, x] == top:
            top_x = x
            break
    region[top_y, top_x] = 1
    return region, flood(region, top_y, top_x)


@kernel
def outline_box(region: NDArray[np.uint8], y: int, x: int, size: int) -> NDArray[np.float32]:
    """Return ones for the outline's pixels in the square with the first pixel (y, x)."""
    rows, columns = region.shape
    square = np.zeros((size, size), np.float32)
    low, high = max(0, -x), min(size, columns - x)
    for j in range(max(0, -y), min(size, rows - y)):
        if high <= low:
            break
        row, target = region[y + j, x + low : x + high], square[j, low:high]
        for i in range(high - low):
            target[i] = np.float32(row[i] == 2)
    return square


@kernel
def farthest(
    ends: NDArray[np.int32], yc: float, xc: float, q: float, pa: float
) -> tuple[float, float]:
    """Return the largest distance of an outline's pixels from a point, in circles and ellipses.

    Distances are convex, so the maximum of a row is at one of its ends.
    """
    c, s = np.cos(pa), np.sin(pa)
    circle, ellipse = 0.0, 0.0
    for y in range(ends.shape[0]):
        if ends[y, 0] > ends[y, 1]:
            continue
        dy = y - yc
        for k in range(2):
            dx = ends[y, k] - xc
            u, v = dx * c + dy * s, (dy * c - dx * s) / q
            circle = max(circle, dx * dx + dy * dy)
            ellipse = max(ellipse, u * u + v * v)
    return np.sqrt(circle), np.sqrt(ellipse)


@kernel
def smoothness(
    box: NDArray[np.float32],
    seen: NDArray[np.float32],
    yc: float,
    xc: float,
    inner: float,
    outer: float,
    sky: float,
) -> float:
    """Return the light of clumps over all light in a ring (Conselice 2003, Lotz et al. 2004).

    Clumps are the positive deviations from the mean of a square of side `inner`, rounded down;
    `sky` is the mean of a sky pixel. If the sky has more clumps than the galaxy, or the ring
    contains no light, zero is returned.
    """
    size = box.shape[0]
    side = max(int(inner), 1)
    before = side // 2
    low, high = max(0, int(xc - outer) - side - 1), min(size, int(xc + outer) + side + 3)
    top, bottom = max(0, int(yc - outer) - side - 1), min(size, int(yc + outer) + side + 3)
    columns = high - low
    sums = np.zeros(columns, np.float64)
    share = np.float32(1.0 / (side * side))
    clumps, light, area = 0.0, 0.0, 0.0
    first, last = top, top
    for y in range(max(int(np.ceil(yc - outer)), top), min(int(yc + outer) + 1, bottom)):
        while last < min(y - before + side, bottom):
            row = box[last, low:high]
            for x in range(columns):
                sums[x] += row[x]
            last += 1
        while first < y - before:
            row = box[first, low:high]
            for x in range(columns):
                sums[x] -= row[x]
            first += 1
        mean = _windows(sums, side)
        chord = np.sqrt(max(outer * outer - (y - yc) ** 2, 0.0))
        gap = np.sqrt(max(inner * inner - (y - yc) ** 2, 0.0))
        for part in range(2):
            start = int(np.ceil(xc - chord)) if part == 0 else int(xc + gap) + 1
            end = int(np.ceil(xc - gap)) if part == 0 else int(xc + chord) + 1
            if gap == 0.0:
                start, end = int(np.ceil(xc - chord)), int(xc + chord) + 1
                if part == 1:
                    break
            start = max(start, low + before)
            end = min(end, high - side + before)
            if end <= start:
                continue
            row, kept = box[y, start:end], seen[y, start:end]
            around = mean[start - before - low : end - before - low]
            c, t, n = np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for x in range(end - start):
                c += max(row[x] - share * around[x], np.float32(0.0)) * kept[x]
                t += row[x]
                n += kept[x]
            clumps += float(c)
            light += float(t)
            area += float(n)
    if light <= 0.0:
        return 0.0
    return max(clumps - area * sky, 0.0) / light


@kernel
def _windows(values: NDArray[np.float64], side: int) -> NDArray[np.float32]:
    """Return the sums of `side` values starting at each index, by doubling."""
    number = values.size
    result = np.zeros(number, np.float32)
    wide, wider = values.astype(np.float32), np.empty(number, np.float32)
    offset, length = 0, 1
    while True:
        if side & length:
            shifted = wide[offset:]
            for x in range(max(number - offset - length + 1, 0)):
                result[x] += shifted[x]
            offset += length
        if 2 * length > side:
            return result
        shifted = wide[length:]
        for x in range(max(number - 2 * length + 1, 0)):
            wider[x] = wide[x] + shifted[x]
        wide, wider = wider, wide
        length *= 2
