"""Locate the data-only folders ``pipelines`` and ``models``."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def data_folder(name: str) -> Path:
    """Return the folder ``pipelines`` or ``models``.

    In an installed wheel it is inside the package; in a checkout, installed in editable mode
    or not, it is next to the package.

    Parameters
    ----------
    name : {"pipelines", "models"}

    Raises
    ------
    FileNotFoundError
        If the installation is incomplete.

    Examples
    --------
    >>> from galfeat.storage import data_folder
    >>> data_folder("models").name
    'models'
    """
    installed = _PACKAGE / "_data" / name
    if installed.is_dir():
        return installed
    checkout = _PACKAGE.parent
    if (checkout / "setup.cfg").is_file() and (checkout / name).is_dir():
        return checkout / name
    raise FileNotFoundError(f"galfeat has no {name!r} folder; reinstall galfeat")
