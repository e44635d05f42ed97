"""Neighbours planted at known places."""

import numpy as np
import pytest

from galfeat.features.shape.family import COLUMNS, measure
from galfeat.features.shape.neighbours import NEIGHBOUR_COLUMNS, ZONES
from galfeat.frame import measure_frame

NAMES = [column.name for column in COLUMNS]
SIZE = 256


@pytest.fixture(scope="module")
def galaxy(paint):
    """A galaxy alone; its frame radius is near 34 px."""
    return paint(SIZE, scale=7.0, q=0.7, noise=1.0)


def with_stars(image, places, peak=150.0, sigma=2.0):
    """Add round stars at offsets (y, x) from the middle, in pixels."""
    y, x = np.mgrid[:SIZE, :SIZE] - 0.5 * (SIZE - 1)
    light = sum(peak * np.exp(-0.5 * ((y - a) ** 2 + (x - b) ** 2) / sigma**2) for a, b in places)
    return np.clip(image + np.rint(light)[:, :, None], 0, 255).astype(np.uint8)


def neighbours_of(image):
    frame = measure_frame(image)
    return frame, dict(zip(NAMES, measure(frame), strict=True))


def test_a_lonely_galaxy_has_no_neighbours(galaxy):
    _, values = neighbours_of(galaxy)
    for column in NEIGHBOUR_COLUMNS[:6]:
        assert values[column.name] == 0.0
    assert values["shape.companion.distance"] == 9.0
    for name in ("light", "peak", "extent", "bridge"):
        assert values[f"shape.companion.{name}"] == 0.0
    assert values["shape.filling"] == pytest.approx(0.5, abs=0.25)


@pytest.mark.parametrize("zone", [0, 1, 2])
def test_each_neighbour_counts_in_its_zone(galaxy, zone):
    radius = measure_frame(galaxy).radius
    inner = (0.45, *ZONES)[zone]
    distance = 0.5 * (inner + ZONES[zone]) * radius
    angles = np.radians([40.0, 160.0, 280.0])
    frame, values = neighbours_of(
        with_stars(galaxy, [(distance * np.sin(a), distance * np.cos(a)) for a in angles])
    )
    assert frame.radius == pytest.approx(radius, rel=0.05)
    numbers = [values[f"shape.neighbours.number.z{z}"] for z in range(3)]
    assert numbers == [3.0 * (z == zone) for z in range(3)]
    light = [values[f"shape.neighbours.light.z{z}"] for z in range(3)]
    own = frame.objects[frame.galaxy, 4]
    star = 150.0 * 2.0 * np.pi * 4.0
    # A star on the disc takes the disc's light beneath it along.
    assert 0.9 < light[zone] * own / (3.0 * star) < (1.6 if zone == 0 else 1.1)
    assert sum(light) == light[zone]


def test_distance_and_light_of_the_companion(galaxy):
    frame, values = neighbours_of(with_stars(galaxy, [(-40.0, 60.0)], sigma=4.0))
    expected = np.hypot(-40.0 + 127.5 - frame.yc, 60.0 + 127.5 - frame.xc) / frame.radius
    assert values["shape.companion.distance"] == pytest.approx(expected, rel=0.02)
    own = frame.objects[frame.galaxy]
    assert values["shape.companion.light"] == pytest.approx(
        150.0 * 2.0 * np.pi * 16.0 / own[4], rel=0.1
    )
    # Smoothing by 1.4 px lowers a star of 4 px by a ninth.
    assert values["shape.companion.peak"] == pytest.approx(150.0 * 16.0 / 18.0 / own[0], rel=0.03)
    assert values["shape.companion.extent"] == pytest.approx(np.exp(-0.5 * 9.0 / 18.0), abs=0.03)
    assert values["shape.companion.bridge"] == 0.0


def test_the_larger_of_two_is_the_companion_and_stars_are_not_preferred(galaxy):
    star = with_stars(galaxy, [(0.0, -50.0)], sigma=1.2, peak=230.0)
    frame, values = neighbours_of(with_stars(star, [(55.0, 0.0)], sigma=5.0, peak=120.0))
    assert values["shape.companion.distance"] == pytest.approx(55.0 / frame.radius, rel=0.03)


def test_a_bridge_joins_galaxies_that_touch(paint):
    one = paint(SIZE, scale=8.0, q=0.8, noise=1.0).astype(int)
    values = []
    for distance in (24.0, 34.0, 90.0):
        other = paint(SIZE, scale=6.0, q=0.8, sky=0.0, offset=(0.0, distance))
        values.append(neighbours_of(np.clip(one + other, 0, 255).astype(np.uint8))[1])
    bridges = [v["shape.companion.bridge"] for v in values]
    assert bridges[0] > bridges[1] > bridges[2] == 0.0
    assert values[0]["shape.bridge"] > values[1]["shape.bridge"] > values[2]["shape.bridge"]


def test_beyond_three_radii_nothing_counts(galaxy):
    _, values = neighbours_of(with_stars(galaxy, [(0.0, 118.0)]))
    assert [values[f"shape.neighbours.number.z{z}"] for z in range(3)] == [0.0, 0.0, 0.0]
    assert values["shape.companion.distance"] == 9.0
