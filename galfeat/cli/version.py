"""The text of ``galfeat --version``."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

DEPENDENCIES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-image",
    "threadpoolctl",
    "numba",
    "llvmlite",
    "h5py",
    "joblib",
    "imbalanced-learn",
    "lightgbm",
    "xgboost-cpu",
    "xgboost",
    "click",
    "Pillow",
    "xxhash",
    "lazy_loader",
    "onnxruntime",
    "skops",
    "matplotlib",
    "starlette",
    "uvicorn",
    "h11",
    "jinja2",
    "python-multipart",
    "astropy",
    "pyarrow",
    "torch",
    "onnx",
)
"""The distributions that galfeat depends on, optional ones last."""


def describe(*, verbose: bool) -> str:
    """Return the version, and with `verbose` dependency versions and file locations."""
    from galfeat import __version__

    lines = [f"galfeat {__version__}"]
    if verbose:
        lines.extend(_details())
    return "\n".join(lines)


def _details() -> Iterator[str]:
    import galfeat
    from galfeat.errors import ModelError
    from galfeat.kernels import cache_folder
    from galfeat.model_io.trust import trust_list

    yield f"installed in {Path(galfeat.__file__).parent}"
    yield f"python {platform.python_version()} ({sys.executable}) on {platform.platform()}"
    versions = {name: _version(name) for name in DEPENDENCIES}
    for name, version in versions.items():
        yield f"{name} {version or 'not installed'}"
    if versions["xgboost"] and versions["xgboost-cpu"]:
        yield (
            "both xgboost and xgboost-cpu are installed and overwrite each other's files; "
            "keep one: pip uninstall -y xgboost xgboost-cpu && pip install xgboost-cpu"
        )
    yield f"compiled kernels in {cache_folder() or 'memory'}"
    try:
        yield f"trusted models in {trust_list()}"
    except ModelError as error:
        yield f"trusted models: {error}"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
