"""The HTTP server: uvicorn's HTTP/1.1 with timeouts for slow clients."""

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

#: Timeout in seconds for an idle connection, or for the head of a request.
KEEP_ALIVE = 10.0
#: Maximum number of connections, and of bytes in the head of a request.
MAX_CONNECTIONS, MAX_HEAD = 500, 16_384
#: Seconds to finish requests after SIGTERM; Cloud Run kills after ten.
SHUTDOWN_TIMEOUT = 5


class Connection(H11Protocol):
    """A connection that is closed when its client is too slow.

    uvicorn closes connections that are idle after a response, but waits indefinitely for the
    first request, for the rest of a request's head, for the client to read a response, and for
    the end of a refused body. Here the keep-alive timeout applies to all of these.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the timer for the first request."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self._start_timer()

    def on_response_complete(self) -> None:
        """Start the timer for reading the response and sending the next request."""
        super().on_response_complete()
        self._start_timer()

    def pause_writing(self) -> None:
        """Start the timer for reading what was sent."""
        super().pause_writing()
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        super().connection_lost(exc)
        self._stop_timer()

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _close_if_slow(self) -> None:
        sends_no_request = self.conn.their_state is h11.IDLE
        sends_after_response = self.conn.our_state is h11.DONE
        reads_no_response = self.flow.write_paused or self.transport.is_closing()
        if sends_no_request or sends_after_response or reads_no_response:
            self.transport.abort()


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a socket bound to an address; the server listens on it once it is ready.

    Raises
    ------
    OutputError
        If the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only if the protocol is named; otherwise responses wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with listener:
        try:
            listener.bind((host, port))
        except OSError as error:
            raise OutputError(
                f"cannot listen on {host}, port {port}: {error.strerror}; choose another with "
                "--host or --port"
            ) from error
        yield listener


def configure(
    app: ASGIApp, host: str, port: int, *, keep_alive: float = KEEP_ALIVE
) -> uvicorn.Config:
    """Return the server configuration for an application.

    Parameters
    ----------
    app : ASGIApp
    host : str
    port : int
    keep_alive : float
        Timeout in seconds for an idle connection.
    """
    config = uvicorn.Config(
        app, host=host, port=port, http=Connection, ws="none", log_level="warning",
        access_log=False, server_header=False, limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEAD, timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
    )  # fmt: skip
    config.timeout_keep_alive = keep_alive  # type: ignore[assignment]  # fractions work too
    return config
