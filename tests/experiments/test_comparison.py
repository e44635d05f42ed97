"""Pipelines on the same folds match a cross-validation of each, and no fit is repeated."""

import dataclasses
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
from galfeat.data.duplicates import find_groups
from galfeat.errors import DataError, MissingDependencyError, PipelineError
from galfeat.evaluate.learning_curve import SHARES
from galfeat.experiments import Plan, compare
from galfeat.experiments.cross_validation import cross_validate
from galfeat.experiments.fits import ORIGINAL, RERENDERED
from galfeat.features import FeatureExtractor
from galfeat.pipeline import SimulatedGalaxies, load_pipeline

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def galaxies(simulated):
    """Simulated galaxies and their pixel digests."""
    dataset = open_dataset(simulated)
    return dataset, FeatureExtractor(()).extract(dataset).digests


@pytest.fixture(scope="module")
def plan(quick_pipeline):
    """Two pipelines on the same features, with all options."""
    pipelines = [load_pipeline(quick_pipeline), load_pipeline(f"{quick_pipeline}+class-weight")]
    return Plan(pipelines, folds=2, repeats=2, seed=3, learning_curve=True, survey_shift=True)


@pytest.fixture(scope="module")
def finished(plan, galaxies, tmp_path_factory):
    """An uninterrupted comparison and its folder."""
    folder = tmp_path_factory.mktemp("finished") / "comparison"
    return compare(plan, *galaxies, folder), folder


def files_of(folder):
    return {path.name: path.stat().st_mtime_ns for path in (folder / "checkpoints").iterdir()}


def scores_of(results):
    """Everything except times."""
    plain = results.to_json()
    for pipeline in plain["pipelines"].values():
        del pipeline["costs"]
    return plain


def test_each_pipeline_scores_as_in_a_cross_validation(finished, plan, galaxies):
    dataset, digests = galaxies
    pipeline = plan.pipelines[1]
    table = FeatureExtractor(pipeline.families).extract(dataset)
    alone = cross_validate(
        GalaxyClassifier(pipeline, random_state=3),
        dataset,
        table,
        find_groups(digests, groups=dataset.groups).groups,
        folds=2,
        repeats=2,
        seed=3,
    )
    together = finished[0].comparison
    assert together.scores[pipeline.name] == alone.scores
    np.testing.assert_array_equal(together.confusion[pipeline.name], alone.confusion)


def test_curve_and_shift_are_of_the_first_repeat(finished):
    results, _ = finished
    assert tuple(results.curve) == SHARES
    assert [results.rows_of_share[share] for share in SHARES] == [20, 20, 20, 30, 60]
    for name, scores in results.comparison.scores.items():
        whole = results.curve[1.0].scores[name]["macro_f1"]
        before = results.shift[name].scores[ORIGINAL]["macro_f1"]
        assert whole.values == before.values == scores["macro_f1"].values[:1]
        after = results.shift[name].scores[RERENDERED]["macro_f1"]
        assert after.mean != before.mean
        assert results.curve[0.5].scores[name]["macro_f1"].mean < scores["macro_f1"].mean + 0.1


def test_costs_are_of_this_world(finished):
    for costs in finished[0].costs_by_pipeline().values():
        assert 0.05 < costs["features_ms"] < 1000
        assert 0 < costs["prediction_ms"] < 100
        assert costs["ms_per_galaxy"] == costs["features_ms"] + costs["prediction_ms"]
        assert 50 < costs["peak_memory_mb"] < 4000
        assert 0.01 < costs["model_mb"] < 10
        assert 0 < costs["fit_seconds"] < 100


def test_a_second_call_does_nothing_again(finished, plan, galaxies):
    results, folder = finished
    before = files_of(folder)
    again = compare(plan, *galaxies, folder)
    assert again.to_json() == results.to_json()  # including times
    assert files_of(folder) == before


def test_what_a_piece_follows_from_is_in_its_key(finished, plan, galaxies, tmp_path):
    _, folder = finished
    (tmp_path / "checkpoints").mkdir()
    for file in (folder / "checkpoints").iterdir():
        os.link(file, tmp_path / "checkpoints" / file.name)
    before = files_of(tmp_path)
    small = Plan(plan.pipelines[:1], folds=2, repeats=1, seed=3)
    compare(small, *galaxies, tmp_path)
    assert files_of(tmp_path) == before
    compare(dataclasses.replace(small, seed=4), *galaxies, tmp_path)
    assert len(set(files_of(tmp_path)) - set(before)) == 3  # two folds and the costs


KILLED = """
import contextlib, os, pickle, signal, sys
from galfeat.experiments import Plan, compare
from galfeat.data import open_dataset
from galfeat.pipeline import SimulatedGalaxies, load_pipeline

@contextlib.contextmanager
def deadly(name):
    def progress(done, total):
        if "class-weight" in name and done == 2:
            os.kill(os.getpid(), signal.SIGKILL)
    yield progress

if __name__ == "__main__":
    plan, digests, data, folder = pickle.load(sys.stdin.buffer)
    compare(plan, open_dataset(data), digests, folder, stage=deadly)
"""


def test_a_killed_comparison_goes_on_and_ends_the_same(
    finished, plan, galaxies, simulated, tmp_path
):
    done = subprocess.run(
        [sys.executable, "-c", KILLED],
        input=pickle.dumps((plan, galaxies[1], simulated, tmp_path)),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    before = files_of(tmp_path)
    whole = set(files_of(finished[1]))
    assert 0 < len(before) < len(whole)
    half = whole - set(before)
    (tmp_path / "checkpoints" / f".{min(half)}").write_bytes(b"half a piece")
    results = compare(dataclasses.replace(plan, jobs=2), *galaxies, tmp_path)
    assert scores_of(results) == scores_of(finished[0])
    after = files_of(tmp_path)
    assert {name: after[name] for name in before} == before  # no fit was repeated
    assert whole <= set(after)


def test_two_pipelines_of_one_name_are_refused(plan, galaxies, tmp_path):
    twice = Plan([plan.pipelines[0]] * 2)
    with pytest.raises(PipelineError, match="two pipelines are called 'quick'"):
        compare(twice, *galaxies, tmp_path)


def test_more_folds_than_rows_of_a_class_are_refused(plan, galaxies, tmp_path):
    with pytest.raises(DataError, match="has 12 rows; a 13-fold split"):
        compare(dataclasses.replace(plan, folds=13), *galaxies, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_simulated_galaxies_are_added_in_fits_and_costs(quick_pipeline, galaxies, tmp_path):
    pipeline = load_pipeline(f"{quick_pipeline}+simulate")
    pipeline = dataclasses.replace(pipeline, simulated=SimulatedGalaxies(number=40))
    results = compare(Plan([pipeline], folds=2, repeats=1), *galaxies, tmp_path)
    assert results.costs_by_pipeline()[pipeline.name]["fit_seconds"] > 0


def test_classes_that_cannot_be_simulated_are_refused_before_anything_is_done(
    quick_pipeline, galaxies, tmp_path
):
    dataset = galaxies[0]
    renamed = dataset.relabelled(dataset.labels, [f"class {n}" for n in range(10)])
    with pytest.raises(PipelineError, match="cannot be simulated"):
        compare(Plan([load_pipeline(f"{quick_pipeline}+simulate")]), renamed, galaxies[1], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_member_whose_package_is_missing_is_refused_before_anything_is_done(
    galaxies, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"galfeat\[cnn\]"):
        compare(Plan([load_pipeline("cnn-baseline")]), *galaxies, tmp_path)
    assert list(tmp_path.iterdir()) == []
