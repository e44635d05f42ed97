"""Ever smaller parts of the training rows, for learning curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Shares of the training labels at which a learning curve is measured.
SHARES = (0.05, 0.1, 0.2, 0.5, 1.0)
#: A classifier cannot be fitted to fewer rows of a class.
LEAST = 2


def nested_rows(
    y: NDArray[np.integer], shares: Sequence[float], rng: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Draw stratified parts of some rows, each part of a smaller share inside the larger ones.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
        Class index of each row.
    shares : sequence of float
        Share of the rows of each class, 0 to 1.
    rng : Generator
        Draws the order in which the rows of a class are taken.

    Returns
    -------
    list of ndarray of intp
        Row numbers in ascending order, for each share: of each class the nearest whole
        number of rows, but two at least where there are two.
    """
    place = np.empty(len(y), dtype=np.intp)
    size = np.empty(len(y), dtype=np.intp)
    for index in np.unique(y):
        rows = np.flatnonzero(y == index)
        place[rows] = rng.permutation(len(rows))
        size[rows] = len(rows)
    return [np.flatnonzero(place < np.maximum(np.rint(share * size), LEAST)) for share in shares]
