import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from galfeat.ensemble import Ensemble
from galfeat.errors import DataError, GalfeatWarning, PipelineError
from galfeat.pipeline import Member

TREES = Member("lightgbm", {"n_estimators": 20, "num_leaves": 7, "min_child_samples": 5})
FOREST = Member("extra-trees", {"n_estimators": 30})
LOGISTIC = Member("logistic", {"C": 0.1})
VECTORS = Member("svm")
ALL = (
    TREES,
    Member("xgboost", {"n_estimators": 15, "max_depth": 3}),
    FOREST,
    Member("random-forest", {"n_estimators": 20}),
    Member("balanced-forest", {"n_estimators": 20}),
    LOGISTIC,
    VECTORS,
)


@pytest.mark.parametrize("combine", ["average", "stack"])
def test_the_number_of_jobs_does_not_change_a_bit(combine, make_table):
    X, y = make_table(300, [0.5, 0.3, 0.2])
    fresh, _ = make_table(2500, [0.5, 0.3, 0.2], seed=1)  # more than one block
    one, two = (
        Ensemble(ALL, combine=combine, folds=3, n_jobs=n_jobs).fit(X, y).predict_proba(fresh)
        for n_jobs in (1, 2)
    )
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("combine", ["average", "stack"])
def test_a_prediction_does_not_depend_on_the_other_rows(combine, make_table):
    X, y = make_table(300, [0.5, 0.3, 0.2])
    fresh, _ = make_table(300, [0.5, 0.3, 0.2], seed=1)
    few = [np.arange(X.shape[1])] * (len(ALL) - 2) + [np.arange(X.shape[1] - 1)] * 2
    ensemble = Ensemble(ALL, combine=combine, folds=2).fit(X, y, columns=few)
    whole = ensemble.predict_proba(fresh)
    order = np.random.default_rng(2).permutation(300)
    assert ensemble.predict_proba(fresh[order]).tobytes() == whole[order].tobytes()
    for size in (1, 7, 63, 64, 65, 129):
        parts = [ensemble.predict_proba(fresh[k : k + size]) for k in range(0, 130, size)]
        assert np.concatenate(parts)[:130].tobytes() == whole[:130].tobytes()


def test_another_seed_gives_another_ensemble(make_table):
    X, y = make_table(200, [0.5, 0.5])
    seeds = [Ensemble((FOREST,), random_state=seed).fit(X, y).predict_proba(X) for seed in (0, 1)]
    assert not np.array_equal(*seeds)


def test_a_pickled_ensemble_predicts_the_same(make_table):
    X, y = make_table(200, [0.5, 0.3, 0.2])
    ensemble = Ensemble(ALL, combine="stack", folds=2).fit(X, y)
    copy = pickle.loads(pickle.dumps(ensemble))
    assert copy.predict_proba(X).tobytes() == ensemble.predict_proba(X).tobytes()


def test_a_clone_has_the_parameters_and_nothing_fitted(make_table):
    X, y = make_table(100, [0.5, 0.5])
    ensemble = Ensemble((FOREST,), folds=3, decision="probable").fit(X, y)
    copy = clone(ensemble)
    assert copy.get_params() == ensemble.get_params()
    assert not hasattr(copy, "classes_")


def test_probabilities_are_calibrated_where_the_member_is_not(make_table, log_loss):
    X, y = make_table(500, [0.5, 0.3, 0.2], distance=1.0)
    fresh, fresh_y = make_table(4000, [0.5, 0.3, 0.2], distance=1.0, seed=3)
    sure = Member("lightgbm", {"n_estimators": 200, "min_child_samples": 5, "max_bin": 15})
    calibrated, raw = (
        log_loss(Ensemble((sure,), calibration=method).fit(X, y).predict_proba(fresh), fresh_y)
        for method in ("vector", "none")
    )
    assert raw > 1.5
    assert calibrated < 1.0


def test_without_calibration_a_single_member_is_unchanged(make_table):
    X, y = make_table(200, [0.5, 0.5])
    ensemble = Ensemble((LOGISTIC,), calibration="none").fit(X, y)
    assert ensemble.predict_proba(X) == pytest.approx(ensemble.members_[0].predict_proba(X))


def test_the_decision_rule_changes_the_class_and_not_the_probability(make_table):
    X, y = make_table(800, [0.9, 0.1], distance=1.0)
    balanced, probable = (
        Ensemble((LOGISTIC,), decision=rule).fit(X, y) for rule in ("balanced", "probable")
    )
    assert np.array_equal(balanced.predict_proba(X), probable.predict_proba(X))
    assert np.mean(balanced.predict(X) == 1) > 2 * np.mean(probable.predict(X) == 1)


def test_groups_are_kept_on_one_side(log_loss):
    """Features encode the group, which only helps if folds split groups."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(100), 4)
    y = np.repeat(rng.integers(0, 2, size=100), 4)
    X = np.repeat(rng.normal(size=(100, 5)), 4, axis=0) + 0.001 * rng.normal(size=(400, 5))
    fresh, fresh_y = rng.normal(size=(2000, 5)), rng.integers(0, 2, size=2000)
    together, apart = (
        log_loss(Ensemble((FOREST,)).fit(X, y, groups=given).predict_proba(fresh), fresh_y)
        for given in (groups, None)
    )
    assert together < np.log(2) + 0.03
    assert apart > together + 0.05


def test_a_class_in_one_group_is_fitted_with_a_warning(make_table):
    X, y = make_table(200, [0.6, 0.4])
    groups = np.where(y == 1, "one", "").astype(str)
    with pytest.warns(GalfeatWarning, match="all rows of class 1 share one group"):
        ensemble = Ensemble((FOREST, LOGISTIC), combine="stack").fit(X, y, groups=groups)
    assert ensemble.predict_proba(X).sum(axis=1) == pytest.approx(np.ones(200))


def test_a_class_of_two_rows_does_not_make_the_folds_fewer(make_table):
    X, y = make_table(200, [0.99, 0.01], distance=4.0)
    ensemble = Ensemble((LOGISTIC,), folds=5).fit(X, y)
    assert ensemble.predict_proba(X)[y == 1].min(axis=1) == pytest.approx([0, 0], abs=0.5)


def test_a_class_of_one_row_is_named():
    with pytest.raises(DataError, match="class 'ring' has only one row"):
        Ensemble((FOREST,)).fit(np.zeros((5, 2)), ["disc"] * 4 + ["ring"])


def test_one_class_is_not_enough():
    with pytest.raises(DataError, match="only one class, 'disc'"):
        Ensemble((FOREST,)).fit(np.zeros((5, 2)), ["disc"] * 5)


def test_an_uninformative_table_gives_the_priors():
    y = np.repeat([0, 1, 2], [60, 30, 10])
    for X in (np.full((100, 3), np.nan), np.ones((100, 3))):
        for member in ALL:
            probabilities = Ensemble((member,), folds=3).fit(X, y).predict_proba(X)
            assert probabilities == pytest.approx(np.tile([0.6, 0.3, 0.1], (100, 1)), abs=0.06)


def test_infinity_is_rejected():
    X = np.zeros((10, 2))
    X[3, 1] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        Ensemble((FOREST,)).fit(X, [0, 1] * 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"combine": "vote"}, "combine is 'vote'; it should be one of none, average, stack"),
        ({"balance": "adasyn"}, "balance is 'adasyn'"),
        ({"calibration": "platt"}, "calibration is 'platt'"),
        ({"decision": "fair"}, "decision is 'fair'"),
        ({"folds": 1}, "folds is 1; give at least 2"),
        ({"members": (FOREST, TREES)}, "'none' with 2 members"),
        ({"members": ()}, "with 0 members"),
        ({"members": (Member("tree"),)}, "kind 'tree' is not known"),
    ],
)
def test_invalid_settings_are_errors(settings, message, make_table):
    X, y = make_table(60, [0.5, 0.5])
    with pytest.raises(PipelineError, match=message):
        Ensemble(**settings).fit(X, y)


def test_fitting_prints_nothing(make_table, capfd):
    X, y = make_table(120, [0.7, 0.3])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Ensemble(ALL, combine="stack", folds=2, n_jobs=2).fit(X, y).predict(X)
    assert capfd.readouterr() == ("", "")
