"""Compile kernels with numba and cache the compiled code.

numba keys its cache on the path and contents of a source file and misses changes to helpers in
other files. The name of the cache folder therefore contains galfeat's version, a digest of every
source file with kernels, and numba's version: a change to any of them recompiles all. The install
location does not matter: a wheel and a checkout of the same sources share one cache.
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

import llvmlite.binding as llvm
import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE = Path(__file__).resolve().parent
# Sums may be reordered and multiplications fused; NaN and inf keep their meaning.
_FAST = {"contract", "reassoc", "nsz", "arcp"}


@cache
def source_digest() -> str:
    """Return a short digest of all source files that contain kernels."""
    digest = hashlib.sha256()
    for file in sorted(_PACKAGE.rglob("*.py")):
        source = file.read_bytes()
        if b"galfeat.kernels" in source:
            digest.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\0" + source)
    return digest.hexdigest()[:12]


@cache
def cache_folder() -> Path | None:
    """Return the folder of compiled kernels, or None if it does not exist and cannot be created.

    Its parent is ``NUMBA_CACHE_DIR`` or, by default, the user's cache folder. Kernels are
    loaded from it even if it is read-only.
    """
    from galfeat import __version__

    parent = os.environ.get("NUMBA_CACHE_DIR") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "galfeat", "kernels"
    )
    checked = "-checked" if numba.config.BOUNDSCHECK else ""
    name = f"{__version__}-{source_digest()}-numba{numba.__version__}{checked}"
    folder = Path(parent) / name
    if _can_write(folder) or folder.is_dir():
        return folder
    _warn_compiled_in_memory(folder)
    return None


@cache
def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


@cache
def _warn_compiled_in_memory(folder: Path) -> None:
    """Print a warning, once per process."""
    print(
        f"galfeat: {folder} is not writable; kernels are compiled in memory, "
        "which takes a minute at each start (set NUMBA_CACHE_DIR to a writable folder)",
        file=sys.stderr,
    )


@cache
def _announce_first_compilation() -> None:
    """Print a notice, once per process, if the cache is empty."""
    folder = cache_folder()
    if folder is not None and _can_write(folder) and next(folder.rglob("*.nbi"), None) is None:
        print(
            "galfeat: compiling kernels for this machine, once; a minute or more", file=sys.stderr
        )


# numba's locator of the folder named by config.CACHE_DIR; the class name varies with its version.
_CacheDirLocator: Any = CompileResultCacheImpl._locator_classes[0]


class _Locator(_CacheDirLocator):
    """Locate galfeat's kernels by module, wherever the package is installed."""

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        """Return the subfolder for the kernels of a source file."""
        file = Path(py_file).resolve()
        if file.is_relative_to(_PACKAGE):
            return "_".join(file.relative_to(_PACKAGE.parent).parent.parts)
        subpath: str = super().get_suitable_cache_subpath(py_file)
        return subpath

    def get_source_stamp(self) -> Any:  # noqa: ANN401
        """Return a constant: the folder name already contains the digest of the sources."""
        own = Path(self._py_file).resolve().is_relative_to(_PACKAGE)
        return "galfeat" if own else super().get_source_stamp()


class _Format(CompileResultCacheImpl):
    """numba's cache format, with `_Locator`."""

    _locator_classes = (_Locator,)


class _Cache(FunctionCache):
    """Cache of kernels in the folder chosen by `_Locator`."""

    _impl_class = _Format


class _ReadOnlyLocator(_Locator):
    """Accept a read-only folder; numba's own locators skip it."""

    def ensure_cache_path(self) -> None:
        """Require nothing of the folder."""


class _ReadOnlyFormat(CompileResultCacheImpl):
    """numba's cache entries of a kernel in a read-only folder."""

    _locator_classes = (_ReadOnlyLocator,)


class _ReadOnlyCache(FunctionCache):
    """Load cached kernels; compile the others in memory, with one warning."""

    _impl_class = _ReadOnlyFormat

    def load_overload(self, signature: Any, target: Any) -> Any:  # noqa: ANN401
        """Return the compiled kernel, or None if it is missing or unreadable."""
        try:
            return super().load_overload(signature, target)
        except OSError:
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:  # noqa: ANN401
        """Save nothing, but warn."""
        _warn_compiled_in_memory(Path(self.cache_path).parent)


class _SelfContained(JITCodeLibrary):
    """A kernel's machine code with private copies of all functions it calls.

    numba copies a kernel's callees into its module for inlining, and binds calls that were not
    inlined to whichever copy was loaded first in the process. Each copy is optimised in a
    different context and may order its sums differently, so the last bits of a result would
    depend on what was compiled, loaded or called before.
    """

    def _optimize_final_module(self) -> None:
        """Optimise, store the module that callers copy, and make this module's copies private."""
        super()._optimize_final_module()
        # A round trip through bitcode, as in a later process that loads it: bitcode does not
        # preserve the order of uses, which LLVM's passes may depend on.
        shared = llvm.parse_bitcode(self._final_module.as_bitcode())
        _relink(shared, llvm.Linkage.external, llvm.Linkage.linkonce_odr)
        self._shared_module = shared  # numba creates it only if it is missing
        # Not earlier: LLVM may change the signature of an internal function while optimising,
        # and a caller of two kernels would get one copy of a shared callee for each of them.
        _relink(self._final_module, llvm.Linkage.linkonce_odr, llvm.Linkage.internal)


def _relink(module: Any, before: llvm.Linkage, after: llvm.Linkage) -> None:  # noqa: ANN401
    """Change the linkage of a module's function definitions from one kind to another."""
    for function in module.functions:
        if not function.is_declaration and function.linkage == before:
            function.linkage = after


class _Pipeline(Compiler):
    """Compile self-contained code at LLVM's level 2; kernels of other packages are unaffected.

    Level 3 takes 10 % longer to compile and 17 % longer to load from the cache, for code that
    is 4 % faster.
    """

    def compile_extra(self, func: Any) -> Any:  # noqa: ANN401
        """Compile a function; called with numba's compiler lock held."""
        _announce_first_compilation()
        # numba's pipeline creates its library in the same way if none is set.
        self.state.library = _SelfContained(self.state.targetctx.codegen(), func.__qualname__)
        self.state.library.enable_object_caching()
        before = numba.config.OPT
        numba.config.OPT = type(before)(min(before, 2))
        try:
            return super().compile_extra(func)
        finally:
            numba.config.OPT = before


def kernel(function: Function) -> Function:
    """Compile a function to machine code that releases the interpreter lock."""
    folder = cache_folder()
    compiled = numba.njit(
        nogil=True, fastmath=_FAST, error_model="numpy", pipeline_class=_Pipeline
    )(function)
    if folder is None:
        return compiled  # type: ignore[no-any-return]
    # numba reads the folder's name only when caching is enabled, so other packages' kernels
    # keep their own cache folders.
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        compiled._cache = (_Cache if _can_write(folder) else _ReadOnlyCache)(function)
        return compiled  # type: ignore[no-any-return]
    finally:
        numba.config.CACHE_DIR = before


@kernel
def variable(number: int) -> int:
    """Return a number unchanged, so that numba does not treat it as a literal.

    numba compiles a kernel once more for each literal it is called with.
    """
    return number
