"""A real server and visitors who talk to its socket: slow ones, rude ones and old ones."""

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
from galfeat.web.connection import MAX_HEAD, configure
from galfeat.web.request_limits import Guard, Limits

#: Seconds for which this server waits, and in which it takes a body.
PATIENCE, LONGEST = 0.25, 0.6
LIMITS = Limits(max_single=100_000, patience=PATIENCE, longest=LONGEST)
#: How long a test waits for what has to come.
PLENTY = 20.0


@pytest.fixture(scope="module")
def address(shown):
    config = configure(Guard(create_app(shown), LIMITS), "127.0.0.1", 0, kept_alive=PATIENCE)
    listening = config.bind_socket()
    listening.listen()
    server, complaints = uvicorn.Server(config), logging.Handler(logging.ERROR)
    errors = []
    complaints.emit = errors.append
    logging.getLogger("uvicorn.error").addHandler(complaints)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()
    server.should_exit = True
    thread.join(PLENTY)
    assert not thread.is_alive()
    listening.close()
    logging.getLogger("uvicorn.error").removeHandler(complaints)
    assert errors == []


def connected(address):
    return closing(socket.create_connection(address, timeout=PLENTY))


def all_that_comes(visitor):
    """Read until the server ends the connection."""
    parts = []
    with suppress(ConnectionError):
        while part := visitor.recv(65536):
            parts.append(part)
    return b"".join(parts)


def statuses(answers):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


def said_to(address, request):
    with connected(address) as visitor:
        visitor.sendall(request)
        return all_that_comes(visitor)


def picture():
    stream = io.BytesIO()
    Image.fromarray(np.full((40, 40, 3), 30, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def upload(length):
    return f"POST /api/classify HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n".encode()


GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"POST /api/classify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def send_until_ended(visitor, part, pause):
    """Send a part again and again until the server ends the connection; return what came."""
    came = b""
    visitor.settimeout(pause)
    for _ in range(int(PLENTY / pause)):
        try:
            visitor.sendall(part)
            one = visitor.recv(65536)
        except TimeoutError:
            continue
        except ConnectionError:
            return came
        if not one:
            return came
        came += one
    raise AssertionError("the server listens for ever")


def test_who_says_nothing_is_let_go(address):
    assert said_to(address, b"") == b""


def test_who_says_nothing_more_after_an_answer_is_let_go(address):
    assert statuses(said_to(address, GET + b"\r\n")) == [200]


@pytest.mark.parametrize("before", [b"", GET + b"\r\n"])
def test_a_head_that_drips_is_not_waited_for(address, before):
    with connected(address) as visitor:
        visitor.sendall(before + b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        came = send_until_ended(visitor, b"x", PATIENCE / 5)
        assert statuses(came) == [200] * bool(before)


def test_a_body_that_stops(address):
    answer = said_to(address, upload(5000) + b"\r\n" + picture()[:40])
    assert statuses(answer) == [408]
    assert b"send it again" in answer


def test_a_body_that_drips_for_ever(address):
    with connected(address) as visitor:
        visitor.sendall(CHUNKED)
        assert statuses(send_until_ended(visitor, b"1\r\nx\r\n", PATIENCE / 5)) == [408]


def test_a_slow_body_that_comes_is_taken(address):
    content = picture()
    with connected(address) as visitor:
        visitor.sendall(upload(len(content)) + b"\r\n" + content[:50])
        visitor.settimeout(PATIENCE / 5)
        with pytest.raises(TimeoutError):
            visitor.recv(1)
        visitor.settimeout(PLENTY)
        visitor.sendall(content[50:])
        assert statuses(all_that_comes(visitor)) == [200]


def test_who_goes_away_in_the_middle_leaves_no_error(address):
    with connected(address) as visitor:
        visitor.sendall(upload(5000) + b"\r\n" + picture()[:40])
    assert statuses(said_to(address, GET + b"\r\n")) == [200]


@pytest.mark.parametrize("end", [b"", b"0\r\n\r\n"])
def test_who_sends_too_much_is_told_and_then_cut_off(address, end):
    with connected(address) as visitor:
        visitor.sendall(CHUNKED)
        for _ in range(30):
            visitor.sendall(b"2000\r\n" + bytes(0x2000) + b"\r\n")
        visitor.sendall(end)
        assert statuses(all_that_comes(visitor)) == [413]


def test_a_body_without_end_ends_all_the_same(address):
    with connected(address) as visitor:
        visitor.sendall(CHUNKED)
        came = send_until_ended(visitor, b"8000\r\n" + bytes(0x8000) + b"\r\n", PATIENCE / 50)
        assert statuses(came) in ([413], [])  # the answer may be lost with the connection


def test_who_takes_no_answer_is_let_go(address):
    asked = b"GET /samples/0.jpg HTTP/1.1\r\nHost: x\r\n\r\n"
    with closing(socket.socket()) as visitor:
        visitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        visitor.settimeout(PLENTY)
        visitor.connect(address)
        visitor.sendall(asked * 2000)
        ended = select.poll()
        ended.register(visitor, 0)
        for _ in range(int(PLENTY / PATIENCE)):
            if ended.poll(1000 * PATIENCE):
                return
            with suppress(ConnectionError):
                visitor.send(b"x")  # or its own side would not notice
    raise AssertionError("the server waits for ever")


def test_many_who_lie_still_keep_no_one_else_from_an_answer(address):
    idle = [socket.create_connection(address, timeout=PLENTY) for _ in range(200)]
    with connected(address) as visitor:
        visitor.sendall(b"GET /api/sample HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert statuses(all_that_comes(visitor)) == [200]
    assert all(all_that_comes(one) == b"" for one in idle)
    for one in idle:
        one.close()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (GET + b"X: " + b"x" * 8 * MAX_HEAD + b"\r\n\r\n", [400]),
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
def test_rude_and_old_visitors_get_a_well_formed_answer(address, request_, expected):
    assert statuses(said_to(address, request_)) == expected


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
def test_no_path_leads_out_of_the_house(address, path):
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    answer = said_to(address, request)
    assert statuses(answer) in ([404], [405])
    assert b"root:" not in answer
    assert b"import" not in answer
