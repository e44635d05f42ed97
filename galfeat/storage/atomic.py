"""Write files and folders so that a reader sees the old one or the new one, never half of one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from galfeat.errors import OutputError


@contextlib.contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary file that takes the name `path` when the block ends well.

    Parameters
    ----------
    path : str or Path
        The final name. Its folder must exist.

    Yields
    ------
    Path
        An empty file in the same folder, with the same suffix, to be written to.

    Raises
    ------
    OutputError
        If the folder is missing or not writable, or the disk is full. What stood
        under `path` before is still there, whole.
    """
    target = Path(path).resolve()  # a link keeps pointing at what is written
    if target.exists() and not target.is_file():
        raise OutputError(f"cannot write {target}: it is no ordinary file; name another")
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent
        )
        os.close(handle)
    except OSError as error:
        raise _cannot_write(target, error) from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        _sync(temporary)
        temporary.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def ensure_writable(path: str | Path) -> None:
    """Find out, before there is anything to write, whether `atomic_file` can write there.

    Raises
    ------
    OutputError
        As `atomic_file` would.
    """
    with contextlib.suppress(_NothingToWriteError), atomic_file(path):
        raise _NothingToWriteError


def ensure_folder_writable(path: str | Path) -> None:
    """Find out, before there is anything to write, whether a folder can be made and written to.

    Parameters
    ----------
    path : str or Path
        The folder; it and those it lies in need not be there yet. Nothing is made.

    Raises
    ------
    OutputError
        If something else stands there or on the way, or nothing can be written there.
    """
    target = Path(path).resolve()
    nearest = next(place for place in (target, *target.parents) if place.exists())
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        raise _cannot_write(target, error) from error


class _NothingToWriteError(Exception):
    """Leaves `atomic_file` without a file."""


@contextlib.contextmanager
def atomic_folder(
    path: str | Path, *, replaces: Callable[[Path], bool] | None = None
) -> Iterator[Path]:
    """Give a temporary folder that takes the name `path` when the block ends well.

    A folder of the same kind that stands under `path` is replaced; it is moved aside first
    and put back if the new one cannot take its place.

    Parameters
    ----------
    path : str or Path
        The final name. The folder it lies in must exist.
    replaces : callable, optional
        Tells of a folder that stands there whether it may be replaced. Without it only an
        empty one is.

    Yields
    ------
    Path
        An empty folder beside `path`, to be filled with files.

    Raises
    ------
    OutputError
        If something else stands there, or nothing can be written there. What stood under
        `path` is still there.
    """
    target = Path(path).resolve()
    if not can_replace(target, replaces):
        raise OutputError(f"{target} holds other things; name another folder, or remove it first")
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        for file in sorted(temporary.rglob("*")):
            _sync(file)
        _sync(temporary)
        _take_place(temporary, target)
        _sync(target.parent)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def can_replace(target: Path, replaces: Callable[[Path], bool] | None = None) -> bool:
    """Tell whether a folder may be written under a name: nothing of another kind is there."""
    if not target.exists():
        return True
    if not target.is_dir():
        return False
    return not any(target.iterdir()) or (replaces is not None and replaces(target))


def _take_place(temporary: Path, target: Path) -> None:
    """Rename a folder onto a name that another folder may hold."""
    if not target.exists():
        temporary.rename(target)
        return
    if not target.is_dir():
        raise NotADirectoryError(f"{target} is a file, not a folder")
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.rename(aside / "folder")
    try:
        temporary.rename(target)
    except BaseException:  # an interrupt too must not leave the name without a folder
        (aside / "folder").rename(target)
        raise
    finally:
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)


def _cannot_write(target: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(
        f"cannot write {target}: {reason}; "
        "name a place in an existing, writable folder with space left"
    )


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
