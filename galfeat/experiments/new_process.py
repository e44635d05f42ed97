"""Work in a new process, whose peak memory is its own and whose memory the system gets back."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import GalfeatError
from galfeat.features import FeatureTable
from galfeat.storage.scratch import scratch_folder, take

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class StoredTable:
    """A feature table whose values are in a file, which another process maps.

    Attributes
    ----------
    path : Path
        Of the values, in the format of `numpy.save`.
    table : FeatureTable
        The table without rows of values.
    """

    path: Path
    table: FeatureTable

    @classmethod
    def of(cls, table: FeatureTable, folder: Path) -> StoredTable:
        """Store the values of a table in a new file of a folder."""
        handle, name = tempfile.mkstemp(suffix=".npy", dir=folder)
        with open(handle, "wb") as file:
            np.save(file, table.values)
        return cls.at(Path(name), table)

    @classmethod
    def at(cls, path: Path, table: FeatureTable) -> StoredTable:
        """Return the table whose values were stored in a file."""
        return cls(path, replace(table, values=table.values[:0], sketches=None))

    def load(self) -> FeatureTable:
        """Return the table, with its values in mapped memory."""
        values = np.asarray(np.load(self.path, mmap_mode="r"))
        return replace(self.table, values=values)

    def part(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> FeatureTable:
        """Return some rows and columns, all without errors, as a copy."""
        names = tuple(self.table.names[column] for column in columns)
        values = take(self.load().values, rows, columns)
        return FeatureTable(values, names, self.table.digests[rows], {})


def run_in_new_process(
    work: Callable[..., T],
    *arguments: Any,  # noqa: ANN401
    scratch: Path,
    name: str,
    advice: str,
) -> T:
    """Return the result of a function called in a new process, or raise its exception.

    The process ends with this one, even if this one is killed.

    Parameters
    ----------
    work : callable
        A function of a module.
    *arguments
        Its arguments, which are pickled, as its result is.
    scratch : Path
        Folder for large arrays of the new process; see `galfeat.storage.scratch_folder`.
    name, advice : str
        Name of the process and what to do if it ends without a result, for the error.

    Raises
    ------
    GalfeatError
        If the process ends without a result, for example because it ran out of memory.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, work, arguments, scratch), daemon=True)
    # The child ignores keyboard interrupts; this process handles them and terminates the child.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    sender.close()
    try:
        succeeded, result = receiver.recv()
    except EOFError as error:
        process.join()
        raise GalfeatError(f"{name} ended with exit code {process.exitcode}; {advice}") from error
    process.join()
    if not succeeded:
        raise result
    value: T = result
    return value


def _send(
    sender: Connection, work: Callable[..., Any], arguments: tuple[Any, ...], scratch: Path
) -> None:
    """Send the result, or the exception raised, to the parent process, if it still exists."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    message: tuple[bool, Any]
    try:
        with scratch_folder(scratch):
            message = True, work(*arguments)
    except Exception as error:
        message = False, error
    with contextlib.suppress(BrokenPipeError), sender:
        sender.send(message)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def peak_memory() -> int:
    """Return the peak resident memory of this process in bytes."""
    try:  # getrusage of a new process starts from the parent's value
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
