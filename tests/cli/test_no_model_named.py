"""Commands that use a model which comes with galfeat where none is named."""

import csv
import io

import pytest
from PIL import Image

from galfeat import open_dataset
from galfeat.model_io.manifest import read_manifest
from galfeat.model_io.shipped import DEFAULT, SHIPPED, model_folder


@pytest.fixture
def picture(simulated, tmp_path):
    (image,) = open_dataset(simulated).read([60])
    Image.fromarray(image).save(tmp_path / "my.jpg", quality=95)
    return tmp_path / "my.jpg"


def test_it_is_said_which_model_answers_and_what_it_is_worth(galfeat, picture):
    done = galfeat("classify", picture, "--jobs", 1)
    n = read_manifest(model_folder(DEFAULT))["n_training"]
    assert done.stderr.startswith(f"model {DEFAULT}: 10 classes, fitted to {n} galaxies; macro-F1 ")
    assert "cross-validated" in done.stderr
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert row["class"] in read_manifest(model_folder(DEFAULT))["classes"]
    named = galfeat("classify", DEFAULT, picture, "--jobs", 1)
    assert (named.stdout, named.stderr) == (done.stdout, "")


def test_another_one_by_name(galfeat, picture):
    (row,) = csv.DictReader(io.StringIO(galfeat("classify", "coarse", picture, "--jobs", 1).stdout))
    assert row["class"] in ("smooth", "spiral", "edge-on", "merger")


def test_reasons_too(galfeat, picture):
    done = galfeat("explain", picture, "--jobs", 1)
    assert done.stderr.startswith(f"model {DEFAULT}: ")
    assert "why " in done.stdout


def test_they_are_listed_and_told_of(galfeat):
    listed = galfeat("models").stdout
    for name in SHIPPED:
        assert f"\n{name} " in f"\n{listed}"
    assert galfeat("models", DEFAULT).stdout.startswith("# galfeat model")
    assert "none of galaxy10" in galfeat("models", "galaxy11", code=2).stderr


def test_a_model_alone_is_not_enough(galfeat, model):
    assert "name the images after it" in galfeat("classify", model, code=2).stderr
    assert (
        "there is no model folder" in galfeat("classify", "no-such-model", "a.jpg", code=6).stderr
    )
