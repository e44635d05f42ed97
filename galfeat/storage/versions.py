"""Versions of galfeat and of the libraries that results depend on."""

from __future__ import annotations

import platform
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
    """Return the versions of galfeat, Python and each library a model depends on.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.storage import library_versions
    >>> library_versions()["numpy"] == np.__version__
    True
    """
    versions = {"galfeat": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            if library == "xgboost":
                versions[library] = version("xgboost-cpu")
    return versions
