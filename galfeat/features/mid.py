"""Multimode, intensity and deviation, which tell one centre of light from several.

After Freeman et al. (2013); multimode as the ratio of areas (Peth et al. 2016) at the
threshold at which the second area squared over the first is largest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.gini_segment import flood, rising_order
from galfeat.kernels import kernel

#: The MID segment ends where the brightness is this part of the mean within.
_ETA = 0.2


@kernel
def _start(light: NDArray[np.float32], inside: NDArray[np.uint8], top: float) -> float:
    """Return the level that is a fifth of the mean above it, whether connected or not."""
    height, width = light.shape
    scale = np.float32(255.0 / top)
    counts, lights = np.zeros(256, np.int64), np.zeros(256, np.float64)
    for y in range(height):
        row, own = light[y], inside[y]
        for x in range(width):
            if own[x] == 1:
                k = int(max(row[x], np.float32(0.0)) * scale)
                counts[k] += 1
                lights[k] += row[x]
    total, number = 0.0, 0
    for k in range(255, -1, -1):
        total += lights[k]
        number += counts[k]
        if number > 0 and k / scale <= _ETA * total / number:
            return _ETA * total / number
    return 0.0


@kernel
def mid_segment(light: NDArray[np.float32], inside: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the light of the MID segment, zero outside and nowhere negative.

    The faintest level of the segment is a fifth of the mean brightness of what is brighter and
    connected with the brightest pixel. Its outline is smoothed by a majority of 3×3 pixels.

    Parameters
    ----------
    light : ndarray of float32, shape (h, w)
        With a margin of at least one pixel in which `inside` is zero.
    inside : ndarray of uint8, shape (h, w)
        One for the galaxy's pixels.
    """
    height, width = light.shape
    top, top_y, top_x = np.float32(0.0), 0, 0
    lowest = np.inf
    for y in range(height):
        for x in range(width):
            if inside[y, x] == 1:
                value = max(light[y, x], np.float32(0.0))
                lowest = min(lowest, value)
                if value > top:
                    top, top_y, top_x = value, y, x
    result = np.zeros((height, width), np.float32)
    if top <= 0.0:
        return result
    region = np.empty((height, width), np.uint8)
    threshold = _start(light, inside, float(top))
    for _ in range(12):
        level = np.float32(threshold)
        for y in range(height):
            row, own, target = light[y], inside[y], region[y]
            for x in range(width):
                target[x] = np.uint8(own[x] == 1) * np.uint8(row[x] >= level)
        count = flood(region, top_y, top_x)
        total = 0.0
        for y in range(height):
            row, own = light[y], region[y]
            line = np.float32(0.0)
            for x in range(width):
                line += row[x] * np.float32(own[x] == 2)
            total += float(line)
        after = _ETA * total / max(count, 1)
        done = abs(after - threshold) < 2e-3 * threshold or after < lowest
        threshold = after
        if done:
            break
    kept = np.zeros((height, width), np.uint8)
    for y in range(1, height - 1):
        above, row, below = region[y - 1], region[y], region[y + 1]
        target = kept[y]
        for x in range(1, width - 1):
            # Members are 2, others 0 or 1.
            votes = (
                (above[x - 1] >> 1) + (above[x] >> 1) + (above[x + 1] >> 1)
                + (row[x - 1] >> 1) + (row[x] >> 1) + (row[x + 1] >> 1)
                + (below[x - 1] >> 1) + (below[x] >> 1) + (below[x + 1] >> 1)
            )  # fmt: skip
            target[x] = np.uint8(votes > 4)
    kept[top_y, top_x] = 1
    flood(kept, top_y, top_x)
    for y in range(height):
        row, own, target, galaxy = light[y], kept[y], result[y], inside[y]
        for x in range(width):
            member = np.float32(own[x] == 2) * np.float32(galaxy[x] == 1)
            target[x] = member * max(row[x], np.float32(0.0))
    return result


@kernel
def _root(parents: NDArray[np.int32], i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@kernel
def multimode(light: NDArray[np.float32]) -> float:
    """Return the areas' ratio of the two largest regions above the most dividing threshold.

    Pixels are joined from the brightest to the faintest; a threshold is every brightness that
    occurs and is reached by at least a fiftieth of the pixels, which single bright pixels do
    not divide. Zero if the light is never in two parts.

    Parameters
    ----------
    light : ndarray of float32, shape (h, w)
        Not negative; zero on the border and outside the segment.
    """
    width = light.shape[1]
    flat = light.reshape(-1)
    places = np.flatnonzero(flat > np.float32(0.0)).astype(np.int32)
    values = flat[places]
    order = rising_order(values)
    parents = np.full(flat.size, -1, np.int32)
    areas = np.zeros(flat.size, np.int32)
    steps = np.array((-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1), np.int32)
    main, best, ratio = -1, 0.0, 0.0
    last = values.size - 1
    enough = values.size - values.size // 50
    while last >= 0:
        first = last
        level = values[order[last]]
        while first > 0 and values[order[first - 1]] == level:
            first -= 1
        for rank in range(first, last + 1):
            own = places[order[rank]]
            here = own
            parents[own], areas[own] = own, 1
            for k in range(8):
                other = own + steps[k]
                if parents[other] >= 0 and parents[other] != here:
                    root = _root(parents, other)
                    if root != here:
                        if areas[root] < areas[here]:
                            root, here = here, root
                        parents[here] = root
                        areas[root] += areas[here]
                        here = root
        # The first threshold looks at all regions so far, later ones at those that grew.
        end = values.size if main < 0 else last + 1
        last = first - 1
        if first > enough:
            continue
        before = main
        largest = 0
        if before >= 0:
            main = _root(parents, before)
            largest = areas[main]
        for rank in range(first, end):
            root = _root(parents, places[order[rank]])
            if areas[root] > largest:
                main, largest = root, areas[root]
        # The second largest region matters only when it grows, or when it was the largest.
        second = 0
        for rank in range(first, end):
            root = _root(parents, places[order[rank]])
            if root != main:
                second = max(second, areas[root])
        if before >= 0:
            root = _root(parents, before)
            if root != main:
                second = max(second, areas[root])
        if second > 0 and second * (second / largest) > best:
            best, ratio = second * (second / largest), second / largest
    return ratio


@kernel
def blurred(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blur with a Gaussian of one pixel; zero counts outside."""
    height, width = light.shape
    weights = np.exp(-0.5 * np.arange(5) ** 2).astype(np.float32)
    weights /= weights[0] + np.float32(2.0) * weights[1:].sum()
    down = np.zeros((height, width + 8), np.float32)
    for y in range(height):
        target = down[y, 4 : width + 4]
        for k in range(max(y - 4, 0), min(y + 5, height)):
            row, weight = light[k], weights[abs(k - y)]
            for x in range(width):
                target[x] += weight * row[x]
    result = np.empty((height, width), np.float32)
    a, b, c, d, e = weights[0], weights[1], weights[2], weights[3], weights[4]
    for y in range(height):
        row, target = down[y], result[y]
        for x in range(width):
            target[x] = (
                a * row[x + 4] + b * (row[x + 3] + row[x + 5]) + c * (row[x + 2] + row[x + 6])
                + d * (row[x + 1] + row[x + 7]) + e * (row[x] + row[x + 8])
            )  # fmt: skip
    return result


@kernel
def basins(light: NDArray[np.float32], smoothed: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return for each pixel of the segment the place of the summit above it, else -1.

    A step leads to the brightest of the eight neighbours in the blurred image, if it is
    brighter, until there is none. Places are flat indices.
    """
    height, width = light.shape
    flat = smoothed.reshape(-1)
    member = light.reshape(-1)
    up = np.full(flat.size, -1, np.int32)
    steps = np.array((-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1), np.int32)
    for y in range(1, height - 1):
        for i in range(y * width + 1, (y + 1) * width - 1):
            if member[i] > 0.0:
                best, highest = i, flat[i]
                for k in range(8):
                    other = i + steps[k]
                    # Of equal neighbours the later one is higher, so that no two lead in a ring.
                    value = flat[other]
                    if member[other] > 0.0 and (
                        value > highest or (value == highest and other > best)
                    ):
                        best, highest = other, value
                up[i] = best
    for i in range(flat.size):
        if up[i] >= 0:
            root = i
            while up[root] != root:
                root = up[root]
            j = i
            while up[j] != root:
                following = up[j]
                up[j] = root
                j = following
    return up


@kernel
def intensity_deviation(
    light: NDArray[np.float32], smoothed: NDArray[np.float32], summits: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return the light ratio of the two brightest basins and the deviation, shape (2,).

    The deviation is the distance from the centroid to the summit of the brightest basin, over
    the radius of a circle of the segment's area. Zeros where there is no light.
    """
    height, width = light.shape
    lights = np.zeros(summits.size, np.float64)
    flat = smoothed.reshape(-1)
    total, sum_y, sum_x, area = 0.0, 0.0, 0.0, 0
    for y in range(height):
        for x in range(width):
            i = y * width + x
            if summits[i] >= 0:
                lights[summits[i]] += flat[i]
                value = float(light[y, x])
                total += value
                sum_y += value * y
                sum_x += value * x
                area += 1
    result = np.zeros(2, np.float64)
    if total <= 0.0:
        return result
    first, second, place = 0.0, 0.0, 0
    for i in range(summits.size):
        if lights[i] > first:
            second, first, place = first, lights[i], i
        elif lights[i] > second:
            second = lights[i]
    result[0] = second / first
    offset = np.hypot(place // width - sum_y / total, place % width - sum_x / total)
    result[1] = offset * np.sqrt(np.pi / area)
    return result
