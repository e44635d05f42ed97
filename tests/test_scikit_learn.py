"""The classifier inside scikit-learn's tools, with images in every indexable form."""

import pickle
from typing import ClassVar

import numpy as np
import pytest
import sklearn
from PIL import Image
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.utils.validation import check_is_fitted

from galfeat import GalaxyClassifier

N = 60
FOLDS = StratifiedKFold(3)


@pytest.fixture(scope="module")
def labels():
    return np.array(["round", "edge-on"])[np.arange(N) % 2]


@pytest.fixture(scope="module")
def images(paint, labels):
    """Tiny galaxies of one size."""
    rng = np.random.default_rng(3)
    return np.stack([
        paint(48, scale=rng.uniform(3, 5), q=0.9 if label == "round" else 0.25,
              pa=rng.uniform(0, 3), noise=3.0, seed=seed)
        for seed, label in enumerate(labels)
    ])  # fmt: skip


@pytest.fixture(scope="module")
def of_several_sizes(images):
    """The same galaxies, some of them cropped."""
    return [image[2:-2, 1:-1] if row % 3 else image for row, image in enumerate(images)]


@pytest.fixture(scope="module")
def paths(of_several_sizes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    files = [str(folder / f"{row:02d}.png") for row in range(N)]
    for file, image in zip(files, of_several_sizes, strict=True):
        Image.fromarray(image).save(file)
    return files


@pytest.fixture(scope="module")
def classifier(quick_pipeline):
    return GalaxyClassifier(quick_pipeline)


def test_cross_val_predict_of_lists_and_paths_are_those_of_fits_by_hand(
    classifier, of_several_sizes, paths, labels
):
    expected = np.empty((N, 2))
    for train, test in FOLDS.split(labels, labels):
        fitted = clone(classifier).fit([of_several_sizes[row] for row in train], labels[train])
        expected[test] = fitted.predict_proba([of_several_sizes[row] for row in test])
    pictures = [Image.fromarray(image) for image in of_several_sizes]
    for X in (of_several_sizes, paths, np.array(paths), pictures):
        probabilities = cross_val_predict(classifier, X, labels, cv=FOLDS, method="predict_proba")
        assert probabilities.tobytes() == expected.tobytes()


def test_cross_val_predict_names_classes(classifier, images, labels):
    predicted = cross_val_predict(classifier, images, labels, cv=FOLDS)
    assert set(predicted) <= {"round", "edge-on"}
    assert np.mean(predicted == labels) > 0.8


def test_a_column_of_paths_of_a_table(classifier, paths, labels):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.DataFrame({"path": paths, "class": labels}, index=np.arange(N) + 100)
    predicted = cross_val_predict(classifier, table["path"], table["class"], cv=FOLDS)
    assert np.array_equal(predicted, cross_val_predict(classifier, paths, labels, cv=FOLDS))


@pytest.mark.parametrize("scoring", [None, "balanced_accuracy", "neg_log_loss"])
def test_cross_val_score(classifier, images, of_several_sizes, labels, scoring):
    for X in (images, of_several_sizes):
        scores = cross_val_score(classifier, X, labels, cv=FOLDS, scoring=scoring)
        assert scores.shape == (3,)
        assert (scores > (-0.5 if scoring == "neg_log_loss" else 0.8)).all()


def test_grid_search_over_pipelines_seeds_and_threads(
    classifier, of_several_sizes, labels, quick_pipeline, tmp_path
):
    poor = tmp_path / "poor.toml"
    poor.write_text(quick_pipeline.read_text().replace('["colour", "radial"]', '["colour"]'))
    grid = {"pipeline": [str(poor), quick_pipeline], "random_state": [0, 1], "n_jobs": [1, 2]}
    search = GridSearchCV(classifier, grid, cv=FOLDS, scoring="neg_log_loss", error_score="raise")
    search.fit(of_several_sizes, labels)
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 8
    threads = search.cv_results_["param_n_jobs"].astype(int)
    assert np.array_equal(scores[threads == 1], scores[threads == 2])
    assert set(search.best_params_) == set(grid)
    assert search.best_estimator_.pipeline == search.best_params_["pipeline"]
    assert set(search.predict(of_several_sizes[:4])) <= {"round", "edge-on"}
    assert search.classes_.tolist() == ["edge-on", "round"]


class Recording(GalaxyClassifier):
    """A classifier that keeps the groups it was fitted with."""

    groups_seen: ClassVar = []

    def fit(self, X, y=None, groups=None, *, progress=None):
        self.groups_seen.append(groups)
        return super().fit(X, y, groups, progress=progress)


def test_groups_are_routed_to_the_splitter_and_to_the_fit(quick_pipeline, of_several_sizes, labels):
    groups = np.arange(N) // 2 % 10
    splitter = GroupKFold(3)
    Recording.groups_seen.clear()
    with sklearn.config_context(enable_metadata_routing=True):
        classifier = Recording(quick_pipeline).set_fit_request(groups=True)
        predicted = cross_val_predict(
            classifier, of_several_sizes, labels, cv=splitter, params={"groups": groups}
        )
    expected = [groups[train] for train, _ in splitter.split(labels, labels, groups)]
    assert len(Recording.groups_seen) == 3
    for seen, of_fold in zip(Recording.groups_seen, expected, strict=True):
        assert np.array_equal(seen, of_fold)
    assert np.mean(predicted == labels) > 0.8


def test_parameters_clones_and_copies(classifier, images, labels):
    other = clone(classifier).set_params(random_state=3, n_jobs=2)
    assert other.get_params() == {**classifier.get_params(), "random_state": 3, "n_jobs": 2}
    fitted = clone(classifier).fit(images, labels)
    assert not hasattr(clone(fitted), "classes_")
    copy = pickle.loads(pickle.dumps(fitted))
    assert copy.get_params() == fitted.get_params()
    assert copy.predict_proba(images).tobytes() == fitted.predict_proba(images).tobytes()


def test_fitted_or_not(classifier, images, labels):
    unfitted = clone(classifier)
    with pytest.raises(NotFittedError):
        check_is_fitted(unfitted)
    for method in (unfitted.predict, unfitted.predict_proba, unfitted.classify):
        with pytest.raises(NotFittedError, match="GalaxyClassifier"):
            method(images)
    fitted = unfitted.fit(images, labels)
    check_is_fitted(fitted)
    assert fitted.classes_.tolist() == ["edge-on", "round"]


def test_tags(classifier):
    assert is_classifier(classifier)
    tags = classifier.__sklearn_tags__()
    assert tags.target_tags.required
    assert tags.classifier_tags is not None
    assert tags.requires_fit
    assert not tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array
    assert tags.input_tags.string


def test_single_images_and_pictures_get_one_row(classifier, of_several_sizes, paths, labels):
    fitted = clone(classifier).fit(paths, labels)
    expected = fitted.predict_proba(of_several_sizes)
    for X in (paths[4], of_several_sizes[4], Image.fromarray(of_several_sizes[4])):
        assert fitted.predict_proba(X).tobytes() == expected[4:5].tobytes()
        assert fitted.predict(X).shape == (1,)
    assert fitted.classify(paths[4]).ids == [paths[4]]
