"""Calibrate class probabilities to the natural class frequencies, linearly in their logarithms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from galfeat.ensemble.balance import Floats, Targets
from galfeat.ensemble.soft_labels import class_totals, cross_entropy

# Classes with fewer out-of-fold rows share one temperature.
OWN_TEMPERATURE_ROWS = 100

# Standard deviations of the Gaussian priors on the shared inverse temperature (around 1), on a
# class's deviation from it (relative), and on the bias (around the prior shift).
_SPREAD_SHARED = 2.0
_SPREAD_OWN = 0.1
_SPREAD_BIAS = 0.5


class Calibrator:
    """Temperature and bias per class: ``log_softmax(log p / T + b)``.

    `fit` is vector scaling [1]_, a convex maximum a posteriori fit with Gaussian priors that
    shrink it to temperature scaling, so that classes with few rows follow the others.
    `fit_temperature` fits one temperature for all classes.

    Before either, and without out-of-fold predictions, T is 1 and b is the analytic shift from
    the class frequencies of the (balanced) training rows to the natural ones [2]_.

    Parameters
    ----------
    shift : ndarray of float, shape (k,)
        Log ratio of natural to training frequency of each class; zeros without balancing.

    Attributes
    ----------
    slopes : ndarray of float, shape (k,)
        1/T of each class.
    bias : ndarray of float, shape (k,)
        b of each class.

    References
    ----------
    .. [1] Guo, Pleiss, Sun & Weinberger 2017, ICML, PMLR 70, 1321.
    .. [2] Saerens, Latinne & Decaestecker 2002, Neural Computation 14, 21.
    """

    def __init__(self, shift: Floats) -> None:
        self.shift = np.asarray(shift, dtype=np.float64)
        self.slopes: Floats = np.ones_like(self.shift)
        self.bias: Floats = self.shift.copy()

    def fit(self, log_probabilities: Floats, y: Targets) -> Calibrator:
        """Fit to out-of-fold predictions for rows that were not resampled.

        Parameters
        ----------
        log_probabilities : ndarray of float, shape (n, k)
            Finite.
        y : ndarray
            Class index of each row, shape (n,), or fraction of each class, shape (n, k).
        """
        n_classes = len(self.shift)
        own = class_totals(y, n_classes) >= OWN_TEMPERATURE_ROWS
        shared = self._fit_slopes(log_probabilities, y, np.zeros(n_classes, dtype=bool))
        self._fit_slopes(log_probabilities * shared, y, own)
        self.slopes = self.slopes * shared
        return self

    def fit_temperature(self, log_probabilities: Floats, y: Targets) -> Calibrator:
        """Fit one temperature for all classes; the bias remains the shift.

        Parameters
        ----------
        log_probabilities, y
            As for `fit`.
        """

        def objective(theta: Floats) -> tuple[float, Floats]:
            log_p = log_softmax(log_probabilities * theta[0] + self.shift, axis=1)
            entropy, residual = cross_entropy(log_p, y)
            excess = theta - 1.0
            gradient = (residual * log_probabilities).sum() + excess / _SPREAD_SHARED**2
            return float(entropy + 0.5 * (excess[0] / _SPREAD_SHARED) ** 2), gradient

        (slope,) = minimise(objective, np.ones(1), lower_first=1)
        self.slopes = np.full_like(self.shift, slope)
        self.bias = self.shift.copy()
        return self

    def _fit_slopes(self, inputs: Floats, y: Targets, own: NDArray[np.bool_]) -> float:
        """Fit one shared slope, the deviations of some classes from it, and all biases."""
        n_classes = inputs.shape[1]
        spread = _SPREAD_OWN if own.any() else _SPREAD_SHARED

        def objective(theta: Floats) -> tuple[float, Floats]:
            slope, deviation, offset = theta[0], theta[1 : n_classes + 1] * own, theta[-n_classes:]
            log_p = log_softmax(inputs * (slope + deviation) + self.shift + offset, axis=1)
            entropy, residual = cross_entropy(log_p, y)
            pull = (residual * inputs).sum(axis=0)
            loss = entropy + 0.5 * (
                ((slope - 1) / spread) ** 2
                + ((deviation / _SPREAD_OWN) ** 2).sum()
                + ((offset / _SPREAD_BIAS) ** 2).sum()
            )
            gradient = np.concatenate(
                [
                    [pull.sum() + (slope - 1) / spread**2],
                    (pull + deviation / _SPREAD_OWN**2) * own,
                    residual.sum(axis=0) + offset / _SPREAD_BIAS**2,
                ]
            )
            return float(loss), gradient

        start = np.zeros(1 + 2 * n_classes)
        start[0] = 1.0
        theta = minimise(objective, start, lower_first=1)
        self.slopes = np.maximum(theta[0] + theta[1 : n_classes + 1] * own, 0.0)
        self.bias = self.shift + theta[-n_classes:]
        return float(theta[0])

    def apply(self, log_probabilities: Floats) -> Floats:
        """Return calibrated log-probabilities, shape (n, k)."""
        result: Floats = log_softmax(log_probabilities * self.slopes + self.bias, axis=1)
        return result


def minimise(
    objective: Callable[[Floats], tuple[float, Floats]], start: Floats, *, lower_first: int
) -> Floats:
    """Minimise a convex function with gradient; keep the first `lower_first` parameters >= 0."""
    bounds = [(0.0, None)] * lower_first + [(None, None)] * (len(start) - lower_first)
    result = minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-6},
    )
    theta: Floats = result.x
    return theta
