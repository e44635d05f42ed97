"""``galfeat fit``: splits, scores and stored files."""

import json
from datetime import date

import h5py
import numpy as np
import pytest

from galfeat.evaluate.metrics import METRICS


def rows_of(folder):
    with np.load(folder / "rows.npz") as rows:
        return {name: {digest.tobytes() for digest in rows[name]} for name in rows}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "-o"),
        (["--cv", 3, "--test-size", 0.2], "--test-size and --cv"),
        (["--repeats", 3, "-o", "model"], "--repeats requires --cv"),
        (["--test-size", 1, "-o", "model"], "0<x<1"),
        (["--cv", 1], "x>=2"),
    ],
)
def test_incompatible_options_are_refused(galfeat, simulated, arguments, message):
    assert message in galfeat("fit", simulated, *arguments, code=2).stderr


def test_cross_validation_alone_prints_scores_and_writes_no_model(
    galfeat, simulated, quick_pipeline, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = galfeat("fit", simulated, "--pipeline", quick_pipeline, "--cv", 2, "--jobs", 2)
    for name in ["accuracy", "balanced accuracy", "macro-F1", "log loss", "calibration error"]:
        assert f"\n{name} " in result.stdout
    assert "no model was written" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_cross_validated_scores_are_stored_with_the_model(
    galfeat, simulated, quick_pipeline, tmp_path
):
    folder = tmp_path / "model"
    arguments = ["fit", simulated, "--pipeline", quick_pipeline, "-o", folder, "--jobs", 2]
    galfeat(*arguments, "--cv", 3, "--repeats", 2)
    scores = json.loads((folder / "metrics.json").read_text())["cross_validation"]
    for metric in METRICS:
        values = scores[metric]["values"]
        assert len(values) == 2
        assert scores[metric]["mean"] == pytest.approx(np.mean(values))
        assert scores[metric]["sd"] == pytest.approx(np.std(values, ddof=1))
    # Ten equally frequent classes: chance is 0.1.
    assert scores["balanced_accuracy"]["mean"] > 0.3
    assert len(rows_of(folder)["training"]) == 120


def test_held_out_rows_are_stratified_and_their_scores_are_stored(model):
    rows = rows_of(model)
    assert (len(rows["training"]), len(rows["held_out"])) == (90, 30)
    assert rows["training"] & rows["held_out"] == set()
    metrics = json.loads((model / "metrics.json").read_text())
    assert metrics["n"] == 30
    assert {scores["support"] for scores in metrics["per_class"].values()} == {3}


def test_equal_images_are_never_on_both_sides_of_a_split(
    galfeat, simulated, quick_pipeline, tmp_path
):
    with h5py.File(simulated) as file, h5py.File(tmp_path / "twice.h5", "w") as twice:
        twice["images"] = np.concatenate([file["images"][::2]] * 2)
        twice["ans"] = np.concatenate([file["ans"][::2]] * 2)
    folder = tmp_path / "model"
    arguments = ["fit", tmp_path / "twice.h5", "--pipeline", quick_pipeline, "-o", folder]
    galfeat(*arguments, "--test-size", 0.3, "--jobs", 1)
    rows = rows_of(folder)
    assert rows["training"] & rows["held_out"] == set()
    assert len(rows["training"] | rows["held_out"]) == 60


def test_unlabelled_rows_are_reported(galfeat, simulated, quick_pipeline, tmp_path):
    labels = np.arange(120) // 12
    labels[:7] = -1
    with h5py.File(simulated) as file, h5py.File(tmp_path / "some.h5", "w") as some:
        some["images"] = file["images"][:]
        some["kind"] = labels
    arguments = ["fit", tmp_path / "some.h5", "--label", "kind", "--pipeline", quick_pipeline]
    result = galfeat(*arguments, "--cv", 2, "--jobs", 1)
    assert "7 of 120 rows have no 'kind'" in result.stderr
    assert "113 galaxies" in result.stdout


def test_the_same_seed_gives_the_same_bits_for_any_number_of_jobs(
    galfeat, simulated, quick_pipeline, tmp_path
):
    outputs = []
    for jobs in (1, 2):
        folder = tmp_path / f"model {jobs}"
        arguments = ["fit", simulated, "--pipeline", quick_pipeline, "-o", folder]
        galfeat(*arguments, "--jobs", jobs, "--seed", 5)
        outputs.append(galfeat("classify", folder, simulated, "--jobs", jobs).stdout)
    assert outputs[0] == outputs[1]
    assert len(outputs[0].splitlines()) == 121


def test_an_existing_model_is_replaced(galfeat, simulated, quick_pipeline, tmp_path):
    folder = tmp_path / "model"
    arguments = ["fit", simulated, "--pipeline", quick_pipeline, "-o", folder, "--jobs", 1]
    first, second = (galfeat(*arguments, "--seed", seed) for seed in (1, 2))
    assert json.loads((folder / "manifest.json").read_text())["seed"] == 2
    assert list(tmp_path.iterdir()) == [folder]
    assert "replacing" not in first.stderr
    line = f"{folder} will be replaced: the model fitted on {date.today()} to 120 galaxies\n"
    assert second.stderr == line
    (folder / "manifest.json").write_text("{")
    assert f"{folder} will be replaced: a damaged model" in galfeat(*arguments).stderr
