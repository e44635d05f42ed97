"""Combine the probabilities of several members."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import log_softmax, logsumexp

from galfeat.ensemble.balance import Codes, Floats, Targets
from galfeat.ensemble.calibration import Calibrator, minimise
from galfeat.ensemble.soft_labels import cross_entropy

# Standard deviations of the Gaussian priors on member weights (around 1 / members), on
# cross-class terms (around 0) and on the bias (around 0).
_SPREAD_WEIGHT = 0.5
_SPREAD_CROSS = 0.05
_SPREAD_BIAS = 0.5


class Combination:
    """Map the members' log-probabilities to those of the ensemble.

    A single member is calibrated. Several members are calibrated separately, averaged or
    stacked, and calibrated again: a mean of calibrated probabilities is underconfident.

    Parameters
    ----------
    combine : {"none", "average", "stack"}
    shifts : sequence of ndarray, shape (k,)
        For each member, the log ratio of natural to training frequency of each class.
    calibrate : bool
        If False, the members' probabilities are only shifted.
    """

    def __init__(self, combine: str, shifts: Sequence[Floats], *, calibrate: bool) -> None:
        self.combine = combine
        self.shifts = shifts
        self.calibrate = calibrate
        self.member_calibrators = [Calibrator(shift) for shift in shifts]
        self.pool: Average | Stack | None = None
        if combine == "average":
            self.pool = Average()
        elif combine == "stack":
            self.pool = Stack(len(shifts), len(shifts[0]))
        self.pool_calibrator = Calibrator(np.zeros_like(shifts[0]))

    def fit(self, log_probabilities: Floats, y: Targets, fold_of_row: Codes) -> Combination:
        """Fit to out-of-fold log-probabilities.

        The final calibration is fitted to predictions of combinations fitted on the other folds.

        Parameters
        ----------
        log_probabilities : ndarray of float, shape (n, members, k)
            Predicted for rows neither resampled nor used to fit the member.
        y : ndarray
            Class index of each row, shape (n,), or fraction of each class, shape (n, k).
        fold_of_row : ndarray of int, shape (n,)
            Inner fold of each row.
        """
        self._fit_pool(log_probabilities, y)
        if self.calibrate and self.pool is not None:
            pooled = np.empty((len(y), len(self.shifts[0])))
            for fold in np.unique(fold_of_row):
                inside = fold_of_row == fold
                other = Combination(self.combine, self.shifts, calibrate=True)
                other._fit_pool(log_probabilities[~inside], y[~inside])
                pooled[inside] = other._pooled(log_probabilities[inside])
            self.pool_calibrator.fit(pooled, y)
        return self

    def apply(self, log_probabilities: Floats) -> Floats:
        """Return log-probabilities under the natural priors, shape (n, k)."""
        return self.pool_calibrator.apply(self._pooled(log_probabilities))

    def weights(self) -> Floats:
        """Return how much each member's log-probabilities contribute to the ensemble's.

        Returns
        -------
        ndarray of float, shape (members, k, k)
            Contribution of a member's log-probability of one class (second axis) to the
            ensemble's unnormalised log-probability of another (third axis). Exact for one
            member and for a stack; for an average, the value a geometric mean would have.
        """
        n_members, n_classes = len(self.member_calibrators), len(self.pool_calibrator.slopes)
        identity = np.eye(n_classes)
        if isinstance(self.pool, Stack):
            cross = self.pool.cross.reshape(n_members, n_classes, n_classes)
            pooled = self.pool.weights[:, None, None] * identity
            pooled = pooled + cross - cross.mean(axis=1)[:, None]
        else:
            pooled = np.tile(identity / n_members, (n_members, 1, 1))
        slopes = np.stack([calibrator.slopes for calibrator in self.member_calibrators])
        result: Floats = slopes[:, :, None] * pooled * self.pool_calibrator.slopes
        return result

    def _fit_pool(self, log_probabilities: Floats, y: Targets) -> None:
        if self.calibrate:
            for member, calibrator in enumerate(self.member_calibrators):
                calibrator.fit(log_probabilities[:, member], y)
        if isinstance(self.pool, Stack):
            self.pool.fit(self._calibrated(log_probabilities), y)

    def _calibrated(self, log_probabilities: Floats) -> Floats:
        calibrated = [
            calibrator.apply(log_probabilities[:, member])
            for member, calibrator in enumerate(self.member_calibrators)
        ]
        return np.stack(calibrated, axis=1)

    def _pooled(self, log_probabilities: Floats) -> Floats:
        calibrated = self._calibrated(log_probabilities)
        if self.pool is None:
            single: Floats = calibrated[:, 0]
            return single
        return self.pool.apply(calibrated)


class Average:
    """The mean of the members' probabilities."""

    def apply(self, log_probabilities: Floats) -> Floats:
        """Return the log of the mean probability, shape (n, k), from (n, members, k)."""
        members = log_probabilities.shape[1]
        result: Floats = logsumexp(log_probabilities, axis=1) - np.log(members)
        return result


class Stack:
    """Stacked generalisation: multinomial logistic regression on log-probabilities.

    The score of class c is ``sum_j w_j log p_jc + sum_jd D_jdc log p_jd + b_c``. Gaussian
    priors shrink the weights towards equality and D and b towards zero. With few rows the
    result is close to a weighted geometric mean of the members; with many it approaches an
    unrestricted multinomial logistic regression. The fit is convex.

    Attributes
    ----------
    weights : ndarray of float, shape (members,)
        w, non-negative; equal before `fit`.
    cross : ndarray of float, shape (members * k, k)
        D.
    bias : ndarray of float, shape (k,)
        b.

    References
    ----------
    Wolpert 1992, Neural Networks 5, 241; Ting & Witten 1999, JAIR 10, 271.
    """

    def __init__(self, n_members: int, n_classes: int) -> None:
        self.weights: Floats = np.full(n_members, 1 / n_members)
        self.cross: Floats = np.zeros((n_members * n_classes, n_classes))
        self.bias: Floats = np.zeros(n_classes)

    def fit(self, log_probabilities: Floats, y: Targets) -> Stack:
        """Fit to out-of-fold log-probabilities.

        Parameters
        ----------
        log_probabilities : ndarray of float, shape (n, members, k)
            Finite.
        y : ndarray
            Class index of each row, shape (n,), or fraction of each class, shape (n, k).
        """
        _, n_members, n_classes = log_probabilities.shape
        flat = _centred(log_probabilities)
        cross_size = flat.shape[1] * n_classes

        def objective(theta: Floats) -> tuple[float, Floats]:
            weights, cross, bias = np.split(theta, [n_members, n_members + cross_size])
            log_p = _log_pool(log_probabilities, flat, weights, cross, bias)
            entropy, residual = cross_entropy(log_p, y)
            excess = weights - 1 / n_members
            loss = entropy + 0.5 * (
                ((excess / _SPREAD_WEIGHT) ** 2).sum()
                + ((cross / _SPREAD_CROSS) ** 2).sum()
                + ((bias / _SPREAD_BIAS) ** 2).sum()
            )
            gradient = np.concatenate(
                [
                    (residual[:, None, :] * log_probabilities).sum(axis=(0, 2))
                    + excess / _SPREAD_WEIGHT**2,
                    (flat.T @ residual).ravel() + cross / _SPREAD_CROSS**2,
                    residual.sum(axis=0) + bias / _SPREAD_BIAS**2,
                ]
            )
            return float(loss), gradient

        start = np.concatenate([self.weights, self.cross.ravel(), self.bias])
        theta = minimise(objective, start, lower_first=n_members)
        self.weights, cross, self.bias = np.split(theta, [n_members, n_members + cross_size])
        self.cross = cross.reshape(-1, n_classes)
        return self

    def apply(self, log_probabilities: Floats) -> Floats:
        """Return log-probabilities, shape (n, k), from (n, members, k)."""
        flat = _centred(log_probabilities)
        return _log_pool(log_probabilities, flat, self.weights, self.cross, self.bias)


def _centred(log_probabilities: Floats) -> Floats:
    """Subtract each member's mean over classes; concatenate members to shape (n, members * k)."""
    centred = log_probabilities - log_probabilities.mean(axis=2, keepdims=True)
    side_by_side: Floats = centred.reshape(len(centred), -1)
    return side_by_side


def _log_pool(
    log_probabilities: Floats, flat: Floats, weights: Floats, cross: Floats, bias: Floats
) -> Floats:
    scores = np.einsum("ijk,j->ik", log_probabilities, weights)
    result: Floats = log_softmax(scores + flat @ cross.reshape(-1, len(bias)) + bias, axis=1)
    return result
