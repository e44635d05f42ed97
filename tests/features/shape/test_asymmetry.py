"""Asymmetry of views whose symmetry is known."""

import numpy as np
import pytest

from galfeat.features.shape.asymmetry import asymmetry, half_turn_difference, mirror_asymmetry

RADIUS = 25.6
V, U = np.mgrid[:64, :64] - 31.5


def blob(y, x, sigma=6.0, q=0.6):
    return (30.0 * np.exp(-0.5 * (((U - x) / sigma) ** 2 + ((V - y) / (q * sigma)) ** 2))).astype(
        np.float32
    )


def by_definition(image, radius):
    """Return sum |I - I180| / sum |I| in a circle about the middle."""
    inside = np.hypot(U, V) < radius
    return np.abs(image - image[::-1, ::-1])[inside].sum() / np.abs(image)[inside].sum()


def test_an_image_invariant_under_a_half_turn_has_no_asymmetry(smooth_noise):
    noise = smooth_noise(0)
    for image in (blob(0.0, 0.0), noise + noise[::-1, ::-1], np.full((64, 64), 3.0, np.float32)):
        best, middle, shift = asymmetry(np.ascontiguousarray(image), RADIUS)
        assert best == pytest.approx(0.0, abs=1e-6)
        assert middle == pytest.approx(0.0, abs=1e-6)
        assert shift == 0.0


def test_light_in_one_half_only_has_maximum_asymmetry():
    image = (U > 0).astype(np.float32)
    assert half_turn_difference(image, RADIUS, 63, 63) == pytest.approx(2.0, rel=1e-6)
    assert asymmetry(image, RADIUS)[0] < 2.0  # a centre within the light is better


@pytest.mark.parametrize("seed", range(4))
def test_at_the_centre_it_equals_its_definition(smooth_noise, seed):
    image = smooth_noise(seed) + np.float32(5.0)
    expected = by_definition(image, RADIUS)
    assert half_turn_difference(image, RADIUS, 63, 63) == pytest.approx(expected, rel=0.03)
    assert asymmetry(image, RADIUS)[1] == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(("y", "x"), [(2.0, -1.0), (-1.5, 2.5), (0.5, 0.5), (0.0, -3.0)])
def test_the_centre_of_symmetry_is_found(y, x):
    best, middle, shift = asymmetry(blob(y, x), RADIUS)
    assert best == pytest.approx(0.0, abs=1e-3)
    assert middle > 0.1
    assert shift == pytest.approx(np.hypot(y, x) / 32.0, abs=1e-6)


def test_the_search_for_the_centre_excludes_the_outskirts():
    _, middle, shift = asymmetry(blob(0.0, 16.0, 3.0), RADIUS)
    assert middle > 1.5
    assert shift <= RADIUS / 6.0 / 32.0 + 1e-9


def test_it_does_not_depend_on_turns_mirrors_and_brightness(smooth_noise):
    image = smooth_noise(7) + np.float32(20.0)
    plain = asymmetry(image, RADIUS)
    for moved in (np.rot90(image), image[::-1, ::-1], image[:, ::-1], 7.0 * image):
        again = asymmetry(np.ascontiguousarray(moved, dtype=np.float32), RADIUS)
        np.testing.assert_allclose(again, plain, rtol=1e-4)


def test_a_dark_view_has_none():
    np.testing.assert_array_equal(asymmetry(np.zeros((64, 64), np.float32), RADIUS), 0.0)
    np.testing.assert_array_equal(mirror_asymmetry(np.zeros((64, 64), np.float32), RADIUS), 0.0)


def test_mirrors_tell_the_two_axes_apart():
    left_right = mirror_asymmetry(blob(0.0, 5.0), RADIUS)
    up_down = mirror_asymmetry(blob(5.0, 0.0), RADIUS)
    assert left_right[0] > 0.5
    assert left_right[1] == pytest.approx(0.0, abs=1e-6)
    assert up_down[0] == pytest.approx(0.0, abs=1e-6)
    assert up_down[1] > 0.5
    np.testing.assert_allclose(mirror_asymmetry(blob(0.0, 0.0), RADIUS), 0.0, atol=1e-6)


def test_one_lit_half_is_mirrored_wholly_away():
    np.testing.assert_allclose(
        mirror_asymmetry((U > 0).astype(np.float32), RADIUS), [2.0, 0.0], atol=1e-6
    )
