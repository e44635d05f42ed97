"""The process that measures what a recipe costs."""

import numpy as np
import pytest

from galfeat.classifier import GalaxyClassifier
from galfeat.costs import measure_costs
from galfeat.errors import GalfeatError
from galfeat.features import FeatureExtractor
from galfeat.recipe import load_recipe


def test_a_process_that_ends_without_an_answer_is_an_error(paint, quick_recipe, capfd):
    recipe = load_recipe(quick_recipe)
    images = [paint(40, noise=2.0, seed=seed) for seed in range(4)]
    table = FeatureExtractor(recipe.families).extract(images)
    with pytest.raises(GalfeatError, match="ended with exit code 1"):
        measure_costs(GalaxyClassifier(recipe), images, table, np.zeros(4, int), table)
    assert "one class" in capfd.readouterr().err
