"""Sum repeated cross-validation up: the mean of each score, and how far repeats differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import DataError
from galfeat.evaluate.evaluation import OTHER_DECISION
from galfeat.evaluate.metrics import Floats, PerClass, per_class
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


@dataclass(frozen=True)
class CrossValidation:
    """Scores of a repeated cross-validation.

    Attributes
    ----------
    classes : tuple of str
        The k class names in order.
    n, repeats : int
        Galaxies, and how many times the folds were dealt anew.
    decision : {"balanced", "tempered", "probable"}
        The rule that named the classes.
    scores : dict of str to RepeatedScore
        `accuracy`, `balanced_accuracy`, `macro_f1`, `log_loss` and `ece`.
    alternative : dict of str to RepeatedScore
        The label metrics under the other rule.
    confusion : ndarray, shape (k, k)
        True class by row, named class by column; mean over the repeats.
    sources : dict of str to (int, dict of str to RepeatedScore)
        Number of galaxies and scores of each source; empty where sources are not known.
    """

    classes: tuple[str, ...]
    n: int
    repeats: int
    decision: str
    scores: RepeatedScores
    alternative: RepeatedScores
    confusion: Floats
    sources: dict[str, tuple[int, RepeatedScores]] = field(default_factory=dict)

    @property
    def per_class(self) -> PerClass:
        """Precision, recall, F1 and support, each of shape (k,), from the mean confusion."""
        return per_class(self.confusion)

    @property
    def other_decision(self) -> str:
        """The rule that `alternative` follows."""
        return OTHER_DECISION[self.decision]

    def to_json(self) -> dict[str, Any]:
        """Return everything in plain types, with the keys of an evaluation.

        Each score has `mean`, `sd`, `low`, `high` and `values`, one per repeat.
        """
        result: dict[str, Any] = {
            **_plain(self.scores),
            "per_class": self.per_class.to_json(self.classes),
            "confusion": self.confusion.tolist(),
            "classes": list(self.classes),
            "n": self.n,
            "repeats": self.repeats,
            "decision": self.decision,
            "alternative": {"decision": self.other_decision, **_plain(self.alternative)},
        }
        if self.sources:
            result["sources"] = {
                name: {"n": n, **_plain(scores)} for name, (n, scores) in self.sources.items()
            }
        return result


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


def _plain(scores: RepeatedScores) -> dict[str, dict[str, Any]]:
    return {name: score.to_json() for name, score in scores.items()}
