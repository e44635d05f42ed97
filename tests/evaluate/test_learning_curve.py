from itertools import pairwise

import numpy as np

from galfeat.evaluate.learning_curve import SHARES, nested_rows, rows_per_class


def parts(y, seed=0):
    return nested_rows(np.asarray(y), SHARES, np.random.default_rng(seed))


def test_subsets_are_nested_and_the_last_one_is_complete():
    y = np.random.default_rng(1).integers(0, 4, 500)
    found = parts(y)
    for small, large in pairwise(found):
        assert set(small) < set(large)
    np.testing.assert_array_equal(found[-1], np.arange(500))


def test_classes_keep_their_shares_but_for_two_rows_at_least():
    y = np.repeat([0, 1, 2], [600, 100, 6])
    counts = [np.bincount(y[rows], minlength=3).tolist() for rows in parts(y)]
    assert counts == [[30, 5, 2], [60, 10, 2], [120, 20, 2], [300, 50, 3], [600, 100, 6]]


def test_the_seed_draws_the_rows():
    y = np.zeros(100, dtype=int)
    np.testing.assert_array_equal(parts(y)[0], parts(y)[0])
    assert set(parts(y)[0]) != set(parts(y, seed=1)[0])


def test_rows_per_class_are_nested_and_limited_by_the_class():
    y = np.repeat([0, 1, 2], [5, 30, 100])
    small, large = rows_per_class(y, (10, 40), np.random.default_rng(0))
    assert np.bincount(y[small]).tolist() == [5, 10, 10]
    assert np.bincount(y[large]).tolist() == [5, 30, 40]
    assert set(small) < set(large)
    again, _ = rows_per_class(y, (10, 70), np.random.default_rng(0))
    np.testing.assert_array_equal(again, small)
