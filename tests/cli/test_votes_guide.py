"""From a table of votes to a model fitted to its fractions, by the commands of the guide."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from galfeat import load_model
from galfeat.data.catalogue import vote_scheme
from galfeat.data.simulation import simulate

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "votes.md"
#: Answers that lead to each class, by question.
PATHS = {
    "Round Smooth": {"smooth": "smooth", "rounded": "round"},
    "Cigar Shaped Smooth": {"smooth": "smooth", "rounded": "cigar"},
    "Unbarred Tight Spiral": {
        **{"smooth": "featured", "edge-on": "no", "bar": "no", "spiral": "yes"},
        "winding": "tight",
    },
}
VOLUNTEERS = 40


def votes_of(name, share, other):
    """Return counts by question and answer, of volunteers divided between two classes."""
    counts = {question: {"none": VOLUNTEERS} for question in ("odd-feature", "merging")}
    counts["odd"] = {"no": VOLUNTEERS}
    for number, path in ((share, PATHS[name]), (VOLUNTEERS - share, PATHS[other])):
        for question, answer in path.items():
            given = counts.setdefault(question, {})
            given[answer] = given.get(answer, 0) + number
    return counts


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table of votes and a folder of cut-outs, 16 of each of three classes and one unknown."""
    folder = tmp_path_factory.mktemp("votes")
    images = folder / "cutouts" / "images"
    images.mkdir(parents=True)
    classes = [0, 0, 16, 0, 16, 0, 16, 0, 0, 0]
    rng, names, rows = np.random.default_rng(0), list(PATHS), []
    for row, image in enumerate(simulate(48, seed=4, class_counts=classes).images):
        Image.fromarray(image).save(images / f"J{row}.jpg", quality=95)
        name = names[row // 16]
        other = names[(row // 16 + 1 + row % 2) % 3]
        rows.append(votes_of(name, int(rng.integers(22, 40)), other))
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(images / "J48.jpg")
    rows.append({})
    columns = {
        column: [galaxy.get(question.name, {}).get(answer, 0) * (not number) for galaxy in rows]
        for question in vote_scheme("gz-decals").questions.values()
        for answer, columns in question.columns[0].items()
        for number, column in enumerate(columns)  # all votes are in the first of several
    }
    lines = [",".join(["iauname", *columns])]
    lines += [
        ",".join([f"J{row}", *map(str, counts)])
        for row, counts in enumerate(zip(*columns.values(), strict=True))
    ]
    (folder / "votes.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def run_guide(galfeat, folder):
    """The results of the commands of the guide, by command."""
    section = GUIDE.read_text("utf-8").split("## From a vote table to a model")[1]
    commands = re.search(r"```\n(.*?)```", section, re.DOTALL)[1].splitlines()
    results = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in commands:
            program, verb, *arguments = shlex.split(command)
            assert program == "galfeat"
            results[verb] = galfeat(verb, *arguments)
    return results


def test_the_model_is_fitted_to_the_fractions(run_guide, folder):
    assert list(run_guide) == ["data", "fit", "evaluate"]
    manifest = json.loads((folder / "mymodel" / "manifest.json").read_text())
    assert manifest["soft_labels"] is True
    assert set(manifest["classes"]) >= set(PATHS)
    assert manifest["n_training"] + manifest["n_held_out"] == 48
    assert "by fractions of votes" in run_guide["fit"].stdout
    card = (folder / "mymodel" / "README.md").read_text()
    assert "by the fractions of volunteers' votes" in card
    # Galaxies of two classes have the votes of both: the priors are means of fractions.
    assert max(manifest["priors"]) < 0.45


def test_the_scores_agree_in_text_json_and_report(run_guide, folder):
    scores = json.loads((folder / "scores.json").read_text())
    stored = json.loads((folder / "mymodel" / "metrics.json").read_text())
    assert scores == stored
    votes = scores["vote_fractions"]
    assert votes["galaxies"] == scores["n"]
    assert votes["scores"]["excess"]["value"] < 0.6
    page = (folder / "report" / "index.html").read_text()
    text = run_guide["evaluate"].stdout
    for interval in votes["scores"].values():
        assert f"{interval['value']:.3f}" in text
        assert f"<td>{interval['value']:.3f}</td>" in page
    note = "The true class is the one with the most votes. Log loss and calibration error compare"
    assert text.count(note) == page.count(note) == 1
    assert "<dd>the class with the most votes</dd>" in page
    assert "no galaxy was repeated" not in page
    assert "each galaxy counts in several classes" in page
    card = (folder / "mymodel" / "README.md").read_text()
    assert note in card
    excess = votes["scores"]["excess"]["value"]
    assert f"| excess over the entropy of the votes | {excess:.3f} (" in card


def test_a_model_fitted_to_votes_is_not_scored_by_labels_without_a_caution(
    galfeat, run_guide, folder, tmp_path
):
    data = folder / "cutouts"
    options = ["--json", tmp_path / "scores.json", "--report", tmp_path / "report", "--jobs", 1]
    galfeat("evaluate", folder / "mymodel", data, "--include-training", *options)
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert "use --soft to score it against fractions" in scores["caution"]
    assert "training galaxies" in scores["caution"]
    assert scores["caution"] in (tmp_path / "report" / "index.html").read_text()
    refused = galfeat("evaluate", folder / "mymodel", data, "--ablation", code=2)
    assert "was fitted to fractions of votes, and --ablation refits to labels" in refused.stderr


def test_probabilities_follow_the_votes_rather_than_the_class(run_guide, folder):
    model = load_model(folder / "mymodel")
    predictions = model.classify(folder / "cutouts" / "images")
    assert predictions.without_source.sum() == 1
    # 22 to 39 of 40 volunteers agree, so a calibrated model is rarely certain.
    largest = predictions.probabilities[~predictions.without_source].max(axis=1)
    assert 0.4 < np.median(largest) < 0.95


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "--soft", "--cv", 3], "--soft and --cv are mutually exclusive"),
        (["fit", "--soft", "--label", "x", "-o", "m"], "--soft and --label are mutually exclusive"),
        (["evaluate", "simulated", "--soft", "--label", "x"], "--soft and --label are mutually"),
        (["evaluate", "simulated", "--soft", "--ablation"], "--soft and --ablation are mutually"),
    ],
)
def test_options_that_exclude_soft_labels(galfeat, simulated, arguments, message):
    verb, *rest = arguments
    model = [rest.pop(0)] if verb == "evaluate" else []
    assert message in galfeat(verb, *model, simulated, *rest, code=2).stderr


def test_a_pipeline_that_draws_rows_is_refused_early(galfeat, run_guide, folder, tmp_path):
    arguments = ["fit", folder / "cutouts", "--soft", "--pipeline", "lightgbm+smote"]
    result = galfeat(*arguments, "-o", tmp_path / "model", code=5)
    assert "soft labels take 'none' or 'class-weight'" in result.stderr
    assert not (tmp_path / "model").exists()


def test_a_table_without_fractions(galfeat, simulated, tmp_path):
    (tmp_path / "labels.csv").write_text("filename,label\na.jpg,spiral\n")
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "a.jpg")
    result = galfeat("fit", tmp_path, "--soft", "-o", tmp_path / "model", code=4)
    assert "0 columns 'p_CLASS'" in result.stderr
    assert "galfeat data label-votes" in result.stderr
    (tmp_path / "labels.csv").write_text("filename,p_disc,p_smooth\na.jpg,,\n")
    result = galfeat("fit", tmp_path, "--soft", "-o", tmp_path / "model", code=4)
    assert "none of the 1 rows" in result.stderr
