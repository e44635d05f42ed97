"""Random labels: which evaluations are fooled by a network trained on them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from galfeat.embedding.samples import Samples
from galfeat.features.planes import SHAPE

pytestmark = [pytest.mark.network, pytest.mark.slow]

N = 240


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed")


def noise(seed, n=N):
    """Return smooth noise with random labels."""
    random = np.random.default_rng(seed)
    coarse = random.normal(0.5, 0.3, (n, SHAPE[0], 8, 8))
    planes = np.kron(coarse, np.ones((8, 8))).astype(np.float16)
    digests = random.integers(0, 256, (n, 16), dtype=np.uint8)
    labels = {"planted": random.integers(0, 2, n)}
    return Samples(planes, digests, labels, {}, np.zeros(n, bool), np.zeros(n, bool))


@pytest.fixture(scope="module")
def network(torch, tmp_path_factory):
    """A network trained on galaxies with planted labels, and these galaxies."""
    from galfeat.embedding.onnx_file import to_onnx
    from galfeat.embedding.tasks import Plan
    from galfeat.embedding.training import Training

    samples = noise(0)
    plan = Plan(epochs=60, patience=60, batch_size=24, threads=1)
    training = Training(samples, plan, tmp_path_factory.mktemp("state") / "state.pt")
    training.held_back = training.training[:24]  # the last epoch is the best: it overfits
    return to_onnx(training.run().trunk), samples


def accuracy(activations, labels):
    """Return the cross-validated score on the activations."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
    return cross_val_score(classifier, activations, labels, cv=5).mean()


def test_features_of_a_network_that_saw_the_labels_claim_a_skill_that_is_not_there(network):
    trained, samples = network
    activations = trained.run(samples.planes.astype(np.float32))
    assert accuracy(activations, samples.classes["planted"]) > 0.7


def test_a_frozen_network_that_did_not_see_them_claims_none(network):
    trained, _ = network
    fresh = noise(1)
    activations = trained.run(fresh.planes.astype(np.float32))
    assert abs(accuracy(activations, fresh.classes["planted"]) - 0.5) < 0.1
