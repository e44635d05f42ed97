"""Versions of the libraries that results depend on, and optional libraries."""

from __future__ import annotations

import importlib
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from galfeat import __version__
from galfeat.errors import MissingDependencyError

_LIBRARIES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-image",
    "imbalanced-learn",
    "lightgbm",
    "xgboost",
    "numba",
    "joblib",
    "onnxruntime",
    "skops",
)


def library_versions() -> dict[str, str]:
    """Return the versions of galfeat, Python and each installed library a model depends on.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.storage import library_versions
    >>> library_versions()["numpy"] == np.__version__
    True
    """
    versions = {"galfeat": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        number = _version(library, *(("xgboost-cpu",) if library == "xgboost" else ()))
        if number is not None:
            versions[library] = number
    return versions


def _version(*packages: str) -> str | None:
    """Return the version of the first of these packages that is installed."""
    for package in packages:
        with suppress(PackageNotFoundError):
            return version(package)
    return None


def require_package(module: str, extra: str, purpose: str) -> None:
    """Check that an optional package is installed.

    Parameters
    ----------
    module : str
        A module of the package, which is imported.
    extra : str
        The extra of galfeat that installs it.
    purpose : str
        What needs it, such as "reading FITS".

    Raises
    ------
    MissingDependencyError
        If it is not installed.

    Examples
    --------
    >>> from galfeat.storage.versions import require_package
    >>> require_package("numpy", "fits", "reading FITS")
    """
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"{purpose} needs {module.partition('.')[0]}; install it with: "
            f"pip install 'galfeat[{extra}]'"
        ) from error
