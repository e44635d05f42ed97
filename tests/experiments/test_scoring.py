"""Scores of images measured in batches."""

import numpy as np
import pytest

from galfeat import GalaxyClassifier, open_dataset
from galfeat.data import ArrayDataSet
from galfeat.errors import DataError
from galfeat.evaluate import importances
from galfeat.experiments import scoring
from galfeat.features import measure_images


@pytest.fixture(scope="module")
def galaxies(simulated):
    return open_dataset(simulated)


@pytest.fixture(scope="module")
def classifier(galaxies, quick_pipeline):
    return GalaxyClassifier(quick_pipeline).fit(galaxies.select(np.arange(0, 120, 2)))


@pytest.fixture
def few_rows(monkeypatch):
    """Measure importances on 20 galaxies, and batches of at least 7."""
    monkeypatch.setattr(importances, "MAX_ROWS", 20)
    monkeypatch.setattr("galfeat.classifier._BATCH", 7)


def test_batches_give_the_scores_and_importances_of_the_whole(classifier, galaxies, few_rows):
    unseen = galaxies.select(np.arange(1, 120, 2))
    classifier.extractor_.set_params(batch_size=4)
    table = measure_images(unseen, classifier.extractor_.families)
    whole = scoring.score(classifier, unseen, table, seed=3)
    seen = []
    scored = scoring.score_images(
        classifier, unseen, seed=3, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (60, 60)
    assert len(scored.table.values) == 20
    assert scored.evaluation.to_json() == whole.evaluation.to_json()
    assert scoring._importances(scored, 3) == scoring._importances(whole, 3)
    np.testing.assert_array_equal(scored.predictions.probabilities, whole.predictions.probabilities)


def test_images_that_fail_are_counted_and_not_scored(classifier, galaxies, few_rows):
    images = galaxies.read(np.arange(1, 120, 2))
    images[0] = images[5] = np.zeros((0, 0, 3), np.uint8)
    labels = [galaxies.class_names[k] for k in galaxies.labels[1::2]]
    scored = scoring.score_images(classifier, ArrayDataSet(images, labels))
    assert (scored.evaluation.n, scored.evaluation.n_failed) == (58, 2)
    assert list(scored.predictions.errors) == [0, 5]
    assert np.isfinite(scored.table.values[:, -1]).all()
    assert not {0, 5} & {*scored.table_rows.tolist()}


def test_no_readable_image_is_an_error(classifier, galaxies):
    data = ArrayDataSet([np.zeros((0, 0, 3), np.uint8)] * 2, galaxies.class_names[:2])
    with pytest.raises(DataError, match="none of the 2 images has a prediction"):
        scoring.score_images(classifier, data)


def test_images_without_a_source_are_counted_and_not_scored(classifier, galaxies, few_rows):
    images = galaxies.read(np.arange(1, 120, 2))
    images[3] = np.full((64, 64, 3), 20, np.uint8)
    labels = [galaxies.class_names[k] for k in galaxies.labels[1::2]]
    data = ArrayDataSet(images, labels)
    scored = scoring.score_images(classifier, data)
    assert (scored.evaluation.n, scored.evaluation.n_without_source) == (59, 1)
    assert scored.evaluation.n_failed == 0
    rest = np.delete(np.arange(60), 3)
    without = scoring.score_images(classifier, data.select(rest))
    assert scored.evaluation.to_json() | {"n_without_source": 0} == without.evaluation.to_json()
    table = measure_images(data, classifier.extractor_.families)
    whole = scoring.score(classifier, data, table)
    assert whole.evaluation.to_json() == scored.evaluation.to_json()
    assert [scoring._importances(part, 0).n for part in (whole, scored)] == [20, 20]
