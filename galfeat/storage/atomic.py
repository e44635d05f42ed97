"""Atomic writing: readers see the old file or folder or the new one, never a partial one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from galfeat.errors import OutputError
from galfeat.storage.unfinished import new_name, previous_path, unfinished


@contextlib.contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary file that is renamed to `path` when the block succeeds.

    The temporary file of a process that was killed is removed when `path` is next written.

    Parameters
    ----------
    path : str or Path
        The final name. Its folder must exist.

    Yields
    ------
    Path
        An empty file on the same file system, with the same suffix, to write to.

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
    target = _resolved(path)  # write through a symbolic link
    if os.path.exists(target) and not os.path.isfile(target):
        raise OutputError(f"cannot write {target}: it is not a regular file; choose another")
    try:
        with unfinished(target) as folder:
            temporary = folder / new_name(target)
            temporary.touch()
            temporary.chmod(0o600)
            yield temporary
            _sync(temporary)
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(target)
            _sync_folder(target.parent)
    except OSError as error:
        raise _cannot_write(target, error) from error


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
    target = _resolved(path)
    nearest = next(folder for folder in (target, *target.parents) if os.path.exists(folder))
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

    An existing folder at `path` is moved aside first, and restored if it cannot be replaced. If
    the process is killed, the next one that writes `path` restores it and removes the rest.

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
        An empty folder on the same file system, to be filled with files.

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
    target = _resolved(path)
    holds_other_things = OutputError(
        f"{target} holds other things; choose another folder, or remove it first"
    )
    if not target.name:  # the root folder
        raise holds_other_things
    try:
        with unfinished(target) as folder:
            if not can_replace(target, replaces):
                raise holds_other_things
            temporary = folder / new_name(target)
            temporary.mkdir()
            temporary.chmod(0o700)
            yield temporary
            for file in sorted(temporary.rglob("*")):
                _sync(file)
            _sync(temporary)
            temporary.chmod(0o777 & ~_umask())
            if os.path.exists(target):
                target.rename(previous_path(folder))
            temporary.rename(target)
            _sync_folder(target.parent)
    except OSError as error:
        raise _cannot_write(target, error) from error


def can_replace(target: Path, replaces: Callable[[Path], bool] | None = None) -> bool:
    """Return whether a folder may be written at `target`.

    True if nothing exists there, or an empty folder, or one for which `replaces` returns true.

    Raises
    ------
    OutputError
        If the folder cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from galfeat.storage import can_replace
    >>> can_replace(Path("missing-folder"))
    True
    """
    if not os.path.exists(target):
        return True
    try:
        if not target.is_dir():
            return False
        return not any(target.iterdir()) or (replaces is not None and replaces(target))
    except OSError as error:
        raise _cannot_write(target, error) from error


def _resolved(path: str | Path) -> Path:
    """Return the absolute path, with symbolic links resolved."""
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # no working folder, a loop of links
        raise _cannot_write(Path(path), error) from error


def _cannot_write(target: Path, error: Exception) -> OutputError:
    reason = getattr(error, "strerror", None) or str(error)
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


def _sync_folder(folder: Path) -> None:
    """Write a folder's entries to disk, unless it may not be read."""
    with contextlib.suppress(PermissionError):
        _sync(folder)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
