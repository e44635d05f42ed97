"""The fitted models that come with galfeat, in the folder ``models``."""

from __future__ import annotations

from pathlib import Path

from galfeat.manifest import MANIFEST, MODEL, SAFE
from galfeat.resources import data_folder

#: Used where no model is named; and for simulated galaxies, which it was fitted to.
DEFAULT, OF_SIMULATED = "galaxy10", "simulated"
#: The digest of each one's manifest: these are trusted without asking, and tested with the oldest
#: and the newest libraries that galfeat takes.
SHIPPED = {
    "galaxy10": "773fda3acbaf1ad6bbb7c1f76337314d26e250f00c858fc2f3704823abb50e32",
    "coarse": "6af891c847955b19ec60baa5c8a413f8d5569a2af1625f7016822e060a49d566",
    "simulated": "ae187bbb599a9369a78488f79b9e8d198968af44f22e79d8c7e9343eda7ccb4a",
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
