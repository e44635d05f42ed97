"""Morphology of painted galaxies whose statistics are known."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.integrate import quad
from scipy.optimize import brentq

from galfeat.features.morphology.family import NAMES, morphology
from galfeat.features.morphology.sersic import sersic_b

SIZE = 241


def light_within(n, r):
    """The light of a Sérsic profile with r_e = 1 within r."""
    return quad(lambda x: 2 * np.pi * x * np.exp(-sersic_b(n) * (x ** (1 / n) - 1)), 0, r)[0]


def radii_of_sersic(n):
    """Petrosian radius, r20, r50 and r80 within 1.5 of it, in r_e."""

    def eta(r):
        local = np.exp(-sersic_b(n) * (r ** (1 / n) - 1))
        return local * np.pi * r * r / light_within(n, r) - 0.2

    petrosian = brentq(eta, 0.5, 6.0)
    total = light_within(n, 1.5 * petrosian)
    fractions = [
        brentq(lambda r, f=f: light_within(n, r) - f * total, 1e-4, 1.5 * petrosian)
        for f in (0.2, 0.5, 0.8)
    ]
    return petrosian, *fractions


def polar(centre=(0.0, 0.0), q=1.0, pa=0.0, size=SIZE):
    """Elliptical radius and the axes' coordinates of the pixels, from the image's middle."""
    y, x = np.mgrid[:size, :size] - 0.5 * (size - 1)
    y, x = y - centre[0], x - centre[1]
    u, v = x * np.cos(pa) + y * np.sin(pa), y * np.cos(pa) - x * np.sin(pa)
    return np.hypot(u, v / q), u, v


def paint_sersic(n, scale, q=1.0, pa=0.0, centre=(0.0, 0.0), size=SIZE):
    """A Sérsic galaxy; the mean of 8×8 points over each pixel."""
    image = np.zeros((size, size))
    for dy in np.linspace(-0.4375, 0.4375, 8):
        for dx in np.linspace(-0.4375, 0.4375, 8):
            r, _, _ = polar((centre[0] - dy, centre[1] - dx), q, pa, size)
            image += 0.0625 * np.exp(-sersic_b(n) * ((r / scale) ** (1 / n) - 1))
    return image


def measured(image, level=None, **inputs):
    """The morphology of an image whose segment is what is brighter than a level."""
    segment = image > (0.01 * image.max() if level is None else level)
    return morphology(image, segment, **inputs)


@pytest.mark.parametrize(("n", "scale"), [(0.5, 20.0), (1.0, 18.0), (2.0, 16.0), (4.0, 24.0)])
def test_radii_and_concentration_of_sersic_profiles(n, scale):
    petrosian, r20, r50, r80 = radii_of_sersic(n)
    found = measured(paint_sersic(n, scale), 0.3)
    assert found["petrosian_circular"] == pytest.approx(petrosian * scale, rel=0.01)
    assert found["petrosian_elliptical"] == pytest.approx(petrosian * scale, rel=0.01)
    assert found["r20"] == pytest.approx(r20 * scale, rel=0.01)
    assert found["r50"] == pytest.approx(r50 * scale, rel=0.005)
    assert found["r80"] == pytest.approx(r80 * scale, rel=0.005)
    assert found["concentration"] == pytest.approx(5 * np.log10(r80 / r20), abs=0.03)
    assert found["r50_petrosian"] == pytest.approx(r50 / petrosian, rel=0.01)


@pytest.mark.parametrize("n", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("q", [0.4, 1.0])
def test_the_sersic_fit_recovers_what_was_painted(n, q):
    found = measured(paint_sersic(n, 20.0, q, 0.6), 0.3, sky=(0.0, 0.05, 0.05), gain=1e5)
    # At the centre of the steepest profile a ring's mean is not that of its middle.
    assert found["sersic_index"] == pytest.approx(n, rel=0.12 if n > 2.0 else 0.02)
    radius = found["sersic_radius"] * found["petrosian_elliptical"]
    assert radius == pytest.approx(20.0, rel=0.06)
    assert found["residual.sersic"] == pytest.approx(0.0, abs=0.08)


@pytest.mark.parametrize(("q", "pa"), [(0.3, 0.5), (0.6, -1.1), (0.8, 1.4)])
def test_the_ellipse_is_that_of_the_moments(q, pa):
    found = measured(paint_sersic(1.0, 16.0, q, pa, (3.3, -2.6)), 0.3)
    assert found["axis_ratio"] == pytest.approx(q, abs=0.01)
    assert found["position_angle"] == pytest.approx(pa, abs=0.01)
    assert found["centre_y"] == pytest.approx(123.3, abs=0.15)
    assert found["centre_x"] == pytest.approx(117.4, abs=0.15)
    petrosian = radii_of_sersic(1.0)[0]
    assert found["petrosian_elliptical"] == pytest.approx(16.0 * petrosian, rel=0.01)
    for k in range(5):
        assert found[f"ellipticity.i{k}"] == pytest.approx(1.0 - q, abs=0.08)
    assert found["isophotes.twist"] < 0.03
    assert found["isophotes.drift"] < 0.01


@pytest.mark.parametrize("centre", [(0.0, 0.0), (2.37, -1.12)])
def test_a_symmetric_galaxy_has_no_asymmetry(centre):
    found = measured(paint_sersic(1.0, 16.0, 0.6, 0.4, centre), 0.3, sky=(0.0, 0.0, 0.0))
    assert abs(found["asymmetry"]) < 0.01
    assert abs(found["outer_asymmetry"]) < 0.01
    assert found["shape_asymmetry"] < 0.04
    assert found["residual.turned"] < 0.01
    assert found["residual.tides"] < 0.01


def test_a_companion_adds_the_asymmetry_of_its_light():
    disc = paint_sersic(1.0, 16.0)
    r, _, _ = polar((22.0, 22.0))
    blob = np.exp(-0.5 * (r / 3.0) ** 2)
    blob *= 0.1 * disc.sum() / blob.sum()
    found = measured(disc + blob, 0.3)
    # Its light and the place of its mirror image differ; the total is that within 1.5 radii.
    total = disc[polar()[0] < 1.5 * found["petrosian_circular"]].sum() + blob.sum()
    assert found["asymmetry"] == pytest.approx(2.0 * blob.sum() / total, rel=0.1)
    assert found["residual.tides"] == pytest.approx(blob.sum() / total, rel=0.25)
    assert found["residual.turned"] == pytest.approx(blob.sum() / total, rel=0.25)
    assert found["nuclei.number"] == 2


def test_noise_adds_no_asymmetry_after_sky_subtraction():
    disc = paint_sersic(1.0, 14.0)
    rng = np.random.default_rng(3)
    clean = measured(disc, 0.5)
    values = [morphology(disc + rng.normal(0.0, 3.0, disc.shape), disc > 0.5) for _ in range(5)]
    noisy = np.mean([v["asymmetry"] for v in values])
    raw = 1.128 * 3.0 * np.pi * (1.5 * clean["petrosian_circular"]) ** 2 / disc.sum()
    assert raw > 0.3  # what the noise alone would add
    # Interpolation smooths the turned noise by a fifth, which the sky's term does not know.
    assert -0.3 * raw < noisy < 0.05
    assert np.mean([v["smoothness"] for v in values]) < 0.02


def test_clumps_are_counted_and_never_negative():
    disc = paint_sersic(1.0, 16.0)
    assert measured(disc, 0.3)["smoothness"] < 0.02
    clumpy = disc.copy()
    for angle in np.arange(0.0, 6.0, 0.7):
        r, _, _ = polar((22.0 * np.sin(angle), 22.0 * np.cos(angle)))
        clumpy += 60.0 * np.exp(-0.5 * (r / 1.5) ** 2)
    found = measured(clumpy, 0.3, sky=(0.0, 0.0, 0.0))
    radius = found["petrosian_circular"]
    y, x = np.mgrid[:SIZE, :SIZE]
    r = np.hypot(y - found["centre_y"], x - found["centre_x"])
    excess = np.maximum(clumpy - ndimage.uniform_filter(clumpy, int(0.25 * radius)), 0.0)
    ring = (r > 0.25 * radius) & (r < 1.5 * radius)
    assert found["smoothness"] == pytest.approx(excess[ring].sum() / clumpy[ring].sum(), rel=0.02)
    noisy = disc + np.random.default_rng(0).normal(0.0, 4.0, disc.shape)
    assert morphology(noisy, disc > 1.0, sky=(0.0, 9.0, 9.0))["smoothness"] == 0.0


def test_mid_and_nuclei_of_two_blobs():
    near, far = polar((0.0, -18.0))[0], polar((0.0, 18.0))[0]
    image = 100.0 * np.exp(-0.5 * (near / 7.0) ** 2) + 60.0 * np.exp(-0.5 * (far / 7.0) ** 2)
    found = measured(image, 0.5, sky=(0.0, 0.1, 0.1))
    assert found["intensity"] == pytest.approx(0.6, abs=0.05)
    assert 0.2 < found["multimode"] < 0.9
    assert found["nuclei.number"] == 2
    assert found["nuclei.flux_ratio"] == pytest.approx(0.6, abs=0.03)
    separation = found["nuclei.separation"] * found["petrosian_circular"]
    assert separation == pytest.approx(36.0, abs=1.0)
    assert found["deviation"] > 0.3
    assert found["merger_statistic"] > measured(paint_sersic(1.0, 16.0), 0.3)["merger_statistic"]


def test_a_smooth_galaxy_has_one_nucleus():
    found = measured(paint_sersic(1.0, 16.0), 0.3, sky=(0.0, 0.1, 0.1))
    assert found["multimode"] == found["intensity"] == 0.0
    assert found["deviation"] < 0.02
    assert found["nuclei.number"] == 1
    assert found["nuclei.flux_ratio"] == found["nuclei.separation"] == 0.0


@pytest.mark.parametrize("twist", [0.0, 0.4, 1.2])
def test_the_twist_of_painted_isophotes(twist):
    image = np.zeros((SIZE, SIZE))
    for k, a in enumerate(np.linspace(60.0, 6.0, 28)):
        part = k / 27.0  # from the outside inwards
        image[polar((0.0, 0.0), 0.6, 0.3 + twist * (1.0 - part))[0] < a] = 10.0 + 4.0 * k
    found = measured(image, 5.0)
    # Areas of 3/32 and of 3/4 of the whole: about 0.29 and 0.85 of its semi-major axis.
    expected = twist * 0.6
    assert found["isophotes.twist"] == pytest.approx(expected, abs=0.15 * twist + 0.02)
    assert (found["isophotes.change"] > 0.1) == (twist > 0.3)


def test_bulge_strength_is_the_light_above_the_disc():
    disc, bulge = paint_sersic(1.0, 20.0), paint_sersic(1.0, 4.0)
    plain = measured(disc, 0.3)["bulge_strength"]
    assert plain < 0.03
    for share in (0.1, 0.3):
        whole = disc + bulge * (share / (1 - share) * disc.sum() / bulge.sum())
        strength = measured(whole, 0.3)["bulge_strength"]
        assert strength == pytest.approx(share, abs=0.06)


def test_the_bulge_of_an_edge_on_disc_is_thicker_than_the_disc():
    _, u, v = polar((0.0, 0.0), 1.0, 0.7)
    disc = 100.0 * np.exp(-np.abs(u) / 16.0) / np.cosh(v / 3.0) ** 2
    bulge = 120.0 * np.exp(-np.hypot(u, v) / 4.0)
    thin, thick = measured(disc), measured(disc + bulge)
    assert thin["bulge_excess"] == pytest.approx(0.0, abs=0.05)
    assert thick["bulge_excess"] > 0.08
    assert thin["minor_axis.v0"] > thin["minor_axis.v1"] > thin["minor_axis.v2"]


def test_signal_to_noise_is_light_over_noise():
    image = 50.0 * (polar()[0] < 40.0)
    found = morphology(image, image > 1.0, sky=(0.0, 3.0, 3.0), gain=2.0)
    inside = 50.0 / np.sqrt(50.0 / 2.0 + 9.0)
    # The blurred segment takes in a rim of sky, whose signal is none.
    assert 0.7 * inside < found["signal_to_noise"] <= inside
    assert found["gini"] < 0.3


def test_names_are_those_of_the_columns():
    found = measured(paint_sersic(1.0, 16.0), 0.3)
    assert tuple(found) == NAMES
    assert all(np.isfinite(value) for value in found.values())
