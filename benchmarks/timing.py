"""Timing of the benchmarks by processor time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def best_times(
    work: Callable[[Any], object], items: Sequence[Any], rounds: int = 9
) -> NDArray[np.float64]:
    """Return the minimum processor time over rounds for each item, in microseconds."""
    best = np.full(len(items), np.inf)
    work(items[0])
    for _ in range(rounds):
        for row, item in enumerate(items):
            start = time.process_time_ns()
            work(item)
            best[row] = min(best[row], 1e-3 * (time.process_time_ns() - start))
    return best


def typical_time(work: Callable[[Any], object], items: Sequence[Any], rounds: int = 9) -> float:
    """Return the median over items of `best_times`, in microseconds."""
    return float(np.median(best_times(work, items, rounds)))


def calibration() -> float:
    """Return the processor time of a numpy FFT in microseconds, as a measure of machine speed."""
    plane = np.random.default_rng(0).random((512, 512))
    return typical_time(np.fft.fft2, [plane] * 20)
