"""What the benchmark says of its last run."""

import importlib.util
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "kept_figures.py"


@pytest.fixture(scope="module")
def kept():
    """The module, which is a part of a script and not of the package."""
    specification = importlib.util.spec_from_file_location("kept_figures", FILE)
    module = importlib.util.module_from_spec(specification)
    sys.modules["kept_figures"] = module  # its dataclasses look their module up
    specification.loader.exec_module(module)
    yield module
    del sys.modules["kept_figures"]


@pytest.fixture
def run(kept):
    """A run with a calibration and one line, or other settings."""

    def make(value, unit="µs", calibration=1000.0, name="frame", **settings):
        figures = {name: kept.Figure(value, unit)}
        return kept.Run({"size": 256, **settings}, calibration, figures)

    return make


@pytest.mark.parametrize(
    ("unit", "now", "said"),
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
def test_a_change_of_more_than_a_quarter_is_said_by_its_direction(kept, run, unit, now, said):
    assert kept.compare_runs(run(now, unit), run(100.0, unit)) == said


def test_a_slower_machine_is_not_blamed_on_a_line(kept, run):
    slow, memory = {"calibration": 2000.0}, run(200.0, "MB", calibration=2000.0)
    assert kept.compare_runs(run(200.0, **slow), run(100.0)) == []
    assert kept.compare_runs(run(50.0, "images/s", **slow), run(100.0, "images/s")) == []
    assert "2.00× faster" in kept.compare_runs(run(100.0, **slow), run(100.0))[0]
    assert "2.00× larger" in kept.compare_runs(memory, run(100.0, "MB"))[0]


def test_only_what_both_runs_measured_in_the_same_way_is_compared(kept, run):
    assert kept.compare_runs(run(500.0, size=128), run(100.0)) == []
    assert kept.compare_runs(run(500.0, name="hog"), run(100.0)) == []
    assert kept.compare_runs(run(500.0, "ms"), run(100.0)) == []


def test_the_worst_change_comes_first(kept):
    names = {"a": 150.0, "b": 400.0, "c": 20.0}
    now = kept.Run({}, 1.0, {name: kept.Figure(value, "µs") for name, value in names.items()})
    before = kept.Run({}, 1.0, {name: kept.Figure(100.0, "µs") for name in names})
    assert [line[0] for line in kept.compare_runs(now, before)] == ["b", "a", "c"]


def test_a_run_reads_back_as_it_was_kept(kept, run, tmp_path):
    file = tmp_path / "kept.json"
    assert kept.read_run(file) is None
    kept.write_run(file, run(100.0))
    kept.write_run(file, run(123.5, "images/s"))
    assert kept.read_run(file) == run(123.5, "images/s")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"figures": {"a": 3}}', "\xff"])
def test_a_damaged_file_is_no_run(kept, tmp_path, text):
    file = tmp_path / "kept.json"
    file.write_text(text, encoding="latin-1")
    assert kept.read_run(file) is None
