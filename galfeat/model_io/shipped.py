"""The fitted models shipped with galfeat, in the folder ``models``."""

from __future__ import annotations

import os
from pathlib import Path

from galfeat.model_io.manifest import MANIFEST, MODEL, SAFE
from galfeat.storage.packaged import data_folder

#: The default model, and the model fitted to simulated galaxies.
DEFAULT, OF_SIMULATED = "galaxy10", "simulated"
#: Manifest digests of the shipped models, which are always trusted and tested with the oldest and
#: the newest supported libraries.
SHIPPED = {
    "galaxy10": "3fb1f505780abf6e3959b530c169db1f019903d03742211e18199101c78626bb",
    "coarse": "60e142398eddf1ec57dcecd9eb39974f744043f3b255c8341b49d32ff5a60906",
    "simulated": "728d47f19da9d136e8cdfb021c83c1dff235b273c533a202af3b5c57d25f9bfe",
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
    if os.path.exists(folder):
        return _is_model_folder(folder)
    return not folder.suffix and not set(text) & set("*?[")


def _is_model_folder(folder: Path) -> bool:
    return any(os.path.isfile(folder / file) for file in (MANIFEST, MODEL, SAFE))
