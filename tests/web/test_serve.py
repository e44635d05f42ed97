"""`galfeat serve` as a process: read-only kernel cache, and shutdown."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from galfeat import load_pipeline

WARM_UP = """
from galfeat.data.simulation.warmup import warmup as compile_simulator
from galfeat.features.warmup import warmup
from galfeat.kernels import cache_folder
warmup()
compile_simulator()
print(cache_folder())
"""
# numba reports each function that it compiles, cached or not.
UPLOAD = """
import io, json, sys
from pathlib import Path
from numba.core import event
listener = event.RecordingListener()
event.register("numba:compile", listener)
from PIL import Image
from starlette.testclient import TestClient
from galfeat.data.simulation.simulator import simulate
from galfeat.web.app import create_app
from galfeat.web.serving import prepare

stream = io.BytesIO()
Image.fromarray(simulate(1, seed=9).images[0]).save(stream, "PNG")
app = create_app(prepare(Path(sys.argv[1]), None))
response = TestClient(app).post("/api/classify", content=stream.getvalue())
starts = lambda: [event for _, event in listener.buffer if event.is_start]
compiled = [str(event.data["dispatcher"]) for event in starts()]
import numba
numba.njit(lambda number: number + 1)(1)
print(json.dumps([response.status_code, compiled, len(starts()) - len(compiled)]))
"""


@pytest.fixture(scope="module")
def model(simulated, quick_pipeline, tmp_path_factory):
    """The folder of a small trusted model with the default features."""
    folder = tmp_path_factory.mktemp("served")
    families = f"families = {json.dumps(load_pipeline('lightgbm').families)}"
    pipeline = folder / "pipeline.toml"
    pipeline.write_text(re.sub("families = .*", families, quick_pipeline.read_text()))
    arguments = ["fit", simulated, "--pipeline", pipeline, "-o", folder / "model"]
    subprocess.run(
        [sys.executable, "-m", "galfeat", *map(str, arguments)], check=True, capture_output=True
    )
    return folder / "model"


@contextmanager
def serving(model, port):
    """Run the command until the block ends."""
    command = [sys.executable, "-m", "galfeat", "serve", "--model", str(model), "--threads", "1"]
    process = subprocess.Popen(
        command, env={**os.environ, "PORT": str(port)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_until_ready(process, port)
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_ready(process, port):
    while True:
        assert process.poll() is None, process.stderr.read()
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz") as response:
                assert response.read() == b"ok"
                return
        except URLError:
            pass


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_an_upload_compiles_nothing_with_a_read_only_cache(model, tmp_path, without_override):
    cache = subprocess.check_output([sys.executable, "-c", WARM_UP], text=True).strip()
    shutil.copytree(cache, tmp_path / Path(cache).name)
    folders = [tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", UPLOAD, str(model)], preexec_fn=without_override,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert done.stderr == ""
    assert json.loads(done.stdout) == [200, [], 1]


def test_sigterm_ends_the_server_silently(model, port):
    with serving(model, port) as process:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")


@pytest.mark.slow
def test_a_slow_client_does_not_delay_the_shutdown(model, port):
    with serving(model, port) as process, socket.create_connection(("127.0.0.1", port)) as visitor:
        visitor.sendall(
            b"POST /api/classify HTTP/1.1\r\nHost: galaxies\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        process.send_signal(signal.SIGTERM)
        with sending_slowly(visitor):
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "Traceback" not in errors
        assert visitor.recv(1000).startswith(b"HTTP/1.1 503 ")


@contextmanager
def sending_slowly(visitor):
    """Send small parts regularly, so that no timeout applies."""
    stop = threading.Event()

    def send():
        with suppress(ConnectionError):  # once the server has ended
            while not stop.wait(0.2):
                visitor.sendall(b"1\r\nx\r\n")

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        stop.set()
        sender.join()
