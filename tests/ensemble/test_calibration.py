import numpy as np
import pytest
from scipy.special import log_softmax

from galfeat.ensemble.calibration import OWN_TEMPERATURE_ROWS, Calibrator


def draw(n, scores_spread, priors, seed):
    """True log-probabilities and classes drawn from them."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, len(priors))) * scores_spread + np.log(priors)
    log_p = log_softmax(scores, axis=1)
    y = (rng.random((n, 1)) > np.exp(log_p).cumsum(axis=1)).sum(axis=1)
    return log_p, np.minimum(y, len(priors) - 1)


@pytest.mark.parametrize("slope", [0.3, 1.0, 4.0])
def test_a_planted_temperature_and_bias_are_undone(slope, log_loss):
    priors = np.array([0.5, 0.3, 0.15, 0.05])
    bias = np.array([0.4, -0.3, 0.2, -0.3])
    truth, y = draw(6000, 1.5, priors, seed=0)
    fresh, fresh_y = draw(20000, 1.5, priors, seed=1)
    calibrator = Calibrator(np.zeros(4)).fit(log_softmax((truth - bias) / slope, axis=1), y)
    repaired = np.exp(calibrator.apply(log_softmax((fresh - bias) / slope, axis=1)))
    assert calibrator.slopes == pytest.approx(np.full(4, slope), rel=0.12)
    assert log_loss(repaired, fresh_y) < log_loss(np.exp(fresh), fresh_y) + 0.004


def test_what_is_calibrated_stays_as_it_is():
    truth, y = draw(3000, 1.5, np.array([0.6, 0.3, 0.1]), seed=2)
    calibrator = Calibrator(np.zeros(3)).fit(truth, y)
    assert calibrator.slopes == pytest.approx(np.ones(3), abs=0.1)
    assert calibrator.bias - calibrator.bias[0] == pytest.approx(np.zeros(3), abs=0.2)


def test_few_rows_do_little_harm_and_mostly_good(log_loss):
    priors = np.full(10, 0.1)
    losses = []
    for seed in range(40):
        truth, y = draw(60, 1.5, priors, seed=seed)
        fresh, fresh_y = draw(2000, 1.5, priors, seed=1000 + seed)
        calibrator = Calibrator(np.zeros(10)).fit(truth, y)
        losses.append(
            log_loss(np.exp(calibrator.apply(fresh)), fresh_y) - log_loss(np.exp(fresh), fresh_y)
        )
    # The input is the truth itself, so this is the whole price of having fitted.
    assert np.mean(losses) < 0.06
    assert np.max(losses) < 0.15


def test_thin_classes_share_a_temperature_and_large_ones_may_have_their_own():
    priors = np.array([0.48, 0.48, 0.02, 0.02])
    truth, y = draw(15 * OWN_TEMPERATURE_ROWS, 1.5, priors, seed=3)
    counts = np.bincount(y)
    assert (counts[:2] >= OWN_TEMPERATURE_ROWS).all()
    assert (counts[2:] < OWN_TEMPERATURE_ROWS).all()
    distorted = log_softmax(truth * [0.6, 1.4, 1.0, 1.0], axis=1)
    slopes = Calibrator(np.zeros(4)).fit(distorted, y).slopes
    assert slopes[2] == slopes[3]
    assert slopes[0] > slopes[2] > slopes[1]


def test_unfitted_it_is_the_analytic_prior_shift():
    priors = np.array([0.7, 0.2, 0.1])
    likelihood = np.array([[0.5, 0.2, 0.3], [0.1, 0.1, 0.8]])
    balanced = likelihood / likelihood.sum(axis=1, keepdims=True)
    natural = likelihood * priors / (likelihood * priors).sum(axis=1, keepdims=True)
    shifted = np.exp(Calibrator(np.log(priors * 3)).apply(np.log(balanced)))
    assert shifted == pytest.approx(natural)


def test_the_bias_of_a_class_without_evidence_stays_at_the_shift():
    shift = np.log(np.array([1.8, 0.9, 0.3]))
    uninformative = np.full((3, 3), -np.log(3))
    calibrator = Calibrator(shift).fit(uninformative, np.array([0, 0, 1]))
    assert calibrator.bias == pytest.approx(shift, abs=0.35)


def test_mean_probabilities_are_the_class_frequencies():
    priors = np.array([0.8, 0.15, 0.05])
    truth, y = draw(4000, 1.0, priors, seed=4)
    balanced = log_softmax(truth - np.log(priors), axis=1)
    calibrated = np.exp(Calibrator(np.log(priors * 3)).fit(balanced, y).apply(balanced))
    assert calibrated.mean(axis=0) == pytest.approx(np.bincount(y) / len(y), abs=0.005)


def test_predictions_worse_than_none_are_flattened_not_turned_round():
    truth, y = draw(2000, 2.0, np.array([0.5, 0.5]), seed=5)
    calibrator = Calibrator(np.zeros(2)).fit(truth[:, ::-1], y)
    assert (calibrator.slopes >= 0).all()
    assert np.ptp(np.exp(calibrator.apply(truth)), axis=0).max() < 0.1
