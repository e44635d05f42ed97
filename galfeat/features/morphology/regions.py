"""Connected regions of pixels, and sorting by brightness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.frame.forest import root_of
from galfeat.kernels import kernel

#: Words of eight pixels that are all outside or all inside a region.
_ALIKE = np.array((0, 0x0101010101010101), np.uint64)


@kernel
def rising_order(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the indices that sort non-negative values in ascending order.

    Radix sort on the leading 21 bits, with a relative resolution of 1 in 8,192.
    """
    number = values.size
    keys = values.view(np.uint32)
    once, twice = np.empty(number, np.int32), np.empty(number, np.int32)
    low, high = np.zeros(2048, np.int32), np.zeros(2048, np.int32)
    for i in range(number):
        low[(keys[i] >> np.uint32(10)) & np.uint32(2047)] += 1
        high[(keys[i] >> np.uint32(21)) & np.uint32(2047)] += 1
    before_low, before_high = 0, 0
    for level in range(2048):
        count = low[level]
        low[level] = before_low
        before_low += count
        count = high[level]
        high[level] = before_high
        before_high += count
    for i in range(number):
        level = (keys[i] >> np.uint32(10)) & np.uint32(2047)
        once[low[level]] = i
        low[level] += 1
    for k in range(number):
        i = once[k]
        level = (keys[i] >> np.uint32(21)) & np.uint32(2047)
        twice[high[level]] = i
        high[level] += 1
    return twice


@kernel
def flood(region: NDArray[np.uint8], y: int, x: int) -> NDArray[np.int32]:
    """Set to 2 all ones that are connected to (y, x), including by corners.

    Returns the first and the last column set in each row, shape (h, 2); in rows without any,
    the first is larger.
    """
    height, width = region.shape
    ends = np.empty((height, 2), np.int32)
    ends[:, 0], ends[:, 1] = width, -1
    if region[y, x] != 1:
        return ends
    stack = np.empty((height * width // 2 + 2, 2), np.int32)
    stack[0, 0], stack[0, 1] = y, x
    depth = 1
    while depth > 0:
        depth -= 1
        y, x = stack[depth, 0], stack[depth, 1]
        row = region[y]
        if row[x] != 1:
            continue
        low = x
        while low > 0 and row[low - 1] == 1:
            low -= 1
        high = x
        while high < width - 1 and row[high + 1] == 1:
            high += 1
        for i in range(low, high + 1):
            row[i] = 2
        ends[y, 0], ends[y, 1] = min(ends[y, 0], low), max(ends[y, 1], high)
        for other in (y - 1, y + 1):
            if other < 0 or other >= height:
                continue
            beside = region[other]
            inside = False
            for i in range(max(low - 1, 0), min(high + 2, width)):
                if beside[i] == 1:
                    if not inside:
                        stack[depth, 0], stack[depth, 1] = other, i
                        depth += 1
                    inside = True
                else:
                    inside = False
    return ends


@kernel
def connected_runs(
    values: NDArray[np.float32] | NDArray[np.uint8], level: np.float32 | np.uint8, y: int, x: int
) -> NDArray[np.int32]:
    """Return the runs of pixels that reach a level and are connected to (y, x).

    Pixels that share a corner are connected.

    Parameters
    ----------
    values : ndarray, shape (h, w)
    level : float or int, of the dtype of `values`
    y, x : int
        A pixel of the region; if it does not reach the level, no runs are returned.

    Returns
    -------
    ndarray of int32, shape (n, 3)
        Row, first column and the column after the last, in ascending order.
    """
    height, width = values.shape
    runs = np.empty((height * (width + 1) // 2 + 1, 3), np.int32)
    parents = np.empty(runs.shape[0], np.int32)
    number, own, before = 0, -1, 0
    # Zeros on both sides, padded to whole words of eight pixels.
    words = (width + 1) // 8 + 2
    reached = np.zeros(8 * words, np.uint8)
    eights = reached.view(np.uint64)
    changes = np.empty(8 * words + 1, np.int32)
    for j in range(height):
        row, here = values[j], reached[8 : 8 + width]
        for i in range(width):
            here[i] = np.uint8(row[i] >= level)
        count = 0
        for word in range(1, words):
            # Skip words without changes.
            if eights[word] == _ALIKE[reached[8 * word - 1]]:
                continue
            for i in range(8 * word, 8 * word + 8):
                changes[count] = i - 8
                count += reached[i] != reached[i - 1]
        above, before = before, number
        end_above = before
        for change in range(0, count, 2):
            start, i = changes[change], changes[change + 1]
            runs[number, 0], runs[number, 1], runs[number, 2] = j, start, i
            parents[number] = number
            if j == y and start <= x < i:
                own = number
            while above < end_above and runs[above, 2] < start:
                above += 1
            other = above
            while other < end_above and runs[other, 1] <= i:
                one, two = root_of(parents, other), root_of(parents, number)
                parents[max(one, two)] = min(one, two)
                other += 1
            number += 1
    kept = 0
    if own >= 0:
        root = root_of(parents, own)
        for k in range(number):
            if root_of(parents, k) == root:
                runs[kept] = runs[k]
                kept += 1
    return runs[:kept]
