"""Features kept on disk by the content of the image, so that nothing is measured twice."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import OutputError


class FeatureCache:
    """Feature rows by pixel digest, in one SQLite file per set of columns and of kernels.

    A changed kernel, another choice of families or another version of galfeat opens another
    file, so a stored row is never stale. SQLite keeps it whole when a run is killed, or when
    two write at once.

    Parameters
    ----------
    folder : str, Path or None
        Where the files lie; made if missing. None keeps nothing.
    names : sequence of str
        The columns of a row.
    state : str
        What else the values depend on: digests of the networks among the families.
    frame : bool
        Whether the features were measured in the canonical frame.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """

    def __init__(
        self, folder: str | Path | None, names: Sequence[str], *, frame: bool, state: str = ""
    ) -> None:
        self._connection: sqlite3.Connection | None = None
        self._width = len(names)
        if folder is None:
            return
        from galfeat import __version__
        from galfeat.kernels import source_digest

        key = "\n".join([__version__, source_digest(), str(frame), state, *names])
        file = f"features-{hashlib.sha256(key.encode()).hexdigest()[:16]}.sqlite"
        self._path = Path(folder) / file
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._path, timeout=60.0)
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS features (digest BLOB PRIMARY KEY, vector BLOB)"
            )
        except (OSError, sqlite3.Error) as error:
            raise OutputError(
                f"cannot keep features in {self._path}: {error}; "
                "name a writable folder, or delete the file if it is damaged"
            ) from error

    def __enter__(self) -> FeatureCache:
        """Return itself; the file is closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()

    def get(self, digests: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Return the rows that are known, by digest."""
        if self._connection is None or not digests:
            return {}
        marks = ",".join("?" * len(digests))
        question = f"SELECT digest, vector FROM features WHERE digest IN ({marks})"
        try:
            found = self._connection.execute(question, list(digests)).fetchall()
        except sqlite3.Error as error:
            raise OutputError(
                f"cannot read the features kept in {self._path}: {error}; delete the file"
            ) from error
        rows = {digest: np.frombuffer(vector, np.float32) for digest, vector in found}
        return {digest: row for digest, row in rows.items() if len(row) == self._width}

    def put(self, rows: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Keep rows by digest."""
        if self._connection is None or not rows:
            return
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO features VALUES (?, ?)",
                    [(digest, row.tobytes()) for digest, row in rows.items()],
                )
        except sqlite3.Error as error:
            raise OutputError(
                f"cannot keep features: {error}; free some space, or name another folder"
            ) from error
