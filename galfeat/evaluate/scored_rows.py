"""Rows that are scored together: the truth, the answers, and their scores with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import DataError
from galfeat.evaluate.intervals import (
    Interval,
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

_SUM_TOLERANCE = 1e-3
_CHANCE_LEVEL = 0.975


@dataclass(frozen=True)
class ScoredRows:
    """Truth and answers of n galaxies in k classes.

    Attributes
    ----------
    truth, predicted, alternative : ndarray of int, shape (n,)
        True class, class named by the decision in force and by the other one.
    probabilities : ndarray, shape (n, k)
        Class probabilities.
    groups : ndarray, shape (n,), or None
        Galaxies of one group are resampled together.
    """

    truth: Integers
    predicted: Integers
    alternative: Integers
    probabilities: Floats
    groups: NDArray[Any] | None = None

    def take(self, kept: NDArray[np.bool_]) -> ScoredRows:
        """Return the rows where `kept`, shape (n,), is true."""
        return ScoredRows(
            self.truth[kept],
            self.predicted[kept],
            self.alternative[kept],
            self.probabilities[kept],
            None if self.groups is None else self.groups[kept],
        )

    def measure(self, counts: Floats) -> dict[str, Floats]:
        """All five scores, each of shape (...), with rows counted `counts` times, (..., n)."""
        return self.measure_labels(self.predicted, counts) | {
            "log_loss": log_loss(self.truth, self.probabilities, counts),
            "ece": expected_calibration_error(self.truth, self.probabilities, counts),
        }

    def measure_labels(self, named: Integers, counts: Floats) -> dict[str, Floats]:
        """Label metrics of the classes `named`, with rows counted `counts` times."""
        n_classes = self.probabilities.shape[1]
        return label_metrics(confusion_matrix(self.truth, named, n_classes, counts))

    def scores(self, seed: int) -> dict[str, Interval]:
        """All five scores of the decision in force, each with its interval."""
        values, samples = bootstrap(self.measure, len(self.truth), groups=self.groups, seed=seed)
        return intervals_of(
            values, samples, float(np.quantile(self.by_chance(seed), _CHANCE_LEVEL))
        )

    def alternative_scores(self, seed: int) -> dict[str, Interval]:
        """Label metrics of the other decision, each with its interval."""
        values, samples = bootstrap(
            lambda counts: self.measure_labels(self.alternative, counts),
            len(self.truth),
            groups=self.groups,
            seed=seed,
        )
        return {name: percentile_interval(value, samples[name]) for name, value in values.items()}

    def by_chance(self, seed: int) -> Floats:
        """Calibration errors of a perfectly calibrated model with these probabilities."""
        return chance_ece(self.probabilities, seed)


def intervals_of(
    values: dict[str, float], samples: dict[str, Floats], chance_level: float
) -> dict[str, Interval]:
    """Give each score the interval that suits it.

    Parameters
    ----------
    values : dict of str to float
        The scores.
    samples : dict of str to ndarray, shape (b,)
        Their bootstrap distributions.
    chance_level : float
        A calibration error up to this is explained by chance alone; the interval of
        `ece` then reaches down to zero.

    Returns
    -------
    dict of str to Interval
        The reverse percentile interval for `ece`, the percentile interval for the others.
    """
    result = {name: percentile_interval(value, samples[name]) for name, value in values.items()}
    ece = reverse_percentile_interval(values["ece"], samples["ece"])
    return result | {"ece": ece._replace(low=0.0) if ece.value <= chance_level else ece}


def checked_rows(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    predicted: ArrayLike,
    alternative: ArrayLike,
    class_names: Sequence[str],
    groups: ArrayLike | None = None,
) -> tuple[ScoredRows, NDArray[np.bool_]]:
    """Check the answers and leave out those of failed images.

    Parameters
    ----------
    y_true, probabilities, predicted, alternative, class_names, groups
        As in `galfeat.evaluate.evaluation.evaluate_predictions`.

    Returns
    -------
    rows : ScoredRows
        The rows with probabilities, m of them.
    kept : ndarray of bool, shape (n,)
        Which rows these are.

    Raises
    ------
    DataError
        If the shapes do not fit, a class number is none of the classes, probabilities
        do not sum to one, or no row has any.
    """
    chances = np.asarray(probabilities, dtype=np.float64)
    truth = np.asarray(y_true)
    expected = (len(truth), len(class_names))
    if chances.shape != expected:
        raise DataError(
            f"probabilities have the shape {chances.shape}; {expected[0]} galaxies in "
            f"{expected[1]} classes need {expected}"
        )
    kept = np.asarray(np.isfinite(chances).all(axis=1))
    if not kept.any():
        raise DataError(
            f"none of the {len(truth)} images gave a prediction, so there is nothing to score; "
            "see the errors of the single images"
        )
    every = ScoredRows(
        truth,
        np.asarray(predicted),
        np.asarray(alternative),
        chances,
        None if groups is None else np.asarray(groups),
    )
    rows = every.take(kept)
    for what in ("truth", "predicted", "alternative"):
        _check_classes(what, getattr(rows, what), len(class_names))
    worst = np.abs(rows.probabilities.sum(axis=1) - 1).max()
    if worst > _SUM_TOLERANCE or rows.probabilities.min() < 0:
        raise DataError(
            f"class probabilities miss a sum of one by up to {worst:.3g}, or are negative; "
            "give calibrated probabilities that sum to one in each row"
        )
    return rows, kept


def _check_classes(what: str, numbers: Integers, n_classes: int) -> None:
    if not np.issubdtype(numbers.dtype, np.integer):
        raise DataError(f"{what} classes are {numbers.dtype}; give whole numbers")
    if numbers.min() < 0 or numbers.max() >= n_classes:
        raise DataError(
            f"{what} classes run from {numbers.min()} to {numbers.max()}; with {n_classes} "
            f"classes they must lie in 0 to {n_classes - 1}: leave out rows without a label"
        )
