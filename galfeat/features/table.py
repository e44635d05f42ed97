"""A table of features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import ImageError


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of n galaxies.

    Attributes
    ----------
    values : ndarray of float32, shape (n, d)
        NaN where the ``flags`` column, the last, says why.
    names : tuple of str
        The d column names.
    digests : ndarray of uint8, shape (n, 16)
        Digest of each image's decoded pixels; zeros for an unreadable one.
    errors : dict of int to ImageError
        The rows that could not be read or measured, and why.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]
    digests: NDArray[np.uint8]
    errors: dict[int, ImageError]

    def select(self, rows: NDArray[np.intp]) -> FeatureTable:
        """Return the table of some rows, in their order."""
        place = {int(row): new for new, row in enumerate(rows)}
        errors = {place[row]: error for row, error in self.errors.items() if row in place}
        return FeatureTable(self.values[rows], self.names, self.digests[rows], errors)

    def usable_rows(self) -> NDArray[np.intp]:
        """Return the numbers of the rows whose image could be measured."""
        usable = np.ones(len(self.values), dtype=bool)
        usable[list(self.errors)] = False
        return np.flatnonzero(usable)


def describe_errors(errors: dict[int, ImageError]) -> str:
    """Return how many images failed, and the error of the first."""
    first = min(errors)
    return (
        f"{len(errors)} of the images cannot be measured, the first in row {first}: {errors[first]}"
    )


@lru_cache(maxsize=64)  # looking for a thousand names takes a tenth of a millisecond
def column_positions(wanted: tuple[str, ...], names: tuple[str, ...]) -> NDArray[np.intp]:
    """Return where columns stand in a table; not to be written to.

    Parameters
    ----------
    wanted, names : tuple of str
        The columns that are looked for, and those of the table.

    Returns
    -------
    ndarray of intp, shape (len(wanted),)
        -1 for a column that the table lacks.
    """
    place = {name: column for column, name in enumerate(names)}
    found = np.array([place.get(name, -1) for name in wanted], np.intp)
    found.flags.writeable = False
    return found
