"""Temporary folders of unfinished outputs; those of killed processes are removed."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

#: Longest part of a name, in bytes, that the name of its temporary folder repeats.
_NAME_BYTES = 200
#: Numbers at which leftovers are looked for.
_NUMBERS = 8


def new_name(target: Path) -> str:
    """Return the name of the new file or folder in the temporary folder."""
    return f"new{target.suffix}"


def previous_path(folder: Path) -> Path:
    """Return where the replaced folder is kept until the new one is in place."""
    return folder / "previous"


@contextlib.contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """Yield an empty temporary folder next to a target, and remove it afterwards.

    The process holds a lock on the folder, which the system releases if the process is killed.
    The next writer of the target removes such leftovers. It never removes the folder of a
    living process, on any machine, or one with other contents; without support for locks in
    the file system, leftovers stay. A folder in `previous_path` is moved back if the target is
    missing.

    Parameters
    ----------
    target : Path
        Absolute path of the file or folder to be written.

    Raises
    ------
    OSError
        If the folder cannot be created.
    """
    claim = _Claim(target)
    try:
        folder = claim.take()
        for number in range(_NUMBERS):
            other = _numbered(target, number)
            if other != folder:
                _remove_leftover(other, target)
        yield folder
    finally:
        claim.release()


def _numbered(target: Path, number: int) -> Path:
    name = os.fsdecode(os.fsencode(target.name)[:_NAME_BYTES])
    return target.with_name(f".{name}.unfinished-{number}")


class _Claim:
    """The temporary folder of a target, which an interrupt at any moment leaves releasable."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._folder: Path | None = None
        self._lock: int | None = None

    def take(self) -> Path:
        """Create and lock the first free folder."""
        for number in itertools.count():
            folder = _numbered(self._target, number)
            _remove_leftover(folder, self._target)
            self._folder = folder  # before it exists, in case of an interrupt right after
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            folder.chmod(0o700)  # even with an odd umask
            with contextlib.suppress(BlockingIOError, FileNotFoundError):  # taken for a leftover
                self._lock, _ = _lock(folder)
                return folder
        raise AssertionError("unreachable")

    def release(self) -> None:
        """Remove the folder, unless another process has it."""
        if self._folder is None:
            return
        if self._lock is None:
            _remove_leftover(self._folder, self._target)
            return
        _discard(self._folder, self._target)
        os.close(self._lock)


def _lock(folder: Path) -> tuple[int, bool]:
    """Lock a folder; return the open descriptor and whether the file system supports locks.

    Raises
    ------
    BlockingIOError
        If another process holds the lock.
    OSError
        If it is not a folder, or cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            return descriptor, False
        if not os.path.samestat(os.stat(folder), os.fstat(descriptor)):
            raise FileNotFoundError(folder)  # removed and created again meanwhile
    except BaseException:  # an interrupt too: a lock that is kept would keep the folder
        os.close(descriptor)
        raise
    return descriptor, True


def _remove_leftover(folder: Path, target: Path) -> None:
    """Remove the temporary folder of a process that no longer exists."""
    if not os.path.lexists(folder):
        return
    with contextlib.suppress(OSError):
        descriptor, supported = _lock(folder)
        try:
            if supported and {*os.listdir(folder)} <= {new_name(target), "previous"}:
                _discard(folder, target)
        finally:
            os.close(descriptor)


def _discard(folder: Path, target: Path) -> None:
    """Remove a temporary folder, and restore the previous target if there is no other."""
    previous = previous_path(folder)
    if previous.exists() and not os.path.lexists(target):
        try:
            previous.rename(target)
        except OSError:
            return
    shutil.rmtree(folder, ignore_errors=True)
