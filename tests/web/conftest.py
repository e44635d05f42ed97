"""An application with a small model and simulated galaxies."""

import numpy as np
import pytest
from starlette.testclient import TestClient

from galfeat import open_dataset
from galfeat.classifier import GalaxyClassifier
from galfeat.web.app import Shown, create_app
from galfeat.web.samples import draw_samples

NONE_LEARNED = np.empty((0, 16), np.uint8)


@pytest.fixture(scope="session")
def shown(simulated, quick_recipe):
    dataset = open_dataset(simulated)
    classifier = GalaxyClassifier(quick_recipe).fit(dataset)
    facts = {
        "name": "quick", "recipe": "quick", "classes": [str(name) for name in classifier.classes_],
        "n_training": 120, "scores": {"Macro-F1": "0.700"},
    }  # fmt: skip
    return Shown(
        classifier, draw_samples(classifier, dataset, NONE_LEARNED, seed=3), facts, "Simulated."
    )


@pytest.fixture
def client(shown):
    with TestClient(create_app(shown), base_url="http://galaxies") as one:
        yield one
