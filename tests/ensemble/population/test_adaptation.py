"""A classifier for galaxies of another mix of classes, or of another survey."""

import dataclasses
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from galfeat import GalaxyClassifier, open_dataset
from galfeat.data import ArrayDataSet
from galfeat.data.simulation import simulate
from galfeat.ensemble import decide
from galfeat.ensemble.population import reweighted, set_thresholds
from galfeat.errors import DataError, ModelError
from galfeat.pipeline import load_pipeline
from galfeat.predictions import Predictions


@pytest.fixture(scope="module")
def galaxies(simulated):
    return open_dataset(simulated)


@pytest.fixture(scope="module")
def fitted(quick_pipeline, galaxies):
    return GalaxyClassifier(quick_pipeline).fit(galaxies)


@pytest.fixture(scope="module")
def others():
    """Other simulated galaxies, with labels, and a blank image among them."""
    made = simulate(80, seed=31)
    images = [*made.images, np.full((80, 80, 3), 20, np.uint8)]
    labels = [made.class_names[code] for code in made.labels]
    return ArrayDataSet(images, [*labels, "Merging"])


def test_probabilities_and_decisions_follow_the_class_frequencies(fitted, others):
    new = np.linspace(1, 10, 10)
    changed, before = fitted.with_priors(new), fitted.classify(others)
    found = changed.classify(others)
    assert found.priors == pytest.approx(new / new.sum())
    expected = reweighted(before.probabilities, fitted.priors_, new / new.sum())
    same = pytest.approx(expected, abs=1e-15, nan_ok=True)
    assert found.probabilities == same
    rule = fitted.pipeline_.decision
    assert np.array_equal(found.predicted, decide(expected, new / new.sum(), rule))
    assert changed.predict_proba(others.select(range(80))) == pytest.approx(expected[:80])
    assert (found.most_probable != before.most_probable).any()
    assert np.array_equal(found.predicted, before.predicted)  # p / frequency does not change
    tempered = dataclasses.replace(before, decision="tempered")
    moved = tempered.with_priors(new)
    assert np.array_equal(moved.predicted, decide(expected, new / new.sum(), "tempered"))
    assert np.array_equal(fitted.assumed_priors_, fitted.priors_)
    assert changed.priors_ is fitted.priors_
    again = before.with_priors(dict(zip(fitted.classes_, new, strict=True)))
    assert again.probabilities == same
    assert np.array_equal(again.predicted, found.predicted)


def test_the_frequencies_of_the_training_galaxies_change_no_bit(fitted, others):
    before = fitted.classify(others)
    same = fitted.with_priors(np.linspace(1, 2, 10)).with_priors(fitted.priors_)
    assert same.classify(others).probabilities == pytest.approx(
        before.probabilities, abs=1e-15, nan_ok=True
    )
    assert fitted.classify(others).probabilities.tobytes() == before.probabilities.tobytes()


def test_a_clone_and_a_refit_forget_frequencies_and_calibration(fitted, galaxies, others):
    changed = fitted.with_priors(np.linspace(1, 2, 10)).with_calibration(others)
    assert not hasattr(clone(changed), "_assumed_priors")
    changed.fit(galaxies)
    assert np.array_equal(changed.assumed_priors_, changed.priors_)
    assert changed.calibration_rows_.out_of_fold


def test_a_pickled_classifier_keeps_them(fitted, others):
    changed = fitted.with_priors(np.linspace(1, 2, 10)).with_calibration(others)
    back = pickle.loads(pickle.dumps(changed))
    expected = changed.classify(others).with_sets(0.8)
    found = back.classify(others).with_sets(0.8)
    assert found.probabilities.tobytes() == expected.probabilities.tobytes()
    assert np.array_equal(found.in_set, expected.in_set)


def test_a_frequency_of_zero_cannot_be_undone_on_predictions(fitted, others):
    gone = fitted.with_priors([0, *[1] * 9]).classify(others)
    assert not np.nan_to_num(gone.probabilities[:, 0]).any()
    assert 0 not in gone.predicted
    with pytest.raises(DataError, match="'Disturbed' was set to 0, which cannot be undone"):
        gone.with_priors([1] * 10)
    unknown = dataclasses.replace(gone, priors=None)
    with pytest.raises(DataError, match="unknown"):
        unknown.with_priors([1] * 10)


def test_sets_of_a_fit_contain_the_classes_shown(fitted, others):
    found = fitted.classify(others).with_sets(0.6)
    rows = list(found.rows())
    for row, cells in enumerate(rows[:80]):
        names = cells["set"].split(";")
        assert names == list(found.set_of(row))
        assert {cells["class"], cells["most_probable"]} <= set(names)
        assert cells["set_size"] == len(names)
        chances = [cells[f"p_{name}"] for name in names]
        assert chances == sorted(chances, reverse=True)
        assert found.set_note(row).startswith("The 60 % prediction set ")
    assert (rows[80]["set"], rows[80]["set_size"]) == (None, None)
    assert found.set_of(80) == ()
    assert found.set_note(80) is None
    assert list(rows[0])[4:6] == ["set", "set_size"]
    raw = set_thresholds(fitted.calibration_rows_, 0.6).contain(found.probabilities[:80])
    assert (found.in_set[:80] >= raw).all()
    assert len({len(found.set_of(row)) for row in range(80)}) > 1


def test_sets_are_joined_over_batches_and_in_frames(fitted, others):
    found = fitted.classify(others)
    parts = [found.with_sets(0.6)] * 2
    joined = Predictions.concatenate(parts)
    assert joined.in_set.shape == (162, 10)
    assert joined.coverage == 0.6
    assert joined.set_of(81) == parts[0].set_of(0)
    assert Predictions.concatenate([found, parts[0]]).in_set is None
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = parts[0].to_frame()
    assert list(frame.columns) == list(next(parts[0].rows()))
    assert frame["set_size"].isna().tolist() == [False] * 80 + [True]
    assert frame["set_size"].dropna().dtype == "Int64"
    assert "set" not in found.to_frame()


def test_other_class_frequencies_move_sets_too(fitted, others):
    new = np.array([0, *[1] * 8, 5])
    changed = fitted.with_priors(new).classify(others).with_sets(0.7)
    assert not changed.in_set[:, 0].any()
    again = fitted.classify(others).with_sets(0.7).with_priors(new)
    assert np.array_equal(changed.in_set, again.in_set)
    assert again.coverage == 0.7


def test_other_galaxies_calibrate_sets(fitted, others):
    changed = fitted.with_calibration(others)
    rows = changed.calibration_rows_
    assert len(rows) == 80  # without the blank image
    assert not rows.out_of_fold
    expected = fitted.classify(others.select(range(80))).probabilities
    assert np.array_equal(rows.probabilities, expected.astype(np.float32))
    found = changed.classify(others).with_sets(0.9)
    hit = [row["true_class"] in row["set"].split(";") for row in list(found.rows())[:80]]
    assert np.mean(hit) >= 0.9  # the quantile of these very galaxies
    images, labels = others.read(range(80)), [others.class_names[k] for k in others.labels[:80]]
    given = fitted.with_calibration(images, labels).calibration_rows_
    assert np.array_equal(given.probabilities, rows.probabilities)
    moved = fitted.with_priors(np.linspace(1, 10, 10)).with_calibration(others)
    assert np.array_equal(moved.calibration_rows_.probabilities, rows.probabilities)
    assert moved.assumed_priors_[0] == pytest.approx(1 / 55)


def test_labels_that_do_not_calibrate(fitted, others):
    images = others.read(range(3))
    with pytest.raises(DataError, match="the class 'Merger' \\(did you mean 'Merging'\\?\\)"):
        fitted.with_calibration(images, ["Merging", "Merger", "Merging"])
    with pytest.raises(DataError, match="one label per galaxy"):
        fitted.with_calibration(images, ["Merging"])
    few = fitted.with_calibration(images, ["Merging"] * 3)
    with pytest.raises(DataError, match="at least 9 labelled galaxies, and there are 3"):
        few.classify(images).with_sets(0.9)


def test_models_without_out_of_fold_predictions_name_the_fix(galaxies, quick_pipeline, others):
    uncalibrated = dataclasses.replace(load_pipeline(quick_pipeline), calibration="none")
    model = GalaxyClassifier(uncalibrated).fit(galaxies)
    with pytest.raises(ModelError, match="refit it, or give labelled galaxies"):
        model.classify(others).with_sets(0.9)
    with pytest.raises(ModelError, match="--calibrate DATA"):
        model.set_thresholds(0.9)
    calibrated = model.with_calibration(others).classify(others).with_sets(0.9)
    assert calibrated.in_set[:80].any(axis=1).all()


def test_a_model_of_an_earlier_version_classifies_and_names_the_fix(fitted, others):
    earlier = pickle.loads(pickle.dumps(fitted))
    del earlier.ensemble_.calibration_rows_
    found = earlier.classify(others)
    assert found.probabilities.tobytes() == fitted.classify(others).probabilities.tobytes()
    with pytest.raises(ModelError, match="older galfeat"):
        found.with_sets(0.9)
