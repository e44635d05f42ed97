"""HDF5 files: Galaxy10 as published, galfeat's own simulations, and others by name.

The file holds ``images``, shape (n, H, W, 3) or (n, H, W), and beside it one value per
image in ``ans`` (the class), ``ra``, ``dec``, ``group_id``, ``source``. Names of the
classes 0, 1, ... come from an attribute ``class_names`` (of the label data set or of the
file); without it, Galaxy10 files are known by their data set ``ans`` with nothing but 0 to
9 in it and images of 256 or 69 pixels.
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
"""Bytes; a compressed chunk that is met again in the next block is not unpacked twice."""


class HDF5DataSet(DataSet):
    """Images in an HDF5 file, read in blocks of neighbouring rows.

    The file is opened when first needed, and anew in another process or after pickling.

    Parameters
    ----------
    path : Path
    label, images : str, optional
        Names of data sets where they are not the usual ones.

    Raises
    ------
    DataError
        If the file is damaged or has no such data sets, or images have another shape or
        type than `galfeat.data.readers.pixels.to_rgb` takes.
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
        wanted, places = np.unique(numbers, return_inverse=True)
        pixels = self._open()[self._name]
        found: list[Image | ImageError] = []
        for start, stop in _blocks(wanted):
            found.extend(_read_block(pixels, start, stop))
        return [found[place] for place in places]

    def _open(self) -> h5py.File:
        if self._file is None or self._process != os.getpid():
            try:
                self._file = h5py.File(
                    self._path, "r", rdcc_nbytes=CHUNK_CACHE, locking="best-effort"
                )
            except OSError as error:
                raise DataError(
                    f"{self._path} is no whole HDF5 file ({error}); fetch or copy it again"
                ) from error
            self._process = os.getpid()
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open file behind."""
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
    """Cut sorted row numbers into runs of neighbours: (start, stop)."""
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        if run.size:
            yield int(run[0]), int(run[-1]) + 1


def _read_block(pixels: h5py.Dataset, start: int, stop: int) -> list[Image | ImageError]:
    try:
        block = pixels[start:stop]
    except OSError as error:
        if stop - start == 1:
            return [ImageError(f"row {start} cannot be read ({error}); fetch the file again")]
        return [one for row in range(start, stop) for one in _read_block(pixels, row, row + 1)]
    return [rgb_or_error(image, f"row {start + place}: ") for place, image in enumerate(block)]
