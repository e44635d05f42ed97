"""Probabilities under other class frequencies, and their estimate."""

import numpy as np
import pytest
from scipy.stats import norm

from galfeat.ensemble import decide
from galfeat.ensemble.population import checked_priors, estimated_priors, reweighted
from galfeat.errors import DataError

OLD, NEW = np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.3, 0.6])
MEANS = np.array([-1.0, 0.5, 2.0])


def posterior(x, priors):
    """The probabilities of three Gaussian classes."""
    joint = priors * norm.pdf(x[:, None] - MEANS)
    return joint / joint.sum(axis=1, keepdims=True)


def sample(priors, n, seed):
    rng = np.random.default_rng(seed)
    return MEANS[rng.choice(3, size=n, p=priors)] + rng.normal(size=n)


def test_moved_probabilities_are_those_of_bayes():
    x = np.linspace(-6, 6, 101)
    moved = reweighted(posterior(x, OLD), OLD, NEW)
    assert moved == pytest.approx(posterior(x, NEW), abs=1e-12)
    assert reweighted(moved, NEW, OLD) == pytest.approx(posterior(x, OLD), abs=1e-12)


def test_a_class_of_frequency_zero_has_probability_zero():
    x = np.linspace(-3, 3, 11)
    gone = np.array([0.5, 0.5, 0.0])
    moved = reweighted(posterior(x, OLD), OLD, gone)
    assert not moved[:, 2].any()
    assert moved.sum(axis=1) == pytest.approx(1)
    for rule in ("balanced", "tempered", "probable"):
        assert set(decide(moved, gone, rule)) == {0, 1}
    only = reweighted([[0.0, 0.0, 1.0]], OLD, gone)
    assert only.sum() == pytest.approx(1)
    assert only[0, 2] == 0


def test_rows_of_nan_stay_nan():
    moved = reweighted([[np.nan] * 3, [0.2, 0.3, 0.5]], OLD, NEW)
    assert np.isnan(moved).all(axis=1).tolist() == [True, False]
    assert decide(moved, NEW, "balanced")[0] == -1


def test_the_frequencies_of_a_sample_are_recovered():
    x = sample(NEW, 20_000, seed=1)
    estimate = estimated_priors(posterior(x, OLD), OLD)
    assert estimate == pytest.approx(NEW, abs=0.03)
    # The estimate is a fixed point: the mean of the moved probabilities.
    assert reweighted(posterior(x, OLD), OLD, estimate).mean(axis=0) == pytest.approx(
        estimate, abs=1e-6
    )


def test_the_estimate_has_the_highest_likelihood():
    x = sample(NEW, 400, seed=2)
    estimate = estimated_priors(posterior(x, OLD), OLD)

    def likelihood(priors):
        return np.log((norm.pdf(x[:, None] - MEANS) * priors).sum(axis=1)).sum()

    rng = np.random.default_rng(3)
    others = [likelihood(rng.dirichlet(200 * estimate + 1)) for _ in range(200)]
    assert likelihood(estimate) >= max(others)


def test_images_without_a_class_are_left_out_of_the_estimate():
    rows = posterior(sample(NEW, 500, seed=4), OLD)
    with_missing = np.concatenate([rows, np.full((7, 3), np.nan)])
    assert np.array_equal(estimated_priors(with_missing, OLD), estimated_priors(rows, OLD))
    with pytest.raises(DataError, match="no image has a class"):
        estimated_priors(with_missing[-7:], OLD)


CLASSES = ["edge-on", "merger", "smooth"]


@pytest.mark.parametrize(
    "priors",
    [
        {"smooth": 5, "edge-on": 3, "merger": 2},
        {"smooth": np.int64(50), "edge-on": np.float32(30), "merger": 20.0},
        [0.3, 0.2, 0.5],
        np.array([3e307, 2e307, 5e307]),
    ],
)
def test_frequencies_are_ordered_and_divided_by_their_sum(priors):
    assert checked_priors(priors, CLASSES) == pytest.approx([0.3, 0.2, 0.5])


def test_classes_that_are_numbers_are_looked_up_by_their_text():
    assert checked_priors({"3": 1, 0: 3}, np.array([0, 3])).tolist() == [0.75, 0.25]


@pytest.mark.parametrize(
    ("priors", "message"),
    [
        ({"smooth": 1, "edge-on": 1}, "class 'merger' has no frequency; give one for each class"),
        (
            {"smooth": 1, "edge on": 1, "merger": 1},
            r"given for 'edge on' \(did you mean 'edge-on'\?\); the classes are edge-on, merger",
        ),
        ([0.5, 0.5, -0.1], "class 'smooth' is -0.1; expected a number of at least 0"),
        ([0.5, 0.5, np.nan], "class 'smooth' is nan"),
        ([0.5, 0.5, np.inf], "class 'smooth' is inf"),
        ({"smooth": "a", "edge-on": 1, "merger": 1}, "class 'smooth' is 'a'"),
        ({"smooth": True, "edge-on": 1, "merger": 1}, "class 'smooth' is True"),
        ({"smooth": None, "edge-on": 1, "merger": 1}, "class 'smooth' is None"),
        ({"smooth": [1], "edge-on": 1, "merger": 1}, "class 'smooth' is"),
        ([0, 0, 0], "all class frequencies are 0"),
        ([0.5, 0.5], r"have shape \(2,\); expected one number for each of 3 classes"),
        (0.5, r"have shape \(\)"),
        (["a", "b", "c"], "class 'edge-on' is 'a'"),
    ],
)
def test_frequencies_that_do_not_fit(priors, message):
    with pytest.raises(DataError, match=message):
        checked_priors(priors, CLASSES)
