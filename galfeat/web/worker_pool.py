"""A few threads that measure galaxies, and a short queue before them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


class BusyError(Exception):
    """As much is waiting as may wait."""


class ClientDisconnected(Exception):  # noqa: N818  # it is no error
    """The client that asked has disconnected."""


class Workers:
    """Run slow work beside the event loop, and refuse it when too much is waiting.

    Parameters
    ----------
    threads : int
    most_waiting : int
        CheckpointStore of work that may be under way or waiting.
    """

    def __init__(self, threads: int, most_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="galaxy")
        self._most_waiting = most_waiting
        self.waiting = 0

    async def run(self, work: Callable[[], Result], leaving: asyncio.Future[Any]) -> Result:
        """Return what the work returns; work that nobody waits for any more is not begun.

        Parameters
        ----------
        work : callable
        leaving : Future
            Done once who asked has gone.

        Raises
        ------
        BusyError
            If too much is waiting.
        ClientDisconnected
            If who asked has gone before it was done.
        """
        if self.waiting >= self._most_waiting:
            raise BusyError(f"{self.waiting} requests are waiting; come back in a second")
        self.waiting += 1
        done = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            await asyncio.wait({done, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not done.done():
                raise ClientDisconnected
            return done.result()
        finally:
            done.cancel()
            self.waiting -= 1

    def close(self) -> None:
        """Take no more work, and leave undone what has not been begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)
