"""The image itself, at several sizes."""

import numpy as np
import pytest

from galfeat.features.registry import family_module
from galfeat.frame import whole_image_frame

SIDES = {"pixels": 32, "pixels-64": 64, "pixels-128": 128, "pixels-256": 256}


def measured(family, image):
    side = SIDES[family]
    return family_module(family).measure(whole_image_frame(image)).reshape(side, side, 3)


@pytest.mark.parametrize("family", SIDES)
def test_an_image_of_twice_the_size_becomes_means_of_its_pixels(family):
    side = SIDES[family]
    image = np.random.default_rng(0).integers(0, 256, (2 * side, 2 * side, 3), dtype=np.uint8)
    means = image.reshape(side, 2, side, 2, 3).mean(axis=(1, 3))
    assert np.abs(measured(family, image) - means).max() <= 1.0  # rounded twice


@pytest.mark.parametrize("family", SIDES)
def test_an_image_of_the_same_size_is_unchanged(family):
    image = np.random.default_rng(1).integers(0, 256, (SIDES[family],) * 2 + (3,), dtype=np.uint8)
    np.testing.assert_array_equal(measured(family, image), image)


@pytest.mark.parametrize("family", SIDES)
def test_columns_are_equal_by_index_slice_and_iteration(family):
    columns = family_module(family).COLUMNS
    listed = list(columns)
    assert len(listed) == len(columns) == SIDES[family] ** 2 * 3
    assert [columns[place] for place in (0, 1, 100, -1)] == [listed[p] for p in (0, 1, 100, -1)]
    assert columns[95:99] == listed[95:99]
    with pytest.raises(IndexError):
        columns[len(columns)]


def test_column_names_give_the_position_of_the_pixel():
    image = np.zeros((64, 64, 3), np.uint8)
    image[5, 40, 1] = 200
    columns = family_module("pixels-64").COLUMNS
    brightest = columns[int(measured("pixels-64", image).argmax())]
    assert brightest.name == "pixels-64.y5x40.green"
    assert brightest.family == "pixels-64"
