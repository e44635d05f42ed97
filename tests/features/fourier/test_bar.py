"""Bars of known length, strength, angle and axis ratio."""

import numpy as np
import pytest

from galfeat.features.fourier.bar import BAR_RADII, bar
from galfeat.features.fourier.polar import ANGLES, circles, transform

THETA = 2.0 * np.pi * np.arange(ANGLES) / ANGLES
NAMES = ("strength", "length", "share", "boxiness", "alignment")


def measured(samples):
    return dict(zip(NAMES, bar(transform(samples.astype(np.float32))), strict=True))


def barred_disc(length, q, angle, strength=3.0):
    """An exponential disc with a Ferrers bar; length in pixels, angle in radians."""
    v, u = np.mgrid[:64, :64] - 31.5
    along = (u * np.cos(angle) + v * np.sin(angle)) / length
    across = (v * np.cos(angle) - u * np.sin(angle)) / (q * length)
    inside = np.maximum(1.0 - along**2 - across**2, 0.0) ** 1.5
    return (30.0 * np.exp(-np.hypot(u, v) / 10.0) * (1.0 + strength * inside)).astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 20, 60, 90, -45])
def test_a_bar_has_its_strength_angle_and_length(degrees):
    angle = np.radians(degrees)
    samples = np.full((20, ANGLES), 5.0)
    waves = 2.0 * (THETA - angle)
    rise = np.minimum(np.arange(1, 11) / 6.0, 1.0)[:, None]
    samples[:10] *= 1.0 + rise * (0.6 * np.cos(waves) + 0.2 * np.cos(2.0 * waves))
    samples[10:] *= 1.0 - 0.2 * np.cos(waves)  # a disc stretched across the bar
    values = measured(samples)
    assert values["strength"] == pytest.approx(0.6, abs=1e-4)
    # Ten circles one pixel apart, and a 1/13 of the step to the phase opposite.
    assert values["length"] == pytest.approx((10 + 0.25 / np.pi) / 32, abs=1e-4)
    assert values["boxiness"] == pytest.approx(0.2, abs=1e-4)
    assert values["alignment"] == pytest.approx(np.cos(2.0 * angle), abs=1e-4)
    weights = np.arange(1, 11)
    assert values["share"] == pytest.approx((weights * 0.6 * rise[:, 0]).sum() / weights.sum())


@pytest.mark.parametrize("length", [6.0, 9.0, 12.0])
@pytest.mark.parametrize("q", [0.25, 0.45])
def test_the_bar_of_an_image_with_arms_ends_where_it_was_drawn(length, q):
    view = barred_disc(length, q, 0.4)
    v, u = np.mgrid[:64, :64] - 31.5
    r = np.hypot(u, v)
    arms = 0.4 * np.cos(2.0 * (np.arctan2(v, u) - 0.4) - 5.0 * np.log(r / length))
    view = np.where(r > length, view * (1.0 + arms), view).astype(np.float32)
    values = measured(circles(view, BAR_RADII))
    assert values["length"] * 32 == pytest.approx(length, abs=1.2)
    assert values["alignment"] == pytest.approx(np.cos(0.8), abs=0.1)


def test_a_rounder_bar_is_weaker():
    thin, thick, fat = (
        measured(circles(barred_disc(10.0, q, 0.9), BAR_RADII)) for q in (0.2, 0.4, 0.7)
    )
    assert thin["strength"] > thick["strength"] + 0.05 > fat["strength"] + 0.2
    assert min(thin["share"], thick["share"]) > fat["share"] + 0.1


def test_arms_that_wind_to_the_centre_are_no_bar_of_any_length():
    winding = np.cos(2.0 * THETA[None, :] - 6.0 * np.log(BAR_RADII)[:, None])
    assert measured(5.0 * (1.0 + 0.4 * winding))["length"] < 6 / 32


def test_a_phase_that_never_leaves_ends_with_the_circles():
    values = measured(5.0 * (1.0 + 0.4 * np.cos(2.0 * THETA - 1.0)) * np.ones((20, 1)))
    assert values["length"] == 20 / 32


@pytest.mark.parametrize("level", [0.0, 7.0])
def test_without_a_wave_there_is_no_bar(level):
    values = measured(np.full((20, ANGLES), level))
    assert values["strength"] == pytest.approx(0.0, abs=1e-6)
    assert values["share"] == pytest.approx(0.0, abs=1e-6)
    assert values["boxiness"] == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(list(values.values())).all()


def test_a_mirror_changes_no_value_and_a_turn_the_alignment_alone(smooth_noise):
    view = barred_disc(9.0, 0.3, 0.5) + 0.3 * (smooth_noise(2) + np.float32(30.0))
    plain = bar(transform(circles(view, BAR_RADII)))
    for moved in (view[::-1], view[:, ::-1], view[::-1, ::-1]):
        values = bar(transform(circles(np.ascontiguousarray(moved), BAR_RADII)))
        np.testing.assert_allclose(values, plain, atol=1e-4)
    turned = bar(transform(circles(np.ascontiguousarray(np.rot90(view)), BAR_RADII)))
    np.testing.assert_allclose(turned, [*plain[:4], -plain[4]], atol=1e-4)
