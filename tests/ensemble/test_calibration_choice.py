"""Temperature, vector scaling and isotonic calibration, and the choice between them."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax, logit

from galfeat.ensemble import Ensemble
from galfeat.ensemble.calibration import Calibrator
from galfeat.ensemble.calibration_choice import METHODS, fit_calibration
from galfeat.ensemble.isotonic import OWN_CURVE_ROWS, IsotonicCalibrator
from galfeat.pipeline.members import Member

PRIORS = np.array([0.5, 0.3, 0.15, 0.05])


def draw(n, seed, priors=PRIORS, spread=1.5):
    """True log-probabilities and classes drawn from them."""
    rng = np.random.default_rng(seed)
    log_p = log_softmax(rng.normal(size=(n, len(priors))) * spread + np.log(priors), axis=1)
    y = (rng.random((n, 1)) > np.exp(log_p).cumsum(axis=1)).sum(axis=1)
    return log_p, np.minimum(y, len(priors) - 1)


def bent(log_p):
    """Distort the log-odds of two classes by a monotone curve that no straight line undoes."""
    odds = log_p[:, 1] - log_p[:, 0]
    odds = np.where(np.abs(odds) < 1, 4 * odds, np.sign(odds) * (3.9 + 0.1 * np.abs(odds)))
    return log_softmax(np.stack([np.zeros_like(odds), odds], axis=1), axis=1)


def fitted(method, log_p, y):
    folds = np.arange(len(log_p)) % 5
    return fit_calibration(method, np.zeros(log_p.shape[1]), log_p, y, folds)


@pytest.mark.parametrize("slope", [0.4, 1.0, 2.5])
def test_a_planted_temperature_is_recovered(slope):
    log_p, y = draw(6000, seed=0)
    calibrator = Calibrator(np.zeros(4)).fit_temperature(log_softmax(log_p / slope, axis=1), y)
    assert calibrator.slopes == pytest.approx(np.full(4, slope), rel=0.05)
    assert (calibrator.bias == 0).all()


def test_isotonic_calibration_undoes_a_bent_distortion_and_vector_scaling_does_not(log_loss):
    (log_p, y), (fresh, fresh_y) = (draw(20000, seed, np.full(2, 0.5)) for seed in (1, 2))
    losses = {
        method: log_loss(
            np.exp(fitted(method, bent(log_p), y).calibrator.apply(bent(fresh))), fresh_y
        )
        for method in METHODS
    }
    truth = log_loss(np.exp(fresh), fresh_y)
    assert losses["isotonic"] < truth + 0.003
    assert losses["vector"] > truth + 0.01


def test_the_choice_is_the_simplest_with_few_rows_and_the_right_one_with_many():
    few = (draw(60, seed=seed) for seed in range(40))
    chosen = [fitted("auto", 2 * log_p, y).method for log_p, y in few]
    # One standard error leaves a sixth to chance.
    assert chosen.count("temperature") >= 32
    log_p, y = draw(6000, seed=20)
    assert fitted("auto", 2 * log_p, y).method == "temperature"
    tilted = log_softmax(log_p + np.array([0.8, -0.6, 0.4, 0.0]), axis=1)
    assert fitted("auto", tilted, y).method == "vector"
    log_p, y = draw(20000, 21, np.full(2, 0.5))
    assert fitted("auto", bent(log_p), y).method == "isotonic"


def test_the_choice_scores_each_row_by_calibrations_fitted_without_its_fold():
    """Rows that lie about the others of their fold: what is fitted with them would look good."""
    log_p, y = draw(400, seed=22)
    folds = np.arange(400) % 2
    swapped = np.where(folds == 0, (y + 1) % 4, y)
    both = fit_calibration("auto", np.zeros(4), log_p, swapped, folds)
    for fold in (0, 1):
        inside = folds == fold
        calibrator = IsotonicCalibrator(np.zeros(4)).fit(log_p[~inside], swapped[~inside])
        rows = np.arange(inside.sum())
        part = -calibrator.apply(log_p[inside])[rows, swapped[inside]].mean()
        both.losses["isotonic"] -= part / 2
    assert both.losses["isotonic"] == pytest.approx(0.0, abs=1e-12)


def test_thin_classes_share_a_curve():
    log_p, y = draw(1400, 3, np.array([0.475, 0.475, 0.025, 0.025]))
    counts = np.bincount(y)
    assert (counts[2:] < OWN_CURVE_ROWS).all()
    assert counts[2:].sum() >= OWN_CURVE_ROWS
    calibrator = IsotonicCalibrator(np.zeros(4)).fit(log_p, y)
    assert calibrator.curve_of_class.tolist() == [0, 1, 2, 2]
    # Overconfidence planted in one thin class bends the curve of the other thin class.
    louder = log_p.copy()
    louder[:, 3] += 2.0
    other = IsotonicCalibrator(np.zeros(4)).fit(louder, y)
    assert not np.array_equal(other.curves[2], calibrator.curves[2])


def test_too_few_rows_of_all_thin_classes_use_a_curve_of_all_classes():
    log_p, y = draw(600, 4, np.array([0.5, 0.47, 0.03]))
    calibrator = IsotonicCalibrator(np.zeros(3)).fit(log_p, y)
    assert np.bincount(y)[2] < OWN_CURVE_ROWS
    scaled = calibrator.linear.apply(log_p)
    before = calibrator.curves[2][0]
    # The points of the curve cover the probabilities of the large classes.
    assert before.max() > logit(np.exp(scaled[:, 2]).max())


@pytest.mark.parametrize("method", [*METHODS, "auto"])
@pytest.mark.parametrize("n", [2, 9, 60, 3000])
def test_probabilities_sum_to_one_are_positive_and_keep_their_order(method, n):
    log_p, y = draw(n, seed=5)
    y[:2] = 0, 1
    calibrator = fitted(method, 3 * log_p, y).calibrator
    odds = np.linspace(-40, 40, 401)
    extreme = np.column_stack([np.log(expit(odds)), *[np.log(expit(-odds) / 3)] * 3])
    extreme = np.maximum(extreme, np.log(1e-7))
    for code in range(4):
        result = np.exp(calibrator.apply(np.roll(extreme, code, axis=1)))
        assert result.sum(axis=1) == pytest.approx(1.0)
        assert (result > 0).all()
        assert np.isfinite(np.log(result)).all()
        assert (np.diff(result[:, code]) >= -1e-12).all()


def test_curves_never_descend():
    for seed in range(5):
        log_p, y = draw(800, seed=seed)
        calibrator = IsotonicCalibrator(np.zeros(4)).fit(bent(log_p[:, :2]) @ np.eye(2, 4), y)
        for before, after in calibrator.curves:
            assert (np.diff(before) > 0).all()
            assert (np.diff(after) >= 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_fractions_of_one_are_labels(method):
    log_p, y = draw(700, seed=6)
    hard, soft = (fitted(method, 2 * log_p, part).calibrator for part in (y, np.eye(4)[y]))
    assert soft.apply(log_p) == pytest.approx(hard.apply(log_p), abs=1e-6)


@pytest.mark.parametrize("method", [*METHODS, "auto"])
def test_calibration_recovers_fractions_of_votes(method):
    log_p, _ = draw(3000, seed=7)
    rng = np.random.default_rng(8)
    votes = rng.multinomial(40, np.exp(log_p)) / 40
    found = fitted(method, log_softmax(2.5 * log_p, axis=1), votes).calibrator
    repaired = np.exp(found.apply(log_softmax(2.5 * log_p, axis=1)))
    assert np.abs(repaired - np.exp(log_p)).mean() < 0.02


@pytest.mark.parametrize("method", [*METHODS, "auto"])
def test_the_order_of_the_classes_does_not_matter(method):
    log_p, y = draw(900, seed=9)
    order = np.array([2, 0, 3, 1])
    straight = fitted(method, 2 * log_p, y)
    turned = fitted(method, 2 * log_p[:, order], np.argsort(order)[y])
    assert turned.method == straight.method
    expected = straight.calibrator.apply(log_p)[:, order]
    assert turned.calibrator.apply(log_p[:, order]) == pytest.approx(expected, abs=1e-4)


def test_unfitted_it_is_the_analytic_prior_shift():
    shift = np.log(PRIORS * 4)
    log_p, _ = draw(20, seed=10)
    expected = Calibrator(shift).apply(log_p)
    assert IsotonicCalibrator(shift).apply(log_p) == pytest.approx(expected)


@pytest.mark.parametrize("method", ["temperature", "isotonic", "auto"])
def test_the_number_of_jobs_does_not_change_a_bit(method):
    log_p, y = draw(300, seed=11)
    members = (Member("logistic"), Member("lightgbm", {"n_estimators": 5}))
    one, two = (
        Ensemble(members, combine="stack", calibration=method, n_jobs=jobs)
        .fit(log_p, y)
        .predict_proba(log_p)
        for jobs in (1, 2)
    )
    assert one.tobytes() == two.tobytes()
