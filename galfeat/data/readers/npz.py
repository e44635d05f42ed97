"""Read ``.npz`` files, after comparing the sizes in their headers with a limit."""

from __future__ import annotations

import contextlib
import math
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from galfeat.data.catalogue.catalogue import build_catalogue, check_length
from galfeat.data.catalogue.labels import as_text, label_columns
from galfeat.data.dataset import DataSet
from galfeat.data.limits import MAX_CLASSES, Budget
from galfeat.data.readers.arrays import (
    InMemoryDataSet,
    find_images,
    is_column,
    number_rows,
    one_per_row,
)
from galfeat.data.readers.pixels import check_stack
from galfeat.errors import DataError, GalfeatError

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def open_npz(
    path: Path,
    *,
    label: str | None = None,
    images: str | None = None,
    max_bytes: int | None = None,
) -> DataSet:
    """Read a ``.npz`` file into memory.

    Arrays have the names of the data sets in an HDF5 file, see `galfeat.data.readers.hdf5`;
    ``class_names`` may be an array of text. Other arrays are not read. The arrays take at most
    `max_bytes` of memory, by default ``GALFEAT_MAX_BYTES``, or 4 GiB.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from galfeat.data.readers import open_npz
    >>> np.savez("galaxies.npz", images=np.zeros((3, 16, 16, 3), np.uint8), ans=[0, 1, 0])
    >>> len(open_npz(Path("galaxies.npz")))
    3
    """
    budget = Budget(max_bytes)
    with _one_file_errors(path), path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
        file = _NpzFile(archive, path, budget)
        name = find_images(images, file, path)
        form = file.form(name)
        check_stack(f"{name!r} in {path}", form.shape, form.dtype)
        pixels = file.read(name)
        ids = number_rows(len(pixels), budget)

        def column(name: str) -> NDArray[Any]:
            shape = file.form(name).shape
            labels = name in label_columns(file, label)
            if not is_column(shape, len(ids), labels=labels):
                check_length(name, shape, len(ids))
            return one_per_row(name, file.read(name), len(ids), labels=labels)

        catalogue = build_catalogue(
            ids, file, column, label=label, class_names=_class_names(file, path), budget=budget
        )
    return InMemoryDataSet(pixels, catalogue)


@contextlib.contextmanager
def _one_file_errors(path: Path) -> Iterator[None]:
    """Raise DataError for anything that zipfile and numpy raise for a damaged file."""
    try:
        yield
    except (GalfeatError, MemoryError, Warning):
        raise
    except Exception as error:  # zipfile and numpy raise nearly anything for a damaged file
        raise DataError(f"{path} is not a complete .npz file of plain arrays ({error})") from error


class _Form(NamedTuple):
    """Shape and type of an array, from its header."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class _NpzFile(Collection[str]):
    """The names of the arrays of an open file, their forms and their content."""

    def __init__(self, archive: zipfile.ZipFile, path: Path, budget: Budget) -> None:
        self._archive, self._path, self._budget = archive, path, budget
        self._members: dict[str, list[zipfile.ZipInfo]] = defaultdict(list)
        for member in archive.infolist():
            self._members[member.filename.removesuffix(".npy")].append(member)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def form(self, name: str) -> _Form:
        """Read the header of an array."""
        with self._opened(name) as stream:
            form = self._read_header(name, stream)
            missing = stream.tell() + self._size(form) - self._member(name).file_size
        if missing > 0:
            raise DataError(
                f"{name!r} in {self._path} has shape {form.shape} and type {form.dtype}, but "
                f"{missing:,} of its bytes are missing; write or copy the file again"
            )
        return form

    def read(self, name: str) -> NDArray[Any]:
        """Read an array; take its memory from the budget."""
        self._budget.take(self._size(self.form(name)), f"{name!r} in {self._path}")
        with self._opened(name) as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array: NDArray[Any] = npy.read_array(stream, allow_pickle=False)
        return array

    def _member(self, name: str) -> zipfile.ZipInfo:
        members = self._members[name]
        if len(members) > 1:
            names = " and ".join(repr(member.filename) for member in members[:2])
            raise DataError(
                f"{self._path} holds {len(members)} arrays named {name!r} ({names}); keep one"
            )
        if members[0].compress_type not in _METHODS:
            raise DataError(
                f"{name!r} in {self._path} is compressed in a way that NumPy does not write; "
                "write it with numpy.savez_compressed"
            )
        return members[0]

    def _opened(self, name: str) -> BinaryIO:
        return cast(BinaryIO, self._archive.open(self._member(name)))

    def _read_header(self, name: str, stream: BinaryIO) -> _Form:
        readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                shape, _, dtype = readers[npy.read_magic(stream)](stream)
            except Exception as error:  # numpy raises nearly anything for a damaged header
                raise DataError(
                    f"{self._path} is not a complete .npz file of plain arrays: {name!r} is not an "
                    f"array of numbers or text ({error})"
                ) from error
        if dtype.hasobject or min(shape, default=0) < 0:
            raise DataError(
                f"{self._path} is not a complete .npz file of plain arrays: {name!r} has type "
                f"{dtype} and shape {shape}; expected numbers or text"
            )
        return _Form(shape, dtype)

    @staticmethod
    def _size(form: _Form) -> int:
        return math.prod(form.shape) * form.dtype.itemsize


def _class_names(file: _NpzFile, path: Path) -> Sequence[str] | None:
    if "class_names" not in file:
        return None
    shape = file.form("class_names").shape
    if len(shape) > 1 or math.prod(shape) > MAX_CLASSES:
        raise DataError(
            f"'class_names' in {path} has shape {shape}; expected a list of at most "
            f"{MAX_CLASSES:,} names"
        )
    return as_text(np.atleast_1d(file.read("class_names")), "class_names") or None
