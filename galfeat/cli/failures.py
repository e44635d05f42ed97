"""Turn whatever goes wrong into one line on stderr and a documented exit code."""

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

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def one_line_failures(*, debug: bool) -> Iterator[None]:
    """Run a block so that every error ends in one line on stderr and an exit code.

    With `debug` the traceback comes before the line. `click` deals with its own
    exceptions, and ends quietly on a broken pipe.
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
            _drop_what_cannot_be_printed()
            message, exit_code = _describe(error)
            click.echo(f"galfeat: {' '.join(message.split())}", err=True)
            raise click.exceptions.Exit(exit_code) from error


def _describe(error: BaseException) -> tuple[str, int]:
    """Say in one line what went wrong, with the exit code of docs/reference/exit-codes.md."""
    if isinstance(error, GalfeatError):
        return str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, INTERRUPTED_EXIT_CODE
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return f"{error}; free some space or write to another disk", OutputError.exit_code
    return (
        f"unexpected {type(error).__name__}: {error}; "
        "run `galfeat --debug ...` to see where it happened",
        1,
    )


def _drop_what_cannot_be_printed() -> None:
    """Keep Python from trying once more, when it ends, to print to where there is no space."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _warn_in_one_line() -> None:
    """Make `warnings` print galfeat's own warnings the way errors are printed."""
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
            click.echo(f"galfeat: warning: {' '.join(str(message).split())}", err=True)
        else:
            standard(message, category, filename, lineno, file, line)

    warnings.showwarning = show


@contextlib.contextmanager
def _terminate_like_interrupt() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that temporary files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
