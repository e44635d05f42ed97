"""Compare pipelines on the same galaxies: scores and the significance of differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import DataError
from galfeat.evaluate.html import comparison_html
from galfeat.evaluate.intervals import RESAMPLES, Interval, Scores, percentile_interval
from galfeat.evaluate.metrics import METRICS, Floats, PerClass, per_class
from galfeat.evaluate.repeats import RepeatedScore, RepeatedScores
from galfeat.evaluate.scored_rows import (
    ScoredRows,
    checked_rows,
    intervals_of_means,
    resampled_scores,
)

#: The score that ranks pipelines.
RANKING = "macro_f1"
#: Scores for which lower values are better.
LOWER_IS_BETTER = ("log_loss", "ece")


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Out-of-fold predictions of one pipeline for n galaxies.

    Attributes
    ----------
    probabilities : ndarray, shape (repeats, n, k)
        Class probabilities.
    predicted : ndarray of int, shape (repeats, n)
        Classes predicted by the pipeline's decision rule.

    Examples
    --------
    Two repeats for three galaxies:

    >>> import numpy as np
    >>> from galfeat.evaluate.comparison import OutOfFold
    >>> predicted = np.array([[0, 1, 1], [0, 0, 1]])
    >>> predictions = OutOfFold(np.eye(2)[predicted], predicted)
    >>> predictions.first().probabilities.shape
    (1, 3, 2)
    """

    probabilities: Floats
    predicted: NDArray[np.intp]

    def first(self) -> OutOfFold:
        """Return the predictions of the first repeat."""
        return OutOfFold(self.probabilities[:1], self.predicted[:1])


@dataclass(frozen=True)
class Difference:
    """Differences between the scores of two pipelines, each with a 95 % interval.

    Attributes
    ----------
    first, second : str
        Names of the pipelines.
    scores : dict of str to Interval
        Score of the first minus that of the second.

    Examples
    --------
    >>> from galfeat.evaluate import Interval
    >>> from galfeat.evaluate.comparison import Difference
    >>> difference = Difference("a", "b", {"log_loss": Interval(-0.2, -0.3, -0.1)})
    >>> difference.better("log_loss")
    'a'
    """

    first: str
    second: str
    scores: dict[str, Interval]

    def better(self, metric: str = RANKING) -> str | None:
        """Return the significantly better pipeline, or None if the interval includes zero."""
        _, low, high = self.scores[metric]
        if not (low > 0 or high < 0):
            return None
        return self.first if (low > 0) != (metric in LOWER_IS_BETTER) else self.second


@dataclass(frozen=True)
class Comparison:
    """Scores of several pipelines on the same n galaxies, and their differences.

    Attributes
    ----------
    classes : tuple of str
        The k class names in order.
    n, repeats : int
        Number of galaxies, and of repeats with new folds.
    scores : dict of str to dict of str to RepeatedScore
        The five scores of each pipeline.
    confusion : dict of str to ndarray, shape (k, k)
        Mean confusion matrix of each pipeline over the repeats, true class by row.
    differences : tuple of Difference
        One for each pair of pipelines.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.comparison import OutOfFold, compare_predictions
    >>> y_true = np.array([0, 1] * 20)
    >>> perfect = OutOfFold(np.eye(2)[y_true][None], y_true[None])
    >>> comparison = compare_predictions(
    ...     y_true, {"trees": perfect, "forest": perfect}, ["smooth", "disc"]
    ... )
    >>> comparison.tied_with_best("macro_f1")
    ['forest']
    """

    classes: tuple[str, ...]
    n: int
    repeats: int
    scores: dict[str, RepeatedScores]
    confusion: dict[str, Floats]
    differences: tuple[Difference, ...]

    def ranked(self, metric: str = RANKING) -> list[str]:
        """Return the names of the pipelines, best first."""
        sign = 1 if metric in LOWER_IS_BETTER else -1
        return sorted(self.scores, key=lambda name: sign * self.scores[name][metric].mean)

    def difference(self, first: str, second: str) -> Difference:
        """Return the scores of one pipeline minus those of another."""
        for difference in self.differences:
            if (difference.first, difference.second) == (first, second):
                return difference
            if (difference.first, difference.second) == (second, first):
                reversed_scores = {
                    name: Interval(-value, -high, -low)
                    for name, (value, low, high) in difference.scores.items()
                }
                return Difference(first, second, reversed_scores)
        raise KeyError(f"no difference between {first} and {second}")

    def tied_with_best(self, metric: str = RANKING) -> list[str]:
        """Return the other pipelines that are not significantly different from the best one."""
        best, *others = self.ranked(metric)
        return [name for name in others if self.difference(best, name).better(metric) is None]

    def per_class(self, name: str) -> PerClass:
        """Return the scores of each class, each of shape (k,), from the mean confusion matrix."""
        return per_class(self.confusion[name])

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON, with None in place of non-finite numbers."""
        return {
            "classes": list(self.classes),
            "n": self.n,
            "repeats": self.repeats,
            "pipelines": {
                name: {metric: score.to_json() for metric, score in scores.items()}
                | {
                    "per_class": self.per_class(name).to_json(self.classes),
                    "confusion": self.confusion[name].tolist(),
                }
                for name, scores in self.scores.items()
            },
            "differences": [
                {
                    "first": difference.first,
                    "second": difference.second,
                    **{
                        metric: interval.to_json() | {"better": difference.better(metric)}
                        for metric, interval in difference.scores.items()
                    },
                }
                for difference in self.differences
            ],
        }

    def _repr_html_(self) -> str:
        """Return the scores and the differences from the best pipeline, for notebooks."""
        best, *others = self.ranked()
        differences = {name: self.difference(best, name) for name in others}
        from_best = {
            name: (difference.scores[RANKING], difference.better() is not None)
            for name, difference in differences.items()
        }
        return comparison_html(self.to_json(), [best, *others], from_best, RANKING)


def compare_predictions(
    y_true: ArrayLike,
    predictions: Mapping[str, OutOfFold],
    class_names: Sequence[str],
    *,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> Comparison:
    """Score the out-of-fold predictions of several pipelines and their differences.

    Parameters
    ----------
    y_true : array_like of int, shape (n,)
        True class of each galaxy.
    predictions : mapping of str to OutOfFold
        Predictions of each pipeline for the same galaxies, folds and repeats.
    class_names : sequence of str
        The k class names in order.
    groups : array_like, shape (n,), optional
        Galaxies of one group are resampled together; an empty string marks an ungrouped one.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Comparison
        Intervals of scores are those of `galfeat.evaluate.summarise_repeats`. Differences are
        paired: each of 1,000 resamples draws galaxies and repeats with replacement, the same
        for both pipelines, and yields a mean difference over the drawn repeats. The interval
        contains 95 % of them (for `ece`, which resampling increases, it is reflected about the
        measured difference). It covers the sampling of galaxies and splits, but not training
        on other galaxies.

    Raises
    ------
    DataError
        As for `galfeat.evaluate.evaluate_predictions`, and if a galaxy has no prediction.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.comparison import OutOfFold, compare_predictions
    >>> y_true = np.array([0, 1] * 20)
    >>> perfect = OutOfFold(np.eye(2)[y_true][None], y_true[None])
    >>> constant = OutOfFold(np.full((1, 40, 2), 0.5), np.zeros((1, 40), int))
    >>> comparison = compare_predictions(
    ...     y_true, {"trees": perfect, "constant": constant}, ["smooth", "disc"]
    ... )
    >>> comparison.ranked(), comparison.tied_with_best()
    (['trees', 'constant'], [])
    """
    rows = {
        name: _rows(y_true, out_of_fold, class_names, groups)
        for name, out_of_fold in predictions.items()
    }
    repeats = len(next(iter(rows.values())))
    scores, drawn = {}, {}
    for name, parts in rows.items():
        values, drawn[name] = resampled_scores(parts, ScoredRows.measure, seed)
        intervals = intervals_of_means(parts, values, drawn[name], seed)
        scores[name] = {
            metric: RepeatedScore(tuple(values[metric]), low, high)
            for metric, (_, low, high) in intervals.items()
        }
    share_of_repeat = _draws_of_repeats(repeats, seed)
    names = list(rows)
    differences = tuple(
        Difference(first, second, _difference(first, second, scores, drawn, share_of_repeat))
        for index, first in enumerate(names)
        for second in names[index + 1 :]
    )
    return Comparison(
        classes=tuple(class_names),
        n=len(next(iter(rows.values()))[0].truth),
        repeats=repeats,
        scores=scores,
        confusion={
            name: np.mean([part.confusion() for part in parts], axis=0)
            for name, parts in rows.items()
        },
        differences=differences,
    )


def _rows(
    y_true: ArrayLike, predictions: OutOfFold, class_names: Sequence[str], groups: ArrayLike | None
) -> list[ScoredRows]:
    parts = []
    for probabilities, predicted in zip(
        predictions.probabilities, predictions.predicted, strict=True
    ):
        rows, kept = checked_rows(y_true, probabilities, predicted, predicted, class_names, groups)
        if not kept.all():
            raise DataError(
                f"{np.count_nonzero(~kept)} of {len(kept)} galaxies have no prediction; "
                "leave them out for every pipeline"
            )
        parts.append(rows)
    return parts


def _draws_of_repeats(repeats: int, seed: int) -> Floats:
    """Return the share of each repeat in each draw, shape (repeats, draws)."""
    rng = np.random.default_rng([seed, repeats])
    counts = rng.multinomial(repeats, np.full(repeats, 1 / repeats), RESAMPLES)
    share: Floats = counts.T / repeats
    return share


def _difference(
    first: str,
    second: str,
    scores: Mapping[str, RepeatedScores],
    drawn: Mapping[str, Scores],
    share_of_repeat: Floats,
) -> dict[str, Interval]:
    intervals = {}
    for metric in METRICS:
        value = scores[first][metric].mean - scores[second][metric].mean
        samples = ((drawn[first][metric] - drawn[second][metric]) * share_of_repeat).sum(axis=0)
        if metric == "ece":
            samples = 2 * value - samples
        intervals[metric] = percentile_interval(value, samples)
    return intervals
