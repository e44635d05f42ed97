"""``galfeat compare``: its output, and early errors."""

import csv
import json

import pytest


@pytest.fixture(scope="module")
def compared(galfeat, simulated, quick_pipeline, tmp_path_factory):
    """The output of a comparison of two pipelines, and its folder."""
    folder = tmp_path_factory.mktemp("compared") / "new" / "comparison"
    pipelines = f"{quick_pipeline},{quick_pipeline}+under"
    arguments = ["--pipelines", pipelines, "--folds", 2, "--repeats", 1, "-o", folder, "--jobs", 1]
    return galfeat("compare", simulated, *arguments).stdout, folder


def test_the_terminal_shows_scores_costs_and_the_difference(compared):
    text, folder = compared
    assert "120 galaxies in 10 classes, each predicted out of fold once" in text
    lines = [line.split()[0] for line in text.splitlines() if line]
    assert lines.count("quick") >= 2
    assert lines.count("quick+under") >= 2
    assert "ms per galaxy" in text
    assert f"page: {folder / 'compare.html'}" in text


def test_the_files_agree(compared):
    _, folder = compared
    found = json.loads((folder / "compare.json").read_text())
    rows = list(csv.DictReader((folder / "compare.csv").read_text().splitlines()))
    assert {row["pipeline"] for row in rows} == set(found["pipelines"]) == {"quick", "quick+under"}
    for row in rows:
        pipeline = found["pipelines"][row["pipeline"]]
        assert float(row["macro_f1"]) == pipeline["macro_f1"]["mean"]
        assert float(row["model_mb"]) == pipeline["costs"]["model_mb"]
    assert found["facts"]["Seed"] == "0"
    page = (folder / "compare.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "quick+under" in page


def test_the_output_folder_contains_results_and_caches(compared):
    _, folder = compared
    names = {path.name for path in folder.iterdir()}
    assert names == {"compare.csv", "compare.json", "compare.html", "checkpoints", "features"}


@pytest.mark.parametrize(
    ("pipelines", "code", "message"),
    [
        ("lightgbm,lightgbn", 5, "did you mean 'lightgbm'"),
        ("lightgbm,lightgbm", 5, "two pipelines are called 'lightgbm'"),
        ("hog-svm+smoth", 5, "did you mean 'smote'"),
        (" , ", 2, "at least one pipeline"),
    ],
)
def test_invalid_lists_of_pipelines(galfeat, simulated, tmp_path, pipelines, code, message):
    folder = tmp_path / "comparison"
    result = galfeat("compare", simulated, "--pipelines", pipelines, "-o", folder, code=code)
    assert message in result.stderr
    assert not folder.exists()


def test_too_many_folds_and_unwritable_outputs_are_refused_early(galfeat, simulated, tmp_path):
    arguments = ["compare", simulated, "--pipelines", "lightgbm"]
    result = galfeat(*arguments, "--folds", 13, "-o", tmp_path / "new", code=4)
    assert "a 13-fold split" in result.stderr
    assert not (tmp_path / "new").exists()
    (tmp_path / "compare.html").mkdir()
    assert "compare.html" in galfeat(*arguments, "-o", tmp_path, code=7).stderr
    (tmp_path / "file").write_text("precious")
    galfeat(*arguments, "-o", tmp_path / "file" / "inside", code=7)
