"""Limits on connections and requests, and security headers on responses."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from galfeat.web.uploads import MAX_BYTES

#: Maximum number of connections, and timeout in seconds of one that is idle, sends the head of a
#: request or reads a response.
MAX_CONNECTIONS, KEEP_ALIVE = 500, 10.0
#: Maximum number of bytes of a head and of its first line, and number of its fields.
MAX_HEAD, MAX_REQUEST_LINE, MAX_FIELDS = 16_384, 8_192, 100
#: Sizes and extensions of chunks may take as many bytes as a head, plus this share of the body.
MAX_CHUNK_SHARE = 0.125
#: Maximum number of bytes of a form, of a request with a single file, and of all requests in
#: progress. Several requests of one address may have half of the latter.
MAX_BODY, MAX_SINGLE, MAX_HELD = 33_000_000, MAX_BYTES, 66_000_000
#: Maximum time in seconds to receive the next part of a body, and all of it.
PART_TIMEOUT, BODY_TIMEOUT = 10.0, 120.0

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

#: Errors of malformed requests, by status.
MALFORMED = {
    400: "the request is malformed or ambiguous; send a valid HTTP/1.1 request",
    413: "the chunks are too small, or their extensions too large; send larger chunks",
    414: f"the address is too long; send at most {MAX_REQUEST_LINE:,} bytes",
    431: f"the headers are too large; send at most {MAX_FIELDS} with {MAX_HEAD:,} bytes in total",
}


class RequestRefusedError(Exception):
    """A refused request, with its response."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        self.response = JSONResponse({"error": text}, status, headers)


@dataclass(frozen=True)
class Limits:
    """Limits on requests.

    Attributes
    ----------
    max_body, max_single, max_held : int
        Maximum number of bytes of a form, of any other request, and of all requests in progress.
    part_timeout, body_timeout : float
        Maximum time in seconds to receive the next part of a body, and all of it.
    """

    max_body: int = MAX_BODY
    max_single: int = MAX_SINGLE
    max_held: int = MAX_HELD
    part_timeout: float = PART_TIMEOUT
    body_timeout: float = BODY_TIMEOUT


_DEFAULT = Limits()
_FAILED = RequestRefusedError(
    500, "internal server error, which has been logged; try another image"
)
_SHUTTING_DOWN = RequestRefusedError(
    503, "the server is shutting down; send the image again", **{"Retry-After": "1"}
)


def client_address(scope: Scope) -> str:
    """Return the address of the client, or of the last proxy; empty if it is unknown."""
    client = scope.get("client")
    return str(client[0]) if client else ""


class RequestGuard:
    """ASGI middleware that limits request bodies while they are received, chunked ones too.

    Parameters
    ----------
    app : ASGIApp
    limits : Limits
    """

    def __init__(self, app: ASGIApp, limits: Limits = _DEFAULT) -> None:
        self._app, self.limits = app, limits
        self._held: Counter[str] = Counter()  # by address

    @property
    def held(self) -> int:
        """The number of bytes of the bodies of all requests in progress."""
        return self._held.total()

    def held_by(self, address: str) -> int:
        """Return the number of bytes of the bodies of an address."""
        return self._held[address]

    def hold(self, address: str, size: int) -> None:
        """Count bytes of an address, or free them if the number is negative."""
        self._held[address] += size
        if not self._held[address]:
            del self._held[address]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        body = _Body(self, receive, scope)
        try:
            body.check_length()
            await self._app(scope, body.next_part, send_with_headers)
        except RequestRefusedError as refused:
            if not started:
                await refused.response(scope, receive, send_with_headers)
        except ClientDisconnect:
            pass  # nobody is left to respond to
        except asyncio.CancelledError:  # raised only at shutdown
            if not started:
                await _SHUTTING_DOWN.response(scope, receive, send_with_headers)
        except Exception:
            logging.getLogger("galfeat").exception("a request failed")
            if not started:
                await _FAILED.response(scope, receive, send_with_headers)
        finally:
            body.free()


class _Body:
    """The body of one request while it is received."""

    def __init__(self, guard: RequestGuard, receive: Receive, scope: Scope) -> None:
        self._guard, self._receive = guard, receive
        self._headers = dict(scope["headers"])
        self._address = client_address(scope)
        kind = self._headers.get(b"content-type", b"").strip().lower()
        is_form = kind.startswith(b"multipart/form-data")
        self._max_size = guard.limits.max_body if is_form else guard.limits.max_single
        self._end = asyncio.get_running_loop().time() + guard.limits.body_timeout
        self._complete = False
        self.received = 0

    def check_length(self) -> None:
        """Raise if the declared length is too large."""
        length = self._headers.get(b"content-length", b"")
        if length.isdigit():
            self._check_size(int(length))

    def free(self) -> None:
        """Stop counting the bytes of this body."""
        self._guard.hold(self._address, -self.received)

    async def next_part(self) -> Message:
        """Return the next part; after the last one, wait for the client to disconnect."""
        if self._complete:
            return await self._receive()
        left = self._end - asyncio.get_running_loop().time()
        try:
            message = await asyncio.wait_for(
                self._receive(), min(self._guard.limits.part_timeout, left)
            )
        except TimeoutError:
            raise RequestRefusedError(
                408, "the image was not received in time; send it again", Connection="close"
            ) from None
        self._complete = not message.get("more_body", False)
        size = len(message.get("body", b""))
        self.received += size
        self._guard.hold(self._address, size)
        self._check_size(self.received)
        return message

    def _check_size(self, size: int) -> None:
        limits = self._guard.limits
        if size > self._max_size:
            raise RequestRefusedError(
                413, f"the request is too large; send at most {self._max_size:,} bytes"
            )
        of_address = self._guard.held_by(self._address)
        in_others_way = of_address > max(self.received, limits.max_held // 2)
        if in_others_way or self._guard.held > limits.max_held:
            raise RequestRefusedError(
                503,
                "the server is receiving too many images; try again in a second",
                **{"Retry-After": "1"},
            )
