"""``galfeat classify``: the rows and columns of the output."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
import h5py
import joblib

model = joblib.load(sys.argv[1])
with h5py.File(sys.argv[2]) as file:
    print(*model.predict(file["images"][:5]), sep="\\n")
"""


def read_csv(text):
    return list(csv.DictReader(text.splitlines()))


def test_the_columns_and_their_order(galfeat, model, simulated):
    rows = read_csv(galfeat("classify", model, simulated, "--jobs", 1).stdout)
    probabilities = [f"p_{name}" for name in GALAXY10_DECALS]
    assert list(rows[0]) == [
        *["id", "class", "probability", "most_probable"],
        *probabilities,
        *["true_class", "seen", "unlike_training", "other_survey", "point_like"],
        *["flags", "error"],
    ]
    assert [row["id"] for row in rows] == [str(number) for number in range(120)]
    for row in rows:
        chances = {name: float(row[f"p_{name}"]) for name in GALAXY10_DECALS}
        assert sum(chances.values()) == pytest.approx(1)
        assert float(row["probability"]) == chances[row["class"]]
        assert row["most_probable"] == max(chances, key=chances.get)
    assert [row["true_class"] for row in rows] == list(np.repeat(GALAXY10_DECALS, 12))
    assert np.mean([row["class"] == row["true_class"] for row in rows]) > 0.5


def test_a_stratified_sample_depends_only_on_the_seed(galfeat, model, simulated):
    arguments = ["classify", model, simulated, "--per-class", 2]
    first = read_csv(galfeat(*arguments, "--jobs", 1).stdout)
    names, counts = np.unique([row["true_class"] for row in first], return_counts=True)
    assert dict(zip(names, counts, strict=True)) == dict.fromkeys(GALAXY10_DECALS, 2)
    assert read_csv(galfeat(*arguments, "--jobs", 2).stdout) == first
    assert read_csv(galfeat(*arguments, "--seed", 1).stdout) != first


def test_training_rows_are_marked_and_left_out(galfeat, model, simulated):
    result = galfeat("classify", model, simulated, "--jobs", 1)
    rows = read_csv(result.stdout)
    held_out = [row for row in rows if not row["seen"]]
    assert [row["seen"] for row in rows].count("training") == 90
    line = "90 of 120 images are training rows of this model; --held-out leaves them out\n"
    assert line in result.stderr
    rest = galfeat("classify", model, simulated, "--held-out", "--jobs", 1)
    assert read_csv(rest.stdout) == held_out
    assert "90 of 120 images are training rows of this model and are left out" in rest.stderr
    assert "--held-out" not in rest.stderr
    sample = ["classify", model, simulated, "--held-out", "--per-class", 2, "--jobs", 1]
    drawn = read_csv(galfeat(*sample).stdout)
    assert len(drawn) == 20
    assert all(row in held_out for row in drawn)


def test_unseen_and_unreadable_images_are_kept_when_training_rows_are_left_out(
    galfeat, model, files
):
    result = galfeat("classify", model, *files, "--held-out", "--jobs", 1, code=3)
    rows = read_csv(result.stdout)
    everything = read_csv(galfeat("classify", model, *files, "--jobs", 1, code=3).stdout)
    assert rows == [row for row in everything if not row["seen"]]
    assert str(files[1]) in [row["id"] for row in rows]


def test_only_training_rows_leave_nothing_to_classify(galfeat, simulated, quick_pipeline, tmp_path):
    folder = tmp_path / "model"
    galfeat("fit", simulated, "--pipeline", quick_pipeline, "-o", folder, "--jobs", 1)
    result = galfeat("classify", folder, simulated, "--held-out", "--jobs", 1, code=4)
    assert "all 120 images are training rows of this model" in result.stderr
    assert result.stdout == ""


def test_jsonl_and_csv_agree(galfeat, model, simulated, tmp_path):
    arguments = ["classify", model, simulated, "--per-class", 1, "--jobs", 1, "-o"]
    galfeat(*arguments, tmp_path / "rows.csv")
    galfeat(*arguments, tmp_path / "rows.jsonl")
    lines = (tmp_path / "rows.jsonl").read_text().splitlines()
    objects = [json.loads(line) for line in lines]
    texts = read_csv((tmp_path / "rows.csv").read_text())
    assert [list(row) for row in objects] == [list(row) for row in texts]
    for row, text in zip(objects, texts, strict=True):
        assert row["error"] is None
        assert {key: "" if value is None else str(value) for key, value in row.items()} == text


@pytest.fixture
def files(simulated, tmp_path):
    """Three image files, the second one corrupt."""
    paths = []
    with h5py.File(simulated) as file:
        for number in range(3):
            paths.append(tmp_path / f"{number}.png")
            Image.fromarray(file["images"][number]).save(paths[-1])
    paths[1].write_bytes(b"no picture")
    return paths


def test_image_files_with_a_corrupt_one(galfeat, model, files, simulated):
    result = galfeat("classify", model, *files, "--jobs", 1, code=3)
    rows = read_csv(result.stdout)
    assert [row["id"] for row in rows] == [str(path) for path in files]
    assert rows[1]["error"]
    assert all(not rows[1][column] for column in rows[1] if column not in ("id", "error"))
    assert "1 of 3 images failed" in result.stderr
    # PNG is lossless, so the predictions equal those for the HDF5 file.
    same = read_csv(galfeat("classify", model, simulated, "--jobs", 1).stdout)
    for number in (0, 2):
        assert rows[number]["true_class"] == ""
        expected = same[number] | {"id": str(files[number]), "true_class": ""}
        assert rows[number] == expected


def test_an_image_without_a_source_has_no_class_in_any_format(galfeat, model, files, tmp_path):
    Image.fromarray(np.full((80, 80, 3), 20, np.uint8)).save(files[1])
    result = galfeat("classify", model, *files, "--jobs", 1)
    row = read_csv(result.stdout)[1]
    assert row == dict.fromkeys(row, "") | {"id": str(files[1]), "flags": "no_source"}
    assert "1 of 3 images have no class, because no galaxy stands out" in result.stderr
    assert "may show no galaxy" not in result.stderr
    galfeat("classify", model, *files, "--jobs", 1, "-o", tmp_path / "rows.jsonl")
    line = json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[1])
    assert line == dict.fromkeys(line) | {"id": str(files[1]), "flags": "no_source"}


def test_classes_that_are_not_the_most_probable_ones_are_counted(galfeat, undecided):
    result = galfeat("classify", "simulated", *undecided, "--jobs", 1)
    rows = read_csv(result.stdout)
    assert [row["class"] == row["most_probable"] for row in rows] == [True, False]
    assert "1 of 2 images have a class that is not the most probable one" in result.stderr
    assert "the decision rule (tempered)" in result.stderr


def test_a_pattern_finds_files_in_order(galfeat, model, files):
    files[1].unlink()
    rows = read_csv(galfeat("classify", model, files[0].parent / "*.png").stdout)
    assert [row["id"] for row in rows] == [str(files[0]), str(files[2])]


@pytest.fixture
def relabelled(simulated, tmp_path):
    """Return a maker of files of simulated galaxies with different class columns."""

    def make(**columns):
        path = tmp_path / "relabelled.npz"
        with h5py.File(simulated) as file:
            np.savez(path, images=file["images"][::12], **columns)
        return path

    return make


def test_a_guessed_column_is_used_only_if_all_its_classes_are_the_models(
    galfeat, model, relabelled
):
    # The model was fitted to 'ans'.
    path = relabelled(label=np.array(GALAXY10_DECALS))
    result = galfeat("classify", model, path, "--jobs", 1)
    assert [row["true_class"] for row in read_csv(result.stdout)] == list(GALAXY10_DECALS)
    seen = "5 of 10 images are training rows of this model; --held-out leaves them out\n"
    assert result.stderr == seen
    path = relabelled(label=np.array([*GALAXY10_DECALS[:-1], "comet"]))
    result = galfeat("classify", model, path, "--jobs", 1)
    assert [row["true_class"] for row in read_csv(result.stdout)] == [""] * 10
    assert result.stderr.startswith("true_class is left empty: 'label' holds 'comet'")
    assert result.stderr.count("\n") == 2
    assert result.stderr.endswith(f"\n{seen}")
    result = galfeat("classify", model, path, "--label", "label", "--jobs", 1)
    assert read_csv(result.stdout)[-1]["true_class"] == "comet"


def test_the_column_of_the_model_has_priority(galfeat, model, relabelled):
    path = relabelled(label=np.arange(10) % 2, ans=np.arange(10), class_names=GALAXY10_DECALS)
    rows = read_csv(galfeat("classify", model, path, "--jobs", 1).stdout)
    assert [row["true_class"] for row in rows] == list(GALAXY10_DECALS)


def test_a_stratified_sample_requires_classes(galfeat, model, files):
    result = galfeat("classify", model, *files, "--per-class", 1, code=4)
    assert "--label" in result.stderr


def test_an_unknown_output_format_is_refused_early(galfeat, model, simulated, tmp_path):
    result = galfeat("classify", model, simulated, "-o", tmp_path / "out.xlsx", code=2)
    assert ".csv or .jsonl" in result.stderr


def test_a_script_loads_the_model_despite_modules_of_the_same_names(
    galfeat, model, simulated, tmp_path
):
    for name in ["models", "pipelines"]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not galfeat')")
    (tmp_path / "cli.py").write_text("raise RuntimeError('not galfeat')")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(model / "model.joblib"), str(simulated)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    rows = read_csv(galfeat("classify", model, simulated, "--jobs", 1).stdout)
    assert done.stdout.splitlines() == [row["class"] for row in rows[:5]]
