import numpy as np
import pytest

from galfeat.data import ArrayDataSet
from galfeat.data.simulation.rerender import SIDE, SKY, RerenderedDataSet, rerender
from galfeat.errors import ImageError


@pytest.mark.parametrize("size", [100, 400, (300, 700)])
def test_any_image_becomes_a_cut_out_of_one_size_on_a_brighter_sky(paint, size):
    shown = rerender(paint(size, scale=12.0), np.random.default_rng(0))
    assert shown.shape == (SIDE, SIDE, 3)
    assert shown.dtype == np.uint8
    assert np.median(shown) == pytest.approx(SKY, abs=15)
    middle = shown[SIDE // 2 - 3 : SIDE // 2 + 3, SIDE // 2 - 3 : SIDE // 2 + 3]
    assert middle.mean() > SKY + 80  # the galaxy is still in the middle


def test_rerendered_images_depend_only_on_row_and_seed(paint):
    images = [paint(120, noise=2.0, seed=number) for number in range(5)]
    shown = RerenderedDataSet(ArrayDataSet(images), seed=4)
    every = shown.read([0, 1, 2, 3, 4])
    for one, again in zip(shown.read([3, 1], jobs=2), (every[3], every[1]), strict=True):
        np.testing.assert_array_equal(one, again)
    other = RerenderedDataSet(ArrayDataSet(images), seed=5).read([3])[0]
    assert (other != every[3]).any()


def test_an_image_that_cannot_be_read_stays_an_error(paint):
    data = ArrayDataSet([paint(64), np.full((64, 64), np.nan)])
    first, second = RerenderedDataSet(data, seed=0).read([0, 1])
    assert first.shape == (SIDE, SIDE, 3)
    assert isinstance(second, ImageError)
