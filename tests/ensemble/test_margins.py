"""Contributions of features to the margins of a member add up to the margins."""

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.pipeline import make_pipeline

from galfeat.ensemble.balance import fit_member, log_probabilities
from galfeat.ensemble.margins import margin_parts
from galfeat.ensemble.scaling import MedianScaler
from galfeat.pipeline.members import Member

SMALL = {"n_estimators": 15}
NAMED = [
    Member("lightgbm", {**SMALL, "min_child_samples": 5}),
    Member("xgboost", SMALL),
    Member("logistic", {"C": 0.1}),
]


def rows(k, n=150, d=6, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, d)).astype(np.float32)
    y = np.digitize(X[:, 0] + 0.5 * X[:, 1], np.linspace(-0.8, 0.8, k - 1))
    X[random.random(X.shape) < 0.05] = np.nan
    return X, y


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("member", NAMED, ids=lambda member: member.kind)
def test_the_parts_add_up_to_the_margins(member, k):
    X, y = rows(k)
    fitted = fit_member(member, X, y, "none", 0)
    parts = margin_parts(fitted, X)
    assert parts.shape == (150, k, 7)
    from_margins = log_softmax(parts.sum(axis=2), axis=1)
    np.testing.assert_allclose(from_margins, log_probabilities(fitted, X), atol=1e-4)


def test_lightgbm_agrees_with_its_raw_margin():
    X, y = rows(4)
    fitted = fit_member(NAMED[0], X, y, "none", 0)
    raw = fitted.booster_.predict(X, raw_score=True)
    np.testing.assert_allclose(margin_parts(fitted, X).sum(axis=2), raw, atol=1e-4)


@pytest.mark.parametrize("balance", ["class-weight", "smote"])
def test_balanced_members_too(balance):
    X, y = rows(3)
    fitted = fit_member(NAMED[0], X, y, balance, 0)
    from_margins = log_softmax(margin_parts(fitted, X).sum(axis=2), axis=1)
    np.testing.assert_allclose(from_margins, log_probabilities(fitted, X), atol=1e-4)


@pytest.mark.parametrize("member", NAMED, ids=lambda member: member.kind)
def test_uninformative_features_contribute_nothing(member):
    X, y = rows(3)
    X[:, 4] = 1.0
    parts = margin_parts(fit_member(member, X, y, "none", 0), X)
    assert (parts[:, :, 4] == 0.0).all()
    assert np.abs(parts[:, :, 0]).mean() > np.abs(parts[:, :, 5]).mean()


@pytest.mark.parametrize("kind", ["svm", "extra-trees"])
def test_other_members_have_no_contributions(kind):
    X, y = rows(3)
    fitted = fit_member(Member(kind), X, y, "none", 0)
    assert margin_parts(fitted, X) is None
    assert margin_parts(make_pipeline(MedianScaler().fit(X), fitted), X) is None
