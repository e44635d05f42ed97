"""The evaluation of a model: scores with intervals, per class, per source, for both decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.metrics import (
    Floats,
    PerClass,
    Reliability,
    per_class,
    reliability,
)
from galfeat.evaluate.scored_rows import Measure, ScoredRows, checked_rows, mean_intervals

#: The rule whose label metrics stand beside those of the rule in force.
OTHER_DECISION = {"balanced": "probable", "tempered": "probable", "probable": "balanced"}
Intervals = dict[str, Interval]


@dataclass(frozen=True)
class Evaluation:
    """What is known about a model's answers on labelled galaxies.

    Attributes
    ----------
    classes : tuple of str
        The k class names in order.
    n, n_failed : int
        Galaxies that were scored, and images that gave no prediction and were not.
    decision : {"balanced", "tempered", "probable"}
        The rule that named the classes.
    scores : dict of str to Interval
        `accuracy`, `balanced_accuracy`, `macro_f1`, `log_loss` and `ece`.
    alternative : dict of str to Interval
        `accuracy`, `balanced_accuracy` and `macro_f1` under the other rule.
    confusion : ndarray, shape (k, k)
        True class by row, named class by column.
    reliability : Reliability
        Confidence and accuracy of the most probable class in equal-count bins.
    chance_ece : float
        Mean `ece` of a perfectly calibrated model with these probabilities.
    sources : dict of str to (int, dict of str to Interval)
        Number of galaxies and scores of each source; empty where sources are not known.
    """

    classes: tuple[str, ...]
    n: int
    n_failed: int
    decision: str
    scores: Intervals
    alternative: Intervals
    confusion: Floats
    reliability: Reliability
    chance_ece: float
    sources: dict[str, tuple[int, Intervals]] = field(default_factory=dict)

    @property
    def per_class(self) -> PerClass:
        """Precision, recall, F1 and support, each of shape (k,); NaN where undefined."""
        return per_class(self.confusion)

    @property
    def other_decision(self) -> str:
        """The rule that `alternative` follows."""
        return OTHER_DECISION[self.decision]

    def to_json(self) -> dict[str, Any]:
        """Return everything in plain types, with None for what is not finite.

        Returns
        -------
        dict
            `accuracy`, `balanced_accuracy`, `macro_f1`, `log_loss` and `ece`, each with
            `value`, `low` and `high`; `per_class` by class name with `precision`,
            `recall`, `f1` and `support`; `confusion` as rows of counts, true class by
            row; `classes`, `n`, `n_failed`, `decision`; `alternative` with its
            `decision` and label metrics; `sources` by name, where they are known, with
            `n` and the five scores.
        """
        result: dict[str, Any] = {
            **_plain(self.scores),
            "per_class": self.per_class.to_json(self.classes),
            "confusion": self.confusion.astype(int).tolist(),
            "classes": list(self.classes),
            "n": self.n,
            "n_failed": self.n_failed,
            "decision": self.decision,
            "alternative": {"decision": self.other_decision, **_plain(self.alternative)},
        }
        if self.sources:
            result["sources"] = {
                name: {"n": n, **_plain(scores)} for name, (n, scores) in self.sources.items()
            }
        return result


def evaluate_predictions(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    predicted: ArrayLike,
    alternative: ArrayLike,
    class_names: Sequence[str],
    *,
    sources: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    seed: int = 0,
    rule: str = "balanced",
) -> Evaluation:
    """Score predicted classes and probabilities against the true classes.

    Parameters
    ----------
    y_true : array_like of int, shape (n,)
        True class of each galaxy, 0 to k - 1.
    probabilities : array_like, shape (n, k)
        Calibrated class probabilities. A row with NaN is an image that failed: it is
        counted in `n_failed` and not scored.
    predicted, alternative : array_like of int, shape (n,)
        The class named by `rule` and by the other rule; anything in failed rows.
    class_names : sequence of str
        The k class names in order.
    sources : array_like of str, shape (n,), optional
        Where each galaxy comes from; the scores are given for each source too. An
        empty text is the source "unknown".
    groups : array_like, shape (n,), optional
        Galaxies of one group are resampled together; an empty text is no group.
    seed : int
        Seed of the bootstrap; same seed, same intervals.
    rule : {"balanced", "tempered", "probable"}
        The decision that named `predicted`.

    Returns
    -------
    Evaluation
        Each score has a 95 % interval from 1,000 bootstrap draws of galaxies. That of
        `ece` allows for noise making a calibration error larger: it is the reverse
        percentile interval, and reaches zero where a perfectly calibrated model would
        measure as much in 2.5 % of cases or more.

    Raises
    ------
    DataError
        If the shapes do not fit, a class number is none of the classes, probabilities
        do not sum to one, or no row has any.
    """
    rows, kept = checked_rows(y_true, probabilities, predicted, alternative, class_names, groups)
    parts = {} if sources is None else rows.by_source(np.asarray(sources)[kept])
    return Evaluation(
        classes=tuple(class_names),
        n=len(rows.truth),
        n_failed=int(np.count_nonzero(~kept)),
        decision=rule,
        scores=_intervals(rows, ScoredRows.measure, seed),
        alternative=_intervals(rows, ScoredRows.measure_alternative, seed),
        confusion=rows.confusion(),
        reliability=reliability(rows.truth, rows.probabilities),
        chance_ece=float(np.mean(rows.by_chance(seed))),
        sources={
            name: (len(part.truth), _intervals(part, ScoredRows.measure, seed))
            for name, part in parts.items()
        },
    )


def _intervals(rows: ScoredRows, measure: Measure, seed: int) -> Intervals:
    return mean_intervals([rows], measure, seed)[0]


def _plain(scores: Intervals) -> dict[str, dict[str, float | None]]:
    return {name: interval.to_json() for name, interval in scores.items()}
