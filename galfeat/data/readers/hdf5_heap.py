"""Decode text of variable length in the common layouts of HDF5 files, with all sizes checked.

The HDF5 library allocates what a reference to text declares, up to 4 GiB, and may never return
from a damaged heap. See *HDF5 File Format Specification* 3.0: III.E (global heap), IV.A.1.a
(version 1 object header) and IV.A.2.m (attribute message).
"""

from __future__ import annotations

import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import h5py

from galfeat.data.limits import Budget
from galfeat.errors import DataError

_REFERENCE = struct.Struct("<IQI")  # length, address of the collection, number in it
_OBJECT = struct.Struct("<H6xQ")  # number, length; the content follows
_MAX_BLOCKS = 64
_ATTRIBUTE, _CONTINUATION = 0x0C, 0x10


class UnknownLayoutError(Exception):
    """The text is stored in a way that is not decoded here."""


class TextHeap:
    """The text of a file, looked up by references; open the heap as a context manager.

    Parameters
    ----------
    path : Path
    budget : Budget
        Checked before text is decoded.
    what : str
        Beginning of error messages.

    Raises
    ------
    DataError
        By any method, if the text is damaged or exceeds the budget.
    UnknownLayoutError
        By any method, if the text may be intact but is not decoded here.
    """

    def __init__(self, path: Path, budget: Budget, what: str) -> None:
        self._path, self._budget, self._what = path, budget, what
        self._collections: dict[int, dict[int, bytes]] = {}

    def __enter__(self) -> TextHeap:
        """Open the file."""
        self._stream: BinaryIO = self._path.open("rb")
        self._end = self._unread = self._stream.seek(0, 2)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._stream.close()

    def column(self, data_set: h5py.Dataset, count: int) -> list[str]:
        """Return the text of a data set in one piece."""
        offset = data_set.id.get_offset()
        if offset is None or data_set.id.get_storage_size() != count * _REFERENCE.size:
            raise UnknownLayoutError
        return self._texts(self._read(offset, count * _REFERENCE.size))

    def attribute(self, header: int, name: str, count: int) -> list[str]:
        """Return the text of an attribute of the object with its header at an address."""
        found = self._attributes(header, name.encode())
        if len(found) != 1 or len(found[0]) < count * _REFERENCE.size:
            raise UnknownLayoutError
        return self._texts(found[0][: count * _REFERENCE.size])

    def _attributes(self, header: int, name: bytes) -> list[bytes]:
        """Return the data of the attributes of a name."""
        version, size = struct.unpack("<B7xI4x", self._read(header, 16))
        if version != 1:
            raise UnknownLayoutError
        found: list[bytes] = []
        blocks = [(header + 16, size)]
        for address, size in blocks:
            block = self._read(address, size)
            position = 0
            while position + 8 <= len(block):
                kind, size, flags = struct.unpack_from("<HHB", block, position)
                message = block[position + 8 : position + 8 + size]
                if kind == _CONTINUATION and len(message) >= 16 and len(blocks) < _MAX_BLOCKS:
                    blocks.append(struct.unpack_from("<QQ", message))
                elif kind == _ATTRIBUTE and len(message) >= 8:
                    version, name_size, *sizes = struct.unpack_from("<BxHHH", message)
                    if version != 1 or flags & 2:
                        raise UnknownLayoutError
                    if message[8 : 8 + name_size].rstrip(b"\0") == name:
                        start = 8 + sum(map(_padded, (name_size, *sizes)))
                        found.append(message[start:])
                position += 8 + size
        return found

    def _texts(self, references: bytes) -> list[str]:
        wanted = list(_REFERENCE.iter_unpack(references))
        self._budget.check(sum(length for length, _, _ in wanted), self._what)
        texts: list[str] = []
        for length, address, number in wanted:
            if length == 0:
                texts.append("")
                continue
            objects = self._collections.get(address)
            if objects is None:
                objects = self._collections[address] = self._collection(address)
            text = objects.get(number)
            if text is None or len(text) != length:
                raise self._damaged()
            texts.append(text.decode("utf-8", "replace"))
        return texts

    def _collection(self, address: int) -> dict[int, bytes]:
        """Return the objects of a collection by their numbers."""
        signature, size = struct.unpack("<8sQ", self._read(address, 16))
        if not signature.startswith(b"GCOL\1") or size > self._unread:
            raise self._damaged()
        self._unread -= size  # collections do not overlap in an intact file
        content = self._read(address, size)
        objects: dict[int, bytes] = {}
        position = 16
        while position + 16 <= len(content):
            number, length = _OBJECT.unpack_from(content, position)
            if number == 0:  # free space, up to the end
                break
            start, end = position + 16, position + 16 + length
            if end > len(content):
                raise self._damaged()
            objects[number] = content[start:end]
            position = (end + 7) & ~7
        return objects

    def _read(self, address: int, size: int) -> bytes:
        if address + size > self._end:
            raise self._damaged()
        self._stream.seek(address)
        return self._stream.read(size)

    def _damaged(self) -> DataError:
        return DataError(f"{self._what} is damaged; fetch or copy the file again")


def _padded(size: int) -> int:
    return (size + 7) // 8 * 8
