"""The scores of one set of galaxies, common to evaluations and cross-validations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from galfeat.evaluate.html import scores_html
from galfeat.evaluate.metrics import Floats, PerClass, per_class

#: For each decision rule, the rule reported next to it.
OTHER_DECISION = {"balanced": "probable", "tempered": "probable", "probable": "balanced"}


class Score(Protocol):
    """A score with an interval."""

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON."""


S = TypeVar("S", bound=Score)


@dataclass(frozen=True, kw_only=True)
class ScoreSummary(Generic[S]):
    """Scores of n galaxies, per class, per source, and for both decision rules.

    Attributes
    ----------
    classes : tuple of str
        The k class names in order.
    n : int
        Galaxies scored.
    decision : {"balanced", "tempered", "probable"}
        The decision rule.
    scores : dict of str to score
        `accuracy`, `balanced_accuracy`, `macro_f1`, `log_loss` and `ece`.
    alternative : dict of str to score
        `accuracy`, `balanced_accuracy` and `macro_f1` under the other rule.
    confusion : ndarray, shape (k, k)
        True class by row, predicted class by column.
    sources : dict of str to (int, dict of str to score)
        Number of galaxies and scores of each source; empty if sources are unknown.

    Examples
    --------
    `Evaluation` and `CrossValidation` are score summaries:

    >>> from galfeat.evaluate import evaluate_predictions
    >>> probabilities, predicted = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], [0, 1, 1]
    >>> summary = evaluate_predictions(
    ...     [0, 0, 1], probabilities, predicted, predicted, ["smooth", "disc"]
    ... )
    >>> summary.per_class.recall
    array([0.5, 1. ])
    """

    classes: tuple[str, ...]
    n: int
    decision: str
    scores: dict[str, S]
    alternative: dict[str, S]
    confusion: Floats
    sources: dict[str, tuple[int, dict[str, S]]] = field(default_factory=dict)

    @property
    def occurring(self) -> tuple[str, ...]:
        """The classes with true or predicted galaxies, over which macro-F1 is the mean."""
        f1 = self.per_class.f1
        return tuple(compress(self.classes, np.isfinite(f1)))

    @property
    def per_class(self) -> PerClass:
        """Precision, recall, F1 and support, each of shape (k,); NaN where undefined."""
        return per_class(self.confusion)

    @property
    def other_decision(self) -> str:
        """The rule that `alternative` follows."""
        return OTHER_DECISION[self.decision]

    def averages_text(self) -> str:
        """Describe which classes the averages over classes include."""
        with_galaxies = np.count_nonzero(self.per_class.support)
        return (
            f"Macro-F1 is the mean over the {len(self.occurring)} of {len(self.classes)} classes "
            "that occur as a true or predicted class, balanced accuracy over the "
            f"{with_galaxies} with galaxies."
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON, with None in place of non-finite numbers.

        Returns
        -------
        dict
            The five scores by name; `per_class` by class name with `precision`, `recall`,
            `f1` and `support`; `confusion` as rows, true class by row; `classes`,
            `macro_f1_classes` (those that occur), `n`, `decision`; `alternative` with its
            `decision` and label metrics; `sources` by name, if known, with `n` and the five
            scores.
        """
        result: dict[str, Any] = {
            **_plain(self.scores),
            "per_class": self.per_class.to_json(self.classes),
            "confusion": self.confusion.tolist(),
            "classes": list(self.classes),
            "macro_f1_classes": list(self.occurring),
            "n": self.n,
            "decision": self.decision,
            "alternative": {"decision": self.other_decision, **_plain(self.alternative)},
        }
        if self.sources:
            result["sources"] = {
                name: {"n": n, **_plain(scores)} for name, (n, scores) in self.sources.items()
            }
        return result

    def _repr_html_(self) -> str:
        """Return the scores with their intervals and by class, for notebooks."""
        return scores_html(type(self).__name__, self.to_json())


def _plain(scores: Mapping[str, Score]) -> dict[str, dict[str, Any]]:
    return {name: score.to_json() for name, score in scores.items()}
