"""Multimode, intensity and deviation, which tell one centre of light from several.

After Freeman et al. (2013); multimode as the ratio of areas (Peth et al. 2016) at the
threshold at which the second area squared over the first is largest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.regions import connected_runs, rising_order, root_of
from galfeat.kernels import kernel

#: The MID segment ends where the brightness is this part of the mean within.
_ETA = 0.2


def _groups_of_neighbours() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return for each set of neighbours, as bits, its connected groups and its first member.

    Where all are one group, they belong to one region already, and joining them is spared.
    """
    places = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]
    groups, first = np.zeros(256, np.uint8), np.zeros(256, np.uint8)
    for chosen in range(1, 256):
        members = [k for k in range(8) if chosen >> k & 1]
        first[chosen] = members[0]
        left = set(members)
        while left:
            reached = [left.pop()]
            for one in reached:
                y, x = places[one]
                near = {k for k in left if max(abs(places[k][0] - y), abs(places[k][1] - x)) < 2}
                reached.extend(near)
                left -= near
            groups[chosen] += 1
    return groups, first


_GROUPS, _FIRST = _groups_of_neighbours()


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
    own = np.empty((height, width), np.float32)
    top, top_y, top_x, lowest = np.float32(0.0), 0, 0, np.float32(np.inf)
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
    height, width = light.shape
    flat = light.reshape(-1)
    places = np.empty(flat.size + 1, np.int32)
    values = np.empty(flat.size + 1, np.float32)
    number = 0
    for i in range(flat.size):
        places[number], values[number] = i, flat[i]
        number += flat[i] > np.float32(0.0)
    values = values[:number]
    order = rising_order(values)
    ranked = places[order]
    earlier = _earlier_neighbours(light).reshape(-1)
    steps = np.array((-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1), np.int32)
    # Pixels bear the name of a part; parts that met form a tree.
    names = np.empty(flat.size, np.int32)
    parents, areas = np.empty(number, np.int32), np.empty(number, np.int32)
    parts, main, best, ratio = 0, -1, 0.0, 0.0
    last = number - 1
    enough = number - number // 50
    while last >= 0:
        first = last
        level = flat[ranked[last]]
        while first > 0 and flat[ranked[first - 1]] == level:
            first -= 1
        here = -1
        for rank in range(last, first - 1, -1):
            own = ranked[rank]
            around = earlier[own]
            if _GROUPS[around] == 0:
                names[own] = here = parts
                parents[parts], areas[parts] = parts, 1
                parts += 1
                continue
            here = root_of(parents, names[own + steps[_FIRST[around]]])
            areas[here] += 1
            if _GROUPS[around] > 1:
                for k in range(_FIRST[around] + 1, 8):
                    if around & (1 << k):
                        root = root_of(parents, names[own + steps[k]])
                        if root != here:
                            if areas[root] < areas[here]:
                                root, here = here, root
                            parents[here] = root
                            areas[root] += areas[here]
                            here = root
            names[own] = here
        # The first threshold looks at all regions so far, later ones at those that grew.
        end = number if main < 0 else last + 1
        alone = first == last
        last = first - 1
        if first > enough:
            continue
        if alone and main >= 0 and (here == main or here == root_of(parents, main)):
            main = here
            continue
        before = main
        largest = 0
        if before >= 0:
            main = root_of(parents, before)
            largest = areas[main]
        for rank in range(first, end):
            root = root_of(parents, names[ranked[rank]])
            if areas[root] > largest:
                main, largest = root, areas[root]
        # The second largest region matters only when it grows, or when it was the largest.
        second = 0
        for rank in range(first, end):
            root = root_of(parents, names[ranked[rank]])
            if root != main:
                second = max(second, areas[root])
        if before >= 0:
            root = root_of(parents, before)
            if root != main:
                second = max(second, areas[root])
        if second > 0 and second * (second / largest) > best:
            best, ratio = second * (second / largest), second / largest
    return ratio


@kernel
def _earlier_neighbours(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a bit for each of the eight neighbours that is joined before the pixel itself.

    That is the brighter one as `rising_order` tells them apart, and of equal ones the later.
    """
    height, width = light.shape
    bits = light.reshape(-1).view(np.int32)
    coarse = np.empty((height, width), np.int32)
    flat = coarse.reshape(-1)
    for i in range(bits.size):
        flat[i] = bits[i] >> np.int32(10) if bits[i] > 0 else np.int32(-1)
    result = np.zeros((height, width), np.uint8)
    zero = np.float32(0.0)
    for y in range(1, height - 1):
        above, row, below, target = coarse[y - 1], coarse[y], coarse[y + 1], result[y]
        for x in range(width - 2):
            own = row[x + 1]
            found = np.float32(1.0) if above[x] > own else zero
            found += np.float32(2.0) if above[x + 1] > own else zero
            found += np.float32(4.0) if above[x + 2] > own else zero
            found += np.float32(8.0) if row[x] > own else zero
            found += np.float32(16.0) if row[x + 2] >= own else zero
            found += np.float32(32.0) if below[x] >= own else zero
            found += np.float32(64.0) if below[x + 1] >= own else zero
            found += np.float32(128.0) if below[x + 2] >= own else zero
            target[x + 1] = np.uint8(np.int32(found))
    return result


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
            # In rising order of places: of equal neighbours the later one is higher.
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
    # Pointers are shortened in both directions in turn until all end at a summit.
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
