"""``galfeat drift``: its output, and early errors."""

import json

import numpy as np
import pytest
from PIL import Image

from galfeat.data.simulation import simulate


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two folders of galaxies in the rendering of SDSS and one in that of the Legacy Surveys."""
    paths = []
    for seed, rendering in ((1, "sdss"), (2, "sdss"), (3, "legacy")):
        folder = tmp_path_factory.mktemp(f"{rendering}{seed}")
        for number, image in enumerate(simulate(24, seed=seed, rendering=rendering).images):
            Image.fromarray(image).save(folder / f"{number}.png")
        paths.append(folder)
    return paths


@pytest.fixture(scope="module")
def tables(galfeat, folders, tmp_path_factory):
    """The features of two of them as files of different kinds."""
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.mktemp("tables")
    files = [folder / "features.npz", folder / "features.csv", folder / "features.parquet"]
    for folder, file in zip((folders[0], folders[2], folders[2]), files, strict=True):
        galfeat("extract", folder, "-o", file, "--jobs", 1)
    return files


def test_the_sky_of_another_survey_differs_most(galfeat, folders, tmp_path):
    page, numbers = tmp_path / "drift.html", tmp_path / "drift.json"
    ran = galfeat("drift", folders[0], folders[2], "-o", page, "--json", numbers, "--jobs", 1)
    found = json.loads(numbers.read_text())
    assert found["features"][0]["name"].startswith("morphology.sky")
    assert found["separation"]["value"] > 0.9
    assert (found["n_a"], found["n_b"], found["facts"]["Seed"]) == (24, 24, "0")
    assert ran.stdout.splitlines()[3].split()[0] == found["features"][0]["name"]
    assert f"page: {page}" in ran.stdout
    text = page.read_text()
    assert text.startswith("<!DOCTYPE html>")
    assert text.count("<img") >= 12 + 16


def test_samples_of_one_survey_do_not_differ(galfeat, folders, tmp_path):
    numbers = tmp_path / "drift.json"
    galfeat("drift", folders[0], folders[1], "--json", numbers, "--jobs", 1)
    found = json.loads(numbers.read_text())
    assert found["different"] <= 0.02 * len(found["features"])
    assert found["separation"]["low"] < 0.6


def test_tables_of_features_give_the_same_numbers(galfeat, folders, tables, tmp_path):
    sources = [(folders[0], folders[2]), (tables[0], tables[1]), (tables[0], tables[2])]
    found = []
    for number, (a, b) in enumerate(sources):
        galfeat("drift", a, b, "--json", tmp_path / f"{number}.json", "--jobs", 1)
        found.append(json.loads((tmp_path / f"{number}.json").read_text()))
        del found[-1]["facts"]
    assert found[1] == found[2] == found[0]


def test_a_model_is_compared_by_its_quantiles(galfeat, model, folders, tmp_path):
    numbers, page = tmp_path / "drift.json", tmp_path / "page.html"
    galfeat("drift", model, folders[0], "--json", numbers, "-o", page, "--jobs", 1)
    found = json.loads(numbers.read_text())
    assert found["separation"] is None
    assert found["flags"] == []
    assert {feature["family"] for feature in found["features"]} <= {
        "hog", "colour", "radial", "shape", "fourier", "morphology",
    }  # fmt: skip
    assert "training galaxies of" in page.read_text()


def test_an_unreadable_image_is_left_out(galfeat, folders, tmp_path):
    for path in sorted(folders[0].glob("*.png"))[:4]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    ran = galfeat("drift", tmp_path, folders[1], "--jobs", 1, code=3)
    assert "A: 4 images" in ran.stdout
    assert "broken.png" in ran.stderr


@pytest.mark.parametrize("kind", ["missing", "empty", "single", "table", "output"])
def test_errors_are_one_line(galfeat, folders, tmp_path, kind):
    output = tmp_path / "page.html"
    if kind == "missing":
        b = tmp_path / "none.h5"
    elif kind == "empty":
        b = tmp_path / "empty"
        b.mkdir()
    elif kind == "single":
        b = folders[0] / "0.png"
    elif kind == "table":
        b = tmp_path / "features.npz"
        np.savez(b, digests=np.zeros((1, 16), np.uint8), flags=np.array([""]))
    else:
        b, output = folders[1], tmp_path / "none" / "page.html"
    code = 7 if kind == "output" else 4
    failed = galfeat("drift", folders[0], b, "-o", output, "--jobs", 1, code=code)
    assert failed.stderr.count("galfeat: ") == 1
    assert "Traceback" not in failed.stderr
    assert not output.exists()
