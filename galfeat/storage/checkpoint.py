"""Intermediate results of a long run, kept on disk so that it can resume after interruption."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import OutputError
from galfeat.storage.atomic import atomic_file
from galfeat.storage.packaged import data_folder

_PACKAGE = Path(__file__).resolve().parent.parent


@cache
def sources_digest() -> str:
    """Return the SHA-256 of galfeat's own source files and networks, in hexadecimal digits.

    Examples
    --------
    >>> from galfeat.storage import sources_digest
    >>> len(sources_digest())
    64
    """
    digest = hashlib.sha256()
    for file in sorted(data_folder("models").rglob("*.onnx")):
        digest.update(file.parent.name.encode() + b"\0" + file.read_bytes())
    for file in sorted(_PACKAGE.rglob("*.py")):
        digest.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


class CheckpointStore:
    """A store of arrays on disk, keyed by everything they depend on.

    Each entry is one file, written atomically. Its key contains all inputs of the computation:
    if the data, the pipeline, the seed, a library or galfeat itself changes, the entry is no
    longer found and must be computed again.

    Parameters
    ----------
    folder : Path
        Folder of the files; created if missing.
    common : mapping
        The part of the key that all entries share, serialisable as JSON. The digest of
        galfeat's sources is added to it.

    Raises
    ------
    OutputError
        If the folder cannot be created.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from galfeat.storage import CheckpointStore
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = CheckpointStore(Path(folder), {"seed": 0})
    ...     store.put({"fold": 1}, {"scores": np.array([0.8, 0.9])})
    ...     store.get({"fold": 1})["scores"].tolist(), store.get({"fold": 2})
    ([0.8, 0.9], None)
    """

    def __init__(self, folder: Path, common: Mapping[str, Any]) -> None:
        self._folder = folder
        self._common = {"galfeat": sources_digest(), **common}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot create the folder {folder}: {error.strerror}; choose a writable one"
            ) from error

    def get(self, key: Mapping[str, Any]) -> dict[str, NDArray[Any]] | None:
        """Return the arrays stored under a key, or None if they are missing or damaged."""
        try:
            with (
                self._path(key).open("rb") as stream,
                np.load(stream, allow_pickle=False) as archive,
            ):
                return dict(archive)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            return None

    def put(self, key: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Store arrays under a key.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        with atomic_file(self._path(key)) as temporary, temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)

    def _path(self, key: Mapping[str, Any]) -> Path:
        text = json.dumps({**self._common, **key}, sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npz"
