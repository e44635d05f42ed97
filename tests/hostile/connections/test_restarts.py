"""Starts and ends of the server at inconvenient times."""

import queue
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import uvicorn

from galfeat.errors import INTERRUPTED, INTERRUPTED_EXIT_CODE, OutputError
from galfeat.web.connection import BACKLOG, configure, listening
from galfeat.web.request_limits import MAX_CONNECTIONS

REQUESTS = [
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 50000\r\n\r\n"
    + bytes(50_000),
]


@contextmanager
def clients(address, number):
    """Send requests from several threads until the end of the block; yield their responses."""
    responses, end = queue.SimpleQueue(), threading.Event()

    def send(request):
        while not end.is_set():
            try:
                with socket.create_connection(address, 20.0) as client:
                    client.sendall(request)
                    parts = list(iter(lambda: client.recv(65536), b""))
                responses.put(b"".join(parts))
            except ConnectionError:
                responses.put(b"")

    threads = [
        threading.Thread(target=send, args=[REQUESTS[number % len(REQUESTS)]])
        for number in range(number)
    ]
    for thread in threads:
        thread.start()
    try:
        yield responses
    finally:
        end.set()
        for thread in threads:
            thread.join()


def is_complete(response):
    head, _, body = response.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return re.match(rb"HTTP/1.1 (200|503) ", head) and len(body) == int(length[1])


def test_a_restart_under_load_sends_only_complete_responses(serve):
    with serve() as first:
        pass
    port = first.address[1]
    with clients(first.address, 3) as responses:
        for _ in range(3):
            with serve(port):
                complete = 0
                while complete < 20:
                    response = responses.get()
                    assert not response or is_complete(response)
                    complete += bool(response)
    while not responses.empty():
        response = responses.get()
        assert not response or is_complete(response)


def test_of_two_servers_started_at_once_one_fails_in_one_line():
    async def unused(scope, receive, send):
        raise AssertionError

    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        server = uvicorn.Server(configure(unused, "127.0.0.1", port))
        opened = ExitStack()
        second = opened.enter_context(listening("127.0.0.1", port))
        first.listen()
        with pytest.raises(OutputError, match=f"cannot listen on 127.0.0.1, port {port}: "), opened:
            server.run(sockets=[second])


@pytest.mark.parametrize(
    "host", ["no.such.host.invalid", "256.1.1.1", "x" * 300, "::g", "\u00e9" * 70]
)
def test_an_invalid_host_is_an_error(host):
    with pytest.raises(OutputError, match="choose another with --host"), listening(host, 0):
        pass


def test_the_server_may_open_enough_files_for_all_connections():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        with listening("127.0.0.1", 0):
            allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert allowed >= MAX_CONNECTIONS + 3 * BACKLOG + 100


@pytest.mark.parametrize("library", ["", "lib_lightgbm"])
def test_sigterm_during_the_start_leaves_at_most_one_line(library):
    command = [sys.executable, "-m", "galfeat", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while library not in Path(f"/proc/{process.pid}/maps").read_text():
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"galfeat serve ended with {process.wait(0.05)}")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) in (
        (-signal.SIGTERM, ""),
        (INTERRUPTED_EXIT_CODE, f"galfeat: {INTERRUPTED}\n"),
    )
