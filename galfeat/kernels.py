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

from galfeat.storage.compiled_files import CompiledFiles

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

    parent = os.environ.get("NUMBA_CACHE_DIR") or _user_folder()
    if parent is None:
        _warn_compiled_in_memory("there is no home folder for a cache")
        return None
    checked = "-checked" if numba.config.BOUNDSCHECK else ""
    name = f"{__version__}-{source_digest()}-numba{numba.__version__}{checked}"
    folder = Path(parent) / name
    if _can_write(folder) or os.path.isdir(folder):
        return folder
    _warn_compiled_in_memory(f"{folder} is not writable")
    return None


def _user_folder() -> Path | None:
    """Return the folder for kernels in the user's cache, or None without a home folder."""
    try:
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # neither HOME nor an account
        return None
    return Path(caches, "galfeat", "kernels")


@cache
def _can_write(folder: Path) -> bool:
    try:
        for path in reversed((folder, *folder.parents)):
            if not path.is_dir():
                path.mkdir(exist_ok=True)
                path.chmod(path.stat().st_mode | 0o700)  # even with an odd umask
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


@cache
def _warn_compiled_in_memory(reason: str) -> None:
    """Print a warning, once per reason and process."""
    print(
        f"galfeat: {reason}; kernels are compiled in memory, which takes a minute at each start "
        "(set NUMBA_CACHE_DIR to a writable folder)",
        file=sys.stderr,
    )


@cache
def _announce_first_compilation() -> None:
    """Print a notice, once per process, if the cache is empty."""
    folder = cache_folder()
    if folder is not None and _can_write(folder) and next(folder.rglob("*.nbc"), None) is None:
        print(
            "galfeat: compiling kernels for this machine, once; a minute or more", file=sys.stderr
        )


@cache
def _announce_damage(folder: Path) -> None:
    """Print a notice, once per process."""
    print(
        f"galfeat: compiled kernels in {folder} are damaged; compiling them again", file=sys.stderr
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

    def ensure_cache_path(self) -> None:
        """Require nothing of the folder, which may be read-only."""

    def get_source_stamp(self) -> Any:  # noqa: ANN401
        """Return a constant: the folder name already contains the digest of the sources."""
        own = Path(self._py_file).resolve().is_relative_to(_PACKAGE)
        return "galfeat" if own else super().get_source_stamp()


class _Format(CompileResultCacheImpl):
    """numba's cache format, with `_Locator`."""

    _locator_classes = (_Locator,)


class _Cache(FunctionCache):
    """Load compiled kernels, compile those that are missing or damaged, and save them.

    Those that cannot be saved stay in memory, with a notice.
    """

    _impl_class = _Format

    def __init__(self, function: Any) -> None:  # noqa: ANN401
        super().__init__(function)
        self._folder = Path(self._cache_path)
        self._cache_file = CompiledFiles(
            self._folder, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    def load_overload(self, signature: Any, target: Any) -> Any:  # noqa: ANN401
        """Return the compiled kernel, or None if it is missing or damaged."""
        try:
            return super().load_overload(signature, target)
        except Exception:  # damage can raise anything in pickle or LLVM
            _announce_damage(self._folder.parent)
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:  # noqa: ANN401
        """Save a compiled kernel."""
        try:
            super().save_overload(signature, compiled)
        except OSError:
            _warn_compiled_in_memory(f"{self._folder.parent} is not writable")


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
        compiled._cache = _Cache(function)
        return compiled  # type: ignore[no-any-return]
    finally:
        numba.config.CACHE_DIR = before


@kernel
def variable(number: int) -> int:
    """Return a number unchanged, so that numba does not treat it as a literal.

    numba compiles a kernel once more for each literal it is called with.
    """
    return number
