"""HTTP requests that distinguish temporary from permanent failures."""

from __future__ import annotations

import contextlib
import http.client
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from typing import Any, TypeVar

from galfeat import __version__
from galfeat.errors import FetchError

T = TypeVar("T")

CHUNK = 2**18
ATTEMPTS = 3
"""Maximum number of consecutive attempts without progress."""

RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})

#: Maximum duration of a small transfer, in timeouts: a server may send a byte at a time.
_MAX_TIMEOUTS = 10


class TransferBrokenError(Exception):
    """A transfer was incomplete or returned invalid content; a retry may help.

    Examples
    --------
    >>> from galfeat.data.fetch import TransferBrokenError
    >>> raise TransferBrokenError("the connection ended at 10 of 20 bytes")
    Traceback (most recent call last):
    galfeat.data.fetch.transfer.TransferBrokenError: the connection ended at 10 of 20 bytes
    """


class ServerRefusedError(Exception):
    """A server refused a request; a retry does not help, another server may.

    Attributes
    ----------
    code : int or None
        HTTP status of the response, if any.
    headers : Message
        Headers of the response.

    Examples
    --------
    >>> from galfeat.data.fetch import ServerRefusedError
    >>> ServerRefusedError("the server returned 404 Not Found", 404).code
    404
    """

    def __init__(
        self, message: str, code: int | None = None, headers: Message | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.headers = Message() if headers is None else headers


def check_address(url: str) -> None:
    """Raise FetchError unless the URL is http or https."""
    if not _is_http(url):
        raise FetchError(f"{url!r} cannot be fetched; expected http:// or https://")


def _is_http(url: str) -> bool:
    try:
        address = urllib.parse.urlsplit(url)
        _ = address.port
    except ValueError:
        return False
    return address.scheme in ("http", "https") and bool(address.hostname)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects to http and https only."""

    def redirect_request(self, *arguments: Any) -> urllib.request.Request | None:  # noqa: ANN401
        """Return the request for the new address, the last argument."""
        if not _is_http(arguments[-1]):
            raise ServerRefusedError(f"the server redirects to {arguments[-1]!r}")
        return super().redirect_request(*arguments)


def open_url(
    url: str, timeout: float, headers: Mapping[str, str] | None = None
) -> http.client.HTTPResponse:
    """Return a server's response if its status is a success.

    Raises
    ------
    TransferBrokenError, ServerRefusedError
    """
    agent = {"User-Agent": f"galfeat/{__version__}"}
    request = urllib.request.Request(url, headers={**agent, **(headers or {})})
    try:
        with network_errors(timeout):
            opener = urllib.request.build_opener(_Redirects)
            response: http.client.HTTPResponse = opener.open(request, timeout=timeout)
            return response
    except urllib.error.HTTPError as error:
        error.close()
        reason = "".join(filter(str.isprintable, str(error.reason)))[:80]
        message = f"the server returned {error.code} {reason}"
        if error.code in RETRYABLE:
            raise TransferBrokenError(message) from error
        raise ServerRefusedError(message, error.code, error.headers) from error


def chunks(response: http.client.HTTPResponse, timeout: float) -> Iterator[bytes]:
    """Yield the body of a response as it arrives."""
    while True:
        with network_errors(timeout):
            chunk = response.read1(CHUNK)
        if not chunk:
            return
        yield chunk


def content_length(response: http.client.HTTPResponse) -> int | None:
    """Return the announced length of a response in bytes, or None if it is unknown."""
    length = response.headers.get("Content-Length")
    if length is not None and not re.fullmatch("[0-9]{1,18}", length.strip()):
        raise TransferBrokenError(f"the server announced a length of {length[:20]!r} bytes")
    return int(length) if length is not None else None


@contextlib.contextmanager
def network_errors(timeout: float) -> Iterator[None]:
    """Convert network errors to TransferBrokenError, to distinguish them from disk errors."""
    try:
        yield
    except urllib.error.HTTPError:
        raise
    except TimeoutError as error:
        raise TransferBrokenError(f"no data received for {timeout:g} s") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise TransferBrokenError(str(reason) or type(error).__name__) from error
    except ValueError as error:
        raise ServerRefusedError(f"the address is not valid: {error}") from error


def fetch_content(
    url: str, parse: Callable[[bytes], T], *, limit: int, timeout: float = 30.0, pause: float = 1.0
) -> T:
    """Fetch and parse a small response, with retries.

    Parameters
    ----------
    url : str
        http or https.
    parse : callable
        Converts the complete body to the returned value. It raises TransferBrokenError if a
        retry may help, ServerRefusedError if not.
    limit : int
        Maximum size of the body in bytes.
    timeout : float, default 30
        Seconds without data after which the connection counts as broken.
    pause : float, default 1
        Seconds before the second attempt; doubled before each further one.

    Raises
    ------
    TransferBrokenError
        If `ATTEMPTS` attempts failed.
    ServerRefusedError
        If the server refuses the request.
    FetchError
        If the URL is neither http nor https.
    """
    check_address(url)
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(pause * 2 ** (attempt - 1))
        try:
            return parse(_body(url, limit, timeout))
        except TransferBrokenError as error:
            last = error
    raise TransferBrokenError(f"{last}, {ATTEMPTS} times in a row") from last


def _body(url: str, limit: int, timeout: float) -> bytes:
    with open_url(url, timeout) as response:
        total = content_length(response)
        content, deadline = bytearray(), time.monotonic() + _MAX_TIMEOUTS * timeout
        for chunk in chunks(response, timeout):
            content += chunk
            if time.monotonic() > deadline:
                raise TransferBrokenError(f"not complete after {_MAX_TIMEOUTS * timeout:g} s")
            if len(content) > limit:
                raise ServerRefusedError(f"the server sent more than {limit} bytes")
    if total is not None and len(content) != total:
        raise TransferBrokenError(f"the connection ended at {len(content)} of {total} bytes")
    return bytes(content)
