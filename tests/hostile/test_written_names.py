"""Data sets with names of any bytes are written and read again; odd numbers are refused."""

import json
import os

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from galfeat.cli import main
from galfeat.data import open_dataset, pack

NAME = b"m\xe9ssier51.png"


@pytest.fixture
def folder(tmp_path):
    """A folder with an image whose name is not UTF-8."""
    path = tmp_path / "galaxies"
    path.mkdir()
    picture = Image.fromarray(np.full((32, 32, 3), 40, np.uint8))
    try:
        with open(os.fsencode(path) + b"/" + NAME, "wb") as file:
            picture.save(file, "PNG")
    except OSError:
        pytest.skip("this file system accepts only names that are UTF-8")
    return path


def test_a_packed_file_keeps_the_name_as_an_escape(folder, tmp_path):
    assert pack(open_dataset(folder), tmp_path / "packed.h5") == {}
    assert len(open_dataset(tmp_path / "packed.h5")) == 1


def test_a_summary_as_json_is_valid_unicode(folder):
    (folder / "empty.png").write_bytes(b"")
    os.rename(folder / "empty.png", os.fsencode(folder) + b"/\xff.png")
    done = CliRunner().invoke(main, ["data", "info", "--json", str(folder)])
    assert done.exit_code == 3
    assert json.loads(done.stdout.encode())


@pytest.mark.parametrize(
    "command",
    [
        ["fit", "data.h5", "-o", "model", "--test-size", "nan"],
        ["data", "label-votes", "votes.csv", "--scheme", "gz2", "--threshold", "nan"],
    ],
)
def test_nan_is_in_no_range(command):
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 2
    assert "not a number" in done.stderr


def test_an_address_that_cannot_be_parsed_is_a_usage_error():
    done = CliRunner().invoke(main, ["data", "fetch", "--url", "http://[::1", "--sha256", "0" * 64])
    assert done.exit_code == 2
    assert "expected the address of a file" in done.stderr
