"""Report errors in one line on stderr with a documented exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import TextIO

import click

from galfeat.errors import (
    INTERRUPTED,
    INTERRUPTED_EXIT_CODE,
    GalfeatError,
    GalfeatWarning,
    OutputError,
)
from galfeat.storage.cells import printable

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def one_line_failures(*, debug: bool) -> Iterator[None]:
    """Report any error of a block in one line on stderr and raise click's exit exception.

    With `debug` the traceback is printed before the line. click handles its own exceptions. A
    broken pipe is left to it too, but `galfeat.cli.terminal.streams` raises none.
    """
    with warnings.catch_warnings(), _terminate_like_interrupt():
        warnings.simplefilter("always", GalfeatWarning)
        _warn_in_one_line()
        try:
            yield
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if debug:
                click.echo(traceback.format_exc(), err=True, nl=False)
            _discard_unwritable_output()
            message, exit_code = _describe(error)
            click.echo(f"galfeat: {_one_line(message)}", err=True)
            raise click.exceptions.Exit(exit_code) from error


def _one_line(message: str) -> str:
    return printable(" ".join(message.split()))


def _describe(error: BaseException) -> tuple[str, int]:
    """Return the message and the exit code (see docs/reference/exit-codes.md) of an error."""
    if isinstance(error, GalfeatError):
        return str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, INTERRUPTED_EXIT_CODE
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return f"{error}; free some space or write to another disk", OutputError.exit_code
    return (
        f"unexpected {type(error).__name__}: {error}; run `galfeat --debug ...` for the traceback",
        1,
    )


def _discard_unwritable_output() -> None:
    """Redirect stdout if it cannot be flushed, so Python does not retry at interpreter exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _warn_in_one_line() -> None:
    """Print galfeat warnings in one line, like errors."""
    standard = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, GalfeatWarning):
            click.echo(f"galfeat: warning: {_one_line(str(message))}", err=True)
        else:
            standard(message, category, filename, lineno, file, line)

    warnings.showwarning = show


@contextlib.contextmanager
def _terminate_like_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGTERM, so temporary files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
