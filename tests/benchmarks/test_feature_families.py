"""The parts of the benchmark of feature families that need no fit."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from galfeat.evaluate.comparison.paired import OutOfFold
from galfeat.evaluate.metrics import log_loss
from galfeat.experiments.fits import LabelledRows
from galfeat.features import FeatureTable

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
MODULES = ("family_fits", "family_pairs", "family_limits")


@pytest.fixture(scope="module")
def modules():
    """The modules of the script, which is not part of the package."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: importlib.import_module(name) for name in MODULES}
    finally:
        sys.path.remove(str(FOLDER))
        for name in MODULES:
            sys.modules.pop(name, None)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_area_agrees_with_scikit_learn_with_ties(modules, rng):
    truth = rng.random(200) < 0.3
    score = np.round(rng.normal(size=200) + truth, 1)
    assert modules["family_pairs"].area(truth, score) == pytest.approx(roc_auc_score(truth, score))


def test_standard_error_is_the_scatter_of_areas(modules, rng):
    pairs = modules["family_pairs"]
    truth = np.arange(120) < 40
    areas = [pairs.area(truth, rng.normal(size=120) + truth) for _ in range(400)]
    assert pairs.standard_error(np.mean(areas), truth) == pytest.approx(np.std(areas), rel=0.15)


def test_log_odds_do_not_depend_on_other_classes(modules):
    probabilities = np.array([[0.2, 0.3, 0.5], [0.4, 0.6, 0.0]])
    np.testing.assert_allclose(
        modules["family_pairs"].log_odds(probabilities, 0, 1), np.log([1.5, 1.5])
    )


def test_calibration_corrects_overconfidence(modules, rng):
    probabilities = rng.dirichlet([1.0, 1.0, 1.0], 3000)
    y = np.array([rng.choice(3, p=row) for row in probabilities])
    sharp = probabilities**3 / (probabilities**3).sum(axis=1, keepdims=True)
    order = rng.permutation(3000)
    splits = [
        (0, i, np.sort(order[order % 2 != i]), np.sort(order[order % 2 == i])) for i in (0, 1)
    ]
    galaxies = LabelledRows(y, ["a", "b", "c"], y.astype(str), splits, "")
    raw = {(1.0, "original"): OutOfFold(sharp[None], sharp.argmax(axis=1)[None])}
    (own,) = modules["family_fits"].calibrated(galaxies, raw)[1.0, "original"].probabilities
    assert float(log_loss(y, own)) == pytest.approx(float(log_loss(y, probabilities)), abs=5e-3)
    assert float(log_loss(y, own)) < float(log_loss(y, sharp)) - 0.1


def test_columns_of_some_families_keep_the_flags(modules):
    names = ("hog.a", "colour.b", "shape.c", "flags")
    table = FeatureTable(np.arange(8, dtype=np.float32).reshape(2, 4), names, np.zeros((2, 16)), {})
    part = modules["family_fits"].columns_of(table, ("shape", "hog"))
    assert part.names == ("hog.a", "shape.c", "flags")
    assert part.values.tolist() == [[0.0, 2.0, 3.0], [4.0, 6.0, 7.0]]


def test_the_stated_share_of_labels_is_replaced(modules):
    limits = modules["family_limits"]
    y = np.arange(1000) % 4
    wrong, changed = limits.plant(y, 4, seed=1)
    assert changed.sum() == 50
    assert ((wrong != y) == changed).all()
    assert set(wrong) == {0, 1, 2, 3}


def test_confident_learning_suspects_a_contradicted_label(modules):
    y = np.array([0] * 10 + [1] * 10)
    probabilities = np.where(y[:, None] == [0, 1], 0.9, 0.1)
    probabilities[3] = 0.05, 0.95
    assert np.flatnonzero(modules["family_limits"].suspected(y, probabilities)).tolist() == [3]


def test_matched_rows_have_the_same_classes(modules, rng):
    y = rng.integers(0, 3, 300)
    collection = np.where(rng.random(300) < 0.8, "many", "few")
    drawn = modules["family_limits"].matched_rows(y, collection, ("many", "few"), 0)
    counts = [np.bincount(y[rows]).tolist() for rows in drawn.values()]
    assert counts[0] == counts[1] == np.bincount(y[collection == "few"]).tolist()
    assert set(collection[drawn["many"]]) == {"many"}


def test_confusion_shares(modules):
    y = np.array([0, 0, 1, 1, 2, 2])
    predicted = np.array([[1, 0, 0, 1, 2, 2], [0, 0, 2, 1, 1, 2]])
    assert modules["family_limits"].confusion_shares(y, predicted, 3) == {(0, 1): 0.5, (1, 2): 0.5}
