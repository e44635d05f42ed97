"""Test galaxies are in no fit, and an interrupted benchmark ends with the same bits."""

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from galfeat.classifier import GalaxyClassifier
from galfeat.data import open_dataset
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.errors import DataError, PipelineError
from galfeat.experiments.benchmark import BenchmarkPlan, run_benchmark
from galfeat.experiments.benchmark.fits import SplitFits
from galfeat.experiments.benchmark.plan import galaxy10_classes, transfer_pipeline
from galfeat.experiments.benchmark.run import LABELS, training_parts
from galfeat.experiments.new_process import StoredTable
from galfeat.features import FeatureExtractor
from galfeat.pipeline import load_pipeline
from galfeat.storage import CheckpointStore

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def plan(quick_pipeline):
    pipelines = [load_pipeline(quick_pipeline), load_pipeline(f"{quick_pipeline}+class-weight")]
    return BenchmarkPlan(pipelines, test_size=0.25, seed=5)


@pytest.fixture(scope="module")
def finished(plan, simulated, tmp_path_factory):
    """An uninterrupted benchmark and its folder."""
    folder = tmp_path_factory.mktemp("finished") / "benchmark"
    return run_benchmark(plan, open_dataset(simulated), folder), folder


def scores_of(finished):
    """Everything except costs."""
    plain = finished.benchmark.to_json()
    for pipeline in plain["pipelines"].values():
        del pipeline["costs"]
    return plain


def files_of(folder):
    return {path.name: path.stat().st_mtime_ns for path in (folder / "checkpoints").iterdir()}


def test_each_class_is_divided_and_all_galaxies_are_used(finished):
    split = finished[0].benchmark.split
    assert set(split.test.values()) == {3}
    assert set(split.training.values()) == {9}
    assert split.left_out == {}


def test_training_parts_are_nested_and_have_no_test_row():
    y = np.repeat(np.arange(10), [300, 100, *[40] * 8])
    train = np.flatnonzero(np.arange(len(y)) % 4)
    parts = training_parts(y, train, 0)
    assert list(parts) == [*LABELS, None]
    assert set(parts[20]) < set(parts[70]) < set(parts[200]) < set(parts[None]) == set(train)
    assert np.bincount(y[parts[70]]).tolist() == [70, 70, *[30] * 8]
    assert list(training_parts(y, train[y[train] > 1], 0)) == [20, None]


def test_predictions_do_not_depend_on_classes_of_test_galaxies(quick_pipeline, simulated, tmp_path):
    dataset = open_dataset(simulated)
    y = galaxy10_classes(dataset)
    train, test = np.flatnonzero(np.arange(120) % 4), np.arange(0, 120, 4)
    classifier = GalaxyClassifier(load_pipeline(quick_pipeline))
    table = FeatureExtractor(("colour", "radial")).extract(dataset)
    stored = StoredTable.of(table, tmp_path)

    def predicted(classes, number):
        store = CheckpointStore(tmp_path / f"checkpoints-{number}", {})
        groups = np.arange(120).astype(str)
        fits = SplitFits(classes, groups, GALAXY10_DECALS, test, store, tmp_path)
        fit = fits.fit(classifier, stored, np.arange(len(table.names)), "digest", train)
        return fit.predictions.probabilities

    falsified = y.copy()
    falsified[test] = (y[test] + 3) % 10
    first = predicted(y, 0)
    np.testing.assert_array_equal(predicted(falsified, 1), first)
    falsified[train[0]] = (y[train[0]] + 3) % 10
    assert not np.array_equal(predicted(falsified, 2), first)


def test_a_second_call_repeats_no_fit(finished, plan, simulated):
    first, folder = finished
    before = files_of(folder)
    again = run_benchmark(plan, open_dataset(simulated), folder)
    assert again.benchmark.to_json() == first.benchmark.to_json()  # including costs
    assert files_of(folder) == before


KILLED = """
import contextlib, os, pickle, signal, sys
from galfeat.data import open_dataset
from galfeat.experiments.benchmark import run_benchmark

@contextlib.contextmanager
def deadly(name):
    if "class-weight" in name:
        os.kill(os.getpid(), signal.SIGKILL)
    yield lambda done, total: None

if __name__ == "__main__":
    plan, data, folder = pickle.load(sys.stdin.buffer)
    run_benchmark(plan, open_dataset(data), folder, stage=deadly)
"""


def test_a_killed_benchmark_resumes_and_ends_with_the_same_bits(
    finished, plan, simulated, tmp_path
):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    folder = tmp_path / "benchmark"
    done = subprocess.run(
        [sys.executable, script],
        input=pickle.dumps((plan, simulated, folder)),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    before = files_of(folder)
    assert 0 < len(before) < len(files_of(finished[1]))
    resumed = run_benchmark(plan, open_dataset(simulated), folder)
    assert scores_of(resumed) == scores_of(finished[0])
    after = files_of(folder)
    assert {name: after[name] for name in before} == before  # no fit was repeated
    assert set(after) == set(files_of(finished[1]))


def test_another_seed_makes_another_split(finished, plan, simulated, tmp_path):
    import dataclasses

    other = dataclasses.replace(plan, pipelines=plan.pipelines[:1], seed=6)
    result = run_benchmark(other, open_dataset(simulated), tmp_path)
    assert result.split.digest != finished[0].split.digest


def test_pipelines_of_one_name_and_missing_classes_are_refused(plan, simulated, tmp_path):
    dataset = open_dataset(simulated)
    with pytest.raises(PipelineError, match="two pipelines are called 'quick'"):
        run_benchmark(BenchmarkPlan([plan.pipelines[0]] * 2), dataset, tmp_path)
    without = dataset.select(np.flatnonzero(dataset.labels != 4))
    with pytest.raises(DataError, match="no galaxies of class 'Cigar Shaped Smooth'"):
        run_benchmark(plan, without, tmp_path)
    few = dataset.select(np.setdiff1d(np.arange(120), np.flatnonzero(dataset.labels == 7)[:3]))
    with pytest.raises(DataError, match=r"'Unbarred Loose Spiral' has 9 galaxies; .* at least 10"):
        run_benchmark(plan, few, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_weights_are_an_onnx_file_or_those_of_the_network(tmp_path):
    whole = transfer_pipeline(tmp_path / "network.onnx").embedding
    weights = transfer_pipeline(tmp_path / "weights.safetensors").embedding
    assert whole.backbone == str(tmp_path / "network.onnx")
    assert weights.backbone.startswith("timm:")
    assert weights.weights == str(tmp_path / "weights.safetensors")
