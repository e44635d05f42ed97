import numpy as np
import pytest


@pytest.fixture
def make_table():
    """Gaussian classes of given frequencies, each shifted along a column of its own."""

    def make(n, weights, *, columns=12, distance=2.0, seed=0):
        rng = np.random.default_rng(seed)
        sizes = np.round(np.multiply(n, weights)).astype(int)
        y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
        X = rng.normal(size=(len(y), columns)).astype(np.float32)
        X[np.arange(len(y)), y] += distance
        return X, y

    return make


@pytest.fixture
def log_loss():
    """Mean of minus the log probability of the true class."""

    def mean_log_loss(probabilities, y):
        return float(-np.log(probabilities[np.arange(len(y)), y]).mean())

    return mean_log_loss
