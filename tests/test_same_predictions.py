"""Predictions equal the recorded ones, to the last bit on the same processor and libraries.

Elsewhere features differ in their last bits, which trees amplify where a value lies at a split, so
shipped models are compared within a tolerance and a new fit is not compared.

``python tests/test_same_predictions.py`` writes them anew, and is run only where a change of the
numbers is wanted.
"""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest

from galfeat import GalaxyClassifier, load_model
from galfeat.data.simulation.simulator import simulate

RECORD = Path(__file__).parent / "recorded_predictions.json"
#: Tolerance elsewhere; the oldest libraries on the same processor give up to 0.0062.
ELSEWHERE = 0.02
SHIPPED = ("galaxy10", "coarse", "simulated")
LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba", "lightgbm", "xgboost-cpu", "onnxruntime")
STACK = """
schema = 1
name = "small-stack"
description = "Trees, boosted trees and a linear model, stacked and balanced, for tests"

[features]
families = ["hog", "colour", "radial", "shape", "fourier", "morphology"]

[balance]
method = "class-weight"

[ensemble]
combine = "stack"

[[ensemble.members]]
kind = "lightgbm"
params = { n_estimators = 20, num_leaves = 7, min_child_samples = 3 }

[[ensemble.members]]
kind = "xgboost"
params = { n_estimators = 20, max_depth = 3 }

[[ensemble.members]]
kind = "logistic"
params = { C = 0.01 }

[calibrate]
folds = 2
"""


def surroundings():
    """Return what the last bits may depend on beside galfeat."""
    features = sorted(name for name, there in llvm.get_host_cpu_features().items() if there)
    libraries = {name: version(name) for name in LIBRARIES}
    return {"processor": [platform.machine(), llvm.get_host_cpu_name(), *features], **libraries}


@pytest.fixture(scope="module")
def recorded():
    return json.loads(RECORD.read_text())


@pytest.fixture(scope="module")
def compare(recorded):
    """Return what compares with the record, as closely as the surroundings allow."""
    same = recorded["surroundings"] == surroundings()

    def check(probabilities, name):
        expected = np.array(recorded[name])
        if same:
            np.testing.assert_array_equal(probabilities, expected)
        else:
            np.testing.assert_allclose(probabilities, expected, rtol=0, atol=ELSEWHERE)

    return check


@pytest.fixture(scope="module")
def galaxies():
    return simulate(20, seed=11, jobs=2).images


def fitted_probabilities(galaxies, folder):
    """Fit a stack to simulated galaxies and return its probabilities for others."""
    path = folder / "small-stack.toml"
    path.write_text(STACK)
    training = simulate(100, seed=12, jobs=2)
    model = GalaxyClassifier(path, n_jobs=2, random_state=3)
    return model.fit(training.images, training.labels).predict_proba(galaxies)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_predicts_the_same(name, galaxies, compare):
    compare(load_model(name).predict_proba(galaxies), name)


def test_a_fit_predicts_the_same(galaxies, recorded, compare, tmp_path):
    if recorded["surroundings"] != surroundings():
        pytest.skip("recorded with other libraries or on another processor, so fits differ")
    compare(fitted_probabilities(galaxies, tmp_path), "fitted")


if __name__ == "__main__":
    import tempfile

    images = simulate(20, seed=11, jobs=2).images
    record = {"surroundings": surroundings()}
    for name in SHIPPED:
        record[name] = load_model(name).predict_proba(images).tolist()
    with tempfile.TemporaryDirectory() as folder:
        record["fitted"] = fitted_probabilities(images, Path(folder)).tolist()
    RECORD.write_text(json.dumps(record) + "\n", encoding="utf-8")
