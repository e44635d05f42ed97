"""Visitors who connect and misbehave, for `serving_soak.py`."""

from __future__ import annotations

from serving_process import User, constant  # isort: skip  # Locust comes first

import random
import re
import socket
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

#: Address and number of the connections of one attacker, more than the server holds.
ATTACKER, CROWD = "127.0.0.66", 600
#: Seconds after which the server must have closed a connection; a body may take 120.
PATIENCE = 30.0
_GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
_POST = b"POST /api/classify HTTP/1.1\r\nHost: x\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"
_UPLOAD = _POST + b"Content-Length: 100000\r\n"
_NEXT = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
#: Requests that must each be refused, and end the connection.
_MALFORMED = [
    _GET + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
    _GET + b"a:\r\n" * 20_000 + b"\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    _CHUNKED + b"1;" + b"x" * 100_000 + b"\r\nx\r\n",
    _CHUNKED + b"1\r\nx\r\n" * 20_000,
    _CHUNKED + b"0\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + _NEXT,
    _POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + _NEXT,
    _POST + b"Content-Length: 5, 6\r\n\r\n" + _NEXT,
    _POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + _NEXT,
    _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + _NEXT,
    _POST + b"X: a\nTransfer-Encoding: chunked\r\n\r\n" + _NEXT,
    _POST + b"X: a\rTransfer-Encoding: chunked\r\n\r\n" + _NEXT,
    _CHUNKED + b"zz\r\n" + _NEXT,
    _CHUNKED + b"0\r\n\n" + _NEXT,
]


class Slow(User):
    """Connects and is slow: idle, sends a slow head, stops within a body, or disconnects in it."""

    wait_time = constant(0.1)

    def task(self) -> None:
        """Wait until the server closes the connection."""
        start = random.choice([b"", _UPLOAD, _UPLOAD + b"\r\n\x89PNG"])
        with suppress(ConnectionError), _connected(self) as visitor:
            visitor.sendall(start)
            if random.random() < 0.3:
                return
            visitor.settimeout(1.0)
            for _ in range(int(PATIENCE)):
                with suppress(TimeoutError):
                    if not visitor.recv(4096):
                        break
                if start == _UPLOAD:
                    visitor.sendall(b"X")
            else:
                record(self, "not dropped in time")
                return
        record(self, "slow")

    tasks = (task,)


class Crowd(User):
    """Holds hundreds of half-open connections of one address."""

    wait_time = constant(0.1)

    def task(self) -> None:
        """Open the connections, and wait until the server has closed all."""
        with suppress(ConnectionError), ExitStack() as opened:
            visitors = [opened.enter_context(_connected(self, ATTACKER)) for _ in range(CROWD)]
            for visitor in visitors:
                with suppress(ConnectionError):
                    visitor.sendall(random.choice([b"", _UPLOAD, _UPLOAD + b"\r\n\x89PNG"]))
            for visitor in visitors:
                try:
                    while visitor.recv(4096):
                        pass
                except ConnectionError:
                    pass
                except TimeoutError:
                    record(self, "not dropped in time")
                    return
        record(self, "half-open")

    tasks = (task,)


class Malformed(User):
    """Sends requests that are too large or ambiguous."""

    wait_time = constant(0.2)

    def task(self) -> None:
        """Send one, and read until the server closes the connection."""
        response = b""
        with suppress(ConnectionError), _connected(self, ATTACKER) as visitor:
            with suppress(ConnectionError):
                visitor.sendall(random.choice(_MALFORMED))
            while part := visitor.recv(65536):
                response += part
        record(self, "malformed", response)

    tasks = (task,)


def record(user: Any, name: str, response: bytes | None = None) -> None:  # noqa: ANN401
    """Record a request, and its response if there is one."""
    details = None
    if response is not None:
        head, _, content = response.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        kind = re.search(rb"(?i)content-type: ([^\r]+)", head)
        details = SimpleNamespace(
            status_code=int(status[1]) if status else 0, content=content,
            headers={"content-type": kind[1].decode() if kind else ""},
        )  # fmt: skip
    user.environment.events.request.fire(
        request_type="", name=name, response_time=0.0, response_length=0, response=details,
        context={}, exception=None,
    )  # fmt: skip


def _connected(user: Any, source: str = "127.0.0.1") -> socket.socket:  # noqa: ANN401
    address = urlsplit(user.environment.host)
    return socket.create_connection((address.hostname, address.port), PATIENCE, (source, 0))
