"""Soak test with mixed load: presses, valid, damaged and hostile uploads and connections.

Prints the responses by status, all responses that are not a well-formed 2xx, 4xx or 503, health
checks that fail or are late, the memory of the server over time, and the time from SIGTERM, sent
under the same load, to its end. Fails if there is such a response or a traceback, or if memory,
health checks or the end exceed their limits.

    python benchmarks/serving/serving_soak.py [--seconds 600] [--model MODEL] [--samples DATA]
        [--without-scans]
"""

from __future__ import annotations

from serving_process import (  # isort: skip  # Locust comes first
    READING, FastHttpUser, Request, Server, constant, load, load_average, memory_readings, serving,
)  # fmt: skip

import argparse
import json
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import gevent
import numpy as np
from hostile_connections import Crowd, Malformed, Slow
from hostile_uploads import form, hostile, picture
from serving import press

#: Seconds between health checks.
CHECK = 0.5
#: Maximum memory in megabytes, and seconds of a health check and from SIGTERM to the end.
MAX_MEMORY, MAX_CHECK, MAX_END = 600, 4.0, 10.0
_RNG = np.random.default_rng(0)


class Presser(FastHttpUser):
    """Presses the button."""

    wait_time = constant(0.2)

    def task(self) -> None:
        """Press; a failed request has been recorded."""
        with suppress(TypeError):  # a response without content
            press(self)

    tasks = (task,)


class Sender(FastHttpUser):
    """Uploads galaxies, as the body or in a form."""

    wait_time = constant(0.2)

    def task(self) -> None:
        """Upload a galaxy."""
        content, kind = picture()
        if _RNG.random() < 0.8:
            self.client.post("/api/classify", data=content, name="upload")
        else:
            files = [("image", (f"g.{kind}", content, f"image/{kind.lower()}"))] * 3
            body, content_type = form(files)
            self.client.post(
                "/api/classify", data=body, headers={"Content-Type": content_type}, name="form"
            )

    tasks = (task,)


class Attacker(FastHttpUser):
    """Sends invalid uploads and requests."""

    wait_time = constant(0.2)
    scans = True

    def task(self) -> None:
        """Send one."""
        kind = _RNG.integers(8)
        if kind == 0:
            self.client.get("/static/%2e%2e/app.py", name="hostile")
        elif kind == 1:
            self.client.put("/api/sample", data=b"x", name="hostile")
        elif kind == 2:
            files = [("image", ("g.png", hostile(scans=self.scans), "image/png"))]
            body, content_type = form(files)
            self.client.post(
                "/api/classify", data=body[: _RNG.integers(len(body))], name="hostile",
                headers={"Content-Type": content_type},
            )  # fmt: skip
        elif kind == 3:
            self.client.post("/api/classify", data=bytes(34_000_000), name="hostile")
        else:
            self.client.post("/api/classify", data=hostile(scans=self.scans), name="hostile")

    tasks = (task,)


class Monitor(FastHttpUser):
    """Checks the health of the server, each time with a new connection."""

    wait_time = constant(CHECK)

    def task(self) -> None:
        """Check once."""
        self.client.get("/healthz", name="health", headers={"Connection": "close"})

    tasks = (task,)


VISITORS: dict[type[Any], int] = {
    Presser: 10, Sender: 4, Attacker: 4, Slow: 30, Crowd: 1, Malformed: 2, Monitor: 1,
}  # fmt: skip


def well_formed(request: Request) -> bool:
    """Return whether a response is well formed, and a health check passed in time."""
    if request.name in ("slow", "half-open"):
        return True
    if request.name == "health":
        return request.status == 200 and request.milliseconds < 1e3 * MAX_CHECK
    if request.status // 100 not in (2, 4) and request.status != 503:
        return False
    if not request.kind.startswith("application/json"):
        return request.kind.startswith(("text/plain", "image/jpeg")) and bool(request.content)
    content = json.loads(request.content)
    return ("error" in content) == (request.status >= 400) or "id" in content


def seconds_to_end(server: Server) -> float:
    """Return the time from SIGTERM, sent under load, to the end of the server."""
    sending = gevent.spawn(load, server, VISITORS, 4.0)
    gevent.sleep(3.0)
    seconds = server.stop()
    sending.join()
    return seconds


def main() -> None:
    """Run the load and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--model", help="model of galfeat serve")
    parser.add_argument("--samples", help="samples of galfeat serve")
    parser.add_argument(
        "--without-scans", action="store_true", help="send no JPEG files of many scans"
    )
    arguments = parser.parse_args()
    Attacker.scans = not arguments.without_scans
    counts: Counter[tuple[str, int]] = Counter()
    malformed: list[Request] = []
    checks: list[float] = []
    with serving(arguments.model, arguments.samples) as server:
        with memory_readings(server) as memory:
            end = time.monotonic() + arguments.seconds
            while (left := end - time.monotonic()) > 1.0:
                # One minute at a time, so that memory for responses is bounded.
                for request in load(server, VISITORS, min(left, 60.0)):
                    counts[request.name, request.status] += 1
                    if request.name == "health":
                        checks.append(request.milliseconds)
                    if not well_formed(request):
                        malformed.append(request)
                print(f"{load_average()}; memory {memory[-1]:.0f} MB", flush=True)
        ended = seconds_to_end(server)
        errors = server.errors()
    for (name, status), count in sorted(counts.items()):
        print(f"{name:24}{status or '':>5}{count:9,}")
    print(f"{len(malformed)} malformed responses", *map(_short, malformed[:20]), sep="\n  ")
    every = round(30 / READING)
    print("memory in MB every 30 s:", *(f"{reading:.0f}" for reading in memory[::every]))
    print(f"peak memory: {max(memory):.0f} MB")
    print(f"health checks: median {np.median(checks):.0f} ms, at most {max(checks):.0f} ms")
    print(f"from SIGTERM to the end: {ended:.1f} s")
    print(f"stderr of the server: {errors or 'empty'}")
    if malformed or max(memory) > MAX_MEMORY or ended > MAX_END or "Traceback" in errors:
        raise SystemExit(1)


def _short(request: Request) -> str:
    details = request.problem or f"{request.kind} {request.content[:100]!r}"
    return f"{request.name} {request.status}, {request.milliseconds:.0f} ms: {details}"


if __name__ == "__main__":
    main()
