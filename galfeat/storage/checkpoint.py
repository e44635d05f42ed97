"""Finished pieces of a long piece of work, kept on disk so that it goes on after a kill."""

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
    """Return the SHA-256 of galfeat's own source files and networks, in hexadecimal digits."""
    digest = hashlib.sha256()
    for file in sorted(data_folder("models").rglob("*.onnx")):
        digest.update(file.parent.name.encode() + b"\0" + file.read_bytes())
    for file in sorted(_PACKAGE.rglob("*.py")):
        digest.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


class CheckpointStore:
    """Arrays by a digest of everything they follow from.

    Each piece is one file that appears whole or not at all. Whatever it follows from is in
    its key: where the data, the pipeline, the seed, a library or galfeat itself has changed, it
    is not found, and is made anew.

    Parameters
    ----------
    folder : Path
        Where the files lie; made if missing.
    common : mapping
        What all pieces follow from, of what JSON can hold. The digest of galfeat's sources
        is added to it.

    Raises
    ------
    OutputError
        If the folder cannot be made.
    """

    def __init__(self, folder: Path, common: Mapping[str, Any]) -> None:
        self._folder = folder
        self._common = {"galfeat": sources_digest(), **common}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot make the folder {folder}: {error.strerror}; name one that can be written"
            ) from error

    def get(self, key: Mapping[str, Any]) -> dict[str, NDArray[Any]] | None:
        """Return a piece, or None if there is none, or a damaged one."""
        try:
            with (
                self._path(key).open("rb") as stream,
                np.load(stream, allow_pickle=False) as archive,
            ):
                return dict(archive)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            return None

    def put(self, key: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep a piece.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with atomic_file(self._path(key)) as temporary, temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)

    def _path(self, key: Mapping[str, Any]) -> Path:
        text = json.dumps({**self._common, **key}, sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npz"
