import numpy as np
import pytest
from scipy.special import log_softmax

from galfeat.ensemble.combination import Combination


def members_of(y, skills, seed):
    """Log-probabilities of members that observe the class with noise; skill 0 is pure noise."""
    rng = np.random.default_rng(seed)
    own = np.eye(y.max() + 1)[y]
    scores = [skill * own + rng.normal(size=own.shape) for skill in skills]
    return log_softmax(np.stack(scores, axis=1), axis=2)


def fitted(combine, log_p, y, *, calibration="vector"):
    shifts = [np.zeros(log_p.shape[2])] * log_p.shape[1]
    combination = Combination(combine, shifts, calibration=calibration)
    return combination.fit(log_p, y, np.arange(len(y)) % 5)


CLASSES = np.random.default_rng(0).integers(0, 4, size=2000)
FRESH = np.random.default_rng(1).integers(0, 4, size=8000)


def test_a_plain_average_is_the_mean_of_the_probabilities():
    log_p = members_of(CLASSES, [2.0, 1.0], seed=2)
    averaged = np.exp(fitted("average", log_p, CLASSES, calibration="none").apply(log_p))
    assert averaged == pytest.approx(np.exp(log_p).mean(axis=1))


def test_a_temperature_alone_cannot_turn_a_member_without_information_into_priors():
    rng = np.random.default_rng(8)
    log_p = np.log(rng.dirichlet(np.ones(3), size=(900, 1)))
    y = rng.choice(3, size=900, p=[0.6, 0.3, 0.1])
    assert np.exp(fitted("none", log_p, y, calibration="temperature").apply(log_p)).max() < 0.4
    chosen = fitted("none", log_p, y, calibration="auto")
    assert chosen.method == "vector"
    assert np.exp(chosen.apply(log_p)).mean(axis=0) == pytest.approx([0.6, 0.3, 0.1], abs=0.04)


def test_the_stack_prefers_the_informative_member():
    log_p = members_of(CLASSES, [2.0, 0.0, 0.0], seed=3)
    stack = fitted("stack", log_p, CLASSES, calibration="none")
    assert stack.pool.weights[0] > 0.8
    assert stack.pool.weights[1:].max() < 0.15


@pytest.mark.parametrize("combine", ["average", "stack"])
def test_two_independent_members_beat_the_better_one(combine, log_loss):
    log_p, fresh = (members_of(y, [1.5, 1.5], seed) for y, seed in ((CLASSES, 4), (FRESH, 5)))
    both = log_loss(np.exp(fitted(combine, log_p, CLASSES).apply(fresh)), FRESH)
    alone = log_loss(np.exp(fitted("none", log_p[:, :1], CLASSES).apply(fresh[:, :1])), FRESH)
    assert both < alone - 0.1


def test_the_stack_reaches_the_log_loss_of_the_truth(log_loss):
    """With equal Gaussian noise the sum of the members' scores is the sufficient statistic."""
    log_p, fresh = (members_of(y, [1.5, 1.5], seed) for y, seed in ((CLASSES, 6), (FRESH, 7)))
    truth = np.exp(log_softmax(1.5 * fresh.sum(axis=1), axis=1))
    stacked = np.exp(fitted("stack", log_p, CLASSES).apply(fresh))
    assert log_loss(stacked, FRESH) < log_loss(truth, FRESH) + 0.01


@pytest.mark.parametrize(
    ("combine", "method"),
    [
        *((combine, "vector") for combine in ("none", "average", "stack")),
        *((combine, "isotonic") for combine in ("none", "average", "stack")),
        *((combine, "auto") for combine in ("none", "average", "stack")),
        *((combine, "temperature") for combine in ("average", "stack")),
    ],
)
def test_uninformative_members_give_the_priors(combine, method, log_loss):
    rng = np.random.default_rng(8)
    y = rng.choice(3, size=150, p=[0.6, 0.3, 0.1])
    fresh_y = rng.choice(3, size=5000, p=[0.6, 0.3, 0.1])
    n_members = 1 if combine == "none" else 5
    log_p, fresh = (
        np.log(rng.dirichlet(np.ones(3), size=(len(part), n_members))) for part in (y, fresh_y)
    )
    entropy = -np.dot([0.6, 0.3, 0.1], np.log([0.6, 0.3, 0.1]))
    predicted = np.exp(fitted(combine, log_p, y, calibration=method).apply(fresh))
    assert log_loss(predicted, fresh_y) < entropy + 0.03


@pytest.mark.parametrize("method", ["vector", "temperature", "isotonic"])
def test_the_last_calibration_of_a_stack_sees_no_row_the_stack_was_fitted_on(method):
    """Members that are wrong in one fold only, unlike the folds the stack is fitted to.

    So its predictions for that fold are confident and wrong, and the calibration must
    flatten; one fitted on the stack's own rows would find nothing to do.
    """
    y = CLASSES[:500]
    log_p = members_of(y, [3.0, 3.0], seed=9)
    folds = np.arange(500) % 5
    swapped = log_p.copy()
    swapped[folds == 0] = swapped[folds == 0][:, :, ::-1]
    shifts = [np.zeros(4)] * 2
    honest = Combination("stack", shifts, calibration=method).fit(log_p, y, folds)
    warned = Combination("stack", shifts, calibration=method).fit(swapped, y, folds)
    assert honest.pool_calibrator.slopes.mean() > 0.9
    assert warned.pool_calibrator.slopes.mean() < 0.9


def test_nothing_fitted_is_a_plain_mean_in_the_stack_too():
    log_p = members_of(CLASSES[:10], [1.0, 2.0], seed=10)
    unfitted = Combination("stack", [np.zeros(4)] * 2, calibration="vector")
    expected = log_softmax(log_p.mean(axis=1), axis=1)
    assert unfitted.apply(log_p) == pytest.approx(expected)


def test_the_shift_of_balanced_members_is_undone_without_calibration():
    priors = np.array([0.7, 0.2, 0.1])
    balanced = np.log(np.full((2, 2, 3), 1 / 3))
    shifted = Combination("average", [np.log(priors * 3)] * 2, calibration="none").apply(balanced)
    assert np.exp(shifted) == pytest.approx(np.tile(priors, (2, 1)))


@pytest.mark.parametrize("combine", ["none", "average", "stack"])
def test_what_was_chosen_and_why_is_kept(combine):
    log_p = members_of(CLASSES, [1.5] if combine == "none" else [1.5, 1.0], seed=11)
    chosen = fitted(combine, log_p, CLASSES, calibration="auto")
    assert chosen.method in ("temperature", "vector", "isotonic")
    assert set(chosen.losses) == {"temperature", "vector", "isotonic"}
    given = fitted(combine, log_p, CLASSES, calibration=chosen.method)
    assert (given.method, given.losses) == (chosen.method, {})
    if chosen.method != "vector" or combine != "stack":
        assert given.apply(log_p).tobytes() == chosen.apply(log_p).tobytes()


def test_only_an_isotonic_calibration_adds_curves():
    log_p = members_of(CLASSES, [1.5, 1.0], seed=12)
    assert fitted("stack", log_p, CLASSES, calibration="temperature").isotonic_part(log_p) is None
    curved = fitted("stack", log_p, CLASSES, calibration="isotonic")
    linear = curved.apply(log_p) - curved.isotonic_part(log_p)
    assert np.exp(linear).sum(axis=1) == pytest.approx(1.0)
    straight = fitted("stack", log_p, CLASSES, calibration="isotonic")
    straight.pool_calibrator = straight.pool_calibrator.linear
    assert straight.apply(log_p) == pytest.approx(linear)
    assert np.abs(curved.isotonic_part(log_p)).max() > 0.01
