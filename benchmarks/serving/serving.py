"""How fast the page is: presses of the button, samples per second, uploads, start, memory.

Presses come in volleys: all visitors press in the same instant, and again when the next beat
begins. A press is two requests, one after the other: what is said of a galaxy, and its picture.
Samples and uploads are asked for without a pause; uploads are galaxies of 256 pixels a side, or the
largest images that are taken. Milliseconds are those of the visitor, who shares the machine's cores
with the server; work is the server's processor time. Without MODEL and DATA the server is the one
that `galfeat serve` starts, and `galaxy10` answers uploads.

    python benchmarks/serving/serving.py [--model MODEL] [--samples DATA] [--rounds 5]
"""

from __future__ import annotations

from serving_process import (  # isort: skip  # Locust comes first
    FastHttpUser, Request, Server, constant, load, load_average, serving,
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
from galfeat.web.uploads import MAX_PIXELS

#: Visitors who press at once, seconds between their presses, and of a round.
VISITORS, BEAT, SECONDS = 15, 0.5, 5.0
#: Milliseconds of a press, samples per second, seconds to ready and megabytes that are wanted.
TARGETS = {
    "press, work for all at once": "< 20 ms", "press, 99th percentile": "< 60 ms",
    "samples": "> 500 /s", "start to ready": "< 5 s", "memory at most": "< 600 MB",
}  # fmt: skip


def _files(number: int, side: int) -> list[bytes]:
    """Return JPEG files of simulated galaxies."""
    files = []
    for image in simulate(number, seed=4).images:
        stream = io.BytesIO()
        Image.fromarray(image).resize((side, side)).save(stream, "JPEG", quality=92)
        files.append(stream.getvalue())
    return files


FILES, LARGEST = _files(20, 256), _files(5, isqrt(MAX_PIXELS))


def press(user: Any) -> None:  # noqa: ANN401
    """Ask for a galaxy and its picture."""
    galaxy = user.client.get("/api/sample", name="sample").json()
    user.client.get("/" + galaxy["image"], name="picture")


def press_and_tell(user: Any) -> None:  # noqa: ANN401
    """Press, and record how long it took."""
    start = time.perf_counter()
    press(user)
    passed = 1e3 * (time.perf_counter() - start)
    user.environment.events.request.fire(
        request_type="", name="press", response_time=passed, response_length=0, response=None,
        context={}, exception=None,
    )  # fmt: skip


def upload(user: Any) -> None:  # noqa: ANN401
    """Send a galaxy."""
    user.client.post("/api/classify", data=random.choice(FILES), name="upload")


def upload_largest(user: Any) -> None:  # noqa: ANN401
    """Send an image as large as is taken."""
    user.client.post("/api/classify", data=random.choice(LARGEST), name="upload")


class Volley(FastHttpUser):
    """Presses whenever a beat begins."""

    tasks = (press_and_tell,)

    def wait_time(self) -> float:
        """Return the seconds to the next beat."""
        return BEAT - time.monotonic() % BEAT


class Hurried(FastHttpUser):
    """Asks for samples without a pause."""

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
    times = [one.milliseconds for one in requests if one.name == name]
    return {
        "median": float(np.median(times)), "99th percentile": float(np.quantile(times, 0.99)),
    }  # fmt: skip


def _check(requests: list[Request]) -> None:
    wrong = [one for one in requests if one.status != 200 and one.name != "press"]
    if wrong:
        raise SystemExit(f"{len(wrong)} of {len(requests)} were not answered; first: {wrong[0]}")


def _round(server: Server) -> dict[str, float]:
    """Measure once."""
    found: dict[str, float] = {}
    before = server.milliseconds_of_work()
    presses = load(server, {Volley: VISITORS}, SECONDS)
    worked = server.milliseconds_of_work() - before
    of_each = worked / sum(one.name == "press" for one in presses)
    found["press, work of the server"] = of_each
    # Nobody of those who press at once waits longer for the server than this.
    found["press, work for all at once"] = VISITORS * of_each
    for name, value in _times(presses, "press").items():
        found[f"press, {name}"] = value
    samples = load(server, {Hurried: VISITORS}, SECONDS)
    found["samples"] = sum(one.name == "sample" for one in samples) / SECONDS
    _check(presses + samples)
    for what, sender, number in (
        ("uploads", Sender, 1), ("uploads", Sender, 2), ("uploads", Sender, VISITORS),
        ("largest uploads", LargeSender, 2),
    ):  # fmt: skip
        before = server.milliseconds_of_work()
        uploads = load(server, {sender: number}, SECONDS)
        worked = server.milliseconds_of_work() - before
        _check(uploads)
        found[f"{what}, {number} at once, work of each"] = worked / len(uploads)
        found[f"{what}, {number} at once"] = len(uploads) / SECONDS
        for name, value in _times(uploads, "upload").items():
            found[f"{what}, {number} at once, {name}"] = value
    return found


def _unit(name: str) -> str:
    if name in ("samples",) or name.endswith("at once"):
        return "/s"
    if name.startswith("memory"):
        return "MB"
    return {"start to ready": "s"}.get(name, "ms")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", help="by default those of galfeat serve")
    parser.add_argument("--samples", help="by default simulated ones")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    starts = []
    for _ in range(6):
        with serving(given.model, given.samples) as server:
            starts.append(server.seconds_to_ready)
    print(load_average())
    with serving(given.model, given.samples) as server:
        at_start = server.megabytes()
        rounds = [_round(server) for _ in range(given.rounds)]
        at_end, at_most = server.megabytes(), server.megabytes(at_most=True)
    print(load_average())
    kept = {name: [one[name] for one in rounds] for name in rounds[0]}
    kept |= {
        "start to ready": starts[1:],  # the first one may have compiled
        "memory at the start": [at_start], "memory at the end": [at_end],
        "memory at most": [at_most],
    }  # fmt: skip
    print(f"{'':34}{'median':>10}{'least':>10}{'most':>10}       wanted")
    for name, values in kept.items():
        row = "".join(f"{value:10.1f}" for value in (median(values), min(values), max(values)))
        print(f"{name:34}{row} {_unit(name):5} {TARGETS.get(name, '')}")


if __name__ == "__main__":
    main()
