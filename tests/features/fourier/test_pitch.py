"""Logarithmic spirals of known arms, pitch and sense, and how far the gradient wanders."""

import numpy as np
import pytest

from galfeat.features.fourier.pitch import ARM_RADII, arms
from galfeat.features.fourier.polar import ANGLES, circles, contrast, transform
from galfeat.features.fourier.spirality import spirality

NAMES = ("number", "pitch", "strength", "coherence", "sense")


def measured(view):
    parts = transform(contrast(circles(np.ascontiguousarray(view, np.float32), ARM_RADII)))
    return dict(zip(NAMES, arms(parts), strict=True))


@pytest.fixture(scope="module")
def disc(polar):
    """Return a maker of exponential discs with logarithmic arms."""
    r, theta = polar

    def make(number, pitch, sense=1, contrast=0.4, phase=0.6):
        wound = np.log(r) / np.tan(np.radians(pitch))
        waves = np.cos(number * (sense * theta - wound) - phase)
        return (30.0 * np.exp(-r / 12.0) * (1.0 + contrast * waves)).astype(np.float32)

    return make


@pytest.mark.parametrize(
    ("number", "pitch"),
    [(n, p) for n in (2, 3, 4) for p in (12, 18, 25, 35)] + [(5, 18), (5, 30), (6, 25)],
)
@pytest.mark.parametrize("sense", [1, -1])
def test_arms_have_their_number_pitch_and_sense(disc, number, pitch, sense):
    values = measured(disc(number, pitch, sense))
    assert values["number"] == number
    assert values["pitch"] == pytest.approx(pitch, rel=0.04)
    assert values["sense"] * sense > 0.25
    assert values["coherence"] > 0.9
    assert values["strength"] == pytest.approx(0.4, rel=0.2)  # what is fine is blunted


def test_a_bar_within_and_a_tilt_not_taken_out_do_not_move_the_pitch(disc, polar):
    r, theta = polar
    view = disc(2, 20) * np.where(r < 9.0, 1.0 + 0.8 * np.cos(2.0 * theta - 1.0), 1.0)
    view *= 1.0 + 0.25 * np.cos(2.0 * theta)
    values = measured(view)
    assert values["number"] == 2
    assert values["pitch"] == pytest.approx(20, abs=3)
    assert values["sense"] > 0.5


def test_the_stronger_of_two_spirals_is_taken(disc):
    values = measured(disc(3, 20, contrast=0.4) + 0.3 * disc(2, 20, contrast=0.4))
    assert values["number"] == 3
    assert values["coherence"] > 0.9


def test_patches_are_less_coherent_than_arms(smooth_noise):
    patchy = [measured(30.0 + smooth_noise(seed))["coherence"] for seed in range(20)]
    assert np.median(patchy) < 0.8


@pytest.mark.parametrize("level", [0.0, 8.0])
def test_an_even_view_has_no_arms(level):
    assert list(measured(np.full((64, 64), level)).values()) == [0.0, 90.0, 0.0, 0.0, 0.0]


def test_a_turn_changes_no_value_and_a_mirror_the_sense_alone(smooth_noise, disc):
    view = disc(2, 24) + 0.2 * (smooth_noise(3) + 30.0)
    plain = np.array(list(measured(view).values()))
    for moved in (np.rot90(view), view[::-1, ::-1]):
        np.testing.assert_allclose(list(measured(moved).values()), plain, rtol=2e-3)
    for moved in (view[::-1], view.T):
        np.testing.assert_allclose(
            list(measured(moved).values()), plain * [1, 1, 1, 1, -1], rtol=2e-3
        )


def test_brightness_does_not_matter(disc):
    view = disc(3, 17)
    expected = list(measured(view).values())
    np.testing.assert_allclose(list(measured(7.0 * view).values()), expected, rtol=1e-4)


def test_the_gradient_of_a_smooth_disc_points_inwards(polar):
    smooth = (30.0 * np.exp(-polar[0] / 10.0)).astype(np.float32)
    assert spirality(circles(smooth, ARM_RADII)) < 0.1


def test_arms_turn_the_gradient_the_more_the_stronger_they_are(disc):
    values = [spirality(circles(disc(2, 15, contrast=c), ARM_RADII)) for c in (0.0, 0.2, 0.5)]
    assert np.diff(values).min() > 0.2


def test_spirality_of_a_wave_around_is_that_of_its_slopes():
    # f falls by 1 per unit of ln r and varies by a cos(m theta): slopes are known everywhere.
    theta = 2.0 * np.pi * np.arange(ANGLES) / ANGLES
    samples = 10.0 - np.log(ARM_RADII)[:, None] + 0.5 * np.cos(2.0 * theta)
    angles = np.arctan(2.0 * np.sin(2.0 * theta) * 0.5)
    expected = np.sqrt(-2.0 * np.log(np.cos(angles).mean()))
    assert spirality(samples.astype(np.float32)) == pytest.approx(expected, rel=0.02)


def test_spirality_is_invariant_to_stretch_rotation_and_mirroring(disc):
    view = disc(2, 20, contrast=0.3)
    plain = spirality(circles(view, ARM_RADII))
    assert spirality(circles(np.sqrt(view), ARM_RADII)) == pytest.approx(plain, rel=0.02)
    for moved in (np.rot90(view), view[:, ::-1]):
        again = spirality(circles(np.ascontiguousarray(moved), ARM_RADII))
        assert again == pytest.approx(plain, rel=1e-3)


def test_spirality_of_noise_is_large_and_of_nothing_zero():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(24, ANGLES)).astype(np.float32)
    assert 1.5 < spirality(noise) < 2.2
    assert spirality(np.zeros((24, ANGLES), np.float32)) == 0.0
