"""Recovery of simulated parameters, on other galaxies than docs/background/recovery.md."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from galfeat.data.simulation.simulator import simulate

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
MODULES = ("recovery", "recovery_picture")


@pytest.fixture(scope="module")
def recovery():
    """The script, which is not part of the package."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield importlib.import_module("recovery")
    finally:
        sys.path.remove(str(FOLDER))
        for name in MODULES:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module", params=["legacy", "sdss"])
def pairs(recovery, request):
    return recovery.pairs_of(
        simulate(300, seed=31, class_counts=[30] * 10, rendering=request.param)
    )


def test_bias_and_scatter_are_median_and_scaled_mad(recovery):
    true = 10.0 * np.arange(5)
    found = recovery.summary(true, true + np.array([0.0, 4.0, 2.0, 1.0, 3.0]))
    assert found == pytest.approx((2.0, 1.4826, 1.0, 5))


@pytest.mark.parametrize(
    ("quantity", "bias", "scatter"),
    [("position angle", 0.5, 3.0), ("bar length", 0.5, 1.2), ("pitch angle", 3.0, 8.0)],
)
def test_bias_and_scatter_are_small(recovery, pairs, quantity, bias, scatter):
    found_bias, found_scatter, *_ = recovery.summary(*pairs[quantity])
    assert abs(found_bias) < bias
    assert found_scatter < scatter


@pytest.mark.parametrize(
    ("quantity", "correlation"),
    [("axis ratio", 0.85), ("bar length", 0.6), ("pitch angle", 0.3), ("number of arms", 0.3)],
)
def test_measured_values_rank_like_true_values(recovery, pairs, quantity, correlation):
    assert recovery.summary(*pairs[quantity])[2] > correlation


def test_the_sense_of_winding_is_mostly_correct(pairs):
    assert pairs["sense"][1].mean() > 0.85
