"""Combine the probabilities of several members."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import log_softmax, logsumexp

from galfeat.ensemble.balance import Codes, Floats, Targets
from galfeat.ensemble.calibration import Calibrator, minimise
from galfeat.ensemble.calibration_choice import AnyCalibrator, fit_calibration
from galfeat.ensemble.isotonic import IsotonicCalibrator
from galfeat.ensemble.soft_labels import cross_entropy

# Standard deviations of the Gaussian priors on member weights (around 1 / members), on
# cross-class terms (around 0) and on the bias (around 0).
_SPREAD_WEIGHT = 0.5
_SPREAD_CROSS = 0.05
_SPREAD_BIAS = 0.5

# The methods with which members are calibrated before they are combined.
_MEMBERS_CALIBRATED_BY = {
    "none": (),
    "average": ("temperature", "vector", "isotonic", "auto"),
    "stack": ("vector",),
}


class Combination:
    """Map the members' log-probabilities to those of the ensemble.

    A single member is calibrated. Several members are averaged or stacked, and the result is
    calibrated. Before an average, each is calibrated by vector scaling: a mean of calibrated
    probabilities is underconfident, one of uncalibrated probabilities arbitrary. Before a stack,
    which weighs them itself, they are only shifted, except by the method "vector".

    Parameters
    ----------
    combine : {"none", "average", "stack"}
    shifts : sequence of ndarray, shape (k,)
        For each member, the log ratio of natural to training frequency of each class.
    calibration : {"none", "temperature", "vector", "isotonic", "auto"}
        The method of the last calibration; see `galfeat.ensemble.calibration_choice`. With
        "none", the members' probabilities are only shifted.

    Attributes
    ----------
    method : str
        The method in use: `calibration`, or the one that "auto" chose.
    losses : dict of str to float
        Cross-validated log loss of each method that "auto" chose from; otherwise empty.
    """

    def __init__(self, combine: str, shifts: Sequence[Floats], *, calibration: str) -> None:
        self.combine = combine
        self.shifts = shifts
        self.calibration = calibration
        self.method = calibration
        self.losses: dict[str, float] = {}
        self.member_calibrators: list[AnyCalibrator] = [Calibrator(shift) for shift in shifts]
        self.pool: Average | Stack | None = None
        if combine == "average":
            self.pool = Average()
        elif combine == "stack":
            self.pool = Stack(len(shifts), len(shifts[0]))
        self.pool_calibrator: AnyCalibrator = Calibrator(np.zeros_like(shifts[0]))

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
        if self.calibration == "none":
            return self
        if self.pool is None:
            single = log_probabilities[:, 0]
            self.member_calibrators = [self._last(self.shifts[0], single, y, fold_of_row)]
            return self
        pooled = np.empty((len(y), len(self.shifts[0])))
        for fold in np.unique(fold_of_row):
            inside = fold_of_row == fold
            other = Combination(self.combine, self.shifts, calibration=self.calibration)
            other._fit_pool(log_probabilities[~inside], y[~inside])
            pooled[inside] = other._pooled(log_probabilities[inside])
        self.pool_calibrator = self._last(np.zeros_like(self.shifts[0]), pooled, y, fold_of_row)
        return self

    def _last(
        self, shift: Floats, log_probabilities: Floats, y: Targets, fold_of_row: Codes
    ) -> AnyCalibrator:
        """Return the last calibration, fitted to log-probabilities of shape (n, k)."""
        calibrator, self.method, self.losses = fit_calibration(
            self.calibration, shift, log_probabilities, y, fold_of_row
        )
        return calibrator

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
            member and for a stack; for an average, the value a geometric mean would have. Without
            the curves of an isotonic calibration; see `isotonic_part`.
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

    def isotonic_part(self, log_probabilities: Floats) -> Floats | None:
        """Return what the curves of an isotonic calibration add to the log-probabilities.

        Parameters
        ----------
        log_probabilities : ndarray of float, shape (n, members, k)

        Returns
        -------
        ndarray of float, shape (n, k), or None
            None if the calibration is linear.
        """
        if self.pool is None:
            last, inputs = self.member_calibrators[0], log_probabilities[:, 0]
        else:
            last, inputs = self.pool_calibrator, self._pooled(log_probabilities)
        if not isinstance(last, IsotonicCalibrator):
            return None
        return last.apply(inputs) - last.linear.apply(inputs)

    def _fit_pool(self, log_probabilities: Floats, y: Targets) -> None:
        if self.calibration in _MEMBERS_CALIBRATED_BY[self.combine]:
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
