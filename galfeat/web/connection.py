"""How the server treats connections: uvicorn's HTTP/1.1, and no waiting for the slow."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from galfeat.errors import OutputError

#: Seconds for which a connection may lie still, or take to send the head of a request.
KEPT_ALIVE = 10.0
#: Connections at once; bytes of the head of a request.
MAX_CONNECTIONS, MAX_HEAD = 500, 16_384
#: Seconds for what is under way when SIGTERM comes; Cloud Run kills after ten.
SECONDS_TO_END = 5


class Connection(H11Protocol):
    """A connection that is dropped when its visitor keeps it waiting.

    uvicorn ends connections that lie still after an answer, but waits for ever for a first
    request, for the rest of the head of one, for a visitor to take an answer, and for the end of a
    body that has been refused. Here each of these has as long as a connection may lie still.
    """

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a first request."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self._wait()

    def on_response_complete(self) -> None:
        """Wait for the answer to be taken and the next request to come."""
        super().on_response_complete()
        self._wait()

    def pause_writing(self) -> None:
        """Wait for the visitor to take what was sent."""
        super().pause_writing()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        super().connection_lost(exc)
        self._wait_no_longer()

    def _wait(self) -> None:
        self._wait_no_longer()
        self._waiting = self.loop.call_later(self.timeout_keep_alive, self._drop_if_slow)

    def _wait_no_longer(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()

    def _drop_if_slow(self) -> None:
        asks_for_nothing = self.conn.their_state is h11.IDLE
        sends_on_after_the_answer = self.conn.our_state is h11.DONE
        takes_no_answer = self.flow.write_paused or self.transport.is_closing()
        if asks_for_nothing or sends_on_after_the_answer or takes_no_answer:
            self.transport.abort()


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Give a socket bound to an address; the server listens on it when it is ready.

    Raises
    ------
    OutputError
        If the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named asyncio sends at once; else an answer waits 40 ms for more to say.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with listener:
        try:
            listener.bind((host, port))
        except OSError as error:
            raise OutputError(
                f"cannot listen on {host}, port {port}: {error.strerror}; name another with --host "
                "or --port"
            ) from error
        yield listener


def configure(
    app: ASGIApp, host: str, port: int, *, kept_alive: float = KEPT_ALIVE
) -> uvicorn.Config:
    """Return how an application is served.

    Parameters
    ----------
    app : ASGIApp
    host : str
    port : int
    kept_alive : float
        Seconds for which a connection may lie still.
    """
    config = uvicorn.Config(
        app, host=host, port=port, http=Connection, ws="none", log_level="warning",
        access_log=False, server_header=False, limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEAD, timeout_graceful_shutdown=SECONDS_TO_END,
    )  # fmt: skip
    config.timeout_keep_alive = kept_alive  # type: ignore[assignment]  # fractions do as well
    return config
