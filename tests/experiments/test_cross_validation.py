"""No leakage between training and test rows."""

import numpy as np
import pytest

from galfeat.classifier import GalaxyClassifier
from galfeat.data import ArrayDataSet
from galfeat.data.digest import among
from galfeat.data.duplicates import find_groups
from galfeat.errors import DataError
from galfeat.experiments.cross_validation import cross_validate
from galfeat.experiments.scoring import rows_to_score, true_classes
from galfeat.features import FeatureTable, columns
from galfeat.pipeline import load_pipeline


def digests_of(*numbers):
    return np.array([[number] * 16 for number in numbers], dtype=np.uint8)


def test_equal_pixels_are_one_group_and_pull_their_groups_together():
    groups = np.array(["a", "a", "b", "", "", "c"])
    found = find_groups(digests_of(1, 2, 2, 3, 4, 1), groups=groups).groups
    # Rows 0, 1 by their group, 2 and 5 by equal pixels; rows 3 and 4 are single.
    assert found[0] == found[1] == found[2] == found[5]
    assert len(set(found)) == 3


def test_without_groups_only_equal_pixels_are_together():
    found = find_groups(digests_of(5, 6, 5)).groups
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ((7, 8, 9), [0, 1, 2]),  # nothing in common with the training rows
        ((1, 2, 11), [2]),  # the data of the fit: just what was held out
        ((11, 12), [0, 1]),  # only rows held out
        ((11, 9), [0, 1]),  # rows held out and new ones
    ],
)
def test_rows_that_may_be_scored(seen, expected):
    digests = digests_of(*seen)
    rows = rows_to_score(among(digests, digests_of(1, 2, 3)), among(digests, digests_of(11, 12)))
    assert rows.tolist() == expected


@pytest.mark.parametrize(("seen", "count"), [((1, 9), 1), ((1, 2), 2), ((1, 2, 3, 11, 9), 3)])
def test_training_rows_in_any_other_mixture_are_refused(seen, count):
    digests = digests_of(*seen)
    with pytest.raises(DataError, match=f"^{count} of {len(seen)} images"):
        rows_to_score(among(digests, digests_of(1, 2, 3)), among(digests, digests_of(11, 12)))


def test_true_classes_follow_the_names_not_the_numbers():
    dataset = ArrayDataSet(np.zeros((3, 8, 8, 3), np.uint8), labels=["spiral", "merger", "spiral"])
    assert dataset.class_names == ("merger", "spiral")
    assert true_classes(dataset, np.array(["spiral", "smooth", "merger"])).tolist() == [0, 2, 0]
    with pytest.raises(DataError, match="'spiral'"):
        true_classes(dataset, np.array(["smooth", "merger"]))


def random_table(n, families, leak=None):
    """Features of pure noise; `leak` is written into the first column."""
    names = tuple(column.name for column in columns(families))
    values = np.random.default_rng(0).normal(size=(n, len(names))).astype(np.float32)
    values[:, -1] = 0
    if leak is not None:
        values[:, 0] = leak
    return FeatureTable(values, names, np.zeros((n, 16), np.uint8), {})


def two_classes(n):
    return ArrayDataSet(np.zeros((n, 8, 8, 3), np.uint8), labels=np.arange(n) % 2)


def test_noise_scores_like_guessing_and_truth_like_truth(quick_pipeline):
    pipeline = load_pipeline(quick_pipeline)
    dataset = two_classes(200)
    classifier = GalaxyClassifier(pipeline)
    guessed = cross_validate(classifier, dataset, random_table(200, pipeline.families), None)
    assert 0.3 < guessed.scores["balanced_accuracy"].mean < 0.7
    leaky = random_table(200, pipeline.families, leak=dataset.labels)
    known = cross_validate(classifier, dataset, leaky, None)
    assert known.scores["balanced_accuracy"].mean > 0.98


def test_a_row_is_not_predicted_by_its_own_group(quick_pipeline):
    pipeline = load_pipeline(quick_pipeline)
    n = 120
    pairs = np.repeat(np.arange(n // 2), 2)
    dataset = ArrayDataSet(
        np.zeros((n, 8, 8, 3), np.uint8),
        labels=np.random.default_rng(1).integers(0, 2, n // 2)[pairs],
    )
    table = random_table(n, pipeline.families)
    table.values[:] = table.values[pairs * 2]  # both of a pair look the same, and only they
    classifier = GalaxyClassifier(pipeline)
    apart = cross_validate(classifier, dataset, table, None)
    together = cross_validate(classifier, dataset, table, pairs.astype(str))
    assert apart.scores["balanced_accuracy"].mean > together.scores["balanced_accuracy"].mean + 0.1
    assert together.scores["balanced_accuracy"].mean < 0.7


def test_progress_counts_the_folds(quick_pipeline):
    pipeline = load_pipeline(quick_pipeline)
    dataset = two_classes(40)
    calls = []
    found = cross_validate(
        GalaxyClassifier(pipeline),
        dataset,
        random_table(40, pipeline.families),
        None,
        folds=2,
        repeats=3,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(done, 6) for done in range(7)]
    assert found.repeats == 3


def test_a_class_that_no_row_has_is_left_out(quick_pipeline):
    pipeline = load_pipeline(quick_pipeline)
    dataset = ArrayDataSet(
        np.zeros((40, 8, 8, 3), np.uint8),
        labels=np.arange(40) % 2 * 2,
        class_names=("smooth", "spiral", "merger"),
    )
    table = random_table(40, pipeline.families, leak=dataset.labels)
    found = cross_validate(GalaxyClassifier(pipeline), dataset, table, None, folds=2)
    assert found.classes == ("smooth", "merger")
