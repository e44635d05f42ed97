"""The ensemble, a scikit-learn classifier with calibrated probabilities from feature tables."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, assert_all_finite, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from galfeat.ensemble import balance as balancing
from galfeat.ensemble.balance import Floats, Table, Targets
from galfeat.ensemble.combination import Combination
from galfeat.ensemble.decision import decide
from galfeat.ensemble.folds import folds_for_calibration
from galfeat.ensemble.member_fits import (
    check_classes,
    fit_on_columns,
    one_blas_thread,
    predict_fold,
    select_columns,
)
from galfeat.ensemble.population.prediction_sets import CalibrationRows, out_of_fold_rows
from galfeat.ensemble.simulated import SimulatedRows
from galfeat.ensemble.soft_labels import check_balance, checked_fractions
from galfeat.errors import PipelineError
from galfeat.pipeline.members import Member
from galfeat.pipeline.pipeline import (
    BALANCE_METHODS,
    CALIBRATION_METHODS,
    COMBINATIONS,
    DECISION_RULES,
)

# Rows predicted at a time by a thread. The last bits of a matrix product depend on its shape, so
# products always have this number of rows: a prediction does not depend on the other rows.
_BLOCK = 64
_SEEDS = np.iinfo(np.int32).max


class Ensemble(ClassifierMixin, BaseEstimator):
    """Fit one or more classifiers, combine them and calibrate their probabilities.

    Combination and calibration are fitted to out-of-fold predictions of the members, from
    stratified inner folds that keep groups together. Classes are balanced in the rows a
    member is fitted to, never in the rows it predicts. Stacking and calibration share these
    predictions; a fitted combination is calibrated on predictions of combinations fitted
    without the row's fold.

    Parameters
    ----------
    members : sequence of Member
        The classifiers.
    combine : {"none", "average", "stack"}
        "none" requires a single member. "average" is the mean of the members' calibrated
        probabilities. "stack" is a multinomial logistic regression on their logarithms; see
        `galfeat.ensemble.combination.Stack`.
    balance : {"none", "class-weight", "over", "under", "smote", "bagging", "simulate"}
        How classes are balanced; see `galfeat.ensemble.balance`. "simulate" requires simulated
        rows in `fit`.
    calibration : {"none", "temperature", "vector", "isotonic", "auto"}
        How probabilities are calibrated; "auto" chooses by cross-validation. See
        `galfeat.ensemble.calibration_choice`. "none" only shifts them from the balanced to the
        natural class frequencies.
    decision : {"balanced", "tempered", "probable"}
        Decision rule of `predict`; see `galfeat.ensemble.decide`.
    folds : int
        Inner folds, at least 2. A class with fewer rows (or groups) than folds is held out
        in as many folds as it has rows; the number of folds is not reduced.
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
    members_ : list of estimators
        Members fitted to all rows.
    columns_ : list of ndarray of int
        For each member, the columns it uses.
    combination_ : Combination
        Fitted to the members' out-of-fold predictions.
    calibration_rows_ : CalibrationRows or None
        Out-of-fold probabilities of the rows, for prediction sets. None for soft labels, without
        calibration and stacking, and where all rows of a class share one group.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if `fit` was given a table with column names.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.ensemble import Ensemble
    >>> from galfeat.pipeline import Member
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["disc", "merger"], 40)
    >>> X = rng.normal(size=(80, 3)) + 3 * (y == "merger")[:, None]
    >>> ensemble = Ensemble([Member("logistic")]).fit(X, y)
    >>> ensemble.predict([[0, 0, 0], [3, 3, 3]])
    array(['disc', 'merger'], dtype='<U6')
    >>> ensemble.predict_proba([[0, 0, 0]]).round(1)
    array([[1., 0.]])
    """

    def __init__(
        self,
        members: Sequence[Member] = (Member("lightgbm"),),
        combine: str = "none",
        balance: str = "none",
        calibration: str = "vector",
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

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
        columns: Sequence[NDArray[np.intp]] | None = None,
        simulated: SimulatedRows | None = None,
    ) -> Ensemble:
        """Fit members, combination and calibration.

        Parameters
        ----------
        X : array_like of float, shape (n, d)
            Features; NaN where one is missing. Held as float32.
        y : array_like, shape (n,)
            Class labels of any kind.
        groups : array_like, shape (n,), optional
            Rows with the same value are never on both sides of an inner split; an empty
            string marks an ungrouped row.
        class_names : sequence of str, optional
            Class names for messages, if y holds indices into them.
        columns : sequence of ndarray of int, optional
            For each member, the columns of X it uses; all by default.
        simulated : SimulatedRows, optional
            Added to the rows that members are fitted to, if `balance` is "simulate".

        Raises
        ------
        DataError
            If there is only one class, or a class has a single row.
        PipelineError
            If a parameter of the ensemble or of a member is invalid.
        ValueError
            If the shapes are wrong or X contains infinity.

        Warns
        -----
        GalfeatWarning
            If all rows of a class share one group. It has no out-of-fold predictions then,
            and combination and calibration keep their defaults.
        """
        table: Table
        table, y = validate_data(self, X, y, dtype=np.float32, ensure_all_finite=False)
        self._check_finite(table)
        with warnings.catch_warnings():  # of many classes; a class with one row is an error below
            warnings.simplefilter("ignore", UserWarning)
            check_classification_targets(y)
        self._check_settings()
        self.classes_, codes = np.unique(y, return_inverse=True)
        counts = np.bincount(codes)
        names = self.classes_.tolist()
        if class_names is not None:
            names = [class_names[code] for code in names]
        check_classes(names, counts)
        self.priors_: Floats = counts / counts.sum()
        self._fit(table, codes, groups, names, columns, simulated)
        return self

    def fit_soft(
        self,
        X: ArrayLike,
        fractions: ArrayLike,
        groups: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
        columns: Sequence[NDArray[np.intp]] | None = None,
        simulated: SimulatedRows | None = None,
    ) -> Ensemble:
        """Fit to soft labels, such as fractions of volunteers' votes.

        Each member is fitted to copies of each galaxy, one for each class with a fraction of at
        least 1 %, weighted by the fraction. Copies are made within a training fold, and members
        predict each galaxy of the other fold once. Combination and calibration minimise the
        cross-entropy of these predictions and the fractions.

        Parameters
        ----------
        X : array_like of float, shape (n, d)
            Features; NaN where one is missing. Held as float32.
        fractions : array_like of float, shape (n, k)
            Fraction of each class; each row sums to one. Classes without fractions are left
            out of `classes_`, which holds column numbers.
        groups, columns, simulated
            As for `fit`.
        class_names : sequence of str, length k, optional
            Class names for messages.

        Raises
        ------
        DataError
            If the fractions are not valid, or fewer than two classes, or fewer than two galaxies
            of a class, have fractions.
        PipelineError
            If a parameter is invalid, or `balance` draws rows of one class.
        """
        table: Table = validate_data(self, X, dtype=np.float32, ensure_all_finite="allow-nan")
        self._check_settings()
        check_balance(self.balance)
        targets = checked_fractions(fractions, len(table))
        self.classes_ = np.flatnonzero(targets.any(axis=0))
        targets = targets[:, self.classes_]
        names: list[Any] = self.classes_.tolist()
        if class_names is not None:
            names = [class_names[code] for code in names]
        check_classes(names, np.count_nonzero(targets, axis=0))
        self.priors_ = targets.mean(axis=0)
        self._fit(table, targets, groups, names, columns, simulated)
        return self

    def _check_finite(self, table: Table) -> None:
        """Reject infinity, block by block: a mask of a table of pixels takes much memory."""
        for block in _blocks(table):
            assert_all_finite(block, allow_nan=True, estimator_name="Ensemble", input_name="X")

    def _check_settings(self) -> None:
        for name, choices in (
            ("combine", COMBINATIONS),
            ("balance", BALANCE_METHODS),
            ("calibration", CALIBRATION_METHODS),
            ("decision", DECISION_RULES),
        ):
            value = getattr(self, name)
            if value not in choices:
                raise PipelineError(
                    f"{name} is {value!r}; it should be one of {', '.join(choices)}"
                )
        if not self.members or (self.combine == "none" and len(self.members) > 1):
            raise PipelineError(
                f"combine is {self.combine!r} with {len(self.members)} members; "
                "'none' takes one, 'average' and 'stack' at least one"
            )
        if self.folds < 2:
            raise PipelineError(f"folds is {self.folds}; give at least 2")
        for member in self.members:
            member.check()

    def _fit(
        self,
        X: Table,
        targets: Targets,
        groups: ArrayLike | None,
        names: Sequence[Any],
        columns: Sequence[NDArray[np.intp]] | None,
        simulated: SimulatedRows | None,
    ) -> None:
        if self.balance != "simulate":
            simulated = None
        elif simulated is None:
            raise PipelineError(
                "balance is 'simulate', but there are no simulated rows; give them to fit, or use "
                "GalaxyClassifier, which draws them"
            )
        all_columns = np.arange(X.shape[1])
        self.columns_ = [all_columns] * len(self.members) if columns is None else list(columns)
        with one_blas_thread():
            self._fit_members(X, targets, groups, names, simulated)

    def _fit_members(
        self,
        X: Table,
        codes: Targets,
        groups: ArrayLike | None,
        names: Sequence[Any],
        simulated: SimulatedRows | None,
    ) -> None:
        random = check_random_state(self.random_state)
        seed = random.randint(_SEEDS)
        fold_of_row = np.full(len(X), -1)  # no out-of-fold predictions
        if self.calibration != "none" or self.combine == "stack":
            fold_of_row = folds_for_calibration(codes, groups, names, self.folds, seed)
        n_folds = fold_of_row.max() + 1
        seeds = random.randint(_SEEDS, size=(n_folds + 1, len(self.members)))
        fits = [
            delayed(fit_on_columns)(member, X, columns, codes, self.balance, seed, simulated)
            for member, columns, seed in zip(
                self.members, self.columns_, seeds[n_folds], strict=True
            )
        ]
        fits += [
            delayed(predict_fold)(
                member, X, columns, codes, fold_of_row == fold, self.balance, seed, simulated
            )
            for fold in range(n_folds)
            for member, columns, seed in zip(self.members, self.columns_, seeds[fold], strict=True)
        ]
        with warnings.catch_warnings():
            # An early stop of a regularised linear fit is harmless. Filters are per process.
            warnings.simplefilter("ignore", ConvergenceWarning)
            results = Parallel(n_jobs=self.n_jobs, backend="threading")(fits)
        n_members = len(self.members)
        self.members_: list[Any] = results[:n_members]
        shifts = [
            balancing.prior_shift(member, self.balance, self.priors_, simulated)
            for member in self.members
        ]
        combination = partial(Combination, self.combine, shifts, calibration=self.calibration)
        self.combination_ = combination()
        self.calibration_rows_: CalibrationRows | None = None
        if n_folds:
            predicted = np.empty((len(X), n_members, len(self.classes_)))
            for number, part in enumerate(results[n_members:]):
                fold, member = divmod(number, n_members)
                predicted[fold_of_row == fold, member] = part
            self.combination_.fit(predicted, codes, fold_of_row)
            self.calibration_rows_ = out_of_fold_rows(
                combination, predicted, codes, fold_of_row, self.priors_
            )

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return calibrated probabilities under the natural priors `priors_`, shape (n, k)."""
        check_is_fitted(self)
        table: Table = validate_data(
            self, X, dtype=np.float32, ensure_all_finite=False, reset=False
        )
        self._check_finite(table)
        return self.combined(self.member_log_probabilities(table))

    def member_log_probabilities(self, table: Table) -> Floats:
        """Return the log-probabilities of each member, shape (n, members, k).

        Followed by `combined`, equals `predict_proba` without its input checks, which take as
        long as predicting one row.

        Parameters
        ----------
        table : ndarray of float32, shape (n, d)
            With the columns the ensemble was fitted to; NaN where a feature is missing.
        """
        with one_blas_thread():
            if len(table) <= _BLOCK:
                return self._predict_block(table)
            results = Parallel(n_jobs=self.n_jobs, backend="threading")(
                delayed(self._predict_block)(block) for block in _blocks(table)
            )
        return np.concatenate(results)

    def _predict_block(self, X: Table) -> Floats:
        log_p = []
        for member, estimator, columns in zip(
            self.members, self.members_, self.columns_, strict=True
        ):
            table = select_columns(X, columns, member)
            if member.multiplies_matrices:
                table = _full_block(table, "C" if len(columns) == X.shape[1] else "F")
            log_p.append(balancing.log_probabilities(estimator, table)[: len(X)])
        return np.stack(log_p, axis=1)

    def combined(self, log_probabilities: Floats) -> Floats:
        """Return calibrated probabilities, shape (n, k), from `member_log_probabilities`."""
        with one_blas_thread():
            blocks = [
                self.combination_.apply(_full_block(block))[: len(block)]
                for block in _blocks(log_probabilities)
            ]
        result: Floats = np.exp(np.concatenate(blocks))
        return result

    @property
    def calibration_method(self) -> str:
        """The calibration in use: `calibration`, or the method that "auto" chose."""
        # Combinations fitted before there was a choice do not have it.
        return str(getattr(self.combination_, "method", self.calibration))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class predicted by the decision rule for each row, shape (n,)."""
        codes = decide(self.predict_proba(X), self.priors_, self.decision)
        labels: NDArray[Any] = self.classes_[codes]
        return labels

    def __sklearn_tags__(self) -> Tags:
        """Declare that missing features are allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _blocks(table: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield blocks of at most `_BLOCK` rows; a single empty one if there are no rows."""
    return (table[start : start + _BLOCK] for start in range(0, max(len(table), 1), _BLOCK))


def _full_block(rows: NDArray[Any], order: Literal["C", "F"] = "C") -> NDArray[Any]:
    """Return `_BLOCK` rows, zeros after the given ones, in a fixed memory layout."""
    block = np.zeros((_BLOCK, *rows.shape[1:]), rows.dtype, order=order)
    block[: len(rows)] = rows
    return block
