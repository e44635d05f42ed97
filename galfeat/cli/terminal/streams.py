"""Standard output and error: in UTF-8, and closed without harm."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from galfeat.errors import OutputError
from galfeat.storage.cells import ORIGINAL_BYTES

_output_was_closed = False


def prepare_streams() -> None:
    """Make the standard streams of this process independent of the locale and of their readers.

    Standard output is UTF-8, with the original bytes of file names that are not. What a reader
    such as ``head`` no longer takes, or a closed stream cannot, is discarded.
    """
    global _output_was_closed
    _output_was_closed = sys.stdout is None
    _occupy_closed_descriptors()
    sys.stdout = _tolerant(sys.stdout, 1, "utf-8", ORIGINAL_BYTES)
    encoding = "utf-8" if sys.stderr is None else sys.stderr.encoding
    sys.stderr = _tolerant(sys.stderr, 2, encoding, "backslashreplace")


def standard_output() -> TextIO:
    """Return the standard output for a table.

    Raises
    ------
    OutputError
        If it is closed.
    """
    if _output_was_closed:
        raise OutputError("standard output is closed; specify a file with -o")
    return sys.stdout


def reader_left() -> bool:
    """Return whether the reader of standard output has closed it, as ``head`` does."""
    return isinstance(sys.stdout, _Output) and sys.stdout.reader_left


class _Output(io.TextIOWrapper):
    """A text stream that discards what is written after its reader has left."""

    # Not a raw stream in Python: an interrupt after its system call would write text twice.

    reader_left = False

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            self._discard()
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            self._discard()

    def _discard(self) -> None:
        self.reader_left = True
        unread = os.open(os.devnull, os.O_WRONLY)
        os.dup2(unread, self.fileno())
        os.close(unread)
        super().flush()


def _occupy_closed_descriptors() -> None:
    """Open descriptors 0 to 2 if closed, or the next files opened would receive the output."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def _tolerant(stream: TextIO | None, descriptor: int, encoding: str, errors: str) -> TextIO:
    if stream is not None:
        stream.flush()
    return _Output(
        io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False)),
        encoding=encoding,
        errors=errors,
        line_buffering=os.isatty(descriptor),
        write_through=getattr(stream, "write_through", False),
    )
