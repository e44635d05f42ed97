"""Evaluation of a model: scores with intervals, per class, per source, for both decision rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from galfeat.evaluate.class_reliability import ClassReliability, class_reliability
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.metrics import Reliability, reliability
from galfeat.evaluate.score_summary import ScoreSummary
from galfeat.evaluate.scored_rows import Measure, ScoredRows, checked_rows, mean_intervals

Intervals = dict[str, Interval]


@dataclass(frozen=True, kw_only=True)
class Evaluation(ScoreSummary[Interval]):
    """The scores of a model on labelled galaxies.

    Attributes
    ----------
    n_failed : int
        Images that could not be read, which were not scored.
    n_without_source : int
        Images without a source, which have no class and were not scored.
    reliability : Reliability
        Confidence and accuracy of the most probable class in equal-count bins.
    chance_ece : float
        Expected `ece` of a perfectly calibrated model with these probabilities.
    by_class : dict of str to ClassReliability
        Probability and frequency of each class.

    Examples
    --------
    A row without probabilities is counted and not scored:

    >>> from math import nan
    >>> from galfeat.evaluate import evaluate_predictions
    >>> probabilities = [[0.9, 0.1], [0.2, 0.8], [nan, nan]]
    >>> evaluation = evaluate_predictions(
    ...     [0, 1, 1], probabilities, [0, 1, 0], [0, 1, 0], ["smooth", "disc"]
    ... )
    >>> evaluation.n, evaluation.n_failed, evaluation.scores["accuracy"].value
    (2, 1, 1.0)
    """

    n_failed: int
    n_without_source: int
    reliability: Reliability
    chance_ece: float
    by_class: dict[str, ClassReliability]

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON; the confusion matrix has integer counts."""
        return super().to_json() | {
            "confusion": self.confusion.astype(int).tolist(),
            "reliability_by_class": {
                name: of_class.to_json() for name, of_class in self.by_class.items()
            },
            "n_failed": self.n_failed,
            "n_without_source": self.n_without_source,
        }

    def unscored_text(self, failed: str = "failed") -> str:
        """Return the numbers of images that were not scored as the rest of a clause, or nothing."""
        counts = {
            failed: self.n_failed,
            "without a source (not scored)": self.n_without_source,
        }
        return "".join(f", {count:,} {text}" for text, count in counts.items() if count)


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
    without_source: ArrayLike | None = None,
) -> Evaluation:
    """Score predicted classes and probabilities against the true classes.

    Parameters
    ----------
    y_true : array_like of int, shape (n,)
        True class of each galaxy, 0 to k - 1.
    probabilities : array_like, shape (n, k)
        Calibrated class probabilities. Rows with NaN are counted in `n_failed`, or in
        `n_without_source`, and not scored.
    predicted, alternative : array_like of int, shape (n,)
        The class predicted by `rule` and by the other rule; ignored in failed rows.
    class_names : sequence of str
        The k class names in order.
    sources : array_like of str, shape (n,), optional
        Source of each galaxy; scores are also computed per source. An empty string is the
        source "unknown".
    groups : array_like, shape (n,), optional
        Galaxies of one group are resampled together; an empty string marks an ungrouped one.
    seed : int
        Seed of the bootstrap.
    rule : {"balanced", "tempered", "probable"}
        The decision rule behind `predicted`.
    without_source : array_like of bool, shape (n,), optional
        Images without probabilities because they contain no source, rather than because they
        failed. They are not scored: they show no galaxy that could have been classified.

    Returns
    -------
    Evaluation
        Each score has a 95 % interval from 1,000 bootstrap resamples of the galaxies. For
        `ece`, which noise increases, this is the reverse percentile interval; its lower end
        is zero unless fewer than 2.5 % of perfectly calibrated models would score as high.

    Raises
    ------
    DataError
        If shapes disagree, a class index is out of range, probabilities do not sum to one,
        or no row has probabilities.

    Examples
    --------
    >>> from galfeat.evaluate import evaluate_predictions
    >>> y_true = [0, 0, 0, 1, 1, 1]
    >>> predicted = [0, 0, 1, 1, 1, 1]
    >>> probabilities = [[0.9, 0.1]] * 2 + [[0.4, 0.6]] + [[0.2, 0.8]] * 3
    >>> evaluation = evaluate_predictions(
    ...     y_true, probabilities, predicted, predicted, ["smooth", "disc"]
    ... )
    >>> evaluation.confusion
    array([[2., 1.],
           [0., 3.]])
    >>> round(evaluation.scores["accuracy"].value, 3)
    0.833
    """
    rows, kept = checked_rows(y_true, probabilities, predicted, alternative, class_names, groups)
    parts = {} if sources is None else rows.by_source(np.asarray(sources)[kept])
    empty = np.zeros(len(kept), bool) if without_source is None else np.asarray(without_source)
    return Evaluation(
        classes=tuple(class_names),
        n=len(rows.truth),
        n_failed=int(np.count_nonzero(~kept & ~empty)),
        n_without_source=int(np.count_nonzero(~kept & empty)),
        decision=rule,
        scores=_intervals(rows, ScoredRows.measure, seed),
        alternative=_intervals(rows, ScoredRows.measure_alternative, seed),
        confusion=rows.confusion(),
        reliability=reliability(rows.truth, rows.probabilities),
        chance_ece=float(np.mean(rows.by_chance(seed))),
        by_class=class_reliability(rows, class_names, seed),
        sources={
            name: (len(part.truth), _intervals(part, ScoredRows.measure, seed))
            for name, part in parts.items()
        },
    )


def _intervals(rows: ScoredRows, measure: Measure, seed: int) -> Intervals:
    return mean_intervals([rows], measure, seed)[0]
