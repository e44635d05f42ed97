import numpy as np
import pytest

from galfeat.ensemble.folds import inner_folds


def rows_per_fold(fold_of_row, y):
    return np.array(
        [np.bincount(y[fold_of_row == fold], minlength=y.max() + 1) for fold in range(5)]
    )


def test_classes_differ_by_at_most_one_row_between_folds_and_so_do_the_folds():
    y = np.repeat([0, 1, 2, 3], [401, 93, 17, 3])
    counts = rows_per_fold(inner_folds(y, None, 5, seed=1), y)
    assert np.ptp(counts, axis=0).max() <= 1
    assert np.ptp(counts.sum(axis=1)) <= len(np.unique(y))


def test_a_class_with_fewer_rows_than_folds_is_never_all_in_one():
    y = np.repeat([0, 1], [500, 2])
    folds = inner_folds(y, None, 5, seed=0)
    assert folds.max() == 4
    assert len(np.unique(folds[y == 1])) == 2


def test_groups_stay_together_and_classes_stay_even():
    rng = np.random.default_rng(3)
    y = rng.choice(3, size=900, p=[0.7, 0.2, 0.1])
    groups = rng.integers(0, 250, size=900)
    folds = inner_folds(y, groups, 5, seed=0)
    for group in np.unique(groups):
        assert len(np.unique(folds[groups == group])) == 1
    counts = rows_per_fold(folds, y)
    assert (np.ptp(counts, axis=0) <= 0.15 * counts.sum(axis=0)).all()


def test_an_empty_group_is_a_row_on_its_own():
    y = np.repeat([0, 1], 50)
    groups = np.full(100, "", dtype="U8")
    groups[:3] = "same"
    folds = inner_folds(y, groups, 5, seed=0)
    assert len(np.unique(folds[:3])) == 1
    assert (np.bincount(folds) >= 18).all()


@pytest.mark.parametrize("groups", [None, np.arange(60) // 2])
def test_folds_depend_only_on_the_seed(groups):
    y = np.arange(60) % 3
    first = inner_folds(y, groups, 4, seed=5)
    assert np.array_equal(first, inner_folds(y, groups, 4, seed=5))
    assert not np.array_equal(first, inner_folds(y, groups, 4, seed=6))


def test_there_are_no_more_folds_than_groups():
    folds = inner_folds(np.array([0, 1, 0, 1]), np.array(["a", "a", "b", "b"]), 5, seed=0)
    assert sorted(np.unique(folds)) == [0, 1]
