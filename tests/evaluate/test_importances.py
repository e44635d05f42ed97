import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import BaggingClassifier, ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from galfeat.ensemble import Ensemble
from galfeat.evaluate.importances import column_gains, measure_importances

NAMES = ("shape.gini", "shape.gini.again", "colour.g_r", "noise.a")
FAMILIES = ("shape", "shape", "colour", "noise")


def galaxies(n=900, seed=0):
    """Three classes distinguished by shape, slightly by colour, not by noise."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    shape = y + rng.normal(0, 0.3, n)
    colour = (y == 2) + rng.normal(0, 0.7, n)
    table = np.column_stack([shape, shape + rng.normal(0, 0.01, n), colour, rng.normal(size=n)])
    return table.astype(np.float32), np.array(["a", "b", "c"])[y]


@pytest.fixture(scope="module")
def fitted():
    X, y = galaxies()
    return LogisticRegression().fit(X, y)


def test_families_are_ranked_by_importance(fitted):
    result = measure_importances(fitted, *galaxies(seed=1), NAMES, FAMILIES)
    assert next(iter(result.families)) == "shape"
    assert result.families["shape"][0] > 0.4
    loss, spread = result.families["noise"]
    assert abs(loss) < 0.02
    assert 0 <= spread < 0.02


def test_redundant_columns_are_shuffled_together(fitted):
    X, y = galaxies(seed=1)
    together = measure_importances(fitted, X, y, NAMES, FAMILIES).families["shape"][0]
    apart = measure_importances(fitted, X, y, NAMES, NAMES).families
    assert together > 1.5 * max(apart["shape.gini"][0], apart["shape.gini.again"][0])


def test_importances_are_reproducible_and_do_not_modify_the_table(fitted):
    X, y = galaxies(seed=1)
    before = X.copy()
    first, again = (measure_importances(fitted, X, y, NAMES, FAMILIES, seed=3) for _ in range(2))
    assert first == again
    np.testing.assert_array_equal(X, before)


def test_of_many_galaxies_a_thousand_are_drawn(fitted):
    result = measure_importances(fitted, *galaxies(2500), NAMES, FAMILIES, repeats=2)
    assert result.n == 1000


def test_a_model_without_gain_names_no_columns(fitted):
    assert measure_importances(fitted, *galaxies(90), NAMES, FAMILIES).columns == {}
    assert column_gains(object(), 4) is None


def test_gain_of_an_ensemble_is_found_by_column():
    X, y = galaxies()
    ensemble = Ensemble(folds=2).fit(X, y)
    result = measure_importances(ensemble, *galaxies(seed=1), NAMES, FAMILIES, top=2, repeats=2)
    assert len(result.columns) == 2
    assert next(iter(result.columns)).startswith("shape")
    assert column_gains(ensemble, 4).sum() == pytest.approx(1)


def test_classes_in_any_order_are_scored_alike():
    X, y = galaxies()
    booster = LGBMClassifier(n_estimators=5, verbosity=-1, n_jobs=1).fit(X, y)

    class Reordered:
        classes_ = booster.classes_[::-1]
        predict = staticmethod(booster.predict)

    test = galaxies(seed=1)
    plain = measure_importances(booster, *test, NAMES, FAMILIES, repeats=2)
    assert measure_importances(Reordered(), *test, NAMES, FAMILIES, repeats=2).families == (
        plain.families
    )


def test_gain_is_found_through_pipelines_and_bags():
    X, y = galaxies()
    forest = ExtraTreesClassifier(10, random_state=0)
    pipeline = make_pipeline(StandardScaler(), forest).fit(X, y)
    np.testing.assert_allclose(column_gains(pipeline, 4), forest.feature_importances_)
    bag = BaggingClassifier(DecisionTreeClassifier(), 3, random_state=0).fit(X, y)
    trees = [tree.feature_importances_ for tree in bag.estimators_]
    np.testing.assert_allclose(column_gains(bag, 4), np.mean(trees, axis=0))
    assert column_gains(pipeline, 5) is None
