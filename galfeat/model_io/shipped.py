"""The fitted models shipped with galfeat, in the folder ``models``."""

from __future__ import annotations

from pathlib import Path

from galfeat.model_io.manifest import MANIFEST, MODEL, SAFE
from galfeat.storage.packaged import data_folder

#: The default model, and the model fitted to simulated galaxies.
DEFAULT, OF_SIMULATED = "galaxy10", "simulated"
#: Manifest digests of the shipped models, which are always trusted and tested with the oldest and
#: the newest supported libraries.
SHIPPED = {
    "galaxy10": "f38e78ae4596ceaa3770048b4d832a1e7c9047f461b38c240bf6efdf13aab938",
    "coarse": "1b8a28ca3c491f39dd91292a2807b19bf67bd44b11b2dce6dd5fd0b0a173130e",
    "simulated": "a24ecd3ae9463c022c74ec4279e0ae2cc33925afe23bddddcba0d4b66973bc7f",
}


def is_shipped(digest: str) -> bool:
    """Return whether this is the manifest digest of a model shipped with galfeat."""
    return digest in SHIPPED.values()


def shipped_folder(name: str) -> Path:
    """Return the folder of a model shipped with galfeat."""
    return data_folder("models") / name


def model_folder(model: str | Path) -> Path:
    """Return the folder of a model, given as a path or as the name of a shipped model.

    An existing model folder takes precedence over a shipped model of the same name.

    Examples
    --------
    >>> from galfeat.model_io import model_folder
    >>> model_folder("galaxy10").name
    'galaxy10'
    """
    folder = Path(model)
    if str(model) in SHIPPED and not _is_model_folder(folder):
        return shipped_folder(str(model))
    return folder


def names_model(text: str) -> bool:
    """Return whether a string names a model rather than images.

    True for model folders, complete or not, for names in `SHIPPED`, and for paths that do not
    exist and look like neither a file nor a pattern.
    """
    folder = model_folder(text)
    if folder.exists():
        return _is_model_folder(folder)
    return not folder.suffix and not set(text) & set("*?[")


def _is_model_folder(folder: Path) -> bool:
    return any((folder / file).is_file() for file in (MANIFEST, MODEL, SAFE))
