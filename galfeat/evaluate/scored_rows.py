"""True classes and predictions of rows scored together, and their scores with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import DataError
from galfeat.evaluate.intervals import (
    Interval,
    Scores,
    bootstrap,
    percentile_interval,
    reverse_percentile_interval,
)
from galfeat.evaluate.metrics import (
    Floats,
    Integers,
    chance_ece,
    confusion_matrix,
    expected_calibration_error,
    label_metrics,
    log_loss,
)
from galfeat.evaluate.splits import group_numbers

_SUM_TOLERANCE = 1e-3
#: Share of perfectly calibrated models that score lower if an error is significant.
CHANCE_LEVEL = 0.975
UNKNOWN_SOURCE = "unknown"

Measure = Callable[["ScoredRows", Floats], Scores]


@dataclass(frozen=True)
class ScoredRows:
    """True classes and predictions of n galaxies in k classes.

    Attributes
    ----------
    truth, predicted, alternative : ndarray of int, shape (n,)
        True class, and classes predicted by the decision rule and by the other rule.
    probabilities : ndarray, shape (n, k)
        Class probabilities.
    groups : ndarray of int, shape (n,), or None
        Number of each galaxy's group; a group is resampled as a whole.
    """

    truth: Integers
    predicted: Integers
    alternative: Integers
    probabilities: Floats
    groups: NDArray[np.intp] | None = None

    def take(self, kept: NDArray[np.bool_]) -> ScoredRows:
        """Return the rows where `kept`, shape (n,), is true."""
        return ScoredRows(
            self.truth[kept],
            self.predicted[kept],
            self.alternative[kept],
            self.probabilities[kept],
            None if self.groups is None else self.groups[kept],
        )

    def by_source(self, sources: NDArray[np.str_]) -> dict[str, ScoredRows]:
        """Return the rows of each source; an empty string is the source "unknown"."""
        return {
            str(name) or UNKNOWN_SOURCE: self.take(sources == name) for name in np.unique(sources)
        }

    def confusion(self, counts: Floats | None = None) -> Floats:
        """Return the confusion matrix of the decision rule, shape (..., k, k)."""
        return confusion_matrix(self.truth, self.predicted, self.probabilities.shape[1], counts)

    def measure(self, counts: Floats) -> Scores:
        """Return all five scores, each of shape (...), for row counts of shape (..., n)."""
        return label_metrics(self.confusion(counts)) | {
            "log_loss": log_loss(self.truth, self.probabilities, counts),
            "ece": expected_calibration_error(self.truth, self.probabilities, counts),
        }

    def measure_alternative(self, counts: Floats) -> Scores:
        """Return the label metrics of the other decision rule for these row counts."""
        n_classes = self.probabilities.shape[1]
        return label_metrics(confusion_matrix(self.truth, self.alternative, n_classes, counts))

    def by_chance(self, seed: int) -> Floats:
        """Return calibration errors of a perfectly calibrated model with these probabilities."""
        return chance_ece(self.probabilities, seed)


def mean_intervals(
    repeats: Sequence[ScoredRows], measure: Measure, seed: int
) -> tuple[dict[str, Interval], dict[str, list[float]]]:
    """Score several sets of predictions for the same galaxies.

    Parameters
    ----------
    repeats : sequence of ScoredRows
        At least one set of predictions for the same n galaxies.
    measure : callable
        `ScoredRows.measure` or `ScoredRows.measure_alternative`.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    intervals : dict of str to Interval
        The mean of each score with its 95 % interval from resampling galaxies: the reverse
        percentile interval for `ece`, extended to zero where chance alone explains the
        value, and the percentile interval for the others.
    values : dict of str to list of float
        The scores of each set of predictions.
    """
    values, samples = resampled_scores(repeats, measure, seed)
    return intervals_of_means(repeats, values, samples, seed), values


def intervals_of_means(
    repeats: Sequence[ScoredRows],
    values: Mapping[str, Sequence[float]],
    samples: Scores,
    seed: int,
) -> dict[str, Interval]:
    """Return the intervals of `mean_intervals` from the results of `resampled_scores`."""
    intervals = {}
    for name in values:
        mean, drawn = float(np.mean(values[name])), samples[name].mean(axis=0)
        if name == "ece":
            chance = np.mean([np.quantile(rows.by_chance(seed), CHANCE_LEVEL) for rows in repeats])
            interval = reverse_percentile_interval(mean, drawn)
            intervals[name] = interval._replace(low=0.0) if mean <= chance else interval
        else:
            intervals[name] = percentile_interval(mean, drawn)
    return intervals


def resampled_scores(
    repeats: Sequence[ScoredRows], measure: Measure, seed: int
) -> tuple[dict[str, list[float]], Scores]:
    """Score several sets of predictions on the same resamples of galaxies.

    Parameters
    ----------
    repeats, measure, seed
        As for `mean_intervals`. The resamples depend only on n, the groups and the seed, so
        those of two pipelines on the same galaxies can be paired.

    Returns
    -------
    values : dict of str to list of float
        The scores of each set of predictions.
    samples : dict of str to ndarray, shape (repeats, 1000)
        The scores of each set of predictions on each resample.
    """
    n, groups = len(repeats[0].truth), repeats[0].groups
    runs = [bootstrap(partial(measure, rows), n, groups=groups, seed=seed) for rows in repeats]
    names = list(runs[0][0])
    return (
        {name: [run_values[name] for run_values, _ in runs] for name in names},
        {name: np.stack([run_samples[name] for _, run_samples in runs]) for name in names},
    )


def checked_rows(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    predicted: ArrayLike,
    alternative: ArrayLike,
    class_names: Sequence[str],
    groups: ArrayLike | None = None,
) -> tuple[ScoredRows, NDArray[np.bool_]]:
    """Check predictions and drop those of failed images.

    Parameters
    ----------
    y_true, probabilities, predicted, alternative, class_names, groups
        As for `galfeat.evaluate.evaluate_predictions`.

    Returns
    -------
    rows : ScoredRows
        The rows with probabilities, m of them.
    kept : ndarray of bool, shape (n,)
        Mask of these rows.

    Raises
    ------
    DataError
        If shapes disagree, a class index is out of range, probabilities do not sum to one,
        or no row has probabilities.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    truth = np.asarray(y_true)
    expected = (len(truth), len(class_names))
    if p.shape != expected:
        raise DataError(
            f"probabilities have shape {p.shape}; {expected[0]} galaxies in "
            f"{expected[1]} classes need {expected}"
        )
    kept = np.asarray(np.isfinite(p).all(axis=1))
    if not kept.any():
        raise DataError(
            f"none of the {len(truth)} images has a prediction, so there is nothing to score; "
            "see the errors of the individual images"
        )
    all_rows = ScoredRows(
        truth,
        np.asarray(predicted),
        np.asarray(alternative),
        p,
        None if groups is None else group_numbers(groups, len(truth)),
    )
    rows = all_rows.take(kept)
    for name in ("truth", "predicted", "alternative"):
        _check_classes(name, getattr(rows, name), len(class_names))
    worst = np.abs(rows.probabilities.sum(axis=1) - 1).max()
    if worst > _SUM_TOLERANCE or rows.probabilities.min() < 0:
        raise DataError(
            f"sums of class probabilities differ from one by up to {worst:.3g}, or some are "
            "negative; give calibrated probabilities that sum to one in each row"
        )
    return rows, kept


def _check_classes(name: str, codes: Integers, n_classes: int) -> None:
    if not np.issubdtype(codes.dtype, np.integer):
        raise DataError(f"{name} classes are {codes.dtype}; give integers")
    if codes.min() < 0 or codes.max() >= n_classes:
        raise DataError(
            f"{name} classes range from {codes.min()} to {codes.max()}; with {n_classes} "
            f"classes they must be 0 to {n_classes - 1}: leave out rows without a label"
        )
