"""The MID segment, intensity and deviation (Freeman et al. 2013).

They detect multiple centres of light, as does `galfeat.features.morphology.multimode`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.morphology.regions import connected_runs
from galfeat.kernels import kernel, variable

#: Brightness at the edge of the MID segment over the mean brightness inside.
_ETA = 0.2


@kernel
def _start(light: NDArray[np.float32], inside: NDArray[np.uint8], top: float) -> float:
    """Return the level equal to a fifth of the mean of all brighter pixels, connected or not."""
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
    """Return the light of the MID segment, zero outside and not negative.

    The faintest level of the segment is a fifth of the mean brightness of the brighter pixels
    connected to the brightest. Its outline is smoothed by a majority vote of 3×3 pixels.

    Parameters
    ----------
    light : ndarray of float32, shape (h, w)
        With a margin of at least one pixel in which `inside` is zero.
    inside : ndarray of uint8, shape (h, w)
        One for the galaxy's pixels.
    """
    height, width = light.shape
    own = np.empty((height, width), np.float32)
    top, lowest = np.float32(0.0), np.float32(np.inf)
    top_y, top_x = variable(0), variable(0)
    for y in range(height):
        row, member, target = light[y], inside[y], own[y]
        high, low = np.float32(-np.inf), np.float32(np.inf)
        for x in range(width):
            value = row[x] if member[x] == 1 else np.float32(-np.inf)
            target[x] = value
            high = max(high, value)
            low = min(low, value if member[x] == 1 else np.float32(np.inf))
        lowest = min(lowest, low)
        if high > top:
            top, top_y = high, y
    lowest = max(lowest, np.float32(0.0))
    result = np.zeros((height, width), np.float32)
    if top <= 0.0:
        return result
    while own[top_y, top_x] != top:
        top_x += 1
    threshold = _start(light, inside, float(top))
    runs = np.empty((0, 3), np.int32)
    for _ in range(12):
        runs = connected_runs(own, np.float32(threshold), top_y, top_x)
        count, total = 0, 0.0
        for k in range(runs.shape[0]):
            line = np.float32(0.0)
            for value in own[runs[k, 0], runs[k, 1] : runs[k, 2]]:
                line += value
            total += float(line)
            count += runs[k, 2] - runs[k, 1]
        after = _ETA * total / max(count, 1)
        done = abs(after - threshold) < 2e-3 * threshold or after < lowest
        threshold = after
        if done:
            break
    region = np.zeros((height, width), np.uint8)
    for k in range(runs.shape[0]):
        region[runs[k, 0], runs[k, 1] : runs[k, 2]] = 1
    kept = np.zeros((height, width), np.uint8)
    votes = np.empty(width, np.uint8)
    for y in range(1, height - 1):
        above, middle, below, chosen = region[y - 1], region[y], region[y + 1], kept[y]
        for x in range(width):
            votes[x] = np.uint8(np.uint8(above[x] + middle[x]) + below[x])
        for x in range(width - 2):
            total8 = np.uint8(np.uint8(votes[x] + votes[x + 1]) + votes[x + 2])
            chosen[x + 1] = np.uint8(total8 > np.uint8(4))
    kept[top_y, top_x] = 1
    runs = connected_runs(kept, np.uint8(1), top_y, top_x)
    for k in range(runs.shape[0]):
        y = runs[k, 0]
        for x in range(runs[k, 1], runs[k, 2]):
            result[y, x] = max(own[y, x], np.float32(0.0))
    return result


@kernel
def blurred(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blur with a Gaussian of sigma one pixel; zero outside."""
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
    """Return the flat index of the peak uphill of each pixel of the segment, else -1.

    Each step leads to the brightest of the eight neighbours in the blurred image, as long as
    it is brighter.
    """
    height, width = light.shape
    level = np.empty((height, width), np.float32)
    members = np.empty(light.size + 1, np.int32)
    number = 0
    for y in range(height):
        row, source, target = light[y], smoothed[y], level[y]
        for x in range(width):
            target[x] = source[x] if row[x] > np.float32(0.0) else np.float32(-1.0)
        for x in range(width):
            members[number] = y * width + x
            number += row[x] > np.float32(0.0)
    up = np.full(light.size, -1, np.int32)
    for y in range(1, height - 1):
        above, row, below = level[y - 1], level[y], level[y + 1]
        target_up = up[y * width : (y + 1) * width]
        here = y * width + 1
        for x in range(width - 2):
            # In ascending order of index: the later of equal neighbours counts as higher.
            best, step = above[x], np.int32(-width - 1)
            step = np.int32(-width) if above[x + 1] >= best else step
            best = max(best, above[x + 1])
            step = np.int32(-width + 1) if above[x + 2] >= best else step
            best = max(best, above[x + 2])
            step = np.int32(-1) if row[x] >= best else step
            best = max(best, row[x])
            step = np.int32(0) if row[x + 1] >= best else step
            best = max(best, row[x + 1])
            step = np.int32(1) if row[x + 2] >= best else step
            best = max(best, row[x + 2])
            step = np.int32(width - 1) if below[x] >= best else step
            best = max(best, below[x])
            step = np.int32(width) if below[x + 1] >= best else step
            best = max(best, below[x + 1])
            step = np.int32(width + 1) if below[x + 2] >= best else step
            target_up[x + 1] = (
                np.int32(here + x) + step if row[x + 1] >= np.float32(0.0) else np.int32(-1)
            )
    # Shorten pointers in alternating directions until all lead to a peak.
    changed, forward = 1, True
    while changed:
        changed = 0
        for k in range(number):
            i = members[k] if forward else members[number - 1 - k]
            one = up[i]
            two = up[one]
            up[i] = two
            changed |= one ^ two
        forward = not forward
    return up


@kernel
def intensity_deviation(
    light: NDArray[np.float32], smoothed: NDArray[np.float32], summits: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return the light ratio of the two brightest basins and the deviation, shape (2,).

    The deviation is the distance from the centroid to the peak of the brightest basin, over the
    radius of a circle of the segment's area. Zeros without light.
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
