"""Deblend the light above the sky into objects.

Each pixel is linked to its brightest neighbour, and so uphill to a peak; the pixels of one
peak form a basin. Adjacent basins are connected by a pass, the highest path between their
peaks. From the highest pass to the lowest, the lower of two peaks is merged into the higher
unless it rises clearly above the pass. The remaining objects are the galaxy, its companions
and foreground stars, each with its own pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.frame.forest import root_of
from galfeat.kernels import kernel

#: A peak is a separate object if it rises above the pass by this fraction of its height ...
PROMINENCE = 0.3
#: ... and by this many times the noise of the smoothed image.
PROMINENCE_NOISE = 6.0
#: Minimum area of an object, in pixels.
MIN_AREA = 6
#: Maximum number of objects, to fit 8-bit labels; the faintest in excess are dropped.
MAX_OBJECTS = 64
# Columns of the table of objects.
PEAK, PEAK_Y, PEAK_X, AREA, FLUX, PASS, NEIGHBOUR, SHARPNESS = range(8)
TOP, BOTTOM, LEFT, RIGHT = range(8, 12)
COLUMNS = 12


@kernel
def deblend(
    smoothed: NDArray[np.float32], threshold: float, noise: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Deblend the light above a threshold into objects.

    Parameters
    ----------
    smoothed : ndarray of float32, shape (H, W)
        The smoothed image, sky subtracted.
    threshold : float
        The detection level, in counts.
    noise : float
        The noise of `smoothed`, in counts.

    Returns
    -------
    labels : ndarray of uint8, shape (H, W)
        0 for no object, otherwise the object's row in `objects` plus one.
    objects : ndarray of float64, shape (n, 12)
        Sorted by descending peak. Columns: peak value, its row and column, area in pixels,
        summed light, the highest pass to another object (the threshold if it touches none),
        that object's row or -1, and the sharpness: the mean value 3 px from the peak as a
        fraction of the peak (low for stars); then the bounding box: first row, last row plus
        one, first column, last column plus one.
    """
    height, width = smoothed.shape
    # With a dark border of one pixel, the search for neighbours needs no tests for the edge.
    padded = np.full((height + 2, width + 2), np.float32(-np.inf), np.float32)
    padded[1 : height + 1, 1 : width + 1] = smoothed
    bright = _bright(padded, threshold)
    basin_of, summit, area = _basins(padded, bright)
    one, other, level = _passes(padded, bright, basin_of, summit.size)
    parent = np.arange(summit.size).astype(np.int32)
    kept = np.zeros(summit.size, np.bool_)
    pass_level = np.full(summit.size, threshold)
    pass_to = np.full(summit.size, -1, np.int32)
    values = padded.reshape(-1)
    for k in np.argsort(-level, kind="mergesort"):
        low, high = root_of(parent, one[k]), root_of(parent, other[k])
        if low == high:
            continue
        if values[summit[low]] > values[summit[high]]:
            low, high = high, low
        peak = values[summit[low]]
        rise = max(PROMINENCE * peak, PROMINENCE_NOISE * noise)
        if kept[low] or (peak - level[k] >= rise and area[low] >= MIN_AREA):
            kept[low] = True
            for here, there in ((low, high), (high, low)):
                if pass_to[here] < 0:
                    pass_level[here], pass_to[here] = level[k], there
        else:
            parent[low] = high
            area[high] += area[low]
    return _table(padded, bright, basin_of, parent, summit, area, pass_level, pass_to)


@kernel
def _bright(padded: NDArray[np.float32], threshold: float) -> NDArray[np.int64]:
    """Return the flat indices of the pixels above the threshold, in order."""
    wide = padded.shape[1]
    limit = np.float32(threshold)
    found = np.empty(padded.size + wide, np.int64)
    number = 0
    for y in range(1, padded.shape[0] - 1):
        row = padded[y]
        above = np.float32(0.0)  # a sum vectorises; a search with an early exit does not
        for x in range(wide):
            above += np.float32(row[x] > limit)
        if above == np.float32(0.0):
            continue
        for x in range(wide):
            found[number] = y * wide + x
            number += int(row[x] > limit)
    return found[:number]


@kernel
def _basins(
    padded: NDArray[np.float32], bright: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Assign each bright pixel to the basin of its peak.

    Returns the basin of each pixel of the flattened image, -1 below the threshold; the flat
    indices of the basins' peaks; and the areas of the basins. The first of equal pixels counts
    as the highest.

    Each pixel is linked to its next neighbour uphill; sweeps to and fro then replace each link
    by the link of its target. No paths are followed, because the processor could not predict
    their lengths.
    """
    wide = padded.shape[1]
    values = padded.reshape(-1)
    basin_of = np.full(padded.size, -1, np.int32)
    number = bright.size
    for k in range(number):
        basin_of[bright[k]] = k
    led = np.empty(number, np.int32)
    for k in range(number):
        higher = basin_of[bright[k] + _uphill(values, bright[k], wide)]
        led[k] = higher
        led[k] = led[min(higher, np.int32(k))]  # earlier links are already resolved
    moved = True
    while moved:
        moved = False
        for k in range(number - 1, -1, -1):
            before = led[k]
            led[k] = led[before]
            moved |= led[k] != before
        for k in range(number):
            led[k] = led[led[k]]
    names = np.empty(number, np.int32)
    basins = 0
    for k in range(number):
        names[k] = basins
        basins += int(led[k] == k)
    summit, area = np.empty(basins, np.int32), np.zeros(basins, np.int32)
    for k in range(number):
        basin = names[led[k]]
        summit[basin] = bright[led[k]]
        area[basin] += 1
        basin_of[bright[k]] = basin
    return basin_of, summit, area


@kernel
def _uphill(values: NDArray[np.float32], here: int, wide: int) -> int:
    """Return the flat offset from a pixel to the brightest of itself and its neighbours.

    A branchless tournament; the first of two equal pixels wins.
    """
    i, w = np.uint64(here), np.uint64(wide)  # unsigned: no test for negative indices
    one = np.uint64(1)
    a, b, c = values[i - w - one], values[i - w], values[i - w + one]
    d, e, f = values[i - one], values[i], values[i + one]
    g, h, last = values[i + w - one], values[i + w], values[i + w + one]
    to_a = -wide if b > a else -wide - 1
    a = b if b > a else a
    to_c = -1 if d > c else 1 - wide
    c = d if d > c else c
    to_e = 1 if f > e else 0
    e = f if f > e else e
    to_g = wide if h > g else wide - 1
    g = h if h > g else g
    to_a = to_c if c > a else to_a
    a = c if c > a else a
    to_e = to_g if g > e else to_e
    e = g if g > e else e
    to_a = to_e if e > a else to_a
    a = e if e > a else a
    return wide + 1 if last > a else to_a


@kernel
def _passes(
    padded: NDArray[np.float32],
    bright: NDArray[np.int64],
    basin_of: NDArray[np.int32],
    basins: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Return the pairs of adjacent basins and the levels of their passes."""
    wide = padded.shape[1]
    values = padded.reshape(-1)
    slots = 64
    while slots < 16 * basins:  # basins in a plane have six neighbours on average
        slots *= 2
    key_of = np.full(slots, -1, np.int64)
    level_of = np.empty(slots, np.float32)
    steps = (1, wide - 1, wide, wide + 1)
    for i in bright:
        here = basin_of[i]
        for step in steps:
            there = basin_of[i + step]
            if there < 0 or there == here:
                continue
            level = min(values[i], values[i + step])
            key = min(here, there) * np.int64(basins) + max(here, there)
            slot = (key * 2654435761) & (slots - 1)
            while key_of[slot] != key and key_of[slot] >= 0:
                slot = (slot + 1) & (slots - 1)
            if key_of[slot] < 0:
                key_of[slot], level_of[slot] = key, level
            level_of[slot] = max(level_of[slot], level)
    taken = np.flatnonzero(key_of >= 0)
    keys = key_of[taken]
    return (keys // basins).astype(np.int32), (keys % basins).astype(np.int32), level_of[taken]


@kernel
def _table(
    padded: NDArray[np.float32],
    bright: NDArray[np.int64],
    basin_of: NDArray[np.int32],
    parent: NDArray[np.int32],
    summit: NDArray[np.int32],
    area: NDArray[np.int32],
    pass_level: NDArray[np.float64],
    pass_to: NDArray[np.int32],
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the labels and the table of the objects that are large enough."""
    height, wide = padded.shape[0] - 2, padded.shape[1]
    width = wide - 2
    basins = summit.size
    row_of = np.full(basins, -1, np.int32)
    heights = np.empty(basins, np.float32)
    for basin in range(basins):
        heights[basin] = -padded[summit[basin] // wide, summit[basin] % wide]
    number = 0
    for basin in np.argsort(heights, kind="mergesort"):
        if parent[basin] == basin and area[basin] >= MIN_AREA and number < MAX_OBJECTS:
            row_of[basin] = number
            number += 1
    for basin in range(basins):
        row_of[basin] = row_of[root_of(parent, basin)]
    objects = np.zeros((number, COLUMNS), np.float64)
    objects[:, TOP], objects[:, LEFT] = height, width
    labels = np.zeros((height, width), np.uint8)
    values = padded.reshape(-1)
    start = 0
    while start < bright.size:
        # Sum the light of a run of adjacent pixels of one object in a register.
        first = bright[start]
        row, end, light = row_of[basin_of[first]], start, 0.0
        while (
            end < bright.size
            and bright[end] - first == end - start
            and row_of[basin_of[bright[end]]] == row
        ):
            light += values[bright[end]]
            end += 1
        if row >= 0:
            y = first // wide
            left, right = first - y * wide - 1, first - y * wide - 1 + end - start
            labels[y - 1, left:right] = row + 1
            own = objects[row]
            own[FLUX] += light
            own[TOP], own[BOTTOM] = min(own[TOP], y - 1), y
            own[LEFT], own[RIGHT] = min(own[LEFT], left), max(own[RIGHT], right)
        start = end
    for basin in range(basins):
        row = row_of[basin]
        if row < 0 or parent[basin] != basin:
            continue
        y, x = summit[basin] // wide, summit[basin] % wide
        peak = padded[y, x]
        objects[row, PEAK] = peak
        objects[row, PEAK_Y], objects[row, PEAK_X] = y - 1, x - 1
        objects[row, AREA] = area[basin]
        objects[row, PASS] = pass_level[basin]
        objects[row, NEIGHBOUR] = row_of[pass_to[basin]] if pass_to[basin] >= 0 else -1
        around = 0.0
        for dy, dx in ((-3, 0), (3, 0), (0, -3), (0, 3)):
            around += padded[min(max(y + dy, 1), height), min(max(x + dx, 1), width)]
        objects[row, SHARPNESS] = 0.25 * around / max(peak, np.float32(1e-6))
    return labels, objects
