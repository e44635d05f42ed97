"""Nested subsets of the training rows for learning curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Shares of the training labels at which a learning curve is measured.
SHARES = (0.05, 0.1, 0.2, 0.5, 1.0)
#: Minimum number of rows per class that a classifier can be fitted to.
MIN_ROWS = 2


def nested_rows(
    y: NDArray[np.integer], shares: Sequence[float], rng: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Draw nested stratified subsets of rows; larger subsets contain the smaller ones.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
        Class index of each row.
    shares : sequence of float
        Share of the rows of each class, 0 to 1.
    rng : Generator
        Draws the random order of the rows of each class.

    Returns
    -------
    list of ndarray of intp
        For each share, row numbers in ascending order. The number of rows of each class is
        rounded, and at least two if available.
    """
    rank, size = _ranks(y, rng)
    return [np.flatnonzero(rank < np.maximum(np.rint(share * size), MIN_ROWS)) for share in shares]


def rows_per_class(
    y: NDArray[np.integer], numbers: Sequence[int], rng: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Draw nested subsets of rows with equally many rows of each class, if available.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
        Class index of each row.
    numbers : sequence of int
        Rows of each class; a class with fewer keeps all of them.
    rng : Generator
        Draws the random order of the rows of each class.

    Returns
    -------
    list of ndarray of intp
        For each number, row numbers in ascending order.
    """
    rank, _ = _ranks(y, rng)
    return [np.flatnonzero(rank < number) for number in numbers]


def _ranks(
    y: NDArray[np.integer], rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the place of each row in a random order of its class, and the size of the class."""
    rank = np.empty(len(y), dtype=np.intp)
    size = np.empty(len(y), dtype=np.intp)
    for index in np.unique(y):
        rows = np.flatnonzero(y == index)
        rank[rows] = rng.permutation(len(rows))
        size[rows] = len(rows)
    return rank, size
