"""Conformal prediction sets: the classes a galaxy may have, with a chosen coverage."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.ensemble.combination import Combination
from galfeat.ensemble.population.priors import reweighted
from galfeat.errors import DataError, ModelError

Floats = NDArray[np.float64]

MIN_ROWS = 20
"""Classes with fewer calibration rows share a threshold."""
SCORES = ("lac", "aps")
"""Nonconformity scores."""

NO_ROWS = (
    "this model keeps no out-of-fold probabilities, which prediction sets need: it was fitted by "
    "an older galfeat, to fractions of votes, or without calibration and stacking; refit it, or "
    "give labelled galaxies it was not fitted to (--calibrate DATA, "
    "GalaxyClassifier.with_calibration)"
)
"""Message of the error for a model without calibration rows."""

# Sums of weights are compared with a tolerance, so that (n + 1) * 0.9 is exact where it should be.
_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class CalibrationRows:
    """Labelled galaxies and their probabilities from models that were not fitted to them.

    Attributes
    ----------
    probabilities : ndarray of float32, shape (n, k)
        Under the class frequencies `priors`.
    codes : ndarray of int16, shape (n,)
        True class of each galaxy.
    priors : ndarray of float, shape (k,)
    out_of_fold : bool
        Whether the probabilities are from the folds of a fit, rather than from the model itself
        for galaxies it was not fitted to.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.ensemble.population import CalibrationRows
    >>> rows = CalibrationRows.of([[0.9, 0.1], [0.4, 0.6]], [0, 1], [0.5, 0.5])
    >>> rows.counts().tolist()
    [1, 1]
    """

    probabilities: NDArray[np.float32]
    codes: NDArray[np.int16]
    priors: Floats
    out_of_fold: bool = False

    @classmethod
    def of(
        cls,
        probabilities: ArrayLike,
        codes: ArrayLike,
        priors: ArrayLike,
        *,
        out_of_fold: bool = False,
    ) -> CalibrationRows:
        """Return calibration rows in the types in which models store them."""
        return cls(
            np.asarray(probabilities, dtype=np.float32),
            np.asarray(codes, dtype=np.int16),
            np.asarray(priors, dtype=np.float64),
            out_of_fold,
        )

    def __len__(self) -> int:
        """Return the number of galaxies."""
        return len(self.codes)

    def counts(self) -> NDArray[np.intp]:
        """Return the number of galaxies of each class, shape (k,)."""
        return np.bincount(self.codes, minlength=len(self.priors))


@dataclass(frozen=True, eq=False)
class SetThresholds:
    """The largest nonconformity score with which each class is in a prediction set.

    Attributes
    ----------
    values : ndarray of float, shape (k,)
        Infinity for a class that is in all sets, minus infinity for one that is in none, as its
        frequency is 0.
    pooled : ndarray of bool, shape (k,)
        Whether the class shares calibration rows with others.
    counts : ndarray of int, shape (k,)
        Number of calibration rows of each class.
    coverage : float
    score : {"lac", "aps"}

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.ensemble.population import SetThresholds
    >>> thresholds = SetThresholds(
    ...     values=np.array([0.6, 0.8, 0.8]),
    ...     pooled=np.array([False, True, True]),
    ...     counts=np.array([40, 12, 15]),
    ...     coverage=0.9,
    ...     score="lac",
    ... )
    >>> thresholds.contain([[0.7, 0.25, 0.05]]).tolist()
    [[True, True, False]]
    """

    values: Floats
    pooled: NDArray[np.bool_]
    counts: NDArray[np.intp]
    coverage: float
    score: str

    def contain(self, probabilities: ArrayLike) -> NDArray[np.bool_]:
        """Return whether each class is in the set of each galaxy, shape (n, k).

        Sets may be empty; those of rows of NaN are.

        Parameters
        ----------
        probabilities : array_like of float, shape (n, k)
            Under the class frequencies the thresholds are for.
        """
        result: NDArray[np.bool_] = nonconformity(probabilities, self.score) <= self.values
        return result


def nonconformity(probabilities: ArrayLike, score: str) -> Floats:
    """Return how unlikely each class is, shape (n, k), from 0 to 1; NaN in rows of NaN.

    Parameters
    ----------
    probabilities : array_like of float, shape (n, k)
    score : {"lac", "aps"}
        "lac" is ``1 - p`` [1]_; "aps" the sum of the probabilities of this class and of the more
        probable ones [2]_, without randomisation, to six digits.

    References
    ----------
    .. [1] Sadinle, Lei & Wasserman 2019, JASA 114, 223.
    .. [2] Romano, Sesia & Candès 2020, NeurIPS 33, 3581.

    Examples
    --------
    >>> from galfeat.ensemble.population import nonconformity
    >>> nonconformity([[0.5, 0.25, 0.25]], "lac").tolist()
    [[0.5, 0.75, 0.75]]
    >>> nonconformity([[0.5, 0.25, 0.25]], "aps").tolist()
    [[0.5, 0.75, 1.0]]
    """
    if score not in SCORES:
        raise ValueError(f"score {score!r} is not known; use one of {', '.join(SCORES)}")
    table: Floats = np.asarray(probabilities, dtype=np.float64)
    if score == "lac":
        return 1.0 - table
    order = np.argsort(-table, axis=1, kind="stable")
    # Calibration rows have single precision, in which sums of all classes differ from 1.
    sums = np.cumsum(np.take_along_axis(table, order, axis=1), axis=1).round(6)
    result = np.empty_like(table)
    np.put_along_axis(result, order, sums, axis=1)
    return result


def required_rows(coverage: float) -> int:
    """Return the number of calibration rows below which a threshold would be infinite."""
    return math.ceil(coverage / (1.0 - coverage) - _TOLERANCE)


def set_thresholds(
    rows: CalibrationRows | None,
    coverage: float,
    *,
    priors: ArrayLike | None = None,
    score: str = "lac",
    by_class: bool = True,
) -> SetThresholds:
    """Return the thresholds of prediction sets with a given coverage.

    Class-conditional [1]_: the threshold of a class is a quantile of the scores of its own
    calibration rows. Classes with fewer than `MIN_ROWS` of them, or than `coverage` needs, share
    their rows, together with the next rarer classes if they have too few; of rows that are
    shared, each counts by the ratio of the frequency of its class under `priors` to that among
    the calibration rows [2]_.

    Parameters
    ----------
    rows : CalibrationRows or None
        None is an error.
    coverage : float
        Share of galaxies whose set contains their class, above 0 and below 1.
    priors : array_like of float, shape (k,), optional
        Class frequencies of the galaxies to predict, which their probabilities assume. By default,
        and if they equal ``rows.priors``, the galaxies are like the calibration rows.
    score : {"lac", "aps"}
        See `nonconformity`.
    by_class : bool
        If False, all classes share their rows: sets are smaller, and their coverage holds for the
        mean over all galaxies only.

    Raises
    ------
    DataError
        If the coverage is out of range, or there are too few rows for it.
    ModelError
        If there are no calibration rows.

    References
    ----------
    .. [1] Vovk, Gammerman & Shafer 2005, Algorithmic Learning in a Random World; Sadinle, Lei &
       Wasserman 2019, JASA 114, 223.
    .. [2] Tibshirani, Barber, Candès & Ramdas 2019, NeurIPS 32; Podkopaev & Ramdas 2021, UAI,
       PMLR 161, 844.

    Examples
    --------
    Of nine merging galaxies and a coverage of 0.9, the threshold is the largest score:

    >>> import numpy as np
    >>> from galfeat.ensemble.population import CalibrationRows, set_thresholds
    >>> p = np.linspace(0.1, 0.9, 9)
    >>> rows = CalibrationRows.of(np.stack([p, 1 - p], axis=1), [0] * 9, [0.5, 0.5])
    >>> set_thresholds(rows, 0.9).values.round(2).tolist()
    [0.9, 0.9]
    """
    if not 0.0 < coverage < 1.0:
        raise DataError(f"the coverage is {coverage}; expected a number above 0 and below 1")
    if rows is None:
        raise ModelError(NO_ROWS)
    counts = rows.counts()
    weights = np.ones(len(counts))
    probabilities: Floats = rows.probabilities.astype(np.float64)
    assumed = rows.priors if priors is None else np.asarray(priors, dtype=np.float64)
    if not np.array_equal(assumed, rows.priors):
        probabilities = reweighted(probabilities, rows.priors, assumed)
        weights = assumed / np.maximum(counts, 1) * max(len(rows), 1)
    occurring = weights > 0
    own = _own_threshold(np.where(occurring, counts, 0), occurring, coverage) & by_class
    scores = nonconformity(probabilities, score)[np.arange(len(rows)), rows.codes]
    values = np.full(len(counts), -np.inf)
    in_pool = (occurring & ~own)[rows.codes]
    for code in np.flatnonzero(occurring):
        shared = (rows.codes == code) if own[code] else in_pool
        values[code] = _quantile(
            scores[shared], weights[rows.codes[shared]], weights[code], coverage
        )
    return SetThresholds(values, occurring & ~own, counts, coverage, score)


def _own_threshold(
    counts: NDArray[np.intp], occurring: NDArray[np.bool_], coverage: float
) -> NDArray[np.bool_]:
    """Return which classes have a threshold from their own rows.

    Raises
    ------
    DataError
        If all rows together are too few.
    """
    required = required_rows(coverage)
    if counts.sum() < required:
        raise DataError(
            f"prediction sets with a coverage of {coverage:g} need at least {required} labelled "
            f"galaxies, and there are {counts.sum()}; give more, or a lower coverage"
        )
    least = max(MIN_ROWS, required)
    own: NDArray[np.bool_] = occurring & (counts >= least)
    while own.any() and (pooled := occurring & ~own).any() and counts[pooled].sum() < least:
        own[np.where(own, counts, np.iinfo(np.intp).max).argmin()] = False
    return own


def _quantile(scores: Floats, weights: Floats, own_weight: float, coverage: float) -> float:
    """Return the conformal quantile of weighted scores; a new one has `own_weight`."""
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weights[order])
    total = weights.sum() + own_weight
    position = np.searchsorted(reached, (coverage - _TOLERANCE) * total)
    return float(scores[order[position]]) if position < len(scores) else math.inf


def out_of_fold_rows(
    combination: Callable[[], Combination],
    log_probabilities: Floats,
    y: NDArray[Any],
    fold_of_row: NDArray[np.intp],
    priors: Floats,
) -> CalibrationRows | None:
    """Return the out-of-fold probabilities of a fit; None without single true classes.

    Each row is combined and calibrated by a combination fitted to the other folds.

    Parameters
    ----------
    combination : callable
        Returns a new `Combination`.
    log_probabilities : ndarray of float, shape (n, members, k)
        Of the members, out of fold.
    y : ndarray of int, shape (n,)
        Class index of each row; None is returned for fractions, shape (n, k).
    fold_of_row : ndarray of int, shape (n,)
    priors : ndarray of float, shape (k,)
        Natural frequency of each class.
    """
    if y.ndim != 1:
        return None
    log_p = np.empty((len(y), len(priors)))
    folds = np.unique(fold_of_row)
    for fold in folds:
        inside = fold_of_row == fold
        # One remaining fold is halved, because a combination is calibrated out of fold, too.
        rest = fold_of_row[~inside] if len(folds) > 2 else np.arange(np.count_nonzero(~inside)) % 2
        other = combination().fit(log_probabilities[~inside], y[~inside], rest)
        log_p[inside] = other.apply(log_probabilities[inside])
    return CalibrationRows.of(np.exp(log_p), y, priors, out_of_fold=True)
