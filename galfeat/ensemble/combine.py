"""How the probabilities of several members become one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from galfeat.ensemble.calibration import minimise

COMBINATIONS = ("none", "average", "stack")

# Standard deviations of the Gaussian priors: of the weight of a member around 1 over their
# number, of what the score of one class adds to another's, and of the bias around 0.
_SPREAD_WEIGHT = 0.5
_SPREAD_CROSS = 0.05
_SPREAD_BIAS = 0.5

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


class Average:
    """The mean of the members' probabilities."""

    def fit(self, log_probabilities: Floats, y: Codes) -> Average:
        """Do nothing: a mean has nothing to learn."""
        return self

    def apply(self, log_probabilities: Floats) -> Floats:
        """Return the log of the mean probability, shape (n, k), from (n, members, k)."""
        members = log_probabilities.shape[1]
        result: Floats = logsumexp(log_probabilities, axis=1) - np.log(members)
        return result


class Stack:
    """Stacked generalisation: multinomial logistic regression on log-probabilities.

    The score of class c is ``sum_j w_j log p_jc + sum_jd D_jdc log p_jd + b_c``. Gaussian
    priors pull the weights toward equal ones and D and b toward zero, so that with few
    rows the learner is a weighted geometric mean of the members, and with many any
    multinomial logistic regression. The fit is convex.

    Attributes
    ----------
    weights : ndarray of float, shape (members,)
        w, none below 0.
    cross : ndarray of float, shape (members * k, k)
        D.
    bias : ndarray of float, shape (k,)
        b.

    References
    ----------
    Wolpert 1992, Neural Networks 5, 241; Ting & Witten 1999, JAIR 10, 271.
    """

    def fit(self, log_probabilities: Floats, y: Codes) -> Stack:
        """Fit on out-of-fold log-probabilities.

        Parameters
        ----------
        log_probabilities : ndarray of float, shape (n, members, k)
            Finite.
        y : ndarray of int, shape (n,)
            Class index of each row.
        """
        _, n_members, n_classes = log_probabilities.shape
        rows = np.arange(len(y))
        flat = _centred(log_probabilities)
        cross_size = flat.shape[1] * n_classes

        def objective(theta: Floats) -> tuple[float, Floats]:
            weights, cross, bias = np.split(theta, [n_members, n_members + cross_size])
            log_p = _log_pool(log_probabilities, flat, weights, cross, bias)
            residual = np.exp(log_p)
            residual[rows, y] -= 1.0
            excess = weights - 1 / n_members
            loss = -log_p[rows, y].sum() + 0.5 * (
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

        start = np.zeros(n_members + cross_size + n_classes)
        start[:n_members] = 1 / n_members
        theta = minimise(objective, start, lower_first=n_members)
        self.weights, cross, self.bias = np.split(theta, [n_members, n_members + cross_size])
        self.cross = cross.reshape(-1, n_classes)
        return self

    def apply(self, log_probabilities: Floats) -> Floats:
        """Return log-probabilities, shape (n, k), from (n, members, k)."""
        flat = _centred(log_probabilities)
        return _log_pool(log_probabilities, flat, self.weights, self.cross, self.bias)


def _centred(log_probabilities: Floats) -> Floats:
    """Take each member's mean over the classes away and lay the members side by side."""
    centred = log_probabilities - log_probabilities.mean(axis=2, keepdims=True)
    side_by_side: Floats = centred.reshape(len(centred), -1)
    return side_by_side


def _log_pool(
    log_probabilities: Floats, flat: Floats, weights: Floats, cross: Floats, bias: Floats
) -> Floats:
    scores = np.einsum("ijk,j->ik", log_probabilities, weights)
    result: Floats = log_softmax(scores + flat @ cross.reshape(-1, len(bias)) + bias, axis=1)
    return result
