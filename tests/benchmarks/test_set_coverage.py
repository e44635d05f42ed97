"""The table of measured coverage."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import betabinom

from galfeat.ensemble.population import CalibrationRows
from galfeat.predictions import Predictions

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def coverage():
    """The script, which is not part of the package."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield importlib.import_module("set_coverage")
    finally:
        sys.path.remove(str(FOLDER))
        sys.modules.pop("set_coverage", None)


@pytest.mark.parametrize(("n", "m"), [(99, 100), (350, 2000), (20, 31)])
def test_the_interval_of_one_threshold_is_that_of_the_beta_binomial(coverage, n, m):
    missed = int((n + 1) * 0.1 + 1e-9)
    low, high = betabinom.ppf([0.025, 0.975], m, n + 1 - missed, missed) / m
    assert coverage.interval([(n, m)], 0.9) == pytest.approx((low, high))


def test_the_interval_of_several_thresholds_is_that_of_their_sum(coverage):
    groups = [(50, 40), (120, 90), (5, 7)]  # the last is in all sets
    rng = np.random.default_rng(0)
    drawn = [
        rng.binomial(m, rng.beta(n + 1 - missed, missed, size=100_000)) if missed else np.full(1, m)
        for n, m in groups
        for missed in [int((n + 1) * 0.1 + 1e-9)]
    ]
    low, high = np.quantile(sum(drawn), [0.025, 0.975]) / 137
    assert coverage.interval(groups, 0.9) == pytest.approx((low, high), abs=0.008)


def planted(module, seed):
    n, n_calibration = 400, 300
    rng = np.random.default_rng(seed)
    y = rng.choice(3, size=n + n_calibration, p=[0.6, 0.37, 0.03])
    p = softmax(2 * np.eye(3)[y] + rng.normal(size=(len(y), 3)), axis=1)
    rows = CalibrationRows.of(p[n:], y[n:], np.full(3, 1 / 3), out_of_fold=True)
    likely = p[:n].argmax(axis=1)
    predictions = Predictions(
        np.array(["a", "b", "c"]), p[:n], np.log(p[:n])[:, None], likely, likely, [""] * n, {},
        np.zeros((n, 16), np.uint8), priors=np.full(3, 1 / 3), calibration=rows,
    )  # fmt: skip
    return module.Tested(0, module.HERE, predictions, y[:n])


def test_planted_scores_are_covered_as_the_table_expects(coverage, capsys):
    parts = [planted(coverage, seed) for seed in range(5)]
    coverage.print_table(parts, ["a", "b", "c"], 0.9, 200)
    lines = capsys.readouterr().out.splitlines()
    (row,) = [line for line in lines if line.startswith("lac, without additions")]
    found, low, _, high, *_ = row.removeprefix("lac, without additions").split()
    assert float(low) <= float(found) <= float(high)
    assert row.count("*") == 2  # the rare class, and the next rarer one, share a threshold
    inside = [int(line.split("inside: ")[1].split()[0]) for line in lines if "inside" in line]
    assert min(inside) >= 90


def test_sets_that_always_hold_the_class_shown_are_larger(coverage):
    part = planted(coverage, 5)
    make = lambda rows: coverage.set_thresholds(rows, 0.5)  # noqa: E731
    raw, shown = (coverage.calibrated_on_fits([part], make, add=add) for add in (False, True))
    assert (shown.size >= raw.size).all()
    assert (raw.size == 0).any()
    assert (shown.size > 0).all()
    assert shown.hit.mean() > raw.hit.mean()
