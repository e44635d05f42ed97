"""FITS images as RGB images."""

import sys

import numpy as np
import pytest
from astropy.io import fits

from galfeat.data import open_dataset
from galfeat.data.readers.fits import LEGACY_SCALES, asinh_rgb
from galfeat.errors import ImageError, MissingDependencyError

SKY = 32


def galaxy(height=40, width=50, peak=50.0, seed=0):
    """A round galaxy above noise of 1 on a sky of 1000."""
    y, x = np.mgrid[:height, :width]
    light = peak * np.exp(-((y - height / 2) ** 2 + (x - width / 2) ** 2) / 18)
    return light + 1000 + np.random.default_rng(seed).normal(size=(height, width))


def read_fits(path, data, **cards):
    unit = fits.PrimaryHDU(data)
    unit.header.update(cards)
    unit.writeto(path)
    (found,) = open_dataset([path]).read([0])
    return found


@pytest.mark.parametrize("name", ["a.fits", "a.fit", "a.FITS", "a.fits.gz"])
def test_one_band_is_grey_with_a_dark_sky(tmp_path, name):
    picture = read_fits(tmp_path / name, galaxy().astype(np.float32))
    assert picture.shape == (40, 50, 3)
    assert picture.dtype == np.uint8
    assert np.ptp(picture, axis=2).max() == 0
    assert abs(np.median(picture[:5]) - SKY) <= 2
    assert picture[20, 25, 0] > 150


def test_rows_are_counted_from_below(tmp_path):
    data = np.zeros((20, 20))
    data[2, 10] = 1
    picture = read_fits(tmp_path / "a.fits", data)
    assert np.unravel_index(picture[..., 0].argmax(), (20, 20)) == (17, 10)


@pytest.mark.parametrize(
    ("cards", "brightest"), [({}, 0), ({"BANDS": "zrg"}, 2)], ids=["blue first", "as BANDS says"]
)
def test_three_bands_go_from_blue_to_red(tmp_path, cards, brightest):
    planes = np.stack([galaxy(peak=2), galaxy(peak=10, seed=1), galaxy(peak=50, seed=2)])
    picture = read_fits(tmp_path / "a.fits", planes, **cards)
    assert picture[20, 25].argmax() == brightest
    assert picture[20, 25, 1] == np.median(picture[20, 25])


def test_fluxes_of_the_legacy_surveys_look_as_in_their_viewer(tmp_path):
    fluxes = np.zeros((3, 20, 20))
    fluxes[:, 10, 10] = 0.01, 0.02, 0.03  # nanomaggies in g, r, z
    picture = read_fits(tmp_path / "a.fits", fluxes, BANDS="grz", SURVEY="LegacySurvey")
    x = np.array([0.03 * 2.2, 0.02 * 3.4, 0.01 * 6.0]) + 0.03
    expected = 255 * x * np.arcsinh(20 * x.mean()) / (np.sqrt(20) * x.mean())
    np.testing.assert_allclose(picture[9, 10], expected, atol=0.5)
    assert (picture[0] == SKY).all()


def test_unit_and_sky_do_not_matter_where_the_unit_is_unknown():
    bands = galaxy()[np.newaxis]
    np.testing.assert_allclose(
        asinh_rgb(bands).astype(int), asinh_rgb(bands * 1e-9 + 3).astype(int), atol=1
    )


def test_a_bright_centre_keeps_its_structure():
    picture = asinh_rgb(galaxy(peak=1e5)[np.newaxis])
    assert (picture[15:25, 20:30] == 255).mean() < 0.2


def test_saturation_keeps_scaled_bands_in_range():
    picture = asinh_rgb(np.full((3, 4, 4), 1e6), scales=list(LEGACY_SCALES.values()))
    assert (picture[..., 2] == 255).all()


def test_a_few_blank_pixels_become_sky(tmp_path):
    data = galaxy()
    data[:, :10] = np.nan
    picture = read_fits(tmp_path / "a.fits", data)
    assert (picture[:, :10] == SKY).all()
    assert picture[20, 25, 0] > 150


def test_a_flat_image_is_sky():
    assert (asinh_rgb(np.full((1, 8, 8), 7.0)) == SKY).all()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.full((8, 8), np.nan), "100% of the pixels are blank"),
        (np.zeros((2, 8, 8)), r"the image has shape \(2, 8, 8\); expected \(H, W\) or \(3, H, W\)"),
        (np.zeros(8), r"the image has shape \(8,\)"),
        (None, "no HDU contains an image"),
    ],
)
def test_invalid_fits_images_are_errors_of_their_rows(tmp_path, data, message):
    found = read_fits(tmp_path / "a.fits", data)
    assert isinstance(found, ImageError)
    assert found.args[0].startswith(str(tmp_path / "a.fits"))
    with pytest.raises(ImageError, match=message):
        raise found


def test_a_truncated_file_is_an_error_of_its_row(tmp_path):
    fits.PrimaryHDU(galaxy()).writeto(tmp_path / "a.fits")
    content = (tmp_path / "a.fits").read_bytes()
    (tmp_path / "a.fits").write_bytes(content[:5000])
    (found,) = open_dataset([tmp_path / "a.fits"]).read([0])
    assert isinstance(found, ImageError)


def test_without_astropy_the_extra_is_named(tmp_path, monkeypatch):
    fits.PrimaryHDU(galaxy()).writeto(tmp_path / "a.fits")
    monkeypatch.setitem(sys.modules, "astropy.io", None)
    with pytest.raises(MissingDependencyError, match=r"galfeat\[fits\]"):
        open_dataset([tmp_path / "a.fits"]).read([0])
