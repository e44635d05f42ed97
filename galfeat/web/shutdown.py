"""End the server soon after a signal, in whatever state it is."""

from __future__ import annotations

import _thread
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from galfeat.errors import INTERRUPTED_EXIT_CODE

#: Seconds after SIGTERM or Ctrl-C at which a process that has not ended exits. uvicorn completes
#: requests for `galfeat.web.connection.SHUTDOWN_TIMEOUT`; Cloud Run kills after ten seconds.
LAST_RESORT = 7.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Server(uvicorn.Server):
    """A server whose process exits if it does not shut down in time."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to shut down."""
        _exit_in_time()
        super().handle_exit(sig, frame)


@contextmanager
def last_resort() -> Iterator[None]:
    """Have the process exit if it has not ended in time after a signal within this block.

    This also applies after the block, to threads that Python waits for at its exit. Signals reach
    only the main thread; in others this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.getsignal(number) for number in _SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        _exit_in_time()
        signal.signal(number, previous[signal.Signals(number)])
        signal.raise_signal(number)

    for number in _SIGNALS:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _exit_in_time() -> None:
    # Unlike threading.Timer this takes no lock, which the interrupted code might hold. An alarm
    # of the system would do, but has no effect on the first process of a container.
    _thread.start_new_thread(_exit_later, ())


def _exit_later() -> None:
    time.sleep(LAST_RESORT)
    os._exit(INTERRUPTED_EXIT_CODE)
