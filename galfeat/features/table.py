"""A table of features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import ImageError
from galfeat.storage.scratch import take


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of n galaxies.

    Attributes
    ----------
    values : ndarray of float32, shape (n, d)
        NaN for missing values; the last column, ``flags``, gives the reason.
    names : tuple of str
        The d column names.
    digests : ndarray of uint8, shape (n, 16)
        Digest of each image's decoded pixels; zeros for unreadable images.
    errors : dict of int to ImageError
        Errors of the rows that could not be read or measured.
    sketches : ndarray of uint8, shape (n, 1216), or None
        `galfeat.data.duplicates.sketch` of each image, if requested; zeros for unreadable images.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.errors import ImageError
    >>> from galfeat.features import FeatureTable
    >>> values, digests = np.zeros((2, 1), np.float32), np.zeros((2, 16), np.uint8)
    >>> table = FeatureTable(values, ("flags",), digests, {0: ImageError("damaged")})
    >>> table.usable_rows().tolist()
    [1]
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]
    digests: NDArray[np.uint8]
    errors: dict[int, ImageError]
    sketches: NDArray[np.uint8] | None = None

    def select(self, rows: NDArray[np.intp]) -> FeatureTable:
        """Return the table of the given rows, in the given order; no copy if these are all."""
        if np.array_equal(rows, np.arange(len(self.values))):
            return self
        new_row = {int(row): new for new, row in enumerate(rows)}
        errors = {new_row[row]: error for row, error in self.errors.items() if row in new_row}
        sketches = None if self.sketches is None else take(self.sketches, rows)
        return FeatureTable(
            take(self.values, rows), self.names, self.digests[rows], errors, sketches
        )

    def batches(self, size: int) -> Iterator[FeatureTable]:
        """Yield views of `size` consecutive rows; a single empty one if there are no rows."""
        for start in range(0, max(len(self.values), 1), size):
            part = slice(start, start + size)
            errors = {
                row - start: error
                for row, error in self.errors.items()
                if start <= row < start + size
            }
            sketches = None if self.sketches is None else self.sketches[part]
            yield FeatureTable(self.values[part], self.names, self.digests[part], errors, sketches)

    def usable_rows(self) -> NDArray[np.intp]:
        """Return the numbers of the rows whose image could be measured."""
        usable = np.ones(len(self.values), dtype=bool)
        usable[list(self.errors)] = False
        return np.flatnonzero(usable)


def joined(tables: Sequence[FeatureTable]) -> FeatureTable:
    """Return the rows of several tables with the same columns; at least one table.

    The result has sketches if all of the tables have.
    """
    if len(tables) == 1:
        return tables[0]
    sketches = [table.sketches for table in tables if table.sketches is not None]
    starts = np.cumsum([0, *(len(table.values) for table in tables)])
    return FeatureTable(
        np.concatenate([table.values for table in tables]),
        tables[0].names,
        np.concatenate([table.digests for table in tables]),
        {
            int(start) + row: error
            for start, table in zip(starts, tables, strict=False)
            for row, error in table.errors.items()
        },
        np.concatenate(sketches) if len(sketches) == len(tables) else None,
    )


def describe_errors(errors: dict[int, ImageError]) -> str:
    """Return a message with the number of failed images and the first error."""
    first = min(errors)
    return (
        f"{len(errors)} of the images cannot be measured, the first in row {first}: {errors[first]}"
    )


@lru_cache(maxsize=64)  # a thousand names take 0.1 ms
def column_positions(wanted: tuple[str, ...], names: tuple[str, ...]) -> NDArray[np.intp]:
    """Return the positions of columns in a table, as a read-only array.

    Parameters
    ----------
    wanted, names : tuple of str
        The columns to find, and those of the table.

    Returns
    -------
    ndarray of intp, shape (len(wanted),)
        -1 for missing columns.

    Examples
    --------
    >>> from galfeat.features.table import column_positions
    >>> column_positions(("shape.q", "shape.gini"), ("shape.gini", "flags")).tolist()
    [-1, 0]
    """
    position_of = {name: position for position, name in enumerate(names)}
    positions = np.array([position_of.get(name, -1) for name in wanted], np.intp)
    positions.flags.writeable = False
    return positions
