"""Sizes, Gini, M20, clumps and summits of views whose values are known."""

import numpy as np
import pytest

from galfeat.features.shape.asymmetry import asymmetry, mirror_asymmetry
from galfeat.features.shape.family import COLUMNS, clumpiness, gini_m20, measure, summits
from galfeat.frame import measure_frame
from galfeat.frame.deblend import SHARPNESS

NAMES = [column.name for column in COLUMNS]
MIDDLE = 31.5


def shape_of(image):
    return dict(zip(NAMES, measure(measure_frame(image)), strict=True))


def grey(image):
    """A view of three equal channels."""
    return np.repeat(np.asarray(image, np.float32)[None], 3, axis=0)


def gini_by_definition(values):
    """Lotz et al. (2004), equation 6."""
    values = np.sort(np.abs(values))
    n = len(values)
    return ((2 * np.arange(1, n + 1) - n - 1) * values).sum() / (values.mean() * n * (n - 1))


def test_equal_pixels_have_no_inequality():
    assert gini_m20(grey(np.full((64, 64), 9.0)), 25.6, 1.0)[0] == pytest.approx(0.0, abs=1e-9)


def test_one_pixel_with_all_the_light_is_the_most_unequal():
    image = np.zeros((64, 64))
    image[30, 40] = 50.0
    gini, m20 = gini_m20(grey(image), 25.6, 1.0)
    assert gini == pytest.approx(1.0, abs=1e-6)
    assert m20 == pytest.approx(0.0, abs=1e-6)  # the brightest fifth is all there is


@pytest.mark.parametrize("seed", range(3))
def test_gini_is_that_of_its_definition(seed, polar):
    image = np.random.default_rng(seed).gamma(0.7, 20.0, (64, 64))
    inside = polar[0] < 25.6
    # Pixels are ranked in 4096 levels.
    expected = gini_by_definition(image[inside])
    assert gini_m20(grey(image), 25.6, 1.0)[0] == pytest.approx(expected, abs=1e-3)


def test_gini_does_not_depend_on_the_brightness(smooth_noise):
    image = np.exp(smooth_noise(1) / 8.0)
    one, other = gini_m20(grey(image), 25.6, 0.7), gini_m20(grey(40.0 * image), 25.6, 0.7)
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_m20_of_two_points():
    image = np.zeros((64, 64))
    image[31, 36], image[31, 51] = 90.0, 60.0
    near, far = 4.5**2 + 0.5**2, 19.5**2 + 0.5**2
    # The brighter point holds three fifths of the light, and so the brightest fifth.
    expected = np.log10(90.0 * near / (90.0 * near + 60.0 * far))
    assert gini_m20(grey(image), 25.6, 1.0)[1] == pytest.approx(expected, abs=1e-4)


def test_light_outside_the_ellipse_does_not_count():
    image = np.full((64, 64), 1.0)
    image[:10], image[:, :4] = 1000.0, 1000.0
    assert gini_m20(grey(image), 25.6, 0.5)[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("value", [0.0, -4.0])
def test_without_light_gini_and_m20_are_zero(value):
    np.testing.assert_array_equal(gini_m20(grey(np.full((64, 64), value)), 25.6, 1.0), 0.0)


def test_a_smooth_view_has_no_clumps(polar):
    v, u = np.mgrid[:64, :64]
    for image in (np.full((64, 64), 5.0), 1.0 + u + 0.5 * v):
        np.testing.assert_allclose(clumpiness(image.astype(np.float32)), 0.0, atol=1e-5)
    disc = (100.0 * np.exp(-polar[0] / 10.0)).astype(np.float32)
    fine, coarse = clumpiness(disc)
    assert fine < 0.002
    assert coarse < 0.02


def test_a_clump_is_its_height_above_the_mean_around_it(polar):
    image = np.ones((64, 64), np.float32)
    image[31, 44] += 9.0
    counted = ((polar[0] >= 4.0) & (polar[0] <= 24.0)).sum() + 9.0
    np.testing.assert_allclose(
        clumpiness(image), [9.0 * 8 / 9 / counted, 9.0 * 48 / 49 / counted], rtol=1e-4
    )


def test_the_nucleus_is_no_clump(polar):
    image = np.where(polar[0] < 2.0, 500.0, 0.0).astype(np.float32)
    np.testing.assert_array_equal(clumpiness(image), 0.0)


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_planted_summits_are_counted(number):
    v, u = np.mgrid[:64, :64].astype(float)
    places = [(31, 34), (20, 20), (45, 40), (40, 16), (20, 44)][:number]
    heights = [20.0, 12.0, 9.0, 6.0, 5.0]
    image = sum(
        h * np.exp(-0.5 * ((v - y) ** 2 + (u - x) ** 2) / 9.0)
        for h, (y, x) in zip(heights, places, strict=False)
    ).astype(np.float32)
    found = summits(image)
    assert found[0] == number
    assert found[1] == pytest.approx(0.6 if number > 1 else 0.0, abs=0.01)
    assert found[2] == pytest.approx(0.45 if number > 2 else 0.0, abs=0.01)
    assert found[3] == pytest.approx(np.hypot(0.5, 2.5) / 32.0, abs=1e-6)


def test_low_summits_and_flat_tops_are_counted_as_they_must():
    image = np.zeros((64, 64), np.float32)
    assert not summits(image).any()
    image[30:34, 30:34] = 10.0
    assert summits(image)[0] == 1.0
    image[20, 20] = 1.4  # under a seventh of the highest
    assert summits(image)[:2].tolist() == [1.0, pytest.approx(0.14)]


@pytest.mark.parametrize("q", [0.5, 0.8])
@pytest.mark.parametrize(("gaussian", "radii"), [(False, None), (True, None)])
def test_sizes_and_concentration_are_those_of_the_profile(paint, q, gaussian, radii):
    scale = 16.0 if gaussian else 12.0
    values = shape_of(paint(256, scale=scale, q=q, pa=0.9, gaussian=gaussian, noise=1.0))
    # Radii of 20, 50, 80 and 90 per cent of the light within 1.5 Petrosian radii, in scales.
    r20, r50, r80, r90 = (0.668, 1.177, 1.794, 2.146) if gaussian else (0.81, 1.63, 2.84, 3.57)
    assert values["shape.axis_ratio"] == pytest.approx(q, abs=0.02)
    assert values["shape.r50"] == pytest.approx(r50 * scale, rel=0.05)
    assert values["shape.r20_r90"] == pytest.approx(r20 / r90, rel=0.05)
    assert values["shape.r50_r90"] == pytest.approx(r50 / r90, rel=0.04)
    assert values["shape.r80_r90"] == pytest.approx(r80 / r90, rel=0.03)
    assert values["shape.concentration"] == pytest.approx(5.0 * np.log10(r80 / r20), abs=0.12)
    assert values["shape.position_angle"] == pytest.approx(0.9, abs=0.03)


def test_a_steeper_profile_is_more_concentrated(paint):
    concentration = [
        shape_of(paint(256, scale=12.0, q=0.7, gaussian=gaussian, noise=1.0))["shape.concentration"]
        for gaussian in (True, False)
    ]
    assert concentration[0] < concentration[1]


def test_a_round_galaxy_has_no_position_angle(paint):
    assert np.isnan(shape_of(paint(128, scale=9.0, noise=1.0))["shape.position_angle"])


def test_without_a_deprojected_view_its_columns_are_missing_and_no_others(paint):
    values = shape_of(paint(160, scale=12.0, q=0.15, noise=2.0))
    for name, value in values.items():
        assert np.isnan(value) == name.startswith("shape.deprojected."), name


def test_columns_are_where_their_names_say(paint):
    frame = measure_frame(paint(128, scale=8.0, q=0.6, noise=2.0))
    values = dict(zip(NAMES, measure(frame), strict=True))
    aligned, context = frame.aligned[0], frame.context[0]
    clumps = clumpiness(aligned.equalised)
    least, central, shift = asymmetry(frame.deprojected.equalised, 25.6)
    expected = {
        "shape.axis_ratio": frame.q,
        "shape.r50": frame.radii[2],
        "shape.deprojected.asymmetry": least,
        "shape.deprojected.asymmetry_centre": central,
        "shape.deprojected.asymmetry_shift": shift,
        "shape.context.mirror_across": mirror_asymmetry(context.equalised, 25.6)[1],
        "shape.clumpiness.coarse": clumps[1],
        "shape.aligned.m20": gini_m20(aligned.light, 25.6, frame.q)[1],
        "shape.summits.number": summits(aligned.equalised)[0],
        "shape.extent": frame.objects[frame.galaxy, SHARPNESS],
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_mirrors_of_a_round_galaxy_are_means_over_its_turns(paint):
    frame = measure_frame(paint(128, scale=9.0, noise=2.0))
    assert len(frame.aligned) == 4
    values = dict(zip(NAMES, measure(frame), strict=True))
    for name, views in (("aligned", frame.aligned), ("context", frame.context)):
        along, across = np.mean([mirror_asymmetry(v.equalised, 25.6) for v in views], axis=0)
        assert values[f"shape.{name}.mirror_along"] == pytest.approx(along, rel=1e-6)
        assert values[f"shape.{name}.mirror_across"] == pytest.approx(across, rel=1e-6)
