"""A few threads that measure galaxies, and a short queue before them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class BusyError(Exception):
    """As much is waiting as may wait."""


class Workers:
    """Run slow work beside the event loop, and refuse it when too much is waiting.

    Parameters
    ----------
    threads : int
    most_waiting : int
        Pieces of work that may be under way or waiting.
    """

    def __init__(self, threads: int, most_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="galaxy")
        self._most_waiting = most_waiting
        self.waiting = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what the work returns.

        Raises
        ------
        BusyError
            If too much is waiting.
        """
        if self.waiting >= self._most_waiting:
            raise BusyError(f"{self.waiting} requests are waiting; come back in a second")
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)
