import dataclasses
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from galfeat import GalaxyClassifier, open_dataset
from galfeat.data import ArrayDataSet
from galfeat.errors import DataError, GalfeatWarning, ImageError, PipelineError
from galfeat.features import FeatureExtractor, FeatureTable, columns
from galfeat.pipeline import Member, load_pipeline, pipeline_from_dict
from galfeat.predictions import Predictions

NAMES = tuple(column.name for column in columns(("colour", "radial")))
CLASSES = ("spiral", "edge-on", "smooth")


@pytest.fixture(scope="module")
def pipeline(quick_pipeline):
    return load_pipeline(quick_pipeline)


@pytest.fixture
def table():
    """Features of 120 made-up galaxies of three classes in turn; rows 3 and 7 failed."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(120, len(NAMES))).astype(np.float32)
    values[:, :3] += 4 * np.eye(3)[np.arange(120) % 3]
    values[:, -1] = 0
    errors = {3: ImageError("three is broken"), 7: ImageError("seven is broken")}
    values[list(errors)] = np.nan
    return FeatureTable(values, NAMES, np.zeros((120, 16), np.uint8), errors)


@pytest.fixture(scope="module")
def galaxies(simulated):
    return open_dataset(simulated)


@pytest.fixture(scope="module")
def fitted(pipeline, galaxies):
    return GalaxyClassifier(pipeline).fit(galaxies)


def fit_quietly(classifier, table, *args, **keywords):
    with pytest.warns(GalfeatWarning, match="2 of the images cannot be measured"):
        return classifier.fit_table(table, *args, **keywords)


def test_classes_are_in_the_order_of_the_data_set(fitted, galaxies):
    assert fitted.classes_.tolist() == list(galaxies.class_names)
    assert fitted.priors_ == pytest.approx(np.full(10, 0.1))


def test_images_and_their_table_are_one(fitted, galaxies, pipeline):
    some = galaxies.select(np.arange(0, 120, 9))
    predictions = fitted.classify(some)
    table = FeatureExtractor(pipeline.families).extract(some)
    assert (
        predictions.probabilities.tobytes() == fitted.classify_table(table).probabilities.tobytes()
    )
    assert np.array_equal(fitted.predict_proba(some), predictions.probabilities)
    assert np.array_equal(fitted.predict(some), fitted.classes_[predictions.predicted])
    assert np.array_equal(predictions.digests, table.digests)
    assert predictions.probabilities.sum(axis=1) == pytest.approx(np.ones(14))


@pytest.mark.parametrize("size", [1, 5, 100])
def test_batches_joined_are_the_whole(fitted, galaxies, monkeypatch, size):
    images = [*galaxies.read(np.arange(0, 120, 9)), np.zeros((0, 4), np.uint8)]
    data = ArrayDataSet(images, labels=["a", ""] * 7 + ["b"], ids=[f"g{k}" for k in range(15)])
    whole = fitted.classify(data)
    monkeypatch.setattr("galfeat.classifier._BATCH", size)
    fitted.extractor_.set_params(batch_size=2)
    parts = list(fitted.classify_batches(data))
    fitted.extractor_.set_params(batch_size=128)
    assert [len(part) for part in parts] == {1: [2] * 7 + [1], 5: [6, 6, 3], 100: [15]}[size]
    joined = Predictions.concatenate(parts)
    for name in ("probabilities", "member_log_probabilities", "predicted", "digests"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))
    assert list(joined.rows()) == list(whole.rows())
    assert list(joined.errors) == [14]


def test_no_images_are_an_empty_batch(fitted, galaxies):
    (empty,) = fitted.classify_batches(galaxies.select([]))
    assert len(empty) == 0


def test_it_learns(fitted, galaxies):
    assert np.mean(fitted.classify(galaxies).predicted == galaxies.labels) > 0.5


def test_fitting_twice_with_any_jobs_gives_the_same_bits(fitted, pipeline, galaxies):
    again = GalaxyClassifier(pipeline, n_jobs=2).fit(galaxies)
    expected = fitted.predict_proba(galaxies)
    assert again.predict_proba(galaxies).tobytes() == expected.tobytes()


def test_labels_of_any_kind_come_back_as_scikit_learn_does(pipeline, galaxies):
    images = galaxies.read(np.arange(120))
    labels = np.where(galaxies.labels % 2, "odd", "even")
    classifier = GalaxyClassifier(pipeline).fit(images, labels)
    assert classifier.classes_.tolist() == ["even", "odd"]
    assert set(classifier.predict(images[:5])) <= {"even", "odd"}
    assert classifier.score(images, labels) > 0.7


def test_rows_without_a_label_are_skipped(pipeline, galaxies):
    labels = galaxies.labels % 2
    labels[::3] = -1
    dataset = ArrayDataSet(
        galaxies.read(np.arange(120)), labels=labels, class_names=("even", "odd")
    )
    kept = dataset.labelled()
    first, second = (GalaxyClassifier(pipeline).fit(given) for given in (dataset, kept))
    assert np.array_equal(first.predict_proba(kept), second.predict_proba(kept))


def test_images_without_labels_are_an_error(pipeline, galaxies):
    with pytest.raises(DataError, match="without labels"):
        GalaxyClassifier(pipeline).fit(galaxies.read(np.arange(4)))


def test_failed_images_are_left_out_of_the_fit_and_counted(pipeline, table):
    y = np.arange(120) % 3
    wrong = y.copy()
    wrong[list(table.errors)] = (y[list(table.errors)] + 1) % 3
    first, second = (
        fit_quietly(GalaxyClassifier(pipeline), table, given, class_names=CLASSES)
        for given in (y, wrong)
    )
    assert np.array_equal(
        first.classify_table(table).probabilities,
        second.classify_table(table).probabilities,
        equal_nan=True,
    )
    assert first.priors_ == pytest.approx(np.array([39, 39, 40]) / 118)


def test_failed_images_get_nan_and_their_error(pipeline, table):
    classifier = fit_quietly(GalaxyClassifier(pipeline), table, np.arange(120) % 3)
    predictions = classifier.classify_table(table)
    assert predictions.errors == table.errors
    failed = np.isnan(predictions.probabilities).all(axis=1)
    assert np.flatnonzero(failed).tolist() == [3, 7]
    for named in (predictions.predicted, predictions.most_probable):
        assert np.array_equal(named == -1, failed)


def test_one_bad_image_among_good_ones(fitted, galaxies):
    images = [*galaxies.read(np.arange(3)), np.zeros((0, 4), np.uint8)]
    predictions = fitted.classify(images)
    assert list(predictions.errors) == [3]
    assert np.isfinite(predictions.probabilities[:3]).all()
    with pytest.warns(
        GalfeatWarning, match="1 of the images cannot be measured, the first in row 3"
    ):
        assert np.isnan(fitted.predict_proba(images)[3]).all()
    with pytest.raises(DataError, match="use classify"):
        fitted.predict(images)


def test_only_failed_images(fitted):
    predictions = fitted.classify([np.zeros((0, 0, 3), np.uint8)])
    assert np.isnan(predictions.probabilities).all()
    assert predictions.predicted.tolist() == [-1]


def test_flags_come_as_text(pipeline, table):
    classifier = fit_quietly(GalaxyClassifier(pipeline), table, np.arange(120) % 3)
    table.values[5, -1] = 1
    flags = classifier.classify_table(table).flags
    assert flags[0] == ""
    assert flags[5] != ""


def test_columns_that_turn_with_the_image_and_flags_are_kept_from_the_ensemble(pipeline, table):
    classifier = fit_quietly(GalaxyClassifier(pipeline), table, np.arange(120) % 3)
    given = [c.name for c in columns(pipeline.families) if c.invariant and not c.survey_bound]
    assert list(classifier.feature_names_) == given
    assert "flags" not in classifier.feature_names_
    before = classifier.classify_table(table).probabilities
    kept_out = [i for i, name in enumerate(NAMES) if name not in given]
    table.values[:, kept_out] = 4.0
    assert np.array_equal(before, classifier.classify_table(table).probabilities, equal_nan=True)


def test_columns_are_found_by_name(pipeline, table):
    classifier = fit_quietly(GalaxyClassifier(pipeline), table, np.arange(120) % 3)
    order = np.random.default_rng(1).permutation(len(NAMES))
    shuffled = FeatureTable(
        table.values[:, order], tuple(NAMES[i] for i in order), table.digests, table.errors
    )
    expected = classifier.classify_table(table).probabilities
    assert np.array_equal(
        classifier.classify_table(shuffled).probabilities, expected, equal_nan=True
    )
    short = FeatureTable(table.values[:, 2:], NAMES[2:], table.digests, table.errors)
    with pytest.raises(DataError, match=f"lacks 2 of the .* '{NAMES[0]}' among them"):
        classifier.classify_table(short)


def test_a_class_without_rows_is_left_out_with_a_warning(pipeline, table):
    table.errors.clear()
    with pytest.warns(GalfeatWarning, match="no training row has the class ring"):
        classifier = GalaxyClassifier(pipeline).fit_table(
            table, np.array([0, 2, 3])[np.arange(120) % 3], class_names=("smooth", "ring", "a", "b")
        )
    assert classifier.classes_.tolist() == ["smooth", "a", "b"]
    predicted = classifier.classify_table(table).predicted
    assert np.mean(predicted == np.arange(120) % 3) > 0.9


def test_groups_reach_the_inner_folds_and_classes_are_named(pipeline, table):
    table.errors.clear()
    y = np.arange(120) % 3
    groups = np.where(y == 1, 0, np.arange(120))
    with pytest.warns(GalfeatWarning, match="all rows of class 'edge-on' share one group"):
        GalaxyClassifier(pipeline).fit_table(table, y, groups, CLASSES)


def test_groups_of_another_length_are_an_error(pipeline, table, galaxies):
    with pytest.raises(DataError, match=r"groups have the shape \(7,\) for 120 galaxies"):
        GalaxyClassifier(pipeline).fit_table(table, np.arange(120) % 3, np.arange(7))
    images = galaxies.read([0, 1])
    for y, groups, name in (["a", "b", "c"], None, "label"), (["a", "b"], [1], "group"):
        with pytest.raises(DataError, match=f"give one {name} per galaxy"):
            GalaxyClassifier(pipeline).fit(images, y, groups)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(120, int), "only one class, 'spiral'"),
        (np.arange(120) == 9, "class 'edge-on' has only one row"),
        (np.zeros(7, int), r"labels have the shape \(7,\) for 120 galaxies"),
    ],
)
def test_labels_nothing_can_be_learned_from(y, message, pipeline, table):
    table.errors.clear()
    with pytest.raises(DataError, match=message):
        GalaxyClassifier(pipeline).fit_table(table, y.astype(int), class_names=CLASSES)


def test_nothing_to_fit(pipeline, table, galaxies):
    table.errors.update({row: ImageError("broken") for row in range(120)})
    with pytest.raises(DataError, match=r"120 of the images cannot be measured.*no images remain"):
        GalaxyClassifier(pipeline).fit_table(table, np.arange(120) % 3)
    unlabelled = ArrayDataSet(galaxies.read(np.arange(3)))
    with pytest.raises(DataError, match="without labels"):
        GalaxyClassifier(pipeline).fit(unlabelled)


def test_every_setting_of_the_pipeline_reaches_the_ensemble(table):
    table.errors.clear()
    pipeline = pipeline_from_dict(
        {
            "schema": 1,
            "name": "all",
            "features": {"families": ["colour"]},
            "balance": {"method": "under"},
            "ensemble": {
                "combine": "average",
                "members": [{"kind": "logistic", "params": {"C": 0.3}}, {"kind": "svm"}],
            },
            "calibrate": {"method": "none", "folds": 7},
            "decision": {"rule": "probable"},
        }
    )
    ensemble = (
        GalaxyClassifier(pipeline, random_state=5, n_jobs=2)
        .fit_table(table, np.arange(120) % 3)
        .ensemble_
    )
    assert ensemble.get_params() == {
        "members": pipeline.members,
        "combine": "average",
        "balance": "under",
        "calibration": "none",
        "decision": "probable",
        "folds": 7,
        "n_jobs": 2,
        "random_state": 5,
    }


@pytest.mark.parametrize("name", ["hog-svm", "pixels-forest", "raw-features"])
def test_a_shipped_baseline_goes_from_images_to_classes(name, galaxies):
    train = np.arange(120) % 3 > 0
    classifier = GalaxyClassifier(name).fit(galaxies.select(train))
    predictions = classifier.classify(galaxies.select(~train))
    assert np.isfinite(predictions.probabilities).all()
    assert not classifier.pipeline_.frame


@pytest.mark.network
def test_the_network_goes_from_images_to_classes_and_into_a_file(galaxies, tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    shipped = load_pipeline("cnn-baseline")
    member = Member("cnn", {**shipped.members[0].params, "filters": 4, "epochs": 2})
    pipeline = dataclasses.replace(shipped, members=(member,))
    some = galaxies.select(np.arange(0, 120, 2))
    classifier = GalaxyClassifier(pipeline, n_jobs=2).fit(some)
    probabilities = classifier.predict_proba(some)
    assert np.isfinite(probabilities).all()
    again = GalaxyClassifier(pipeline, n_jobs=1).fit(some)
    assert np.array_equal(again.predict_proba(some), probabilities)
    joblib.dump(classifier, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    assert np.array_equal(loaded.predict_proba(some), probabilities)


def test_features_once_measured_are_kept_on_disk_when_asked(pipeline, galaxies, tmp_path):
    some = galaxies.select(np.arange(0, 120, 3))
    seen = []
    cached = GalaxyClassifier(pipeline, cache=tmp_path / "cache").fit(
        some, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (40, 40)
    assert any((tmp_path / "cache").rglob("*"))
    plain = GalaxyClassifier(pipeline).fit(some)
    assert np.array_equal(cached.predict_proba(some), plain.predict_proba(some))


def test_it_is_a_scikit_learn_estimator(pipeline):
    classifier = GalaxyClassifier(pipeline, n_jobs=2, random_state=4, cache="here")
    assert clone(classifier).get_params() == {
        "pipeline": pipeline,
        "n_jobs": 2,
        "random_state": 4,
        "cache": "here",
    }
    assert "GalaxyClassifier" in repr(GalaxyClassifier())
    for method in ("classify", "predict", "predict_proba"):
        with pytest.raises(NotFittedError):
            getattr(classifier, method)([])


def test_a_pickled_classifier_predicts_the_same(fitted, galaxies):
    copy = pickle.loads(pickle.dumps(fitted))
    assert copy.predict_proba(galaxies).tobytes() == fitted.predict_proba(galaxies).tobytes()


def test_a_pipeline_that_does_not_exist(table):
    with pytest.raises(PipelineError, match="no pipeline 'nothing'"):
        GalaxyClassifier("nothing").fit_table(table, np.arange(120) % 3)
