"""Reading linear flux: which HDU, which band, which units."""

import bz2
import gzip

import numpy as np
import pytest

from galfeat.data.readers.fits import read_fits
from galfeat.data.readers.fits.calibration import gain_of, pixel_scale_of, unit_of, zero_point_of
from galfeat.data.readers.fits.flux import read_flux, read_plane
from galfeat.errors import ImageError

fits = pytest.importorskip("astropy.io.fits", reason="FITS files")
RNG = np.random.default_rng(0)
FLUX = RNG.normal(0.0, 1.0, (20, 24)).astype(">f4")


def write(path, *units, **cards):
    primary = units[0] if isinstance(units[0], fits.PrimaryHDU) else fits.PrimaryHDU(units[0])
    primary.header.update(cards)
    fits.HDUList([primary, *units[1:]]).writeto(path, overwrite=True)
    return path


def test_the_pixels_are_those_of_the_file_in_native_order(tmp_path):
    image = read_flux(write(tmp_path / "a.fits", FLUX, FILTER="F160W", BUNIT="ELECTRONS/S"))[0]
    assert np.array_equal(image.flux, FLUX)
    assert image.flux.dtype == np.float32
    assert (image.band, image.unit) == ("F160W", "ELECTRONS/S")


@pytest.mark.parametrize("order", [("DQ", "SCI", "ERR"), ("WHT", "MASK", "SCI"), ("ERR", "DQ", "")])
def test_a_mask_is_never_taken_for_science(tmp_path, order):
    units = [fits.PrimaryHDU()]
    for k, name in enumerate(order):
        data = FLUX if name in ("SCI", "") else np.full(FLUX.shape, k, "i2")
        units.append(fits.ImageHDU(data, name=name or None))
    assert np.array_equal(read_flux(write(tmp_path / "a.fits", *units))[0].flux, FLUX)


def test_only_masks_are_an_error_that_names_them(tmp_path):
    units = [fits.PrimaryHDU(), fits.ImageHDU(FLUX, name="DQ")]
    with pytest.raises(ImageError, match="only DQ; choose one of these with --hdu"):
        read_flux(write(tmp_path / "a.fits", *units))
    assert read_flux(tmp_path / "a.fits", hdu="dq")[0].flux.shape == FLUX.shape
    with pytest.raises(ImageError, match="there is no HDU 'SCI'"):
        read_flux(tmp_path / "a.fits", hdu="SCI")
    with pytest.raises(ImageError, match="contains no image"):
        read_flux(tmp_path / "a.fits", hdu=0)


@pytest.mark.parametrize("suffix", [".fits.gz", ".fits.bz2", ".fits.fz"])
def test_compressed_files(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    plain = write(tmp_path / "plain.fits", FLUX).read_bytes()
    if suffix == ".fits.gz":
        path.write_bytes(gzip.compress(plain))
    elif suffix == ".fits.bz2":
        path.write_bytes(bz2.compress(plain))
    else:
        unit = fits.CompImageHDU(FLUX.astype("f4"), compression_type="GZIP_2", quantize_level=0)
        fits.HDUList([fits.PrimaryHDU(), unit]).writeto(path)
    assert np.allclose(read_flux(path)[0].flux, FLUX)


def test_planes_are_bands(tmp_path):
    cube = np.stack([FLUX, 2 * FLUX, 3 * FLUX])
    path = write(tmp_path / "a.fits", cube, BANDS="grz", SURVEY="DECaLS")
    images = read_flux(path)
    assert [image.band for image in images] == ["g", "r", "z"]
    assert np.array_equal(images[2].flux, 3 * FLUX)
    assert images[0].zero_point == 22.5
    assert [image.band for image in read_flux(path, planes="riz")] == ["r", "i", "z"]
    names = [image.band for image in read_flux(path, planes="F1,F2,F3")]
    assert names == ["F1", "F2", "F3"]
    with pytest.raises(ImageError, match="3 planes and 2 names"):
        read_flux(path, planes="gr")
    single = write(tmp_path / "b.fits", FLUX[np.newaxis])
    assert read_flux(single)[0].flux.shape == FLUX.shape


@pytest.mark.parametrize("length", [10, 2000, 2880 + 500])
def test_a_file_that_is_cut_short_is_an_error_of_that_file(tmp_path, length):
    path = write(tmp_path / "a.fits", FLUX)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_flux(path)


def test_a_damaged_gzip_file_and_a_missing_one(tmp_path):
    path = tmp_path / "a.fits.gz"
    path.write_bytes(gzip.compress(write(tmp_path / "b.fits", FLUX).read_bytes())[:-700])
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_flux(path)
    with pytest.raises(ImageError, match="does not exist"):
        read_flux(tmp_path / "none.fits")


def test_one_plane_of_any_kind(tmp_path):
    path = write(tmp_path / "a.fits", FLUX, fits.ImageHDU(np.ones((20, 24), "i4"), name="SEG"))
    assert read_plane(path, hdu="SEG").dtype == np.int32
    assert read_plane(path).dtype == np.float32
    with pytest.raises(ImageError, match="expected"):
        read_plane(write(tmp_path / "b.fits", np.zeros((2, 4, 4), "f4")))


@pytest.mark.parametrize(
    ("cards", "scale"),
    [
        ({"CD1_1": -2.777e-5, "CD2_2": 2.777e-5}, 0.09997),
        ({"CD1_1": 0.0, "CD1_2": 1e-4, "CD2_1": -1e-4, "CD2_2": 0.0}, 0.36),
        ({"CDELT1": -1e-4, "CDELT2": 1e-4}, 0.36),
        ({"CDELT1": -1e-4, "CDELT2": 1e-4, "PC1_1": -0.646, "PC2_2": 0.646}, 0.36),
        ({"CDELT1": 1.0}, None),
        ({"PIXSCALE": 0.262}, 0.262),
        ({}, None),
    ],
)
def test_pixel_scale(cards, scale):
    found = pixel_scale_of(cards)
    assert found == (scale if scale is None else pytest.approx(scale, rel=1e-4))


@pytest.mark.parametrize(
    ("cards", "zero_point"),
    [
        ({"MAGZERO": 25.94}, 25.94),
        ({"PHOTZP": 23.5}, 23.5),
        ({"ABMAG": 26.0, "BUNIT": "Jy"}, 26.0),
        ({"BUNIT": "nanomaggy"}, 22.5),
        ({"BUNIT": "uJy"}, 23.9),
        ({"BUNIT": "MJy/sr", "PIXAR_SR": 9.31e-14}, 26.478),
        ({"BUNIT": "ELECTRONS/S", "PHOTFNU": 1.5053965e-07}, 25.956),
        ({"BUNIT": "electron/s", "PHOTFLAM": 1.9276e-20, "PHOTPLAM": 15369.2}, 25.946),
        ({"BUNIT": "adu"}, None),
        ({"MAGZERO": "25"}, None),
        ({"MAGZERO": float("inf")}, None),
    ],
)
def test_zero_point(cards, zero_point):
    found = zero_point_of(cards, {}, None)
    expected = zero_point if zero_point is None else pytest.approx(zero_point, abs=2e-3)
    assert found == expected


@pytest.mark.parametrize(
    ("cards", "gain"),
    [
        ({"BUNIT": "ELECTRONS/S", "EXPTIME": 500.0, "CCDGAIN": 2.5}, 500.0),
        ({"BUNIT": "electrons"}, 1.0),
        ({"BUNIT": "adu", "GAIN": 4.0}, 4.0),
        ({"BUNIT": "DN/s", "GAIN": 4.0, "EXPTIME": 10.0}, 40.0),
        ({"BUNIT": "nanomaggy", "GAIN": 4.0}, None),
        ({}, None),
    ],
)
def test_gain(cards, gain):
    assert gain_of(cards, {}) == gain
    assert unit_of(cards, {}) == cards.get("BUNIT", "")


def test_an_image_whose_header_states_a_huge_size_is_an_error(tmp_path):
    path = write(tmp_path / "a.fits", FLUX)
    header = path.read_bytes()
    huge = header.replace(b"NAXIS1  =                   24", b"NAXIS1  =        9000000000000")
    assert huge != header
    path.write_bytes(huge)
    with pytest.raises(ImageError, match=r"declares (an image of|or unpacks to) more than 4.0 GiB"):
        read_flux(path)
    (tmp_path / "b.fits.gz").write_bytes(gzip.compress(huge))
    with pytest.raises(ImageError, match=r"declares (an image of|or unpacks to) more than 4.0 GiB"):
        read_flux(tmp_path / "b.fits.gz")


@pytest.mark.parametrize("content", [b"", b"SIMPLE  = garbage", b"\xff" * 4000])
def test_a_file_that_is_no_fits_is_an_error(tmp_path, content):
    path = tmp_path / "a.fits"
    path.write_bytes(content)
    with pytest.raises(ImageError):
        read_flux(path)


@pytest.mark.parametrize("shape", [(40, 44, 3), (1, 40, 44, 3), (40, 44, 1), (40, 44, 7)])
def test_bands_on_the_last_axis_are_an_error_that_says_so(tmp_path, shape):
    path = write(tmp_path / "a.fits", np.zeros(shape, "f4"))
    for read in (read_flux, read_fits, lambda path: read_flux(path, hdu=0)):
        with pytest.raises(ImageError, match=r"bands last; expected \(H, W\) or \(bands, H, W\)"):
            read(path)


def test_hdus_with_different_filters_are_bands(tmp_path):
    path = tmp_path / "a.fits"
    units = [fits.PrimaryHDU(), *(fits.ImageHDU(k * FLUX, name="SCI", ver=k) for k in (1, 2))]
    for unit, name in zip(units[1:], ("r DECam SDSS", "F115W"), strict=True):
        unit.header["FILTER"] = name
    units[2].header["BUNIT"] = "nanomaggy"
    write(path, *units)
    images = read_flux(path)
    assert [(image.band, image.zero_point) for image in images] == [("r", None), ("F115W", 22.5)]
    assert np.array_equal(images[1].flux, 2 * FLUX)
    assert [image.note for image in images] == ["", ""]
    assert [image.band for image in read_flux(path, bands=["f115w"])] == ["F115W"]
    assert np.array_equal(read_flux(path, hdu=2)[0].flux, 2 * FLUX)
    assert [image.band for image in read_flux(path, planes="gr")] == ["g", "r"]


def test_other_images_are_noted(tmp_path):
    units = [fits.PrimaryHDU(), *(fits.ImageHDU(FLUX, name=name) for name in ("SCI", "SCI", "ERR"))]
    (image,) = read_flux(write(tmp_path / "a.fits", *units))
    assert "only HDU 1 (SCI) is measured, not 2 (SCI), which" in image.note
    assert read_flux(tmp_path / "a.fits", hdu=2)[0].note == ""


def test_bands_together_are_read_within_the_limit(tmp_path, monkeypatch):
    size = 4 * 300 * 400
    units = [fits.PrimaryHDU()]
    units += [fits.ImageHDU(np.ones((300, 400), "f4"), name=name) for name in "GR"]
    path = write(tmp_path / "a.fits", *units)
    monkeypatch.setenv("GALFEAT_MAX_BYTES", str(2 * size - 1))
    with pytest.raises(ImageError, match="declares an image of more than"):
        read_flux(path)
    assert len(read_flux(path, bands=["g"])) == 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(50), "a JPEG image"),
        (b"\x89PNG\r\n", "a PNG image"),
        (b"<!DOCTYPE html>", "a web page"),
        (gzip.compress(b"\x89HDF\r\n"), "an HDF5 file"),
        (b"some notes", "in another format"),
    ],
)
def test_files_of_another_format_are_named(tmp_path, content, kind):
    path = tmp_path / "a.fits"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=kind):
        read_flux(path)
    with pytest.raises(ImageError, match="a folder; expected a FITS file"):
        read_flux(tmp_path)
