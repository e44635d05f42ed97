"""Comparison of a benchmark run with the last one."""

import importlib.util
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "kept_figures.py"


@pytest.fixture(scope="module")
def kept():
    """The module of the script, which is not part of the package."""
    specification = importlib.util.spec_from_file_location("kept_figures", FILE)
    module = importlib.util.module_from_spec(specification)
    sys.modules["kept_figures"] = module  # dataclasses look up their module
    specification.loader.exec_module(module)
    yield module
    del sys.modules["kept_figures"]


@pytest.fixture
def run(kept):
    """Return a maker of runs with one line, a calibration and settings."""

    def make(value, unit="µs", calibration=1000.0, name="frame", **settings):
        figures = {name: kept.Figure(value, unit)}
        return kept.Run({"size": 256, **settings}, calibration, figures)

    return make


@pytest.mark.parametrize(
    ("unit", "now", "lines"),
    [
        ("µs", 200.0, ["frame: 2.00× slower (100 to 200 µs)"]),
        ("µs", 50.0, ["frame: 2.00× faster (100 to 50 µs)"]),
        ("images/s", 50.0, ["frame: 2.00× slower (100 to 50 images/s)"]),
        ("images/s", 200.0, ["frame: 2.00× faster (100 to 200 images/s)"]),
        ("MB", 200.0, ["frame: 2.00× larger (100 to 200 MB)"]),
        ("MB", 50.0, ["frame: 2.00× smaller (100 to 50 MB)"]),
        ("µs", 124.0, []),
        ("µs", 81.0, []),
        ("images/s", 124.0, []),
        ("images/s", 81.0, []),
    ],
)
def test_changes_of_more_than_a_quarter_are_reported(kept, run, unit, now, lines):
    assert kept.compare_runs(run(now, unit), run(100.0, unit)) == lines


def test_a_slower_machine_is_not_reported(kept, run):
    slow, memory = {"calibration": 2000.0}, run(200.0, "MB", calibration=2000.0)
    assert kept.compare_runs(run(200.0, **slow), run(100.0)) == []
    assert kept.compare_runs(run(50.0, "images/s", **slow), run(100.0, "images/s")) == []
    assert "2.00× faster" in kept.compare_runs(run(100.0, **slow), run(100.0))[0]
    assert "2.00× larger" in kept.compare_runs(memory, run(100.0, "MB"))[0]


def test_only_matching_settings_lines_and_units_are_compared(kept, run):
    assert kept.compare_runs(run(500.0, size=128), run(100.0)) == []
    assert kept.compare_runs(run(500.0, name="hog"), run(100.0)) == []
    assert kept.compare_runs(run(500.0, "ms"), run(100.0)) == []


def test_the_worst_change_comes_first(kept):
    names = {"a": 150.0, "b": 400.0, "c": 20.0}
    now = kept.Run({}, 1.0, {name: kept.Figure(value, "µs") for name, value in names.items()})
    before = kept.Run({}, 1.0, {name: kept.Figure(100.0, "µs") for name in names})
    assert [line[0] for line in kept.compare_runs(now, before)] == ["b", "a", "c"]


def test_a_stored_run_round_trips(kept, run, tmp_path):
    file = tmp_path / "kept.json"
    assert kept.read_run(file) is None
    kept.write_run(file, run(100.0))
    kept.write_run(file, run(123.5, "images/s"))
    assert kept.read_run(file) == run(123.5, "images/s")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"figures": {"a": 3}}', "\xff"])
def test_a_damaged_file_is_ignored(kept, tmp_path, text):
    file = tmp_path / "kept.json"
    file.write_text(text, encoding="latin-1")
    assert kept.read_run(file) is None
