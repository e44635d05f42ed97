"""The one way galfeat compiles a kernel, and where the compiled code is kept.

numba keys its cache on a source file's path and contents and does not see a change in a helper
that lives in another file. So the cache folder carries galfeat's version, a digest of every source
file that holds a kernel, and numba's version: change one and all kernels compile afresh. Where
galfeat is installed does not matter: a wheel and a checkout of the same sources share the folder.
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
    """Return a short digest of every source file that holds a kernel."""
    digest = hashlib.sha256()
    for file in sorted(_PACKAGE.rglob("*.py")):
        source = file.read_bytes()
        if b"galfeat.kernels" in source:
            digest.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\0" + source)
    return digest.hexdigest()[:12]


@cache
def cache_folder() -> Path | None:
    """Return the folder of compiled kernels, or None where there is none and none can be made.

    ``NUMBA_CACHE_DIR`` names its parent; without it the user's cache folder does. Kernels
    are loaded from it even where it is read-only.
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
    _say_in_memory(folder)
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
def _say_in_memory(folder: Path) -> None:
    """Say it, once."""
    print(
        f"galfeat: {folder} is not writable; kernels are compiled in memory, "
        "which takes a minute at each start (set NUMBA_CACHE_DIR to a writable folder)",
        file=sys.stderr,
    )


@cache
def _say_that_it_takes_long() -> None:
    """Say it, once, where nothing has been compiled before."""
    folder = cache_folder()
    if folder is not None and _can_write(folder) and next(folder.rglob("*.nbi"), None) is None:
        print(
            "galfeat: compiling kernels for this machine, once; a minute or more", file=sys.stderr
        )


# Of the places numba looks at, the one that config.CACHE_DIR names; its class has had two names.
_GivenFolder: Any = CompileResultCacheImpl._locator_classes[0]


class _Locator(_GivenFolder):
    """Places galfeat's own kernels by module, wherever the package is installed."""

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        """Return the folder of a source file's kernels, below the cache folder."""
        file = Path(py_file).resolve()
        if file.is_relative_to(_PACKAGE):
            return "_".join(file.relative_to(_PACKAGE.parent).parent.parts)
        subpath: str = super().get_suitable_cache_subpath(py_file)
        return subpath

    def get_source_stamp(self) -> Any:  # noqa: ANN401
        """Return what must be equal for a kernel to be loaded; the folder's name does the rest."""
        own = Path(self._py_file).resolve().is_relative_to(_PACKAGE)
        return "galfeat" if own else super().get_source_stamp()


class _Format(CompileResultCacheImpl):
    """What numba keeps of a kernel."""

    _locator_classes = (_Locator,)


class _Cache(FunctionCache):
    """Loads and keeps kernels where `_Locator` places them."""

    _impl_class = _Format


class _ReadOnlyLocator(_Locator):
    """Takes a folder that cannot be written; numba's own locators pass it over."""

    def ensure_cache_path(self) -> None:
        """Ask nothing of the folder."""


class _ReadOnlyFormat(CompileResultCacheImpl):
    """What numba keeps of a kernel, in a folder that cannot be written."""

    _locator_classes = (_ReadOnlyLocator,)


class _ReadOnlyCache(FunctionCache):
    """Loads what was compiled before; what was not is compiled in memory, and said once."""

    _impl_class = _ReadOnlyFormat

    def load_overload(self, signature: Any, target: Any) -> Any:  # noqa: ANN401
        """Return the compiled kernel, or None where there is none that can be read."""
        try:
            return super().load_overload(signature, target)
        except OSError:
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:  # noqa: ANN401
        """Keep nothing."""
        _say_in_memory(Path(self.cache_path).parent)


class _SelfContained(JITCodeLibrary):
    """A kernel's machine code, with copies of its own of all that it calls.

    numba copies what a kernel calls into its module, so that it can be inlined, and binds calls
    of what was not inlined to whichever copy came into the process first. Each was optimised in
    other surroundings, with its sums in another order: the last bits of a result would depend
    on what was compiled, loaded or called before.
    """

    def _optimize_final_module(self) -> None:
        """Optimise, set aside what callers copy, and keep this module's copies to itself."""
        super()._optimize_final_module()
        # Read back, as a later process does: bitcode does not keep the order of uses, which
        # LLVM's passes may follow.
        shared = llvm.parse_bitcode(self._final_module.as_bitcode())
        _relink(shared, llvm.Linkage.external, llvm.Linkage.linkonce_odr)
        self._shared_module = shared  # numba makes none where there is one
        # Not earlier: LLVM may change the signature of a function that is optimised as internal,
        # and a caller of two kernels would hold a copy of what both call for each of them.
        _relink(self._final_module, llvm.Linkage.linkonce_odr, llvm.Linkage.internal)


def _relink(module: Any, before: llvm.Linkage, after: llvm.Linkage) -> None:  # noqa: ANN401
    """Change the linkage of the functions that a module defines with a given one."""
    for function in module.functions:
        if not function.is_declaration and function.linkage == before:
            function.linkage = after


class _Pipeline(Compiler):
    """Compiles self-contained code at LLVM's level 2; other packages' kernels stay as they are.

    Level 3 takes a tenth longer to compile, and a sixth longer to load what was compiled, for
    code that is 4 % faster.
    """

    def compile_extra(self, func: Any) -> Any:  # noqa: ANN401
        """Compile a function; numba's compiler lock is held."""
        _say_that_it_takes_long()
        # Where none is given, numba's pipeline makes one just so.
        self.state.library = _SelfContained(self.state.targetctx.codegen(), func.__qualname__)
        self.state.library.enable_object_caching()
        before = numba.config.OPT
        numba.config.OPT = type(before)(min(before, 2))
        try:
            return super().compile_extra(func)
        finally:
            numba.config.OPT = before


def kernel(function: Function) -> Function:
    """Compile a function to machine code that runs without the interpreter's lock."""
    folder = cache_folder()
    compiled = numba.njit(
        nogil=True, fastmath=_FAST, error_model="numpy", pipeline_class=_Pipeline
    )(function)
    if folder is None:
        return compiled  # type: ignore[no-any-return]
    # numba asks for the folder when caching is enabled, and only then: other packages'
    # kernels keep the place they chose.
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        compiled._cache = (_Cache if _can_write(folder) else _ReadOnlyCache)(function)
        return compiled  # type: ignore[no-any-return]
    finally:
        numba.config.CACHE_DIR = before


@kernel
def variable(number: int) -> int:
    """Return the same number as one that may vary.

    numba compiles a kernel once more for every number that is written out where it is called.
    """
    return number
