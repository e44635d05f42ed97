"""Large arrays in temporary files instead of memory."""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from galfeat.errors import OutputError

#: Arrays of fewer bytes stay in memory.
MINIMUM = 32 * 2**20
#: Bytes copied at a time.
_COPIED = 16 * 2**20

_folder: Path | None = None


@contextlib.contextmanager
def scratch_folder(folder: str | Path) -> Iterator[None]:
    """Keep large tables of features that are created in a block in temporary files.

    The files have no names: the system removes them when their arrays are no longer used, also
    after a crash. Results do not change. The folder is that of the whole process.

    Parameters
    ----------
    folder : str or Path
        An existing folder on a disk with space for the tables: 86 kB per galaxy and copy for
        pipelines with the family `planes`.

    Examples
    --------
    >>> import tempfile
    >>> from galfeat import GalaxyClassifier
    >>> from galfeat.storage import scratch_folder
    >>> with tempfile.TemporaryDirectory() as folder, scratch_folder(folder):
    ...     classifier = GalaxyClassifier("stacking-network")  # ... and fit it
    """
    global _folder
    previous, _folder = _folder, Path(folder)
    try:
        yield
    finally:
        _folder = previous


def current_folder() -> Path | None:
    """Return the folder of `scratch_folder`, or None outside of its blocks."""
    return _folder


def large_array(shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Return a new array, in a temporary file if it is large and within `scratch_folder`.

    Returns
    -------
    ndarray
        Not initialised.

    Raises
    ------
    OutputError
        If the folder has no space for it.
    """
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    if _folder is None or size < MINIMUM:
        return np.empty(shape, kind)
    try:
        with tempfile.TemporaryFile(dir=_folder) as file:
            _reserve(file.fileno(), size)
            return np.frombuffer(mmap.mmap(file.fileno(), size), kind).reshape(shape)
    except OSError as error:
        raise OutputError(
            f"cannot keep {size / 1e9:.1f} GB of features in {_folder}: "
            f"{error.strerror or error}; free some space or write to another disk"
        ) from error


def take(
    table: NDArray[Any], rows: NDArray[np.intp], columns: NDArray[np.intp] | None = None
) -> NDArray[Any]:
    """Return rows of a table, or of some of its columns, as a new `large_array`.

    Parameters
    ----------
    table : ndarray, shape (n, d)
    rows : ndarray of int, shape (m,)
    columns : ndarray of int, shape (k,), optional
        All by default.

    Returns
    -------
    ndarray, shape (m, k)
    """
    width = table.shape[1] if columns is None else len(columns)
    result = large_array((len(rows), width), table.dtype)
    step = max(1, _COPIED // max(table.shape[1] * table.itemsize, 1))
    for start in range(0, len(rows), step):
        part = table[rows[start : start + step]]
        result[start : start + step] = part if columns is None else part[:, columns]
    return result


def _reserve(descriptor: int, size: int) -> None:
    """Allocate the space of a file: a full disk later would end the process with a signal."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    zeros = bytes(2**20)
    for start in range(0, size, len(zeros)):
        os.write(descriptor, zeros[: size - start])
