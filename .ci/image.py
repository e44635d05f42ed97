"""Try what the Dockerfile makes, without a container engine: ``make test-image``.

Its steps are followed in a folder (dockerfile.py tells how far), and its command is started
with that folder read-only. It has to become ready, answer uploads without compiling a kernel,
stay below 600 MB, write nothing and end at SIGTERM. Arguments are added to the command.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dockerfile import Follower, Image

ROOT = Path(__file__).resolve().parent.parent
UPLOADS, MAX_MEGABYTES = 200, 600

# Python runs this when it starts. Every function that numba compiles is then named in a file,
# whether it is kept or not; one that is loaded from a cache is not.
WATCH = """
import os
from numba.core import event

class Watch(event.Listener):
    def on_start(self, one):
        with open(os.environ["COMPILED"], "a") as log:
            print(one.data["dispatcher"], file=log)

    def on_end(self, one):
        pass

event.register("numba:compile", Watch())
"""
# Of one kernel that no cache can have.
COMPILE_ONE = "import numba; numba.njit(lambda number: number + 1)(1)"

DRAW = """
import sys
from PIL import Image
from galfeat.data.simulation.simulator import simulate
for number, image in enumerate(simulate(20, seed=1).images):
    Image.fromarray(image).save(f"{sys.argv[1]}/{number}.png")
"""


class Trial:
    """One image, its processes and what they are watched with."""

    def __init__(self, image: Image, root: Path, scratch: Path) -> None:
        self.image, self.root = image, root
        self.port = _free_port()
        self.compiled = scratch / "compiled"
        self.compiled.touch()
        self.compiled.chmod(0o666)
        watch = scratch / "watch"
        watch.mkdir()
        (watch / "sitecustomize.py").write_text(WATCH)
        self.environment = {
            **image.environment, "PORT": str(self.port),
            "PYTHONPATH": str(watch), "COMPILED": str(self.compiled),
        }  # fmt: skip
        self.user = image.user if self._can_be(image.user) else None

    def _can_be(self, user: int | None) -> bool:
        if user is None or os.geteuid() != 0:
            return False
        try:
            subprocess.run(
                [sys.executable, "-c", ""], user=user, check=True, stderr=subprocess.DEVNULL
            )
        except (OSError, subprocess.CalledProcessError):
            print(f"user {user} cannot reach {sys.executable}; it runs as root with no right to")
            print("write where modes forbid it")
            return False
        return True

    def start(self, *command: str, stderr: int | None = None) -> subprocess.Popen[bytes]:
        """Start a process as the image would."""
        return subprocess.Popen(
            command, cwd=self.root, env=self.environment, preexec_fn=_bind_to_modes,
            user=self.user, group=self.user, extra_groups=None if self.user is None else [],
            stderr=stderr,
        )  # fmt: skip

    def run(self, *command: str, stderr: int | None = None) -> int:
        """Run a process to its end and return its exit code."""
        return self.start(*command, stderr=stderr).wait(timeout=120)

    def fetch(self, path: str, content: bytes | None = None) -> bytes:
        """Return the body of an answer; any status but 200 is an error."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=content)
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200, answer.status
            body: bytes = answer.read()
            return body


def _bind_to_modes() -> None:
    """Let file modes bind root too."""
    if os.geteuid() == 0:
        drop_from_bounding_set, dac_override = 24, 1
        ctypes.CDLL(None).prctl(drop_from_bounding_set, dac_override)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Take the right to write away from a folder and all below it."""
    folders = [Path(path) for path, _, _ in os.walk(folder)]
    for one in folders:
        one.chmod(0o555)
    try:
        yield
    finally:
        for one in folders:
            one.chmod(0o755)


def contents(folder: Path) -> dict[str, int]:
    """Return every file below a folder with the time of its last change."""
    return {
        os.path.join(path, name): os.lstat(os.path.join(path, name)).st_mtime_ns
        for path, _, names in os.walk(folder)
        for name in names
    }


def megabytes(process: subprocess.Popen[bytes], entry: str) -> float:
    """Return an entry of a process's memory."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith(f"{entry}:"))
    return int(kilobytes) / 1e3


def wait_until_ready(trial: Trial, process: subprocess.Popen[bytes]) -> float:
    """Return the seconds from the start of a process until it says that it is ready."""
    start = time.perf_counter()
    while time.perf_counter() - start < 120:
        if process.poll() is not None:
            sys.exit(f"the command ended with exit code {process.returncode}")
        try:
            trial.fetch("/readyz")
            return time.perf_counter() - start
        except urllib.error.URLError:
            time.sleep(0.02)
    sys.exit("the command is not ready after 120 s")


def check(truth: bool, claim: str) -> None:
    """Print a claim, or end with it if it does not hold."""
    print(f"{'ok' if truth else 'NOT'}: {claim}", flush=True)
    if not truth:
        sys.exit(1)


def serve(trial: Trial, arguments: list[str], drawn: Path) -> None:
    """Start the image's command, put it to the test and end it."""
    process = trial.start(*trial.image.command, *arguments)
    try:
        seconds = wait_until_ready(trial, process)
        print(f"    ready after {seconds:.1f} s with {megabytes(process, 'VmRSS'):.0f} MB")
        check(trial.run(*trial.image.health) == 0, "HEALTHCHECK finds it well")
        pictures = [path.read_bytes() for path in sorted(drawn.iterdir())]
        start = time.perf_counter()
        for number in range(UPLOADS):
            body = trial.fetch("/api/classify", pictures[number % len(pictures)])
            assert len(json.loads(body)["galaxies"]) == 1, body
        rate = UPLOADS / (time.perf_counter() - start)
        check(True, f"{UPLOADS} uploads are answered, one after another, {rate:.0f} a second")
        used, most = megabytes(process, "VmRSS"), megabytes(process, "VmHWM")
        check(most < MAX_MEGABYTES, f"memory: {used:.0f} MB, {most:.0f} MB at most")
        process.send_signal(signal.SIGTERM)
        start = time.perf_counter()
        code = process.wait(timeout=10)  # as long as Cloud Run waits
        check(code == 0, f"exit code {code} {time.perf_counter() - start:.1f} s after SIGTERM")
    finally:
        process.kill()
    gone = trial.run(*trial.image.health, stderr=subprocess.DEVNULL) != 0
    check(gone, "HEALTHCHECK finds it gone")


def put_to_the_test(image: Image, root: Path, scratch: Path, arguments: list[str]) -> None:
    """Run what a Dockerfile came to, with the folder that stands for its root read-only."""
    trial = Trial(image, root, scratch)
    drawn = root / "tmp" / "drawn"
    drawn.mkdir()
    for folder in (drawn.parent, drawn):
        folder.chmod(0o1777)
    with locked(root / "opt"):
        before = contents(root)
        check(trial.run("python", "-c", DRAW, str(drawn)) == 0, "galaxies can be drawn")
        serve(trial, arguments, drawn)
        compiled = trial.compiled.read_text().splitlines()
        check(not compiled, f"kernels compiled: {len(compiled)} {', '.join(compiled)}")
        after = contents(root)
        written = {path for path in after if after[path] != before.get(path)}
        # The list of trusted models is written where `--trust` is among the arguments.
        expected = (str(drawn), image.environment["GALFEAT_HOME"])
        written = {path for path in written if not path.startswith(expected)}
        check(not written, f"files written: {len(written)} {', '.join(sorted(written))}")
        trial.run("python", "-c", COMPILE_ONE)
        seen = trial.compiled.read_text().splitlines()
        check(len(seen) == 1, "one that is compiled in memory would have been seen")


def main() -> None:
    """Follow the Dockerfile and try what it came to."""
    scratch = Path(tempfile.mkdtemp(prefix="galfeat-image-"))
    scratch.chmod(0o755)
    try:
        start = time.perf_counter()
        follower = Follower(ROOT, scratch, Path(sys.executable))
        image = follower.follow()
        print(f"built in {time.perf_counter() - start:.0f} s")
        subprocess.run(["du", "-sm", follower.root / "opt/galfeat"], check=True)
        put_to_the_test(image, follower.root, scratch, sys.argv[1:])
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
