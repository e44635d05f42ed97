"""Requests that are too large, malformed or ambiguous; nothing after them is read."""

import socket

import pytest

from galfeat.web.request_limits import MAX_FIELDS, MAX_HEAD, MAX_REQUEST_LINE

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /upload HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
#: What a proxy may take for part of the previous request, and the server for another one.
NEXT = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

LARGE = {
    "a field of 100 kB": (GET + b"X: " + b"x" * 100_000 + b"\r\n\r\n", 431),
    "20,000 fields": (GET + b"a:\r\n" * 20_000 + b"\r\n", 431),
    "one field too many": (GET + b"a:\r\n" * MAX_FIELDS + b"\r\n", 431),
    "an endless field": (GET + b"X: " + b"x" * 20_000, 431),
    "endless fields": (GET + b"a:\r\n" * 5_000, 431),
    "a long address": (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "an endless address": (b"GET /" + b"a" * 20_000, 414),
    "a long method": (b"G" * 9_000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "a long extension": (CHUNKED + b"1;" + b"x" * 20_000 + b"\r\nx\r\n" + END, 413),
    "an endless extension": (CHUNKED + b"1;" + b"x" * 20_000, 413),
    "many extensions": (CHUNKED + (b"1;" + b"x" * 100 + b"\r\nx\r\n") * 200 + END, 413),
    "tiny chunks": (CHUNKED + b"1\r\nx\r\n" * 10_000 + END, 413),
    "large trailers": (CHUNKED + b"0\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
    "endless trailers": (CHUNKED + b"0\r\nX: " + b"x" * 20_000, 431),
    "many trailers": (CHUNKED + b"0\r\n" + b"a:\r\n" * 200 + b"\r\n", 431),
}
HEADS = {
    "both lengths": b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    "both lengths, swapped": b"transfer-encoding: chunked\r\ncontent-length: 5",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6",
    "two equal lengths": b"Content-Length: 5\r\nContent-Length: 5",
    "a list of lengths": b"Content-Length: 5, 6",
    "a list of equal lengths": b"Content-Length: 5, 5",
    "a signed length": b"Content-Length: +5",
    "a negative length": b"Content-Length: -5",
    "a hexadecimal length": b"Content-Length: 0x5",
    "a length with an underscore": b"Content-Length: 5_0",
    "no length": b"Content-Length:",
    "a huge length": b"Content-Length: " + b"9" * 30,
    "a space before the colon": b"Content-Length : 5",
    "a folded length": b"Content-Length:\r\n 5",
    "a folded encoding": b"Transfer-Encoding:\r\n\tchunked",
    "a folded field": b"X: a\r\n b",
    "two encodings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "a vertical tab in the encoding": b"Transfer-Encoding: \x0bchunked",
    "a line that ends with LF": b"X: a\nY: b",
    "a hidden encoding": b"X: a\nTransfer-Encoding: chunked",
    "CR in a field": b"X: a\rTransfer-Encoding: chunked",
    "two CR": b"X: a\r\r\nY: b",
    "NUL in a field": b"X: a\0b",
    "another control character": b"X: a\x01b",
    "a field without a colon": b"GARBAGE",
    "a field without a name": b": a",
    "another host": b"Host: y",
}
CHUNKS = {
    "a negative size": b"-1\r\nx\r\n",
    "a prefixed size": b"0x1\r\nx\r\n",
    "a size with an underscore": b"1_0\r\n" + b"x" * 16 + b"\r\n",
    "a space before the size": b" 1\r\nx\r\n",
    "no size": b"\r\nx\r\n",
    "a huge size": b"f" * 21 + b"\r\nx\r\n",
    "a size that ends with LF": b"1\nx\r\n",
    "CR in an extension": b"1;a\rb\r\nx\r\n",
    "NUL in an extension": b"1;\0\r\nx\r\n",
    "a chunk longer than its size": b"1\r\nxx\r\n",
    "a chunk that ends with LF": b"1\r\nx\n",
    "an end with LF": b"0\r\n\n",
    "a trailer that ends with LF": b"0\r\nX: a\n\r\n",
    "a folded trailer": b"0\r\nX: a\r\n b\r\n\r\n",
    "a trailer without a colon": b"0\r\nGARBAGE\r\n\r\n",
}
MALFORMED = {
    **{name: (POST + fields + b"\r\n\r\n" + END, 400) for name, fields in HEADS.items()},
    **{name: (CHUNKED + chunks + END, 400) for name, chunks in CHUNKS.items()},
    "another encoding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + END, 400),
    "no encoding": (POST + b"Transfer-Encoding: identity\r\n\r\n" + END, 400),
    "chunks before HTTP/1.1": (CHUNKED.replace(b"1.1", b"1.0") + END, 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "all lines end with LF": (b"GET / HTTP/1.1\nHost: x\n\n", 400),
    "an empty line before": (b"\r\n" + GET + b"\r\n", 400),
    "a space before": (b" " + GET + b"\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400),
}


@pytest.fixture(scope="module")
def server(serve):
    with serve() as running:
        yield running


@pytest.mark.parametrize("name", [*LARGE, *MALFORMED])
def test_a_refused_request_ends_its_connection(server, name):
    request, status = (LARGE | MALFORMED)[name]
    before = server.state.counts.get(("other", status), 0)
    response = server.exchange(request + NEXT)
    assert server.statuses(response) == [status]
    assert len(server.error(response)) < 100
    assert "/smuggled" not in server.state.paths
    assert server.state.counts["other", status] == before + 1


@pytest.mark.parametrize("name", ["a field of 100 kB", "two lengths", "tiny chunks"])
def test_a_refusal_follows_earlier_responses(server, name):
    request, status = (LARGE | MALFORMED)[name]
    assert server.statuses(server.exchange(GET + b"\r\n" + request + NEXT)) == [200, status]
    assert "/smuggled" not in server.state.paths


def test_the_largest_requests_are_accepted(server):
    fields = GET + b"a:\r\n" * (MAX_FIELDS - 2) + b"Connection: close\r\n\r\n"
    assert server.statuses(server.exchange(fields)) == [200]
    head = GET + b"Connection: close\r\nX: "
    head += b"x" * (MAX_HEAD - len(head) - 4) + b"\r\n\r\n"
    assert len(head) == MAX_HEAD
    assert server.statuses(server.exchange(head)) == [200]
    assert server.statuses(server.exchange(head.replace(b"x\r\n\r\n", b"xx\r\n\r\n"))) == [431]
    line = b"GET /" + b"a" * (MAX_REQUEST_LINE - 14) + b" HTTP/1.1"
    assert len(line) == MAX_REQUEST_LINE
    rest = b"\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert server.statuses(server.exchange(line + rest)) == [200]
    assert server.statuses(server.exchange(line.replace(b"/a", b"/aa") + rest)) == [414]


def test_usual_chunks_are_accepted(server):
    chunks = b"5;name=value\r\nhello\r\n" + b"40 \r\n" + bytes(64) + b"\r\n"
    head = CHUNKED.replace(b"Host", b"Connection: close\r\nHost")
    assert server.statuses(server.exchange(head + chunks + END)) == [200]
    small = (b"40\r\n" + bytes(64) + b"\r\n") * 20_000
    assert server.statuses(server.exchange(head + small + b"0\r\nX: a\r\n\r\n")) == [200]


def test_a_head_in_single_bytes_is_accepted(server):
    with server.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in GET + b"Connection: close\r\n\r\n":
            client.sendall(bytes([byte]))
        assert server.statuses(server.read(client)) == [200]


def test_a_malformed_body_after_the_response_ends_the_connection(server):
    request = CHUNKED.replace(b"/upload", b"/early")
    with server.connect() as client:
        client.sendall(request)
        response = b""
        while not response.endswith(b"the body was not read"):
            response += client.recv(65536)
        assert server.statuses(response) == [200]
        client.sendall(b"zz\r\n" + NEXT)
        assert server.read(client) == b""
    assert "/smuggled" not in server.state.paths


def test_a_malformed_body_of_any_method_is_refused(server):
    request = CHUNKED.replace(b"POST", b"HEAD") + b"zz\r\n"
    assert server.statuses(server.exchange(request)) == [400]


def test_a_client_that_goes_on_sending_receives_its_refusal(server):
    response = server.exchange(GET + b"X: " + b"x" * 5_000_000)
    assert server.statuses(response) == [431]
    assert "headers are too large" in server.error(response)
