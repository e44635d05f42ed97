"""Colours of views that are grey, of one colour, redder inside, or with blue knots."""

import numpy as np
import pytest

from galfeat.features.band_balance import balanced
from galfeat.features.colour import (
    BINS,
    COLUMNS,
    RANGE,
    blue_knots,
    gradients,
    histogram,
    measure,
    running_sums,
    zone_colours,
)
from galfeat.frame import measure_frame

NAMES = [column.name for column in COLUMNS]
ZONES = [f"colour.{pair}.{z}" for z in ("core", "disc", "outskirts")
         for pair in ("red_green", "green_blue")]  # fmt: skip


def view(*channels):
    return np.stack([np.broadcast_to(c, (64, 64)) for c in channels]).astype(np.float32)


def colours_of(light, q=1.0):
    relative = balanced(light, q)
    sums = running_sums(relative)
    values = [*histogram(sums, q), *zone_colours(light, q), *gradients(relative, q)]
    return dict(zip(NAMES, [*values, blue_knots(sums, q)], strict=True))


def relative_histogram(values):
    return np.array([values[f"colour.relative.b{b}"] for b in range(BINS)])


@pytest.fixture(scope="module")
def disc(polar):
    return 100.0 * np.exp(-polar[0] / 10.0)


@pytest.fixture(scope="module")
def knotty(polar, disc):
    """Return a maker of discs with six compact regions, of which colour and strength are set."""
    r, theta = polar
    places = [(12.0 * np.cos(a), 12.0 * np.sin(a)) for a in np.arange(6) * np.pi / 3.0]
    x, y = r * np.cos(theta), r * np.sin(theta)
    spots = sum(np.exp(-0.5 * ((x - u) ** 2 + (y - v) ** 2) / 1.5**2) for u, v in places)

    def make(red, green, blue):
        return view(*(disc + 30.0 * amount * spots for amount in (red, green, blue)))

    return make


def test_a_grey_galaxy_has_no_colour(paint, disc):
    image = paint(128, scale=8.0, q=0.6, sky=[20, 20, 21])  # not of one band
    for values in (
        dict(zip(NAMES, measure(measure_frame(image)), strict=True)),
        colours_of(view(disc, disc, disc)),
    ):
        for name in NAMES[BINS:]:
            assert values[name] == pytest.approx(0.0, abs=1e-6), name
        expected = np.zeros(BINS)
        expected[BINS // 2] = 1.0  # in the middle of a bin, not at its edge
        np.testing.assert_allclose(relative_histogram(values), expected, atol=1e-6)


@pytest.mark.parametrize(("red", "green", "blue"), [(6, 5, 3), (3, 5, 6), (7, 3, 1), (1, 9, 1)])
def test_a_galaxy_of_one_colour_has_it_in_every_zone_and_none_relative(disc, red, green, blue):
    values = colours_of(view(red * disc, green * disc, blue * disc))
    total = red + green + blue
    for zone in ("core", "disc", "outskirts"):
        assert values[f"colour.red_green.{zone}"] == pytest.approx(3 * (red - green) / total)
        assert values[f"colour.green_blue.{zone}"] == pytest.approx(3 * (green - blue) / total)
    assert values["colour.relative.b4"] == pytest.approx(1.0)
    for name in ("spread", "bulge_disc", "gradient", "blue_knots"):
        assert values[f"colour.{name}"] == pytest.approx(0.0, abs=1e-5)


def test_a_gain_of_a_band_changes_the_colours_of_zones_alone(smooth_noise, disc):
    patches = [1.0 + 0.02 * smooth_noise(seed) for seed in range(3)]
    light = view(*(disc * patch for patch in patches))
    plain = colours_of(light, 0.8)
    gained = colours_of(light * np.float32([[[1.6]], [[0.9]], [[0.5]]]), 0.8)
    assert plain["colour.spread"] > 0.02
    assert plain["colour.blue_knots"] > 1e-4
    for name in NAMES:
        if name in ZONES:
            assert abs(gained[name] - plain[name]) > 0.1
        else:
            assert gained[name] == pytest.approx(plain[name], rel=1e-3, abs=1e-5), name


def test_balanced_light_has_the_same_mean_in_every_channel(polar, disc):
    light = view(7.0 * disc, disc * polar[0], 2.0 * disc)
    inside = balanced(light, 1.0)[:, polar[0] < 0.8 * 32.0]
    np.testing.assert_allclose(inside.mean(axis=1), 1.0, rtol=1e-5)


def test_an_almost_empty_channel_is_not_amplified(disc):
    relative = balanced(view(disc, disc, 1e-4 * disc), 1.0)
    assert relative[2].mean() < 0.01 * relative[0].mean()
    assert relative.max() < 20.0


def test_a_red_core_in_a_blue_disc_has_a_gradient(polar, disc):
    red = np.where(polar[0] < 6.4, 1.4, 0.8) * disc
    blue = np.where(polar[0] < 6.4, 0.6, 1.2) * disc
    values = colours_of(view(red, disc, blue))
    assert values["colour.red_green.core"] == pytest.approx(0.4, abs=0.01)
    assert values["colour.red_green.outskirts"] == pytest.approx(-0.2, abs=0.01)
    # ln(1.4 / 0.6) - ln(0.8 / 1.2), less what a tenth of the mean light adds to either.
    step = np.log(1.4 / 0.6) - np.log(0.8 / 1.2)
    assert values["colour.bulge_disc"] == pytest.approx(step, rel=0.12)
    assert 0.7 * step < values["colour.gradient"] < values["colour.bulge_disc"]


def test_a_colour_ramp_has_the_gradient_of_its_slope(polar, disc):
    found = []
    for slope in (0.2, 0.4, -0.4):
        tilt = np.exp(0.5 * slope * (1.0 - polar[0] / 32.0))
        found.append(colours_of(view(disc * tilt, disc, disc / tilt))["colour.gradient"])
    assert found[0] == pytest.approx(0.2 * 0.43, rel=0.2)  # from 0.13 to 0.56 radii, by light
    np.testing.assert_allclose(found[1:], [2.0 * found[0], -2.0 * found[0]], rtol=0.1)


def test_the_histogram_is_weighted_by_light(polar, disc):
    halves = np.where(polar[1] > 0.0, 1.3, 0.7)
    values = colours_of(view(halves * disc, disc, (2.0 - halves) * disc))
    # R - B over R + G + B is 0.2 in one half and -0.2 in the other, a little less with the floor.
    histogram = relative_histogram(values)
    places = [int(0.5 * BINS * (c / RANGE + 1.0)) for c in (-0.18, 0.18)]
    assert histogram[places].sum() > 0.75
    np.testing.assert_allclose(histogram, histogram[::-1], atol=0.03)
    assert histogram.sum() == pytest.approx(1.0)
    assert values["colour.spread"] == pytest.approx(0.18, abs=0.02)


def test_blue_knots_are_compact_and_bluer_than_the_disc(knotty):
    blue = colours_of(knotty(0.2, 0.6, 1.0))["colour.blue_knots"]
    assert blue > 0.002
    assert colours_of(knotty(0.1, 0.3, 0.5))["colour.blue_knots"] < 0.5 * blue
    for grey_or_red in ((0.8, 0.8, 0.8), (1.0, 0.6, 0.2)):
        assert colours_of(knotty(*grey_or_red))["colour.blue_knots"] < 0.15 * blue


def test_a_slow_change_of_colour_is_not_a_knot(polar, disc):
    across = polar[0] * np.cos(polar[1]) / 32.0
    values = colours_of(view(disc * (1.0 - 0.4 * across), disc, disc * (1.0 + 0.4 * across)))
    assert values["colour.spread"] > 0.04
    assert values["colour.blue_knots"] < 3e-4


def test_brightness_does_not_matter(knotty):
    light = knotty(0.2, 0.6, 1.0)
    one, other = (list(colours_of(np.float32(f) * light, 0.7).values()) for f in (1.0, 0.1))
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)


def test_values_are_invariant_to_rotation_and_mirroring(smooth_noise, disc):
    light = view(*(disc * (1.0 + 0.02 * smooth_noise(seed)) for seed in (4, 5, 6)))
    plain = list(colours_of(light).values())
    for moved in (light[:, ::-1], light[:, ::-1, ::-1], np.rot90(light, axes=(1, 2))):
        values = list(colours_of(np.ascontiguousarray(moved)).values())
        np.testing.assert_allclose(values, plain, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, -5.0])
def test_without_light_there_is_no_colour(value):
    flat = np.full((64, 64), value)
    np.testing.assert_array_equal(list(colours_of(view(flat, flat, flat)).values()), 0.0)


def test_the_sky_has_no_colour_whatever_its_own(paint):
    plain = measure(measure_frame(paint(128, scale=8.0, q=0.6, peak=120.0, sky=[20, 20, 21])))
    skies = measure(measure_frame(paint(128, scale=8.0, q=0.6, peak=120.0, sky=[60, 10, 30])))
    np.testing.assert_allclose(skies, plain, atol=0.02)
