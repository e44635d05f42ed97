"""The options --coverage, --calibrate and --priors."""

import csv
import json

import h5py
import numpy as np
import pytest
from PIL import Image

from galfeat import load_model, open_dataset
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.simulation.simulator import GALAXY10_COUNTS, simulate_file
from galfeat.ensemble.population import estimated_priors
from galfeat.ensemble.prediction_table import set_note


def read_csv(text):
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """120 other simulated galaxies."""
    path = tmp_path_factory.mktemp("others") / "others.h5"
    simulate_file(path, 120, seed=8, class_counts=[12] * 10)
    return path


def test_sets_are_columns_and_their_calibration_is_printed(galfeat, model, others):
    result = galfeat("classify", model, others, "--coverage", 0.8, "--jobs", 1)
    rows = read_csv(result.stdout)
    assert list(rows[0])[:6] == ["id", "class", "probability", "most_probable", "set", "set_size"]
    for row in rows:
        names = row["set"].split(";")
        assert int(row["set_size"]) == len(names)
        assert {row["class"], row["most_probable"]} <= set(names) <= set(GALAXY10_DECALS)
    assert np.mean([row["true_class"] in row["set"].split(";") for row in rows]) > 0.7
    assert "prediction sets of 80 %, calibrated on 90 training galaxies, out of fold" in (
        result.stderr
    )
    assert "all classes share a threshold, so coverage by class may differ" in result.stderr
    plain = read_csv(galfeat("classify", model, others, "--jobs", 1).stdout)
    without = [{k: v for k, v in row.items() if k not in ("set", "set_size")} for row in rows]
    assert without == plain


def test_sets_do_not_depend_on_threads_or_format(galfeat, model, others, tmp_path):
    arguments = ["classify", model, others, "--coverage", 0.8]
    one = read_csv(galfeat(*arguments, "--jobs", 1).stdout)
    assert read_csv(galfeat(*arguments, "--jobs", 2).stdout) == one
    galfeat(*arguments, "--jobs", 1, "-o", tmp_path / "rows.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [(row["set"], str(row["set_size"])) for row in lines] == [
        (row["set"], row["set_size"]) for row in one
    ]


def test_labelled_galaxies_calibrate_sets_without_training_rows(
    galfeat, model, simulated, others, tmp_path
):
    """Of the calibration galaxies, 90 are training rows, and one is blank."""
    labelled = tmp_path / "labelled.npz"
    with h5py.File(simulated) as first, h5py.File(others) as second:
        images = np.concatenate([first["images"][:], second["images"][:]])
        labels = np.concatenate([first["ans"][:], second["ans"][:]])
    images[-1] = 20
    np.savez(labelled, images=images, ans=labels, class_names=GALAXY10_DECALS)
    arguments = ["classify", model, others, "--coverage", 0.8, "--jobs", 1]
    result = galfeat(*arguments, "--calibrate", labelled)
    assert "90 of 240 calibration images are training rows of this model" in result.stderr
    assert "1 of 150 calibration images have no class" in result.stderr
    assert "prediction sets of 80 %, calibrated on 149 labelled galaxies" in result.stderr
    kept = np.array([row["seen"] != "training" for row in read_csv(
        galfeat("classify", model, labelled, "--jobs", 1).stdout)])  # fmt: skip
    data = open_dataset(labelled).select(np.flatnonzero(kept))
    expected = load_model(model).with_calibration(data).classify(open_dataset(others))
    sets = [row["set"] for row in expected.with_sets(0.8).rows()]
    assert [row["set"] for row in read_csv(result.stdout)] == sets


def test_options_that_do_not_fit_together(galfeat, model, others):
    result = galfeat("classify", model, others, "--calibrate", others, code=2)
    assert "add --coverage" in result.stderr
    for coverage in ("0", "1", "nan", "90"):
        galfeat("classify", model, others, "--coverage", coverage, code=2)


def test_galaxies_that_cannot_calibrate(galfeat, model, simulated, others, tmp_path):
    arguments = ["classify", model, others, "--coverage", 0.8, "--jobs", 1, "--calibrate"]
    assert str(tmp_path / "none") in galfeat(*arguments, tmp_path / "none", code=4).stderr
    few = tmp_path / "few.npz"
    with h5py.File(others) as file:
        np.savez(few, images=file["images"][:3], ans=[0, 1, 2], class_names=GALAXY10_DECALS)
    result = galfeat(*arguments, few, code=4)
    assert "need at least 4 labelled galaxies, and there are 3" in result.stderr
    assert result.stdout == ""
    with h5py.File(others) as file:
        np.savez(few, images=file["images"][:3], ans=np.array(["comet"] * 3))
    assert "'comet'" in galfeat(*arguments, few, code=4).stderr
    training = tmp_path / "training.npz"
    seen = [row["seen"] == "training" for row in read_csv(
        galfeat("classify", model, simulated, "--jobs", 1).stdout)]  # fmt: skip
    with h5py.File(simulated) as file:
        np.savez(training, images=file["images"][:][seen], ans=file["ans"][:][seen],
                 class_names=GALAXY10_DECALS)  # fmt: skip
    result = galfeat(*arguments, training, code=4)
    assert "all 90 images in" in result.stderr
    assert "calibrate on galaxies it was not fitted to" in result.stderr


def test_a_model_without_out_of_fold_predictions_names_the_fix_before_it_measures(
    galfeat, simulated, quick_pipeline, tmp_path
):
    pipeline = tmp_path / "plain.toml"
    pipeline.write_text(quick_pipeline.read_text().replace(
        "[calibrate]", '[calibrate]\nmethod = "none"'))  # fmt: skip
    folder = tmp_path / "model"
    galfeat("fit", simulated, "--pipeline", pipeline, "-o", folder, "--jobs", 1)
    for verb in ("classify", "explain"):
        result = galfeat(verb, folder, simulated, "--coverage", 0.9, code=6)
        assert "refit it, or give labelled galaxies it was not fitted to" in result.stderr
        assert result.stderr.count("\n") == 1


def frequencies(path, values):
    path.write_text("class,count\n" + "".join(f"{k},{v}\n" for k, v in values.items()))
    return path


def test_class_frequencies_from_a_table(galfeat, model, others, tmp_path):
    counts = {name: number + 1 for number, name in enumerate(GALAXY10_DECALS)}
    table = frequencies(tmp_path / "survey.csv", counts)
    result = galfeat("classify", model, others, "--priors", table, "--jobs", 1)
    expected = load_model(model).with_priors(counts).classify(open_dataset(others))
    rows = read_csv(result.stdout)
    assert [float(row["p_Merging"]) for row in rows] == expected.probabilities[:, 1].tolist()
    assert [row["most_probable"] for row in rows] == [
        GALAXY10_DECALS[code] for code in expected.most_probable
    ]
    (line,) = [line for line in result.stderr.splitlines() if "class frequencies" in line]
    assert f"of {table}, divided by their sum, 55: Disturbed 0.0182, Merging 0.0364" in line


def test_the_published_class_frequencies(galfeat, model, others):
    result = galfeat("classify", model, others, "--priors", "galaxy10", "--jobs", 1)
    expected = load_model(model).with_priors(GALAXY10_COUNTS).classify(open_dataset(others))
    rows = read_csv(result.stdout)
    assert [float(row["p_Merging"]) for row in rows] == pytest.approx(expected.probabilities[:, 1])
    assert "class frequencies of galaxy10" in result.stderr
    both = galfeat(
        "classify", model, others, "--priors", "galaxy10", "--coverage", 0.8, "--jobs", 1
    )
    sets = [row["set"] for row in expected.with_sets(0.8).rows()]
    assert [row["set"] for row in read_csv(both.stdout)] == sets


def test_the_class_frequencies_of_the_images_are_estimated(galfeat, model, others, tmp_path):
    with h5py.File(others) as file:  # only smooth galaxies
        np.savez(tmp_path / "smooth.npz", images=file["images"][24:60])
    result = galfeat(
        "classify", model, tmp_path / "smooth.npz", "--priors", "estimate", "--jobs", 1
    )
    before = load_model(model).classify(open_dataset(tmp_path / "smooth.npz"))
    estimate = estimated_priors(before.probabilities, before.priors)
    assert estimate[2:5].sum() > 0.8
    assert "class frequencies estimated from 36 galaxies: Disturbed" in result.stderr
    expected = before.with_priors(estimate)
    rows = read_csv(result.stdout)
    assert [float(row["probability"]) for row in rows] == [
        row["probability"] for row in expected.rows()
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"spiral": 1}, "class frequencies are given for 'spiral'"),
        (dict.fromkeys(GALAXY10_DECALS[1:], 1), "class 'Disturbed' has no frequency"),
        (dict.fromkeys(GALAXY10_DECALS, -1), "'Disturbed' is -1.0; expected a number"),
        (dict.fromkeys(GALAXY10_DECALS, ""), "'Disturbed' is nan; expected a number"),
        (dict.fromkeys(GALAXY10_DECALS, 0), "all class frequencies are 0"),
    ],
)
@pytest.mark.parametrize("verb", ["classify", "explain"])
def test_tables_that_do_not_fit_are_one_line(
    verb, values, message, galfeat, model, others, tmp_path
):
    table = frequencies(tmp_path / "survey.csv", values)
    result = galfeat(verb, model, others, "--priors", table, code=4)
    assert message in result.stderr
    assert "survey.csv" in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize("verb", ["explain", "evaluate"])
def test_only_classify_estimates_class_frequencies(verb, galfeat, model, others):
    result = galfeat(verb, model, others, "--priors", "estimate", code=2)
    assert "--priors estimate is an option of galfeat classify" in result.stderr


def test_other_words_are_files(galfeat, model, others):
    for verb in ("classify", "explain"):
        result = galfeat(verb, model, others, "--priors", "galaxy11", code=4)
        assert "galaxy11 has an unknown format; expected a table" in result.stderr


def test_scores_with_other_class_frequencies(galfeat, model, others, tmp_path):
    counts = {name: number + 1 for number, name in enumerate(GALAXY10_DECALS)}
    table = frequencies(tmp_path / "survey.csv", counts)
    results = {}
    for name, options in (("as fitted", []), ("moved", ["--priors", table])):
        path = tmp_path / f"{name}.json"
        result = galfeat("evaluate", model, others, "--json", path, "--jobs", 1, *options)
        results[name] = json.loads(path.read_text())
    assert "class frequencies of" in result.stderr
    assert "priors" not in results["as fitted"]  # those of the model's manifest
    assert results["moved"]["priors"]["Merging"] == pytest.approx(2 / 55)
    # The galaxies are equally frequent, so other frequencies make the probabilities worse.
    losses = [results[name]["log_loss"]["value"] for name in ("as fitted", "moved")]
    assert losses[0] < losses[1]
    result = galfeat("evaluate", model, others, "--ablation", "--priors", table, code=2)
    assert "omit --priors" in result.stderr


@pytest.fixture
def picture(others, tmp_path):
    with h5py.File(others) as file:
        Image.fromarray(file["images"][60]).save(tmp_path / "galaxy.png")
    return tmp_path / "galaxy.png"


def test_explanations_show_the_set(galfeat, model, picture, tmp_path):
    arguments = ["explain", model, picture, "--jobs", 1, "-o", tmp_path / "why"]
    result = galfeat(*arguments, "--coverage", 0.8)
    explained = json.loads((tmp_path / "why" / "galaxy.json").read_text())
    (row,) = read_csv(galfeat("classify", model, picture, "--coverage", 0.8, "--jobs", 1).stdout)
    assert explained["set"] == row["set"].split(";")
    assert explained["coverage"] == 0.8
    assert explained["set_calibration"] == {
        "galaxies": 90, "out_of_fold": True, "shared_threshold": list(GALAXY10_DECALS),
    }  # fmt: skip
    note = set_note(explained["set"], len(GALAXY10_DECALS), 0.8)
    assert f"  {note}" in result.stdout.splitlines()
    galfeat(*arguments)
    explained = json.loads((tmp_path / "why" / "galaxy.json").read_text())
    assert (explained["set"], explained["coverage"]) == (None, None)
    assert "set_calibration" not in explained


def test_explanations_with_other_class_frequencies_add_up(galfeat, model, picture, tmp_path):
    counts = {name: number + 1 for number, name in enumerate(GALAXY10_DECALS)}
    table = frequencies(tmp_path / "survey.csv", counts)
    galfeat("explain", model, picture, "--priors", table, "--jobs", 1, "-o", tmp_path / "why")
    explained = json.loads((tmp_path / "why" / "galaxy.json").read_text())
    (row,) = read_csv(galfeat("classify", model, picture, "--priors", table, "--jobs", 1).stdout)
    assert explained["probabilities"]["Merging"] == pytest.approx(float(row["p_Merging"]))
    assert explained["priors"]["Merging"] == pytest.approx(2 / 55)
    total = explained["start"] + sum(reason["added"] for reason in explained["reasons"])
    assert total == pytest.approx(explained["score"], abs=1e-3)
    gone = frequencies(tmp_path / "gone.csv", counts | {"Merging": 0})
    result = galfeat("explain", model, picture, "--priors", gone, "--jobs", 1, code=4)
    assert "has a frequency of 0" in result.stderr
    row = read_csv(galfeat("classify", model, picture, "--priors", gone, "--jobs", 1).stdout)[0]
    assert float(row["p_Merging"]) == 0
