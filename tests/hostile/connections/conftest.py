"""A server in a thread, with an application that records the requests it receives."""

import asyncio
import json
import logging
import re
import socket
import threading
from contextlib import closing, contextmanager, suppress

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from galfeat.web.connection import configure, listening
from galfeat.web.request_limits import HEADERS, Limits, RequestGuard

#: Maximum time in seconds that a test waits for the server.
PLENTY = 20.0


def application(part_timeout):
    async def respond(request):
        app.state.paths.append(request.url.path)
        await request.body()
        return PlainTextResponse(f"{request.method} {request.url.path}")

    async def early(request):
        return PlainTextResponse("the body was not read")

    async def held(request):
        app.state.holding.release()
        await asyncio.to_thread(app.state.release.wait, PLENTY)
        return PlainTextResponse("released")

    async def large(request):
        return Response(bytes(200_000))

    app = Starlette(
        routes=[
            Route("/early", early, methods=["POST"]),
            Route("/held", held),
            Route("/large", large),
            Route("/{path:path}", respond, methods=["GET", "POST"]),
        ],
        middleware=[Middleware(RequestGuard, limits=Limits(part_timeout=part_timeout))],
    )
    app.state.paths, app.state.counts = [], {}
    app.state.holding, app.state.release = threading.Semaphore(0), threading.Event()
    return app


class Server:
    """A running server as its clients see it."""

    def __init__(self, address, app, uvicorn_server):
        self.address, self.state, self._server = address, app.state, uvicorn_server

    def connect(self, source="127.0.0.1"):
        """Connect from a loopback address; the connection is closed at the end of a block."""
        return closing(socket.create_connection(self.address, PLENTY, (source, 0)))

    def exchange(self, request, source="127.0.0.1"):
        """Send a request; return what is received until the server closes the connection."""
        with self.connect(source) as client:
            with suppress(ConnectionError):
                client.sendall(request)
            return self.read(client)

    def get(self, path, source="127.0.0.1"):
        """Request a path; return the status and the body."""
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        response = self.exchange(head.encode(), source)
        (status,) = self.statuses(response)
        return status, response.partition(b"\r\n\r\n")[2]

    @staticmethod
    def read(client):
        """Read until the server closes the connection."""
        parts = []
        with suppress(ConnectionError):
            while part := client.recv(65536):
                parts.append(part)
        return b"".join(parts)

    @staticmethod
    def statuses(responses):
        """Return the status of each response."""
        return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", responses)]

    @staticmethod
    def error(response):
        """Return the error of a response, which must be like all others."""
        head, _, body = response.partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        assert fields[b"content-type"] == b"application/json"
        assert int(fields[b"content-length"]) == len(body)
        for name, value in HEADERS.items():
            assert fields[name.lower().encode()] == value.lower().encode()
        return json.loads(body)["error"]

    @property
    def connections(self):
        """The number of open connections."""
        return len(self._server.server_state.connections)

    def wait_until_free(self):
        """Wait until there are no connections but the one that asks."""
        for _ in range(100_000):
            assert self.get("/healthz")[0] == 200
            if self.connections <= 1:
                return
        raise AssertionError("connections are never closed")


@pytest.fixture(scope="package")
def serve():
    """Return a function that runs a server until the end of a block."""

    @contextmanager
    def run(port=0, *, part_timeout=PLENTY, **options):
        app = application(part_timeout)
        config = configure(app, "127.0.0.1", port, **options)
        errors, handler = [], logging.Handler(logging.WARNING)
        handler.emit = lambda record: errors.append(record.getMessage())
        with listening("127.0.0.1", port) as listener:
            listener.listen()
            server = uvicorn.Server(config)
            loggers = [logging.getLogger(name) for name in ("uvicorn.error", "asyncio", "galfeat")]
            for logger in loggers:
                logger.addHandler(handler)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                yield Server(listener.getsockname(), app, server)
            finally:
                app.state.release.set()
                server.should_exit = True
                thread.join(PLENTY)
                for logger in loggers:
                    logger.removeHandler(handler)
                assert not thread.is_alive()
        assert errors == []

    return run
