"""Slow, malformed and old-fashioned requests to the socket of a running server."""

import io
import logging
import re
import select
import socket
import threading
from contextlib import closing, suppress

import numpy as np
import pytest
import uvicorn
from PIL import Image

from galfeat.web.app import create_app
from galfeat.web.connection import configure
from galfeat.web.request_limits import MAX_HEAD, Limits, RequestGuard

#: Timeouts of this server in seconds, for part of a body and for all of it.
PART_TIMEOUT, BODY_TIMEOUT = 0.25, 0.6
LIMITS = Limits(max_single=100_000, part_timeout=PART_TIMEOUT, body_timeout=BODY_TIMEOUT)
#: Maximum time in seconds that a test waits for the server.
PLENTY = 20.0


@pytest.fixture(scope="module")
def address(content):
    config = configure(
        RequestGuard(create_app(content), LIMITS), "127.0.0.1", 0, keep_alive=PART_TIMEOUT
    )
    listening = config.bind_socket()
    listening.listen()
    server, handler = uvicorn.Server(config), logging.Handler(logging.ERROR)
    errors = []
    handler.emit = errors.append
    logging.getLogger("uvicorn.error").addHandler(handler)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()
    server.should_exit = True
    thread.join(PLENTY)
    assert not thread.is_alive()
    listening.close()
    logging.getLogger("uvicorn.error").removeHandler(handler)
    assert errors == []


def connected(address):
    return closing(socket.create_connection(address, timeout=PLENTY))


def read_all(visitor):
    """Read until the server closes the connection."""
    parts = []
    with suppress(ConnectionError):
        while part := visitor.recv(65536):
            parts.append(part)
    return b"".join(parts)


def statuses(responses):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", responses)]


def exchange(address, request):
    with connected(address) as visitor:
        visitor.sendall(request)
        return read_all(visitor)


def picture():
    stream = io.BytesIO()
    Image.fromarray(np.full((40, 40, 3), 30, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def upload(length):
    return f"POST /api/classify HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n".encode()


GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"POST /api/classify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def send_until_ended(visitor, part, pause):
    """Send a part repeatedly until the server closes the connection; return the response."""
    received = b""
    visitor.settimeout(pause)
    for _ in range(int(PLENTY / pause)):
        try:
            visitor.sendall(part)
            data = visitor.recv(65536)
        except TimeoutError:
            continue
        except ConnectionError:
            return received
        if not data:
            return received
        received += data
    raise AssertionError("the server never closes the connection")


def test_an_idle_connection_is_closed(address):
    assert exchange(address, b"") == b""


def test_an_idle_connection_is_closed_after_a_response(address):
    assert statuses(exchange(address, GET + b"\r\n")) == [200]


@pytest.mark.parametrize("before", [b"", GET + b"\r\n"])
def test_a_slow_head_is_not_waited_for(address, before):
    with connected(address) as visitor:
        visitor.sendall(before + b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        received = send_until_ended(visitor, b"x", PART_TIMEOUT / 5)
        assert statuses(received) == [200] * bool(before)


def test_a_body_that_stops_is_refused(address):
    response = exchange(address, upload(5000) + b"\r\n" + picture()[:40])
    assert statuses(response) == [408]
    assert b"send it again" in response


def test_an_endless_slow_body_is_refused(address):
    with connected(address) as visitor:
        visitor.sendall(CHUNKED)
        assert statuses(send_until_ended(visitor, b"1\r\nx\r\n", PART_TIMEOUT / 5)) == [408]


def test_a_slow_but_complete_body_is_accepted(address):
    content = picture()
    with connected(address) as visitor:
        visitor.sendall(upload(len(content)) + b"\r\n" + content[:50])
        visitor.settimeout(PART_TIMEOUT / 5)
        with pytest.raises(TimeoutError):
            visitor.recv(1)
        visitor.settimeout(PLENTY)
        visitor.sendall(content[50:])
        assert statuses(read_all(visitor)) == [200]


def test_a_disconnect_within_a_body_logs_no_error(address):
    with connected(address) as visitor:
        visitor.sendall(upload(5000) + b"\r\n" + picture()[:40])
    assert statuses(exchange(address, GET + b"\r\n")) == [200]


@pytest.mark.parametrize("end", [b"", b"0\r\n\r\n"])
def test_an_oversized_body_is_refused_and_cut_off(address, end):
    with connected(address) as visitor:
        visitor.sendall(CHUNKED)
        for _ in range(30):
            visitor.sendall(b"2000\r\n" + bytes(0x2000) + b"\r\n")
        visitor.sendall(end)
        assert statuses(read_all(visitor)) == [413]


def test_an_endless_fast_body_is_cut_off(address):
    with connected(address) as visitor:
        visitor.sendall(CHUNKED)
        received = send_until_ended(
            visitor, b"8000\r\n" + bytes(0x8000) + b"\r\n", PART_TIMEOUT / 50
        )
        assert statuses(received) in ([413], [])  # the response may be lost with the connection


def test_a_client_that_reads_no_response_is_dropped(address):
    request = b"GET /samples/0.jpg HTTP/1.1\r\nHost: x\r\n\r\n"
    with closing(socket.socket()) as visitor:
        visitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        visitor.settimeout(PLENTY)
        visitor.connect(address)
        visitor.sendall(request * 2000)
        ended = select.poll()
        ended.register(visitor, 0)
        for _ in range(int(PLENTY / PART_TIMEOUT)):
            if ended.poll(1000 * PART_TIMEOUT):
                return
            with suppress(ConnectionError):
                visitor.send(b"x")  # otherwise this side would not notice
    raise AssertionError("the server waits indefinitely")


def test_many_idle_connections_do_not_block_others(address):
    idle = [socket.create_connection(address, timeout=PLENTY) for _ in range(200)]
    with connected(address) as visitor:
        visitor.sendall(b"GET /api/sample HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert statuses(read_all(visitor)) == [200]
    assert all(read_all(connection) == b"" for connection in idle)
    for connection in idle:
        connection.close()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (GET + b"X: " + b"x" * 8 * MAX_HEAD + b"\r\n\r\n", [431]),
        (GET + b"\r\nGARBAGE\r\n\r\n", [200, 400]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), [400]),
        (b"GET /healthz HTTP/1.0\r\n\r\n", [200]),
        (b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", [200]),
        (b"GET /healthz HTTP/1.1\r\n\r\n", [400]),
        (GET + b"Host: y\r\n\r\n", [400]),
        (GET + b"X-Bad\r\n\r\n", [400]),
        (GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", [200]),
        (upload(5) + b"Content-Length: 6\r\n\r\nxxxxx", [400]),
        (upload(-1) + b"\r\n", [400]),
        (upload(10**4000) + b"\r\n", [400]),
        (CHUNKED + b"zz\r\n", [400]),
        (CHUNKED + b"0\r\n\r\n", [400]),
        (b"PUT /api/classify HTTP/1.1\r\nHost: x\r\n\r\n", [405]),
        (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", [405]),
        (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", [404]),
        (b"\xe2\x98\x83 / HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    ],
    ids=lambda value: str(value[:50]) if isinstance(value, bytes) else "",
)
def test_malformed_and_old_requests_get_a_well_formed_response(address, request_, expected):
    assert statuses(exchange(address, request_)) == expected


@pytest.mark.parametrize(
    "path",
    [
        "/samples/../../../etc/passwd", "/samples/%2e%2e/%2e%2e/etc/passwd", "/samples/-1.jpg",
        "/samples/99999999999999999999.jpg", f"/samples/{'9' * 5000}.jpg", "/samples/0.jpg/",
        "/samples/0%00.jpg", "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py",
        "/static/..%5capp.py", "/static//etc/passwd", "/static/%00", "/static/app.js%00.png",
        f"/static/{'a' * 5000}", "/static/", "/static", "/static/%ff%fe", "//", "/%0d%0aX:%20y",
    ],
)  # fmt: skip
def test_no_path_escapes_the_application(address, path):
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    response = exchange(address, request)
    assert statuses(response) in ([404], [405])
    assert b"root:" not in response
    assert b"import" not in response
