"""Damaged and hostile files, for `serving_soak.py`."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from galfeat.data.simulation.simulator import simulate

#: Numbers of scans of JPEG files, each of which decodes all pixels.
SCANS = (8_000, 300_000)
_RNG = np.random.default_rng(0)
_SKY = Image.fromarray(simulate(1, seed=6).images[0])
_EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n{} loop\n%%EOF\n"


def picture() -> tuple[bytes, str]:
    """Return a galaxy of random size in a random file format, and the name of the format."""
    side = int(np.exp(_RNG.uniform(np.log(16), np.log(2000 if _RNG.random() < 0.05 else 500))))
    kind = str(_RNG.choice(["PNG", "JPEG", "WEBP"]))
    mode = str(_RNG.choice(["RGB", "L", "RGB", "RGBA"] if kind != "JPEG" else ["RGB", "L", "CMYK"]))
    stream = io.BytesIO()
    _SKY.resize((side, side)).convert(mode).save(stream, kind)
    return stream.getvalue(), kind


def _damaged() -> bytes:
    content = bytearray(picture()[0])
    for position in _RNG.integers(0, len(content), 5):
        content[position] = _RNG.integers(256)
    return bytes(content[: _RNG.integers(1, len(content) + 1)])


def _bomb() -> bytes:
    """Return a PNG file that decompresses to far more bytes than it has."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    side = int(_RNG.choice([1225, 5_100, 13_000, 60_000]))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(30_000_000), 1))
    return b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b"")


def _with_scans(number: int) -> bytes:
    """Return a JPEG file whose last scan is repeated."""
    stream = io.BytesIO()
    Image.new("L", (1200, 1200), 90).save(stream, "JPEG", progressive=True)
    content = stream.getvalue()
    start = content.rindex(b"\xff\xda")
    return content[:start] + content[start:-2] * number + b"\xff\xd9"


_BOMBS = [_bomb() for _ in range(6)]
_SCANS = [_with_scans(number) for number in SCANS]


def hostile(*, scans: bool) -> bytes:
    """Return a damaged or hostile file; `scans` includes those of many scans."""
    kind = _RNG.integers(0 if scans else 1, 8)
    if kind == 0:
        return _SCANS[_RNG.integers(len(_SCANS))]
    if kind == 1:
        return _BOMBS[_RNG.integers(len(_BOMBS))]
    if kind == 2:
        return _RNG.bytes(int(_RNG.integers(1, 100_000)))
    if kind == 3:
        return b"\xff\xd8\xff" + bytes(9_000_000)  # exceeds the size limit of an image
    if kind == 4:
        return _EPS
    return _damaged()


def form(files: list[tuple[str, tuple[str, bytes, str]]]) -> tuple[bytes, str]:
    """Return the body of a form with files, and its content type."""
    parts = [
        f'--galaxies\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for field, (name, content, kind) in files
    ]
    return b"".join(parts) + b"--galaxies--\r\n", "multipart/form-data; boundary=galaxies"
