"""Choice of the galaxy among the objects in an image."""

import numpy as np
import pytest

from galfeat.frame import Flag, measure_frame
from galfeat.frame.deblend import PEAK_X, PEAK_Y

MIDDLE = 63.5


def add_star(image, offset, peak=200.0, sigma=1.4):
    """Return the image with a star at an offset (y, x) from its centre."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(float)
    y, x = y - 0.5 * (height - 1) - offset[0], x - 0.5 * (width - 1) - offset[1]
    star = peak * np.exp(-0.5 * (y**2 + x**2) / sigma**2)
    return np.clip(image + np.rint(star)[:, :, None], 0, 255).astype(np.uint8)


@pytest.mark.parametrize("level", [0, 30, 255])
@pytest.mark.parametrize("shape", [(16, 16), (100, 60)])
def test_a_blank_image_has_no_source(shape, level):
    assert measure_frame(np.full((*shape, 3), level, np.uint8)) is None


def test_pure_sky_hardly_ever_has_a_source():
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(40):
        sky = rng.normal(30.0, 4.0, (128, 128, 3))
        frame = measure_frame(np.clip(np.rint(sky), 0, 255).astype(np.uint8))
        # What is found is as faint as the noise, and says so.
        assert frame is None or Flag.TOO_FAINT in frame.flags
        found += frame is not None
    assert found <= 2


@pytest.mark.parametrize("offset", [(0.0, 0.0), (5.0, -3.0), (-7.3, 6.6)])
def test_the_galaxy_is_found_where_it_is(paint, offset):
    frame = measure_frame(paint(scale=8.0, q=0.7, pa=0.5, offset=offset, noise=3.0))
    assert frame.yc == pytest.approx(MIDDLE + offset[0], abs=0.2)
    assert frame.xc == pytest.approx(MIDDLE + offset[1], abs=0.2)


@pytest.mark.parametrize("offset", [(0.0, 14.0), (-16.0, -12.0), (20.0, 3.0)])
def test_a_star_on_the_disc_is_not_the_galaxy(paint, offset):
    alone = paint(scale=14.0, q=0.7, peak=110.0, noise=2.0)
    frame = measure_frame(add_star(alone, offset))
    plain = measure_frame(alone)
    star = frame.labels[round(MIDDLE + offset[0]), round(MIDDLE + offset[1])] - 1
    assert star not in (-1, frame.galaxy)
    summit = frame.objects[star, [PEAK_Y, PEAK_X]]
    np.testing.assert_allclose(summit, np.add(MIDDLE, offset), atol=1.0)
    assert frame.labels[64, 64] - 1 == frame.galaxy
    assert frame.yc == pytest.approx(MIDDLE, abs=0.5)
    assert frame.xc == pytest.approx(MIDDLE, abs=0.5)
    assert frame.radius == pytest.approx(plain.radius, rel=0.05)
    assert frame.q == pytest.approx(plain.q, abs=0.03)


@pytest.mark.parametrize("angle", np.arange(0.0, 2.0 * np.pi, np.pi / 3.0))
def test_the_central_galaxy_is_chosen_over_a_brighter_neighbour(paint, angle):
    where = 34.0 * np.sin(angle), 34.0 * np.cos(angle)
    ours = paint(scale=4.0, peak=90.0, noise=2.0)
    other = paint(scale=5.0, peak=200.0, sky=0.0, offset=where)
    frame = measure_frame(np.clip(ours.astype(int) + other, 0, 255).astype(np.uint8))
    assert np.hypot(frame.yc - MIDDLE, frame.xc - MIDDLE) < 1.5


def test_of_two_galaxies_side_by_side_the_nearer_is_chosen(paint):
    for side in (-1.0, 1.0):
        one = paint(scale=5.0, offset=(0.0, 6.0 * side), peak=150.0, noise=1.0)
        two = paint(scale=5.0, offset=(0.0, -24.0 * side), peak=150.0, sky=0.0)
        frame = measure_frame(np.clip(one.astype(int) + two, 0, 255).astype(np.uint8))
        assert frame.xc == pytest.approx(MIDDLE + 6.0 * side, abs=1.0)
        assert len(frame.objects) == 2


@pytest.mark.parametrize("where", [(-55.0, 0.0), (0.0, 55.0), (50.0, -50.0)])
def test_objects_at_the_border_are_not_chosen(paint, where):
    assert measure_frame(paint(scale=2.5, peak=220.0, offset=where)) is None


def test_a_single_bright_pixel_is_a_source_too_small_to_measure():
    image = np.full((64, 64, 3), 20, np.uint8)
    image[31, 33] = 255
    frame = measure_frame(image)
    assert (frame.yc, frame.xc) == (pytest.approx(31.0, abs=0.1), pytest.approx(33.0, abs=0.1))
    assert Flag.TOO_SMALL in frame.flags
    assert np.isfinite(frame.radii).all()


@pytest.mark.parametrize("peak", [400.0, 1500.0])
def test_a_saturated_core_is_centred(paint, peak):
    frame = measure_frame(paint(192, scale=10.0, q=0.6, pa=0.4, peak=peak, noise=2.0))
    assert frame.yc == pytest.approx(95.5, abs=0.2)
    assert frame.xc == pytest.approx(95.5, abs=0.2)


def test_a_saturated_block_is_measured():
    image = np.full((96, 96, 3), 20, np.uint8)
    image[38:58, 33:63] = 255
    frame = measure_frame(image)
    # Nothing tells one place on a flat top from another, but the outline has its ellipse.
    assert 38.0 < frame.yc < 58.0
    assert 33.0 < frame.xc < 63.0
    assert frame.q == pytest.approx(2.0 / 3.0, abs=0.1)
    assert frame.pa == pytest.approx(0.0, abs=0.1)
    assert 12.0 < frame.radii[4] < 26.0


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_the_frame_turns_with_the_image(paint, turns):
    image = add_star(paint(scale=9.0, q=0.6, pa=0.35, offset=(2.0, -3.0), noise=3.0), (20.0, 9.0))
    frame, turned = measure_frame(image), measure_frame(np.rot90(image, turns))
    expected = np.array([frame.yc - MIDDLE, frame.xc - MIDDLE])
    pa = frame.pa
    for _ in range(turns):  # a quarter turn of rot90 carries (y, x) to (-x, y)
        expected = np.array([-expected[1], expected[0]])
        pa -= 0.5 * np.pi
    np.testing.assert_allclose([turned.yc - MIDDLE, turned.xc - MIDDLE], expected, atol=0.02)
    assert np.sin(turned.pa - pa) == pytest.approx(0.0, abs=2e-3)
    assert turned.q == pytest.approx(frame.q, abs=2e-3)
    np.testing.assert_allclose(turned.radii, frame.radii, rtol=2e-3)
    np.testing.assert_array_equal(turned.sky, frame.sky)
    assert turned.flags == frame.flags
