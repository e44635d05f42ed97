"""The HTTP server: uvicorn's HTTP/1.1 with limits on slow, malformed and numerous connections."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import h11
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from galfeat.errors import OutputError
from galfeat.web.request_framing import limit_framing
from galfeat.web.request_limits import (
    HEADERS,
    KEEP_ALIVE,
    MALFORMED,
    MAX_CONNECTIONS,
    MAX_HEAD,
    RequestRefusedError,
)

#: Seconds to finish requests after SIGTERM; Cloud Run kills after ten.
SHUTDOWN_TIMEOUT = 5
#: Number of connections accepted at once, and of files that the server may open. Connections are
#: accepted up to three times before those that they replace are closed.
BACKLOG, MAX_FILES = 128, 1_024


class Connection(H11Protocol):
    """A connection that is closed when its client is too slow, malformed, or in others' way.

    uvicorn closes connections that are idle after a response, but waits indefinitely for the
    first request, for the rest of a request's head, for the client to read a response, and for
    the end of a refused body. Here the keep-alive timeout applies to all of these.

    Parameters
    ----------
    open_connections : OpenConnections
        All connections of the server.
    counts : dict
        Number of responses by path and status, which counts refusals of malformed requests too.
    **options
        As for uvicorn's class.
    """

    def __init__(
        self,
        open_connections: OpenConnections,
        counts: dict[tuple[str, int], int],
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**options)
        limit_framing(self.conn)
        self._open, self._counts = open_connections, counts
        self._timer: asyncio.TimerHandle | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the timer for the first request."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self._open.add(self)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Parse what was received, or discard it after a refusal."""
        if not self._refused:
            super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        """Refuse a malformed request: uvicorn calls this while it handles the parser's error."""
        status = getattr(sys.exc_info()[1], "error_status_hint", 400)
        status = status if status in MALFORMED else 400
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):  # else a response was sent
            self._counts["other", status] = self._counts.get(("other", status), 0) + 1
            self.transport.write(self._refusal(status))
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        # A connection closed while the client is sending is reset, and the response lost. So end
        # the response, and discard what arrives until the client closes or the time is over.
        self._refused = True
        self.flow.resume_reading()
        with suppress(OSError):  # if the client has disconnected
            self.transport.write_eof()
        self._start_timer()

    def on_response_complete(self) -> None:
        """Start the timer for reading the response and sending the next request."""
        super().on_response_complete()
        self._start_timer()

    def pause_writing(self) -> None:
        """Start the timer for reading what was sent."""
        super().pause_writing()
        self._start_timer()

    def shutdown(self) -> None:
        """Close the connection, once the request in progress is complete."""
        if self._refused:
            self.transport.abort()
        else:
            super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        super().connection_lost(exc)
        self._open.remove(self)
        self._stop_timer()

    @property
    def address(self) -> str:
        """The address of the client, or of the last proxy; empty if it has disconnected."""
        return self.client[0] if self.client else ""

    @property
    def idle(self) -> bool:
        """Whether nothing is in progress but the head of a request."""
        return self._sends_no_request and self.transport.get_write_buffer_size() == 0

    @property
    def waits_for_client(self) -> bool:
        """Whether the client must send or read before anything happens."""
        if self._sends_no_request or self.cycle is None or self.cycle.response_complete:
            return True
        return self.conn.their_state is h11.SEND_BODY or self.flow.write_paused

    @property
    def _sends_no_request(self) -> bool:
        return self._refused or self.conn.their_state is h11.IDLE

    def _refusal(self, status: int) -> bytes:
        """Return a response to a malformed request, which like all errors is JSON."""
        response = RequestRefusedError(status, MALFORMED[status], **HEADERS).response
        response.headers["Connection"] = "close"
        fields = [*self.server_state.default_headers, *response.raw_headers]
        start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()
        lines = [start, *(name + b": " + value for name, value in fields), b""]
        return b"\r\n".join([*lines, bytes(response.body)])

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _close_if_slow(self) -> None:
        sends_after_response = self.conn.our_state is h11.DONE
        reads_no_response = self.flow.write_paused or self.transport.is_closing()
        if self._sends_no_request or sends_after_response or reads_no_response:
            self.transport.abort()


class OpenConnections:
    """The connections of a server, of limited number.

    When there are too many, one that waits for its client is closed: of the address with the
    most connections the oldest idle one, or else the oldest. So a client with any number of
    connections loses only its own, and new ones are always accepted, also those of health checks.
    No address has a limit of its own, as all visitors behind a proxy share one. Connections with
    requests in progress, which the queue of the application limits, are closed only if an address
    has more than half of all connections and nothing else.

    Parameters
    ----------
    limit : int
        Maximum number of connections.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_address: dict[str, dict[Connection, None]] = {}  # a set, but ordered

    def __len__(self) -> int:
        """Return the number of connections."""
        return sum(map(len, self._by_address.values()))

    def add(self, connection: Connection) -> None:
        """Add a new connection, and close another if there are too many."""
        if len(self) >= self._limit:
            closed = self._least_important()
            if closed is not None:
                self.remove(closed)
                closed.transport.abort()
        self._by_address.setdefault(connection.address, {})[connection] = None

    def remove(self, connection: Connection) -> None:
        """Remove a connection, unless it has been removed before."""
        others = self._by_address.get(connection.address, {})
        others.pop(connection, None)
        if not others:
            self._by_address.pop(connection.address, None)

    def _least_important(self) -> Connection | None:
        for connections in sorted(self._by_address.values(), key=len, reverse=True):
            idle = (connection for connection in connections if connection.idle)
            waiting = (connection for connection in connections if connection.waits_for_client)
            closed = next(idle, None) or next(waiting, None)
            if closed is None and len(connections) > self._limit // 2:
                closed = next(iter(connections))
            if closed is not None:
                return closed
        return None


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a socket bound to an address; the server listens on it once it is ready.

    Raises
    ------
    OutputError
        If the address cannot be bound, or another server listens on it first.
    """
    _allow_files(MAX_FILES)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only if the protocol is named; otherwise responses wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with listener:
        try:
            listener.bind((host, port))
        except (OSError, TypeError, UnicodeError) as error:
            raise _cannot_listen(host, port, error) from error
        try:
            yield listener
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise _cannot_listen(host, port, error) from error


def _allow_files(number: int) -> None:
    """Let this process open a number of files, if the system permits; macOS starts with 256."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        with suppress(ValueError):  # more than the hard limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


def _cannot_listen(host: str, port: int, error: Exception) -> OutputError:
    reason = getattr(error, "strerror", None) or "invalid host name"
    return OutputError(
        f"cannot listen on {host}, port {port}: {reason}; choose another with --host or --port"
    )


def configure(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    keep_alive: float = KEEP_ALIVE,
    max_connections: int = MAX_CONNECTIONS,
) -> uvicorn.Config:
    """Return the server configuration for an application.

    Parameters
    ----------
    app : ASGIApp
        Refused requests are counted in its `state.counts`, if it is a Starlette application.
    host : str
    port : int
    keep_alive : float
        Timeout in seconds for an idle connection.
    max_connections : int
        Maximum number of connections; see `OpenConnections`.
    """
    counts = getattr(app.state, "counts", {}) if isinstance(app, Starlette) else {}
    config = uvicorn.Config(
        app, host=host, port=port, ws="none", backlog=BACKLOG,
        http=partial(Connection, OpenConnections(max_connections), counts),  # type: ignore[arg-type]
        # Malformed requests are counted, not logged: strangers could fill the disk.
        log_level="error", access_log=False, server_header=False, proxy_headers=False,
        h11_max_incomplete_event_size=MAX_HEAD, timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
    )  # fmt: skip
    config.timeout_keep_alive = keep_alive  # type: ignore[assignment]  # fractions work too
    return config
