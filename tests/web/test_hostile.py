"""Malicious and malformed requests."""

import asyncio
import io
import pickle
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from galfeat.errors import ImageError
from galfeat.web.app import create_app
from galfeat.web.request_limits import Limits, RequestGuard
from galfeat.web.uploads import LONGEST_SIDE, MAX_BYTES, decode_upload

GALAXY = np.random.default_rng(0).integers(0, 60, (64, 64, 3)).astype(np.uint8)


def encoded(kind, image=GALAXY, **options):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind, **options)
    return stream.getvalue()


def bomb(width=13_000, height=13_000):
    """A small PNG file that decompresses to half a gigabyte."""

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(20_000_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def animation():
    frames = [Image.fromarray(np.full((64, 64, 3), level, np.uint8)) for level in (0, 90)]
    stream = io.BytesIO()
    frames[0].save(stream, "WEBP", save_all=True, append_images=frames[1:])
    return stream.getvalue()


HOSTILE = {
    "only a signature": b"\x89PNG\r\n\x1a\n",
    "truncated": encoded("PNG")[:600],
    "truncated JPEG": encoded("JPEG")[:400],
    "garbage after the header": encoded("PNG")[:60] + bytes(range(256)) * 20,
    "a bomb": bomb(),
    "a long thin one": encoded("PNG", np.zeros((20, LONGEST_SIDE + 1, 3), np.uint8)),
    "a dot": encoded("PNG", np.zeros((2, 2, 3), np.uint8)),
    "an animation": animation(),
    "a GIF": encoded("GIF"),
    "a TIFF": encoded("TIFF"),
    "a BMP": encoded("BMP"),
    "a wave file": b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(64),
    "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a pickle": pickle.dumps({"a": 1}),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(512),
    "text": b"a galaxy",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_invalid_images_are_refused_in_one_line(client, name):
    response = client.post("/api/classify", content=HOSTILE[name])
    assert response.status_code == 422
    error = response.json()["error"]
    assert "\n" not in error
    assert len(error) < 200
    assert client.get("/healthz").status_code == 200


def test_a_decompression_bomb_is_refused_by_its_header(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("pixels were decoded"))
    with pytest.raises(ImageError, match="far more than 27,000,000 pixels"):
        decode_upload(bomb())


def test_transparent_pixels_become_black():
    layer = np.full((40, 40, 4), 255, np.uint8)
    layer[:20, :, 3] = 0
    pixels = decode_upload(encoded("PNG", layer)).pixels
    assert (pixels[:20] == 0).all()
    assert (pixels[20:] == 255).all()


def test_an_image_with_too_many_bytes_is_refused():
    with pytest.raises(ImageError, match="send at most 12,500,000"):
        decode_upload(b"\x89PNG\r\n\x1a\n" + bytes(MAX_BYTES))


def test_requests_without_an_image_are_refused(client):
    assert client.post("/api/classify").status_code == 400
    fields = {"a": (None, "b")}  # a form without a file
    response = client.post("/api/classify", files=fields)
    assert response.status_code == 400
    assert "the form contains no file" in response.json()["error"]
    boundary = {"content-type": "multipart/form-data; boundary=x"}
    assert client.post("/api/classify", content=b"--y--", headers=boundary).status_code == 400
    assert client.get("/api/classify").status_code == 405


def test_too_large_images_are_refused_as_body_and_in_a_form(client):
    content = b"\x89PNG\r\n\x1a\n" + bytes(MAX_BYTES)
    assert client.post("/api/classify", content=content).status_code == 413
    assert client.post("/api/classify", files={"image": ("a.png", content)}).status_code == 413


def test_too_many_files_are_refused(client):
    files = [("image", (f"{n}.png", encoded("PNG"))) for n in range(9)]
    assert client.post("/api/classify", files=files).status_code == 400


def send_parts(app, parts, headers=(), pauses=False):
    """Send a body in parts, as a server would; return the status and the number of parts read."""
    read, sent = 0, []

    async def receive():
        nonlocal read
        if read == len(parts):
            await asyncio.Event().wait()
        read += 1
        more = pauses or read < len(parts)
        return {"type": "http.request", "body": parts[read - 1], "more_body": more}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/classify", "raw_path": b"/api/classify",
        "query_string": b"", "headers": list(headers), "http_version": "1.1", "scheme": "http",
        "server": ("galaxies", 80), "client": ("visitor", 1), "root_path": "",
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], read


def test_a_body_without_a_length_is_stopped_while_received(content):
    app = RequestGuard(create_app(content), Limits(max_single=100_000))
    status, read = send_parts(app, [bytes(30_000)] * 1000)
    assert status == 413
    assert read == 4


def test_a_body_declared_too_large_is_not_received(content):
    app = RequestGuard(create_app(content), Limits(max_single=100_000))
    status, read = send_parts(app, [bytes(10)], headers=[(b"content-length", b"100001")])
    assert (status, read) == (413, 0)


def test_a_body_that_stops_is_not_waited_for(content):
    app = RequestGuard(create_app(content), Limits(part_timeout=0.02))
    status, _ = send_parts(app, [b"\x89PNG"], pauses=True)
    assert status == 408


def test_bodies_too_large_in_total_are_refused(content):
    app = RequestGuard(create_app(content), Limits(max_held=50_000))
    status, read = send_parts(app, [bytes(30_000)] * 5)
    assert (status, read) == (503, 2)
    assert app.held == 0  # refused bodies are not held
    assert send_parts(app, [bytes(30_000)]) == (422, 1)
    assert app.held == 0
