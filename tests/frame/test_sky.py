"""Level and noise of the sky, with stars and galaxies, and without padding."""

import numpy as np
import pytest

from galfeat.frame import measure_frame
from galfeat.frame.sky import sky_level, trim_padding


def noisy(level, sigma, shape=(256, 256), seed=0):
    """Sky alone, as floats."""
    return np.random.default_rng(seed).normal(level, sigma, (*shape, 3))


def eight_bit(image):
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("value", [0, 1, 37, 254, 255])
def test_a_flat_image_is_its_own_sky(value):
    level, noise = sky_level(np.full((32, 48, 3), value, np.uint8))
    np.testing.assert_allclose(level, value, atol=1e-9)
    np.testing.assert_allclose(noise, 0.5)  # what rounding to whole counts hides


@pytest.mark.parametrize("sigma", [1.0, 3.0, 8.0])
def test_level_and_noise_of_normal_noise(sigma):
    level, noise = sky_level(eight_bit(noisy([30.0, 50.0, 90.0], sigma)))
    np.testing.assert_allclose(level, [30.0, 50.0, 90.0], atol=0.05 * sigma)
    # Rounding to whole counts adds a twelfth to the variance; the clipping in whole counts
    # is a little wide, which adds up to a tenth where the noise is one count.
    np.testing.assert_allclose(noise, np.sqrt(sigma**2 + 1 / 12), rtol=0.1)


def test_stars_and_a_galaxy_hardly_raise_the_sky():
    image = noisy(40.0, 4.0)
    y, x = np.mgrid[:256, :256] - 127.5
    image += 180.0 * np.exp(-np.hypot(x, y) / 18.0)[:, :, None]
    rng = np.random.default_rng(1)
    for star_y, star_x in rng.uniform(-127, 127, (40, 2)):
        image += 150.0 * np.exp(-0.5 * ((y - star_y) ** 2 + (x - star_x) ** 2) / 9.0)[:, :, None]
    level, noise = sky_level(eight_bit(image))
    np.testing.assert_allclose(level, 40.0, atol=1.0)
    np.testing.assert_allclose(noise, 4.0, rtol=0.15)


def test_a_slope_gives_the_middle_of_the_sky():
    slope = np.linspace(-5.0, 5.0, 256)[None, :, None]
    level, noise = sky_level(eight_bit(noisy(40.0, 3.0) + slope))
    np.testing.assert_allclose(level, 40.0, atol=0.5)
    assert (noise > 3.0).all()
    assert (noise < 6.0).all()


@pytest.mark.parametrize("value", [0, 40, 255])
@pytest.mark.parametrize("sides", [((7, 7), (7, 7)), ((30, 0), (0, 0)), ((0, 3), (11, 1))])
def test_constant_rows_and_columns_at_the_edge_are_cut_off(value, sides):
    image = eight_bit(noisy(40.0, 3.0, (60, 80)))
    padded = np.pad(image, (*sides, (0, 0)), constant_values=value)
    (top, _), (left, _) = sides
    assert trim_padding(padded) == (top, top + 60, left, left + 80)


def test_a_flat_image_is_not_all_padding():
    assert trim_padding(np.full((40, 50, 3), 9, np.uint8)) == (0, 40, 0, 50)


def test_padding_does_not_count_as_sky(paint):
    image = paint(100, scale=6.0, q=0.6, sky=30.0, noise=3.0)
    plain = measure_frame(image)
    padded = measure_frame(np.pad(image, ((20, 20), (20, 20), (0, 0))))
    np.testing.assert_array_equal(padded.sky, plain.sky)
    assert padded.noise == pytest.approx(plain.noise, rel=0.1)


@pytest.mark.parametrize("sigma", [2.0, 6.0])
def test_noise_of_the_smoothed_image_is_that_of_white_noise_under_its_kernel(paint, sigma):
    frame = measure_frame(paint(256, scale=3.0, sky=60.0, noise=sigma))
    line = np.convolve([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256.0
    # Three independent channels are averaged, and the kernel acts along both axes.
    expected = np.sqrt((sigma**2 + 1 / 12) / 3.0) * np.square(line).sum()
    assert frame.noise == pytest.approx(expected, rel=0.05)


def test_each_channel_has_its_own_sky(paint):
    frame = measure_frame(paint(128, sky=[10.0, 60.0, 120.0], peak=120.0, noise=2.0))
    np.testing.assert_allclose(frame.sky[0], [10.0, 60.0, 120.0], atol=0.3)
