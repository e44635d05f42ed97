"""Soak test with mixed load: presses, valid, damaged and hostile uploads, slow visitors.

Prints the responses by status, all responses that are not a well-formed 2xx, 4xx or 503, and the
memory of the server over time. Fails if there is such a response, or if memory exceeds the limit.

    python benchmarks/serving/serving_soak.py [--seconds 600] [--model MODEL] [--samples DATA]
"""

from __future__ import annotations

from serving_process import (  # isort: skip  # Locust comes first
    FastHttpUser, Request, User, constant, load, load_average, serving,
)  # fmt: skip

import argparse
import io
import json
import socket
import struct
import time
import zlib
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import gevent
import numpy as np
from PIL import Image
from serving import press

from galfeat.data.simulation.simulator import simulate

#: Seconds between memory readings.
READING = 5.0
#: Maximum memory in megabytes.
MAX_MEMORY = 600
_RNG = np.random.default_rng(0)
_SKY = Image.fromarray(simulate(1, seed=6).images[0])


def _picture() -> tuple[bytes, str]:
    """Return a galaxy of random size in a random file format."""
    side = int(np.exp(_RNG.uniform(np.log(16), np.log(1224 if _RNG.random() < 0.05 else 500))))
    kind = str(_RNG.choice(["PNG", "JPEG", "WEBP"]))
    mode = str(_RNG.choice(["RGB", "L", "RGB", "RGBA"] if kind != "JPEG" else ["RGB", "L", "CMYK"]))
    stream = io.BytesIO()
    _SKY.resize((side, side)).convert(mode).save(stream, kind)
    return stream.getvalue(), kind


def _damaged() -> bytes:
    content = bytearray(_picture()[0])
    for position in _RNG.integers(0, len(content), 5):
        content[position] = _RNG.integers(256)
    return bytes(content[: _RNG.integers(1, len(content) + 1)])


def _bomb() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    side = int(_RNG.choice([1225, 13_000, 60_000]))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(30_000_000), 1))
    return b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b"")


_BOMBS = [_bomb() for _ in range(6)]


def _hostile() -> bytes:
    kind = _RNG.integers(6)
    if kind == 0:
        return _BOMBS[_RNG.integers(len(_BOMBS))]
    if kind == 1:
        return _RNG.bytes(int(_RNG.integers(1, 100_000)))
    if kind == 2:
        return b"\xff\xd8\xff" + bytes(9_000_000)  # exceeds the size limit of an image
    return _damaged()


def send_any(user: Any) -> None:  # noqa: ANN401
    """Upload a galaxy, as the body or in a form."""
    content, kind = _picture()
    if _RNG.random() < 0.8:
        user.client.post("/api/classify", data=content, name="upload")
    else:
        files = [("image", (f"g.{kind}", content, f"image/{kind.lower()}"))] * 3
        body, content_type = _form(files)
        user.client.post(
            "/api/classify", data=body, headers={"Content-Type": content_type}, name="form"
        )


def _form(files: list[tuple[str, tuple[str, bytes, str]]]) -> tuple[bytes, str]:
    parts = [
        f'--galaxies\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for field, (name, content, kind) in files
    ]
    return b"".join(parts) + b"--galaxies--\r\n", "multipart/form-data; boundary=galaxies"


def send_hostile(user: Any) -> None:  # noqa: ANN401
    """Send an invalid upload or request."""
    kind = _RNG.integers(8)
    if kind == 0:
        user.client.get("/static/%2e%2e/app.py", name="hostile")
    elif kind == 1:
        user.client.put("/api/sample", data=b"x", name="hostile")
    elif kind == 2:
        body, _ = _form([("image", ("g", _hostile(), "image/png"))])
        user.client.post(
            "/api/classify", data=body[: _RNG.integers(len(body))], name="hostile",
            headers={"Content-Type": "multipart/form-data; boundary=galaxies"},
        )  # fmt: skip
    elif kind == 3:
        user.client.post("/api/classify", data=bytes(34_000_000), name="hostile")
    else:
        user.client.post("/api/classify", data=_hostile(), name="hostile")


_HEAD = b"POST /api/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"


def keep_waiting(user: Any) -> None:  # noqa: ANN401
    """Connect and be slow: idle, send a slow head, stop within a body, or disconnect in it."""
    address = urlsplit(user.environment.host)
    start = [b"", _HEAD, _HEAD + b"\r\n\x89PNG"][_RNG.integers(3)]
    leaves = _RNG.random() < 0.3
    with socket.create_connection((address.hostname, address.port), timeout=1.0) as visitor:
        visitor.sendall(start)
        for _ in range(0 if leaves else 60):
            try:
                if not visitor.recv(4096):
                    break
            except TimeoutError:
                if start.endswith(b"\r\n"):
                    visitor.sendall(b"X")
            except ConnectionError:
                break
        else:
            if not leaves:
                _record(user, "not dropped in a minute")
                return
    _record(user, "slow")


def _record(user: Any, name: str) -> None:  # noqa: ANN401
    user.environment.events.request.fire(
        request_type="", name=name, response_time=0.0, response_length=0, response=None,
        context={}, exception=None,
    )  # fmt: skip


class Presser(FastHttpUser):
    """Presses the button."""

    tasks = (press,)
    wait_time = constant(0.2)


class Sender(FastHttpUser):
    """Uploads galaxies."""

    tasks = (send_any,)
    wait_time = constant(0.2)


class Attacker(FastHttpUser):
    """Sends invalid uploads and requests."""

    tasks = (send_hostile,)
    wait_time = constant(0.2)


class Slow(User):
    """Connects and is slow."""

    tasks = (keep_waiting,)
    wait_time = constant(0.1)


VISITORS: dict[type[Any], int] = {Presser: 10, Sender: 4, Attacker: 4, Slow: 30}


def well_formed(request: Request) -> bool:
    """Return whether a response is well formed."""
    if request.name == "slow":
        return True
    if request.status // 100 not in (2, 4) and request.status != 503:
        return False
    if not request.kind.startswith("application/json"):
        return request.kind.startswith(("text/plain", "image/jpeg")) and bool(request.content)
    content = json.loads(request.content)
    return ("error" in content) == (request.status >= 400) or "id" in content


def main() -> None:
    """Run the load and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--model", help="model of galfeat serve")
    parser.add_argument("--samples", help="samples of galfeat serve")
    arguments = parser.parse_args()
    counts: Counter[tuple[str, int]] = Counter()
    malformed: list[Request] = []
    memory: list[float] = []
    with serving(arguments.model, arguments.samples) as server:

        def read_memory() -> None:
            while True:
                memory.append(server.megabytes())
                gevent.sleep(READING)

        reading = gevent.spawn(read_memory)
        end = time.monotonic() + arguments.seconds
        while (left := end - time.monotonic()) > 1.0:
            # One minute at a time, so that memory for responses is bounded.
            for request in load(server, VISITORS, min(left, 60.0)):
                counts[request.name, request.status] += 1
                if not well_formed(request):
                    malformed.append(request)
            print(f"{load_average()}; memory {memory[-1]:.0f} MB", flush=True)
        reading.kill()
        peak = server.megabytes(peak=True)
    for (name, status), count in sorted(counts.items()):
        print(f"{name:24}{status or '':>5}{count:9,}")
    print(f"{len(malformed)} malformed responses", *map(_short, malformed[:20]), sep="\n  ")
    print("memory in MB, every 30 s:", *(f"{value:.0f}" for value in memory[::6]))
    print(f"peak memory: {peak:.0f} MB")
    if malformed or peak > MAX_MEMORY:
        raise SystemExit(1)


def _short(request: Request) -> str:
    details = request.problem or f"{request.kind} {request.content[:100]!r}"
    return f"{request.name} {request.status}: {details}"


if __name__ == "__main__":
    main()
