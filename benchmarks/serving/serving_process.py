"""A server in a process of its own, and visitors who put a load on it, for `serving*.py`.

The load tool is Locust: it is kept well, its visitors are plain Python, and its client costs a
fraction of what httpx or requests cost, which on two shared cores would be measured instead of
the server.
"""

from __future__ import annotations

# Locust makes sockets cooperative, before anything else imports them.
from locust import FastHttpUser, User, constant  # isort: skip

import gc
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import gevent
from locust.env import Environment

__all__ = [
    "FastHttpUser",
    "Request",
    "Server",
    "User",
    "constant",
    "load",
    "serving",
]

COMMAND_LINE = Path(__file__).resolve().parents[2] / "cli.py"


@dataclass(frozen=True)
class Server:
    """A server that is ready, the seconds it took to be so, and its process."""

    address: str
    seconds_to_ready: float
    pid: int

    def megabytes(self, *, at_most: bool = False) -> float:
        """Return the memory it has now, or the most it ever had."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        (kilobytes,) = re.findall(rf"{'VmHWM' if at_most else 'VmRSS'}:\s+(\d+)", status)
        return int(kilobytes) / 1024

    def milliseconds_of_work(self) -> float:
        """Return the processor time it has used, which other work on the machine changes less."""
        fields = (
            Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        )
        return 1e3 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Request:
    """One request as the visitor saw it; without an answer the status is 0."""

    name: str
    milliseconds: float
    status: int
    kind: str
    content: bytes
    problem: str


@contextmanager
def serving(model: str | None, samples: str | None, port: int = 8917) -> Iterator[Server]:
    """Start `galfeat serve`, wait until it is ready, and end it."""
    command = [sys.executable, str(COMMAND_LINE), "serve", "--trust", "--port", str(port)]
    command += ["--model", model] if model else []
    command += ["--samples", samples] if samples else []
    start = time.monotonic()
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            while not _ready(address):
                if process.poll() is not None:
                    raise SystemExit("the server ended before it was ready")
                time.sleep(0.02)
            yield Server(address, time.monotonic() - start, process.pid)
        finally:
            process.terminate()


def _ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/readyz") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def load(server: Server, visitors: dict[type[Any], int], seconds: float) -> list[Request]:
    """Let so many visitors of each kind come for some seconds; return what was answered."""
    seen: list[Request] = []

    def record(name: str, response_time: float, **told: Any) -> None:  # noqa: ANN401
        response, problem = told["response"], str(told["exception"] or "")
        status = 0 if response is None else int(response.status_code or 0)
        kind, content = "", b""
        if status:
            kind = (response.headers or {}).get("content-type", "")
            content = response.content or b""
        seen.append(Request(name, response_time, status, kind, content, problem))

    for kind, number in visitors.items():
        kind.fixed_count = number
    # Looking for garbage would halt all visitors at once, a tenth of a second long.
    gc.collect()
    gc.freeze()
    environment = Environment(user_classes=list(visitors), host=server.address)
    environment.stop_timeout = 30.0  # what has been asked is answered
    environment.events.request.add_listener(record)
    runner = environment.create_local_runner()
    runner.start(sum(visitors.values()), spawn_rate=100)
    gevent.sleep(seconds)
    runner.quit()
    return seen


def load_average() -> str:
    """Return how much the machine has to do, for the reader of a table."""
    return "load average " + ", ".join(f"{value:.1f}" for value in os.getloadavg())
