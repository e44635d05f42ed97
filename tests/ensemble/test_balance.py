import numpy as np
import pytest

from galfeat.ensemble import Ensemble
from galfeat.ensemble.balance import fit_member, prior_shift
from galfeat.pipeline import Member
from galfeat.pipeline.pipeline import BALANCE_METHODS

# Simulated galaxies do not make the classes equal; see test_simulated.py.
METHODS = [method for method in BALANCE_METHODS if method != "simulate"]
FOREST = Member("random-forest", {"n_estimators": 60, "min_samples_leaf": 5})
MEMBERS = {
    "lightgbm": {"n_estimators": 10, "num_leaves": 3, "min_child_samples": 5},
    "xgboost": {"n_estimators": 10, "max_depth": 1, "min_child_weight": 0.0},
    "random-forest": {"n_estimators": 30, "max_depth": 1},
    "logistic": {"C": 1e-4},
}  # except the svm, whose margins are not frequencies before calibration


@pytest.mark.parametrize("balance", [method for method in METHODS if method != "none"])
@pytest.mark.parametrize("kind", list(MEMBERS))
def test_balanced_rows_make_the_mean_probabilities_equal(kind, balance):
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1, 2], [300, 75, 25]))
    X = rng.normal(size=(400, 4)).astype(np.float32)  # only the class frequencies can be learned
    fitted = fit_member(Member(kind, MEMBERS[kind]), X, y, balance, 0)
    fresh = rng.normal(size=(500, 4)).astype(np.float32)
    assert fitted.predict_proba(fresh).mean(axis=0) == pytest.approx(np.full(3, 1 / 3), abs=0.09)


def test_a_balanced_forest_balances_the_classes():
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1], [380, 20]))
    X = rng.normal(size=(400, 4)).astype(np.float32)
    member = Member("balanced-forest", {"n_estimators": 100, "max_depth": 2})
    mean = fit_member(member, X, y, "none", 0).predict_proba(X).mean(axis=0)
    assert mean == pytest.approx([0.5, 0.5], abs=0.08)
    assert prior_shift(member, "none", np.array([0.95, 0.05])) == pytest.approx(np.log([1.9, 0.1]))


@pytest.mark.parametrize("balance", METHODS)
def test_classes_smaller_than_the_neighbourhood_work(balance, make_table):
    X, y = make_table(200, [0.8, 0.175, 0.015, 0.01], distance=5.0)
    assert np.bincount(y).tolist() == [160, 35, 3, 2]
    X[::7, 5] = np.nan
    ensemble = Ensemble((FOREST,), balance=balance).fit(X, y)
    assert np.isfinite(ensemble.predict_proba(X)).all()


@pytest.mark.parametrize("balance", METHODS)
def test_probabilities_are_brought_back_to_the_natural_frequencies(balance, make_table):
    X, y = make_table(1500, [0.8, 0.15, 0.05], distance=1.5)
    fresh, _ = make_table(4000, [0.8, 0.15, 0.05], distance=1.5, seed=9)
    ensemble = Ensemble((FOREST,), balance=balance).fit(X, y)
    assert ensemble.priors_ == pytest.approx([0.8, 0.15, 0.05])
    mean = ensemble.predict_proba(fresh).mean(axis=0)
    assert mean == pytest.approx([0.8, 0.15, 0.05], abs=0.03)


@pytest.mark.parametrize("balance", METHODS)
def test_rows_that_are_scored_are_never_resampled(balance, log_loss):
    """Copies of a row on both sides of a split would simulate skill on pure noise."""
    rng = np.random.default_rng(2)
    priors = [0.7, 0.2, 0.1]
    y, fresh_y = rng.choice(3, size=400, p=priors), rng.choice(3, size=4000, p=priors)
    X, fresh = (rng.normal(size=(len(part), 6)) for part in (y, fresh_y))
    deep = Member("extra-trees", {"n_estimators": 50})
    probabilities = Ensemble((deep,), balance=balance).fit(X, y).predict_proba(fresh)
    assert log_loss(probabilities, fresh_y) < -np.dot(priors, np.log(priors)) + 0.04


def test_synthetic_rows_are_between_rows_of_their_class():
    """With two rows at 0 and 1, SMOTE generates rows in between."""
    from galfeat.ensemble.balance import _synthesise

    X = np.concatenate([np.full((20, 1), 9.0), [[0.0], [1.0]]]).astype(np.float32)
    y = np.repeat([0, 1], [20, 2])
    rows, classes = _synthesise(X, y, 0)
    made = rows[len(X) :, 0]
    assert np.bincount(classes).tolist() == [20, 20]
    assert (classes[len(X) :] == 1).all()
    assert ((made >= 0) & (made <= 1)).all()
    assert len(np.unique(made)) > 10
