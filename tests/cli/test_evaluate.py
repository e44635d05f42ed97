"""``galfeat evaluate``: the rows scored, and the output."""

import json

import h5py
import numpy as np
import pytest

from galfeat.data.simulation.simulator import simulate_file
from galfeat.model_io.rows import read_rows
from galfeat.model_io.shipped import DEFAULT

SCORES = {"accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece"}


@pytest.fixture(scope="module")
def new_galaxies(tmp_path_factory):
    """Simulated galaxies unseen by the model, 3 of each class."""
    path = tmp_path_factory.mktemp("new") / "new.h5"
    simulate_file(path, 30, seed=8, class_counts=[3] * 10)
    return path


def joined(path, *sources, **columns):
    """Write the images and classes of several files to one."""
    parts = {"images": [], "ans": []}
    for source in sources:
        with h5py.File(source) as file:
            names = file.attrs["class_names"]
            for name, arrays in parts.items():
                arrays.append(file[name][:])
    with h5py.File(path, "w") as file:
        file.attrs["class_names"] = names
        for name, arrays in parts.items():
            file[name] = np.concatenate(arrays)
        for name, values in columns.items():
            file[name] = values
    return path


def evaluated(galfeat, tmp_path, model, data, *options):
    """Evaluate a model; return the result of the command and the scores."""
    path = tmp_path / "scores.json"
    result = galfeat("evaluate", model, data, "--json", path, "--jobs", 1, *options)
    return result, json.loads(path.read_text())


def test_on_the_training_data_only_held_out_rows_are_scored(galfeat, model, simulated, tmp_path):
    result, scores = evaluated(galfeat, tmp_path, model, simulated)
    assert "the 30 of 120 galaxies that were held out" in result.stdout
    assert scores["n"] == 30
    # `galfeat fit` scored the same galaxies.
    assert scores == json.loads((model / "metrics.json").read_text())


def test_the_json_has_the_documented_keys(galfeat, model, new_galaxies, tmp_path):
    _, scores = evaluated(galfeat, tmp_path, model, new_galaxies)
    details = {"per_class", "confusion", "classes", "n", "alternative"}
    assert scores.keys() >= SCORES | details
    for name in SCORES:
        assert scores[name].keys() == {"value", "low", "high"}
        assert scores[name]["low"] <= scores[name]["value"] <= scores[name]["high"]
    assert scores["n"] == np.sum(scores["confusion"]) == 30
    assert list(scores["per_class"]) == scores["classes"]
    assert scores["alternative"].keys() >= {"accuracy", "balanced_accuracy", "macro_f1"}


def test_training_images_among_others_are_refused_with_their_count(
    galfeat, model, simulated, new_galaxies, tmp_path
):
    mixed = joined(tmp_path / "mixed.h5", simulated, new_galaxies)
    result = galfeat("evaluate", model, mixed, "--jobs", 1, code=4)
    assert "90 of 150 images" in result.stderr
    assert "--include-training" in result.stderr
    folder = tmp_path / "report"
    options = ("--include-training", "--report", folder)
    result, scores = evaluated(galfeat, tmp_path, model, mixed, *options)
    assert scores["n"] == 150
    caution = "90 of these 150 galaxies are training galaxies of the model: the scores are higher"
    assert scores["caution"].startswith(caution)
    assert result.stdout.startswith(f"caution: {caution}")
    assert (
        f'<p class="caution" role="note">{scores["caution"]}</p>'
        in (folder / "index.html").read_text()
    )


def test_scores_of_unseen_galaxies_carry_no_caution(galfeat, model, new_galaxies, tmp_path):
    options = ("--include-training", "--report", tmp_path / "report")
    result, scores = evaluated(galfeat, tmp_path, model, new_galaxies, *options)
    assert "caution" not in scores
    assert "caution" not in result.stdout
    assert 'class="caution"' not in (tmp_path / "report" / "index.html").read_text()


def test_other_images_of_training_galaxies_are_refused_too(galfeat, new_galaxies, tmp_path):
    listed = sorted(read_rows(DEFAULT).objects)[:4]
    names = np.array([*listed, *("new" + str(row) for row in range(26))], dtype=object)
    path = joined(tmp_path / "fetched.h5", new_galaxies, group_id=names)
    result = galfeat("evaluate", DEFAULT, path, "--label", "ans", "--jobs", 1, code=4)
    assert "4 of 30 images were used to fit this model, or show the same galaxy" in result.stderr


def test_an_unknown_class_is_refused_by_name(galfeat, model, new_galaxies, tmp_path):
    kinds = np.array(["quasar" if row == 4 else "Merging" for row in range(30)], dtype=object)
    path = joined(tmp_path / "other.h5", new_galaxies, kind=kinds)
    with h5py.File(path, "a") as file:
        del file.attrs["class_names"]
    result = galfeat("evaluate", model, path, "--label", "kind", code=4)
    assert "'quasar'" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_label_column_of_the_model_is_used(galfeat, model, new_galaxies, tmp_path):
    # `label` would be found first if the model did not name its own column.
    path = joined(tmp_path / "two.h5", new_galaxies, label=np.zeros(30, dtype=int))
    _, scores = evaluated(galfeat, tmp_path, model, path)
    assert {found["support"] for found in scores["per_class"].values()} == {3}


def test_scores_by_source(galfeat, model, new_galaxies, tmp_path):
    sources = np.array(["zoo"] * 20 + ["catalogue"] * 10, dtype=object)
    path = joined(tmp_path / "sources.h5", new_galaxies, source=sources)
    result, scores = evaluated(galfeat, tmp_path, model, path)
    assert {name: found["n"] for name, found in scores["sources"].items()} == {
        "zoo": 20,
        "catalogue": 10,
    }
    assert "catalogue" in result.stdout


def test_the_report_is_one_page_with_figures(galfeat, model, new_galaxies, tmp_path):
    folder = tmp_path / "report"
    result = galfeat("evaluate", model, new_galaxies, "--report", folder, "--jobs", 1)
    assert f"report: {folder / 'index.html'}" in result.stdout
    page = (folder / "index.html").read_text()
    assert [path.name for path in folder.iterdir()] == ["index.html"]
    assert page.count("data:image/") >= 30
    for phrase in ["radial", "colour", "fitted to the classes as collected"]:
        assert phrase in page


def test_ablation_is_printed_written_and_shown(galfeat, model, simulated, tmp_path):
    folder = tmp_path / "report"
    result, scores = evaluated(
        galfeat, tmp_path, model, simulated, "--ablation", "--report", folder
    )
    ablation = scores.pop("ablation")
    assert scores == json.loads((model / "metrics.json").read_text())
    assert set(ablation["lost_without"]) == {"colour", "radial"}
    assert (ablation["n"], ablation["n_training"]) == (30, 90)
    for lost in ablation["lost_without"].values():
        assert all(part["low"] < part["value"] < part["high"] for part in lost.values())
    assert "loss without" in result.stdout
    assert "Left out." in (folder / "index.html").read_text()
    _, same = evaluated(galfeat, tmp_path, model, simulated, "--ablation", "--jobs", 3)
    assert same["ablation"] == ablation


def test_ablation_requires_the_training_galaxies(galfeat, model, new_galaxies):
    result = galfeat("evaluate", model, new_galaxies, "--ablation", "--jobs", 1, code=4)
    assert "have 0 of the 90 galaxies the model was fitted to" in result.stderr
    assert "use the data set that was given to `galfeat fit`" in result.stderr
    assert result.stdout == ""


def test_ablation_is_not_scored_on_training_galaxies(galfeat, model, simulated):
    options = ("--ablation", "--include-training")
    result = galfeat("evaluate", model, simulated, *options, code=2)
    assert "omit --include-training" in result.stderr


@pytest.mark.parametrize("output", [["--json", "no/scores.json"], ["--report", "taken/report"]])
def test_an_unwritable_output_is_refused_early(
    galfeat, model, simulated, tmp_path, monkeypatch, output
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("precious")
    result = galfeat("evaluate", model, simulated, *output, "--jobs", 1, code=7)
    assert result.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
