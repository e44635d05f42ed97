"""`galfeat serve` as a process: how it starts where little may be written, and how it ends."""

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
# numba tells of every function that it compiles, whether it is kept or not.
UPLOAD = """
import io, json, sys
from pathlib import Path
from numba.core import event
seen = event.RecordingListener()
event.register("numba:compile", seen)
from PIL import Image
from starlette.testclient import TestClient
from galfeat.data.simulation.simulator import simulate
from galfeat.web.app import create_app
from galfeat.web.serving import prepare

stream = io.BytesIO()
Image.fromarray(simulate(1, seed=9).images[0]).save(stream, "PNG")
app = create_app(prepare(Path(sys.argv[1]), None))
answer = TestClient(app).post("/api/classify", content=stream.getvalue())
compiled = [str(one.data["dispatcher"]) for _, one in seen.buffer if one.is_start]
import numba
numba.njit(lambda number: number + 1)(1)
last = [one for _, one in seen.buffer if one.is_start][len(compiled):]
print(json.dumps([answer.status_code, compiled, len(last)]))
"""


@pytest.fixture(scope="module")
def model(simulated, quick_pipeline, tmp_path_factory):
    """The folder of a small model with the features of the pipelines, trusted."""
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
            with urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
                assert answer.read() == b"ok"
                return
        except URLError:
            pass


@pytest.fixture
def port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_an_upload_compiles_nothing_where_the_kernels_are_read_only(
    model, tmp_path, without_override
):
    kept = subprocess.check_output([sys.executable, "-c", WARM_UP], text=True).strip()
    shutil.copytree(kept, tmp_path / Path(kept).name)
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


def test_it_ends_at_sigterm_without_a_word(model, port):
    with serving(model, port) as process:
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=60)
        assert (process.returncode, complaints) == (0, "")


@pytest.mark.slow
def test_who_sends_slowly_does_not_keep_it_from_ending(model, port):
    with serving(model, port) as process, socket.create_connection(("127.0.0.1", port)) as visitor:
        visitor.sendall(
            b"POST /api/classify HTTP/1.1\r\nHost: galaxies\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        process.send_signal(signal.SIGTERM)
        with sending_slowly(visitor):
            _, complaints = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "Traceback" not in complaints
        assert visitor.recv(1000).startswith(b"HTTP/1.1 503 ")


@contextmanager
def sending_slowly(visitor):
    """Send a little now and then, so that none of it is too late."""
    enough = threading.Event()

    def send():
        with suppress(ConnectionError):  # once the server has ended
            while not enough.wait(0.2):
                visitor.sendall(b"1\r\nx\r\n")

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        enough.set()
        sender.join()
