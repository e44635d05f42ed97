"""A thread pool for measuring galaxies, with a bounded queue that clients share."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


class BusyError(Exception):
    """The queue is full."""


class ClientDisconnected(Exception):  # noqa: N818  # not an error
    """The client disconnected before its request was completed."""


@dataclass(eq=False)
class _Job:
    work: Callable[[], Any]
    address: str
    future: Future[Any] = field(default_factory=Future)
    has_place: bool = True


class Workers:
    """Run slow work outside the event loop, and refuse it when the queue is full.

    As with `galfeat.web.connection.OpenConnections`, an address may take any number of places, but
    only until others need them: in a full queue, work of an address with fewer places replaces the
    newest queued work of the address with the most. Threads take the work of the address with the
    fewest threads, in turn, so a client waits for the work in progress but not for the queue of
    another.

    Parameters
    ----------
    threads : int
    max_waiting : int
        Maximum number of calls in progress or queued.
    """

    def __init__(self, threads: int, max_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="galaxy")
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        # By address: places taken, threads at work, and queued work, in the order of turns.
        self._places: Counter[str] = Counter()
        self._threads: Counter[str] = Counter()
        self._queued: dict[str, deque[_Job]] = {}

    @property
    def waiting(self) -> int:
        """The number of calls in progress or queued."""
        return self._places.total()

    async def run(
        self, work: Callable[[], T], disconnected: asyncio.Future[Any], address: str = ""
    ) -> T:
        """Return the result of `work`, or cancel it if the client disconnects first.

        Parameters
        ----------
        work : callable
        disconnected : Future
            Done once the client has disconnected.
        address : str
            The address of the client.

        Raises
        ------
        BusyError
            If the queue is full, or becomes full and the client has more places than others.
        ClientDisconnected
            If the client disconnected before the work was done.
        """
        job = _Job(work, address)
        self._add(job)
        done = asyncio.wrap_future(job.future)
        try:
            self._pool.submit(self._work_on_next)
            await asyncio.wait({done, disconnected}, return_when=asyncio.FIRST_COMPLETED)
            if not done.done():
                raise ClientDisconnected
            return done.result()  # type: ignore[no-any-return]
        finally:
            done.cancel()
            self._remove(job)

    def close(self) -> None:
        """Accept no more work and cancel work that has not started."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for jobs in self._queued.values():
                for job in jobs:
                    job.future.cancel()
            self._queued.clear()

    def _add(self, job: _Job) -> None:
        """Queue a job, if necessary in place of another; raise if there is no place."""
        with self._lock:
            if self.waiting >= self._max_waiting:
                self._replace_one(job.address)
            _add_to(self._places, job.address, 1)
            self._queued.setdefault(job.address, deque()).append(job)

    def _replace_one(self, address: str) -> None:
        error = BusyError(f"{self.waiting} requests are in progress; try again in a second")
        most = max(self._queued, key=lambda other: self._places[other], default=None)
        if most is None or self._places[most] <= self._places[address] + 1:
            raise error
        replaced = self._queued[most][-1]
        self._forget(replaced)
        replaced.future.set_exception(error)

    def _remove(self, job: _Job) -> None:
        with self._lock:
            self._forget(job)

    def _forget(self, job: _Job) -> None:
        """Free the place of a job, and do not start it."""
        if job.has_place:
            job.has_place = False
            _add_to(self._places, job.address, -1)
            jobs = self._queued.get(job.address, deque())
            if job in jobs:
                jobs.remove(job)
                if not jobs:
                    del self._queued[job.address]

    def _work_on_next(self) -> None:
        with self._lock:
            job = self._next()
        if job is None:  # the client has disconnected, or its work was replaced
            return
        try:
            if job.future.set_running_or_notify_cancel():
                _complete(job)
        finally:
            with self._lock:
                _add_to(self._threads, job.address, -1)

    def _next(self) -> _Job | None:
        """Take the next job from the queue; None if it is empty."""
        if not self._queued:
            return None
        address = min(self._queued, key=lambda other: self._threads[other])
        jobs = self._queued.pop(address)
        job = jobs.popleft()
        if jobs:
            self._queued[address] = jobs  # its next turn comes after those of the others
        _add_to(self._threads, address, 1)
        return job


def _complete(job: _Job) -> None:
    try:
        job.future.set_result(job.work())
    except BaseException as error:
        job.future.set_exception(error)


def _add_to(counts: Counter[str], address: str, change: int) -> None:
    """Change a count, and forget addresses whose count is zero."""
    counts[address] += change
    if not counts[address]:
        del counts[address]
