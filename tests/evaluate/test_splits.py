import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from galfeat.errors import DataError
from galfeat.evaluate.splits import holdout, outer_folds

THIN = np.repeat(np.arange(10), [18, 112, 102, 131, 32, 71, 43, 16, 89, 109])


def test_each_row_is_tested_once_per_repeat():
    for repeat in range(3):
        tested = [test for r, _, test in outer_folds(THIN, None, 5, 3, 0) if r == repeat]
        np.testing.assert_array_equal(np.sort(np.concatenate(tested)), np.arange(len(THIN)))


def test_train_and_test_are_complements():
    for _, train, test in outer_folds(THIN, None, 5, 1, 0):
        np.testing.assert_array_equal(np.union1d(train, test), np.arange(len(THIN)))
        assert not np.intersect1d(train, test).size


def test_without_groups_fold_counts_differ_by_at_most_one():
    counts = np.array([np.bincount(THIN[test]) for _, _, test in outer_folds(THIN, None, 5, 1, 0)])
    assert np.ptp(counts, axis=0).max() <= 1
    assert np.ptp(counts.sum(axis=1)) <= 1


def test_same_seed_same_folds_and_repeats_differ():
    def first_test_parts(seed, repeats):
        return [test.tolist() for _, _, test in outer_folds(THIN, None, 5, repeats, seed)]

    assert first_test_parts(3, 2) == first_test_parts(3, 2)
    assert first_test_parts(3, 2)[:5] == first_test_parts(3, 1)
    assert first_test_parts(3, 2)[:5] != first_test_parts(3, 2)[5:]
    assert first_test_parts(3, 1) != first_test_parts(4, 1)


@pytest.mark.parametrize("layout", ["pairs", "ragged", "mixed"])
def test_groups_are_spread_as_evenly_as_scikit_learn_spreads_them(layout):
    rng = np.random.default_rng(0)
    groups = {
        "pairs": np.arange(len(THIN)) // 2,
        "ragged": np.sort(rng.integers(0, 260, len(THIN))),
        "mixed": rng.integers(0, 300, len(THIN)),
    }[layout]
    ours = [test for _, _, test in outer_folds(THIN, groups, 5, 1, 0)]
    reference = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    theirs = [test for _, test in reference.split(THIN, THIN, groups)]

    def unevenness(parts):
        return np.ptp([np.bincount(THIN[part], minlength=10) for part in parts], axis=0).sum()

    assert unevenness(ours) <= unevenness(theirs)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(2, 5), n_classes=st.integers(2, 6))
def test_no_group_is_torn_and_every_class_is_trained_on(seed, k, n_classes):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_classes), rng.integers(3 * k, 40, n_classes))
    pairs = rng.permutation(len(y)) // 2
    for _, train, test in outer_folds(y, pairs, k, 1, seed):
        assert not set(pairs[train]) & set(pairs[test])
        assert set(y[train]) == set(y)


def test_holdout_is_stratified_to_the_nearest_row():
    train, test = holdout(THIN, None, 0.2, 0)
    np.testing.assert_allclose(np.bincount(THIN[test]), 0.2 * np.bincount(THIN), atol=0.5)
    assert len(train) + len(test) == len(THIN)


def test_holdout_keeps_groups_together():
    groups = np.arange(len(THIN)) // 3
    train, test = holdout(THIN, groups, 0.25, 1)
    assert not set(groups[train]) & set(groups[test])
    np.testing.assert_allclose(np.bincount(THIN[test]), 0.25 * np.bincount(THIN), atol=3)


def test_a_class_of_two_rows_is_on_both_sides_of_a_small_holdout():
    y = np.repeat([0, 1], [98, 2])
    train, test = holdout(y, None, 0.1, 0)
    assert (np.count_nonzero(y[train] == 1), np.count_nonzero(y[test] == 1)) == (1, 1)


def test_rows_with_an_empty_group_stay_single():
    groups = np.array([""] * 20 + ["pair"] * 2)
    y = np.array([0, 1] * 11)
    sizes = [len(test) for _, _, test in outer_folds(y, groups, 5, 1, 0)]
    assert max(sizes) <= 6


def test_a_class_with_fewer_rows_than_folds_is_named_with_its_count():
    y = np.repeat([0, 1], [20, 3])
    with pytest.raises(DataError, match=r"'merger' has 3 rows.*at least 5 rows"):
        outer_folds(y, None, 5, class_names=("round", "merger"))


def test_a_class_with_fewer_groups_than_folds_is_named_with_its_count():
    y = np.repeat([0, 1], [20, 8])
    groups = np.concatenate([np.arange(20), np.repeat([20, 21], 4)])
    with pytest.raises(DataError, match=r"'1' has 8 rows in 2 groups.*at least 5 groups"):
        outer_folds(y, groups, 5)


def test_a_class_of_one_row_cannot_be_held_out():
    with pytest.raises(DataError, match="'1' has 1 row; a hold-out split needs at least 2 rows"):
        holdout(np.array([0, 0, 0, 1]), None, 0.5, 0)


@pytest.mark.parametrize("y", [np.zeros(9, dtype=int), np.zeros(0, dtype=int)])
def test_fewer_than_two_classes_cannot_be_split(y):
    with pytest.raises(DataError, match="two classes"):
        holdout(y, None, 0.2, 0)


def test_groups_that_bind_a_class_to_one_fold_are_refused():
    y = np.array([2, 1, 0, 0, 1, 2, 0, 2, 0, 0])
    groups = np.array([1, 2, 0, 2, 0, 2, 0, 2, 0, 1])
    with pytest.raises(DataError, match="all rows of class '2' fall into one part"):
        list(outer_folds(y, groups, 2, 1, 25))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: holdout(THIN, None, 1.0, 0), "test size is 1"),
        (lambda: holdout(THIN, None, 0.0, 0), "test size is 0"),
        (lambda: outer_folds(THIN, None, 1), "at least 2 folds"),
        (lambda: outer_folds(THIN, None, 2, 0), "1 repeat"),
        (lambda: outer_folds(THIN - 1, None, 2), "18 of 723 rows have no label"),
        (lambda: outer_folds(THIN / 2, None, 2), "one integer per row"),
        (lambda: outer_folds(THIN, np.arange(3), 2), "one group per row"),
    ],
)
def test_senseless_requests_are_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()
