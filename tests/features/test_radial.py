"""Radial profiles and cuts of views that are known."""

import numpy as np
import pytest

from galfeat.features.band_balance import balanced
from galfeat.features.radial import (
    COLOUR_RINGS,
    COLUMNS,
    RINGS,
    STEPS,
    axis_cuts,
    colour_profiles,
    measure,
    ring_profiles,
)
from galfeat.frame import measure_frame

NAMES = [column.name for column in COLUMNS]
V, U = np.mgrid[:64, :64] - 31.5


def same(image):
    image = np.asarray(image, np.float32)
    return np.repeat(image[None], 3, axis=0), image


def colours_of(*channels, q=1.0):
    light = np.stack([np.broadcast_to(c, (64, 64)) for c in channels]).astype(np.float32)
    return colour_profiles(balanced(light, q), q)


def test_a_flat_view_is_one_everywhere():
    light, grey = same(np.full((64, 64), 6.0))
    np.testing.assert_allclose(colours_of(*light), 0.0, atol=1e-6)
    profiles = ring_profiles(grey, 1.0)
    np.testing.assert_allclose(profiles[0], 1.0, rtol=1e-6)
    np.testing.assert_allclose(profiles[1:], 0.0, atol=1e-6)
    cuts = axis_cuts(grey)
    np.testing.assert_allclose(cuts[:2], 1.0, rtol=1e-6)
    np.testing.assert_allclose(cuts[2:], 0.5, rtol=1e-6)  # the mean distance from the axis


@pytest.mark.parametrize("q", [1.0, 0.6, 0.4])
def test_the_profile_of_a_disc_is_its_own(q):
    r = np.hypot(U, V / q)
    light, grey = same(30.0 * np.exp(-r / 12.0))
    np.testing.assert_allclose(colours_of(*light, q=q), 0.0, atol=1e-6)
    profiles = ring_profiles(grey, q)
    middles = 2.0 * (np.arange(RINGS) + 0.5)
    expected = np.exp(-middles / 12.0)
    # Against each other, because the mean within half the radius divides them all.
    np.testing.assert_allclose(profiles[0] / profiles[0, 4], expected / expected[4], rtol=0.06)
    # Rings are two pixels wide: the profile's own fall across one.
    assert profiles[1].max() < 0.1


def test_scatter_is_the_deviation_around_the_ring():
    theta = np.arctan2(V, U)
    _, grey = same(10.0 * (1.0 + 0.4 * np.cos(3.0 * theta)))
    np.testing.assert_allclose(ring_profiles(grey, 1.0)[1, 2:], 0.4 / np.sqrt(2), rtol=0.02)


def test_a_colour_that_changes_outwards_is_compared_to_the_core():
    r = np.hypot(U, V)
    flat = np.full((64, 64), 10.0)
    outside = np.where(r > 0.4 * 32.0, 1.5, 1.0)
    red_blue, scatter = colours_of(flat, flat, flat * outside)
    np.testing.assert_allclose(red_blue[:2], 0.0, atol=1e-6)
    # Red is as in the core, blue half more; a tenth of the light has the core's colour.
    np.testing.assert_allclose(red_blue[3:], np.log(1.1 / 1.6), rtol=1e-3)
    np.testing.assert_allclose(scatter[3:], 0.0, atol=1e-3)


def test_colour_scatter_is_the_deviation_of_red_minus_blue_around_the_ring():
    wave = 0.3 * np.cos(2.0 * np.arctan2(V, U))
    _, scatter = colours_of(10.0 * (1.0 + wave), 10.0, 10.0 * (1.0 - wave))
    np.testing.assert_allclose(scatter, 0.6 / np.sqrt(2.0) / 1.3, rtol=0.02)


def test_a_gain_of_a_band_changes_no_colour_of_a_ring(smooth_noise):
    disc = 50.0 * np.exp(-np.hypot(U, V) / 10.0)
    channels = [disc * (1.0 + 0.02 * smooth_noise(seed)) for seed in range(3)]
    gained = [gain * c for gain, c in zip((1.7, 0.8, 0.5), channels, strict=True)]
    np.testing.assert_allclose(colours_of(*gained), colours_of(*channels), atol=1e-4)
    assert np.abs(colours_of(*channels)).min(axis=1).max() > 0.01


def test_colours_fade_where_there_is_little_light():
    r = np.hypot(U, V)
    disc = np.exp(-r / 5.0)
    red_blue, _ = colours_of(disc * np.where(r > 6.4, 2.0, 1.0), disc, disc)
    assert red_blue[0] > 0.4
    assert (np.diff(red_blue[1:]) < 0.0).all()
    assert red_blue[-1] < 0.3


def test_a_thin_disc_is_bright_on_its_axis_and_of_little_height():
    _, grey = same(30.0 * np.exp(-np.abs(V) / 3.0 - np.abs(U) / 14.0))
    major, minor, height, width = axis_cuts(grey)
    assert (major[1:] > 3.0 * minor[1:]).all()
    # The mean of an exponential from its own scale height, cut at the edge.
    np.testing.assert_allclose(height, 3.0 / 32.0, rtol=0.05)
    expected = (14.0 - 32.0 / (np.exp(32.0 / 14.0) - 1.0)) / 32.0
    np.testing.assert_allclose(width, expected, rtol=0.02)


def test_cuts_fold_turns_and_mirrors_and_swap_under_a_quarter_turn(smooth_noise):
    image = smooth_noise(6) + np.float32(40.0)
    cuts = axis_cuts(image)
    for moved in (image[::-1, ::-1], image[:, ::-1], image[::-1]):
        np.testing.assert_allclose(axis_cuts(np.ascontiguousarray(moved)), cuts, rtol=1e-6)
    turned = axis_cuts(np.ascontiguousarray(np.rot90(image)))
    np.testing.assert_allclose(turned[[1, 0, 3, 2]], cuts, rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_a_dark_view_gives_zeros(value):
    light, grey = same(np.full((64, 64), value))
    np.testing.assert_array_equal(colours_of(*light), 0.0)
    if value == 0.0:
        np.testing.assert_array_equal(ring_profiles(grey, 1.0), 0.0)
        np.testing.assert_array_equal(axis_cuts(grey), 0.0)


def test_columns_are_where_their_names_say(paint):
    frame = measure_frame(paint(128, scale=8.0, q=0.6, noise=2.0))
    values = dict(zip(NAMES, measure(frame), strict=True))
    view = frame.aligned[0]
    profiles = ring_profiles(view.equalised, frame.q)
    colours = colour_profiles(balanced(view.light, frame.q), frame.q)
    cuts = axis_cuts(view.equalised)
    assert values["radial.scatter.r5"] == profiles[1, 5]
    assert values["radial.red_blue.r3"] == colours[0, 3]
    assert values[f"radial.colour_scatter.r{COLOUR_RINGS - 1}"] == colours[1, -1]
    assert values["radial.minor.x2"] == cuts[1, 2]
    assert values[f"radial.width.x{STEPS - 1}"] == cuts[3, -1]


def test_cuts_of_a_round_galaxy_are_means_over_its_turns(paint):
    frame = measure_frame(paint(128, scale=9.0, noise=2.0))
    assert len(frame.aligned) == 4
    expected = np.mean([axis_cuts(view.equalised) for view in frame.aligned], axis=0)
    np.testing.assert_allclose(measure(frame)[-expected.size :], expected.ravel(), rtol=1e-6)


def test_ring_profiles_are_those_of_photutils():
    profiles = pytest.importorskip("photutils.profiles", reason="photutils is not installed")
    image = np.random.default_rng(3).gamma(2.0, 5.0, (64, 64)).astype(np.float32)
    edges = np.linspace(0.0, 32.0, RINGS + 1)
    rings = profiles.RadialProfile(image.astype(float), (31.5, 31.5), edges, method="center")
    scale = image[np.hypot(V, U) < 16.0].mean(dtype=float)
    np.testing.assert_allclose(ring_profiles(image, 1.0)[0], rings.profile / scale, rtol=1e-5)
