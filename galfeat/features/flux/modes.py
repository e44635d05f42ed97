"""Multimode: the areas of the two largest regions above a threshold (Freeman et al. 2013).

The ratio of areas (Peth et al. 2016) at the quantile of the MID segment's light that maximises
the square of the second area over the first. As in Rodriguez-Gomez et al. (2019), the maximum
over fifty quantiles is refined by basin hopping with a fixed sequence of random numbers, so the
result is deterministic.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.flux.sorting import ascending
from galfeat.frame.forest import root_of
from galfeat.kernels import kernel

_STEP, _SMALLEST = 0.02, 1e-3
#: Hops, and the uniform random numbers of their steps and acceptance, in turn.
_HOPS = 5
_RANDOM = np.random.RandomState(0).random_sample(2 * _HOPS)


@kernel
def two_largest(light: NDArray[np.float32], number: int) -> NDArray[np.int32]:
    """Return the areas of the two largest regions above each threshold, shape (number, 2).

    Row k is for the threshold that all but k of `number` pixels reach; the first rows, with a
    threshold of zero, are zero. Pixels that share a corner are connected.

    Parameters
    ----------
    light : ndarray of float32, shape (H, W)
        Not negative; zero outside the segment.
    number : int
        Number of pixels of the galaxy, at least that of the pixels with light.
    """
    height, width = light.shape
    wide = width + 2
    padded = np.zeros((height + 2, wide), np.float32)
    padded[1 : height + 1, 1 : width + 1] = light
    flat = padded.reshape(-1)
    places = np.flatnonzero(flat > np.float32(0.0))
    order = places[ascending(flat[places])]
    areas = np.zeros((number, 2), np.int32)
    count = order.size
    parents = np.full(flat.size, -1, np.int32)
    sizes = np.zeros(flat.size, np.int32)
    roots = np.empty(count, np.int32)
    parts, first, second = 0, -1, -1
    steps = (-wide - 1, -wide, -wide + 1, -1, 1, wide - 1, wide, wide + 1)
    last = count
    for k in range(count - 1, -1, -1):
        own = int(order[k])
        here = -1
        for step in steps:
            if parents[own + step] < 0:
                continue
            root = root_of(parents, own + step)
            if here < 0:
                here = root
            elif root != here:
                if sizes[root] > sizes[here]:
                    root, here = here, root
                parents[root] = here
                sizes[here] += sizes[root]
        if here < 0:
            here = own
            parents[own], roots[parts] = own, own
            parts += 1
        else:
            parents[own] = here
        sizes[here] += 1
        if k > 0 and flat[order[k - 1]] == flat[own]:
            continue
        # All pixels of this brightness are joined: find the two largest among those that
        # were largest and those that have changed.
        again = first < 0 or parents[first] != first or second < 0 or parents[second] != second
        if again or last - k > 1:
            first, second = -1, -1
            kept = 0
            for j in range(parts):
                root = roots[j]
                if parents[root] != root:
                    continue
                roots[kept] = root
                kept += 1
                if first < 0 or sizes[root] > sizes[first]:
                    first, second = root, first
                elif second < 0 or sizes[root] > sizes[second]:
                    second = root
            parts = kept
        elif here != first:
            if sizes[here] > sizes[first]:
                first, second = here, first
            elif here != second and sizes[here] > sizes[second]:
                second = here
        elif sizes[second] > sizes[first]:
            first, second = second, first
        last = k
        row = number - count + k
        areas[row, 0] = sizes[first]
        areas[row, 1] = sizes[second] if second >= 0 else 0
    # Equal values share a threshold.
    for k in range(1, count):
        if flat[order[k]] == flat[order[k - 1]]:
            row = number - count + k
            areas[row, 0], areas[row, 1] = areas[row - 1, 0], areas[row - 1, 1]
    return areas


@kernel
def _energy(areas: NDArray[np.int32], quantile: float, invalid: float) -> float:
    """Return minus the square of the second area over the first, or `invalid` if it is zero."""
    if not 0.0 <= quantile <= 1.0:
        return invalid
    row = areas[int(quantile * (areas.shape[0] - 1))]
    return -(np.float64(row[1]) ** 2) / row[0] if row[1] > 0 else invalid


@kernel
def _descend(areas: NDArray[np.int32], start: float, invalid: float) -> tuple[float, float, bool]:
    """Return the minimum near a quantile by the simplex of Nelder & Mead, and if it converged."""
    x = np.array((start, 1.05 * start if start != 0.0 else 0.00025))
    f = np.array((_energy(areas, x[0], invalid), _energy(areas, x[1], invalid)))
    calls, rounds = 2, 1
    if f[1] < f[0]:
        x[0], x[1], f[0], f[1] = x[1], x[0], f[1], f[0]
    while calls < 200 and rounds < 200:
        if abs(x[1] - x[0]) <= 1e-4 and abs(f[0] - f[1]) <= 1e-4:
            break
        middle, gap = x[0], x[0] - x[1]
        reflected = _energy(areas, middle + gap, invalid)
        calls += 1
        if reflected < f[0]:
            value = _energy(areas, middle + 2.0 * gap, invalid)
            calls += 1
            if value < reflected:
                x[1], f[1] = middle + 2.0 * gap, value
            else:
                x[1], f[1] = middle + gap, reflected
        else:
            outside = reflected < f[1]
            trial = middle + (0.5 if outside else -0.5) * gap
            value = _energy(areas, trial, invalid)
            calls += 1
            if (outside and value <= reflected) or (not outside and value < f[1]):
                x[1], f[1] = trial, value
            else:
                x[1] = x[0] + 0.5 * (x[1] - x[0])
                f[1] = _energy(areas, x[1], invalid)
                calls += 1
        rounds += 1
        if f[1] < f[0]:
            x[0], x[1], f[0], f[1] = x[1], x[0], f[1], f[0]
    return x[0], f[0], calls < 200 and rounds < 200


@kernel
def multimode(light: NDArray[np.float32], number: int) -> float:
    """Return the multimode statistic; 0 if the light is never divided.

    Parameters
    ----------
    light : ndarray of float32, shape (H, W)
        The MID segment's light: not negative, zero outside.
    number : int
        Number of pixels of the galaxy's segment.
    """
    areas = two_largest(light, number)
    invalid = np.float64(np.sum(light))
    step, best, start = _STEP, 0.0, 0.0
    while True:
        for k in range(int(np.ceil(1.0 / step - 1e-9))):
            value = _energy(areas, k * step, invalid)
            if value < best:
                best, start = value, k * step
        if best < 0.0:
            break
        if step < _SMALLEST:
            return 0.0
        step *= 0.5
    beta = 1.0 / (-0.5 * best)
    x, energy, success = _descend(areas, start, invalid)
    lowest_x, lowest, lowest_success = x, energy, success
    size, accepted = step, 0
    for hop in range(_HOPS):
        # The step is adapted once, at the fifth hop, to the rate of acceptance.
        if hop == 4:
            size = size / 0.9 if accepted / 5.0 > 0.5 else size * 0.9
        trial = x + size * (2.0 * _RANDOM[2 * hop] - 1.0)
        new_x, new_energy, new_success = _descend(areas, trial, invalid)
        chance = np.exp(min(0.0, -(new_energy - energy) * beta))
        if chance >= _RANDOM[2 * hop + 1] and (new_success or not success):
            accepted += 1
            x, energy, success = new_x, new_energy, new_success
            if success and (energy < lowest or not lowest_success):
                lowest_x, lowest, lowest_success = x, energy, success
    row = areas[int(min(max(lowest_x, 0.0), 1.0) * (number - 1))]
    return np.float64(row[1]) / row[0] if row[0] > 0 else 0.0
