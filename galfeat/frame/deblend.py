"""Part the light above the sky into objects.

Pixels are added from the brightest to the faintest, as land appears when water falls. Each
summit starts an object; where two meet, the lower one is swallowed unless it rises clearly
above the pass between them. What is left are the galaxy, its companions and the stars that
lie on it, each with its own pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: A summit is an object of its own if it rises above the pass by this part of its height ...
PROMINENCE = 0.3
#: ... and by this many times the noise of the smoothed image.
PROMINENCE_NOISE = 6.0
#: An object has at least this many pixels.
SMALLEST_AREA = 6
#: The most objects kept; the faintest beyond are left in the one they touch.
MOST_OBJECTS = 64
# Columns of the table of objects.
PEAK, PEAK_Y, PEAK_X, AREA, FLUX, PASS, NEIGHBOUR, SHARPNESS = range(8)


_LEVELS = 2048


@kernel
def _descending(values: NDArray[np.float32], threshold: float) -> NDArray[np.int32]:
    """Return the flat indices of values above the threshold, largest first (counting sort)."""
    highest = threshold
    number = 0
    for i in range(values.size):
        value = values[i]
        if value > threshold:
            number += 1
            highest = max(highest, value)
    lit = np.empty(number, np.int32)
    level_of = np.empty(number, np.int32)
    start = np.zeros(_LEVELS + 1, np.int32)
    scale = np.float32((_LEVELS - 1) / max(np.sqrt(highest - threshold), 1e-6))
    low = np.float32(threshold)
    number = 0
    for i in range(values.size):
        value = values[i]
        if value > threshold:
            level = _LEVELS - 1 - int(np.sqrt(value - low) * scale)
            lit[number], level_of[number] = i, level
            start[level + 1] += 1
            number += 1
    for level in range(_LEVELS):
        start[level + 1] += start[level]
    order = np.empty(number, np.int32)
    for k in range(number):
        level = level_of[k]
        order[start[level]] = lit[k]
        start[level] += 1
    return order


@kernel
def _root(parent: NDArray[np.int32], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@kernel
def deblend(
    smoothed: NDArray[np.float32], threshold: float, noise: float
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Part the light above a threshold into objects.

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
    labels : ndarray of int32, shape (H, W)
        0 where there is no object, else its row in `objects` plus one.
    objects : ndarray of float64, shape (n, 8)
        Peak value, its row and column, area in pixels, summed light, the highest pass to
        another object (the threshold if it touches none), that object's row or -1, and the
        sharpness: the part of the peak that is left a step of 3 px away (low for stars).
    """
    height, width = smoothed.shape
    # A dark border of one pixel spares the search for neighbours every test for the edge.
    wide = width + 2
    padded = np.full((height + 2, wide), np.float32(-np.inf), np.float32)
    padded[1 : height + 1, 1 : width + 1] = smoothed
    values = padded.reshape(-1)
    order = _descending(values, threshold)
    node_of = np.full(values.size, -1, np.int32)
    steps = np.array([-wide - 1, -wide, -wide + 1, -1, 1, wide - 1, wide, wide + 1])
    limit = max(order.size // 4, 16)
    parent = np.empty(limit, np.int32)
    summit = np.empty(limit, np.int32)
    area = np.zeros(limit, np.int32)
    kept = np.zeros(limit, np.bool_)
    pass_level = np.full(limit, threshold)
    pass_to = np.full(limit, -1, np.int32)
    near = np.empty(8, np.int32)
    nodes = 0
    for i in range(order.size):
        here = order[i]
        found = 0
        last = -1
        for k in range(8):
            node = node_of[here + steps[k]]
            if node < 0 or node == last:
                continue
            last = node
            root = _root(parent, node)
            known = False
            for j in range(found):
                known = known or near[j] == root
            if not known:
                near[found] = root
                found += 1
        if found == 0:
            if nodes < limit:
                parent[nodes], summit[nodes], area[nodes] = nodes, here, 1
                node_of[here] = nodes
                nodes += 1
            continue
        level = values[here]
        highest = near[0]
        for j in range(1, found):
            highest = _meet(
                highest, near[j], level, noise, values,
                parent, summit, area, kept, pass_level, pass_to,
            )  # fmt: skip
        own = highest
        if found > 1:  # between objects a pixel goes the steepest way up
            own = _root(parent, node_of[here + _brightest(values, node_of, here, steps)])
        node_of[here] = own
        area[own] += 1
    return _table(padded, node_of, parent, summit, area, pass_level, pass_to, nodes)


@kernel
def _brightest(
    values: NDArray[np.float32],
    node_of: NDArray[np.int32],
    here: int,
    steps: NDArray[np.int64],
) -> int:
    """Return the step to the brightest neighbour that belongs to an object."""
    best_step = 0
    best = np.float32(-1.0)
    for step in steps:
        there = here + step
        if node_of[there] >= 0 and values[there] > best:
            best, best_step = values[there], step
    return best_step


@kernel
def _meet(
    one: int,
    other: int,
    level: float,
    noise: float,
    values: NDArray[np.float32],
    parent: NDArray[np.int32],
    summit: NDArray[np.int32],
    area: NDArray[np.int32],
    kept: NDArray[np.bool_],
    pass_level: NDArray[np.float64],
    pass_to: NDArray[np.int32],
) -> int:
    """Let two objects meet at a pass: merge them or note the pass; return the higher one."""
    low, high = one, other
    if values[summit[low]] > values[summit[high]]:
        low, high = high, low
    peak = values[summit[low]]
    needed = max(PROMINENCE * peak, PROMINENCE_NOISE * noise)
    if kept[low] or (peak - level >= needed and area[low] >= SMALLEST_AREA):
        kept[low] = True
        for here, there in ((low, high), (high, low)):
            if pass_to[here] < 0:
                pass_level[here], pass_to[here] = level, there
    else:
        parent[low] = high
        area[high] += area[low]
    return high


@kernel
def _table(
    padded: NDArray[np.float32],
    node_of: NDArray[np.int32],
    parent: NDArray[np.int32],
    summit: NDArray[np.int32],
    area: NDArray[np.int32],
    pass_level: NDArray[np.float64],
    pass_to: NDArray[np.int32],
    nodes: int,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Give the objects that are large enough a row each, and their pixels its number."""
    height, wide = padded.shape[0] - 2, padded.shape[1]
    width = wide - 2
    row_of = np.full(max(nodes, 1), -1, np.int32)
    number = 0
    for node in range(nodes):  # summits come brightest first, so the faint are cut off
        if parent[node] == node and area[node] >= SMALLEST_AREA and number < MOST_OBJECTS:
            row_of[node] = number
            number += 1
    for node in range(nodes):
        row_of[node] = row_of[_root(parent, node)]
    objects = np.zeros((number, 8), np.float64)
    labels = np.zeros((height, width), np.int32)
    for y in range(height):
        line, light = node_of[(y + 1) * wide + 1 : (y + 2) * wide - 1], padded[y + 1, 1 : wide - 1]
        for x in range(width):
            if line[x] >= 0 and row_of[line[x]] >= 0:
                row = row_of[line[x]]
                labels[y, x] = row + 1
                objects[row, FLUX] += light[x]
    for node in range(nodes):
        row = row_of[node]
        if row < 0 or parent[node] != node:
            continue
        y, x = summit[node] // wide, summit[node] % wide
        peak = padded[y, x]
        objects[row, PEAK] = peak
        objects[row, PEAK_Y], objects[row, PEAK_X] = y - 1, x - 1
        objects[row, AREA] = area[node]
        objects[row, PASS] = pass_level[node]
        objects[row, NEIGHBOUR] = row_of[pass_to[node]] if pass_to[node] >= 0 else -1
        around = 0.0
        for dy, dx in ((-3, 0), (3, 0), (0, -3), (0, 3)):
            around += padded[min(max(y + dy, 1), height), min(max(x + dx, 1), width)]
        objects[row, SHARPNESS] = 0.25 * around / max(peak, np.float32(1e-6))
    return labels, objects
