"""Groups of rows that show the same region of the sky."""

import h5py
import numpy as np
import pytest

from galfeat.data import open_dataset
from galfeat.data.catalogue.groups import groups_by_position

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
