"""Atomic writing: readers see the old file or folder or the new one, never a partial one."""

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
    """Yield a temporary file that is renamed to `path` when the block succeeds.

    Parameters
    ----------
    path : str or Path
        The final name. Its folder must exist.

    Yields
    ------
    Path
        An empty file in the same folder, with the same suffix, to write to.

    Raises
    ------
    OutputError
        If the folder is missing or not writable, or the disk is full. An existing file
        at `path` is left unchanged.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from galfeat.storage import atomic_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "scores.txt")
    ...     with atomic_file(path) as temporary:
    ...         _ = temporary.write_text("0.9")
    ...     path.read_text()
    '0.9'
    """
    target = Path(path).resolve()  # write through a symbolic link
    if target.exists() and not target.is_file():
        raise OutputError(f"cannot write {target}: it is not a regular file; choose another")
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
    """Check early that `atomic_file` can write to `path`.

    Raises
    ------
    OutputError
        If it cannot.

    Examples
    --------
    >>> from galfeat.storage import ensure_writable
    >>> ensure_writable("missing-folder/scores.csv")
    Traceback (most recent call last):
    galfeat.errors.OutputError: cannot write ...
    """
    with contextlib.suppress(_CheckOnlyError), atomic_file(path):
        raise _CheckOnlyError


def ensure_folder_writable(path: str | Path) -> None:
    """Check early that a folder can be created and written to.

    Parameters
    ----------
    path : str or Path
        The folder; neither it nor its parents need to exist. Nothing is created.

    Raises
    ------
    OutputError
        If a file is in the way, or the folder would not be writable.

    Examples
    --------
    >>> import tempfile
    >>> from galfeat.storage import ensure_folder_writable
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ensure_folder_writable(f"{folder}/not/yet/created")
    """
    target = Path(path).resolve()
    nearest = next(folder for folder in (target, *target.parents) if folder.exists())
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        raise _cannot_write(target, error) from error


class _CheckOnlyError(Exception):
    """Leaves `atomic_file` without writing a file."""


@contextlib.contextmanager
def atomic_folder(
    path: str | Path, *, replaces: Callable[[Path], bool] | None = None
) -> Iterator[Path]:
    """Yield a temporary folder that is renamed to `path` when the block succeeds.

    An existing folder at `path` is moved aside first, and restored if it cannot be replaced.

    Parameters
    ----------
    path : str or Path
        The final name. Its parent folder must exist.
    replaces : callable, optional
        Returns whether an existing folder may be replaced. By default only an empty folder
        is.

    Yields
    ------
    Path
        An empty folder in the same parent folder, to be filled with files.

    Raises
    ------
    OutputError
        If `path` is a file or a folder that must not be replaced, or cannot be written. It
        is left unchanged.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from galfeat.storage import atomic_folder
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     with atomic_folder(Path(parent, "model")) as temporary:
    ...         _ = (temporary / "card.md").write_text("A model")
    ...     sorted(file.name for file in Path(parent, "model").iterdir())
    ['card.md']
    """
    target = Path(path).resolve()
    if not can_replace(target, replaces):
        raise OutputError(f"{target} holds other things; choose another folder, or remove it first")
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
        _replace_folder(temporary, target)
        _sync(target.parent)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def can_replace(target: Path, replaces: Callable[[Path], bool] | None = None) -> bool:
    """Return whether a folder may be written at `target`.

    True if nothing exists there, or an empty folder, or one for which `replaces` returns true.

    Examples
    --------
    >>> from pathlib import Path
    >>> from galfeat.storage import can_replace
    >>> can_replace(Path("missing-folder"))
    True
    """
    if not target.exists():
        return True
    if not target.is_dir():
        return False
    return not any(target.iterdir()) or (replaces is not None and replaces(target))


def _replace_folder(temporary: Path, target: Path) -> None:
    """Rename a folder, replacing an existing one."""
    if not target.exists():
        temporary.rename(target)
        return
    if not target.is_dir():
        raise NotADirectoryError(f"{target} is a file, not a folder")
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.rename(aside / "folder")
    try:
        temporary.rename(target)
    except BaseException:  # restore the old folder on an interrupt, too
        (aside / "folder").rename(target)
        raise
    finally:
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)


def _cannot_write(target: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(
        f"cannot write {target}: {reason}; "
        "choose a place in an existing, writable folder with space left"
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
