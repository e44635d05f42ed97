import pickle

import numpy as np
import pytest

from galfeat.errors import PipelineError
from galfeat.pipeline.members import KINDS, Member, parameter_names

CHEAP = {
    "lightgbm": {"n_estimators": 20, "num_leaves": 7, "min_child_samples": 5, "max_bin": 63},
    "xgboost": {"n_estimators": 20, "max_depth": 3, "max_bin": 63},
    "extra-trees": {"n_estimators": 50},
    "random-forest": {"n_estimators": 50},
    "balanced-forest": {"n_estimators": 50},
    "logistic": {"C": 0.1},
    "svm": {"C": 1.0},
}
#: Members that accept any table; see test_cnn.py for the one that only accepts pixels.
TABLE_KINDS = [kind for kind in KINDS if kind not in ("cnn", "network")]


@pytest.fixture(params=TABLE_KINDS)
def member(request):
    return Member(request.param, CHEAP[request.param])


def test_it_learns_from_a_table_with_missing_values(member, make_table):
    X, y = make_table(600, [0.4, 0.3, 0.3], distance=3.0)
    X[np.random.default_rng(1).random(X.shape) < 0.05] = np.nan
    X[:, 7] = np.nan  # always missing
    X[:, 8] = 4.0  # constant
    X[:, 9] *= 1e30  # squares overflow float32
    probabilities = member.build(random_state=0).fit(X[:400], y[:400]).predict_proba(X[400:])
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(200), abs=1e-5)
    assert np.mean(probabilities.argmax(axis=1) == y[400:]) > 0.8


def test_the_same_seed_gives_the_same_bits(member, make_table):
    X, y = make_table(200, [0.5, 0.3, 0.2])
    first, second = (member.build(random_state=3).fit(X, y).predict_proba(X) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_one_row_or_many_give_the_same(member, make_table):
    X, y = make_table(200, [0.5, 0.5])
    fitted = member.build(random_state=0).fit(X, y)
    rows = np.concatenate([fitted.predict_proba(X[row : row + 1]) for row in range(20)])
    assert rows == pytest.approx(fitted.predict_proba(X)[:20], abs=1e-12)


@pytest.mark.parametrize("kind", [kind for kind in TABLE_KINDS if kind != "svm"])
def test_it_is_saved_without_the_rows_it_was_fitted_on(kind, make_table):
    X, y = make_table(4000, [0.5, 0.5], columns=30, distance=6.0)
    member = Member(kind, {**CHEAP[kind], **trees_of_one_split(kind)})
    assert len(pickle.dumps(member.build(random_state=0).fit(X, y))) < X.nbytes / 3


def trees_of_one_split(kind):
    return {"max_depth": 1} if kind.endswith(("trees", "forest")) else {}


@pytest.mark.parametrize("kind", ["extra-trees", "random-forest", "balanced-forest"])
def test_a_forest_is_scikit_learns_with_one_more_vote(kind, make_table):
    X, y = make_table(300, [0.6, 0.3, 0.1])
    forest = Member(kind, CHEAP[kind]).build(random_state=0).fit(X, y)
    library = super(type(forest).__mro__[1], forest).predict_proba(X)
    assert forest.predict_proba(X) * 51 == pytest.approx(library * 50 + 1 / 3)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("n_classes", [2, 4])
def test_lightgbm_agrees_with_its_own_class(n_classes, make_table):
    X, y = make_table(200, np.full(n_classes, 1 / n_classes))
    fitted = Member("lightgbm", CHEAP["lightgbm"]).build(random_state=0).fit(X, y)
    assert np.array_equal(fitted.predict_proba(X), super(type(fitted), fitted).predict_proba(X))


@pytest.mark.parametrize("n_classes", [2, 4])
def test_xgboost_agrees_with_its_own_class_before_and_after_saving(n_classes, make_table):
    X, y = make_table(200, np.full(n_classes, 1 / n_classes))
    fitted = Member("xgboost", CHEAP["xgboost"]).build(random_state=0).fit(X, y)
    library = super(type(fitted), fitted).predict_proba(X)
    saved = pickle.dumps(fitted)
    assert b"xgboost.core" not in saved
    for one in (fitted, pickle.loads(saved)):
        assert np.array_equal(one.predict_proba(X), library)
        assert np.array_equal(one.feature_importances_, fitted.feature_importances_)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_linear_member_agrees_with_scikit_learn(n_classes, make_table):
    X, y = make_table(200, np.full(n_classes, 1 / n_classes))
    scaler, fitted = (step for _, step in Member("logistic").build(random_state=0).fit(X, y).steps)
    scaled = scaler.transform(X)
    library = super(type(fitted), fitted).predict_proba(scaled)
    assert fitted.predict_proba(scaled) == pytest.approx(library, abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_support_vectors_predict_the_same_class_as_scikit_learn(n_classes, make_table):
    X, y = make_table(400, np.full(n_classes, 1 / n_classes), distance=3.0)
    fitted = Member("svm").build(random_state=0).fit(X, y)
    same = fitted.predict_proba(X).argmax(axis=1) == fitted.predict(X)
    assert same.mean() > 0.98


def test_shipped_parameters_are_offered_and_galfeats_own_are_not():
    assert {"n_estimators", "max_bin", "colsample_bytree"} <= set(parameter_names("lightgbm"))
    for kind in KINDS:
        assert not {"n_jobs", "random_state", "class_weight"} & set(parameter_names(kind))


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (Member("lightgmb"), "kind 'lightgmb' is not known; use one of xgboost, lightgbm"),
        (Member("lightgbm", {"n_estimator": 5}), "did you mean 'n_estimators'"),
        (Member("xgboost", {"n_jobs": 2}), "no parameter 'n_jobs'"),
        (Member("xgboost", {"max_depth": "deep"}), "does not take"),
        (Member("lightgbm", {"learning_rate": -1.0}), "learning_rate"),
        (Member("lightgbm", {"n_estimators": "many"}), "does not take"),
        (Member("random-forest", {"n_estimators": 0}), "n_estimators"),
        (Member("extra-trees", {"max_features": "root"}), "max_features"),
        (Member("logistic", {"C": "strong"}), "'C' parameter"),
        (Member("svm", {"kernel": "square"}), "kernel"),
        (Member("cnn", {"optimizer": "adam"}), "did you mean 'optimiser'"),
        (Member("cnn", {"activation": "tanh"}), "activation"),
        (Member("cnn", {"side": 4}), "side"),
    ],
)
def test_invalid_parameters_are_errors(member, message):
    with pytest.raises(PipelineError, match=message):
        member.check()


@pytest.mark.parametrize(
    "member",
    [
        *(Member(kind, params) for kind, params in CHEAP.items()),
        Member("random-forest", {"max_samples": 5000, "max_features": 300}),
        Member("logistic", {"max_iter": 1}),
        Member("lightgbm", {"min_child_samples": 500}),
    ],
    ids=str,
)
def test_valid_parameters_pass(member):
    member.check()
