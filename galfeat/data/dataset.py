"""What every set of galaxy images looks like to the rest of galfeat."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.catalogue.catalogue import Catalogue
from galfeat.errors import ImageError

Image: TypeAlias = NDArray[np.uint8]


class DataSet(abc.ABC):
    """Galaxy images with what is known of them, read a few at a time.

    Made by `open_dataset`, or `ArrayDataSet` for images already in memory.

    Attributes
    ----------
    ids : ndarray of str, shape (n,)
        The path of an image as given, with the folder it was found in; the file name as a
        table has it; or the row number as text.
    labels : ndarray of int64, shape (n,)
        Index into `class_names`; -1 where the row has no label.
    class_names : tuple of str
        In the order of the labels; empty if the data carry no labels.
    label_column : str or None
        The column or HDF5 data set the labels came from.
    groups : ndarray of str, shape (n,), or None
        Rows of one group never sit on both sides of a split.
    sources : ndarray of str, shape (n,), or None
        The column `source`, or `source_repo`: where a row was collected.
    ra, dec : ndarray of float64, shape (n,), or None
        Position in degrees; NaN where unknown.
    skipped : int
        How many rows `labelled` left out to make this data set.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.ids = catalogue.ids
        self.labels = catalogue.labels
        self.class_names = catalogue.class_names
        self.label_column = catalogue.label_column
        self.groups = catalogue.groups
        self.sources = catalogue.sources
        self.ra = catalogue.ra
        self.dec = catalogue.dec
        self.skipped = 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)

    @abc.abstractmethod
    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        """Read some images.

        Parameters
        ----------
        rows : array_like of int
            Row numbers, in any order, repeated if need be.
        jobs : int, default 1
            Threads that decode; the result does not depend on it.

        Returns
        -------
        list
            For each row an ndarray of uint8, shape (H, W, 3), or the `ImageError`
            that says why there is none.
        """

    def batches(
        self, batch_size: int = 64, jobs: int = 1
    ) -> Iterator[tuple[NDArray[np.intp], list[Image | ImageError]]]:
        """Go through all rows in order; yield row numbers and what `read` gives for them."""
        for start in range(0, len(self), batch_size):
            rows = np.arange(start, min(start + batch_size, len(self)))
            yield rows, self.read(rows, jobs)

    def select(self, rows: ArrayLike) -> DataSet:
        """Return a view of some rows, in their order.

        Parameters
        ----------
        rows : array_like
            Row numbers, or a boolean mask of length n.
        """
        chosen = row_numbers(rows, len(self))
        return _Selection(self, chosen, self.catalogue.take(chosen))

    def labelled(self) -> DataSet:
        """Return the rows that have a label; `skipped` on the result counts the others."""
        keep = self.labels >= 0
        result = self.select(keep)
        result.skipped = int(len(self) - keep.sum())
        return result

    def unlabelled(self) -> DataSet:
        """Return all rows, without their labels."""
        return _Selection(self, np.arange(len(self)), self.catalogue.unlabelled())


class _Selection(DataSet):
    """Some rows of another data set, and what is known of them."""

    def __init__(self, parent: DataSet, rows: NDArray[np.intp], catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self._parent = parent
        self._rows = rows

    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        return self._parent.read(self._rows[row_numbers(rows, len(self))], jobs)


def row_numbers(rows: ArrayLike, length: int) -> NDArray[np.intp]:
    """Return row numbers or a boolean mask as row numbers; IndexError if one does not exist."""
    array = np.asarray(rows)
    if array.dtype == np.bool_:
        if array.shape != (length,):
            raise IndexError(f"mask of shape {array.shape} for {length} rows")
        return np.flatnonzero(array)
    numbers = array.astype(np.intp).reshape(-1)
    if numbers.size and (numbers.min() < 0 or numbers.max() >= length):
        raise IndexError(f"rows {numbers.min()} to {numbers.max()} of a data set of {length}")
    return numbers
