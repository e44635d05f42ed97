"""The one way galfeat compiles a kernel, and where the compiled code is kept.

numba keys its cache on a file's time stamp and does not see a change in a helper that
lives in another file. So the cache folder carries galfeat's version and a digest of
every source file that holds a kernel: change one and all of them compile afresh.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE = Path(__file__).resolve().parent
# Sums may be reordered and multiplications fused; NaN and inf keep their meaning.
_FAST = {"contract", "reassoc", "nsz", "arcp"}


@cache
def source_digest() -> str:
    """Return a short digest of every source file that holds a kernel."""
    digest = hashlib.sha256()
    for file in sorted(_PACKAGE.rglob("*.py")):
        source = file.read_bytes()
        if b"galfeat.kernels" in source:
            digest.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\0" + source)
    return digest.hexdigest()[:12]


@cache
def cache_folder() -> Path | None:
    """Return the folder that keeps compiled kernels, or None where none is writable.

    ``NUMBA_CACHE_DIR`` names its parent; without it the user's cache folder does.
    """
    from galfeat import __version__

    parent = os.environ.get("NUMBA_CACHE_DIR") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "galfeat", "kernels"
    )
    folder = Path(parent) / f"{__version__}-{source_digest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:  # numba does not load from a folder that it cannot write either
        print(
            f"galfeat: {folder} is not writable; kernels are compiled in memory, "
            "which takes a minute at each start (set NUMBA_CACHE_DIR to a writable folder)",
            file=sys.stderr,
        )
        return None


def kernel(function: Function) -> Function:
    """Compile a function to machine code that runs without the interpreter's lock."""
    folder = cache_folder()
    options = {"nogil": True, "fastmath": _FAST, "error_model": "numpy"}
    if folder is None:
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
    # numba asks for the folder while it decorates, and only then: other packages'
    # kernels keep the place they chose.
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    finally:
        numba.config.CACHE_DIR = before
