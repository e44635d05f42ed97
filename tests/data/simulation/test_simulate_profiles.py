"""Drawn profiles against their formulas, before noise and stretch."""

from dataclasses import replace
from math import cos, radians

import numpy as np
import pytest
from scipy.special import k1

from galfeat.data.simulation.axes import from_own_axes, galaxy_shape, own_axes
from galfeat.data.simulation.blur import blur
from galfeat.data.simulation.draw import surface_brightness
from galfeat.data.simulation.light import galaxy_fluxes, sersic_b, star_fluxes
from galfeat.data.simulation.points import BETA
from galfeat.data.simulation.scene import (
    Arms,
    Bar,
    Disc,
    Distortion,
    Galaxy,
    Knots,
    Scene,
    Spheroid,
    Star,
    Stream,
)

SCALE = 0.2
SIZE = 400
MIDDLE = (SIZE - 1) / 2
Y, X = (np.mgrid[:SIZE, :SIZE] - MIDDLE) * SCALE
R = np.hypot(X, Y)


def light(galaxy=None, *, blurred=False, scene=None, **options):
    """The r band, nanomaggies per square arcsecond."""
    scene = scene or Scene(galaxies=(galaxy,))
    options = {"size": SIZE, "pixel_scale": SCALE} | options
    return surface_brightness(scene, blurred=blurred, **options)[1].astype(float)


def moments(image):
    """Axis ratio and position angle (degrees) from second moments."""
    total = image.sum()
    x, y = (X * image).sum() / total, (Y * image).sum() / total
    xx = ((X - x) ** 2 * image).sum() / total
    yy = ((Y - y) ** 2 * image).sum() / total
    xy = ((X - x) * (Y - y) * image).sum() / total
    angle = 0.5 * np.degrees(np.arctan2(2 * xy, xx - yy)) % 180
    spread = np.hypot(xx - yy, 2 * xy)
    return np.sqrt((xx + yy - spread) / (xx + yy + spread)), angle


def spheroid(index, radius=5.0, q=1.0, **options):
    return Spheroid(magnitude=15.0, colour=0.8, radius=radius, index=index, q=q, **options)


def disc(**options):
    return Disc(
        **{"magnitude": 15.0, "colour": 0.6, "scale_length": 4.0, "inclination": 0.0} | options
    )


@pytest.mark.parametrize("index", [0.7, 1.0, 2.5, 4.0])
def test_a_sersic_galaxy_falls_off_with_its_own_index(index):
    image = light(Galaxy(spheroid=spheroid(index)))
    at = lambda radius: np.median(image[np.abs(R - radius) < SCALE])  # noqa: E731
    for radius in (1.5, 3.0, 8.0, 10.0):
        expected = np.exp(-sersic_b(index) * ((radius / 5.0) ** (1 / index) - 1))
        assert at(radius) / at(5.0) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("index", [1.0, 4.0])
def test_half_of_a_sersic_galaxys_light_lies_within_its_radius(index):
    image = light(Galaxy(spheroid=spheroid(index)))
    flux = galaxy_fluxes(15.0, 0.8)[1]
    assert image[R < 5.0].sum() * SCALE**2 == pytest.approx(flux / 2, rel=0.02)


@pytest.mark.parametrize(("q", "angle"), [(0.3, 25.0), (0.6, 140.0), (0.9, 80.0)])
def test_axis_ratio_and_position_angle_are_those_drawn(q, angle):
    image = light(Galaxy(position_angle=angle, spheroid=spheroid(1.0, radius=4.0, q=q)))
    measured = moments(image)
    assert measured[0] == pytest.approx(q, abs=0.01)
    assert measured[1] == pytest.approx(angle, abs=0.5)


def test_a_boxy_bulge_reaches_farther_along_the_diagonal():
    boxy, elliptic = (
        light(Galaxy(spheroid=spheroid(1.0, boxiness=boxiness))) for boxiness in (3.0, 2.0)
    )
    far, on_axis, diagonal = abs(R - 8) < 0.3, abs(Y) < 0.3, abs(X - Y) < 0.3
    assert boxy[far & diagonal].mean() > 1.3 * elliptic[far & diagonal].mean()
    assert boxy[far & on_axis].mean() == pytest.approx(elliptic[far & on_axis].mean(), rel=0.02)


def test_a_disc_is_exponential_and_as_flat_as_its_inclination_says():
    image = light(Galaxy(disc=disc(inclination=60.0, thickness=0.0)))
    major = image[abs(Y) < SCALE].reshape(-1, SIZE).mean(axis=0)
    x = X[0]
    near = (x > 3) & (x < 14)
    assert -1 / np.polyfit(x[near], np.log(major[near]), 1)[0] == pytest.approx(4.0, rel=0.01)
    assert moments(image)[0] == pytest.approx(cos(radians(60)), abs=0.01)
    assert image.sum() * SCALE**2 == pytest.approx(galaxy_fluxes(15.0, 0.6)[1], rel=0.03)


def test_beyond_its_break_a_disc_falls_off_with_the_outer_scale_length():
    image = light(Galaxy(disc=disc(break_radius=2.0, outer=0.6)))
    ring = lambda radius: image[np.abs(R - radius) < SCALE].mean()  # noqa: E731
    assert np.log(ring(4.0) / ring(6.0)) == pytest.approx(2.0 / 4.0, rel=0.02)
    assert np.log(ring(10.0) / ring(14.0)) == pytest.approx(4.0 / 2.4, rel=0.02)


def test_an_edge_on_disc_follows_k1_along_and_sech2_across():
    galaxy = Galaxy(disc=disc(inclination=90.0, thickness=0.2, extent=12.0))
    image = light(galaxy)
    column = int(MIDDLE + 6.0 / SCALE)
    t = np.abs(X[0]) / 4.0
    along = image[SIZE // 2]
    near = (t > 0.3) & (t < 2.5)
    expected = t[near] * k1(t[near])
    assert np.ptp(np.log(along[near] / expected)) < 0.03
    # Three quarters of the light are sech² of scale height 0.8", the others 2.4 times thicker.
    z = Y[:, column]
    profile = 0.75 / np.cosh(z / 0.8) ** 2 + 0.25 / 2.4 / np.cosh(z / (2.4 * 0.8)) ** 2
    measured = image[:, column] / image[:, column].max()
    assert np.abs(measured - profile / profile.max()).max() < 0.02


def test_dust_reddens_and_dims_the_centre_of_an_edge_on_disc():
    clear = Scene(galaxies=(Galaxy(disc=disc(inclination=90.0, thickness=0.25)),))
    dusty = Scene(galaxies=(Galaxy(disc=disc(inclination=90.0, thickness=0.25, dust=3.0)),))
    options = {"size": SIZE, "pixel_scale": SCALE, "blurred": False}
    clear, dusty = surface_brightness(clear, **options), surface_brightness(dusty, **options)
    middle = (slice(None), SIZE // 2, SIZE // 2)
    lost = dusty[middle] / clear[middle]  # in z, r, g
    assert (lost < 0.5).all()
    assert lost[0] > lost[1] > lost[2]
    above = (slice(None), SIZE // 2 + 10, SIZE // 2)
    assert (dusty[above] / clear[above] > 0.95).all()


def spiral(pitch, winding, number=2):
    arms = Arms(
        number=number, pitch=pitch, winding=winding, phase=40.0, contrast=0.8, start=0.1, end=20.0
    )
    return Galaxy(disc=disc(young=0.5), arms=arms)


def measured_pitch(image, number):
    """Signed pitch angle from the phase of the m-th Fourier coefficient over ln R."""
    radii = np.linspace(4.0, 12.0, 40)
    turn = np.radians(np.arange(0, 360, 2))
    columns = MIDDLE + radii[:, None] * np.cos(turn) / SCALE
    rows = MIDDLE + radii[:, None] * np.sin(turn) / SCALE
    rings = image[rows.round().astype(int), columns.round().astype(int)]
    phase = np.unwrap(np.angle((rings * np.exp(-1j * number * turn)).sum(axis=1)))
    # The ridge lies at -phase / m, and its tangent is 1 / (d angle / d ln R).
    slope = np.polyfit(np.log(radii), -phase / number, 1)[0]
    return np.degrees(np.arctan(1 / slope))


@pytest.mark.parametrize(("pitch", "number"), [(8, 2), (15, 2), (15, 3), (30, 2), (30, 4)])
@pytest.mark.parametrize("winding", [1, -1])
def test_the_pitch_angle_is_the_one_drawn(pitch, number, winding):
    image = light(spiral(pitch, winding, number))
    assert measured_pitch(image, number) == pytest.approx(winding * pitch, abs=0.03 * pitch)


def test_a_mirror_turns_the_winding_around():
    image = light(spiral(20, 1), mirror=True)
    assert measured_pitch(image, 2) == pytest.approx(-20, abs=0.6)


def test_a_bar_has_its_length_and_angle():
    bar = Bar(strength=0.4, length=5.0, angle=30.0, q=0.3, colour=0.8)
    plain = light(Galaxy(disc=disc()))
    barred = light(Galaxy(disc=disc(), bar=bar)) - plain
    q, angle = moments(np.maximum(barred, 0))
    assert angle == pytest.approx(30.0, abs=0.5)
    assert q == pytest.approx(0.3, abs=0.02)
    assert R[barred > 1e-6 * barred.max()].max() == pytest.approx(5.0, abs=0.3)
    share = 0.4 * galaxy_fluxes(15.0, 0.8)[1]
    assert barred.sum() * SCALE**2 == pytest.approx(share, rel=0.03)


def test_tidal_distortion_is_inverted():
    galaxy = Galaxy(
        x=1.0,
        y=-2.0,
        position_angle=35.0,
        distortion=Distortion(
            lopsidedness=0.4,
            lopsided_angle=70.0,
            stretch=0.5,
            stretch_angle=20.0,
            twist=40.0,
            bend=0.3,
        ),
    )
    shape = galaxy_shape(galaxy, 1.0, 10.0, 6.0)
    for major, minor in [(0.0, 0.0), (3.0, 1.0), (-6.0, 2.0), (1.0, -7.0)]:
        x, y = from_own_axes(shape, major, minor)
        assert own_axes(shape, x, y) == pytest.approx((major, minor), abs=0.05)
    plain = galaxy_shape(replace(galaxy, distortion=None), 1.0, 10.0, 6.0)
    x, y = from_own_axes(shape, 6.0, 2.0)
    assert np.hypot(*np.subtract(from_own_axes(plain, 6.0, 2.0), (x, y))) > 1.0


def test_a_lopsided_galaxy_has_its_outskirts_shifted():
    tides = Distortion(lopsidedness=0.4, lopsided_angle=90.0)
    image = light(Galaxy(disc=disc(), distortion=tides))
    inner, outer = image > 0.7 * image.max(), image > 0.05 * image.max()
    assert abs(Y[inner].mean()) < 0.3
    assert Y[outer].mean() > 1.5
    assert abs(X[outer].mean()) < 0.1


def test_a_tail_carries_its_light_out_on_its_side():
    tail = Stream(
        magnitude=17.0, colour=0.5, angle=0.0, start=6.0, length=20.0, curvature=60.0, width=1.0
    )
    bare = Galaxy(spheroid=spheroid(4.0, radius=2.0))
    image = light(replace(bare, streams=(tail,))) - light(bare)
    assert image.sum() * SCALE**2 == pytest.approx(galaxy_fluxes(17.0, 0.5)[1], rel=0.03)
    assert (image[X > 4].sum() / image.sum()) > 0.99


@pytest.mark.parametrize("wobble", [0.0, 0.8])
def test_knots_lie_on_the_arms(wobble):
    plain = spiral(20, 1)
    plain = replace(plain, arms=replace(plain.arms, width=0.08, wobble=wobble))
    knotty = replace(plain, knots=Knots(number=60, share=0.1, size=0.3))
    knots = light(knotty) - light(plain)
    # Where knots are, the arms raise the disc above what it would be without them.
    near = R < 14
    raised = light(plain)[near] / light(Galaxy(disc=disc(young=0.5)))[near]
    assert (raised * knots[near]).sum() / knots[near].sum() > 1.2 * raised.mean()


def test_a_star_is_a_moffat_profile_of_the_seeing():
    scene = Scene(galaxies=(), stars=(Star(x=0.1, y=0.1, magnitude=17.0, colour=0.6),))
    image = light(scene=scene, blurred=True, pixel_scale=0.1)
    x = (np.arange(SIZE) - MIDDLE) * 0.1
    profile = image[int(MIDDLE + 1)]
    above = x[profile > 0.5 * profile.max()]
    assert np.ptp(above) + 0.1 == pytest.approx(1.22, abs=0.11)
    assert image.sum() * 0.01 == pytest.approx(star_fluxes(17.0, 0.6)[1], rel=0.03)


def test_blurring_a_point_gives_nearly_a_moffat_profile():
    planes = np.zeros((3, 121, 121), dtype=np.float32)
    planes[:, 60, 60] = 1.0
    blur(planes, [4.0, 6.0, 8.0])
    y, x = np.mgrid[:121, :121] - 60.0
    for plane, width in zip(planes, (4.0, 6.0, 8.0), strict=True):
        alpha2 = width**2 / 4 / (2 ** (1 / BETA) - 1)
        exact = (BETA - 1) / (np.pi * alpha2) * (1 + (x**2 + y**2) / alpha2) ** -BETA
        assert plane.sum() == pytest.approx(1.0, abs=1e-4)
        assert np.abs(plane - exact).max() < 0.02 * exact.max()
