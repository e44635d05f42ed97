"""Performance of the web page: button presses, samples per second, uploads, start, memory.

Presses come in volleys: all visitors press simultaneously, at regular intervals. A press is two
successive requests, one for a sample and one for its image. Samples and uploads are requested
without a pause; uploads are galaxies of 256 pixels a side, or the largest images that are measured
with all their pixels. Times are measured by the visitors, who share the cores of the machine with
the server; work is the processor time of the server. Without MODEL and DATA the defaults of
`galfeat serve` are used, and `galaxy10` classifies uploads.

    python benchmarks/serving/serving.py [--model MODEL] [--samples DATA] [--rounds 5]
"""

from __future__ import annotations

from serving_process import (  # isort: skip  # Locust comes first
    FastHttpUser, Request, Server, constant, load, load_average, memory_readings, serving,
)  # fmt: skip

import argparse
import io
import random
import time
from math import isqrt
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from galfeat.data.simulation.simulator import simulate
from galfeat.web.uploads import MEASURED_PIXELS

#: Number of simultaneous visitors, seconds between their presses, and seconds per round.
VISITORS, BEAT, SECONDS = 15, 0.5, 5.0
#: Targets by line of the table.
TARGETS = {
    "press, work for all visitors": "< 20 ms", "press, 99th percentile": "< 60 ms",
    "samples": "> 500 /s", "start to ready": "< 5 s", "memory, peak": "< 600 MB",
}  # fmt: skip


def _files(number: int, side: int) -> list[bytes]:
    """Return JPEG files of simulated galaxies."""
    files = []
    for image in simulate(number, seed=4).images:
        stream = io.BytesIO()
        Image.fromarray(image).resize((side, side)).save(stream, "JPEG", quality=92)
        files.append(stream.getvalue())
    return files


FILES, LARGEST = _files(20, 256), _files(5, isqrt(MEASURED_PIXELS))


def press(user: Any) -> None:  # noqa: ANN401
    """Request a sample and its image."""
    galaxy = user.client.get("/api/sample", name="sample").json()
    user.client.get("/" + galaxy["image"], name="picture")


def timed_press(user: Any) -> None:  # noqa: ANN401
    """Press, and record the time it took."""
    start = time.perf_counter()
    press(user)
    milliseconds = 1e3 * (time.perf_counter() - start)
    user.environment.events.request.fire(
        request_type="", name="press", response_time=milliseconds, response_length=0, response=None,
        context={}, exception=None,
    )  # fmt: skip


def upload(user: Any) -> None:  # noqa: ANN401
    """Upload a galaxy."""
    user.client.post("/api/classify", data=random.choice(FILES), name="upload")


def upload_largest(user: Any) -> None:  # noqa: ANN401
    """Upload an image of the maximum size that is measured."""
    user.client.post("/api/classify", data=random.choice(LARGEST), name="upload")


class Volley(FastHttpUser):
    """Presses at the start of each beat."""

    tasks = (timed_press,)

    def wait_time(self) -> float:
        """Return the seconds to the next beat."""
        return BEAT - time.monotonic() % BEAT


class Hurried(FastHttpUser):
    """Requests samples without a pause."""

    tasks = (press,)
    wait_time = constant(0)


class Sender(FastHttpUser):
    """Uploads without a pause."""

    tasks = (upload,)
    wait_time = constant(0)


class LargeSender(FastHttpUser):
    """Uploads large images without a pause."""

    tasks = (upload_largest,)
    wait_time = constant(0)


def _times(requests: list[Request], name: str) -> dict[str, float]:
    times = [request.milliseconds for request in requests if request.name == name]
    return {
        "median": float(np.median(times)), "99th percentile": float(np.quantile(times, 0.99)),
    }  # fmt: skip


def _check(requests: list[Request]) -> None:
    failed = [r for r in requests if r.status != 200 and r.name != "press"]
    if failed:
        raise SystemExit(f"{len(failed)} of {len(requests)} requests failed; first: {failed[0]}")


def _round(server: Server) -> dict[str, float]:
    """Run one round of measurements."""
    results: dict[str, float] = {}
    before = server.milliseconds_of_work()
    presses = load(server, {Volley: VISITORS}, SECONDS)
    worked = server.milliseconds_of_work() - before
    per_press = worked / sum(request.name == "press" for request in presses)
    results["press, work of the server"] = per_press
    # The maximum time that any of the simultaneous visitors waits for the server.
    results["press, work for all visitors"] = VISITORS * per_press
    for name, value in _times(presses, "press").items():
        results[f"press, {name}"] = value
    samples = load(server, {Hurried: VISITORS}, SECONDS)
    results["samples"] = sum(request.name == "sample" for request in samples) / SECONDS
    _check(presses + samples)
    for kind, sender, number in (
        ("uploads", Sender, 1), ("uploads", Sender, 2), ("uploads", Sender, VISITORS),
        ("largest uploads", LargeSender, 2),
    ):  # fmt: skip
        before = server.milliseconds_of_work()
        uploads = load(server, {sender: number}, SECONDS)
        worked = server.milliseconds_of_work() - before
        _check(uploads)
        results[f"{kind}, {number} at once, work per upload"] = worked / len(uploads)
        results[f"{kind}, {number} at once"] = len(uploads) / SECONDS
        for name, value in _times(uploads, "upload").items():
            results[f"{kind}, {number} at once, {name}"] = value
    return results


def _unit(name: str) -> str:
    if name in ("samples",) or name.endswith("at once"):
        return "/s"
    if name.startswith("memory"):
        return "MB"
    return {"start to ready": "s"}.get(name, "ms")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", help="model of galfeat serve")
    parser.add_argument("--samples", help="samples of galfeat serve")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    starts = []
    for _ in range(6):
        with serving(arguments.model, arguments.samples) as server:
            starts.append(server.seconds_to_ready)
    print(load_average())
    with serving(arguments.model, arguments.samples) as server:
        start = server.megabytes()
        with memory_readings(server) as memory:
            rounds = [_round(server) for _ in range(arguments.rounds)]
        end = server.megabytes()
    print(load_average())
    table = {name: [results[name] for results in rounds] for name in rounds[0]}
    table |= {
        "start to ready": starts[1:],  # the first one may include compilation
        "memory, start": [start], "memory, end": [end],
        "memory, peak": [max(memory)],
    }  # fmt: skip
    print(f"{'':34}{'median':>10}{'min':>10}{'max':>10}       target")
    for name, values in table.items():
        row = "".join(f"{value:10.1f}" for value in (median(values), min(values), max(values)))
        print(f"{name:34}{row} {_unit(name):5} {TARGETS.get(name, '')}")


if __name__ == "__main__":
    main()
