"""Bounds on heads and chunks of requests, which must leave no doubt where a request ends."""

from __future__ import annotations

import re

import h11
from h11._receivebuffer import ReceiveBuffer  # h11 has no public access to the lines it parses

from galfeat.web.request_limits import MAX_CHUNK_SHARE, MAX_FIELDS, MAX_HEAD, MAX_REQUEST_LINE

#: Control characters, and the whitespace that continues the previous line.
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]|^[ \t]")


def limit_framing(parser: h11.Connection) -> None:
    """Make a new parser refuse large heads, and requests whose end is ambiguous."""
    assert isinstance(parser._receive_buffer, ReceiveBuffer)
    parser._receive_buffer = RequestBuffer()


class RequestBuffer(ReceiveBuffer):
    """The bytes received by h11, refused where h11 is more lenient than other software.

    h11 limits a head only if it arrives in parts. It accepts lines that end with LF alone, folded
    lines, a Content-Length beside a Transfer-Encoding, and chunk extensions of any size. A proxy
    may read these differently, and take part of one request for another.
    """

    def __init__(self) -> None:
        super().__init__()
        self._chunk_bytes = self._body_bytes = 0

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """Return the lines of a head, or of the trailers of a chunked body, once complete."""
        size = len(self)
        lines = super().maybe_extract_lines()
        in_trailers = self._chunk_bytes > 0
        if lines is None:
            if size > MAX_HEAD:
                raise _refused(414 if not in_trailers and b"\n" not in bytes(self) else 431)
            return None
        size -= len(self)
        self._chunk_bytes = self._body_bytes = 0
        if lines and not in_trailers:
            _check_request_line(bytes(lines[0]))
        if size > MAX_HEAD or len(lines) > 1 + MAX_FIELDS:
            raise _refused(431)
        all_end_with_crlf = size == sum(len(line) + 2 for line in lines) + 2
        if not all_end_with_crlf or any(_FORBIDDEN.search(line) for line in lines):
            raise _refused(400)
        if lines and not in_trailers:
            _check_body_length(bytes(lines[0]), [bytes(line) for line in lines[1:]])
        return lines

    def maybe_extract_next_line(self) -> bytearray | None:
        """Return the line with the size of a chunk, once complete."""
        line = super().maybe_extract_next_line()
        size = len(self) if line is None else len(line)
        if self._chunk_bytes + size > MAX_HEAD + MAX_CHUNK_SHARE * self._body_bytes:
            raise _refused(413)
        if line is not None:
            self._chunk_bytes += size
            if _FORBIDDEN.search(line[:-2]):
                raise _refused(400)
        return line

    def maybe_extract_at_most(self, count: int) -> bytearray | None:
        """Return part of a body."""
        part = super().maybe_extract_at_most(count)
        self._body_bytes += len(part or b"")
        return part


def _check_request_line(line: bytes) -> None:
    if len(line) > MAX_REQUEST_LINE:
        raise _refused(414)
    if not line.endswith((b" HTTP/1.0", b" HTTP/1.1")):
        raise _refused(400)


def _check_body_length(request_line: bytes, fields: list[bytes]) -> None:
    """Raise if the length of the body is given twice, or in chunks before HTTP/1.1."""
    split = [field.lower().partition(b":") for field in fields]
    lengths = [value for name, _, value in split if name == b"content-length"]
    encodings = [value for name, _, value in split if name == b"transfer-encoding"]
    given_twice = len(lengths + encodings) > 1 or any(b"," in length for length in lengths)
    if given_twice or (encodings and not request_line.endswith(b"HTTP/1.1")):
        raise _refused(400)


def _refused(status: int) -> h11.LocalProtocolError:
    """Return the error of a reader of h11, which becomes the client's error."""
    return h11.LocalProtocolError("refused", error_status_hint=status)
