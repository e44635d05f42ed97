"""Deblending: pixels of objects, passes between them, and merging."""

import numpy as np
import pytest

from galfeat.frame.deblend import (
    AREA,
    BOTTOM,
    FLUX,
    LEFT,
    MAX_OBJECTS,
    NEIGHBOUR,
    PASS,
    PEAK,
    PEAK_X,
    PEAK_Y,
    RIGHT,
    SHARPNESS,
    TOP,
    deblend,
)

THRESHOLD, NOISE = 5.0, 1.0
Y, X = np.mgrid[:101, :101].astype(float)


def blob(peak, y, x, sigma=5.0):
    return peak * np.exp(-0.5 * ((Y - y) ** 2 + (X - x) ** 2) / sigma**2)


def parted(image, threshold=THRESHOLD, noise=NOISE):
    return deblend(np.asarray(image, np.float32), threshold, noise)


def test_one_gaussian_is_one_object_with_its_numbers():
    image = blob(100.0, 48.0, 55.0)
    labels, objects = parted(image)
    assert objects.shape == (1, 12)
    own = objects[0]
    assert (own[PEAK_Y], own[PEAK_X]) == (48.0, 55.0)
    assert own[PEAK] == pytest.approx(100.0, rel=1e-5)
    assert own[AREA] == pytest.approx(2.0 * np.pi * 25.0 * np.log(100.0 / THRESHOLD), rel=0.03)
    # Of a Gaussian's light 1 - threshold / peak is above the threshold.
    assert own[FLUX] == pytest.approx(2.0 * np.pi * 25.0 * 95.0, rel=0.01)
    assert own[SHARPNESS] == pytest.approx(np.exp(-0.5 * 9.0 / 25.0), rel=1e-5)
    assert own[PASS] == THRESHOLD
    assert own[NEIGHBOUR] == -1.0
    np.testing.assert_array_equal(labels > 0, image.astype(np.float32) > THRESHOLD)


def test_two_gaussians_meet_at_their_pass():
    image = blob(100.0, 50.0, 40.0) + blob(80.0, 50.0, 60.0)
    labels, objects = parted(image)
    assert len(objects) == 2
    assert objects[:, PEAK_X].tolist() == [40.0, 60.0]  # the brightest first
    np.testing.assert_array_equal(objects[:, NEIGHBOUR], [1.0, 0.0])
    # The pass is the lowest point of the line between the two summits.
    saddle = image[50, 40:61].min()
    np.testing.assert_allclose(objects[:, PASS], saddle, rtol=1e-5)
    assert labels[50, 40] == 1
    assert labels[50, 60] == 2
    lowest = 40 + int(image[50, 40:61].argmin())
    assert (labels[50, 40:lowest] == 1).all()
    assert (labels[50, lowest + 1 : 61] == 2).all()
    assert objects[:, AREA].sum() == (image.astype(np.float32) > THRESHOLD).sum()
    assert objects[:, FLUX].sum() == pytest.approx(image[image > THRESHOLD].sum(), rel=1e-5)


@pytest.mark.parametrize(("distance", "number"), [(12, 1), (13, 1), (16, 2), (20, 2)])
def test_a_peak_hardly_above_its_pass_is_not_an_object(distance, number):
    image = blob(100.0, 50.0, 40.0) + blob(100.0, 50.0, 40.0 + distance)
    # Between equal Gaussians the pass is in the middle, 3 / 10 below the summits at 14.0 px.
    middle = 200.0 * np.exp(-0.125 * distance**2 / 25.0)
    assert (middle < 0.7 * image.max()) == (number == 2)
    assert len(parted(image)[1]) == number


def test_a_noise_peak_is_not_an_object():
    image = blob(100.0, 50.0, 30.0) + blob(20.0, 50.0, 50.0)  # rises by 9 above the pass
    assert len(parted(image, noise=1.0)[1]) == 2
    assert len(parted(image, noise=2.0)[1]) == 1


def test_objects_that_do_not_touch_have_no_neighbour():
    _, objects = parted(blob(100.0, 20.0, 20.0) + blob(90.0, 80.0, 80.0))
    np.testing.assert_array_equal(objects[:, NEIGHBOUR], [-1.0, -1.0])
    np.testing.assert_array_equal(objects[:, PASS], [THRESHOLD, THRESHOLD])


@pytest.mark.parametrize(("pixels", "number"), [(1, 0), (5, 0), (6, 1)])
def test_a_few_pixels_are_not_an_object(pixels, number):
    image = np.zeros((40, 40))
    image[20, 10 : 10 + pixels] = np.arange(50.0, 50.0 + pixels)
    labels, objects = parted(image)
    assert len(objects) == number
    assert labels.max() == number


@pytest.mark.parametrize("level", [0.0, -3.0, THRESHOLD])
def test_without_light_above_the_threshold_there_are_no_objects(level):
    labels, objects = parted(np.full((32, 20), level))
    assert objects.shape == (0, 12)
    assert not labels.any()


def test_a_flat_top_is_one_object():
    image = np.zeros((60, 60))
    image[20:40, 15:50] = 255.0
    labels, objects = parted(image)
    assert len(objects) == 1
    assert objects[0, AREA] == 20 * 35
    np.testing.assert_array_equal(labels == 1, image > 0)


def test_light_over_the_whole_image_is_one_object():
    labels, objects = parted(np.full((32, 20), 77.0))
    assert objects[0, AREA] == 32 * 20
    assert (labels == 1).all()


def test_only_the_brightest_objects_are_kept():
    image = np.zeros((120, 120))
    y, x = np.mgrid[:120, :120].astype(float)
    for k in range(100):
        cy, cx = 6 + 12 * (k // 10), 6 + 12 * (k % 10)
        image += (40.0 + k) * np.exp(-0.5 * ((y - cy) ** 2 + (x - cx) ** 2) / 1.5**2)
    _, objects = parted(image, threshold=2.0)
    assert len(objects) == MAX_OBJECTS
    assert objects[:, PEAK].min() == pytest.approx(40.0 + 36, abs=2.0)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_objects_turn_with_the_image(turns):
    rng = np.random.default_rng(3)
    image = sum(blob(p, y, x, s) for p, y, x, s in zip(
        rng.uniform(30, 100, 9), rng.uniform(10, 90, 9), rng.uniform(10, 90, 9),
        rng.uniform(2, 7, 9), strict=True,
    ))  # fmt: skip
    labels, objects = parted(image)
    turned_labels, turned = parted(np.rot90(image, turns).copy())
    assert len(turned) == len(objects) > 4
    # Brightness is sorted in 2048 levels, so a summit may be its neighbour of the same level.
    np.testing.assert_allclose(turned[:, PEAK], objects[:, PEAK], rtol=1e-3)
    np.testing.assert_allclose(turned[:, PASS], objects[:, PASS], rtol=0.01)
    np.testing.assert_array_equal(turned[:, NEIGHBOUR], objects[:, NEIGHBOUR])
    # Along the borders between objects pixels of nearly equal brightness may change hands.
    assert (np.rot90(labels, turns) != turned_labels).mean() < 0.005


def test_the_bounding_box_is_tight():
    image = blob(100.0, 30.0, 40.0) + blob(60.0, 70.0, 75.0) + blob(80.0, 0.0, 95.0)
    labels, objects = parted(image)
    assert len(objects) == 3
    for row, box in enumerate(objects[:, [TOP, BOTTOM, LEFT, RIGHT]]):
        y, x = np.nonzero(labels == row + 1)
        np.testing.assert_array_equal(box, [y.min(), y.max() + 1, x.min(), x.max() + 1])
        assert objects[row, AREA] == y.size
