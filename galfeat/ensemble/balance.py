"""Fit a member on training rows whose classes are balanced; rows that are scored never are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galfeat.ensemble.members import Estimator, Member

METHODS = ("none", "class-weight", "over", "under", "smote", "bagging")

# Below this a probability is no longer evidence; it keeps logarithms finite.
_FLOOR = 1e-7

Table = NDArray[np.float32]
Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class FittedMember:
    """A member fitted on some rows, with a column for every class of the whole data.

    Attributes
    ----------
    estimator : object
        What was fitted; None where the rows held one class only.
    seen : ndarray of int
        The classes the rows held, in the order of the estimator's columns.
    n_classes : int
        Number of classes of the whole data.
    """

    estimator: Estimator
    seen: Codes
    n_classes: int

    def log_probabilities(self, X: Table) -> Floats:
        """Return finite log-probabilities, shape (n, k); a class never seen gets the floor."""
        probabilities = np.zeros((len(X), self.n_classes))
        if self.estimator is None:
            probabilities[:, self.seen] = 1.0
        else:
            probabilities[:, self.seen] = self.estimator.predict_proba(X)
        floored = np.maximum(probabilities, _FLOOR)
        result: Floats = np.log(floored / floored.sum(axis=1, keepdims=True))
        return result


def fit_member(
    member: Member,
    X: Table,
    y: Codes,
    *,
    balance: str,
    n_classes: int,
    n_jobs: int,
    random_state: int,
) -> FittedMember:
    """Balance the rows and fit a member on them.

    Parameters
    ----------
    member : Member
    X : ndarray of float32, shape (n, d)
        NaN where a feature is missing.
    y : ndarray of int, shape (n,)
        Class index, 0 to ``n_classes - 1``; some may be absent.
    balance : str
        One of `METHODS`.
    n_classes, n_jobs, random_state : int
    """
    seen, codes = np.unique(y, return_inverse=True)
    if len(seen) == 1:
        return FittedMember(None, seen, n_classes)
    estimator = member.build(n_jobs=n_jobs, random_state=random_state)
    estimator.fit(X, codes)
    return FittedMember(estimator, seen, n_classes)
