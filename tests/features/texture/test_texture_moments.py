"""Zernike moments against the polynomials themselves and mahotas, and entropies of known images."""

import numpy as np
import pytest
from scipy.special import eval_jacobi

from galfeat.features.texture.entropy import level_entropy, light_entropy
from galfeat.features.texture.zernike import MOMENTS, ORDER, zernike_moments

MIDDLE = 31.5


@pytest.fixture(scope="module")
def positive(smooth_noise):
    """Return a maker of smooth random images with pixels that are not positive."""
    return lambda seed: np.maximum(10.0 + smooth_noise(seed), 0.0).astype(np.float32)


def polynomial(n, m, radius, size):
    """Return a complex Zernike polynomial on its disc, by Jacobi polynomials."""
    middle = 0.5 * (size - 1)
    y, x = (np.mgrid[:size, :size] - middle) / radius
    rho, theta = np.hypot(x, y), np.arctan2(y, x)
    half = (n - m) // 2
    radial = (-1) ** half * rho**m * eval_jacobi(half, m, 0, 1.0 - 2.0 * rho**2)
    return np.where(rho <= 1.0, radial * np.exp(1j * m * theta), 0.0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("radius", "centre"), [(30.0, (MIDDLE, MIDDLE)), (17.3, (28.4, 35.0)), (45.0, (20.0, 40.0))]
)
def test_moments_equal_mahotas(positive, seed, radius, centre):
    features = pytest.importorskip("mahotas.features", reason="mahotas is not installed")
    image = positive(seed)
    theirs = features.zernike_moments(image.astype(float), radius, ORDER, centre)
    ours = zernike_moments(image, radius, *centre)
    np.testing.assert_allclose(ours, theirs, rtol=1e-8)


def test_moments_are_the_sums_that_define_them(positive):
    image = positive(4)
    inside = np.where(polynomial(0, 0, 25.0, 64).real > 0.0, image, 0.0).astype(float)
    moments = zernike_moments(image, 25.0, MIDDLE, MIDDLE)
    for value, (n, m) in zip(moments, MOMENTS, strict=True):
        total = (inside * polynomial(n, m, 25.0, 64).conj()).sum() / inside.sum()
        assert value == pytest.approx((n + 1) / np.pi * abs(total), rel=1e-6, abs=1e-9), (n, m)


@pytest.mark.parametrize(("n", "m"), MOMENTS[1:])
def test_a_polynomial_has_its_own_moment_and_no_other(n, m):
    size, radius, strength = 401, 200.0, 0.5
    image = 1.0 + strength * polynomial(n, m, radius, size).real
    middle = 0.5 * (size - 1)
    moments = dict(
        zip(MOMENTS, zernike_moments(image.astype(np.float32), radius, middle, middle), strict=True)
    )
    # Over the disc |V|² averages to 1 / (n + 1), and half of it is the cosine's where m > 0.
    expected = strength / np.pi * (0.5 if m > 0 else 1.0)
    assert moments.pop((n, m)) == pytest.approx(expected, rel=0.02)
    assert moments.pop((0, 0)) == pytest.approx(1.0 / np.pi, rel=1e-12)
    assert max(moments.values()) < 0.02


@pytest.mark.parametrize(
    "move", [np.rot90, lambda i: i[::-1, ::-1], lambda i: i[:, ::-1], np.transpose]
)
def test_magnitudes_are_invariant_to_rotation_and_mirroring(positive, move):
    image = positive(5)
    before = zernike_moments(image, 27.0, MIDDLE, MIDDLE)
    after = zernike_moments(np.ascontiguousarray(move(image)), 27.0, MIDDLE, MIDDLE)
    np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-12)


def test_magnitudes_do_not_depend_on_the_flux(positive):
    image = positive(6)
    before = zernike_moments(image, 27.0, MIDDLE, MIDDLE)
    after = zernike_moments(4.0 * image, 27.0, MIDDLE, MIDDLE)
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_a_point_at_the_centre_has_the_values_of_the_polynomials_there():
    image = np.zeros((65, 65), np.float32)
    image[32, 32] = 3.0
    for value, (n, m) in zip(zernike_moments(image, 20.0, 32.0, 32.0), MOMENTS, strict=True):
        assert value == pytest.approx((n + 1) / np.pi if m == 0 else 0.0, abs=1e-12)


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_without_light_there_are_no_moments(value):
    image = np.full((64, 64), value, np.float32)
    np.testing.assert_array_equal(zernike_moments(image, 30.0, MIDDLE, MIDDLE), 0.0)


def disc(radius, size=64):
    line = (np.arange(size) - 0.5 * (size - 1)) ** 2
    return np.add.outer(line, line) <= radius**2


def test_entropy_of_levels_equals_its_definition(smooth_noise):
    image = smooth_noise(1)
    counts, _ = np.histogram(image[disc(25.0)], 20, (-40.0, 40.0))
    shares = counts[counts > 0] / counts.sum()
    expected = -(shares * np.log(shares)).sum() / np.log(20)
    assert level_entropy(image, 25.0, -40.0, 40.0, 20) == pytest.approx(expected, rel=1e-3)


def test_entropy_of_levels_of_known_images():
    assert level_entropy(np.full((64, 64), 3.0, np.float32), 30.0, 0.0, 10.0, 16) == 0.0
    halves = np.repeat(np.float32([1.0, 9.0]), 32)[:, None] * np.ones(64, np.float32)
    assert level_entropy(halves, 30.0, 0.0, 10.0, 2) == pytest.approx(1.0)
    assert level_entropy(halves, 30.0, 0.0, 10.0, 16) == pytest.approx(0.25)
    # What lies beyond the ends is in the outermost bins.
    assert level_entropy(100.0 * halves - 500.0, 30.0, 0.0, 10.0, 2) == pytest.approx(1.0)


def test_entropy_of_light_of_known_images():
    assert light_entropy(np.full((64, 64), 3.0, np.float32), 30.0) == pytest.approx(1.0)
    point = np.zeros((64, 64), np.float32)
    point[31, 31] = 7.3
    assert light_entropy(point, 30.0) == pytest.approx(0.0, abs=1e-12)
    point[32, 32] = 7.3
    assert light_entropy(point, 30.0) == pytest.approx(np.log(2) / np.log(disc(30.0).sum()))
    assert light_entropy(np.zeros((64, 64), np.float32), 30.0) == 0.0
    assert light_entropy(np.full((64, 64), -1.0, np.float32), 30.0) == 0.0


@pytest.mark.parametrize(
    "move", [np.rot90, lambda i: i[::-1, ::-1], lambda i: i[:, ::-1], np.transpose]
)
def test_entropies_are_invariant_to_rotation_and_mirroring(positive, move):
    image = positive(2)
    moved = np.ascontiguousarray(move(image))
    assert light_entropy(moved, 25.0) == pytest.approx(light_entropy(image, 25.0), rel=1e-10)
    assert level_entropy(moved, 25.0, 0.0, 30.0, 32) == pytest.approx(
        level_entropy(image, 25.0, 0.0, 30.0, 32), rel=1e-10
    )
