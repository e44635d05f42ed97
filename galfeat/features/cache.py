"""A disk cache of features, keyed by the content of the image."""

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
    """Feature rows by pixel digest, in one SQLite file per set of columns and kernels.

    A changed kernel, different families or another version of galfeat use a different file, so
    stored rows are never stale. SQLite keeps the file intact when a run is killed or several
    processes write concurrently.

    Parameters
    ----------
    folder : str, Path or None
        Folder of the files; created if missing. None disables the cache.
    names : sequence of str
        The columns of a row.
    state : str
        Other dependencies of the values: digests of the families' networks.
    frame : bool
        Whether the features were measured in the canonical frame.

    Raises
    ------
    OutputError
        If the folder is not writable.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from galfeat.features.cache import FeatureCache
    >>> with (
    ...     tempfile.TemporaryDirectory() as folder,
    ...     FeatureCache(folder, ["shape.gini"], frame=True) as cache,
    ... ):
    ...     cache.put({b"digest": np.array([0.5], np.float32)})
    ...     cache.get([b"digest", b"other"])
    {b'digest': array([0.5], dtype=float32)}
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
                f"cannot store features in {self._path}: {error}; "
                "choose a writable folder, or delete the file if it is damaged"
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
        """Return the stored rows by digest."""
        if self._connection is None or not digests:
            return {}
        marks = ",".join("?" * len(digests))
        query = f"SELECT digest, vector FROM features WHERE digest IN ({marks})"
        try:
            records = self._connection.execute(query, list(digests)).fetchall()
        except sqlite3.Error as error:
            raise OutputError(
                f"cannot read the features stored in {self._path}: {error}; delete the file"
            ) from error
        rows = {digest: np.frombuffer(vector, np.float32) for digest, vector in records}
        return {digest: row for digest, row in rows.items() if len(row) == self._width}

    def put(self, rows: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Store rows by digest."""
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
                f"cannot store features: {error}; free some space, or choose another folder"
            ) from error
