"""The split keeps groups together, leaves out what it must, and has a digest of its own."""

import numpy as np
import pytest

from galfeat.errors import DataError
from galfeat.experiments.benchmark import make_split

NAMES = ("smooth", "disc", "merger")


@pytest.fixture
def galaxies():
    """90 rows of three classes; each of the first 30 rows and the row 30 later form a group."""
    y = np.arange(90) % 3
    groups = np.array([str(row % 30) if row < 60 else str(row) for row in range(90)])
    digests = np.random.default_rng(0).integers(0, 256, (90, 16), dtype=np.uint8)
    return y, groups, digests


def split_of(galaxies, *, unusable=(), learned=(), **settings):
    masks = {reason: np.isin(np.arange(90), rows) for reason, rows in dict(unusable).items()}
    learned = np.isin(np.arange(90), learned)
    return make_split(*galaxies, unusable=masks, learned=learned, class_names=NAMES, **settings)


def test_every_row_is_in_one_part_and_no_group_in_two(galaxies):
    split = split_of(galaxies, unusable={"blank": [3, 4], "conflict": [4, 5]}, learned=[0, 1, 2])
    assert split.left_out["blank"].tolist() == [3, 4]
    assert split.left_out["conflict"].tolist() == [5]
    parts = [split.train, split.test, *split.left_out.values()]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(90))
    groups = galaxies[1]
    assert not set(groups[split.train]) & set(groups[split.test])
    assert split.part_of_row(90)[3] == "blank"
    assert (split.part_of_row(90) == "test").sum() == len(split.test)


def test_the_split_is_stratified(galaxies):
    split = split_of(galaxies, test_size=0.2)
    assert np.bincount(galaxies[0][split.test]).tolist() == [6, 6, 6]


def test_the_digest_is_that_of_the_test_images(galaxies):
    first = split_of(galaxies)
    assert split_of(galaxies).digest == first.digest
    assert split_of(galaxies, seed=1).digest != first.digest
    assert split_of(galaxies, test_size=0.3).digest != first.digest


def test_what_networks_were_trained_on_changes_neither_split_nor_digest(galaxies):
    first, second = split_of(galaxies), split_of(galaxies, learned=np.arange(20))
    assert second.digest == first.digest
    np.testing.assert_array_equal(second.test, np.setdiff1d(first.test, np.arange(20)))
    np.testing.assert_array_equal(second.train, np.setdiff1d(first.train, np.arange(20)))


def test_a_class_without_training_or_test_rows_is_refused(galaxies):
    with pytest.raises(DataError, match=r"class 'disc' has [01] training galaxies"):
        split_of(galaxies, learned=np.arange(4, 90, 3))
    with pytest.raises(DataError, match="class 'merger' has 1 row; a hold-out split"):
        split_of(galaxies, unusable={"blank": np.arange(5, 90, 3)})
