"""What a killed process leaves is removed by the next, which never touches a living one's."""

import errno
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from click.testing import CliRunner

import galfeat
from galfeat import load_model
from galfeat.cli import main
from galfeat.errors import OutputError
from galfeat.storage import atomic_file, atomic_folder

ROOT = Path(galfeat.__file__).parents[1]
FILE = """
import sys
from galfeat.storage import atomic_file
with atomic_file(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""
FOLDER = """
import sys
from galfeat.storage import atomic_folder
with atomic_folder(sys.argv[1], replaces=lambda folder: True) as temporary:
    (temporary / "half").write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def start(code, *arguments, **variables):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture
def writer(tmp_path):
    """Return a function that starts a process, which waits in the middle of writing a path."""
    processes = []

    def run(path, code=FILE):
        process = start(code, path)
        processes.append(process)
        assert process.stdout.readline() == "writing\n", process.stderr.read()
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def kill(process):
    process.kill()
    process.wait()
    assert process.returncode == -signal.SIGKILL


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_next_writer_removes_what_a_killed_one_left(writer, tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("old")
    kill(writer(target))
    assert names(tmp_path) == [".out.csv.unfinished-0", "out.csv"]
    assert target.read_text() == "old"
    with atomic_file(target) as temporary:
        temporary.write_text("new")
    assert names(tmp_path) == ["out.csv"]
    assert target.read_text() == "new"


@pytest.mark.parametrize(("owner", "step"), [(Path, "mkdir"), (Path, "chmod"), (fcntl, "flock")])
def test_an_interrupt_while_the_temporary_folder_is_made_leaves_nothing(
    tmp_path, monkeypatch, owner, step
):
    whole = getattr(owner, step)

    def interrupted(*arguments, **options):
        monkeypatch.undo()
        whole(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, step, interrupted)
    with pytest.raises(KeyboardInterrupt), atomic_file(tmp_path / "a.csv"):
        pass
    assert names(tmp_path) == []


def test_the_next_writer_leaves_the_file_of_a_living_one(writer, tmp_path):
    target = tmp_path / "out.csv"
    living, killed = writer(target), writer(target)
    kill(killed)
    assert names(tmp_path) == [".out.csv.unfinished-0", ".out.csv.unfinished-1"]
    with atomic_file(target) as temporary:
        temporary.write_text("new")
        assert names(tmp_path) == [".out.csv.unfinished-0", ".out.csv.unfinished-1"]
    assert names(tmp_path) == [".out.csv.unfinished-0", "out.csv"]
    living.communicate()
    assert living.returncode == 0
    assert names(tmp_path) == ["out.csv"]
    assert target.read_text() == "half"


def test_the_rest_of_an_earlier_number_is_removed_too(tmp_path):
    for number in (1, 3):
        (tmp_path / f".out.csv.unfinished-{number}").mkdir()
    with atomic_file(tmp_path / "out.csv") as temporary:
        assert temporary.parent.name == ".out.csv.unfinished-0"
    assert names(tmp_path) == ["out.csv"]


def test_what_merely_looks_alike_is_not_touched(tmp_path):
    target = tmp_path / "out.csv"
    precious = tmp_path / "precious"
    precious.mkdir()
    (tmp_path / ".out.csv.unfinished-0").write_text("mine")
    (tmp_path / ".out.csv.unfinished-1").mkdir()
    (tmp_path / ".out.csv.unfinished-1" / "thesis.txt").write_text("mine")
    (tmp_path / ".out.csv.unfinished-2").symlink_to(precious)
    (tmp_path / ".out.csv.unfinished-mine").mkdir()
    (tmp_path / ".out-abcdefgh.csv").write_text("mine")
    (tmp_path / ".other.csv.unfinished-0").mkdir()
    before = names(tmp_path)
    with atomic_file(target) as temporary:
        temporary.write_text("new")
    assert names(tmp_path) == sorted([*before, "out.csv"])
    assert (tmp_path / ".out.csv.unfinished-1" / "thesis.txt").read_text() == "mine"


def test_a_killed_writer_of_a_folder_leaves_the_old_one(writer, tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").write_text("old")
    kill(writer(target, FOLDER))
    assert names(target) == ["old"]
    with atomic_folder(target, replaces=lambda folder: True) as temporary:
        (temporary / "new").write_text("new")
    assert names(tmp_path) == ["model"]
    assert names(target) == ["new"]


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_folder_that_was_moved_aside_is_restored(tmp_path, succeeds):
    target = tmp_path / "model"
    leftover = tmp_path / ".model.unfinished-0"  # killed between two renames
    (leftover / "previous").mkdir(parents=True)
    (leftover / "previous" / "old").write_text("old")
    (leftover / "new").mkdir()
    if succeeds:
        seen = []
        with atomic_folder(target, replaces=lambda folder: seen.append(names(folder)) or True):
            pass
        assert seen == [["old"]]
        assert names(target) == []
    else:
        with pytest.raises(OutputError, match="holds other things"), atomic_folder(target):
            pass
        assert names(target) == ["old"]
    assert names(tmp_path) == ["model"]


def test_without_locks_nothing_is_removed(tmp_path, monkeypatch):
    def fail(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / ".out.csv.unfinished-0").mkdir()
    monkeypatch.setattr(fcntl, "flock", fail)
    with atomic_file(tmp_path / "out.csv") as temporary:
        temporary.write_text("new")
    assert names(tmp_path) == [".out.csv.unfinished-0", "out.csv"]


def test_many_write_one_file_at_once(tmp_path):
    target = tmp_path / "out.csv"
    barrier = threading.Barrier(12)

    def write(number):
        with atomic_file(target) as temporary:
            temporary.write_text(f"{number}" * 1000)
            barrier.wait()

    # A pool starts fewer threads than tasks if one is idle already, and the barrier would wait.
    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(target.read_text().removeprefix("1"))) <= 2
    assert names(tmp_path) == ["out.csv"]


def test_names_as_long_as_the_system_allows_can_be_written(tmp_path):
    for name in ("a" * 255, "ä" * 127, ".csv"):
        with atomic_file(tmp_path / name) as temporary:
            temporary.write_text("new")
    assert len(names(tmp_path)) == 3


KILLED_COMMAND = """
import importlib, os, signal, sys
module, name = sys.argv.pop(1).split(":")
def die(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(importlib.import_module(module), name, die)
from galfeat.__main__ import main
main()
"""


def run_killed(at, *arguments):
    """Run a command that is killed where it calls a function."""
    process = start(KILLED_COMMAND, at, *arguments)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors


def run(*arguments):
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output


def test_a_killed_fit_leaves_the_old_model_and_the_next_replaces_it(
    simulated, quick_pipeline, tmp_path
):
    model = tmp_path / "model"
    arguments = ["fit", simulated, "--pipeline", quick_pipeline, "-o", model, "--jobs", 1]
    run(*arguments)
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    run_killed("galfeat.model_io.folder:model_card", *arguments, "--seed", 1)
    assert names(tmp_path) == [".model.unfinished-0", "model"]
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before
    load_model(model)
    run(*arguments, "--seed", 1)
    assert names(tmp_path) == ["model"]
    load_model(model)


def test_a_killed_extract_leaves_nothing_after_the_next(simulated, tmp_path):
    table = tmp_path / "features.npz"
    run_killed("galfeat.cli.extract:_write_npz", "extract", simulated, "-o", table, "--jobs", 1)
    assert names(tmp_path) == [".features.npz.unfinished-0"]
    run("extract", simulated, "-o", table, "--jobs", 1)
    assert names(tmp_path) == ["features.npz"]
    with np.load(table) as features:
        assert len(features["values"]) == 120


CONTENT = np.random.default_rng(0).bytes(2_000_000)


class _Slow(BaseHTTPRequestHandler):
    """Send half of the file, then wait for the client to go; send the rest on request."""

    protocol_version = "HTTP/1.1"
    ranges: ClassVar[list] = []

    def do_GET(self):
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.ranges.append(start)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.send_header("ETag", '"one"')
        self.end_headers()
        half = len(CONTENT) if start else len(CONTENT) // 2
        self.wfile.write(CONTENT[start:half])
        self.wfile.flush()
        if not start:
            self.connection.recv(1)  # returns when the client is gone
        self.close_connection = True

    def log_message(self, *arguments):
        pass


def test_a_killed_download_is_resumed(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(_Slow, "ranges", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    target = tmp_path / "file.h5"
    command = [
        *("data", "fetch", "--url", f"http://127.0.0.1:{server.server_port}/file.h5"),
        *("--sha256", hashlib.sha256(CONTENT).hexdigest(), "-o", target),
    ]
    try:
        process = start(DIES_AT_HALF, len(CONTENT) // 2, *command)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, errors
        assert names(tmp_path) == ["file.h5.part", "file.h5.part.json"]
        run(*command)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert _Slow.ranges == [0, len(CONTENT) // 2]
    assert names(tmp_path) == ["file.h5"]
    assert target.read_bytes() == CONTENT


DIES_AT_HALF = """
import os, signal, sys
from galfeat.cli.terminal import progress
half = int(sys.argv.pop(1))
class Bar:
    def __init__(self, *arguments, **options):
        pass
    def __enter__(self):
        return self.update
    def __exit__(self, *error):
        pass
    def update(self, done, total):
        if done == half:
            os.kill(os.getpid(), signal.SIGKILL)
progress.progress_bar = Bar
from galfeat.__main__ import main
main()
"""
