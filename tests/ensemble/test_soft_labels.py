"""Ensembles fitted to fractions of votes."""

import numpy as np
import pytest

from galfeat.ensemble import Ensemble, balance, member_fits
from galfeat.ensemble.soft_labels import (
    checked_fractions,
    class_totals,
    cross_entropy,
    stratification_labels,
    weighted_rows,
)
from galfeat.errors import DataError, GalfeatWarning, PipelineError
from galfeat.pipeline import Member

LOGISTIC = Member("logistic", {"C": 0.1})
TREES = Member("lightgbm", {"n_estimators": 20, "num_leaves": 7, "min_child_samples": 5})
MEMBERS = (
    TREES,
    Member("xgboost", {"n_estimators": 15, "max_depth": 3}),
    Member("extra-trees", {"n_estimators": 30}),
    Member("random-forest", {"n_estimators": 30}),
    Member("balanced-forest", {"n_estimators": 30}),
    LOGISTIC,
    Member("svm"),
)


def one_hot(y):
    return np.eye(y.max() + 1)[y]


@pytest.fixture
def vote():
    """Galaxies whose true probabilities follow from one feature, and 20 votes for each."""

    def make(n, volunteers=20, seed=0):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, 4)).astype(np.float32)
        scores = np.stack([2 * X[:, 0], np.zeros(n), -2 * X[:, 0] - 1], axis=1)
        truth = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        votes = np.stack([rng.multinomial(volunteers, p) for p in truth]) / volunteers
        return X, votes, truth

    return make


def test_each_galaxy_counts_once_in_total():
    fractions = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])
    copies = weighted_rows(fractions)
    assert copies.rows.tolist() == [0, 0, 1, 2, 2, 2]
    assert copies.codes.tolist() == [0, 1, 0, 0, 1, 2]
    assert np.bincount(copies.rows, weights=copies.weights) == pytest.approx([1, 1, 1])


def test_balanced_copies_have_equal_totals_or_equal_means():
    fractions = np.array([[0.9, 0.1], [0.8, 0.2], [1.0, 0.0]])
    equal = weighted_rows(fractions, equal_classes=True)
    assert np.bincount(equal.codes, weights=equal.weights) == pytest.approx([1.5, 1.5])
    mean = weighted_rows(fractions, equal_rows=True)
    totals = np.bincount(mean.codes, weights=mean.weights)
    assert totals / np.bincount(mean.codes) == pytest.approx([0.6, 0.6])


def test_negligible_fractions_are_dropped():
    checked = checked_fractions([[0.995, 0.005], [0.5, 0.5]], 2)
    assert checked.tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_the_cross_entropy_of_certain_votes_is_the_log_loss():
    rng = np.random.default_rng(0)
    log_p = np.log(rng.dirichlet(np.ones(3), 50))
    y = rng.integers(0, 3, 50)
    hard, soft = (cross_entropy(log_p, targets) for targets in (y, one_hot(y)))
    assert soft[0] == pytest.approx(hard[0])
    assert soft[1] == pytest.approx(hard[1])
    assert class_totals(one_hot(y), 3) == pytest.approx(class_totals(y, 3))


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.kind)
def test_certain_votes_give_the_fit_to_labels(member, make_table):
    X, y = make_table(300, [0.5, 0.3, 0.2])
    hard = Ensemble((member,), folds=3).fit(X, y)
    soft = Ensemble((member,), folds=3).fit_soft(X, one_hot(y))
    assert soft.priors_ == pytest.approx(hard.priors_)
    differences = np.abs(soft.predict_proba(X) - hard.predict_proba(X))
    if member.kind == "random-forest":  # draws other rows if they have weights
        assert differences.mean() < 0.05
    else:
        assert differences.max() < 2e-3


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.kind)
def test_every_member_learns_the_fractions(member, vote):
    X, votes, _ = vote(400)
    fresh, _, truth = vote(500, seed=1)
    p = Ensemble((member,), folds=3).fit_soft(X, votes).predict_proba(fresh)
    assert np.abs(p - truth).mean() < 0.1


@pytest.mark.parametrize("combine", ["average", "stack"])
def test_combinations_are_fitted_to_fractions(combine, vote):
    X, votes, _ = vote(400)
    fresh, _, truth = vote(500, seed=1)
    ensemble = Ensemble((TREES, LOGISTIC), combine=combine, folds=3).fit_soft(X, votes)
    assert np.abs(ensemble.predict_proba(fresh) - truth).mean() < 0.06
    assert ensemble.priors_ == pytest.approx(votes.mean(axis=0), abs=0.01)


def test_fractions_tell_more_than_the_class_with_most_votes(vote):
    X, votes, _ = vote(300)
    fresh, _, truth = vote(2000, seed=1)
    losses = [
        -(truth * np.log(fitted.predict_proba(fresh))).sum(axis=1).mean()
        for fitted in (
            Ensemble((LOGISTIC,)).fit_soft(X, votes),
            Ensemble((LOGISTIC,)).fit(X, votes.argmax(axis=1)),
        )
    ]
    assert losses[0] < losses[1]


def test_class_weights_are_undone_by_the_calibration(vote):
    X, votes, _ = vote(400)
    fresh, _, truth = vote(500, seed=1)
    for calibration in ("none", "temperature", "vector", "isotonic", "auto"):
        ensemble = Ensemble((LOGISTIC,), balance="class-weight", calibration=calibration)
        p = ensemble.fit_soft(X, votes).predict_proba(fresh)
        assert p.mean(axis=0) == pytest.approx(truth.mean(axis=0), abs=0.05)


def test_copies_of_a_galaxy_never_predict_it(vote, monkeypatch):
    X, votes, _ = vote(60)
    X[:, 3] = np.arange(60)
    groups = np.arange(60) // 3
    fits = []

    def fit_weighted(estimator, table, y, weight):
        fits.append(set((table[:, 3] // 3).astype(int)))
        return original(estimator, table, y, weight)

    original = balance._fit_weighted
    monkeypatch.setattr(balance, "_fit_weighted", fit_weighted)
    predicted = []

    def log_probabilities(estimator, table):
        predicted.append(table[:, 3].astype(int))
        return balance.log_probabilities(estimator, table)

    monkeypatch.setattr(member_fits, "log_probabilities", log_probabilities)
    Ensemble((LOGISTIC,), folds=4).fit_soft(X, votes, groups)
    assert fits[0] == set(range(20))  # the fit to all rows
    for fitted, rows in zip(fits[1:], predicted, strict=True):
        assert not fitted & set(rows // 3)
    # The calibration sees each galaxy once.
    assert sorted(np.concatenate(predicted)) == list(range(60))


def test_the_number_of_jobs_does_not_change_a_bit(vote):
    X, votes, _ = vote(200)
    one, two = (
        Ensemble(MEMBERS, combine="stack", folds=2, n_jobs=jobs).fit_soft(X, votes).predict_proba(X)
        for jobs in (1, 2)
    )
    assert one.tobytes() == two.tobytes()


def test_classes_without_votes_are_left_out(vote):
    X, votes, _ = vote(100)
    wide = np.insert(votes, 1, 0.0, axis=1)
    ensemble = Ensemble((LOGISTIC,)).fit_soft(X, wide, class_names=["a", "b", "c", "d"])
    assert ensemble.classes_.tolist() == [0, 2, 3]
    same = Ensemble((LOGISTIC,)).fit_soft(X, votes)
    assert ensemble.predict_proba(X).tobytes() == same.predict_proba(X).tobytes()


def test_rare_classes_are_spread_over_folds():
    fractions = np.array([[0.9, 0.1]] * 4 + [[1.0, 0.0]] * 20)
    assert stratification_labels(fractions).tolist() == [1] * 4 + [0] * 20
    assert stratification_labels(one_hot(np.array([0, 2, 1]))).tolist() == [0, 2, 1]


def test_a_class_in_one_group_is_not_calibrated(vote):
    X, votes, _ = vote(60)
    votes = np.column_stack([votes[:, 0], votes[:, 1:].sum(axis=1), np.zeros(60)])
    votes[:3] = [0.5, 0.0, 0.5]
    groups = np.concatenate([np.zeros(3, int), np.arange(1, 58)])
    with pytest.warns(GalfeatWarning, match="all rows of class 2 share one group"):
        Ensemble((LOGISTIC,)).fit_soft(X, votes, groups)


@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ([[0.5, 0.5]], r"shape \(1, 2\); expected one row of fractions for each of 3"),
        ([0, 1, 1], "expected one row of fractions"),
        ([[0.5, 0.5]] * 2 + [[0.5, 0.6]], "row 2 are"),
        ([[0.5, 0.5]] * 2 + [[np.nan, np.nan]], "leave out galaxies without votes"),
        ([[0.5, 0.5]] * 2 + [[-0.5, 1.5]], "at least 0"),
        ([[1.0, 0.0]] * 3, "only one class"),
        ([[0.5, 0.5], [1.0, 0.0], [1.0, 0.0]], "class 1 has only one row"),
    ],
)
def test_invalid_fractions_are_errors(fractions, message):
    with pytest.raises(DataError, match=message):
        Ensemble((LOGISTIC,)).fit_soft(np.zeros((3, 2)), fractions)


@pytest.mark.parametrize("method", ["over", "under", "smote", "bagging"])
def test_balancing_that_draws_rows_is_an_error(method, vote):
    X, votes, _ = vote(40)
    with pytest.raises(PipelineError, match="draws rows of one class each"):
        Ensemble((LOGISTIC,), balance=method).fit_soft(X, votes)
