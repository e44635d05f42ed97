"""Calibration rows and class frequencies in model folders, as saved and tampered with."""

import dataclasses
import json

import numpy as np
import pytest
import skops.io

from galfeat import GalaxyClassifier, load_model
from galfeat.ensemble.population import CalibrationRows
from galfeat.errors import ModelError
from galfeat.features import FeatureTable, columns
from galfeat.model_io import model_card, read_manifest, save_model, share_model
from galfeat.model_io.manifest import SAFE, manifest_digest, sealed
from galfeat.pipeline import pipeline_from_dict

PIPELINE = {
    "schema": 1,
    "name": "small",
    "description": "a small one",
    "features": {"families": ["colour"]},
    "ensemble": {"combine": "none", "members": [{"kind": "logistic", "params": {}}]},
    "calibrate": {"folds": 2},
}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    names = tuple(column.name for column in columns(("colour",)))
    values = rng.normal(size=(90, len(names))).astype(np.float32)
    values[:, :3] += np.eye(3)[np.arange(90) % 3]
    values[:, -1] = 0
    return FeatureTable(values, names, rng.integers(0, 256, (90, 16), dtype=np.uint8), {})


@pytest.fixture
def classifier(table, tmp_path, monkeypatch):
    monkeypatch.setenv("GALFEAT_HOME", str(tmp_path / "home"))
    return GalaxyClassifier(pipeline_from_dict(PIPELINE)).fit_table(
        table, np.arange(90) % 3, class_names=("spiral", "edge-on", "smooth")
    )


@pytest.fixture
def save(tmp_path, table):
    return lambda one: save_model(one, tmp_path / "model", training_digests=table.digests)


def test_saved_and_shared_models_predict_the_same_sets(classifier, save, table, tmp_path):
    expected = classifier.classify_table(table).with_sets(0.8)
    assert expected.in_set.any(axis=1).all()
    assert not expected.in_set.all()
    folder = save(classifier)
    for path in (folder, share_model(folder, tmp_path / "shared")):
        found = load_model(path).classify_table(table).with_sets(0.8)
        assert np.array_equal(found.in_set, expected.in_set)
    manifest = read_manifest(folder)
    assert manifest["calibration_rows"] == 90
    assert manifest["assumed_priors"] == manifest["priors"]
    card = (folder / "README.md").read_text()
    assert "Prediction sets: calibrated on 90 galaxies" in card
    assert "The probabilities assume these frequencies" in card


def test_adapted_models_are_saved_and_shared_with_their_frequencies(
    classifier, save, table, tmp_path
):
    rows = classifier.calibration_rows_
    adapted = classifier.with_priors([6, 3, 1])
    adapted._calibration = CalibrationRows.of(rows.probabilities[:60], rows.codes[:60], rows.priors)
    expected = adapted.classify_table(table).with_sets(0.8)
    folder = save(adapted)
    for path in (folder, share_model(folder, tmp_path / "shared")):
        found = load_model(path).classify_table(table).with_sets(0.8)
        assert found.probabilities.tobytes() == expected.probabilities.tobytes()
        assert np.array_equal(found.in_set, expected.in_set)
        manifest = read_manifest(path)
        assert manifest["assumed_priors"] == pytest.approx([0.6, 0.3, 0.1])
        assert manifest["priors"] == pytest.approx([1 / 3] * 3)
        assert manifest["calibration_rows"] == 60
        card = (path / "README.md").read_text()
        head = (
            "| class | frequency in the training images | frequency assumed by the probabilities |"
        )
        assert head in card
        assert "| spiral | 0.3333 | 0.6000 |" in card


def test_a_model_without_rows_says_so_in_its_card(table, classifier, save):
    classifier.ensemble_.calibration_rows_ = None
    folder = save(classifier)
    assert read_manifest(folder)["calibration_rows"] == 0
    assert (
        "Prediction sets: not calibrated; `--calibrate DATA`" in (folder / "README.md").read_text()
    )
    older = {
        name: value
        for name, value in read_manifest(folder).items()
        if name not in ("calibration_rows", "assumed_priors")
    }
    assert "Prediction sets: not calibrated" in model_card(older, {})


def _tampered(classifier, **changes):
    rows = classifier.calibration_rows_
    classifier.ensemble_.calibration_rows_ = dataclasses.replace(rows, **changes)


TAMPERED = {
    "a number": lambda c: setattr(c.ensemble_, "calibration_rows_", 3),
    "another class": lambda c: _tampered(c, codes=np.full(90, 3, np.int16)),
    "a negative class": lambda c: _tampered(c, codes=np.full(90, -1, np.int16)),
    "other types": lambda c: _tampered(c, codes=np.zeros(90)),
    "text": lambda c: _tampered(c, codes=np.full(90, "a")),
    "lists": lambda c: _tampered(c, probabilities=[[1.0, 0.0, 0.0]] * 90),
    "fewer rows": lambda c: _tampered(c, codes=np.zeros(89, np.int16)),
    "a table": lambda c: _tampered(c, codes=np.zeros((90, 1), np.int16)),
    "more classes": lambda c: _tampered(c, probabilities=np.full((90, 4), 0.25, np.float32)),
    "no sum": lambda c: _tampered(c, probabilities=np.zeros((90, 3), np.float32)),
    "nan": lambda c: _tampered(c, probabilities=np.full((90, 3), np.nan, np.float32)),
    "negative": lambda c: _tampered(c, probabilities=np.tile(np.float32([2, -0.5, -0.5]), (90, 1))),
    "zero priors": lambda c: _tampered(c, priors=np.array([0.0, 0.5, 0.5])),
    "few priors": lambda c: _tampered(c, priors=np.array([0.5, 0.5])),
    "no state": lambda c: _tampered(c, out_of_fold="yes"),
    "those of the classifier": lambda c: setattr(c, "_calibration", "rows"),
    "assumed priors": lambda c: setattr(c, "_assumed_priors", np.array([0.5, 0.5])),
    "assumed nan": lambda c: setattr(c, "_assumed_priors", np.full(3, np.nan)),
    "assumed text": lambda c: setattr(c, "_assumed_priors", "abc"),
    "training priors": lambda c: setattr(c, "priors_", np.array([0.0, 0.5, 0.5])),
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_tampered_rows_and_frequencies_are_model_errors(change, classifier, save, tmp_path):
    shared = share_model(save(classifier), tmp_path / "shared")
    change(classifier)
    (shared / SAFE).write_bytes(skops.io.dumps(classifier))
    manifest = json.loads((shared / "manifest.json").read_text())
    manifest.pop("sha256")
    (shared / "manifest.json").write_text(json.dumps(sealed(manifest, shared, manifest["files"])))
    with pytest.raises(ModelError, match=r"its|the (codes|probabilities) of its"):
        load_model(shared)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"assumed_priors": [0.5, 0.5]}, "2 assumed_priors and 3 classes"),
        ({"assumed_priors": [0.5, 0.5, 2]}, "expected a list of numbers from 0 to 1"),
        ({"assumed_priors": None}, "expected a list of numbers from 0 to 1"),
        ({"calibration_rows": -1}, "expected a whole number of 0 or more"),
        ({"calibration_rows": "many"}, "expected a whole number of 0 or more"),
    ],
)
def test_odd_values_in_the_manifest_are_damage(change, message, classifier, save):
    folder = save(classifier)
    manifest = json.loads((folder / "manifest.json").read_text()) | change
    manifest.pop("sha256")
    manifest["sha256"] = manifest_digest(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=message):
        read_manifest(folder)
