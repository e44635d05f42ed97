"""Sum repeated cross-validation up: the mean of each score, and how far repeats differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import DataError
from galfeat.evaluate.score_summary import ScoreSummary
from galfeat.evaluate.scored_rows import Measure, ScoredRows, checked_rows, mean_intervals


@dataclass(frozen=True)
class RepeatedScore:
    """One score over the repeats of a cross-validation.

    Attributes
    ----------
    values : tuple of float
        The score of each repeat, all its out-of-fold predictions together.
    low, high : float
        Ends of the 95 % interval of the mean when galaxies are resampled.
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
        """Standard deviation over the repeats; NaN for a single one."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else math.nan

    def to_json(self) -> dict[str, Any]:
        """Return `mean`, `sd`, `low`, `high` and `values`, None for what is not finite."""
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
        How many times the folds were dealt anew.
    """

    repeats: int

    def to_json(self) -> dict[str, Any]:
        """Return everything in plain types, with the keys of an evaluation.

        Each score has `mean`, `sd`, `low`, `high` and `values`, one per repeat.
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
    """Score the out-of-fold predictions of each repeat and sum the repeats up.

    Parameters
    ----------
    y_true : array_like of int, shape (n,)
        True class of each galaxy.
    probabilities : sequence of array_like, each of shape (n, k)
        Out-of-fold class probabilities, one array for each repeat.
    predicted, alternative : sequence of array_like of int, each of shape (n,)
        Out-of-fold classes by `rule` and by the other rule, one array for each repeat.
    class_names, sources, groups, seed, rule
        As in `galfeat.evaluate.evaluation.evaluate_predictions`.

    Returns
    -------
    CrossValidation
        The standard deviation over repeats tells how much the luck of the split
        matters; all repeats share the same galaxies, so it says little about other
        galaxies. The interval does: it comes from resampling the galaxies.

    Raises
    ------
    DataError
        As `evaluate_predictions` does, and if there is no repeat.
    """
    if not len(probabilities):
        raise DataError("there is no repeat to sum up; cross-validate at least once")
    repeats = []
    for answers in zip(probabilities, predicted, alternative, strict=True):
        rows, kept = checked_rows(y_true, *answers, class_names, groups)
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
