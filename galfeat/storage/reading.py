"""Reading of files from others, with limits on size, nesting and memory."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import math
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

#: Maximum depth of a JSON file, and number of brackets and commas in it: a value of two
#: characters takes up to a hundred times as much memory.
_MAX_DEPTH, _MAX_VALUES = 100, 5_000_000
#: Maximum size, in bytes, of an archive's list of members.
_MAX_LIST = 2**23
#: Bytes per byte of an archive, beyond a constant; real tables unpack to a tenth of this.
_MAX_RATIO, _RATIO_FREE = 100, 2**24
_END, _END_SIZE, _END_64 = b"PK\x05\x06", 22, b"PK\x06\x07"


@contextlib.contextmanager
def open_regular(path: Path, limit: int) -> Iterator[io.BufferedReader]:
    """Open a regular file of limited size for reading.

    Pipes and devices, which could block or be endless, are refused; symbolic links are followed.

    Raises
    ------
    OSError
        If it cannot be opened, is no regular file, or has more than `limit` bytes.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if status.st_size > limit:
            raise OSError(
                errno.EINVAL, f"it has {status.st_size:,} bytes; expected at most {limit:,}"
            )
        yield stream


def read_regular(path: Path, limit: int) -> bytes:
    """Return the contents of a file; see `open_regular`."""
    with open_regular(path, limit) as stream:
        return stream.read(os.fstat(stream.fileno()).st_size)


def file_digest(path: Path, limit: int) -> str:
    """Return the hexadecimal SHA-256 of a file; see `open_regular`."""
    with open_regular(path, limit) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def parse_json(content: bytes) -> Any:  # noqa: ANN401
    """Parse JSON.

    Raises
    ------
    ValueError
        If it is not JSON, nested too deeply, or has too many values.

    Examples
    --------
    >>> from galfeat.storage.reading import parse_json
    >>> parse_json(b"[" * 1000 + b"]" * 1000)
    Traceback (most recent call last):
    ValueError: nested more than 100 levels deep
    """
    if sum(map(content.count, (b"[", b"{", b","))) > _MAX_VALUES:
        raise ValueError(f"it has more than {_MAX_VALUES:,} values")
    deep = f"nested more than {_MAX_DEPTH} levels deep"
    try:
        value = json.loads(content)
    except RecursionError as error:
        raise ValueError(deep) from error
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            item
            for container in level
            if isinstance(container, dict | list)
            for item in (container.values() if isinstance(container, dict) else container)
        ]
        if not level:
            return value
    raise ValueError(deep)


def unpack(content: bytes, limit: int) -> dict[str, bytes]:
    """Return the members of a ZIP archive as written by numpy or skops.

    Sizes are checked before anything is unpacked, and no member can exceed its stated size.

    Parameters
    ----------
    content : bytes
    limit : int
        Maximum total size of the unpacked members, in bytes.

    Raises
    ------
    ValueError
        If it is not such an archive, is damaged, or would unpack to more than `limit`, or to
        an implausible multiple of its own size.
    """
    end = content[-_END_SIZE:]
    # zipfile builds its list of members from what these fields state.
    if len(end) < _END_SIZE or end[:4] != _END or end[-2:] != b"\0\0":
        raise ValueError("it is not a ZIP archive")
    before = content[-_END_SIZE - 20 : -_END_SIZE]
    if before[:4] == _END_64 or int.from_bytes(end[12:16], "little") > _MAX_LIST:
        raise ValueError("it is an archive of too many members")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_members(members, min(limit, _MAX_RATIO * len(content) + _RATIO_FREE))
            unpacked = {}
            for member in members:
                with archive.open(member) as stream:
                    unpacked[member.filename] = stream.read(member.file_size)
                if len(unpacked[member.filename]) != member.file_size:
                    raise ValueError(f"{member.filename} is incomplete")
            return unpacked
    except ValueError:
        raise
    except Exception as error:  # damaged archives raise errors of many types
        raise ValueError(f"it is damaged: {error}") from error


def _check_members(members: list[zipfile.ZipInfo], limit: int) -> None:
    if len({member.filename for member in members}) != len(members):
        raise ValueError("it has several members of one name")
    for member in members:
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{member.filename} is compressed in an unexpected way")
    total = sum(member.file_size for member in members)
    if total > limit:
        raise ValueError(f"it unpacks to {total:,} bytes; expected at most {limit:,}")


def check_array(content: bytes) -> None:
    """Check that the header of an array in numpy's format describes as many bytes as follow.

    Raises
    ------
    ValueError
        If not, or if it is no such array, or an array of Python objects.
    """
    stream = io.BytesIO(content)
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(stream)
    except Exception as error:  # a damaged header is parsed as Python source
        raise ValueError(f"it is not an array: {error}") from error
    if version not in ((1, 0), (2, 0)) or dtype.hasobject or dtype.itemsize == 0:
        raise ValueError("it is not an array of plain numbers or text")
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes != len(content) - stream.tell():
        raise ValueError(
            f"its header states {n_bytes:,} bytes and {len(content) - stream.tell():,} follow"
        )


def unpack_arrays(content: bytes, limit: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz`` file, by name.

    Raises
    ------
    ValueError
        As in `unpack` and `check_array`.
    """
    arrays = {}
    for name, member in unpack(content, limit).items():
        check_array(member)
        arrays[name.removesuffix(".npy")] = np.load(io.BytesIO(member), allow_pickle=False)
    return arrays
