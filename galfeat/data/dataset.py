"""The interface of data sets of galaxy images."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.catalogue.catalogue import Catalogue
from galfeat.errors import ImageError

Image: TypeAlias = NDArray[np.uint8]
#: Called with the number of items done and the total.
Progress: TypeAlias = Callable[[int, int], None]

BATCH_BYTES = 2**30
"""Pixels in a batch, above which it ends early."""


class DataSet(abc.ABC):
    """Galaxy images and their metadata, read in batches.

    Returned by `open_dataset`; use `ArrayDataSet` for images in memory.

    Attributes
    ----------
    ids : ndarray of str, shape (n,)
        The image's path, the file name as listed in a table, or the row number as text.
    labels : ndarray of int64, shape (n,)
        Index into `class_names`; -1 for rows without a label.
    class_names : tuple of str
        In the order of the labels; empty if the data have no labels.
    label_column : str or None
        The column or HDF5 data set of the labels.
    groups : ndarray of str, shape (n,), or None
        Rows of one group are never divided by a split.
    sources : ndarray of str, shape (n,), or None
        The column `source` or `source_repo`: the origin of each row.
    ra, dec : ndarray of float64, shape (n,), or None
        Position in degrees; NaN where unknown.
    splits : ndarray of str, shape (n,), or None
        ``train``, ``test``, ``val`` or empty: the division by folders or by a column.
    skipped : int
        Number of unlabelled rows dropped by `labelled`.
    notes : tuple of str
        What was left out or chosen when the images were opened.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data import ArrayDataSet, DataSet
    >>> data = ArrayDataSet(np.zeros((3, 16, 16, 3), np.uint8), labels=["a", "b", ""])
    >>> isinstance(data, DataSet), len(data), data.class_names
    (True, 3, ('a', 'b'))
    >>> data.labelled().skipped
    1
    >>> [image.shape for image in data.select([0, 2]).read([1])]
    [(16, 16, 3)]
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
        self.splits = catalogue.splits
        self.skipped = 0
        self.notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)

    @abc.abstractmethod
    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        """Read images.

        Parameters
        ----------
        rows : array_like of int
            Row numbers, in any order; may repeat.
        jobs : int, default 1
            Number of decoding threads; the result does not depend on it.

        Returns
        -------
        list
            For each row an ndarray of uint8, shape (H, W, 3), or an `ImageError` if the
            image cannot be read.
        """

    def batches(
        self, batch_size: int = 64, jobs: int = 1
    ) -> Iterator[tuple[NDArray[np.intp], list[Image | ImageError]]]:
        """Iterate over all rows in order; yield row numbers and the result of `read` for them.

        Batches have `batch_size` rows, or fewer if these have more than 1 GiB of pixels.
        """
        start = 0
        while start < len(self):
            rows = np.arange(start, min(start + batch_size, len(self)))
            images = self._read_within(rows, jobs, BATCH_BYTES)
            yield rows[: len(images)], images
            start += len(images)

    def _read_within(
        self, rows: NDArray[np.intp], jobs: int, max_bytes: int
    ) -> list[Image | ImageError]:
        """Read the first of some rows, at least one, of up to about `max_bytes` of pixels."""
        return self.read(rows, jobs)

    def select(self, rows: ArrayLike) -> DataSet:
        """Return a view of the given rows, in the given order.

        Parameters
        ----------
        rows : array_like
            Row numbers, or a boolean mask of length n.
        """
        chosen = row_numbers(rows, len(self))
        return _Selection(self, chosen, self.catalogue.take(chosen))

    def labelled(self) -> DataSet:
        """Return the rows with a label; `skipped` of the result is the number of the others."""
        keep = self.labels >= 0
        result = self.select(keep)
        result.skipped = int(len(self) - keep.sum())
        return result

    def unlabelled(self) -> DataSet:
        """Return all rows without their labels."""
        return _Selection(self, np.arange(len(self)), self.catalogue.unlabelled())

    def regrouped(self, groups: ArrayLike) -> DataSet:
        """Return all rows with other groups.

        Parameters
        ----------
        groups : array_like of str, shape (n,)
        """
        catalogue = replace(self.catalogue, groups=np.asarray(groups, np.str_))
        return _Selection(self, np.arange(len(self)), catalogue)

    def relabelled(self, labels: ArrayLike, class_names: Sequence[str]) -> DataSet:
        """Return all rows with other labels; `label_column` remains.

        Parameters
        ----------
        labels : array_like of int, shape (n,)
            Index into `class_names`; -1 for rows without a label.
        class_names : sequence of str
        """
        new = np.asarray(labels, np.int64)
        catalogue = replace(self.catalogue, labels=new, class_names=tuple(class_names))
        return _Selection(self, np.arange(len(self)), catalogue)


class _Selection(DataSet):
    """A subset of the rows of another data set."""

    def __init__(self, parent: DataSet, rows: NDArray[np.intp], catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self._parent = parent
        self._rows = rows

    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        return self._parent.read(self._rows[row_numbers(rows, len(self))], jobs)

    def _read_within(
        self, rows: NDArray[np.intp], jobs: int, max_bytes: int
    ) -> list[Image | ImageError]:
        return self._parent._read_within(self._rows[rows], jobs, max_bytes)


def row_numbers(rows: ArrayLike, length: int) -> NDArray[np.intp]:
    """Return row numbers or a boolean mask as row numbers; raise IndexError if out of range."""
    array = np.asarray(rows)
    if array.dtype == np.bool_:
        if array.shape != (length,):
            raise IndexError(f"mask of shape {array.shape} for {length} rows")
        return np.flatnonzero(array)
    numbers = array.astype(np.intp).reshape(-1)
    if numbers.size and (numbers.min() < 0 or numbers.max() >= length):
        raise IndexError(f"rows {numbers.min()} to {numbers.max()} of a data set of {length}")
    return numbers
