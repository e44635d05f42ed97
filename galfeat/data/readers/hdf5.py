"""Read HDF5 files: published Galaxy10, galfeat's simulations, and others by name.

The file contains ``images``, shape (n, H, W, 3), (n, 3, H, W) or (n, H, W), and data sets with
one value per image: ``ans`` (the class, or one-hot classes, shape (n, k)), ``ra``, ``dec``,
``group_id``, ``source``. Names of the
classes 0, 1, ... come from an attribute ``class_names`` of the label data set or of the
file. Without it, Galaxy10 files are recognised by a data set ``ans`` with values from 0 to 9
only and images of 256 or 69 pixels.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.catalogue.catalogue import build_catalogue
from galfeat.data.catalogue.galaxy10 import GALAXY10_CLASSES
from galfeat.data.catalogue.labels import as_text, label_columns
from galfeat.data.dataset import DataSet, Image, row_numbers
from galfeat.data.limits import Budget
from galfeat.data.readers.arrays import find_images, number_rows
from galfeat.data.readers.chunks import MAX_ROW, ChunkedImages, unpacks_faster
from galfeat.data.readers.hdf5_file import HDF5File
from galfeat.data.readers.hdf5_storage import InflationCheck, one_file_errors
from galfeat.data.readers.pixels import (
    TOO_LARGE,
    channels_last,
    check_stack,
    full_scale_of,
    rgb_or_error,
)
from galfeat.errors import DataError, ImageError

CHUNK_CACHE = 64 * 2**20
"""Minimum bytes of decompressed chunks that HDF5 keeps; enough for a row of chunks if possible."""


SCALE_ROWS = 64
"""Number of images, from the first, in which the full scale of floats is found."""


class HDF5DataSet(DataSet):
    """Images in an HDF5 file, read in blocks of consecutive rows.

    The file is opened when first needed, and again in other processes or after pickling.

    Parameters
    ----------
    path : Path
    label, images : str, optional
        Names of the data sets, if not the usual ones.
    max_bytes : int, optional
        Maximum memory of the columns together, and of the images read at once; by default
        ``GALFEAT_MAX_BYTES``, or 4 GiB.

    Raises
    ------
    DataError
        If the file is damaged or needs other files, the data sets do not exist or exceed the
        memory, or the shape or dtype of the images is not supported by
        `galfeat.data.readers.to_rgb`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import h5py
    >>> import numpy as np
    >>> from galfeat.data.readers import HDF5DataSet
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "galaxies.h5")
    ...     with h5py.File(path, "w") as file:
    ...         file["images"] = np.zeros((2, 16, 16, 3), np.uint8)
    ...         file["ans"] = [1, 0]
    ...     HDF5DataSet(path).labels.tolist()
    [1, 0]
    """

    def __init__(
        self,
        path: Path,
        *,
        label: str | None = None,
        images: str | None = None,
        max_bytes: int | None = None,
    ) -> None:
        self._path = path
        self._file: h5py.File | None = None
        self._pixels: h5py.Dataset | None = None
        self._chunked: ChunkedImages | None = None
        self._process = -1
        self._full_scale: float | None = None
        budget = Budget(max_bytes)
        with one_file_errors(path):
            file = HDF5File(self._open(), path, budget)
            self._name = find_images(images, file, path)
            shape: tuple[int, ...] = file.data_set(self._name).shape or ()
            dtype = file.dtype(self._name)
            check_stack(f"{self._name!r} in {path}", shape, dtype)
            self._row_bytes = math.prod(shape[1:]) * dtype.itemsize
            Budget(budget.limit).take(self._row_bytes, f"one image of {self._name!r} in {path}")
            self._rows_at_once = budget.limit // self._row_bytes
            self._inflation = InflationCheck(file.data_set(self._name), budget.limit)
            ids = number_rows(shape[0], budget)
            labels = label_columns(file, label)
            catalogue = build_catalogue(
                ids,
                file,
                lambda name: file.column(name, len(ids), labels=name in labels),
                label=label,
                class_names=_class_names(file, label, shape),
                budget=budget,
            )
        super().__init__(catalogue)

    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        """Read sorted blocks of rows; see `DataSet.read`."""
        numbers = row_numbers(rows, len(self))
        unique_rows, inverse = np.unique(numbers, return_inverse=True)
        pixels = self._images()
        results: list[Image | ImageError] = []
        if self._chunked is not None:
            for start in range(0, len(unique_rows), self._rows_at_once):
                part = unique_rows[start : start + self._rows_at_once]
                results.extend(self._read_rows(partial(self._chunked.read, jobs=jobs), part))
        else:
            for start, stop in _blocks(unique_rows, self._rows_at_once):
                block = np.arange(start, stop)
                results.extend(self._read_rows(partial(self._read_block, pixels), block))
        return [results[index] for index in inverse]

    def _read_within(
        self, rows: NDArray[np.intp], jobs: int, max_bytes: int
    ) -> list[Image | ImageError]:
        """Read the first rows; see `DataSet._read_within`."""
        return self.read(rows[: max(1, max_bytes // self._row_bytes)], jobs)

    def _read_block(self, pixels: h5py.Dataset, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Read consecutive rows."""
        start, stop = int(rows[0]), int(rows[-1]) + 1
        self._inflation.check(pixels, start, stop)
        block: NDArray[Any] = pixels[start:stop]
        return block

    def _read_rows(
        self, read: Callable[[NDArray[np.intp]], NDArray[Any]], rows: NDArray[np.intp]
    ) -> list[Image | ImageError]:
        """Read rows at once, or one by one if that fails."""
        try:
            block = read(rows)
        except Exception as error:  # h5py raises nearly anything for a damaged file
            if len(rows) > 1:
                return [self._read_rows(read, rows[[index]])[0] for index in range(len(rows))]
            if isinstance(error, MemoryError):
                return [ImageError(f"row {rows[0]}: {TOO_LARGE}")]
            return [ImageError(f"row {rows[0]} cannot be read ({error}); fetch the file again")]
        if self._full_scale is None:
            self._full_scale = self._find_full_scale(read) if block.dtype.kind == "f" else 1.0
        return [
            rgb_or_error(image, f"row {row}: ", full_scale=self._full_scale)
            for row, image in zip(rows, block, strict=True)
        ]

    def _find_full_scale(self, read: Callable[[NDArray[np.intp]], NDArray[Any]]) -> float:
        """Return the full scale of float images, from the first ones."""
        first = min(SCALE_ROWS, self._rows_at_once, len(self))
        try:
            return full_scale_of(read(np.arange(first)))
        except Exception:  # h5py raises nearly anything; the rows get errors of their own
            return 1.0

    def _images(self) -> h5py.Dataset:
        """Return the open images, which are kept open: HDF5 keeps chunks with a data set."""
        file = self._open()
        if self._pixels is None:
            self._pixels = _open_images(file, self._name)
            self._chunked = ChunkedImages(self._pixels) if unpacks_faster(self._pixels) else None
        return self._pixels

    def _open(self) -> h5py.File:
        if self._file is None or self._process != os.getpid():
            with one_file_errors(self._path):
                self._file = h5py.File(self._path, "r", locking="best-effort")
            self._pixels = self._chunked = None
            self._process = os.getpid()
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        """Exclude the open file."""
        return self.__dict__ | {"_file": None, "_pixels": None, "_chunked": None}


def _open_images(file: h5py.File, name: str) -> h5py.Dataset:
    """Open a data set with a cache for a row of its chunks."""
    images = file[name]
    if not images.chunks:
        return images
    sides = zip(images.shape[1:], images.chunks[1:], strict=True)
    in_a_row = math.prod(-(-length // side) for length, side in sides)
    size = in_a_row * math.prod(images.chunks) * images.dtype.itemsize
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    # Neighbouring chunks have consecutive numbers, so twice as many slots cause no collisions.
    access.set_chunk_cache(2 * in_a_row + 1, max(CHUNK_CACHE, min(size, MAX_ROW)), 1.0)
    return h5py.Dataset(h5py.h5d.open(file.id, name.encode(), access))


def _class_names(file: HDF5File, label: str | None, shape: tuple[int, ...]) -> Sequence[str] | None:
    columns = label_columns(file, label)
    if not columns:
        return None
    names = file.class_names(columns[0])
    if names is not None:
        return as_text(names, "class_names")
    known = GALAXY10_CLASSES.get(channels_last(shape[1:])) if columns[0] == "ans" else None
    if known is None or (file.data_set("ans").shape or ())[:1] != shape[:1]:
        return None
    try:
        classes = file.column("ans", shape[0], labels=True)
    except DataError:
        return None  # reading the labels raises it again
    return known if np.isin(classes, np.arange(len(known))).all() else None


def _blocks(rows: NDArray[np.intp], longest: int) -> Iterator[tuple[int, int]]:
    """Split sorted row numbers into consecutive runs (start, stop), none too long."""
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        if run.size:
            for start in range(int(run[0]), int(run[-1]) + 1, longest):
                yield start, min(start + longest, int(run[-1]) + 1)
