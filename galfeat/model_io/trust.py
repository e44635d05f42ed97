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
from galfeat.storage.reading import parse_json, read_regular

_LIMIT = 2**24


def trust_list() -> Path:
    """Return the path of the list of trusted models.

    ``trusted.json`` in the folder ``$GALFEAT_HOME``, by default ``~/.config/galfeat``.

    Raises
    ------
    ModelError
        If there is no home folder.
    """
    home = os.environ.get("GALFEAT_HOME")
    try:
        return (Path(home) if home else Path.home() / ".config" / "galfeat") / "trusted.json"
    except RuntimeError as error:  # neither HOME nor an account
        raise ModelError(
            "there is no home folder for the list of trusted models; "
            "set GALFEAT_HOME to a writable folder"
        ) from error


def is_trusted(digest: str) -> bool:
    """Return whether a manifest digest is in the user's list of trusted models.

    Raises
    ------
    ModelError
        If the list exists but cannot be read, or there is no home folder.

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
        If the list cannot be written, or there is no home folder.
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
    try:
        path = trust_list()
    except ModelError as error:
        raise OutputError(str(error)) from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A separate lock file, because the list itself is replaced, not modified.
        with (path.parent / "trusted.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = _read(path)
            entries[digest] = {
                "place": str(Path(folder).resolve()),
                "added": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            with atomic_file(path) as temporary:
                temporary.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror}; "
            "set GALFEAT_HOME to a writable folder for the list of trusted models"
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        entries = parse_json(read_regular(path, _LIMIT))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelError(
            f"cannot read the list of trusted models {path}: {reason}; repair or delete it"
        ) from error
    if not isinstance(entries, dict):
        raise ModelError(
            f"the list of trusted models {path} is not a JSON object; repair or delete it"
        )
    return entries
