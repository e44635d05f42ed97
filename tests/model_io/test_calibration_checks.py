"""Calibrations of models in the safe format: kept to the last bit, and checked."""

import numpy as np
import pytest
import skops.io

from galfeat import GalaxyClassifier, load_model
from galfeat.errors import ModelError
from galfeat.features import FeatureTable, columns
from galfeat.model_io.classifier_checks import check_classifier
from galfeat.model_io.classifier_file import read_classifier, write_classifier
from galfeat.model_io.folder import save_model
from galfeat.model_io.manifest import SAFE, read_manifest
from galfeat.pipeline import Pipeline
from galfeat.pipeline.members import Member

LINEAR = Member("logistic", {"max_iter": 500})
TREES = Member("lightgbm", {"n_estimators": 4})


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    names = tuple(column.name for column in columns(("colour",)))
    values = rng.normal(size=(90, len(names))).astype(np.float32)
    values[:, :3] += 3 * np.eye(3)[np.arange(90) % 3]
    values[:, -1] = 0
    return FeatureTable(values, names, rng.integers(0, 256, (90, 16), dtype=np.uint8), {})


def fitted(table, calibration, *members):
    combine = "none" if len(members) == 1 else "stack"
    pipeline = Pipeline(
        "small", "", ("colour",), members, combine=combine, calibration=calibration, folds=3
    )
    return GalaxyClassifier(pipeline).fit_table(
        table, np.arange(90) % 3, class_names=("spiral", "edge-on", "smooth")
    )


def manifest_of(classifier):
    names = list(classifier.feature_names_)
    return {"classes": classifier.classes_.tolist(), "feature_names": names}


@pytest.mark.parametrize("members", [(TREES,), (TREES, LINEAR)], ids=["one", "stack"])
@pytest.mark.parametrize("calibration", ["none", "temperature", "vector", "isotonic", "auto"])
def test_every_calibration_comes_back_the_same(calibration, members, table, tmp_path):
    classifier = fitted(table, calibration, *members)
    write_classifier(classifier, tmp_path / SAFE)
    back = read_classifier((tmp_path / SAFE).read_bytes(), SAFE)
    check_classifier(back, manifest_of(classifier))
    expected, restored = (one.classify_table(table) for one in (classifier, back))
    assert restored.probabilities.tobytes() == expected.probabilities.tobytes()


def _descending(calibrator):
    calibrator.curves[0] = np.array([[-1.0, 1.0], [2.0, -2.0]])


def _unordered(calibrator):
    calibrator.curves[0] = np.array([[1.0, -1.0], [-2.0, 2.0]])


def _not_finite(calibrator):
    calibrator.curves[0] = np.array([[-1.0, 1.0], [-2.0, np.nan]])


def _one_row(calibrator):
    calibrator.curves[0] = np.array([-1.0, 1.0])


def _no_points(calibrator):
    calibrator.curves[0] = np.zeros((2, 0))


def _out_of_range(calibrator):
    calibrator.curve_of_class = np.array([0, 1, 7])


def _negative_index(calibrator):
    calibrator.curve_of_class = np.array([-1, 0, 0])


def _many(calibrator):
    calibrator.curves = [np.zeros((2, 1))] * 5


def _reversed(calibrator):
    calibrator.linear.slopes = np.array([1.0, -1.0, 1.0])


def _short_bias(calibrator):
    calibrator.linear.bias = np.zeros(2)


def _no_linear(calibrator):
    calibrator.linear = Member("svm")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_descending, "descends"),
        (_unordered, "descends"),
        (_not_finite, "invalid curve"),
        (_one_row, "invalid curve"),
        (_no_points, "invalid curve"),
        (_out_of_range, "one curve for each class"),
        (_negative_index, "one curve for each class"),
        (_many, "list of at most 3 curves"),
        (_reversed, "negative slope"),
        (_short_bias, "invalid bias"),
        (_no_linear, "a calibration is a Member"),
    ],
)
def test_curves_and_slopes_that_reverse_or_break_probabilities_are_refused(damage, message, table):
    classifier = fitted(table, "isotonic", TREES, LINEAR)
    damage(classifier.ensemble_.combination_.pool_calibrator)
    # What skops builds, as by somebody who knows how a file is made.
    with pytest.raises(ModelError, match=message):
        check_classifier(classifier, manifest_of(classifier))


def test_a_combination_that_is_none_is_refused(table):
    classifier = fitted(table, "vector", TREES)
    classifier.ensemble_.combination_ = skops.io.loads(skops.io.dumps({"pool": 1}))
    with pytest.raises(ModelError, match="not a Combination"):
        check_classifier(classifier, manifest_of(classifier))


def test_a_model_states_the_method_that_was_chosen(table, tmp_path, monkeypatch):
    monkeypatch.setenv("GALFEAT_HOME", str(tmp_path / "home"))
    classifier = fitted(table, "auto", TREES)
    folder = save_model(classifier, tmp_path / "model", training_digests=table.digests)
    method = classifier.ensemble_.calibration_method
    assert method in ("temperature", "vector", "isotonic")
    assert read_manifest(folder)["calibration"] == method
    card = (folder / "README.md").read_text()
    assert f"Calibration: {method} (chosen by cross-validation), to" in card
    assert load_model(folder).ensemble_.calibration_method == method


def test_a_model_of_an_earlier_version_states_the_method_of_its_pipeline(table, tmp_path):
    classifier = fitted(table, "vector", TREES)
    del classifier.ensemble_.combination_.method, classifier.ensemble_.combination_.losses
    check_classifier(classifier, manifest_of(classifier))
    assert classifier.ensemble_.calibration_method == "vector"
    folder = save_model(classifier, tmp_path / "model", training_digests=table.digests)
    assert "Calibration: vector, to" in (folder / "README.md").read_text()
