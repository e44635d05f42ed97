"""Colours of views that are grey, of one colour, or redder inside."""

import numpy as np
import pytest

from galfeat.features.colour import BINS, COLUMNS, colours, measure
from galfeat.frame import measure_frame

NAMES = [column.name for column in COLUMNS]
ZONES = NAMES[2 * BINS :]


def view(*channels):
    return np.stack([np.broadcast_to(c, (64, 64)) for c in channels]).astype(np.float32)


def colour_of(light, q=1.0):
    return dict(zip(NAMES, colours(light, q), strict=True))


@pytest.fixture(scope="module")
def disc(polar):
    return 100.0 * np.exp(-polar[0] / 10.0)


def test_a_grey_galaxy_has_no_colour(paint, disc):
    for values in (
        dict(zip(NAMES, measure(measure_frame(paint(128, scale=8.0, q=0.6))), strict=True)),
        colour_of(view(disc, disc, disc)),
    ):
        for name in ZONES:
            assert values[name] == pytest.approx(0.0, abs=1e-6), name
        for name in ("red_blue", "green_excess"):
            assert values[f"colour.{name}.b4"] + values[f"colour.{name}.b5"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("red", "green", "blue"), [(6, 5, 3), (3, 5, 6), (7, 3, 1), (3, 5, 4), (5, 2, 4), (1, 9, 1)]
)
def test_one_ratio_fills_one_bin(disc, red, green, blue):
    values = colour_of(view(red * disc, green * disc, blue * disc))
    total = red + green + blue
    for name, value, half_range in (
        ("red_blue", (red - blue) / total, 0.5),
        ("green_excess", (2 * green - red - blue) / total, 0.25),
    ):
        place = min(max(int(0.5 * BINS * (value / half_range + 1.0)), 0), BINS - 1)
        histogram = np.array([values[f"colour.{name}.b{b}"] for b in range(BINS)])
        assert histogram[place] == pytest.approx(1.0)
        assert histogram.sum() == pytest.approx(1.0)
    for zone in ("core", "disc", "outskirts"):
        assert values[f"colour.red_green.{zone}"] == pytest.approx(3 * (red - green) / total)
        assert values[f"colour.green_blue.{zone}"] == pytest.approx(3 * (green - blue) / total)
    assert values["colour.red_green.gradient"] == pytest.approx(0.0, abs=1e-6)


def test_a_red_core_in_a_blue_disc_has_a_gradient(polar, disc):
    red = np.where(polar[0] < 6.4, 1.4, 0.8) * disc
    blue = np.where(polar[0] < 6.4, 0.6, 1.2) * disc
    values = colour_of(view(red, disc, blue))
    assert values["colour.red_green.core"] == pytest.approx(0.4, abs=0.01)
    assert values["colour.red_green.outskirts"] == pytest.approx(-0.2, abs=0.01)
    assert values["colour.red_green.gradient"] == pytest.approx(0.6, abs=0.02)
    assert values["colour.green_blue.gradient"] == pytest.approx(0.6, abs=0.02)


def test_histograms_are_weighted_by_light(polar, disc):
    halves = np.where(polar[1] > 0.0, 1.5, 0.5)
    values = colour_of(view(halves * disc, disc, (2.0 - halves) * disc))
    # (R - B) / (R + G + B) is 1/3 in one half and -1/3 in the other.
    assert values["colour.red_blue.b8"] == pytest.approx(0.5, abs=0.01)
    assert values["colour.red_blue.b1"] == pytest.approx(0.5, abs=0.01)


def test_brightness_does_not_matter(disc):
    one = colours(view(6 * disc, 5 * disc, 3 * disc), 0.7)
    other = colours(view(0.6 * disc, 0.5 * disc, 0.3 * disc), 0.7)
    np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, -5.0])
def test_without_light_there_is_no_colour(value):
    flat = np.full((64, 64), value)
    np.testing.assert_array_equal(colours(view(flat, flat, flat), 1.0), 0.0)


def test_the_sky_has_no_colour_whatever_its_own(paint):
    galaxy = {"scale": 8.0, "q": 0.6, "peak": 120.0, "noise": 1.0}
    plain = measure(measure_frame(paint(128, **galaxy)))
    skies = measure(measure_frame(paint(128, **galaxy, sky=[60, 10, 30])))
    np.testing.assert_allclose(skies, plain, atol=0.03)
