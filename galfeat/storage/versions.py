"""Versions of galfeat and of the libraries that results depend on."""

from __future__ import annotations

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from galfeat import __version__

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
