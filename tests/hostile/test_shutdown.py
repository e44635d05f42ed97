"""`galfeat serve` under hostile clients goes on responding, and ends at SIGTERM."""

import concurrent.futures
import contextlib
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from PIL import Image

#: Seconds after SIGTERM at which Cloud Run kills.
GRACE = 10


def children(pid):
    with contextlib.suppress(FileNotFoundError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return {int(child) for task in tasks for child in (task / "children").read_text().split()}
    return set()


@pytest.fixture
def server(tmp_path):
    """A starting server and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "galfeat", "serve", "--model", "simulated"]
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    yield process, f"http://127.0.0.1:{port}"
    process.kill()
    process.communicate()


def opened_processes(pids):
    """File descriptors of processes, which refer to them also after their end."""
    return [os.pidfd_open(pid) for pid in pids]


def assert_ended(descriptors):
    """Wait for processes that may be the children of another one."""
    for descriptor in descriptors:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        assert poll.poll(60_000)
        os.close(descriptor)


def wait_for(condition, process):
    while not (result := condition()):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    return result


def ready(address):
    with contextlib.suppress(OSError), urlopen(f"{address}/readyz") as response:
        return response.read() == b"ok"
    return False


def galaxy():
    stream = io.BytesIO()
    Image.radial_gradient("L").resize((200, 200)).save(stream, "PNG")
    return stream.getvalue()


def upload(address):
    try:
        with urlopen(f"{address}/api/classify", data=galaxy()) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        return error.code, json.load(error)
    except OSError as error:
        return 0, str(error)


def in_progress(address):
    with urlopen(f"{address}/metrics") as response:
        return int(response.read().split(b"\ngalfeat_waiting ")[1])


def test_sigterm_ends_a_server_that_starts(server):
    process, _ = server
    wait_for(lambda: len(children(process.pid)) == 2, process)
    decoders = opened_processes(children(process.pid))
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=GRACE)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert_ended(decoders)


def test_sigterm_ends_a_server_under_attack(server):
    process, address = server
    host = address.removeprefix("http://").split(":")
    wait_for(lambda: ready(address), process)
    decoders = children(process.pid)
    assert len(decoders) == 2
    with concurrent.futures.ThreadPoolExecutor(8) as pool, contextlib.ExitStack() as opened:
        # Two decoders hang: others are served, and the two uploads fail alone.
        for pid in decoders:
            os.kill(pid, signal.SIGSTOP)
        attacks = [pool.submit(upload, address) for _ in range(2)]
        wait_for(lambda: in_progress(address) == 2, process)
        with urlopen(f"{address}/api/sample") as response:
            assert response.status == 200
        for attack in attacks:
            status, body = attack.result(60)
            assert status == 422
            assert "took longer than 5 s to decode" in body["error"]
        assert upload(address)[0] == 200
        # All at once: hanging decoders, half of a request, a client that does not read.
        for pid in children(process.pid):
            os.kill(pid, signal.SIGSTOP)
        attacks = [pool.submit(upload, address) for _ in range(4)]
        for sent in (b"", b"POST /api/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n1"):
            visitor = opened.enter_context(socket.create_connection(host))
            visitor.sendall(sent)
        visitor = opened.enter_context(socket.create_connection(host, timeout=1))
        with contextlib.suppress(TimeoutError):
            for _ in range(5000):
                visitor.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: in_progress(address) == 4, process)
        decoders = opened_processes(children(process.pid))
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=GRACE)
        for attack in attacks:
            assert attack.result(60)[0] in (0, 200, 422, 503)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert_ended(decoders)


STUCK = """
import signal, sys, threading
from galfeat.web import shutdown

def interrupt(number, frame):
    raise KeyboardInterrupt

shutdown.LAST_RESORT = 0.1
signal.signal(signal.SIGTERM, interrupt)
server = shutdown.Server(None)
try:
    with shutdown.last_resort():
        if sys.argv[1] == "starting":
            signal.raise_signal(signal.SIGTERM)
        with server.capture_signals():
            signal.raise_signal(signal.SIGTERM)
except KeyboardInterrupt:
    # Python waits for this thread at its exit.
    threading.Thread(target=threading.Event().wait).start()
"""


@pytest.mark.parametrize("state", ["starting", "running"])
def test_a_server_that_cannot_shut_down_exits(state):
    done = subprocess.run([sys.executable, "-c", STUCK, state], timeout=60, check=False)
    assert done.returncode == 130
