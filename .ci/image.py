"""Test the image built by the Dockerfile, without a container engine: ``make test-image``.

The steps run in a folder (see dockerfile.py for the limits), and the command is started with that
folder read-only. It must become ready, classify uploads without compiling a kernel, stay below
600 MB, write nothing and end at SIGTERM. Arguments are added to the command.
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

from dockerfile import Builder, Image

ROOT = Path(__file__).resolve().parent.parent
UPLOADS, MAX_MEGABYTES = 200, 600

# Run by Python at startup. Logs each function that numba compiles, cached or not, but none that
# is loaded from a cache.
WATCH = """
import os
from numba.core import event

class Watch(event.Listener):
    def on_start(self, compiled):
        with open(os.environ["COMPILED"], "a") as log:
            print(compiled.data["dispatcher"], file=log)

    def on_end(self, compiled):
        pass

event.register("numba:compile", Watch())
"""
# Compiles a function that is in no cache.
COMPILE_ONE = "import numba; numba.njit(lambda number: number + 1)(1)"

SIMULATE = """
import sys
from PIL import Image
from galfeat.data.simulation.simulator import simulate
for number, image in enumerate(simulate(20, seed=1).images):
    Image.fromarray(image).save(f"{sys.argv[1]}/{number}.png")
"""


class Trial:
    """An image, its processes, and the log of the kernels they compile."""

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
        self.user = image.user if self._can_switch_to(image.user) else None

    def _can_switch_to(self, user: int | None) -> bool:
        if user is None or os.geteuid() != 0:
            return False
        try:
            subprocess.run(
                [sys.executable, "-c", ""], user=user, check=True, stderr=subprocess.DEVNULL
            )
        except (OSError, subprocess.CalledProcessError):
            print(f"user {user} cannot run {sys.executable}; running as root, bound by file modes")
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
        """Return the body of a response; raise for any status but 200."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=content)
        with urllib.request.urlopen(request, timeout=60) as response:
            assert response.status == 200, response.status
            body: bytes = response.read()
            return body


def _bind_to_modes() -> None:
    """Make file modes apply to root too."""
    if os.geteuid() == 0:
        drop_from_bounding_set, dac_override = 24, 1
        ctypes.CDLL(None).prctl(drop_from_bounding_set, dac_override)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make a folder and all its subfolders read-only."""
    folders = [Path(path) for path, _, _ in os.walk(folder)]
    for path in folders:
        path.chmod(0o555)
    try:
        yield
    finally:
        for path in folders:
            path.chmod(0o755)


def contents(folder: Path) -> dict[str, int]:
    """Return the modification time of each file below a folder."""
    return {
        os.path.join(path, name): os.lstat(os.path.join(path, name)).st_mtime_ns
        for path, _, names in os.walk(folder)
        for name in names
    }


def megabytes(process: subprocess.Popen[bytes], entry: str) -> float:
    """Return a memory entry of a process, such as VmRSS."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith(f"{entry}:"))
    return int(kilobytes) / 1e3


def wait_until_ready(trial: Trial, process: subprocess.Popen[bytes]) -> float:
    """Wait until a process is ready; return the seconds that took."""
    start = time.perf_counter()
    while time.perf_counter() - start < 120:
        if process.poll() is not None:
            sys.exit(f"the command exited with code {process.returncode}")
        try:
            trial.fetch("/readyz")
            return time.perf_counter() - start
        except urllib.error.URLError:
            time.sleep(0.02)
    sys.exit("the command is not ready after 120 s")


def check(passed: bool, claim: str) -> None:
    """Print the result of a check; exit if it failed."""
    print(f"{'ok' if passed else 'FAILED'}: {claim}", flush=True)
    if not passed:
        sys.exit(1)


def check_server(trial: Trial, arguments: list[str], uploads: Path) -> None:
    """Start the command of the image, test it and stop it."""
    process = trial.start(*trial.image.command, *arguments)
    try:
        seconds = wait_until_ready(trial, process)
        print(f"    ready after {seconds:.1f} s with {megabytes(process, 'VmRSS'):.0f} MB")
        check(trial.run(*trial.image.health) == 0, "HEALTHCHECK succeeds")
        pictures = [path.read_bytes() for path in sorted(uploads.iterdir())]
        start = time.perf_counter()
        for number in range(UPLOADS):
            body = trial.fetch("/api/classify", pictures[number % len(pictures)])
            assert len(json.loads(body)["galaxies"]) == 1, body
        rate = UPLOADS / (time.perf_counter() - start)
        check(True, f"{UPLOADS} uploads classified one after another, {rate:.0f} per second")
        used, peak = megabytes(process, "VmRSS"), megabytes(process, "VmHWM")
        check(peak < MAX_MEGABYTES, f"memory: {used:.0f} MB, peak {peak:.0f} MB")
        process.send_signal(signal.SIGTERM)
        start = time.perf_counter()
        code = process.wait(timeout=10)  # as long as Cloud Run waits
        check(code == 0, f"exit code {code} {time.perf_counter() - start:.1f} s after SIGTERM")
    finally:
        process.kill()
    failed = trial.run(*trial.image.health, stderr=subprocess.DEVNULL) != 0
    check(failed, "HEALTHCHECK fails after the server has ended")


def check_image(image: Image, root: Path, scratch: Path, arguments: list[str]) -> None:
    """Test an image with its root folder read-only."""
    trial = Trial(image, root, scratch)
    uploads = root / "tmp" / "uploads"
    uploads.mkdir()
    for folder in (uploads.parent, uploads):
        folder.chmod(0o1777)
    with locked(root / "opt"):
        before = contents(root)
        check(trial.run("python", "-c", SIMULATE, str(uploads)) == 0, "galaxies simulated")
        check_server(trial, arguments, uploads)
        compiled = trial.compiled.read_text().splitlines()
        check(not compiled, f"kernels compiled: {len(compiled)} {', '.join(compiled)}")
        after = contents(root)
        written = {path for path in after if after[path] != before.get(path)}
        # The list of trusted models is written if `--trust` is among the arguments.
        expected = (str(uploads), image.environment["GALFEAT_HOME"])
        written = {path for path in written if not path.startswith(expected)}
        check(not written, f"files written: {len(written)} {', '.join(sorted(written))}")
        trial.run("python", "-c", COMPILE_ONE)
        logged = trial.compiled.read_text().splitlines()
        check(len(logged) == 1, "kernels compiled in memory are logged")


def main() -> None:
    """Build the image and test it."""
    scratch = Path(tempfile.mkdtemp(prefix="galfeat-image-"))
    scratch.chmod(0o755)
    try:
        start = time.perf_counter()
        builder = Builder(ROOT, scratch, Path(sys.executable))
        image = builder.build()
        print(f"built in {time.perf_counter() - start:.0f} s")
        subprocess.run(["du", "-sm", builder.root / "opt/galfeat"], check=True)
        check_image(image, builder.root, scratch, sys.argv[1:])
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
