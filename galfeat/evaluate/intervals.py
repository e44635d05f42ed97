"""Intervals: by resampling for any score, in closed form for k of n."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]
Scores = dict[str, Floats]

RESAMPLES = 1000
LEVEL = 0.95
_COUNTS_AT_ONCE = 2_000_000


class Interval(NamedTuple):
    """A measured value and the ends of its interval; NaN where nothing can be said."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """Return `value`, `low` and `high`, with None for what is not finite."""
        return {
            name: float(number) if math.isfinite(number) else None
            for name, number in self._asdict().items()
        }


def resampled_counts(
    n: int, *, groups: ArrayLike | None = None, seed: int = 0, resamples: int = RESAMPLES
) -> Iterator[Floats]:
    """Draw rows with replacement and count how often each was drawn.

    The plain bootstrap (Efron 1979): as many rows as there are, whatever their class.
    Drawing within each class was tried on simulated classifiers and covers the truth
    less often, above all on few rows, because it leaves out that the mixture of
    classes is itself a draw.

    Parameters
    ----------
    n : int
        Number of rows, at least one.
    groups : array_like, shape (n,), optional
        Whole groups are drawn, as many as there are, so that rows which resemble
        each other do not pass for independent ones.
    seed : int
        Same seed, same draws.
    resamples : int
        Number of draws.

    Yields
    ------
    ndarray, shape (b, n)
        Counts of b draws; together `resamples` of them.
    """
    unit_of_row = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(unit_of_row.max()) + 1
    rng = np.random.default_rng(seed)
    step = max(1, _COUNTS_AT_ONCE // n)
    for start in range(0, resamples, step):
        sets = min(step, resamples - start)
        drawn = rng.integers(0, units, (sets, units)) + units * np.arange(sets)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=sets * units).reshape(sets, units)
        yield counts[:, unit_of_row].astype(np.float64)


def bootstrap(
    score: Callable[[Floats], Scores],
    n: int,
    *,
    groups: ArrayLike | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[dict[str, float], Scores]:
    """Measure scores and their bootstrap distributions.

    Parameters
    ----------
    score : callable
        Takes counts of shape (b, n) and gives each score as an array of shape (b,).
    n, groups, seed, resamples
        As in `resampled_counts`.

    Returns
    -------
    values : dict of str to float
        Each score with every row counted once.
    samples : dict of str to ndarray, shape (resamples,)
        Each score of each draw.
    """
    values = {name: float(value[0]) for name, value in score(np.ones((1, n))).items()}
    drawn = resampled_counts(n, groups=groups, seed=seed, resamples=resamples)
    parts = [score(counts) for counts in drawn]
    return values, {name: np.concatenate([part[name] for part in parts]) for name in values}


def percentile_interval(value: float, samples: Floats, level: float = LEVEL) -> Interval:
    """Interval between two percentiles of the bootstrap distribution.

    Parameters
    ----------
    value : float
        The score itself.
    samples : ndarray, shape (b,)
        Scores of the draws; those that are NaN are left out.
    level : float
        Share of the draws between the ends.

    Returns
    -------
    Interval
        Widened, where need be, to hold the value itself, which the percentiles of a few
        lopsided draws may not. Ends are NaN if every draw is.
    """
    low, high = _percentiles(samples, level)
    return Interval(value, min(low, value), max(high, value))


def reverse_percentile_interval(value: float, samples: Floats, level: float = LEVEL) -> Interval:
    """Interval for a distance, which noise makes larger and a draw larger still.

    The reverse percentile interval ``2 value - percentile`` (Davison and Hinkley 1997,
    section 5.2) takes that bias out. It is cut at zero and widened, where need be, to
    hold the value itself.

    Parameters
    ----------
    value, samples, level
        As in `percentile_interval`.

    Returns
    -------
    Interval
        Ends are NaN if every draw is.
    """
    low, high = _percentiles(samples, level)
    return Interval(value, max(min(2 * value - high, value), 0.0), max(2 * value - low, value))


def wilson(k: float, n: float, level: float = LEVEL) -> Interval:
    """Interval for a share, from k successes in n trials (Wilson 1927, JASA 22, 209).

    Parameters
    ----------
    k, n : float
        Successes and trials; means over repeats need not be whole numbers.
    level : float
        Probability that the interval holds the true share.

    Returns
    -------
    Interval
        The share k / n and the ends, 0 to 1. Without trials the share is NaN and the
        interval is 0 to 1.

    Raises
    ------
    ValueError
        If k is not between 0 and n.
    """
    if not 0 <= k <= n:
        raise ValueError(f"k is {k} of n = {n}; it must be between 0 and n")
    if n == 0:
        return Interval(math.nan, 0.0, 1.0)
    z2 = float(norm.ppf((1 + level) / 2)) ** 2
    centre = (k + z2 / 2) / (n + z2)
    half = math.sqrt(z2 * (k * (n - k) / n + z2 / 4)) / (n + z2)
    return Interval(k / n, max(0.0, centre - half), min(1.0, centre + half))


class ClassIntervals(NamedTuple):
    """Scores of one class against the rest, each with its interval."""

    precision: Interval
    recall: Interval
    f1: Interval


def class_intervals(confusion: ArrayLike, level: float = LEVEL) -> list[ClassIntervals]:
    """Return precision, recall and F1 of each class with Wilson's intervals.

    Each is a share of galaxies, or grows with one: with J, the hits' share of all galaxies that
    are of the class or named so, F1 is 2 J / (1 + J).

    Parameters
    ----------
    confusion : array_like, shape (k, k)
        As from `galfeat.evaluate.metrics.confusion_matrix`, or the mean of several over the same
        galaxies.
    level : float
        Probability that an interval holds the true value.

    Returns
    -------
    list of ClassIntervals
        k of them. Where a score is undefined its value is NaN and its interval 0 to 1.
    """
    table = np.asarray(confusion, np.float64)
    hits, support, named = np.diagonal(table), table.sum(axis=1), table.sum(axis=0)
    found = []
    for k, of_class, of_name in zip(hits.tolist(), support.tolist(), named.tolist(), strict=True):
        jaccard = wilson(k, of_class + of_name - k, level)
        f1 = Interval(*(2.0 * share / (1.0 + share) for share in jaccard))
        found.append(ClassIntervals(wilson(k, of_name, level), wilson(k, of_class, level), f1))
    return found


def _percentiles(samples: Floats, level: float) -> tuple[float, float]:
    kept = samples[np.isfinite(samples)]
    if not len(kept):
        return math.nan, math.nan
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
