"""``galfeat benchmark``: its files agree, planted copies and conflicts are found, odd input."""

import base64
import csv
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.catalogue.galaxy10 import PUBLISHED as DATA_SETS
from galfeat.data.simulation.simulator import simulate_file
from galfeat.evaluate.benchmark import PUBLISHED
from galfeat.evaluate.metrics import METRICS

ROOT = Path(__file__).resolve().parents[2]
# An ONNX network from images, (n, 3, 224, 224), to their means in 4 × 4 squares, (n, 48).
NETWORK = (
    "CAk6ngEKRQoFaW1hZ2USBnBvb2xlZCILQXZlcmFnZVBvb2wqFQoMa2VybmVsX3NoYXBlQDhAOKABByoQCgdzdHJp"
    "ZGVzQDhAOKABBwoWCgZwb29sZWQSA291dCIHRmxhdHRlbhIBZ1oiCgVpbWFnZRIZChcIARITCgMSAW4KAggDCgMI"
    "4AEKAwjgAWIWCgNvdXQSDwoNCAESCQoDEgFuCgIIMEIECgAQEQ=="
)
COPIES = {300: 5, 301: 45, 302: 105}
CONFLICT, BLANK = (250, 303), 304


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """300 simulated galaxies, three copies, a copy of another class and a blank image."""
    folder = tmp_path_factory.mktemp("planted")
    simulate_file(folder / "galaxies.h5", 300, seed=11, class_counts=[30] * 10)
    with h5py.File(folder / "galaxies.h5") as file:
        images, classes = file["images"][:], file["ans"][:]
    rows = list(COPIES.values())
    copies = [images[rows[0]], images[rows[1]][::-1], images[rows[2]].transpose(1, 0, 2)]
    added = [*copies, images[CONFLICT[0]], np.full((256, 256, 3), 32, np.uint8)]
    labels = [*classes[rows], (classes[CONFLICT[0]] + 1) % 10, 0]
    path = folder / "planted.h5"
    with h5py.File(path, "w") as file:
        file["images"] = np.concatenate([images, added])
        file["ans"] = np.concatenate([classes, labels]).astype(np.uint8)
    return path


@pytest.fixture(scope="module")
def benchmarked(galfeat, planted, quick_pipeline, tmp_path_factory):
    """The output of a benchmark of two pipelines, and its folder."""
    folder = tmp_path_factory.mktemp("benchmarked") / "new" / "benchmark"
    pipelines = f"{quick_pipeline},{quick_pipeline}+under"
    arguments = ["--data", planted, "--pipelines", pipelines, "-o", folder, "--jobs", 1]
    return galfeat("benchmark", "galaxy10", *arguments).stdout, folder


def parts_of(folder):
    with open(folder / "split.csv", newline="") as file:
        return {int(row["id"]): row["part"] for row in csv.DictReader(file)}


def test_the_table_is_printed_and_agrees_with_the_json(benchmarked):
    text, folder = benchmarked
    written = (folder / "benchmark.txt").read_text()
    assert text.startswith(written)
    results = json.loads((folder / "benchmark.json").read_text())
    for name, scores in results["pipelines"].items():
        lines = [line.split() for line in written.splitlines() if line.startswith(f"{name} ")]
        by_score, costs = (line for line in lines if len(line) in (16, 3))
        assert by_score[1::3] == [f"{scores[metric]['value']:.3f}" for metric in METRICS]
        assert by_score[2] == "±"
        assert float(costs[1].replace(",", "")) == pytest.approx(
            scores["costs"]["fit_seconds"], abs=0.05
        )
        assert scores["accuracy"]["low"] <= scores["accuracy"]["value"]
    assert results["split"]["digest"] in text
    assert f"split {results['split']['digest'][:16]} (test size 0.2, seed 0)" in written
    curve = results["learning_curve"]
    assert [point["labels_per_class"] for point in curve] == [20, None]
    assert curve[-1]["pipelines"]["quick"]["log_loss"] == results["pipelines"]["quick"]["log_loss"]


def test_planted_copies_are_on_one_side_and_conflicts_and_blanks_on_neither(benchmarked):
    parts = parts_of(benchmarked[1])
    assert len(parts) == 305
    for copy, original in COPIES.items():
        assert parts[copy] == parts[original] != ""
    assert {parts[row] for row in CONFLICT} == {"with conflicting labels"}
    assert parts[BLANK] == "blank"
    results = json.loads((benchmarked[1] / "benchmark.json").read_text())
    assert results["split"]["left_out"] == {"with conflicting labels": 2, "blank": 1}
    assert results["split"]["n_test"] == list(parts.values()).count("test")
    assert results["split"]["n_training"] == list(parts.values()).count("train")
    assert results["n"] == results["split"]["n_test"]
    assert results["audit"]["conflicting labels"] == 2


def test_published_numbers_have_their_sources_everywhere(benchmarked):
    _, folder = benchmarked
    page, text = (folder / "benchmark.html").read_text(), (folder / "benchmark.txt").read_text()
    results = json.loads((folder / "benchmark.json").read_text())
    assert [score["accuracy"] for score in results["published"]["scores"]] == [
        score.accuracy for score in PUBLISHED
    ]
    assert {0.37, 0.82, 0.867, 0.870, 0.896} <= {score.accuracy for score in PUBLISHED}
    for score in PUBLISHED:
        assert score.source
        for written in (page, text):
            assert score.method in written
            assert score.source in written
            assert f"{score.accuracy:.3f}" in written
    for written in (page, text.replace("\n", " "), results["published"]["note"]):
        assert "has no official split" in written


def test_other_data_than_the_published_file_carry_a_caution(benchmarked, planted):
    _, folder = benchmarked
    page, text = (folder / "benchmark.html").read_text(), (folder / "benchmark.txt").read_text()
    results = json.loads((folder / "benchmark.json").read_text())
    for written in (page, " ".join(text.split()), results["published"]["caution"]):
        assert f"{planted} is not the published file Galaxy10_DECals.h5" in written


def test_unreadable_images_are_in_neither_part(galfeat, simulated, quick_pipeline, tmp_path):
    with h5py.File(simulated) as file:
        images, classes = file["images"][:], file["ans"][:]
    lines = ["filename,class"]
    for number, (image, label) in enumerate(zip(images, classes, strict=True)):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{GALAXY10_DECALS[label].upper()}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    (tmp_path / "7.png").write_bytes((tmp_path / "7.png").read_bytes()[:500])
    arguments = ["--data", tmp_path, "--label", "class", "--pipelines", quick_pipeline]
    result = galfeat("benchmark", "galaxy10", *arguments, "-o", tmp_path / "new", code=3)
    assert "1 of 120 images cannot be read" in result.stderr
    assert "7.png" in result.stderr
    results = json.loads((tmp_path / "new" / "benchmark.json").read_text())
    assert results["split"]["left_out"] == {"unreadable": 1}
    assert results["classes"] == list(GALAXY10_DECALS)
    assert results["audit"]["unreadable"] == 1


def test_the_page_has_curves_classes_and_the_split(benchmarked):
    page = (benchmarked[1] / "benchmark.html").read_text()
    results = json.loads((benchmarked[1] / "benchmark.json").read_text())
    assert page.startswith("<!DOCTYPE html>")
    assert "<script" not in page
    assert results["split"]["digest"] in page
    for text in ("Learning curves", "training galaxies", "quick+under", "Cigar Shaped Smooth"):
        assert text in page
    assert (benchmarked[1] / "audit.html").read_text().count("<figure") > 5


def test_a_second_run_writes_the_same_bytes(galfeat, benchmarked, planted, quick_pipeline):
    text, folder = benchmarked
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    pipelines = f"{quick_pipeline},{quick_pipeline}+under"
    arguments = ["--data", planted, "--pipelines", pipelines, "-o", folder, "--jobs", 2]
    assert galfeat("benchmark", "galaxy10", *arguments).stdout == text
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert after == before


def test_weights_add_a_pipeline_with_the_network(galfeat, simulated, quick_pipeline, tmp_path):
    arguments = ["--data", simulated, "--pipelines", quick_pipeline, "-o", tmp_path / "new"]
    (tmp_path / "text.onnx").write_text("no network")
    wrong = ["--weights", tmp_path / "text.onnx"]
    error = galfeat("benchmark", "galaxy10", *arguments, *wrong, code=6).stderr
    assert "onnxruntime cannot open" in error
    assert not (tmp_path / "new").exists()
    (tmp_path / "network.onnx").write_bytes(base64.b64decode(NETWORK))
    galfeat("benchmark", "galaxy10", *arguments, "--weights", tmp_path / "network.onnx")
    results = json.loads((tmp_path / "new" / "benchmark.json").read_text())
    assert list(results["pipelines"]) == ["quick", "transfer"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["galaxy11"], 2, "galaxy10"),
        (["galaxy10", "--pipelines", " , "], 2, "at least one pipeline"),
        (["galaxy10", "--pipelines", "lightgbn"], 5, "did you mean 'lightgbm'"),
        (["galaxy10", "--test-size", "1"], 2, "--test-size"),
        (["galaxy10", "--weights", "missing.onnx"], 2, "missing.onnx"),
        (["galaxy10", "--data", "missing.h5"], 4, "missing.h5"),
        (["galaxy10", "--data", __file__], 4, "test_benchmark.py"),
    ],
)
def test_wrong_usage(galfeat, tmp_path, arguments, code, message):
    result = galfeat("benchmark", *arguments, "-o", tmp_path / "new", code=code)
    assert message in result.stderr
    assert not (tmp_path / "new").exists()


def test_other_classes_are_named(galfeat, tmp_path):
    with h5py.File(tmp_path / "sdss.h5", "w") as file:
        file["images"] = np.zeros((20, 69, 69, 3), np.uint8)
        file["ans"] = np.repeat(np.arange(10, dtype=np.uint8), 2)
    arguments = ["--data", tmp_path / "sdss.h5", "-o", tmp_path / "new"]
    error = galfeat("benchmark", "galaxy10", *arguments, code=4).stderr
    assert "the class 'Disk Face-on No Spiral'" in error
    assert "its classes are Disturbed, Merging" in error
    assert not (tmp_path / "new").exists()


def test_without_a_network_the_file_to_download_by_hand_is_named(galfeat, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    result = galfeat("benchmark", "galaxy10", "-o", "new", code=8)
    assert result.stderr.count("\n") == 1
    data = DATA_SETS["galaxy10-decals"]
    for text in (data.file, data.sha256, data.urls[0], "--data"):
        assert text in result.stderr
    assert not Path("new").exists()


def test_a_full_disk_is_one_line_and_no_results(planted, tmp_path):
    def no_large_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        [
            *(sys.executable, "-m", "galfeat", "benchmark", "galaxy10", "--data", planted),
            *("--pipelines", "hog-svm", "-o", tmp_path / "new", "--jobs", "1"),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=no_large_files,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 7, done.stderr
    assert done.stderr.startswith("galfeat: ")
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "new").glob("benchmark.*"))
