"""Centre, axis ratio, position angle and radii against painted galaxies and formulas."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import gamma, gammainc, gammaincinv

from galfeat.frame import measure_frame
from galfeat.frame.radii import ETA, growth_curve, radii_of

ANGLES = np.radians([-75.0, -40.0, 0.0, 20.0, 45.0, 90.0])


def angle_between(one, other):
    """Smallest angle between two axes, which have no direction."""
    return abs((one - other + 0.5 * np.pi) % np.pi - 0.5 * np.pi)


@pytest.mark.parametrize("gaussian", [True, False], ids=["gaussian", "exponential"])
@pytest.mark.parametrize("q", [0.3, 0.45, 0.6, 0.75, 0.88])
def test_axis_ratio_and_position_angle_are_recovered(paint, q, gaussian):
    scale = 16.0 if gaussian else 12.0
    for pa in ANGLES:
        frame = measure_frame(
            paint(192, scale=scale, q=q, pa=pa, gaussian=gaussian, noise=2.0, seed=1)
        )
        # Smoothing by 1.4 px rounds the thin ones a little.
        assert frame.q == pytest.approx(q, abs=0.025)
        assert angle_between(frame.pa, pa) < np.radians(1.0 if q < 0.8 else 3.0)
        assert -0.5 * np.pi <= frame.pa <= 0.5 * np.pi


def test_a_circle_is_round(paint):
    for gaussian in (True, False):
        assert measure_frame(paint(scale=11.0, gaussian=gaussian, noise=2.0)).q > 0.97


def test_the_centre_is_found_to_a_fifth_of_a_pixel(paint):
    rng = np.random.default_rng(5)
    for seed in range(20):
        offset = rng.uniform(-4.0, 4.0, 2)
        image = paint(
            128, scale=rng.uniform(4.0, 12.0), q=rng.uniform(0.3, 1.0),
            pa=rng.uniform(0.0, np.pi), offset=offset, peak=120.0, noise=4.0, seed=seed,
        )  # fmt: skip
        frame = measure_frame(image)
        assert np.hypot(frame.yc - 63.5 - offset[0], frame.xc - 63.5 - offset[1]) < 0.2


class Sersic:
    """The light of a Sérsic profile within a radius, in closed form (Graham & Driver 2005)."""

    def __init__(self, n, half_light):
        self.n, self.half_light = n, half_light
        self.b = gammaincinv(2.0 * n, 0.5)

    def brightness(self, r):
        return np.exp(-self.b * (r / self.half_light) ** (1.0 / self.n))

    def within(self, r):
        """Part of the total light within a radius."""
        return gammainc(2.0 * self.n, self.b * (r / self.half_light) ** (1.0 / self.n))

    @property
    def petrosian(self):
        total = 2.0 * np.pi * self.n * self.half_light**2 * self.b ** (-2.0 * self.n)
        total *= gamma(2.0 * self.n)

        def excess(r):
            return self.brightness(r) - ETA * total * self.within(r) / (np.pi * r * r)

        return brentq(excess, 0.5 * self.half_light, 10.0 * self.half_light)

    def radius(self, fraction):
        """Radius of a fraction of the light within 1.5 Petrosian radii."""
        wanted = fraction * self.within(1.5 * self.petrosian)
        return brentq(lambda r: self.within(r) - wanted, 1e-3, 20.0 * self.half_light)

    @property
    def radii(self):
        return [self.petrosian, *(self.radius(f) for f in (0.2, 0.5, 0.8, 0.9))]

    def image(self, size, q, pa):
        """Light averaged over 5 × 5 points of each pixel, which the steep middle needs."""
        points = (np.arange(5 * size) - 0.5 * (5 * size - 1)) / 5.0
        y, x = np.meshgrid(points, points, indexing="ij")
        u, v = x * np.cos(pa) + y * np.sin(pa), (y * np.cos(pa) - x * np.sin(pa)) / q
        fine = self.brightness(np.hypot(u, v))
        return fine.reshape(size, 5, size, 5).mean(axis=(1, 3)).astype(np.float32)


def measured_radii(image, labels, q, pa, reach):
    middle = 0.5 * (image.shape[0] - 1)
    return radii_of(growth_curve(image, labels, 0, middle, middle, q, pa, reach))


@pytest.mark.parametrize("n", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(("q", "pa"), [(1.0, 0.0), (0.5, 0.7)])
def test_radii_of_sersic_profiles(n, q, pa):
    profile = Sersic(n, 20.0)
    reach = 1.6 * profile.petrosian
    image = profile.image(2 * int(reach) + 20, q, pa)
    radii = measured_radii(image, np.zeros(image.shape, np.uint8), q, pa, reach)
    # Rings are a pixel wide, and their pairs two: Petrosian radii come out a pixel too large.
    np.testing.assert_allclose(radii, profile.radii, rtol=0.04)


def test_pixels_of_other_objects_count_with_their_ring():
    profile = Sersic(1.0, 15.0)
    image = profile.image(160, 1.0, 0.0)
    labels = np.zeros(image.shape, np.uint8)
    plain = measured_radii(image, labels, 1.0, 0.0, 70.0)
    image[60:75, 90:110] += 5.0
    labels[60:75, 90:110] = 2
    np.testing.assert_allclose(measured_radii(image, labels, 1.0, 0.0, 70.0), plain, rtol=0.01)


def test_light_beyond_the_border_is_taken_from_the_rest_of_the_ring():
    profile = Sersic(1.0, 15.0)
    image = profile.image(160, 1.0, 0.0)
    labels = np.zeros(image.shape, np.uint8)
    plain = measured_radii(image, labels, 1.0, 0.0, 70.0)
    cut = np.ascontiguousarray(image[:, :100])
    radii = radii_of(growth_curve(cut, labels[:, :100].copy(), 0, 79.5, 79.5, 1.0, 0.0, 70.0))
    np.testing.assert_allclose(radii, plain, rtol=0.02)


def test_light_that_never_fades_ends_with_the_rings():
    flat = np.ones((101, 101), np.float32)
    radii = measured_radii(flat, np.zeros(flat.shape, np.int32), 1.0, 0.0, 40.0)
    assert radii[0] == 40.0
    np.testing.assert_allclose(radii[1:], 41.0 * np.sqrt([0.2, 0.5, 0.8, 0.9]), rtol=1e-6)


def test_rings_without_light_have_radii_that_can_be_divided_by():
    for value in (0.0, -1.0):
        dark = np.full((41, 41), value, np.float32)
        radii = measured_radii(dark, np.zeros(dark.shape, np.int32), 1.0, 0.0, 15.0)
        assert np.isfinite(radii).all()
        assert (radii > 0.0).all()


@pytest.mark.parametrize("q", [0.4, 0.7, 1.0])
def test_radii_of_an_exponential_disc_in_eight_bits(paint, q):
    # The disc is cut at half a count, 5.9 scale lengths out.
    frame = measure_frame(paint(256, scale=12.0, q=q, pa=0.6, peak=190.0, sky=25.0, noise=1.0))
    expected = Sersic(1.0, 1.6783 * 12.0).radii
    np.testing.assert_allclose(frame.radii, expected, rtol=0.05)
