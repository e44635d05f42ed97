"""Reliability of the probabilities of each class, against all other classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.evaluate.intervals import (
    Interval,
    Scores,
    bootstrap,
    reverse_percentile_interval,
)
from galfeat.evaluate.metrics import Floats, Reliability
from galfeat.evaluate.scored_rows import CHANCE_LEVEL, ScoredRows

Bins = NDArray[np.intp]

CLASS_BINS = 10
_DRAWS = 200


@dataclass(frozen=True, eq=False)
class ClassReliability:
    """How often galaxies belong to a class, compared with the probability of that class.

    Attributes
    ----------
    galaxies : int
        Galaxies of the class.
    mean_probability : float
        Mean probability of the class over all scored galaxies.
    frequency : float
        Share of the scored galaxies that belong to the class.
    error : Interval
        Mean difference between probability and frequency over `CLASS_BINS` bins of equal
        width, weighted by their galaxies: the calibration error of the class (Kull et al. 2019,
        NeurIPS 32). The reverse percentile interval, extended to zero where fewer than 2.5 % of
        perfectly calibrated models would score as high.
    chance : float
        Expected error of a perfectly calibrated model.
    curve : Reliability
        Galaxies, mean probability and frequency in each bin, each of shape (bins,); means of
        empty bins are NaN.

    Examples
    --------
    >>> from galfeat.evaluate import evaluate_predictions
    >>> truth, predicted = [0, 0, 1, 1], [0, 0, 1, 1]
    >>> probabilities = [[0.8, 0.2], [0.7, 0.3], [0.4, 0.6], [0.1, 0.9]]
    >>> evaluation = evaluate_predictions(truth, probabilities, predicted, predicted, ["a", "b"])
    >>> of_class = evaluation.by_class["b"]
    >>> of_class.galaxies, of_class.mean_probability, of_class.frequency
    (2, 0.5, 0.5)
    """

    galaxies: int
    mean_probability: float
    frequency: float
    error: Interval
    chance: float
    curve: Reliability

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON; bins without galaxies are left out of the curve."""
        filled = self.curve.rows > 0
        return {
            "galaxies": self.galaxies,
            "mean_probability": self.mean_probability,
            "frequency": self.frequency,
            "calibration_error": self.error.to_json(),
            "chance": self.chance,
            "curve": {
                "galaxies": self.curve.rows[filled].astype(int).tolist(),
                "probability": self.curve.confidence[filled].tolist(),
                "frequency": self.curve.accuracy[filled].tolist(),
            },
        }


def class_reliability(
    rows: ScoredRows, class_names: Sequence[str], seed: int = 0
) -> dict[str, ClassReliability]:
    """Return the reliability of each class, by name.

    Parameters
    ----------
    rows : ScoredRows
    class_names : sequence of str, length k
    seed : int
        Seed of the bootstrap and of the draws of perfectly calibrated models.
    """
    probabilities, n = rows.probabilities, len(rows.truth)
    bins = _bins(probabilities)
    own = np.eye(len(class_names))[rows.truth]
    differences = [
        _by_bin(bins[:, k], probabilities[:, k] - own[:, k]) for k in range(own.shape[1])
    ]

    def measure(counts: Floats) -> Scores:
        return {
            str(k): np.abs(counts @ part).sum(axis=1) / counts.sum(axis=1)
            for k, part in enumerate(differences)
        }

    values, samples = bootstrap(measure, n, groups=rows.groups, seed=seed)
    chance = chance_errors(probabilities, seed)
    result = {}
    for k, name in enumerate(class_names):
        value = values[str(k)]
        error = reverse_percentile_interval(value, samples[str(k)])
        if value <= np.quantile(chance[:, k], CHANCE_LEVEL):
            error = error._replace(low=0.0)
        result[name] = ClassReliability(
            galaxies=int(own[:, k].sum()),
            mean_probability=float(probabilities[:, k].mean()),
            frequency=float(own[:, k].mean()),
            error=error,
            chance=float(chance[:, k].mean()),
            curve=_curve(bins[:, k], probabilities[:, k], own[:, k]),
        )
    return result


def chance_errors(probabilities: Floats, seed: int = 0, draws: int = _DRAWS) -> Floats:
    """Return errors of each class of a perfectly calibrated model, due to chance alone.

    Parameters
    ----------
    probabilities : ndarray, shape (n, k)
    seed, draws : int
        Seed and number of the sets of true classes that are drawn from the probabilities.

    Returns
    -------
    ndarray, shape (draws, k)
    """
    rng = np.random.default_rng(seed)
    (n, n_classes), bins = probabilities.shape, _bins(probabilities)
    cell = bins + CLASS_BINS * np.arange(n_classes)
    size = CLASS_BINS * n_classes
    predicted = np.bincount(cell.ravel(), probabilities.ravel(), size)
    cumulative = probabilities.cumsum(axis=1)[:, :-1]
    errors = np.empty((draws, n_classes))
    for draw in range(draws):
        truth = (rng.random((n, 1)) > cumulative).sum(axis=1)
        drawn = np.bincount(cell[np.arange(n), truth], minlength=size)
        errors[draw] = np.abs(predicted - drawn).reshape(n_classes, CLASS_BINS).sum(axis=1) / n
    return errors


def _bins(probabilities: Floats) -> Bins:
    return np.clip((probabilities * CLASS_BINS).astype(np.intp), 0, CLASS_BINS - 1)


def _by_bin(bins: Bins, values: Floats) -> Floats:
    """Return the values in a column for each bin, shape (n, bins)."""
    columns = np.zeros((len(values), CLASS_BINS))
    columns[np.arange(len(values)), bins] = values
    return columns


def _curve(bins: Bins, probabilities: Floats, own: Floats) -> Reliability:
    rows, predicted, belonging = (
        np.bincount(bins, values, CLASS_BINS).astype(np.float64)
        for values in (np.ones_like(own), probabilities, own)
    )
    with np.errstate(invalid="ignore"):
        return Reliability(rows, predicted / rows, belonging / rows)
