"""The small network, fine-tuned within a fold."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_predict

from galfeat.ensemble import Ensemble
from galfeat.ensemble.fine_tuned import FineTunedNetwork
from galfeat.errors import MissingDependencyError, PipelineError
from galfeat.features.planes import SHAPE
from galfeat.pipeline.members import Member

pytestmark = pytest.mark.network
QUICK = {"epochs": 3, "batch_size": 16}


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed")


def galaxies(n, seed=0):
    """Return rows of planes: blobs, broad or narrow by their class."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, n)
    v, u = np.mgrid[:64, :64] - 31.5
    shown = random.normal(0.0, 0.05, (n, *SHAPE))
    for one, code in zip(shown, y, strict=True):
        one += np.exp(-0.5 * (u**2 + v**2) / (5.0 + 5.0 * code) ** 2)
    rows = np.column_stack([shown.reshape(n, -1), np.arange(n) % 2]).astype(np.float32)
    return rows, y


def fitted(X, y, weight=None, **params):
    return FineTunedNetwork(**{**QUICK, **params}).fit(X, y, sample_weight=weight)


def test_it_learns_from_labels(torch):
    network = fitted(*galaxies(64))
    fresh, y = galaxies(40, seed=1)
    assert (network.predict(fresh) == y).mean() > 0.9
    probabilities = network.predict_proba(fresh)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)


def test_classes_keep_their_names_and_three_of_them_are_three(torch):
    X, y = galaxies(48)
    names = np.array(["broad", "narrow", "other"])[np.where(np.arange(48) % 5 == 0, 2, y)]
    network = fitted(X, names)
    assert network.classes_.tolist() == ["broad", "narrow", "other"]
    assert network.predict_proba(X).shape == (48, 3)


def test_the_same_seed_gives_the_same_bits_whoever_trains_beside_it(torch):
    X, y = galaxies(32)
    alone = fitted(X, y).predict_proba(X)
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda seed: fitted(X, y, random_state=seed), [0, 0, 1]))
    first, again, other = (network.predict_proba(X) for network in together)
    assert (first == alone).all()
    assert (again == alone).all()
    assert (other != alone).any()


def test_weights_matter(torch):
    X, _ = galaxies(32)
    y = np.random.default_rng(4).integers(0, 2, 32)
    heavy = fitted(X, y, np.where(y == 1, 10.0, 0.1))
    assert heavy.predict_proba(X)[:, 1].mean() > fitted(X, y).predict_proba(X)[:, 1].mean() + 0.1


def test_a_saved_network_predicts_without_pytorch(torch, monkeypatch):
    X, y = galaxies(24)
    network = fitted(X, y)
    wanted = network.predict_proba(X)
    content = pickle.dumps(network)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert (pickle.loads(content).predict_proba(X) == wanted).all()


@pytest.mark.parametrize("package", ["torch", "onnx"])
def test_without_pytorch_or_onnx_it_cannot_be_fitted(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'galfeat\[cnn\]'"):
        fitted(*galaxies(8))


def test_other_columns_are_rejected_with_advice(torch):
    X, y = galaxies(8)
    with pytest.raises(PipelineError, match=r'families = \["planes"\]'):
        fitted(X[:, 1:], y)


def test_rows_without_a_galaxy_are_predicted(torch):
    X, y = galaxies(24)
    X[3] = np.nan
    assert np.isfinite(fitted(X, y).predict_proba(X)).all()


@pytest.mark.slow
def test_an_ensemble_is_not_fooled_by_random_labels(torch):
    """Out-of-fold class scores show no skill, unlike scores of training rows."""
    random = np.random.default_rng(7)
    shown = np.kron(random.normal(0.5, 0.4, (60, SHAPE[0], 8, 8)), np.ones((8, 8)))
    X = np.column_stack([shown.reshape(60, -1), np.zeros(60)]).astype(np.float32)
    y = random.integers(0, 2, 60)
    # Many small steps: with large ones, overfitting depends on the processor.
    member = Member("network", {"epochs": 60, "batch_size": 8, "learning_rate": 5e-4})
    in_sample = member.build(0).fit(X, y)
    assert (in_sample.predict(X) == y).mean() > 0.75
    stacked = Ensemble((member,), combine="stack", folds=3, n_jobs=2)
    probabilities = cross_val_predict(stacked, X, y, cv=3, method="predict_proba")
    assert log_loss(y, in_sample.predict_proba(X)) < 0.5
    assert log_loss(y, probabilities) > 0.6  # log 2 without any skill
    assert abs((probabilities.argmax(axis=1) == y).mean() - 0.5) < 0.2
