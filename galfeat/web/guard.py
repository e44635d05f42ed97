"""What stands before the application: limits on what is received, and headers on what is sent."""

from __future__ import annotations

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Of all files of one request together.
MOST_BODY = 33_000_000
#: Seconds in which the next part of a body has to come.
PATIENCE = 10.0

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


class TooLargeError(Exception):
    """More was sent than is taken."""


class TooSlowError(Exception):
    """The rest of a body did not come."""


class Guard:
    """ASGI middleware: bodies are limited while they come in, chunked ones too.

    Parameters
    ----------
    app : ASGIApp
    most_body : int
        Bytes.
    patience : float
        Seconds.
    """

    def __init__(
        self, app: ASGIApp, most_body: int = MOST_BODY, patience: float = PATIENCE
    ) -> None:
        self._app, self._most_body, self._patience = app, most_body, patience

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

        try:
            self._check_length(scope)
            await self._app(scope, self._counted(receive), send_with_headers)
        except (TooLargeError, TooSlowError) as error:
            if answered:
                return
            code = 413 if isinstance(error, TooLargeError) else 408
            refusal = JSONResponse(
                {"error": str(error)}, status_code=code, headers={"Connection": "close"}
            )
            await refusal(scope, receive, send_with_headers)

    def _check_length(self, scope: Scope) -> None:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self._most_body:
                raise self._too_large()

    def _counted(self, receive: Receive) -> Receive:
        received, whole = 0, False

        async def next_part() -> Message:
            nonlocal received, whole
            if whole:  # what comes after the body is only ever that the visitor has gone
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self._patience)
            except TimeoutError:
                raise TooSlowError(
                    f"nothing came for {self._patience:g} seconds; send the image again"
                ) from None
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                whole = not message.get("more_body", False)
                if received > self._most_body:
                    raise self._too_large()
            return message

        return next_part

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"the request is larger than {self._most_body:,} bytes; send less")
