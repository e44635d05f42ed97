"""Find the data sets of an HDF5 file and check them before anything is read."""

from __future__ import annotations

import json
import math
import struct
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from galfeat.data.catalogue.catalogue import check_length
from galfeat.data.limits import MAX_CLASSES, Budget, listed
from galfeat.data.readers import hdf5_text
from galfeat.data.readers.arrays import is_column, one_per_row
from galfeat.data.readers.hdf5_heap import TextHeap, UnknownLayoutError
from galfeat.data.readers.hdf5_storage import InflationCheck, check_storage, find_data_set
from galfeat.errors import DataError

MAX_NAMES = 1000
"""Number of data sets listed in messages."""

_SECONDS, _SECONDS_PER_TEXT = 20, 1e-4


class HDF5File(Collection[str]):
    """The names of the data sets of an open file, and their checked content.

    Only content of the file itself is read: soft links within the file are followed, external
    links and external storage are errors, and virtual data sets are read if their sources are
    files in the same folder or below.

    Parameters
    ----------
    file : h5py.File
    path : Path
        For messages, and the folder of virtual sources.
    budget : Budget
    """

    def __init__(self, file: h5py.File, path: Path, budget: Budget) -> None:
        self._file, self._path, self._budget = file, path, budget
        self._names: list[str] | None = None
        self._checked: set[str] = set()

    def __contains__(self, name: object) -> bool:
        """Return whether a data set has this name."""
        return isinstance(name, str) and self._find(name) is not None

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the first data sets, at most `MAX_NAMES`."""
        if self._names is None:
            names: list[str] = []

            def visit(name: str, node: object) -> bool | None:
                if isinstance(node, h5py.Dataset):
                    names.append(name)
                return True if len(names) == MAX_NAMES else None

            self._file.visititems(visit)
            self._names = names
        return iter(self._names)

    def __len__(self) -> int:
        """Return the number of names in an iteration."""
        return len(list(iter(self)))

    def data_set(self, name: str) -> h5py.Dataset:
        """Return a data set whose content can be read safely.

        Raises
        ------
        DataError
            If there is none, or it cannot; see `check_storage`.
        """
        found = self._find(name)
        if found is None:
            raise DataError(f"{self._path} has no data set {name!r}; it holds {listed(self)}")
        if name not in self._checked:
            check_storage(found, name, self._path, self._budget.limit)
            self._checked.add(name)
        return found

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of a data set."""
        try:
            dtype: np.dtype[Any] = self.data_set(name).dtype
        except TypeError as error:
            raise DataError(
                f"{name!r} in {self._path} has an HDF5 type that NumPy lacks ({error}); expected "
                "integers, floats or text"
            ) from error
        return dtype

    def column(self, name: str, length: int, *, labels: bool = False) -> NDArray[Any]:
        """Read a data set of `length` numbers or texts, or one-hot `labels`.

        Raises
        ------
        DataError
            If it has another shape or type, or takes more memory than the budget has.
        """
        data_set, dtype, what = self.data_set(name), self.dtype(name), f"column {name!r}"
        text = h5py.check_string_dtype(dtype)
        shape: tuple[int, ...] = data_set.shape or ()
        if text is not None or not is_column(shape, length, labels=labels):
            check_length(name, data_set.shape, length)
        if text is None and dtype.kind not in "biuf":
            described = "references or lists" if dtype.kind == "O" else f"type {dtype}"
            raise DataError(f"{what} has {described}; expected text, integers or floats")
        if text is None or text.length is not None:
            self._budget.take(dtype.itemsize * math.prod(shape), f"{what} of {length:,} rows")
            InflationCheck(data_set, self._budget.limit).check(data_set, 0, length)
            return one_per_row(name, np.asarray(data_set[()]), length, labels=labels)
        return self._variable_text(data_set, "", length)

    def class_names(self, *holders: str) -> NDArray[Any] | None:
        """Return the attribute ``class_names`` of the first data set that has it, or the file."""
        for holder in (*map(self._find, holders), self._file):
            if holder is not None and "class_names" in holder.attrs:
                attribute = holder.attrs.get_id("class_names")
                shape, dtype = attribute.shape, np.dtype(attribute.dtype)
                text = h5py.check_string_dtype(dtype)
                if shape is None or len(shape) > 1 or math.prod(shape) > MAX_CLASSES:
                    raise DataError(
                        f"the attribute 'class_names' in {self._path} has shape {shape}; expected "
                        f"a list of at most {MAX_CLASSES:,} names"
                    )
                if text is None and dtype.kind not in "iuf":
                    raise DataError(
                        f"the attribute 'class_names' in {self._path} has type {dtype}; expected "
                        "text"
                    )
                if text is not None and text.length is None:
                    return self._variable_text(holder, "class_names", math.prod(shape))
                size = dtype.itemsize * math.prod(shape)
                self._budget.check(size, f"the attribute 'class_names' in {self._path}")
                return np.atleast_1d(np.asarray(holder.attrs["class_names"]))
        return None

    def _find(self, name: str) -> h5py.Dataset | None:
        return find_data_set(self._file, self._path, name)

    def _variable_text(self, holder: h5py.HLObject, attribute: str, count: int) -> NDArray[Any]:
        """Read `count` texts of variable length, of a data set or of its attribute."""
        what = f"{attribute or holder.name!r} in {self._path}"
        text = self._text_decoded(holder, attribute, count, what)
        if text is None:
            where = str(self._path), holder.name, attribute
            text = _text_by_process(where, self._budget.left, count, what)
        self._budget.take(sum(map(sys.getsizeof, text)), what)
        return np.array(text, dtype=object)

    def _text_decoded(
        self,
        holder: h5py.HLObject,
        attribute: str,
        count: int,
        what: str,
    ) -> list[str] | None:
        """Return text in a common layout, or None."""
        sizes = self._file.id.get_create_plist().get_sizes()
        if sizes != (8, 8) or self._file.userblock_size or self._file.driver != "sec2":
            return None
        try:
            with TextHeap(self._path, self._budget, what) as heap:
                if attribute:
                    return heap.attribute(h5py.h5o.get_info(holder.id).addr, attribute, count)
                return heap.column(holder, count)
        except (UnknownLayoutError, struct.error):
            return None


def _text_by_process(where: tuple[str, ...], limit: int, count: int, what: str) -> list[str]:
    """Read text in another process, which a damaged file may stop."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", hdf5_text.__file__, *where, str(limit)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS + count * _SECONDS_PER_TEXT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(
            f"{what} cannot be read, the HDF5 library did not return; fetch or copy the file again"
        ) from error
    if done.returncode != 0:
        raise DataError(
            f"{what} cannot be read, the HDF5 library failed ({done.returncode}); fetch or copy "
            "the file again"
        )
    text: list[str] | str = json.loads(done.stdout)
    if isinstance(text, str):
        raise DataError(f"{what} cannot be read ({text}); fetch or copy the file again")
    return text
