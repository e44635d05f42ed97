"""Fit a calibration by a method, or by the one chosen by cross-validation."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np

from galfeat.ensemble.balance import Codes, Floats, Targets
from galfeat.ensemble.calibration import Calibrator
from galfeat.ensemble.isotonic import IsotonicCalibrator

AnyCalibrator: TypeAlias = Calibrator | IsotonicCalibrator

#: The methods, the one with the fewest parameters first.
METHODS = ("temperature", "vector", "isotonic")

# A simpler method may lose to the best by this number of standard errors of the difference.
_TOLERANCE = 1.0


class FittedCalibration(NamedTuple):
    """A fitted calibration.

    Attributes
    ----------
    calibrator : Calibrator or IsotonicCalibrator
    method : {"temperature", "vector", "isotonic"}
    losses : dict of str to float
        Cross-validated log loss of each method; empty if the method was given.
    """

    calibrator: AnyCalibrator
    method: str
    losses: dict[str, float]


def fit_calibration(
    method: str, shift: Floats, log_probabilities: Floats, y: Targets, fold_of_row: Codes
) -> FittedCalibration:
    """Fit a calibration to out-of-fold predictions for rows that were not resampled.

    Parameters
    ----------
    method : {"temperature", "vector", "isotonic", "auto"}
        "auto" takes the simplest method whose cross-validated log loss exceeds the lowest by at
        most one standard error of the difference (Breiman et al. 1984, *Classification and
        Regression Trees*, section 3.4.3).
    shift : ndarray of float, shape (k,)
        As for `Calibrator`.
    log_probabilities : ndarray of float, shape (n, k)
        Finite.
    y : ndarray
        Class index of each row, shape (n,), or fraction of each class, shape (n, k).
    fold_of_row : ndarray of int, shape (n,)
        Folds of the cross-validation: those in which the rows were predicted, which keep groups
        together.
    """
    losses: dict[str, float] = {}
    if method == "auto":
        rows = {name: _losses(name, shift, log_probabilities, y, fold_of_row) for name in METHODS}
        losses = {name: float(values.mean()) for name, values in rows.items()}
        best = rows[min(METHODS, key=lambda name: losses[name])]
        method = next(name for name in METHODS if _is_tolerable(rows[name] - best))
    return FittedCalibration(_fitted(method, shift, log_probabilities, y), method, losses)


def _fitted(method: str, shift: Floats, log_probabilities: Floats, y: Targets) -> AnyCalibrator:
    if method == "isotonic":
        return IsotonicCalibrator(shift).fit(log_probabilities, y)
    calibrator = Calibrator(shift)
    if method == "temperature":
        return calibrator.fit_temperature(log_probabilities, y)
    return calibrator.fit(log_probabilities, y)


def _losses(
    method: str, shift: Floats, log_probabilities: Floats, y: Targets, fold_of_row: Codes
) -> Floats:
    """Return the cross-entropy of each row, calibrated without the rows of its fold."""
    targets = y if y.ndim == 2 else np.eye(len(shift))[y]
    losses = np.empty(len(y))
    for fold in np.unique(fold_of_row):
        inside = fold_of_row == fold
        calibrator = _fitted(method, shift, log_probabilities[~inside], y[~inside])
        log_p = calibrator.apply(log_probabilities[inside])
        losses[inside] = -(targets[inside] * log_p).sum(axis=1)
    return losses


def _is_tolerable(excess: Floats) -> bool:
    """Return whether the mean of paired differences is within `_TOLERANCE`."""
    return bool(excess.mean() <= _TOLERANCE * excess.std() / np.sqrt(len(excess)))
