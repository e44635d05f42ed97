"""PostScript, whatever its name, runs as a program, so it is never opened."""

import ast
import io
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from galfeat.data import as_dataset
from galfeat.data.readers import decode_file
from galfeat.errors import ImageError
from galfeat.web.uploads import decode_upload

ROOT = Path(__file__).resolve().parents[2]
ENDLESS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\n{} loop\n%%EOF\n"
STARTED, WATCHING = [], []


def _watch(event, _):
    if WATCHING and event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"):
        STARTED.append(event)


@pytest.fixture(scope="module", autouse=True)
def _audit():
    sys.addaudithook(_watch)  # for good


@pytest.fixture
def no_process():
    """Fail the test if it starts a process."""
    STARTED.clear()
    WATCHING.append(True)
    yield
    WATCHING.clear()
    assert STARTED == []


def test_a_process_would_be_noticed():
    with Image.open(io.BytesIO(ENDLESS)) as picture:
        assert picture.format == "EPS"  # so Pillow would start Ghostscript for its pixels
    WATCHING.append(True)
    try:
        os.system("true")
    finally:
        WATCHING.clear()
    assert STARTED
    STARTED.clear()


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.tif"])
@pytest.mark.usefixtures("no_process")
def test_a_file_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(ENDLESS)
    with pytest.raises(
        ImageError, match=f"{name} cannot be decoded .*not a JPEG, PNG, TIFF, WebP, GIF or BMP"
    ):
        decode_file(tmp_path / name)


@pytest.mark.usefixtures("no_process")
def test_an_upload_is_refused():
    with pytest.raises(ImageError, match="unknown image format"):
        decode_upload(ENDLESS)


@pytest.mark.usefixtures("no_process")
def test_a_picture_that_is_not_decoded_is_refused(tmp_path):
    (tmp_path / "x.eps").write_bytes(ENDLESS)
    with Image.open(tmp_path / "x.eps") as from_path:
        pictures = [from_path, Image.open(io.BytesIO(ENDLESS)), Image.new("RGB", (20, 20))]
        *refused, other = as_dataset(pictures).read([0, 1, 2])
    assert other.shape == (20, 20, 3)
    for error in refused:
        assert isinstance(error, ImageError)
        assert "the picture is PostScript, which runs as a program; convert it" in str(error)


def test_the_command_line_refuses_it(tmp_path, run_limited):
    (tmp_path / "bin").mkdir()
    for name in ("gs", "gswin32c", "gswin64c"):
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n> {tmp_path}/started\n")
        program.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    (tmp_path / "x.png").write_bytes(ENDLESS)
    done = run_limited("extract", "x.png", "-o", "features.csv", env={"PATH": path})
    assert done.returncode == 3, done.stderr
    assert (
        "not a JPEG, PNG, TIFF, WebP, GIF or BMP image" in (tmp_path / "features.csv").read_text()
    )
    assert not (tmp_path / "started").exists()


def test_every_image_is_opened_in_named_formats():
    calls = [
        (path.name, node)
        for folder in ("galfeat", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Image.open", "Pillow.open")
    ]
    assert calls
    anything = [
        (name, node.lineno)
        for name, node in calls
        if "formats" not in {keyword.arg for keyword in node.keywords}
    ]
    assert anything == []
