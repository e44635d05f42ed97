"""Summarise repeated cross-validation: mean scores and their variation over repeats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import DataError
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.score_summary import ScoreSummary
from galfeat.evaluate.scored_rows import Measure, ScoredRows, checked_rows, mean_intervals


@dataclass(frozen=True)
class RepeatedScore:
    """One score over the repeats of a cross-validation.

    Attributes
    ----------
    values : tuple of float
        The score of each repeat, from all its out-of-fold predictions.
    low, high : float
        Ends of the mean's 95 % interval from resampling galaxies.

    Examples
    --------
    >>> from galfeat.evaluate import RepeatedScore
    >>> score = RepeatedScore((0.7, 0.8), low=0.6, high=0.9)
    >>> round(score.mean, 3), round(score.sd, 3)
    (0.75, 0.071)
    """

    values: tuple[float, ...]
    low: float
    high: float

    @property
    def mean(self) -> float:
        """Mean over the repeats."""
        return float(np.mean(self.values))

    @property
    def sd(self) -> float:
        """Standard deviation over the repeats; NaN for a single repeat."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else math.nan

    @property
    def interval(self) -> Interval:
        """The mean and the ends of its interval."""
        return Interval(self.mean, self.low, self.high)

    def to_json(self) -> dict[str, Any]:
        """Return `mean`, `sd`, `low`, `high` and `values`, None in place of non-finite numbers."""
        numbers = {"mean": self.mean, "sd": self.sd, "low": self.low, "high": self.high}
        plain: dict[str, Any] = {
            name: number if math.isfinite(number) else None for name, number in numbers.items()
        }
        return plain | {"values": list(self.values)}


RepeatedScores = dict[str, RepeatedScore]


@dataclass(frozen=True, kw_only=True)
class CrossValidation(ScoreSummary[RepeatedScore]):
    """Scores of a repeated cross-validation; the confusion matrix is the mean of the repeats.

    Attributes
    ----------
    repeats : int
        Number of repeats, each with new folds.

    Examples
    --------
    >>> from galfeat.evaluate import summarise_repeats
    >>> truth, probabilities = [0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]
    >>> result = summarise_repeats(
    ...     truth, [probabilities] * 2, [[0, 0, 1]] * 2, [[0, 0, 1]] * 2, ["smooth", "disc"]
    ... )
    >>> result.repeats, result.scores["accuracy"].sd
    (2, 0.0)
    """

    repeats: int

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON, with the keys of an evaluation.

        Each score has `mean`, `sd`, `low`, `high` and `values` (one per repeat).
        """
        return super().to_json() | {"repeats": self.repeats}


def summarise_repeats(
    y_true: ArrayLike,
    probabilities: Sequence[ArrayLike],
    predicted: Sequence[ArrayLike],
    alternative: Sequence[ArrayLike],
    class_names: Sequence[str],
    *,
    sources: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    seed: int = 0,
    rule: str = "balanced",
) -> CrossValidation:
    """Score the out-of-fold predictions of each repeat and summarise the repeats.

    Parameters
    ----------
    y_true : array_like of int, shape (n,)
        True class of each galaxy.
    probabilities : sequence of array_like, each of shape (n, k)
        Out-of-fold class probabilities, one array per repeat.
    predicted, alternative : sequence of array_like of int, each of shape (n,)
        Out-of-fold classes by `rule` and by the other rule, one array per repeat.
    class_names, sources, groups, seed, rule
        As for `evaluate_predictions`.

    Returns
    -------
    CrossValidation
        The standard deviation over repeats measures the effect of the random splits. All
        repeats share the same galaxies, so only the interval, from resampling galaxies,
        describes the uncertainty for other galaxies.

    Raises
    ------
    DataError
        As for `evaluate_predictions`, and if there are no repeats.

    Examples
    --------
    >>> from galfeat.evaluate import summarise_repeats
    >>> y_true = [0, 0, 1, 1]
    >>> predicted = [[0, 0, 1, 1], [0, 1, 1, 1]]
    >>> probabilities = [[[0.9, 0.1] if k == 0 else [0.2, 0.8] for k in row] for row in predicted]
    >>> result = summarise_repeats(
    ...     y_true, probabilities, predicted, predicted, ["smooth", "disc"]
    ... )
    >>> result.scores["accuracy"].values
    (1.0, 0.75)
    """
    if not len(probabilities):
        raise DataError("there are no repeats to summarise; cross-validate at least once")
    repeats = []
    for predictions in zip(probabilities, predicted, alternative, strict=True):
        rows, kept = checked_rows(y_true, *predictions, class_names, groups)
        repeats.append(rows)
    return CrossValidation(
        classes=tuple(class_names),
        n=len(repeats[0].truth),
        repeats=len(repeats),
        decision=rule,
        scores=_repeated_scores(repeats, ScoredRows.measure, seed),
        alternative=_repeated_scores(repeats, ScoredRows.measure_alternative, seed),
        confusion=np.mean([rows.confusion() for rows in repeats], axis=0),
        sources={} if sources is None else _by_source(repeats, np.asarray(sources)[kept], seed),
    )


def _repeated_scores(
    repeats: Sequence[ScoredRows], measure: Measure, seed: int
) -> dict[str, RepeatedScore]:
    intervals, values = mean_intervals(repeats, measure, seed)
    return {
        name: RepeatedScore(tuple(values[name]), interval.low, interval.high)
        for name, interval in intervals.items()
    }


def _by_source(
    repeats: Sequence[ScoredRows], sources: NDArray[np.str_], seed: int
) -> dict[str, tuple[int, RepeatedScores]]:
    parts = [rows.by_source(sources) for rows in repeats]
    return {
        name: (
            len(first.truth),
            _repeated_scores([part[name] for part in parts], ScoredRows.measure, seed),
        )
        for name, first in parts[0].items()
    }
