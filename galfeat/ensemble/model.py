"""The ensemble: a scikit-learn classifier from tables of features to calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from galfeat.ensemble.balance import Codes, FittedMember, Floats, Table, fit_member
from galfeat.ensemble.calibration import Calibrator
from galfeat.ensemble.decision import decide
from galfeat.ensemble.folds import deal_folds
from galfeat.ensemble.members import Member
from galfeat.errors import DataError


class UnusableRowsError(DataError, ValueError):
    """Training rows an ensemble cannot learn from; a ValueError, as scikit-learn expects."""


class Ensemble(ClassifierMixin, BaseEstimator):
    """Fit one or more classifiers, combine them and calibrate what they say.

    Everything that is learned from the members' predictions (how to combine them, how
    to calibrate them) is learned from predictions for rows that the member was not fitted
    on, made in stratified inner folds that keep groups together. Classes are balanced in
    the rows a member is fitted on, never in the rows it predicts. One such pass serves
    stacking and calibration both; the calibration of a combination that was itself fitted
    uses predictions of combinations fitted without the row's fold.

    Parameters
    ----------
    members : sequence of Member
        The classifiers.
    combine : {"none", "average", "stack"}
        "none" takes a single member. "average" is the mean of the members' probabilities,
        each calibrated first. "stack" is a multinomial logistic regression on their
        logarithms; see `galfeat.ensemble.combine.Stack`.
    balance : {"none", "class-weight", "over", "under", "smote", "bagging"}
        What is done about unequal classes; see `galfeat.ensemble.balance`.
    calibration : {"none", "temperature"}
        "temperature" fits a `galfeat.ensemble.calibration.Calibrator`. "none" does no more
        than shift the probabilities from the balanced to the natural class frequencies.
    decision : {"balanced", "probable"}
        Which class `predict` names; see `galfeat.ensemble.decide`.
    folds : int
        Inner folds, at least 2. A class with fewer rows (or groups) than folds is held out
        in as many folds as it has rows.
    n_jobs : int
        Threads. The result does not depend on it.
    random_state : int, RandomState or None
        Seed of the folds, the resampling and the members.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
        Class labels, sorted.
    priors_ : ndarray of float, shape (k,)
        Frequency of each class in the rows given to `fit`: the natural priors.
    members_ : list of FittedMember
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if `fit` was given a table with column names.
    """

    def __init__(
        self,
        members: Sequence[Member] = (Member("lightgbm"),),
        combine: str = "none",
        balance: str = "none",
        calibration: str = "temperature",
        decision: str = "balanced",
        folds: int = 5,
        n_jobs: int = 1,
        random_state: Any = 0,  # noqa: ANN401
    ) -> None:
        self.members = members
        self.combine = combine
        self.balance = balance
        self.calibration = calibration
        self.decision = decision
        self.folds = folds
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Ensemble:
        """Fit members, combination and calibration.

        Parameters
        ----------
        X : array_like of float, shape (n, d)
            Features; NaN where one is missing. Held as float32.
        y : array_like, shape (n,)
            Class labels of any kind.
        groups : array_like, shape (n,), optional
            Rows with the same value are never on both sides of an inner split; an empty
            text means a row on its own.

        Raises
        ------
        DataError
            If there is one class only, or a class with a single row.
        ValueError
            If the shapes are wrong or X holds infinity.
        """
        table: Table
        table, y = validate_data(self, X, y, dtype=np.float32, ensure_all_finite="allow-nan")
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        counts = np.bincount(codes)
        _check_classes(self.classes_, counts)
        self.priors_: Floats = counts / counts.sum()
        with threadpool_limits(1):
            self._fit(table, codes, groups)
        return self

    def _fit(self, X: Table, codes: Codes, groups: ArrayLike | None) -> None:
        random = check_random_state(self.random_state)
        folds = deal_folds(codes, groups, self.folds, random.randint(2**31 - 1))
        parts: list[Any] = [slice(None)]
        parts += [np.flatnonzero(folds != fold) for fold in range(folds.max() + 1)]
        seeds = random.randint(2**31 - 1, size=(len(parts), len(self.members)))
        fitted = Parallel(n_jobs=self.n_jobs, backend="threading")(
            delayed(fit_member)(
                member,
                X[part],
                codes[part],
                balance=self.balance,
                n_classes=len(self.classes_),
                n_jobs=1,
                random_state=int(seed),
            )
            for part, part_seeds in zip(parts, seeds, strict=True)
            for member, seed in zip(self.members, part_seeds, strict=True)
        )
        self.members_: list[FittedMember] = fitted[: len(self.members)]
        out = np.empty((len(X), len(self.classes_)))
        for fold, model in enumerate(fitted[len(self.members) :]):
            rows = folds == fold
            out[rows] = model.log_probabilities(X[rows])
        self.calibrator_ = Calibrator(np.zeros(len(self.classes_))).fit(out, codes)

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return calibrated probabilities, shape (n, k), under the natural priors `priors_`."""
        check_is_fitted(self)
        table: Table = validate_data(
            self, X, dtype=np.float32, ensure_all_finite="allow-nan", reset=False
        )
        with threadpool_limits(1):
            log_p = self.calibrator_.apply(self.members_[0].log_probabilities(table))
        result: Floats = np.exp(log_p)
        return result

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class named by the decision rule for each row, shape (n,)."""
        named = decide(self.predict_proba(X), self.priors_, self.decision)
        labels: NDArray[Any] = self.classes_[named]
        return labels

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that features may be missing."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _check_classes(classes: NDArray[Any], counts: NDArray[np.intp]) -> None:
    if len(classes) < 2:
        raise UnusableRowsError(
            f"the rows hold one class only, {classes[0]!r}; a classifier needs at least two classes"
        )
    if counts.min() < 2:
        raise UnusableRowsError(
            f"class {classes[counts.argmin()]!r} has one row only; "
            "add rows of it or leave it out: each class needs at least two"
        )
