"""The user's list of trusted models, because loading a model runs code contained in it."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from galfeat.errors import ModelError, OutputError
from galfeat.storage.atomic import atomic_file


def trust_list() -> Path:
    """Return the path of the list of trusted models.

    ``trusted.json`` in the folder ``$GALFEAT_HOME``, by default ``~/.config/galfeat``.
    """
    home = os.environ.get("GALFEAT_HOME")
    return (Path(home) if home else Path.home() / ".config" / "galfeat") / "trusted.json"


def is_trusted(digest: str) -> bool:
    """Return whether a manifest digest is in the user's list of trusted models.

    Raises
    ------
    ModelError
        If the list exists but cannot be read.

    Examples
    --------
    >>> from galfeat.model_io import is_trusted
    >>> is_trusted("0" * 64)
    False
    """
    return digest in _read(trust_list())


def add_trusted(digest: str, folder: str | Path) -> None:
    """Add a manifest digest to the user's list of trusted models.

    Parameters
    ----------
    digest : str
        Hexadecimal SHA-256 of the manifest.
    folder : str or Path
        Location of the model, recorded for information.

    Raises
    ------
    OutputError
        If the list cannot be written.
    ModelError
        If the list exists but cannot be read.

    Examples
    --------
    >>> import os, tempfile
    >>> from unittest import mock
    >>> from galfeat.model_io import add_trusted, is_trusted
    >>> with tempfile.TemporaryDirectory() as home, mock.patch.dict(os.environ, GALFEAT_HOME=home):
    ...     add_trusted("0123abcd", "my-model")
    ...     is_trusted("0123abcd"), is_trusted("4567cdef")
    (True, False)
    """
    path = trust_list()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A separate lock file, because the list itself is replaced, not modified.
        lock = (path.parent / "trusted.lock").open("w")
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror}; "
            "set GALFEAT_HOME to a writable folder for the list of trusted models"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entries = _read(path)
        entries[digest] = {
            "place": str(Path(folder).resolve()),
            "added": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with atomic_file(path) as temporary:
            temporary.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(
            f"cannot read the list of trusted models {path}: {error}; repair or delete it"
        ) from error
    if not isinstance(entries, dict):
        raise ModelError(
            f"the list of trusted models {path} is not a JSON object; repair or delete it"
        )
    return entries
