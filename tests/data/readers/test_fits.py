"""FITS images as RGB images."""

import gzip
import sys

import numpy as np
import pytest
from astropy.io import fits

from galfeat.data import open_dataset
from galfeat.data.readers.fits.display import LEGACY_SCALES, asinh_rgb
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


@pytest.mark.parametrize("name", ["a.fits", "a.fit", "a.FITS", "a.fits.gz", "a.fits.bz2"])
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


@pytest.mark.parametrize(
    "cards",
    [{"SURVEY": "LegacySurvey"}, {"SURVEY": "DECaLS"}, {"SURVEY": "DECaLS DR5"},
     {"BUNIT": "nanomaggy"}],
)  # fmt: skip
def test_fluxes_of_the_legacy_surveys_look_as_in_their_viewer(tmp_path, cards):
    fluxes = np.zeros((3, 20, 20))
    fluxes[:, 10, 10] = 0.01, 0.02, 0.03  # nanomaggies in g, r, z
    picture = read_fits(tmp_path / "a.fits", fluxes, BANDS="grz", **cards)
    x = np.array([0.03 * 2.2, 0.02 * 3.4, 0.01 * 6.0]) + 0.03
    expected = 255 * x * np.arcsinh(20 * x.mean()) / (np.sqrt(20) * x.mean())
    np.testing.assert_allclose(picture[9, 10], expected, atol=0.5)
    assert (picture[0] == SKY).all()


def planes_of(names):
    """Planes of equal noise, each with a galaxy of its own seed and brightness."""
    return np.stack([galaxy(peak=10.0 + 5 * k, seed=k) for k in range(len(names))])


def shown_as(tmp_path, names, bands):
    """The picture of three of some planes, from a file of these alone."""
    planes = planes_of(names)[[names.index(band) for band in bands]]
    return read_fits(tmp_path / "three.fits", planes, BANDS=bands)


@pytest.mark.parametrize(
    ("names", "shown"), [("griz", "grz"), ("ugriz", "gri"), ("zirgu", "gri"), ("grizy", "gri")]
)
def test_more_than_three_bands_are_shown_by_default(tmp_path, names, shown):
    picture = read_fits(tmp_path / "a.fits", planes_of(names), BANDS=names)
    np.testing.assert_array_equal(picture, shown_as(tmp_path, names, shown))


@pytest.mark.parametrize("bands", ["riz", "zir", "r,i,z", "R,I,Z"])
def test_bands_are_chosen_and_shown_from_blue_to_red(tmp_path, bands, monkeypatch):
    read_fits(tmp_path / "a.fits", planes_of("ugriz"), BANDS="ugriz")
    expected = shown_as(tmp_path, "ugriz", "riz")
    for data in (open_dataset(tmp_path / "a.fits", bands=bands),
                 open_dataset([tmp_path / "a.fits"], bands=bands).select([0])):  # fmt: skip
        np.testing.assert_array_equal(data.read([0])[0], expected)
    monkeypatch.setenv("GALFEAT_BANDS", bands)
    np.testing.assert_array_equal(open_dataset(tmp_path / "a.fits").read([0])[0], expected)


def test_one_band_is_chosen(tmp_path):
    read_fits(tmp_path / "a.fits", planes_of("griz"), BANDS="griz")
    (picture,) = open_dataset(tmp_path / "a.fits", bands="i").read([0])
    np.testing.assert_array_equal(picture, read_fits(tmp_path / "i.fits", planes_of("griz")[2]))


def test_planes_without_names_are_chosen_by_number(tmp_path):
    planes = planes_of("abcd")
    message = read_fits(tmp_path / "a.fits", planes)
    assert "choose one or three of its bands with --bands, which are 0, 1, 2, 3" in str(message)
    (picture,) = open_dataset(tmp_path / "a.fits", bands="3,0,1").read([0])
    np.testing.assert_array_equal(picture, read_fits(tmp_path / "b.fits", planes[[3, 0, 1]]))


@pytest.mark.parametrize(
    ("bands", "message"),
    [("grx", "the image has no band x; it has g, r, i, z"), ("gr", "expected one or three"),
     ("ggr", "expected one or three different"), (",", "the image has no band")],
)  # fmt: skip
def test_bands_that_cannot_be_shown_are_errors_of_the_row(tmp_path, bands, message):
    read_fits(tmp_path / "a.fits", planes_of("griz"), BANDS="griz")
    (found,) = open_dataset(tmp_path / "a.fits", bands=bands).read([0])
    assert isinstance(found, ImageError)
    assert message in str(found)


def write_units(path, *units):
    """Write extensions (name, data, filter) after an empty primary HDU; return the picture."""
    listed = [fits.PrimaryHDU()]
    for name, data, band in units:
        listed.append(fits.ImageHDU(data, name=name or None))
        if band:
            listed[-1].header["FILTER"] = band
    fits.HDUList(listed).writeto(path, overwrite=True)
    (found,) = open_dataset([path]).read([0])
    return found


@pytest.mark.parametrize(
    ("names", "filters"),
    [("GRIZ", None), (["IMAGE-G", "IMAGE_R", "IMAGE I", "sci_z"], None), ("griz", None),
     ([""] * 4, ["g DECam SDSS c0001", "r DECam", "i", "z"])],
)  # fmt: skip
def test_bands_may_be_in_extensions(tmp_path, names, filters):
    planes, mask = planes_of("griz"), np.ones((40, 50), "i2")
    units = list(zip(names, planes, filters or [None] * 4, strict=True))
    units = [("MASK_G", mask, "g"), *units[::-1], ("WHT", mask, "i")]
    picture = write_units(tmp_path / "a.fits", *units)
    np.testing.assert_array_equal(picture, shown_as(tmp_path, "griz", "grz"))


def test_bands_of_the_infrared_in_extensions_keep_their_order(tmp_path):
    planes = planes_of("abc")
    names = ["F115W", "F200W", "F444W"]
    picture = write_units(
        tmp_path / "a.fits", *[(n, p, None) for n, p in zip(names, planes, strict=True)]
    )
    np.testing.assert_array_equal(picture, read_fits(tmp_path / "b.fits", planes))
    (picture,) = open_dataset(tmp_path / "a.fits", bands="F444W,F200W,F115W").read([0])
    np.testing.assert_array_equal(picture, read_fits(tmp_path / "c.fits", planes[::-1]))
    (picture,) = open_dataset(tmp_path / "a.fits", bands="f200w").read([0])
    np.testing.assert_array_equal(picture, read_fits(tmp_path / "d.fits", planes[1]))


def test_bands_of_different_sizes_are_an_error(tmp_path):
    units = [("G", galaxy(), None), ("R", galaxy(), None), ("Z", galaxy(20, 25), None)]
    assert "expected one size: resample" in str(write_units(tmp_path / "a.fits", *units))


@pytest.mark.parametrize(
    "order",
    [("DQ", "SCI", "ERR"), ("WHT", "MASK", "SCI"), ("ERR", "VAR", ""),
     ("SEGMAP", "PSF_R", "F160W"), ("R_ERR", "IVAR", "R")],
)  # fmt: skip
def test_a_mask_or_error_is_never_shown(tmp_path, order):
    units = []
    for k, name in enumerate(order):
        science = name in ("SCI", "", "F160W", "R")
        units.append((name, galaxy() if science else np.full((40, 50), k, "i2"), None))
    picture = write_units(tmp_path / "a.fits", *units)
    np.testing.assert_array_equal(picture, read_fits(tmp_path / "b.fits", galaxy()))


def test_only_masks_are_an_error(tmp_path):
    found = write_units(tmp_path / "a.fits", ("DQ", np.ones((20, 20)), None))
    assert "no HDU contains a science image, only DQ" in str(found)


@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_2"])
def test_compressed_cubes(tmp_path, kind):
    planes = planes_of("griz").astype("f4")
    unit = fits.CompImageHDU(planes, compression_type=kind, quantize_level=0 if kind == "GZIP_2"
                             else 64)  # fmt: skip
    unit.header["BANDS"] = "griz"
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(tmp_path / "a.fits.fz")
    (picture,) = open_dataset([tmp_path / "a.fits.fz"]).read([0])
    np.testing.assert_allclose(
        picture.astype(int), shown_as(tmp_path, "griz", "grz").astype(int), atol=3
    )


@pytest.mark.parametrize("shape", [(1, 40, 50), (1, 1, 40, 50), (3, 1, 40, 50), (1, 3, 40, 50)])
def test_axes_of_length_one_do_not_matter(tmp_path, shape):
    data = planes_of("abc")[: max(shape[:-2])]
    picture = read_fits(tmp_path / "a.fits", data.reshape(shape))
    np.testing.assert_array_equal(picture, read_fits(tmp_path / "b.fits", data))


def test_integers_are_scaled_and_blank_ones_are_sky(tmp_path):
    unit = fits.PrimaryHDU(np.rint(galaxy() * 10).astype("i2"))
    unit.data[:, :10] = -1
    unit.header.update({"BSCALE": 0.1, "BZERO": 5.0, "BLANK": -1})
    unit.writeto(tmp_path / "a.fits")
    (picture,) = open_dataset([tmp_path / "a.fits"]).read([0])
    assert (picture[:, :10] == SKY).all()
    expected = read_fits(tmp_path / "b.fits", galaxy())[:, 10:].astype(int)
    np.testing.assert_allclose(picture[:, 10:].astype(int), expected, atol=8)


def test_unit_and_sky_do_not_matter_where_the_unit_is_unknown():
    bands = galaxy()[np.newaxis]
    np.testing.assert_allclose(
        asinh_rgb(bands).astype(int), asinh_rgb(bands * 1e-9 + 3).astype(int), atol=1
    )


def test_a_bright_centre_keeps_its_structure():
    picture = asinh_rgb(galaxy(peak=1e5)[np.newaxis])
    assert (picture[15:25, 20:30] == 255).mean() < 0.2


def test_saturation_keeps_scaled_bands_in_range():
    picture = asinh_rgb(np.full((3, 4, 4), 1e6), scales=[LEGACY_SCALES[band] for band in "grz"])
    assert (picture[..., 2] == 255).all()


def test_a_few_blank_pixels_become_sky(tmp_path):
    data = galaxy()
    data[:, :10] = np.nan
    picture = read_fits(tmp_path / "a.fits", data)
    assert (picture[:, :10] == SKY).all()
    assert picture[20, 25, 0] > 150


def test_blank_edges_do_not_hide_the_sky(tmp_path):
    whole = galaxy(60, 60)
    blank = np.full((80, 80), np.nan)
    blank[10:70, 10:70] = whole
    picture = read_fits(tmp_path / "a.fits", blank)
    np.testing.assert_array_equal(picture[10:70, 10:70], read_fits(tmp_path / "b.fits", whole))
    assert (picture[:10] == SKY).all()


def test_a_flat_image_is_sky():
    assert (asinh_rgb(np.full((1, 8, 8), 7.0)) == SKY).all()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.full((8, 8), np.nan), "100% of the pixels are blank"),
        (np.zeros((2, 3, 8, 8)), r"the image has shape \(2, 3, 8, 8\); expected \(H, W\) or"),
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


@pytest.mark.parametrize(("packed", "held"), [(False, 0), (True, 0), (True, 2**24)])
def test_a_file_cut_behind_its_image_is_an_error_too(tmp_path, monkeypatch, packed, held):
    monkeypatch.setattr("galfeat.data.readers.fits.file.HELD", held)
    units = [fits.PrimaryHDU(galaxy()), fits.ImageHDU(galaxy(), name="WHT")]
    fits.HDUList(units).writeto(tmp_path / "a.fits")
    content = (tmp_path / "a.fits").read_bytes()[:-6000]
    (tmp_path / "a.fits").write_bytes(gzip.compress(content) if packed else content)
    fits.PrimaryHDU(galaxy()).writeto(tmp_path / "b.fits")
    first, second = open_dataset([tmp_path / "a.fits", tmp_path / "b.fits"]).read([0, 1])
    assert "damaged or cut short (its last HDU is incomplete)" in str(first)
    assert second.shape == (40, 50, 3)


def test_pixels_without_exposure_in_single_bands_are_grey(tmp_path):
    flux = np.full((3, 40, 50), 0.01)  # nanomaggies: blue, as a band counts more the bluer it is
    flux[:2, 20:30] = 0
    header = fits.Header({"BANDS": "grz", "SURVEY": "DECaLS"})
    fits.PrimaryHDU(flux, header).writeto(tmp_path / "a.fits")
    (picture,) = open_dataset([tmp_path / "a.fits"]).read([0])
    colours = np.ptp(picture[::-1].astype(int), axis=2)
    assert not colours[20:30].any()
    assert colours[18:20].all()


def test_a_file_without_padding_is_whole(tmp_path):
    fits.PrimaryHDU(galaxy(37, 41)).writeto(tmp_path / "a.fits")
    content = (tmp_path / "a.fits").read_bytes()
    (tmp_path / "a.fits").write_bytes(content[: 2880 + 8 * 37 * 41])
    (found,) = open_dataset([tmp_path / "a.fits"]).read([0])
    assert found.shape == (37, 41, 3)


@pytest.mark.parametrize("name", ["grz_dr5_a", "example_a", "temp_small", "example_bad_pix"])
def test_real_cut_outs_of_the_legacy_surveys_have_their_sky(real_images, name):
    path = real_images / "fits" / "legacy" / f"{name}.fits"
    if not path.exists():
        pytest.skip("the folder of real images has no FITS files")
    (picture,) = open_dataset([path]).read([0])
    border = np.concatenate([picture[:8].reshape(-1, 3), picture[-8:].reshape(-1, 3)])
    assert (np.abs(np.median(border, axis=0) - 40) <= 11).all()
    assert np.ptp(picture.astype(int), axis=2).max() > 30
    without_exposure = name == "example_bad_pix"  # of the galaxy, in two bands
    assert (np.ptp(picture[205:220, 205:220].astype(int), axis=2) == 0).all() == without_exposure
    (cut,) = open_dataset([path.with_name("example_incomplete.fits")]).read([0])
    assert isinstance(cut, ImageError)


def test_without_astropy_the_extra_is_named(tmp_path, monkeypatch):
    fits.PrimaryHDU(galaxy()).writeto(tmp_path / "a.fits")
    monkeypatch.setitem(sys.modules, "astropy.io", None)
    with pytest.raises(MissingDependencyError, match=r"galfeat\[fits\]"):
        open_dataset([tmp_path / "a.fits"]).read([0])


def test_a_band_of_an_image_whose_band_has_no_name(tmp_path):
    fits.PrimaryHDU(np.ones((20, 24), "f4")).writeto(tmp_path / "a.fits")
    error = open_dataset(tmp_path / "a.fits", bands="r").read([0])[0]
    assert "no band r; it has one band without a name: omit --bands" in str(error)
