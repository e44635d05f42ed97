"""Read text of variable length from an HDF5 file, in a process of its own.

The HDF5 library may crash or never return when it reads text of variable length in a damaged
file. This file is run by itself, and imports nothing else of galfeat, to start fast.
"""

from __future__ import annotations

import contextlib
import json
import sys

import h5py

ROWS = 4096
"""Number of texts that are read at once."""

MARGIN = 2**30
"""Bytes of memory for the process besides the text."""


def read_text(path: str, name: str, attribute: str, limit: int) -> list[str]:
    """Return the text of a data set, or of its attribute unless that is empty.

    Raises
    ------
    MemoryError
        If the text takes more than `limit` bytes.
    """
    with h5py.File(path, "r", locking="best-effort") as file:
        if attribute:
            values = file[name].attrs[attribute]
            return [_decoded(value) for value in ([values] if isinstance(values, str) else values)]
        data_set = file[name]
        texts: list[str] = []
        for start in range(0, len(data_set), ROWS):
            texts += [_decoded(value) for value in data_set[start : start + ROWS]]
            limit -= sum(map(sys.getsizeof, texts[start:]))
            if limit < 0:
                raise MemoryError
        return texts


def _decoded(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _limit_memory(limit: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        soft = 2 * limit + MARGIN
        resource.setrlimit(resource.RLIMIT_AS, (soft if hard < 0 else min(soft, hard), hard))


def main(path: str, name: str, attribute: str, limit: str) -> None:
    """Print the text as JSON: a list, or an error as text."""
    _limit_memory(int(limit))
    result: list[str] | str
    try:
        result = read_text(path, name, attribute, int(limit))
    except MemoryError:
        result = "its text takes too much memory"
    except Exception as error:  # h5py raises nearly anything for a damaged file
        result = str(error) or type(error).__name__
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
