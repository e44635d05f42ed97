"""The cache of a compiled kernel on disk, which survives damage and several writers."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import xxhash
from numba.core.serialize import dumps


class CompiledFiles:
    """The compiled code of a kernel: one file for each signature.

    A file starts with its checksum and contains its key, so that damaged files are detected and
    processes can write at the same time. numba's own files are an index and numbered entries,
    which processes overwrite, and a damaged one is an error in every later process.
    """

    def __init__(self, folder: Path, kernel_name: str, stamp: object) -> None:
        self._folder, self._kernel_name, self._stamp = folder, kernel_name, stamp

    def load(self, key: object) -> Any:  # noqa: ANN401
        """Return the data of a key, or None if there are none.

        Raises
        ------
        Exception
            Of any type, if the file cannot be read.
        """
        try:
            content = memoryview(self._path(key).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        if xxhash.xxh3_128_digest(content[16:]) != content[:16]:
            raise ValueError("wrong checksum")
        stamp, stored_key, data = pickle.loads(content[16:])
        return data if (stamp, stored_key) == (self._stamp, key) else None

    def save(self, key: object, data: object) -> None:
        """Write the data of a key, replacing whatever is in the way.

        Raises
        ------
        OSError
        """
        content = dumps((self._stamp, key, data))
        content = xxhash.xxh3_128_digest(content) + content
        path = self._path(key)
        try:
            self._write(path, content)
        except OSError:
            self._clear(path)
            self._write(path, content)

    def _path(self, key: object) -> Path:
        digest = xxhash.xxh3_64_hexdigest(repr(key).encode())
        return self._folder / f"{self._kernel_name}.{digest}.nbc"

    def _write(self, path: Path, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(path)
        with temporary.open("ab") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # another process is writing the same code
            except OSError:
                pass  # a file system without locks: the checksum detects mixed writes
            try:
                if not os.path.samestat(temporary.stat(), os.fstat(stream.fileno())):
                    return
            except FileNotFoundError:
                return  # another process has just written it
            stream.truncate(0)  # the rest of a process that was killed
            stream.write(content)
            stream.flush()
            temporary.replace(path)

    def _clear(self, path: Path) -> None:
        """Remove what prevents writing: a file for a folder, a folder for a file."""
        if self._folder.is_file():
            self._folder.unlink()
            return
        for obstacle in (path, _temporary(path)):
            if obstacle.is_dir():
                shutil.rmtree(obstacle)
            else:
                obstacle.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    return path.with_name(path.name + ".tmp")
