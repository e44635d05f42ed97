"""Calibrate class probabilities by a monotone curve for each class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, logit

from galfeat.ensemble.balance import Codes, Floats, Targets
from galfeat.ensemble.calibration import Calibrator
from galfeat.ensemble.soft_labels import class_totals

#: Classes with fewer out-of-fold rows, or fewer rows of other classes, share a curve.
OWN_CURVE_ROWS = 100

# Standard deviation of the Gaussian prior on the log-odds added at a point of a curve.
_SPREAD_CURVE = 0.5
# Probabilities outside 1e-7 to 1 - 1e-7 carry no evidence; the limit keeps log-odds finite.
_LIMIT = float(logit(1 - 1e-7))


class IsotonicCalibrator:
    """Vector scaling, followed by a monotone curve for each class and normalisation.

    The curve of a class maps its probability after `Calibrator.fit` to the share of rows that
    belong to the class. It is centred isotonic regression [1]_ [2]_: rows are pooled to blocks
    of increasing share (adjacent violators), each block is a point at its mean probability, and
    the log-odds are interpolated linearly. Beyond the outermost points their correction is
    constant, so the curve never reaches 0 or 1. Each block is shrunk towards the identity by a
    Gaussian prior on the log-odds, so that a few rows do not bend it.

    Thin classes, those with fewer than `OWN_CURVE_ROWS` rows, share one curve, fitted to all of
    them; if together they are as few, it is fitted to all classes.

    Before `fit`, it equals an unfitted `Calibrator`.

    Parameters
    ----------
    shift : ndarray of float, shape (k,)
        As for `Calibrator`.

    Attributes
    ----------
    linear : Calibrator
        The vector scaling.
    curves : list of ndarray of float, shape (2, m)
        Log-odds before (first row, ascending) and after (non-descending) at the m points of each
        curve.
    curve_of_class : ndarray of int, shape (k,)
        Index of each class's curve; -1 before `fit`.

    References
    ----------
    .. [1] Zadrozny & Elkan 2002, KDD, 694.
    .. [2] Oron & Flournoy 2017, Statistics in Biopharmaceutical Research 9, 258.
    """

    def __init__(self, shift: Floats) -> None:
        self.linear = Calibrator(shift)
        self.curves: list[Floats] = []
        self.curve_of_class: Codes = np.full(len(self.linear.shift), -1)

    @property
    def slopes(self) -> Floats:
        """1/T of each class in the vector scaling, shape (k,)."""
        return self.linear.slopes

    def fit(self, log_probabilities: Floats, y: Targets) -> IsotonicCalibrator:
        """Fit to out-of-fold predictions for rows that were not resampled.

        Parameters
        ----------
        log_probabilities : ndarray of float, shape (n, k)
            Finite.
        y : ndarray
            Class index of each row, shape (n,), or fraction of each class, shape (n, k).
        """
        n_classes = len(self.linear.shift)
        scaled = self.linear.fit(log_probabilities, y).apply(log_probabilities)
        odds = _log_odds(scaled)
        fractions = y if y.ndim == 2 else np.eye(n_classes)[y]
        self.curves = []
        for code, classes in enumerate(_classes_of_curves(class_totals(y, n_classes), len(y))):
            own, fitted_to = classes
            self.curves.append(_curve(odds[:, fitted_to].ravel(), fractions[:, fitted_to].ravel()))
            self.curve_of_class[own] = code
        return self

    def apply(self, log_probabilities: Floats) -> Floats:
        """Return calibrated log-probabilities, shape (n, k)."""
        scaled = self.linear.apply(log_probabilities)
        if not self.curves:
            return scaled
        odds = _log_odds(scaled)
        for code, curve in enumerate(self.curve_of_class.tolist()):
            before, after = self.curves[curve]
            odds[:, code] += np.interp(odds[:, code], before, after - before)
        result: Floats = log_softmax(log_expit(odds), axis=1)
        return result


def _classes_of_curves(totals: Floats, n: int) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return masks of the classes that use a curve and of those it is fitted to, for each curve."""
    large = np.minimum(totals, n - totals) >= OWN_CURVE_ROWS
    alone = [np.arange(len(totals)) == code for code in np.flatnonzero(large)]
    curves = [(mask, mask) for mask in alone]
    if not large.all():
        enough = totals[~large].sum() >= OWN_CURVE_ROWS
        curves.append((~large, ~large if enough else np.ones_like(large)))
    return curves


def _curve(odds: Floats, fractions: Floats) -> Floats:
    """Return the points of centred isotonic regression, log-odds before and after, (2, m)."""
    from sklearn.isotonic import isotonic_regression

    values, tied = np.unique(odds, return_inverse=True)
    rows, positive = np.bincount(tied), np.bincount(tied, fractions)
    shares = isotonic_regression(positive / rows, sample_weight=rows)
    block = np.unique(shares, return_inverse=True)[1]
    rows, positive, summed = (
        np.bincount(block, part) for part in (rows, positive, rows * expit(values))
    )
    mean = summed / rows
    # Rows that carry as much information on the log-odds as the prior.
    prior_rows = 1.0 / (_SPREAD_CURVE**2 * mean * (1.0 - mean))
    weight = rows + prior_rows
    after = isotonic_regression((positive + prior_rows * mean) / weight, sample_weight=weight)
    return np.stack([logit(mean), logit(after)])


def _log_odds(log_probabilities: Floats) -> Floats:
    """Return log(p / (1 - p)) within `_LIMIT`."""
    others = np.maximum(-np.expm1(log_probabilities), np.finfo(np.float64).tiny)
    result: Floats = np.clip(log_probabilities - np.log(others), -_LIMIT, _LIMIT)
    return result
