"""Where the data-only folders ``pipelines`` and ``models`` are."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def data_folder(name: str) -> Path:
    """Return the folder ``pipelines`` or ``models``.

    Found inside the package in a wheel, and beside it in a checkout, whether that
    is installed in editable mode or run where it lies.

    Parameters
    ----------
    name : {"pipelines", "models"}

    Raises
    ------
    FileNotFoundError
        If the installation is incomplete.
    """
    installed = _PACKAGE / "_data" / name
    if installed.is_dir():
        return installed
    checkout = _PACKAGE.parent
    if (checkout / "setup.cfg").is_file() and (checkout / name).is_dir():
        return checkout / name
    raise FileNotFoundError(f"galfeat has no {name!r} folder; reinstall galfeat")
