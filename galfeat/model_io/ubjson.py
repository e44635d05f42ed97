"""Parse XGBoost's model files, in the subset of Universal Binary JSON that it writes."""

from __future__ import annotations

from typing import Any

import numpy as np

_MAX_DEPTH = 20
#: Big-endian numbers by their marker.
_NUMBERS: dict[bytes, np.dtype[Any]] = {
    b"i": np.dtype(">i1"),
    b"U": np.dtype(">u1"),
    b"I": np.dtype(">i2"),
    b"l": np.dtype(">i4"),
    b"L": np.dtype(">i8"),
    b"d": np.dtype(">f4"),
    b"D": np.dtype(">f8"),
}
_CONSTANTS = {b"Z": None, b"T": True, b"F": False}


def parse_ubjson(content: bytes) -> Any:  # noqa: ANN401
    """Return the parsed value; arrays of numbers of one type are ndarrays.

    Raises
    ------
    ValueError
        If the content is not a single value, or is nested too deeply.
    """
    reader = _Reader(content)
    value = reader.value(_MAX_DEPTH)
    if reader.position != len(content):
        raise ValueError("bytes follow the end of the model")
    return value


class _Reader:
    """A position in the content."""

    def __init__(self, content: bytes) -> None:
        self.content, self.position = content, 0

    def take(self, n_bytes: int) -> bytes:
        taken = self.content[self.position : self.position + n_bytes]
        if n_bytes < 0 or len(taken) != n_bytes:
            raise ValueError("a value is cut short")
        self.position += n_bytes
        return taken

    def value(self, depth: int) -> Any:  # noqa: ANN401
        marker = self.take(1)
        if not depth:
            raise ValueError("values are nested too deeply")
        if marker == b"{":
            return self.mapping(depth - 1)
        if marker == b"[":
            return self.array(depth - 1)
        if marker == b"S":
            return self.text()
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        return self.number(marker)

    def number(self, marker: bytes) -> int | float:
        kind = _NUMBERS.get(marker)
        if kind is None:
            raise ValueError(f"a value has the unknown type {marker!r}")
        number: int | float = np.frombuffer(self.take(kind.itemsize), kind)[0].item()
        return number

    def count(self) -> int:
        count = self.number(self.take(1))
        if not isinstance(count, int) or not 0 <= count <= len(self.content):
            raise ValueError("a value has an impossible length")
        return count

    def text(self) -> str:
        return self.take(self.count()).decode()

    def mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while self.content[self.position : self.position + 1] != b"}":
            key = self.text()
            if key in values:
                raise ValueError(f"the key {key[:40]!r} is repeated")
            values[key] = self.value(depth)
        self.position += 1
        return values

    def array(self, depth: int) -> Any:  # noqa: ANN401
        if self.content[self.position : self.position + 1] == b"$":
            kind = _NUMBERS.get(self.take(2)[1:])
            if kind is None or self.take(1) != b"#":
                raise ValueError("an array has an unknown type")
            count = self.count()
            return np.frombuffer(self.take(count * kind.itemsize), kind)
        if self.content[self.position : self.position + 1] == b"#":
            self.position += 1
            return [self.value(depth) for _ in range(self.count())]
        values = []
        while self.content[self.position : self.position + 1] != b"]":
            values.append(self.value(depth))
        self.position += 1
        return values
