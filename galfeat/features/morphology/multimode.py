"""Multimode: the areas of the two largest regions above a threshold (Freeman et al. 2013).

Defined as the ratio of areas (Peth et al. 2016) at the threshold that maximises the square of the
second area over the first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.morphology.regions import rising_order
from galfeat.frame.forest import root_of
from galfeat.kernels import kernel


def _groups_of_neighbours() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the number of connected groups and the first member of each set of neighbours.

    Sets are numbered by their bits. The members of a single group already belong to the same
    region and need not be joined.
    """
    offsets = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]
    groups, first = np.zeros(256, np.uint8), np.zeros(256, np.uint8)
    for bits in range(1, 256):
        members = [k for k in range(8) if bits >> k & 1]
        first[bits] = members[0]
        remaining = set(members)
        while remaining:
            group = [remaining.pop()]
            for member in group:
                y, x = offsets[member]
                near = {
                    k for k in remaining if max(abs(offsets[k][0] - y), abs(offsets[k][1] - x)) < 2
                }
                group.extend(near)
                remaining -= near
            groups[bits] += 1
    return groups, first


_GROUPS, _FIRST = _groups_of_neighbours()


@kernel
def multimode(light: NDArray[np.float32]) -> float:
    """Return the ratio of the areas of the two largest regions above the optimal threshold.

    Pixels are joined from the brightest to the faintest. Thresholds are all brightness values
    that at least 2 % of the pixels reach, so that single bright pixels are not regions. Zero if
    the light is never divided.

    Parameters
    ----------
    light : ndarray of float32, shape (h, w)
        Not negative; zero on the border and outside the segment.
    """
    width = light.shape[1]
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
    # Pixels are labelled with a part; joined parts form a tree.
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
        # The first threshold examines all regions so far, later ones only those that grew.
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
        # The second largest region is relevant only if it grew, or was the largest before.
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

    These are brighter at the resolution of `rising_order`, or equal and later.
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
