"""The fitted models that come with galfeat, in the folder ``models``."""

from __future__ import annotations

from pathlib import Path

from galfeat.model_io.manifest import MANIFEST, MODEL, SAFE
from galfeat.storage.packaged import data_folder

#: Used where no model is named; and for simulated galaxies, which it was fitted to.
DEFAULT, OF_SIMULATED = "galaxy10", "simulated"
#: The digest of each one's manifest: these are trusted without asking, and tested with the oldest
#: and the newest libraries that galfeat takes.
SHIPPED = {
    "galaxy10": "f38e78ae4596ceaa3770048b4d832a1e7c9047f461b38c240bf6efdf13aab938",
    "coarse": "1b8a28ca3c491f39dd91292a2807b19bf67bd44b11b2dce6dd5fd0b0a173130e",
    "simulated": "a24ecd3ae9463c022c74ec4279e0ae2cc33925afe23bddddcba0d4b66973bc7f",
}


def is_shipped(digest: str) -> bool:
    """Say whether this is the manifest digest of a model that comes with galfeat."""
    return digest in SHIPPED.values()


def shipped_folder(name: str) -> Path:
    """Return the folder of a model that comes with galfeat."""
    return data_folder("models") / name


def model_folder(model: str | Path) -> Path:
    """Return the folder of a model: the one that is named, or else a shipped one of that name."""
    folder = Path(model)
    if str(model) in SHIPPED and not _holds_a_model(folder):
        return shipped_folder(str(model))
    return folder


def names_model(text: str) -> bool:
    """Say whether a text names a model rather than images.

    It does if it is the folder of one, whole or not, or a name of `SHIPPED`, or nothing that is
    there and looks like no file or pattern.
    """
    folder = model_folder(text)
    if folder.exists():
        return _holds_a_model(folder)
    return not folder.suffix and not set(text) & set("*?[")


def _holds_a_model(folder: Path) -> bool:
    return any((folder / file).is_file() for file in (MANIFEST, MODEL, SAFE))
