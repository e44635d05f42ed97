"""The steps of the morphology family, one by one, against definitions and other libraries."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import inertia_tensor_eigvals
from skimage.measure import moments as skimage_moments

from galfeat.features.morphology.gini import gini_of, gini_statistics
from galfeat.features.morphology.mid import basins
from galfeat.features.morphology.moments import ellipse_about, segment_moments
from galfeat.features.morphology.multimode import multimode
from galfeat.features.morphology.petrosian import growth_curve, radius_of_fraction, value_at
from galfeat.features.morphology.regions import connected_runs, flood, rising_order
from galfeat.features.morphology.sersic import fit_sersic, rings, sersic_b


def test_the_sersic_fit_is_exact_on_an_exact_profile():
    profile = np.zeros((3, 32))
    profile[0] = np.arange(1.5, 33.5)
    profile[1] = 7.0 * np.exp(-sersic_b(2.5) * ((profile[0] / 11.0) ** 0.4 - 1.0))
    profile[2] = 2 * np.pi * profile[0]
    np.testing.assert_allclose(fit_sersic(profile, 9.0, 0.01, 1.0), [7.0, 11.0, 2.5], rtol=1e-4)
    profile[1] = -1.0
    np.testing.assert_array_equal(fit_sersic(profile, 9.0, 0.01, 1.0), 0.0)


def test_growth_curves_contain_all_light_and_area():
    image = np.random.default_rng(0).gamma(2.0, 3.0, (81, 81)).astype(np.float32)
    mask = np.zeros(image.shape, bool)
    for q, pa in ((1.0, 0.0), (0.5, 0.4)):
        light, area = growth_curve(image, mask, 40.3, 39.8, q, pa, 150.0)
        assert light[-1] == pytest.approx(image.sum(dtype=float), rel=1e-6)
        assert area[-1] == pytest.approx(81 * 81, rel=1e-3)
    np.testing.assert_array_less(-1e-9, np.diff(light))


def test_masked_pixels_take_their_area_out_of_rings():
    image = np.full((61, 61), 5.0, np.float32)
    mask = np.zeros(image.shape, bool)
    mask[:, 36:45] = True
    light, area = growth_curve(image, mask, 30.0, 30.0, 1.0, 0.0, 25.0)
    for radius in (3.0, 8.0, 12.5, 20.0):
        assert value_at(light, radius) / value_at(area, radius) == pytest.approx(5.0, rel=0.01)
    assert radius_of_fraction(light, 5.0, 0.25) == pytest.approx(2.5, rel=0.01)


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda rng, n: np.full(n, 7.0), 0.0),
        (lambda rng, n: rng.uniform(0.0, 4.0, n), 1.0 / 3.0),
        (lambda rng, n: rng.exponential(2.0, n), 0.5),
        (lambda rng, n: 1.0 + rng.pareto(3.0, n), 0.2),  # 1 / (2 a - 1)
        (lambda rng, n: np.eye(1, n)[0], 1.0),
    ],
)
def test_gini_of_known_distributions(draw, expected):
    values = draw(np.random.default_rng(0), 200_000).astype(np.float32)
    assert gini_of(values, rising_order(values)) == pytest.approx(expected, abs=3e-3)


def test_rising_order_sorts():
    values = np.random.default_rng(1).gamma(0.3, 50.0, 5000).astype(np.float32)
    ordered = values[rising_order(values)]
    assert (np.diff(ordered) >= -2e-4 * ordered[1:]).all()
    assert sorted(rising_order(values)) == list(range(5000))


@pytest.mark.parametrize("seed", range(4))
def test_flood_finds_the_region_that_labelling_finds(seed):
    region = (np.random.default_rng(seed).random((40, 57)) < 0.45).astype(np.uint8)
    y, x = np.argwhere(region)[seed * 100]
    labels, _ = ndimage.label(region, np.ones((3, 3)))
    expected = labels == labels[y, x]
    ends = flood(region, y, x)
    np.testing.assert_array_equal(region == 2, expected)
    rows = np.flatnonzero(expected.any(axis=1))
    np.testing.assert_array_equal(np.flatnonzero(ends[:, 0] <= ends[:, 1]), rows)
    np.testing.assert_array_equal(ends[rows, 0], expected[rows].argmax(axis=1))
    np.testing.assert_array_equal(ends[rows, 1], 56 - expected[rows, ::-1].argmax(axis=1))


@pytest.mark.parametrize("width", [3, 8, 57, 64])
def test_runs_are_those_of_the_region_that_labelling_finds(width):
    values = np.random.default_rng(width).random((40, width)).astype(np.float32)
    labels, _ = ndimage.label(values >= 0.55, np.ones((3, 3)))
    for y, x in np.argwhere(labels)[::40]:
        painted = np.zeros(values.shape, bool)
        for row, start, end in connected_runs(values, np.float32(0.55), y, x):
            assert not painted[row, start:end].any()
            painted[row, start:end] = True
        np.testing.assert_array_equal(painted, labels == labels[y, x])
    y, x = np.argwhere(labels == 0)[0]
    assert connected_runs(values, np.float32(0.55), y, x).shape == (0, 3)


def test_basins_lead_to_the_summits_that_climbing_finds():
    rng = np.random.default_rng(3)
    light = np.pad((rng.random((30, 41)) < 0.8).astype(np.float32), 1)
    height = np.round(ndimage.gaussian_filter(rng.random(light.shape), 1.0), 2).astype(np.float32)
    summits = basins(light, height).reshape(light.shape)
    np.testing.assert_array_equal(summits >= 0, light > 0.0)
    for y, x in np.argwhere(light)[::7]:
        here, before = (y, x), None
        while here != before:
            before = here
            near = [(here[0] + v, here[1] + u) for v in (-1, 0, 1) for u in (-1, 0, 1)]
            here = max((height[p], p) for p in near if light[p] > 0.0)[1]
        assert summits[y, x] == here[0] * light.shape[1] + here[1]


def test_m20_of_two_points():
    image = np.zeros((40, 40), np.float32)
    image[20, 14], image[20, 29] = 90.0, 10.0
    runs = np.array([(y, 0, 40) for y in range(40)], np.int32)
    nothing = np.zeros(image.shape, bool)
    gini, m20, _, area = gini_statistics(image, nothing, runs, 1.0, 1.0)
    centroid = 15.5
    bright, faint = 90.0 * (14 - centroid) ** 2, 10.0 * (29 - centroid) ** 2
    assert m20 == pytest.approx(np.log10(bright / (bright + faint)), abs=1e-6)
    assert gini > 0.99
    assert area == 1600
    assert not gini_statistics(-image, nothing, runs, 1.0, 1.0)[:3].any()


@pytest.mark.parametrize("seed", range(4))
def test_multimode_is_the_best_of_all_thresholds(seed):
    rng = np.random.default_rng(seed)
    image = ndimage.gaussian_filter(rng.random((40, 40)), 1.5)
    image = np.pad(np.round(image, 3), 1).astype(np.float32)  # rounded, so that levels repeat
    best, expected = 0.0, 0.0
    values = np.sort(image[image > 0.0])
    for level in np.unique(values):
        if (values >= level).sum() < values.size // 50:
            continue
        labels, number = ndimage.label(image >= level, np.ones((3, 3)))
        areas = np.sort(np.bincount(labels.ravel())[1:])
        if number > 1 and areas[-2] ** 2 / areas[-1] > best:
            best, expected = areas[-2] ** 2 / areas[-1], areas[-2] / areas[-1]
    assert multimode(image) == pytest.approx(expected)


def test_rings_end_where_the_curve_does():
    curve = growth_curve(
        np.ones((50, 50), np.float32), np.zeros((50, 50), bool), 25.0, 25.0, 1.0, 0.0, 12.0
    )
    profile = rings(curve, 30.0)
    used = profile[2] > 0.0
    assert profile[0, used].max() < 12.0
    np.testing.assert_allclose(profile[1, used], 1.0, rtol=0.03)


def test_gini_is_that_of_photutils():
    photutils = pytest.importorskip("photutils.morphology", reason="photutils is not installed")
    values = np.random.default_rng(2).gamma(0.8, 30.0, 20_000).astype(np.float32)
    expected = photutils.gini(values.astype(float))
    assert gini_of(values, rising_order(values)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("q", "bound"), [(1.0, 3e-3), (0.5, 4e-3), (0.2, 1.2e-2)])
def test_growth_curves_are_those_of_exact_apertures(q, bound, smooth_noise):
    apertures = pytest.importorskip("photutils.aperture", reason="photutils is not installed")
    y, x = np.mgrid[:121, :121] - 60.0
    image = (100.0 * np.exp(-np.hypot(y, x) / 12.0)).astype(np.float32) + smooth_noise(4, 121) ** 2
    light, _ = growth_curve(image, np.zeros(image.shape, bool), 60.3, 59.6, q, 0.7, 50.0)
    for radius in (5.0, 10.0, 20.0, 35.0, 49.0):
        aperture = apertures.EllipticalAperture((59.6, 60.3), radius, q * radius, theta=0.7)
        exact = aperture.do_photometry(image.astype(float), method="exact")[0][0]
        assert value_at(light, radius) == pytest.approx(exact, rel=bound)


def test_moments_are_those_of_scikit_image(smooth_noise):
    image = smooth_noise(7, 90) ** 2 + np.float32(0.5)
    segment = image > np.median(image)
    m = skimage_moments(np.where(segment, image, 0.0).astype(float), order=2)
    found = segment_moments(image, segment)
    expected = [m[0, 0], m[1, 0], m[0, 1], m[2, 0], m[0, 2], m[1, 1], segment.sum()]
    np.testing.assert_allclose(found[:7], expected, rtol=1e-5)
    eigenvalues = inertia_tensor_eigvals(np.where(segment, image, 0.0).astype(float))
    q, _ = ellipse_about(found, m[1, 0] / m[0, 0], m[0, 1] / m[0, 0])
    assert q == pytest.approx(np.sqrt(eigenvalues[1] / eigenvalues[0]), rel=1e-5)
