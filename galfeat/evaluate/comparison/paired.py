"""Compare pipelines on the same galaxies: their scores, and which differences are real."""

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

#: The score that pipelines are ranked by.
CHOSEN = "macro_f1"
#: Scores of which less is better.
LOWER_IS_BETTER = ("log_loss", "ece")


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What one pipeline says of n galaxies, each predicted out of fold.

    Attributes
    ----------
    probabilities : ndarray, shape (repeats, n, k)
        Class probabilities.
    predicted : ndarray of int, shape (repeats, n)
        Classes named by the pipeline's decision rule.
    """

    probabilities: Floats
    predicted: NDArray[np.intp]

    def first(self) -> OutOfFold:
        """Return those of the first repeat."""
        return OutOfFold(self.probabilities[:1], self.predicted[:1])


@dataclass(frozen=True)
class Difference:
    """One pipeline's scores less another's, each with a 95 % interval.

    Attributes
    ----------
    first, second : str
        Names of the pipelines.
    scores : dict of str to Interval
        Score of the first less that of the second.
    """

    first: str
    second: str
    scores: dict[str, Interval]

    def better(self, metric: str = CHOSEN) -> str | None:
        """Name the pipeline that scores better; None if they cannot be told apart."""
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
        Galaxies, and how many times the folds were dealt anew.
    scores : dict of str to dict of str to RepeatedScore
        The five scores of each pipeline.
    confusion : dict of str to ndarray, shape (k, k)
        Of each pipeline, true class by row; mean over the repeats.
    differences : tuple of Difference
        One for each pair of pipelines.
    """

    classes: tuple[str, ...]
    n: int
    repeats: int
    scores: dict[str, RepeatedScores]
    confusion: dict[str, Floats]
    differences: tuple[Difference, ...]

    def ranked(self, metric: str = CHOSEN) -> list[str]:
        """Name the pipelines, the best first."""
        sign = 1 if metric in LOWER_IS_BETTER else -1
        return sorted(self.scores, key=lambda name: sign * self.scores[name][metric].mean)

    def difference(self, first: str, second: str) -> Difference:
        """Return the scores of one pipeline less those of another."""
        for found in self.differences:
            if (found.first, found.second) == (first, second):
                return found
            if (found.first, found.second) == (second, first):
                turned = {
                    name: Interval(-value, -high, -low)
                    for name, (value, low, high) in found.scores.items()
                }
                return Difference(first, second, turned)
        raise KeyError(f"no difference of {first} and {second}")

    def tied_with_best(self, metric: str = CHOSEN) -> list[str]:
        """Name the pipelines that cannot be told apart from the best one, without it."""
        best, *others = self.ranked(metric)
        return [name for name in others if self.difference(best, name).better(metric) is None]

    def per_class(self, name: str) -> PerClass:
        """Return the scores of each class, each of shape (k,), from the mean confusion."""
        return per_class(self.confusion[name])

    def to_json(self) -> dict[str, Any]:
        """Return everything in plain types, None for what is not finite."""
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
                    "first": found.first,
                    "second": found.second,
                    **{
                        metric: interval.to_json() | {"better": found.better(metric)}
                        for metric, interval in found.scores.items()
                    },
                }
                for found in self.differences
            ],
        }

    def _repr_html_(self) -> str:
        """Return the scores and the differences from the best pipeline, for notebooks."""
        best, *others = self.ranked()
        differences = {name: self.difference(best, name) for name in others}
        from_best = {
            name: (difference.scores[CHOSEN], difference.better() is not None)
            for name, difference in differences.items()
        }
        return comparison_html(self.to_json(), [best, *others], from_best, CHOSEN)


def compare_predictions(
    y_true: ArrayLike,
    answers: Mapping[str, OutOfFold],
    class_names: Sequence[str],
    *,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> Comparison:
    """Score the out-of-fold answers of several pipelines and the differences between them.

    Parameters
    ----------
    y_true : array_like of int, shape (n,)
        True class of each galaxy.
    answers : mapping of str to OutOfFold
        Of each pipeline; the same galaxies, folds and repeats for all.
    class_names : sequence of str
        The k class names in order.
    groups : array_like, shape (n,), optional
        Galaxies of one group are resampled together; an empty text is no group.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Comparison
        The interval of a pipeline's score is that of
        `galfeat.evaluate.repeats.summarise_repeats`. A difference is paired: each
        of 1,000 draws takes galaxies and repeats, both with replacement and the same for the
        two pipelines, and gives the mean difference over the drawn repeats of the scores on the
        drawn galaxies. The interval holds 95 % of the draws (for `ece`, which a draw makes
        larger, its mirror image about the measured difference). It tells of the luck of
        galaxies and of splits, not of training on other galaxies altogether.

    Raises
    ------
    DataError
        As `evaluate_predictions` does, and if a galaxy has no prediction.
    """
    rows = {name: _rows(y_true, answer, class_names, groups) for name, answer in answers.items()}
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
        for place, first in enumerate(names)
        for second in names[place + 1 :]
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
    y_true: ArrayLike, answer: OutOfFold, class_names: Sequence[str], groups: ArrayLike | None
) -> list[ScoredRows]:
    parts = []
    for probabilities, named in zip(answer.probabilities, answer.predicted, strict=True):
        rows, kept = checked_rows(y_true, probabilities, named, named, class_names, groups)
        if not kept.all():
            raise DataError(
                f"{np.count_nonzero(~kept)} of {len(kept)} galaxies have no prediction; "
                "leave them out for every pipeline"
            )
        parts.append(rows)
    return parts


def _draws_of_repeats(repeats: int, seed: int) -> Floats:
    """Share of each repeat in each draw, shape (repeats, draws)."""
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
