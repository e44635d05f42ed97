"""Progress display on stderr; nothing is shown unless stderr is a terminal."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

import click


@contextlib.contextmanager
def progress_bar(label: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Yield a function ``update(done, total)`` that draws a progress bar.

    Parameters
    ----------
    label : str
        Printed before the bar.
    shown : bool
        Whether to draw it; not where it would be mixed with output.
    """
    if not shown or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def update(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield update


@contextlib.contextmanager
def running_clock(label: str) -> Iterator[None]:
    """Show the elapsed time of a block.

    Parameters
    ----------
    label : str
        Printed before the time.
    """
    if not sys.stderr.isatty():
        yield
        return
    start = time.monotonic()
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.5):
            click.echo(f"\r{label}  {time.monotonic() - start:.0f} s", err=True, nl=False)

    clock = threading.Thread(target=tick, daemon=True)
    clock.start()
    try:
        yield
    finally:
        done.set()
        clock.join()
        click.echo(f"\r{label}  {time.monotonic() - start:.0f} s", err=True)
