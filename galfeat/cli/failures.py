"""Turn whatever goes wrong into one line on stderr and a documented exit code."""

from __future__ import annotations

import contextlib
import errno
import signal
import threading
import traceback
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import IO, Any, TextIO

import click

from galfeat.errors import GalfeatError, GalfeatWarning, OutputError

INTERRUPTED = 130
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Failure(click.ClickException):
    """An error as the user sees it: one line, an exit code and, on demand, the traceback."""

    def __init__(self, message: str, exit_code: int, *, debug: bool) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = exit_code
        self.debug = debug

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line on stderr, after the traceback where that was asked for."""
        if self.debug and self.__cause__ is not None:
            click.echo("".join(traceback.format_exception(self.__cause__)), err=True, nl=False)
        click.echo(f"galfeat: {self.message}", file=file, err=True)


@contextlib.contextmanager
def one_line_failures(*, debug: bool) -> Iterator[None]:
    """Run a block so that every error leaves it as a `Failure`.

    `click` prints a `Failure` and exits with its code. Its own exceptions pass, and
    so does a broken pipe, which it ends quietly.
    """
    with warnings.catch_warnings(), _terminate_like_interrupt():
        warnings.simplefilter("always", GalfeatWarning)
        _warn_in_one_line()
        try:
            yield
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except GalfeatError as error:
            raise Failure(str(error), error.exit_code, debug=debug) from error
        except KeyboardInterrupt as error:
            raise Failure(
                "interrupted, nothing half-written was left", INTERRUPTED, debug=debug
            ) from error
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _NO_SPACE:
                message = f"cannot write: {error}; free some space or write to another disk"
                raise Failure(message, OutputError.exit_code, debug=debug) from error
            message = f"unexpected {type(error).__name__}: {error}"
            if not debug:
                message += "; run again with `galfeat --debug ...` to see where"
            raise Failure(message, 1, debug=debug) from error


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
