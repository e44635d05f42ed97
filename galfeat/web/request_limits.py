"""What stands before the application: limits on what is received, and headers on what is sent."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from galfeat.web.uploads import MAX_BYTES

#: Bytes of all files of one request together, of a request that is one file, and of all requests
#: that are being taken.
MAX_BODY, MAX_SINGLE, MAX_HELD = 33_000_000, MAX_BYTES, 66_000_000
#: Seconds in which the next part of a body has to come, and all of it.
PATIENCE, LONGEST = 10.0, 120.0

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


class RequestRefusedError(Exception):
    """A request that is not taken, with the answer it gets."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        self.answer = JSONResponse({"error": text}, status, headers)


@dataclass(frozen=True)
class Limits:
    """What is taken of visitors.

    Attributes
    ----------
    max_body, max_single, max_held : int
        Bytes of a form, of a request that is none, and of all that are being taken or worked on.
    patience, longest : float
        Seconds for the next part of a body, and for all of it.
    """

    max_body: int = MAX_BODY
    max_single: int = MAX_SINGLE
    max_held: int = MAX_HELD
    patience: float = PATIENCE
    longest: float = LONGEST


_USUAL = Limits()
_FAILED = RequestRefusedError(500, "this went wrong here, and was noted; try another image")
_ENDS = RequestRefusedError(
    503, "the server ends before it could answer; send the image again", **{"Retry-After": "1"}
)


class Guard:
    """ASGI middleware: bodies are limited while they come in, chunked ones too.

    Parameters
    ----------
    app : ASGIApp
    limits : Limits
    """

    def __init__(self, app: ASGIApp, limits: Limits = _USUAL) -> None:
        self._app, self.limits = app, limits
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = False

        async def send_with_headers(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        body = _Body(self, receive, scope)
        try:
            body.check_length()
            await self._app(scope, body.next_part, send_with_headers)
        except RequestRefusedError as refused:
            if not answered:
                await refused.answer(scope, receive, send_with_headers)
        except ClientDisconnect:
            pass  # who has gone needs no answer
        except asyncio.CancelledError:  # only when the server has to end
            if not answered:
                await _ENDS.answer(scope, receive, send_with_headers)
        except Exception:
            logging.getLogger("galfeat").exception("a request failed")
            if not answered:
                await _FAILED.answer(scope, receive, send_with_headers)
        finally:
            self.held -= body.received


class _Body:
    """The body of one request as it comes in."""

    def __init__(self, guard: Guard, receive: Receive, scope: Scope) -> None:
        self._guard, self._receive = guard, receive
        self._headers = dict(scope["headers"])
        kind = self._headers.get(b"content-type", b"").strip().lower()
        is_form = kind.startswith(b"multipart/form-data")
        self._most = guard.limits.max_body if is_form else guard.limits.max_single
        self._end = asyncio.get_running_loop().time() + guard.limits.longest
        self._whole = False
        self.received = 0

    def check_length(self) -> None:
        """Refuse what says that it is too large."""
        length = self._headers.get(b"content-length", b"")
        if length.isdigit():
            self._check_size(int(length))

    async def next_part(self) -> Message:
        """Return the next part; after the last one, wait for the visitor to go."""
        if self._whole:
            return await self._receive()
        left = self._end - asyncio.get_running_loop().time()
        try:
            message = await asyncio.wait_for(
                self._receive(), min(self._guard.limits.patience, left)
            )
        except TimeoutError:
            raise RequestRefusedError(
                408, "the image did not come in time; send it again", Connection="close"
            ) from None
        self._whole = not message.get("more_body", False)
        size = len(message.get("body", b""))
        self.received += size
        self._guard.held += size
        self._check_size(self.received)
        return message

    def _check_size(self, size: int) -> None:
        limits = self._guard.limits
        if size > self._most:
            raise RequestRefusedError(
                413, f"the request is larger than {self._most:,} bytes; send less"
            )
        if self._guard.held > limits.max_held:
            raise RequestRefusedError(
                503, "too many images are coming in; come back in a second", **{"Retry-After": "1"}
            )
