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
    "galaxy10": "48c461ea1682505ae078db076874ba7a0805a7fc39f2550b34d5a522bc095506",
    "coarse": "",
    "simulated": "ea36ca8acc164f166b7ddbddb904abe8e94cdf56c10a6ac77a99c32d7914422e",
}


def is_shipped(digest: str) -> bool:
    """Say whether this is the manifest digest of a model that comes with galfeat."""
    return digest in SHIPPED.values()


def model_folder(model: str | Path) -> Path:
    """Return the folder of a model: the one that is named, or else a shipped one of that name."""
    folder = Path(model)
    if not folder.exists() and str(model) in SHIPPED:
        return data_folder("models") / str(model)
    return folder


def names_model(text: str) -> bool:
    """Say whether a text names a model rather than images.

    It does if it is the folder of one, whole or not, or a name of `SHIPPED`, or nothing that is
    there and looks like no file or pattern.
    """
    folder = model_folder(text)
    if folder.exists():
        return any((folder / file).is_file() for file in (MANIFEST, MODEL, SAFE))
    return not folder.suffix and not set(text) & set("*?[")
