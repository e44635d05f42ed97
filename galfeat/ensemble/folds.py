"""Assign training rows to inner folds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.ensemble.soft_labels import rows_of_class, stratification_labels
from galfeat.errors import GalfeatWarning


def inner_folds(
    y: NDArray[np.intp], groups: ArrayLike | None, n_folds: int, seed: int
) -> NDArray[np.intp]:
    """Assign rows to stratified folds, keeping the rows of a group together.

    The largest groups are assigned first, in random order among equals, each to the fold
    with the fewest rows of its classes. Without groups, the number of rows of a class
    differs by at most one between folds. A class with fewer rows than folds occurs in as
    many folds as it has rows; the number of folds is not reduced.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
        Class index of each row.
    groups : array_like, shape (n,), or None
        Rows with the same value stay together; an empty string marks an ungrouped row.
    n_folds : int
        Number of folds; at most the number of groups is used.
    seed : int
        Seed of the random order.

    Returns
    -------
    ndarray of int, shape (n,)
        Fold of each row.
    """
    counts, group_of_row = _class_counts(y, groups)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    per_class = counts / counts.sum(axis=0) ** 2
    filled = np.zeros((min(n_folds, len(counts)), counts.shape[1]))
    fold_of_group = np.empty(len(counts), dtype=np.intp)
    for group in order:
        # Increase in class imbalance between folds; the smaller fold wins a tie.
        growth = (2 * filled + counts[group]) @ per_class[group]
        fold = np.lexsort((filled.sum(axis=1), growth))[0]
        filled[fold] += counts[group]
        fold_of_group[group] = fold
    return fold_of_group[group_of_row]


def folds_for_calibration(
    targets: NDArray[Any],
    groups: ArrayLike | None,
    names: Sequence[Any],
    n_folds: int,
    seed: int,
) -> NDArray[np.intp]:
    """Assign rows to inner folds such that every class has out-of-fold predictions.

    Parameters
    ----------
    targets : ndarray
        Class index of each row, shape (n,), or fraction of each class, shape (n, k).
    groups, n_folds, seed
        As for `inner_folds`.
    names : sequence, length k
        Class names for the warning.

    Returns
    -------
    ndarray of int, shape (n,)
        Fold of each row; all -1, with a `GalfeatWarning`, if all rows of a class are in one.
    """
    strata = stratification_labels(targets) if targets.ndim == 2 else targets
    fold_of_row = inner_folds(strata, groups, n_folds, seed)
    for code, name in enumerate(names):
        if len(np.unique(fold_of_row[rows_of_class(targets, code)])) < 2:
            warnings.warn(
                f"all rows of class {name!r} share one group, so it has no out-of-fold "
                "predictions; the probabilities are not calibrated",
                GalfeatWarning,
                stacklevel=5,
            )
            return np.full(len(targets), -1)
    return fold_of_row


def _class_counts(
    y: NDArray[np.intp], groups: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the class counts of each group, shape (groups, classes), and each row's group."""
    group_of_row = np.arange(len(y))
    if groups is not None:
        values = np.asarray(groups)
        names, numbers = np.unique(values, return_inverse=True)
        alone = values == "" if values.dtype.kind in "UT" else np.zeros(len(y), dtype=bool)
        group_of_row = np.where(alone, len(names) + group_of_row, numbers)
        group_of_row = np.unique(group_of_row, return_inverse=True)[1]
    counts = np.zeros((group_of_row.max() + 1, y.max() + 1))
    np.add.at(counts, (group_of_row, y), 1)
    return counts, group_of_row
