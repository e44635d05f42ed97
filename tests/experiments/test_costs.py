"""The process that measures the costs of a pipeline."""

import os

import numpy as np
import pytest

from galfeat.classifier import GalaxyClassifier
from galfeat.errors import DataError, GalfeatError
from galfeat.experiments.costs import measure_costs
from galfeat.features import FeatureExtractor
from galfeat.pipeline import load_pipeline


class Deadly:
    """Terminates the process that unpickles it."""

    def __reduce__(self):
        return os._exit, (3,)


@pytest.fixture(scope="module")
def measure(paint, quick_pipeline):
    """Measure the costs of a fit to four images of some classes."""
    pipeline = load_pipeline(quick_pipeline)
    images = [paint(40, noise=2.0, seed=seed) for seed in range(4)]
    table = FeatureExtractor(pipeline.families).extract(images)

    def measure_costs_of(y, images=images):
        return measure_costs(GalaxyClassifier(pipeline), images, table, np.array(y), table)

    return measure_costs_of


def test_exceptions_of_the_child_process_are_raised(measure, capfd):
    with pytest.raises(DataError, match="only one class"):
        measure([0, 0, 0, 0])
    assert capfd.readouterr().err == ""


def test_a_process_that_ends_without_a_result_is_an_error(measure):
    with pytest.raises(GalfeatError, match="ended with exit code 3; free some memory"):
        measure([0, 0, 1, 1], [Deadly()])
