"""Ask servers over HTTP: which failures pass by themselves and which do not."""

from __future__ import annotations

import contextlib
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from typing import TypeVar

from galfeat import __version__
from galfeat.errors import FetchError

T = TypeVar("T")

CHUNK = 2**18
ATTEMPTS = 3
"""So many in a row that bring nothing new, and a server is left alone."""

WORTH_RETRYING = frozenset({408, 425, 429, 500, 502, 503, 504})


class TransferBrokenError(Exception):
    """A transfer ended early or brought nonsense; trying again may help."""


class ServerRefusedError(Exception):
    """A server will not give what was asked for; only another one may.

    Attributes
    ----------
    code : int or None
        What it answered, if it answered.
    headers : Message
        Those of the answer.
    """

    def __init__(
        self, message: str, code: int | None = None, headers: Message | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.headers = Message() if headers is None else headers


def check_address(url: str) -> None:
    """Raise FetchError unless an address is one of HTTP."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise FetchError(f"{url!r} cannot be fetched; expected http:// or https://")


def ask(
    url: str, timeout: float, headers: Mapping[str, str] | None = None
) -> http.client.HTTPResponse:
    """Return a server's answer once its first line says that it is a good one.

    Raises
    ------
    TransferBrokenError, ServerRefusedError
    """
    agent = {"User-Agent": f"galfeat/{__version__}"}
    request = urllib.request.Request(url, headers={**agent, **(headers or {})})
    try:
        with network(timeout):
            response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=timeout)
            return response
    except urllib.error.HTTPError as error:
        error.close()
        answer = f"the server answers {error.code} {error.reason}"
        if error.code in WORTH_RETRYING:
            raise TransferBrokenError(answer) from error
        raise ServerRefusedError(answer, error.code, error.headers) from error


def pieces(response: http.client.HTTPResponse, timeout: float) -> Iterator[bytes]:
    """Yield the body of an answer as it comes."""
    while True:
        with network(timeout):
            piece = response.read1(CHUNK)
        if not piece:
            return
        yield piece


def content_length(response: http.client.HTTPResponse) -> int | None:
    """Return how many bytes an answer promises, None if it does not say."""
    length = response.headers.get("Content-Length")
    if length is not None and not length.strip().isdigit():
        raise TransferBrokenError(f"it promises {length!r} bytes")
    return int(length) if length is not None else None


@contextlib.contextmanager
def network(timeout: float) -> Iterator[None]:
    """Tell failures of the network from those of the disk."""
    try:
        yield
    except urllib.error.HTTPError:
        raise
    except TimeoutError as error:
        raise TransferBrokenError(f"nothing came for {timeout:g} s") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise TransferBrokenError(str(reason) or type(error).__name__) from error


def read(
    url: str, use: Callable[[bytes], T], *, limit: int, timeout: float = 30.0, pause: float = 1.0
) -> T:
    """Ask for something small until it is of use.

    Parameters
    ----------
    url : str
        http or https.
    use : callable
        Makes of the whole body what is returned. It raises TransferBrokenError if another answer
        may be better, ServerRefusedError if none will be.
    limit : int
        Bytes after which a body is left alone.
    timeout : float, default 30
        Seconds without a byte after which the connection counts as broken.
    pause : float, default 1
        Seconds before the second attempt; doubled before each further one.

    Raises
    ------
    TransferBrokenError
        If `ATTEMPTS` of them were in vain.
    ServerRefusedError
        If the server will not give it.
    FetchError
        If the address is none of HTTP.
    """
    check_address(url)
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(pause * 2 ** (attempt - 1))
        try:
            return use(_body(url, limit, timeout))
        except TransferBrokenError as error:
            last = error
    raise TransferBrokenError(f"{last}, {ATTEMPTS} times in a row") from last


def _body(url: str, limit: int, timeout: float) -> bytes:
    with ask(url, timeout) as response:
        total = content_length(response)
        content = bytearray()
        for piece in pieces(response, timeout):
            content += piece
            if len(content) > limit:
                raise ServerRefusedError(f"the server sends more than {limit} bytes")
    if total is not None and len(content) != total:
        raise TransferBrokenError(f"the connection ended at {len(content)} of {total} bytes")
    return bytes(content)
