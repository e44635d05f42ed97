"""A thread pool with a bounded queue for measuring galaxies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class BusyError(Exception):
    """The queue is full."""


class ClientDisconnected(Exception):  # noqa: N818  # not an error
    """The client disconnected before its request was completed."""


class Workers:
    """Run slow work outside the event loop, and refuse it when the queue is full.

    Parameters
    ----------
    threads : int
    max_waiting : int
        Maximum number of calls in progress or queued.
    """

    def __init__(self, threads: int, max_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="galaxy")
        self._max_waiting = max_waiting
        self.waiting = 0

    async def run(self, work: Callable[[], T], disconnected: asyncio.Future[Any]) -> T:
        """Return the result of `work`, or cancel it if the client disconnects first.

        Parameters
        ----------
        work : callable
        disconnected : Future
            Done once the client has disconnected.

        Raises
        ------
        BusyError
            If the queue is full.
        ClientDisconnected
            If the client disconnected before the work was done.
        """
        if self.waiting >= self._max_waiting:
            raise BusyError(f"{self.waiting} requests are in progress; try again in a second")
        self.waiting += 1
        done = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            await asyncio.wait({done, disconnected}, return_when=asyncio.FIRST_COMPLETED)
            if not done.done():
                raise ClientDisconnected
            return done.result()
        finally:
            done.cancel()
            self.waiting -= 1

    def close(self) -> None:
        """Accept no more work and cancel work that has not started."""
        self._pool.shutdown(wait=False, cancel_futures=True)
