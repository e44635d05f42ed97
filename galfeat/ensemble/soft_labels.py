"""Soft labels: galaxies that count in several classes, each with its fraction."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import DataError, PipelineError

MIN_FRACTION = 0.01
"""Smaller fractions are set to zero, which saves copies of galaxies without changing a fit."""

#: Ways of balancing classes by weights; the others draw rows, which have one class each.
BALANCE_METHODS = ("none", "class-weight", "simulate")

_TOLERANCE = 1e-3


class WeightedRows(NamedTuple):
    """Copies of galaxies, one for each class with a fraction above zero.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
        The galaxy of each copy, ascending.
    codes : ndarray of int, shape (m,)
        The class of each copy.
    weights : ndarray of float, shape (m,)
    """

    rows: NDArray[np.intp]
    codes: NDArray[np.intp]
    weights: NDArray[np.float64]


def checked_fractions(fractions: ArrayLike, n_rows: int) -> NDArray[np.float64]:
    """Return fractions, each row summing to one, without those below `MIN_FRACTION`.

    Raises
    ------
    DataError
        If the shape is not (n_rows, k), or a row contains NaN, a value below 0 or a sum other
        than one.
    """
    table = np.array(fractions, dtype=np.float64)
    if table.ndim != 2 or len(table) != n_rows:
        raise DataError(
            f"the soft labels have shape {table.shape}; expected one row of fractions for each of "
            f"{n_rows} galaxies"
        )
    with np.errstate(invalid="ignore"):
        valid = (table >= 0).all(axis=1) & (np.abs(table.sum(axis=1) - 1) <= _TOLERANCE)
    if not valid.all():
        row = int(np.flatnonzero(~valid)[0])
        raise DataError(
            f"the soft labels of row {row} are {table[row].tolist()}; expected fractions of at "
            "least 0 that sum to one: leave out galaxies without votes"
        )
    table[table < MIN_FRACTION] = 0.0
    result: NDArray[np.float64] = table / table.sum(axis=1, keepdims=True)
    return result


def check_balance(balance: str) -> None:
    """Raise PipelineError unless classes are balanced by weights, or not at all."""
    if balance not in BALANCE_METHODS:
        raise PipelineError(
            f"balance is {balance!r}, which draws rows of one class each; soft labels take "
            f"{' or '.join(map(repr, BALANCE_METHODS))}"
        )


def weighted_rows(
    fractions: NDArray[np.float64], *, equal_classes: bool = False, equal_rows: bool = False
) -> WeightedRows:
    """Return a copy of each galaxy for each of its classes, weighted by its fraction.

    Parameters
    ----------
    fractions : ndarray of float, shape (n, k)
        From `checked_fractions`.
    equal_classes : bool
        Whether to scale the weights to the same total for each class.
    equal_rows : bool
        Whether to scale the weights to the same mean for each class, for members that draw
        equally many rows of each.

    Returns
    -------
    WeightedRows
        The weights of a galaxy sum to one; scaled weights sum to n.
    """
    rows, codes = np.nonzero(fractions)
    weights = fractions[rows, codes]
    if equal_classes or equal_rows:
        total = np.bincount(codes, weights=weights)
        scale = total / np.bincount(codes) if equal_rows else total
        weights = weights / scale[codes]
        weights *= len(fractions) / weights.sum()
    return WeightedRows(rows, codes, weights)


def stratification_labels(fractions: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the class in which each galaxy counts most relative to the others, shape (n,).

    For labels of fractions 0 and 1 these are the labels. Classes that are rarely a galaxy's
    largest are spread over folds, too.
    """
    relative = fractions / fractions.sum(axis=0)
    labels: NDArray[np.intp] = np.unique(relative.argmax(axis=1), return_inverse=True)[1]
    return labels


def rows_of_class(targets: NDArray[Any], code: int) -> NDArray[np.bool_]:
    """Return a mask of the galaxies that count in a class.

    Parameters
    ----------
    targets : ndarray
        Class indices, shape (n,), or fractions, shape (n, k).
    """
    mask: NDArray[np.bool_] = targets == code if targets.ndim == 1 else targets[:, code] > 0
    return mask


def class_totals(targets: NDArray[Any], n_classes: int) -> NDArray[np.float64]:
    """Return the number of galaxies in each class, shape (k,): a sum of fractions if soft."""
    if targets.ndim == 2:
        totals: NDArray[np.float64] = targets.sum(axis=0)
        return totals
    return np.bincount(targets, minlength=n_classes).astype(np.float64)


def cross_entropy(
    log_probabilities: NDArray[np.float64], targets: NDArray[Any]
) -> tuple[float, NDArray[np.float64]]:
    """Return the summed cross-entropy in nats, and its derivative by the scores, shape (n, k).

    Parameters
    ----------
    log_probabilities : ndarray of float, shape (n, k)
        Normalised scores.
    targets : ndarray
        Class indices, shape (n,), or fractions, shape (n, k).
    """
    residual = np.exp(log_probabilities)
    if targets.ndim == 2:
        residual -= targets
        return float(-(targets * log_probabilities).sum()), residual
    rows = np.arange(len(targets))
    residual[rows, targets] -= 1.0
    return float(-log_probabilities[rows, targets].sum()), residual
