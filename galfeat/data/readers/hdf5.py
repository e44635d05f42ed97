"""Read HDF5 files: published Galaxy10, galfeat's simulations, and others by name.

The file contains ``images``, shape (n, H, W, 3) or (n, H, W), and data sets with one value
per image: ``ans`` (the class), ``ra``, ``dec``, ``group_id``, ``source``. Names of the
classes 0, 1, ... come from an attribute ``class_names`` of the label data set or of the
file. Without it, Galaxy10 files are recognised by a data set ``ans`` with values from 0 to 9
only and images of 256 or 69 pixels.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.catalogue.catalogue import build_catalogue
from galfeat.data.catalogue.galaxy10 import GALAXY10_CLASSES
from galfeat.data.catalogue.labels import DEFAULT_COLUMNS
from galfeat.data.dataset import DataSet, Image, row_numbers
from galfeat.data.readers.arrays import find_images
from galfeat.data.readers.pixels import check_stack, rgb_or_error
from galfeat.errors import DataError, ImageError

CHUNK_CACHE = 64 * 2**20
"""Bytes; a compressed chunk shared by two blocks is decompressed only once."""


class HDF5DataSet(DataSet):
    """Images in an HDF5 file, read in blocks of consecutive rows.

    The file is opened when first needed, and again in other processes or after pickling.

    Parameters
    ----------
    path : Path
    label, images : str, optional
        Names of the data sets, if not the usual ones.

    Raises
    ------
    DataError
        If the file is damaged, the data sets do not exist, or the shape or dtype of the
        images is not supported by `galfeat.data.readers.to_rgb`.

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
    ) -> None:
        self._path = path
        self._file: h5py.File | None = None
        self._process = -1
        file = self._open()
        columns = _data_sets(file)
        self._name = find_images(images, columns, path)
        pixels = file[self._name]
        check_stack(f"{self._name!r} in {path}", pixels.shape, pixels.dtype)
        catalogue = build_catalogue(
            np.arange(len(pixels)).astype(np.str_),
            columns,
            lambda name: file[name][()],
            label=label,
            class_names=_class_names(file, label, columns, pixels.shape),
        )
        super().__init__(catalogue)

    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        """Read sorted blocks of rows; see `DataSet.read`."""
        numbers = row_numbers(rows, len(self))
        unique_rows, inverse = np.unique(numbers, return_inverse=True)
        pixels = self._open()[self._name]
        results: list[Image | ImageError] = []
        for start, stop in _blocks(unique_rows):
            results.extend(_read_block(pixels, start, stop))
        return [results[index] for index in inverse]

    def _open(self) -> h5py.File:
        if self._file is None or self._process != os.getpid():
            try:
                self._file = h5py.File(
                    self._path, "r", rdcc_nbytes=CHUNK_CACHE, locking="best-effort"
                )
            except OSError as error:
                raise DataError(
                    f"{self._path} is not a complete HDF5 file ({error}); fetch or copy it again"
                ) from error
            self._process = os.getpid()
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        """Exclude the open file."""
        return self.__dict__ | {"_file": None}


def _data_sets(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visititems(
        lambda name, node: names.append(name) if isinstance(node, h5py.Dataset) else None
    )
    return names


def _class_names(
    file: h5py.File, label: str | None, columns: list[str], shape: tuple[int, ...]
) -> Sequence[str] | None:
    column = label or next((name for name in DEFAULT_COLUMNS if name in columns), None)
    if column not in columns:
        return None
    for holder in (file[column], file):
        if "class_names" in holder.attrs:
            names = np.asarray(holder.attrs["class_names"]).reshape(-1)
            return [n.decode() if isinstance(n, bytes) else str(n) for n in names]
    known = GALAXY10_CLASSES.get(shape[1:]) if column == "ans" else None
    return known if known and np.isin(file["ans"][()], np.arange(len(known))).all() else None


def _blocks(rows: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """Split sorted row numbers into consecutive runs (start, stop)."""
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        if run.size:
            yield int(run[0]), int(run[-1]) + 1


def _read_block(pixels: h5py.Dataset, start: int, stop: int) -> list[Image | ImageError]:
    try:
        block = pixels[start:stop]
    except OSError as error:
        if stop - start == 1:
            return [ImageError(f"row {start} cannot be read ({error}); fetch the file again")]
        return [_read_block(pixels, row, row + 1)[0] for row in range(start, stop)]
    return [rgb_or_error(image, f"row {start + row}: ") for row, image in enumerate(block)]
