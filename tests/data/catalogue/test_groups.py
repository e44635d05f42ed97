"""Groups of rows that show the same region of the sky."""

import h5py
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galfeat.data import open_dataset
from galfeat.data.catalogue import groups as groups_module
from galfeat.data.catalogue.groups import groups_by_position
from galfeat.errors import DataError

ARCSEC = 1 / 3600


def test_friends_of_friends_are_one_group():
    ra = np.zeros(5)
    dec = np.array([0, 60, 120, 300, 0]) * ARCSEC
    assert groups_by_position(ra, dec).tolist() == ["0", "0", "0", "3", "0"]


@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        ([359.995, 0.005], [0, 0]),  # across the meridian, 36"
        ([10, 200], [89.995, 89.995]),  # across the pole, 36" or less
        ([50, 50 + 60 * ARCSEC / np.cos(np.radians(80))], [80, 80]),
    ],
    ids=["meridian", "pole", "high declination"],
)
def test_distance_is_on_the_sphere(ra, dec):
    first, second = groups_by_position(np.array(ra, float), np.array(dec, float))
    assert first == second


@pytest.mark.parametrize(("separation", "together"), [(66.9, True), (67.1, False)])
def test_the_limit_is_the_width_of_an_image(separation, together):
    first, second = groups_by_position(
        np.array([120.0, 120.0]), np.array([-30, -30 + separation * ARCSEC])
    )
    assert (first == second) == together


def test_unknown_positions_are_groups_of_their_own():
    ra = np.array([np.nan, 1, np.nan, 1])
    assert groups_by_position(ra, ra).tolist() == ["0", "1", "2", "1"]


def test_galaxy10_rows_of_one_sky_are_grouped_when_opened(tmp_path):
    with h5py.File(tmp_path / "g.h5", "w") as file:
        file["images"] = np.zeros((4, 256, 256, 3), np.uint8)
        file["ans"] = np.array([0, 1, 2, 3], np.uint8)
        file["ra"] = [10.0, 10.0, 10.0 + 30 * ARCSEC, -999.0]
        file["dec"] = [5.0, 5.0, 5.0, -999.0]
    data = open_dataset(tmp_path / "g.h5")
    assert data.groups.tolist() == ["0", "0", "0", "3"]
    assert np.isnan(data.ra[3]), "-999 is no place on the sky"


def test_a_group_column_comes_before_positions(tmp_path):
    np.savez(
        tmp_path / "g.npz",
        images=np.zeros((3, 4, 4, 3), np.uint8),
        ra=np.zeros(3),
        dec=np.zeros(3),
        group_id=np.array([1, 2, 2]),
    )
    assert open_dataset(tmp_path / "g.npz").groups.tolist() == ["1", "2", "2"]


def friends_of_friends(ra, dec, separation=67.0):
    """The groups by comparing all pairs."""
    ra, dec = np.radians(ra), np.radians(dec)
    points = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
    link = 2 * np.sin(np.radians(separation / 3600) / 2)
    difference = points[:, np.newaxis] - points
    squared = difference[..., 0] ** 2 + difference[..., 1] ** 2 + difference[..., 2] ** 2
    linked = squared <= link * link
    group = np.arange(len(ra))
    while True:
        lowest = np.where(linked, group, len(ra)).min(axis=1)
        if (lowest == group).all():
            return [str(row) for row in group]
        group = lowest


@st.composite
def crowded_positions(draw):
    """Clumps, lattices and filaments, also at the poles and across the meridian."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(1, 150))
    dec = draw(st.sampled_from([0.0, -35.0, 80.0, 89.99, -90.0]))
    scale = draw(st.sampled_from([1e-9, 1.0, 30.0, 67.0, 200.0, 1000.0]))
    east, north = rng.uniform(-scale, scale, (2, n))
    shape = draw(st.sampled_from(["clump", "clumps", "lattice", "filament", "equal"]))
    if shape == "clumps":  # many in few cells, some of them just linked
        east, north = (
            67 * rng.integers(0, 4, n) + rng.uniform(0, min(scale, 3), n) for _ in range(2)
        )
    elif shape == "lattice":
        east, north = scale * np.rint(4 * rng.random((2, n))) / draw(st.sampled_from([1, 2, 3]))
    elif shape == "filament":
        north = np.zeros(n)
    elif shape == "equal":
        east, north = scale * rng.integers(0, 2, n), np.zeros(n)
    north = np.clip(dec + north * ARCSEC, -90, 90)
    ra = draw(st.sampled_from([0.0, 180.0])) + east * ARCSEC / max(np.cos(np.radians(dec)), 1e-3)
    return ra % 360, north


@given(crowded_positions(), st.sampled_from([1.0, 10.0, 67.0]))
@example((np.array([0.0, 0.0]), np.array([-30.0, -30.0 + 67 * ARCSEC])), 67.0)
@example((np.array([0.0, 360.0, 0.0]), np.array([90.0, 90.0, -90.0])), 67.0)
def test_groups_are_those_of_all_pairs(positions, separation):
    found = groups_by_position(*positions, separation)
    assert found.tolist() == friends_of_friends(*positions, separation)


def test_groups_do_not_depend_on_how_many_points_are_compared_at_a_time(monkeypatch):
    rng = np.random.default_rng(1)
    places = rng.integers(0, 5, (2, 300)) * 69.5 + rng.uniform(0, 3, (2, 300))
    expected = groups_by_position(*(places * ARCSEC))
    assert 1 < len(set(expected.tolist())) < 25
    monkeypatch.setattr(groups_module, "_BLOCK", 7)
    assert (groups_by_position(*(places * ARCSEC)) == expected).all()


def test_a_separation_of_nothing_is_an_error():
    with pytest.raises(DataError, match="a separation of 0 arcsec; expected more than 0"):
        groups_by_position(np.zeros(2), np.zeros(2), 0)
