"""The queue of uploads, which clients share."""

import asyncio
import io
import threading
from contextlib import suppress

import pytest
from PIL import Image

from galfeat import open_dataset
from galfeat.web.app import create_app
from galfeat.web.request_limits import Limits, RequestGuard
from galfeat.web.results import classify_images
from galfeat.web.worker_pool import BusyError, Workers


class Queue:
    """A queue whose threads work only once it is released."""

    def __init__(self, threads, places):
        self.workers, self.order = Workers(threads, places), []
        self._release, self._calls = threading.Event(), []
        self._connected = asyncio.get_running_loop().create_future()

    async def add(self, *addresses):
        """Queue a call from each address; return the calls."""
        calls = [asyncio.ensure_future(self._run(address)) for address in addresses]
        self._calls += calls
        await asyncio.sleep(0)
        return calls

    async def _run(self, address):
        def work():
            assert self._release.wait(60)
            self.order.append(address)

        await self.workers.run(work, self._connected, address)

    async def finish(self):
        """Let all work be done; return the number of refused calls by address."""
        self._release.set()
        results = await asyncio.gather(*self._calls, return_exceptions=True)
        assert self.workers.waiting == 0
        self.workers.close()
        return sum(isinstance(result, BusyError) for result in results)


def test_one_address_may_take_all_places():
    async def fill():
        queue = Queue(2, 6)
        await queue.add(*["many"] * 6)
        assert queue.workers.waiting == 6
        (refused,) = await queue.add("many")
        with pytest.raises(BusyError, match="6 requests are in progress; try again"):
            await refused
        assert await queue.finish() == 1
        assert queue.order == ["many"] * 6

    asyncio.run(fill())


def test_in_a_full_queue_a_new_address_replaces_the_newest_call_of_the_largest_one():
    async def fill():
        queue = Queue(1, 6)
        calls = await queue.add(*["many"] * 4, "few", "few")
        (new,) = await queue.add("new")
        assert queue.workers.waiting == 6
        with pytest.raises(BusyError):
            await calls[3]
        assert await queue.finish() == 1
        await new

    asyncio.run(fill())


def test_places_are_shared_equally_and_nobody_is_replaced_twice():
    async def fill():
        queue = Queue(1, 6)
        await queue.add(*["first"] * 6, *["second"] * 6, *["first"] * 3)
        assert await queue.finish() == 9
        assert sorted(queue.order) == ["first"] * 3 + ["second"] * 3

    asyncio.run(fill())


def test_a_call_in_progress_is_not_replaced():
    async def fill():
        queue = Queue(2, 2)
        calls = await queue.add("many", "many")
        while queue.workers._queued:
            await asyncio.sleep(0)
        (new,) = await queue.add("new")
        with pytest.raises(BusyError):
            await new
        assert await queue.finish() == 1
        await asyncio.gather(*calls)

    asyncio.run(fill())


def test_addresses_take_turns():
    async def fill():
        queue = Queue(1, 20)
        await queue.add(*["many"] * 8, "one", "two", "two")
        assert await queue.finish() == 0
        assert queue.order[1:6] == ["many", "one", "two", "many", "two"]

    asyncio.run(fill())


def test_nothing_is_kept_of_addresses_that_left():
    async def fill():
        queue = Queue(1, 4)
        await queue.add(*"abcdefgh")
        await queue.finish()
        return queue.workers

    workers = asyncio.run(fill())
    assert not workers._places
    assert not workers._threads
    assert not workers._queued


async def post(app, address, *parts, stays=False):
    """Upload a body in parts; return the status. If the client stays, it sends no end."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages[-1]["more_body"] = stays
    statuses = []

    async def receive():
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    async def send(message):
        statuses.append(message.get("status"))

    scope = {
        "type": "http", "method": "POST", "path": "/api/classify", "raw_path": b"/api/classify",
        "query_string": b"", "headers": [], "http_version": "1.1", "scheme": "http",
        "server": ("galaxies", 80), "client": (address, 1), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    return statuses[0]


@pytest.fixture(scope="module")
def galaxy(simulated):
    stream = io.BytesIO()
    Image.fromarray(open_dataset(simulated).read([60])[0]).save(stream, "PNG")
    return stream.getvalue()


def test_a_visitor_is_served_while_another_address_fills_the_queue(content, galaxy, monkeypatch):
    release = threading.Event()

    def classify(*arguments):
        assert release.wait(60)
        return classify_images(*arguments)

    monkeypatch.setattr("galfeat.web.results.classify_images", classify)
    app = create_app(content, threads=1)
    app.state.workers = Workers(1, 8)

    async def attack():
        flood = [asyncio.ensure_future(post(app, "10.0.0.1", galaxy)) for _ in range(20)]
        while sum(call.done() for call in flood) < 12:
            await asyncio.sleep(0)
        assert app.state.workers.waiting == 8
        visitor = asyncio.ensure_future(post(app, "10.0.0.2", galaxy))
        while sum(call.done() for call in flood) < 13:  # one more is replaced
            await asyncio.sleep(0)
        release.set()
        return await visitor, await asyncio.gather(*flood)

    served, flood = asyncio.run(attack())
    app.state.workers.close()
    app.state.decoders.close()
    assert served == 200
    assert sorted(flood) == [200] * 7 + [503] * 13


def test_one_address_does_not_hold_all_the_memory_for_bodies(content):
    app = RequestGuard(create_app(content), Limits(max_held=50_000))

    async def attack():
        first = asyncio.ensure_future(post(app, "10.0.0.1", bytes(24_000), stays=True))
        while app.held < 24_000:
            await asyncio.sleep(0)
        statuses = [
            await post(app, "10.0.0.1", bytes(10_000)),
            await post(app, "10.0.0.2", bytes(10_000)),
            await post(app, "10.0.0.2", bytes(20_000), bytes(5_000)),
        ]
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        return statuses

    assert asyncio.run(attack()) == [503, 422, 422]
    assert app.held == 0
