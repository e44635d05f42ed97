"""The plain convolutional network, which needs PyTorch."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from galfeat.ensemble import Ensemble
from galfeat.ensemble.cnn import ConvolutionalNetwork
from galfeat.errors import MissingDependencyError, PipelineError
from galfeat.pipeline.members import Member

pytestmark = pytest.mark.network

SIDE = 12
QUICK = {"side": SIDE, "filters": 4, "epochs": 4, "learning_rate": 0.01}


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed")


def bars(n, classes=2, seed=0):
    """Bright horizontal or vertical bars at random positions: pixel means are equal in both."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    images = rng.normal(80.0, 20.0, (n, SIDE, SIDE, 3))
    for image, code in zip(images, y, strict=True):
        place = rng.integers(0, SIDE)
        (image if code == 0 else image.transpose(1, 0, 2))[place] += 100.0
    return images.reshape(n, -1).astype(np.float32), y


def fitted(X, y, weight=None, **params):
    return ConvolutionalNetwork(**{**QUICK, **params}).fit(X, y, sample_weight=weight)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"colour": False},
        {"architecture": "astronn", "learning_rate": 0.002, "epochs": 8},
        {"optimiser": "sgd"},
        {"activation": "sigmoid", "epochs": 30, "learning_rate": 0.02},
        {"boosting": True},
    ],
    ids=str,
)
def test_it_learns_patterns_that_no_single_pixel_shows(torch, params):
    X, y = bars(400)
    X_new, y_new = bars(200, seed=1)
    names = np.array(["across", "upright"])
    network = fitted(X, names[y], **params)
    assert np.mean(network.predict(X_new) == names[y_new]) > 0.9
    probabilities = network.predict_proba(X_new)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(200), abs=1e-9)


@pytest.mark.parametrize("params", [{}, {"architecture": "astronn"}, {"boosting": True}], ids=str)
def test_the_same_seed_gives_the_same_bits_and_another_does_not(torch, params):
    X, y = bars(60)
    first, again = (fitted(X, y, random_state=3, **params).predict_proba(X) for _ in range(2))
    other = fitted(X, y, random_state=4, **params).predict_proba(X)
    assert first.tobytes() == again.tobytes()
    assert not np.array_equal(first, other)


def test_networks_trained_in_parallel_equal_those_trained_in_sequence(torch):
    X, y = bars(60)
    networks = [
        ConvolutionalNetwork(**QUICK, architecture="astronn", random_state=s) for s in (1, 2)
    ]
    alone = [network.fit(X, y).predict_proba(X) for network in networks]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda network: network.fit(X, y).predict_proba(X), networks))
    assert np.array_equal(alone, together)


def test_pytorch_threads_and_random_state_are_restored(torch):
    X, y = bars(60)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    state = torch.get_rng_state()
    try:
        one = fitted(X, y).predict_proba(X)
        assert torch.get_num_threads() == 2
        assert torch.equal(torch.get_rng_state(), state)
        torch.set_num_threads(1)
        assert np.array_equal(fitted(X, y).predict_proba(X), one)
    finally:
        torch.set_num_threads(before)


def test_grey_takes_the_mean_of_the_colours_and_nothing_else(torch):
    X, y = bars(60)
    images = X.reshape(60, SIDE, SIDE, 3)
    turned = images[..., [2, 0, 1]].reshape(60, -1)
    grey, colour = fitted(X, y, colour=False), fitted(X, y)
    assert grey.predict_proba(turned) == pytest.approx(grey.predict_proba(X), abs=1e-5)
    assert np.abs(colour.predict_proba(turned) - colour.predict_proba(X)).max() > 1e-3
    assert len(grey.mean_) == 1


def test_the_label_of_a_row_with_zero_weight_is_irrelevant(torch):
    X, y = bars(60)
    weight = (np.arange(60) % 3 > 0).astype(float)
    lied = np.where(weight > 0, y, 1 - y)
    kept = fitted(X, y, weight).predict_proba(X)
    assert np.array_equal(fitted(X, lied, weight).predict_proba(X), kept)
    assert not np.array_equal(fitted(X, y).predict_proba(X), kept)


def test_a_class_with_more_weight_is_predicted_more_often(torch):
    rng = np.random.default_rng(0)
    noise, more = rng.normal(80, 20, (2, 120, 3 * SIDE**2)).astype(np.float32)
    y = np.arange(120) % 2
    named = [fitted(noise, y, np.where(y == 1, w, 1.0)).predict(more).mean() for w in (0.1, 10)]
    assert named[0] < 0.2 < 0.8 < named[1]


def test_missing_pixels_count_as_zero(torch):
    X, y = bars(60)
    X[::7] = np.nan
    X[3, :50] = np.nan
    holes, zeros = fitted(X, y), fitted(np.nan_to_num(X), y)
    assert np.array_equal(holes.predict_proba(X), zeros.predict_proba(np.nan_to_num(X)))
    assert np.isfinite(holes.predict_proba(X)).all()


def test_one_row_or_many_give_the_same(torch):
    X, y = bars(100)
    network = fitted(X, y)
    rows = np.concatenate([network.predict_proba(X[row : row + 1]) for row in range(20)])
    assert rows == pytest.approx(network.predict_proba(X)[:20], abs=1e-5)


@pytest.mark.parametrize("boosting", [False, True])
def test_a_pickled_network_predicts_the_same_and_has_no_tensors(torch, boosting):
    X, y = bars(100)
    network = fitted(X, y, boosting=boosting)
    data = pickle.dumps(network)
    assert b"torch" not in data
    assert np.array_equal(pickle.loads(data).predict_proba(X), network.predict_proba(X))


def test_astronn_s_network_is_that_of_its_authors(torch):
    """Numbers of weights as Keras counts them for 69×69×3 pixels and ten classes."""
    X = np.zeros((10, 3 * 69**2), np.float32)
    network = ConvolutionalNetwork(69, architecture="astronn", epochs=1).fit(X, np.arange(10))
    counts = [kernel.size + bias.size for kernel, bias in network.weights_]
    assert counts == [224, 1168, 17 * 17 * 16 * 256 + 256, 256 * 128 + 128, 128 * 10 + 10]
    assert np.linalg.norm(network.weights_[3][0], axis=1).max() <= 2 + 1e-5


def test_it_works_in_an_ensemble_balanced_and_calibrated(torch):
    X, y = bars(150)
    for balance in ("class-weight", "under", "smote"):
        ensemble = Ensemble([Member("cnn", QUICK)], balance=balance, folds=2, random_state=1)
        assert np.mean(ensemble.fit(X, y).predict(X) == y) > 0.8


def test_a_table_of_another_image_size_is_rejected(torch):
    X, y = bars(30)
    with pytest.raises(
        PipelineError, match=r"side = 8 .* shape \(30, 432\); it takes the 192 columns"
    ):
        fitted(X, y, side=8)
    with pytest.raises(PipelineError, match="takes the 432 columns"):
        fitted(X, y).predict_proba(X[:, :-1])


def test_a_diverging_training_is_rejected(torch):
    X, y = bars(60)
    with pytest.raises(PipelineError, match=r"diverged with sgd and a learning_rate of 1e.38"):
        fitted(X, y, optimiser="sgd", learning_rate=1e38)


def test_without_pytorch_the_extra_is_named_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    X, y = bars(30)
    Member("cnn", QUICK).check()
    with pytest.raises(MissingDependencyError, match=r"pip install 'galfeat\[cnn\]'") as caught:
        fitted(X, y)
    assert "\n" not in str(caught.value)
