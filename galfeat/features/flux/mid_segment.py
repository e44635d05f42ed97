"""The MID segment of Freeman et al. (2013) as in Rodriguez-Gomez et al. (2019)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.morphology.petrosian import ETA
from galfeat.features.morphology.regions import connected_runs
from galfeat.kernels import kernel

# How the segment was found.
FOUND, UNDEFINED, ADDED = 0, 1, 2


@kernel
def at_quantile(ordered: NDArray[np.float32], quantile: float) -> np.float32:
    """Return the value at a quantile of ascending values, without interpolation."""
    return ordered[int(quantile * (ordered.size - 1))]


@kernel
def _excess_ratio(
    positive: NDArray[np.float32], level: np.float32, y: int, x: int, everything: float
) -> float:
    """Return a level over the mean of the region of the peak above it, minus 0.2."""
    if level <= np.float32(0.0):
        mean = everything / positive.size
        return (0.0 if mean != 0.0 else 1.0) - ETA
    runs = connected_runs(positive, level, y, x)
    total, number = 0.0, 0
    for k in range(runs.shape[0]):
        line = np.float32(0.0)
        for value in positive[runs[k, 0], runs[k, 1] : runs[k, 2]]:
            line += value
        total += np.float64(line)
        number += runs[k, 2] - runs[k, 1]
    return np.float64(level) * number / total - ETA


@kernel
def mid_quantile(
    positive: NDArray[np.float32], ordered: NDArray[np.float32], y: int, x: int
) -> float:
    """Return the quantile of the segment's faintest pixels by Brent's method; negative if none."""
    everything = 0.0
    for k in range(ordered.size):
        everything += np.float64(ordered[k])
    tolerance = 1.0 / ordered.size
    before, now = 0.0, 1.0
    f_before = _excess_ratio(positive, at_quantile(ordered, before), y, x, everything)
    if f_before > 0.0:
        return -1.0
    f_now = _excess_ratio(positive, at_quantile(ordered, now), y, x, everything)
    if f_before == 0.0:
        return before
    if f_now == 0.0 or f_now < 0.0:
        return now
    block, f_block, step, last_step = before, f_before, now - before, now - before
    for _ in range(100):
        if f_before != 0.0 and f_now != 0.0 and (f_before < 0.0) != (f_now < 0.0):
            block, f_block = before, f_before
            step = last_step = now - before
        if abs(f_block) < abs(f_now):
            before, now, block = now, block, now
            f_before, f_now, f_block = f_now, f_block, f_now
        delta = 0.5 * (tolerance + 8.881784197001252e-16 * abs(now))
        bisect = 0.5 * (block - now)
        if f_now == 0.0 or abs(bisect) < delta:
            return now
        if abs(last_step) > delta and abs(f_now) < abs(f_before):
            if before == block:
                trial = -f_now * (now - before) / (f_now - f_before)
            else:
                d_before = (f_before - f_now) / (before - now)
                d_block = (f_block - f_now) / (block - now)
                trial = (
                    -f_now * (f_block * d_block - f_before * d_before)
                    / (d_block * d_before * (f_block - f_before))
                )  # fmt: skip
            if 2.0 * abs(trial) < min(abs(last_step), 3.0 * abs(bisect) - delta):
                last_step, step = step, trial
            else:
                last_step = step = bisect
        else:
            last_step = step = bisect
        before, f_before = now, f_now
        now += step if abs(step) > delta else (delta if bisect > 0.0 else -delta)
        f_now = _excess_ratio(positive, at_quantile(ordered, now), y, x, everything)
    return now


@kernel
def mid_region(
    positive: NDArray[np.float32], ordered: NDArray[np.float32], y: int, x: int
) -> tuple[NDArray[np.bool_], int]:
    """Return the MID segment and how it was found.

    The pixels connected to the brightest whose faintest level is a fifth of their mean; the
    outline is smoothed by a majority vote of squares of three pixels.

    Parameters
    ----------
    positive : ndarray of float32, shape (H, W)
        The light of the segment, zero outside and where it is negative.
    ordered : ndarray of float32, shape (n,)
        The values of the segment's n pixels in ascending order.
    y, x : int
        The brightest pixel.
    """
    height, width = positive.shape
    result = np.zeros((height, width), np.bool_)
    quantile = mid_quantile(positive, ordered, y, x)
    if quantile < 0.0:
        return result, UNDEFINED
    level = at_quantile(ordered, quantile)
    region = np.zeros((height + 2, width + 2), np.uint8)
    if level <= np.float32(0.0):
        region[:] = 1
    else:
        runs = connected_runs(positive, level, y, x)
        for k in range(runs.shape[0]):
            region[runs[k, 0] + 1, runs[k, 1] + 1 : runs[k, 2] + 1] = 1
    # Mirrored at the edges.
    region[0], region[height + 1] = region[1], region[height]
    region[:, 0], region[:, width + 1] = region[:, 1], region[:, width]
    kept = np.zeros((height, width), np.uint8)
    votes = np.empty(width + 2, np.uint8)
    for j in range(height):
        above, middle, below, chosen = region[j], region[j + 1], region[j + 2], kept[j]
        for i in range(width + 2):
            votes[i] = np.uint8(np.uint8(above[i] + middle[i]) + below[i])
        for i in range(width):
            total = np.uint8(np.uint8(votes[i] + votes[i + 1]) + votes[i + 2])
            chosen[i] = np.uint8(total > np.uint8(4))
    how = FOUND if kept[y, x] == 1 else ADDED
    kept[y, x] = 1
    runs = connected_runs(kept, np.uint8(1), y, x)
    for k in range(runs.shape[0]):
        result[runs[k, 0], runs[k, 1] : runs[k, 2]] = True
    return result, how
