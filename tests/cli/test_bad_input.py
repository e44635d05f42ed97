"""Bad input results in one line on stderr, an exit code and no damaged files."""

import csv
import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image


def assert_one_line(result, *phrases):
    """Assert that stderr is a single line of galfeat that contains the phrases."""
    assert result.stderr.startswith("galfeat: ")
    assert result.stderr.count("\n") == 1
    for phrase in phrases:
        assert phrase in result.stderr


def write_h5(path, images, **columns):
    with h5py.File(path, "w") as file:
        file["images"] = images
        for name, values in columns.items():
            file[name] = values
    return path


def some_images(n, seed=0):
    return np.random.default_rng(seed).integers(0, 99, (n, 64, 64, 3), dtype=np.uint8)


@pytest.fixture
def class_folders(tmp_path):
    """Two classes of three JPEG files each."""
    for number, image in enumerate(some_images(6)):
        folder = tmp_path / "folders" / ["spiral", "smooth"][number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.jpg")
    return tmp_path / "folders"


@pytest.mark.parametrize("verb", ["fit", "extract", "classify", "data info"])
def test_missing_input(galfeat, model, tmp_path, verb):
    arguments = {
        "fit": ["fit", tmp_path / "no", "--cv", 2],
        "extract": ["extract", tmp_path / "no", "-o", tmp_path / "out.csv"],
        "classify": ["classify", model, tmp_path / "no"],
        "data info": ["data", "info", tmp_path / "no"],
    }
    assert_one_line(galfeat(*arguments[verb], code=4), str(tmp_path / "no"))
    assert list(tmp_path.iterdir()) == []


def test_unknown_format(galfeat, tmp_path):
    (tmp_path / "galaxies.doc").write_text("spiral")
    assert_one_line(galfeat("fit", tmp_path / "galaxies.doc", "--cv", 2, code=4), "galaxies.doc")


def test_empty_folder(galfeat, tmp_path):
    assert_one_line(galfeat("fit", tmp_path, "--cv", 2, code=4), str(tmp_path))


def test_missing_label_column(galfeat, simulated, tmp_path):
    result = galfeat("fit", simulated, "--label", "anz", "-o", tmp_path / "m", code=4)
    assert_one_line(result, "'anz'", "did you mean 'ans'")
    assert not (tmp_path / "m").exists()


def test_a_guessed_label_column_without_classes_is_ignored(galfeat, model, tmp_path):
    path = write_h5(tmp_path / "odd.h5", some_images(3), y=[0.5, 1.0, 2.0])
    commands = {
        "classify": ["classify", model, path, "-o", tmp_path / "classify.csv"],
        "extract": ["extract", path, "-o", tmp_path / "extract.csv"],
    }
    for verb, arguments in commands.items():
        stderr = galfeat(*arguments, "--jobs", 1).stderr
        assert stderr.startswith(
            "galfeat: warning: continuing without labels: column 'y' contains 0.5"
        )
        # classify also reports that two contain no source, and that the third is no galaxy and
        # from another survey.
        assert stderr.count("\n") == {"classify": 4, "extract": 1}[verb]
        named = galfeat(*arguments, "--label", "y", code=4)
        assert_one_line(named, "'y' contains 0.5")
        column = {"classify": "true_class", "extract": "class"}[verb]
        with (tmp_path / f"{verb}.csv").open(newline="") as file:
            assert [row[column] for row in csv.DictReader(file)] == [""] * 3
    assert "--label" in galfeat("fit", path, "--cv", 2, code=4).stderr


def test_no_labels_at_all(galfeat, tmp_path):
    path = write_h5(tmp_path / "bare.h5", some_images(4))
    assert_one_line(galfeat("fit", path, "--cv", 2, code=4), "--label")


@pytest.mark.parametrize("how", [["--cv", 2], ["--test-size", 0.5, "-o", "m"], ["-o", "m"]])
def test_one_class_only(galfeat, tmp_path, monkeypatch, how):
    monkeypatch.chdir(tmp_path)
    path = write_h5(tmp_path / "one.h5", some_images(6), label=np.zeros(6, dtype=int))
    assert_one_line(galfeat("fit", path, *how, "--jobs", 1, code=4), "one class")
    assert not (tmp_path / "m").exists()


def test_a_class_with_fewer_rows_than_folds(galfeat, tmp_path):
    path = write_h5(tmp_path / "few.h5", some_images(9), label=np.array([0] * 6 + [1] * 3))
    assert_one_line(galfeat("fit", path, "--cv", 5, "--jobs", 1, code=4), "'1' has 3 rows", "5")


def test_truncated_hdf5(galfeat, simulated, tmp_path):
    whole = simulated.read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    assert_one_line(galfeat("fit", tmp_path / "cut.h5", "--cv", 2, code=4), "cut.h5")


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((4, 64), dtype=np.uint8),
        np.zeros((4, 64, 64, 7), dtype=np.uint8),
        np.zeros((4, 64, 64, 3), dtype=np.complex64),
        np.full((4, 64, 64, 3), np.nan, dtype=np.float32),
        np.zeros((0, 64, 64, 3), dtype=np.uint8),
    ],
    ids=["two axes", "seven bands", "complex", "NaN", "no image"],
)
def test_images_of_wrong_shape_type_or_value(galfeat, tmp_path, images):
    np.savez(tmp_path / "odd.npz", images=images, label=np.arange(len(images)) % 2)
    assert_one_line(galfeat("fit", tmp_path / "odd.npz", "--cv", 2, "--jobs", 1, code=4))


def test_a_pipeline_that_does_not_exist(galfeat, simulated):
    result = galfeat("fit", simulated, "--pipeline", "lightgmb", "--cv", 2, code=5)
    assert_one_line(result, "'lightgmb'", "'lightgbm'")


def test_a_corrupt_jpeg_affects_only_its_row(galfeat, model, class_folders):
    broken = class_folders / "spiral" / "0.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    result = galfeat("classify", model, class_folders, "--jobs", 1, code=3)
    rows = {row["id"]: row for row in csv.DictReader(result.stdout.splitlines())}
    assert len(rows) == 6
    bad = rows.pop(str(broken))
    assert bad["error"]
    assert (bad["class"], bad["probability"]) == ("", "")
    assert not any(row["error"] for row in rows.values())
    assert any(row["class"] for row in rows.values())
    for row in rows.values():
        assert bool(row["class"]) == ("no_source" not in row["flags"])


def test_a_corrupt_jpeg_is_skipped_by_fit_and_reported(
    galfeat, class_folders, quick_pipeline, tmp_path
):
    (class_folders / "smooth" / "9.jpg").write_bytes(b"\xff\xd8\xff")
    folder = tmp_path / "model"
    arguments = ["fit", class_folders, "--pipeline", quick_pipeline, "-o", folder, "--jobs", 1]
    assert "smooth/9.jpg" in galfeat(*arguments, code=3).stderr
    assert json.loads((folder / "manifest.json").read_text())["n_training"] == 6


@pytest.mark.parametrize("verb", ["fit", "extract", "classify", "evaluate"])
def test_output_in_a_folder_that_does_not_exist(galfeat, model, simulated, tmp_path, verb):
    target = tmp_path / "no" / "out"
    arguments = {
        "fit": ["fit", simulated, "-o", target],
        "extract": ["extract", simulated, "-o", f"{target}.npz"],
        "classify": ["classify", model, simulated, "-o", f"{target}.csv"],
        "evaluate": ["evaluate", model, simulated, "--json", target, "--jobs", 1],
    }
    result = galfeat(*arguments[verb], code=7)
    assert_one_line(result, str(target), "No such file or directory")


def test_fit_does_not_replace_a_folder_that_is_not_a_model(galfeat, simulated, tmp_path):
    (tmp_path / "thesis.tex").write_text("all of it")
    assert_one_line(galfeat("fit", simulated, "-o", tmp_path, code=7), str(tmp_path))
    assert (tmp_path / "thesis.tex").read_text() == "all of it"


def copy_of(model, tmp_path):
    return Path(shutil.copytree(model, tmp_path / "copy"))


@pytest.mark.parametrize("name", ["model.joblib", "manifest.json", "rows.npz", "metrics.json"])
def test_a_damaged_model_file(galfeat, model, simulated, tmp_path, name):
    damaged = copy_of(model, tmp_path)
    contents = bytearray((damaged / name).read_bytes())
    contents[len(contents) // 2] ^= 1
    (damaged / name).write_bytes(contents)
    assert_one_line(galfeat("evaluate", damaged, simulated, code=6), str(damaged))


def test_a_model_of_another_version(galfeat, model, simulated, tmp_path):
    other = copy_of(model, tmp_path)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["schema"] = 99
    (other / "manifest.json").write_text(json.dumps(manifest))
    assert_one_line(galfeat("evaluate", other, simulated, code=6), "99")


def test_a_model_of_another_user_is_loaded_only_if_trusted(
    galfeat, model, simulated, tmp_path, monkeypatch
):
    monkeypatch.setenv("GALFEAT_HOME", str(tmp_path / "another user"))
    arguments = ["classify", model, simulated, "--per-class", 1, "--jobs", 1]
    assert_one_line(galfeat(*arguments, code=6), "--trust")
    galfeat(*arguments, "--trust")
    galfeat(*arguments)
