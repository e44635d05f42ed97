"""Circles, their contrast and their Fourier coefficients."""

import numpy as np
import pytest

from galfeat.features.fourier.polar import ANGLES, ORDERS, circles, contrast, transform

RADII = np.linspace(4.0, 30.0, 9)
THETA = 2.0 * np.pi * np.arange(ANGLES) / ANGLES


def test_a_ramp_is_sampled_where_the_circles_lie():
    v, u = np.mgrid[:64, :64] - 31.5
    samples = circles((3.0 * u - 2.0 * v + 500.0).astype(np.float32), RADII)
    expected = 500.0 + RADII[:, None] * (3.0 * np.cos(THETA) - 2.0 * np.sin(THETA))
    np.testing.assert_allclose(samples, expected, rtol=1e-5)


def test_beyond_the_edge_its_own_pixels_are_taken():
    _, u = np.mgrid[:64, :64] - 31.5
    samples = circles(u.astype(np.float32), np.array([100.0]))
    assert samples[0, 0] == pytest.approx(31.5, abs=0.01)
    assert samples[0, ANGLES // 2] == pytest.approx(-31.5, abs=0.01)


@pytest.mark.parametrize("m", range(ORDERS + 1))
def test_a_wave_has_half_its_amplitude_in_its_order(m):
    samples = np.tile(2.0 + 0.6 * np.cos(m * THETA - 0.8), (5, 1)).astype(np.float32)
    parts = transform(samples)
    expected = np.zeros((5, ORDERS + 1, 2))
    expected[:, 0, 0] = 2.0
    if m:
        expected[:, m] = 0.3 * np.cos(0.8), 0.3 * np.sin(0.8)
    else:
        expected[:, 0, 0] += 0.6 * np.cos(0.8)
    np.testing.assert_allclose(parts, expected, atol=1e-6)


def test_contrast_is_the_departure_from_the_mean():
    samples = (5.0 * (1.0 + 0.3 * np.cos(3.0 * THETA)) * np.ones((4, 1))).astype(np.float32)
    samples[3] = 0.0
    expected = np.tile(0.3 * np.cos(3.0 * THETA), (4, 1))
    expected[3] = 0.0
    np.testing.assert_allclose(contrast(samples), expected, atol=1e-6)
