"""Wavelets, Gabor filters and gradient patterns of images whose texture is known."""

import numpy as np
import pytest
from scipy.ndimage import convolve

from galfeat.features.texture.gabor import WAVELENGTH, WIDTH, gabor_energies
from galfeat.features.texture.gradient_pattern import gradient_pattern_asymmetry
from galfeat.features.texture.starlet import starlet

MOVES = {
    "quarter turn": np.rot90,
    "half turn": lambda image: image[::-1, ::-1],
    "mirror": lambda image: image[:, ::-1],
    "transpose": np.transpose,
}
SPLINE = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256.0


@pytest.mark.parametrize("shape", [(64, 64), (40, 23), (3, 5), (1, 1)])
def test_the_wavelets_add_up_to_the_image(shape):
    image = np.random.default_rng(0).normal(10.0, 3.0, shape).astype(np.float32)
    planes = starlet(image, 5)
    assert planes.shape == (6, *shape)
    np.testing.assert_allclose(planes.sum(axis=0), image, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 5.0, -0.3])
def test_a_constant_image_has_no_wavelets(value):
    planes = starlet(np.full((30, 30), value, np.float32), 4)
    np.testing.assert_allclose(planes[:4], 0.0, atol=1e-6)
    np.testing.assert_allclose(planes[4], value, atol=1e-6)


@pytest.mark.parametrize("scale", range(4))
def test_each_scale_is_the_difference_of_two_smoothings(smooth_noise, scale):
    smoothed = smooth_noise(1).astype(float)
    for step in 2 ** np.arange(scale + 1):
        finer = smoothed
        holes = np.zeros((4 * step + 1, 4 * step + 1))
        holes[::step, ::step] = SPLINE
        smoothed = convolve(smoothed, holes, mode="reflect")
    planes = starlet(smooth_noise(1), 4)
    np.testing.assert_allclose(planes[scale], finer - smoothed, atol=2e-5)


def test_wavelets_of_noise_have_the_expected_deviations():
    """Of unit white noise the finest wavelet has a deviation of 0.889, the next of 0.200."""
    noise = np.random.default_rng(1).normal(size=(512, 512)).astype(np.float32)
    planes = starlet(noise, 4)
    expected = [0.889, 0.200, 0.086, 0.041]
    np.testing.assert_allclose(planes[:4].std(axis=(1, 2)), expected, rtol=0.03)


@pytest.mark.parametrize("move", MOVES)
def test_wavelets_move_with_the_image(smooth_noise, move):
    image = smooth_noise(2)
    moved = starlet(np.ascontiguousarray(MOVES[move](image)), 4)
    expected = np.stack([MOVES[move](plane) for plane in starlet(image, 4)])
    np.testing.assert_allclose(moved, expected, atol=1e-5)


def wave(length, degrees, size=64):
    """Return a wave of unit amplitude that runs in a direction, from x towards rising rows."""
    v, u = np.mgrid[:size, :size] - 0.5 * (size - 1)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.cos(2.0 * np.pi / length * (u * c + v * s) + 0.7).astype(np.float32)


@pytest.mark.parametrize("direction", range(4))
def test_energies_equal_convolution_with_the_filters(smooth_noise, direction):
    image = smooth_noise(3)
    v, u = np.mgrid[-5:6, -5:6]
    gauss = np.exp(-0.5 * (u**2 + v**2) / WIDTH**2)
    gauss /= gauss.sum()
    angle = 0.25 * np.pi * direction
    phase = 2.0 * np.pi / WAVELENGTH * (u * np.cos(angle) + v * np.sin(angle))
    bank = gauss * np.exp(1j * phase)
    bank -= gauss * bank.sum()
    square = sum(
        convolve(image.astype(float), part, mode="reflect") ** 2 for part in (bank.real, bank.imag)
    )
    v, u = np.mgrid[:64, :64] - 31.5
    expected = square[u**2 + v**2 <= 20.0**2].mean()
    assert gabor_energies(image, 20.0)[direction] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("direction", range(4))
def test_a_wave_has_its_energy_in_its_own_direction_and_band(direction):
    energies = gabor_energies(wave(WAVELENGTH, 45.0 * direction), 24.0)
    assert energies.argmax() == direction
    assert np.delete(energies, direction).max() < 0.1 * energies[direction]
    # A filter of unit gain in its band passes half of the wave, squared: 1/4.
    assert energies[direction] == pytest.approx(0.25, rel=0.03)
    for other in (0.5, 3.0):
        off_band = gabor_energies(wave(other * WAVELENGTH, 45.0 * direction), 24.0)
        assert off_band.sum() < 0.15 * energies.sum()


def test_a_constant_has_no_energy():
    np.testing.assert_allclose(gabor_energies(np.full((64, 64), 9.0, np.float32), 30.0), 0.0,
                               atol=1e-10)  # fmt: skip
    assert np.isfinite(gabor_energies(np.ones((1, 1), np.float32), 3.0)).all()


@pytest.mark.parametrize(
    ("move", "order"),
    [
        ("quarter turn", [2, 3, 0, 1]), ("half turn", [0, 1, 2, 3]), ("mirror", [0, 3, 2, 1]),
        ("transpose", [2, 1, 0, 3]),
    ],
)  # fmt: skip
def test_rotation_and_mirroring_only_swap_the_directions(smooth_noise, move, order):
    image = smooth_noise(4)
    before = gabor_energies(image, 24.0)
    after = gabor_energies(np.ascontiguousarray(MOVES[move](image)), 24.0)
    np.testing.assert_allclose(after, before[order], rtol=1e-5)


@pytest.mark.parametrize("radius", [10.0, 24.0, 40.0])
def test_gradients_of_a_symmetric_field_have_their_reverse_opposite(smooth_noise, radius):
    image = smooth_noise(5)
    symmetric = (image + image[::-1, ::-1]).astype(np.float32)
    assert gradient_pattern_asymmetry(symmetric, radius, 1e-4, 1e-2) == 0.0
    assert gradient_pattern_asymmetry(np.ones((64, 64), np.float32), radius, 0.01, 0.01) == 0.0


def test_parallel_gradients_are_asymmetric_but_do_not_cancel():
    slope = np.mgrid[:64, :64][1].astype(np.float32)
    assert gradient_pattern_asymmetry(slope, 24.0, 0.01, 0.01) == pytest.approx(1.0)


def test_an_antisymmetric_field_has_gradients_without_a_reverse_that_cancel_in_part(smooth_noise):
    image = smooth_noise(6)
    value = gradient_pattern_asymmetry((image - image[::-1, ::-1]).astype(np.float32), 24.0, 0, 0)
    assert 1.5 < value <= 2.0


def test_the_gradient_moment_equals_its_definition(smooth_noise):
    image = smooth_noise(7)
    down, across = np.gradient(image.astype(float))
    v, u = np.mgrid[:64, :64] - 31.5
    inside = u**2 + v**2 <= 24.0**2
    field = (across + 1j * down)[inside]
    opposite = (across + 1j * down)[::-1, ::-1][inside]
    size, other = np.abs(field), np.abs(opposite)
    least = 0.1 * size.max()
    turned = np.abs(np.angle(field / -opposite))
    asymmetric = (size > least) & ~((np.abs(size - other) <= least) & (turned <= 0.2))
    confluence = np.abs(field[asymmetric].sum()) / size[asymmetric].sum()
    expected = asymmetric.sum() / inside.sum() * (2.0 - confluence)
    assert gradient_pattern_asymmetry(image, 24.0, 0.1, 0.2) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("move", MOVES)
def test_the_gradient_moment_is_invariant_to_rotation_and_mirroring(smooth_noise, move):
    image = smooth_noise(8)
    before = gradient_pattern_asymmetry(image, 24.0, 0.1, 0.2)
    moved = np.ascontiguousarray(MOVES[move](image))
    assert gradient_pattern_asymmetry(moved, 24.0, 0.1, 0.2) == pytest.approx(before, rel=1e-6)


def test_small_differences_within_tolerance_are_ignored(smooth_noise):
    image, noise = smooth_noise(9), smooth_noise(10)
    disturbed = (image + image[::-1, ::-1] + 0.05 * noise).astype(np.float32)
    values = [
        gradient_pattern_asymmetry(disturbed, 24.0, modulus, phase)
        for modulus, phase in ((0.0, 0.0), (0.02, 0.05), (0.1, 0.2), (1.0, np.pi))
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] > 1.8
    assert values[2] < 0.3
    assert values[3] == 0.0


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_tiny_image_has_no_asymmetry(size):
    assert gradient_pattern_asymmetry(np.ones((size, size), np.float32), 5.0, 0.1, 0.2) == 0.0
