"""Commands that use a shipped model by default."""

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


def test_the_default_model_and_its_scores_are_printed(galfeat, picture):
    done = galfeat("classify", picture, "--jobs", 1)
    n = read_manifest(model_folder(DEFAULT))["n_training"]
    assert done.stderr.startswith(f"model {DEFAULT}: 10 classes, fitted to {n} galaxies; macro-F1 ")
    assert "cross-validated" in done.stderr
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert row["class"] in read_manifest(model_folder(DEFAULT))["classes"]
    named = galfeat("classify", DEFAULT, picture, "--jobs", 1)
    # The line on the model alone is missing; a caution on the survey is there in both.
    _, *rest = done.stderr.splitlines(keepends=True)
    assert (named.stdout, named.stderr) == (done.stdout, "".join(rest))


def test_another_shipped_model_by_name(galfeat, picture):
    (row,) = csv.DictReader(io.StringIO(galfeat("classify", "coarse", picture, "--jobs", 1).stdout))
    assert row["class"] in ("smooth", "spiral", "edge-on", "merger")


def test_explain_uses_the_default_model(galfeat, picture):
    done = galfeat("explain", picture, "--jobs", 1)
    assert done.stderr.startswith(f"model {DEFAULT}: ")
    assert "reasons for and against " in done.stdout


def test_shipped_models_and_their_cards_are_printed(galfeat):
    listed = galfeat("models").stdout
    for name in SHIPPED:
        assert f"\n{name} " in f"\n{listed}"
    assert galfeat("models", DEFAULT).stdout.startswith("# galfeat model")
    assert "expected one of galaxy10" in galfeat("models", "galaxy11", code=2).stderr


def test_a_model_without_images_is_an_error(galfeat, model):
    assert "give them after the model" in galfeat("classify", model, code=2).stderr
    assert (
        "there is no model folder" in galfeat("classify", "no-such-model", "a.jpg", code=6).stderr
    )
