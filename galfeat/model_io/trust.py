"""Which saved models the user trusts: loading a model runs code that is in it."""

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
    """Return the file that lists trusted models.

    ``trusted.json`` in the folder ``$GALFEAT_HOME`` names, else in ``~/.config/galfeat``.
    """
    home = os.environ.get("GALFEAT_HOME")
    return (Path(home) if home else Path.home() / ".config" / "galfeat") / "trusted.json"


def is_trusted(digest: str) -> bool:
    """Say whether a manifest digest is in the user's list.

    Raises
    ------
    ModelError
        If the list is there but cannot be read.
    """
    return digest in _read(trust_list())


def add_trusted(digest: str, place: str | Path) -> None:
    """Add a manifest digest to the user's list; other entries stay.

    Parameters
    ----------
    digest : str
        SHA-256 of the manifest, in hexadecimal digits.
    place : str or Path
        Where the model lay, for whoever reads the list.

    Raises
    ------
    OutputError
        If the list cannot be written.
    ModelError
        If the list is there but cannot be read.
    """
    path = trust_list()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The lock is a file of its own: the list itself is replaced, never written into.
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
            "place": str(Path(place).resolve()),
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
            f"the list of trusted models {path} holds no JSON object; repair or delete it"
        )
    return entries
