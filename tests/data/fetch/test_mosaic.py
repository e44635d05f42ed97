"""Cut-outs from FITS mosaics with world coordinates."""

import csv
import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from galfeat.cli import main
from galfeat.data import open_dataset
from galfeat.data.fetch import cut_mosaic, read_positions
from galfeat.errors import DataError

fits = pytest.importorskip("astropy.io.fits")
WCS = pytest.importorskip("astropy.wcs").WCS

CENTRE = (150.0, 2.0)
SCALE = 0.262 / 3600


def make_header(shape=(300, 400), **cards):
    header = fits.Header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
    header["CRVAL1"], header["CRVAL2"] = CENTRE
    header["CRPIX1"], header["CRPIX2"] = shape[1] / 2, shape[0] / 2
    # Turned by 20°, so that neither axis is north.
    cosine, sine = SCALE * np.cos(np.radians(20)), SCALE * np.sin(np.radians(20))
    header["CD1_1"], header["CD1_2"], header["CD2_1"], header["CD2_2"] = -cosine, sine, sine, cosine
    for name, value in cards.items():
        header[name] = value
    return header


def make_sky(shape=(300, 400), seed=0):
    return np.random.default_rng(seed).normal(5, 1, shape).astype(np.float32)


@pytest.fixture
def field(tmp_path):
    """One band, with sources of one pixel at known places."""
    header, data = make_header(BUNIT="nanomaggy", FILTER="r", OBSERVER="someone"), make_sky()
    places = {"a": (200, 150), "b": (90, 120), "edge": (10, 150), "corner": (3, 4)}
    for number, (x, y) in enumerate(places.values()):
        data[y, x] = 1000 + number
    fits.PrimaryHDU(data, header).writeto(tmp_path / "field.fits")
    wcs = WCS(header)
    positions = {name: wcs.all_pix2world(x, y, 0) for name, (x, y) in places.items()}
    positions["away"] = (151.0, 2.0)
    positions["antipode"] = (330.0, -2.0)
    with (tmp_path / "mine.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["id", "ra", "dec", "class"])
        for name, (ra, dec) in positions.items():
            table.writerow([name, float(ra), float(dec), "disc"])
    return tmp_path


def test_pixels_keep_their_values_and_the_position_its_place(field):
    galaxies = read_positions(field / "mine.csv")
    failures = cut_mosaic([field / "field.fits"], galaxies, field / "out", size=64)
    assert failures == {
        "edge": "34% of its pixels in field.fits are blank; at most 20% may be",
        "corner": "69% of its pixels in field.fits are blank; at most 20% may be",
        "away": "it is outside field.fits",
        "antipode": "it is outside field.fits",
    }
    whole = fits.getdata(field / "field.fits")
    with fits.open(field / "out" / "images" / "b.fits") as units:
        data, header = units[0].data, units[0].header
    assert data.dtype == np.dtype(">f4")
    np.testing.assert_array_equal(data, whole[120 - 32 : 120 + 32, 90 - 32 : 90 + 32])
    assert data[32, 32] == 1001
    row = galaxies.names.index("b")
    assert WCS(header).all_world2pix(galaxies.ra[row], galaxies.dec[row], 0) == pytest.approx(
        [32, 32], abs=1e-3
    )
    assert (header["BUNIT"], header["OBSERVER"]) == ("nanomaggy", "someone")
    assert "field.fits" in str(header["HISTORY"])


@pytest.mark.parametrize("size", [8, 33, 64])
def test_sky_positions_of_all_pixels_are_unchanged(field, size):
    cut_mosaic([field / "field.fits"], read_positions(field / "mine.csv"), field / "out", size=size)
    header = fits.getheader(field / "out" / "images" / "a.fits")
    assert (header["NAXIS1"], header["NAXIS2"]) == (size, size)
    y, x = np.mgrid[:size, :size]
    left, bottom = 200 - size // 2, 150 - size // 2
    expected = WCS(make_header()).all_pix2world(x + left, y + bottom, 0)
    np.testing.assert_allclose(WCS(header).all_pix2world(x, y, 0), expected, rtol=0, atol=1e-9)


def test_beyond_the_edge_is_blank_if_that_is_allowed(field):
    galaxies = read_positions(field / "mine.csv")
    failures = cut_mosaic([field / "field.fits"], galaxies, field / "out", size=64, max_blank=0.75)
    assert list(failures) == ["away", "antipode"]
    data = fits.getdata(field / "out" / "images" / "corner.fits")
    assert data[32, 32] == 1003
    assert np.isnan(data[:, :29]).all()
    assert np.isnan(data[:28]).all()
    assert np.isfinite(data[28:, 29:]).all()


def test_the_folder_is_a_data_set(field):
    cut_mosaic([field / "field.fits"], read_positions(field / "mine.csv"), field / "out", size=64)
    data = open_dataset(field / "out")
    assert data.ids.tolist() == ["images/a.fits", "images/b.fits"]
    assert data.class_names == ("disc",)
    assert {image.shape for image in data.read([0, 1])} == {(64, 64, 3)}


@pytest.mark.parametrize("blank", [np.nan, np.inf, 0.0])
def test_blank_regions_are_reported(field, blank):
    path = field / "field.fits"
    with fits.open(path, mode="update", memmap=False) as units:
        units[0].data[:, 200:] = blank
    failures = cut_mosaic([path], read_positions(field / "mine.csv"), field / "out", size=64)
    assert "50% of its pixels in field.fits are blank" in failures["a"]
    assert "b" not in failures


def test_a_constant_cutout_is_reported(field):
    path = field / "field.fits"
    with fits.open(path, mode="update", memmap=False) as units:
        units[0].data[50:250, 100:300] = 7
    failures = cut_mosaic([path], read_positions(field / "mine.csv"), field / "out", size=64)
    assert failures["a"] == "all of its pixels in field.fits have the same value"


def test_bands_in_several_files_and_in_planes_give_the_same(field):
    galaxies = read_positions(field / "mine.csv")
    bands = {letter: make_sky(seed=number) for number, letter in enumerate("grz")}
    for letter, data in bands.items():
        header = make_header(FILTER=letter, SURVEY="LegacySurvey")
        fits.PrimaryHDU(data, header).writeto(field / f"{letter}.fits")
    cube = np.stack(list(bands.values()))
    header = make_header(BANDS="grz", SURVEY="LegacySurvey")
    fits.PrimaryHDU(cube, header).writeto(field / "cube.fits")
    cut_mosaic([field / f"{letter}.fits" for letter in "grz"], galaxies, field / "one", size=64)
    cut_mosaic([field / "cube.fits"], galaxies, field / "two", size=64, display="png")
    one, two = (field / name / "images" / "a.fits" for name in ("one", "two"))
    np.testing.assert_array_equal(fits.getdata(one), fits.getdata(two))
    assert fits.getdata(one).shape == (3, 64, 64)
    assert fits.getheader(one)["BANDS"] == fits.getheader(two)["BANDS"] == "grz"
    np.testing.assert_array_equal(fits.getdata(one)[2], bands["z"][118:182, 168:232])
    with Image.open(field / "two" / "display" / "a.png") as picture:
        shown = np.asarray(picture)
    np.testing.assert_array_equal(shown, open_dataset(field / "two").read([0])[0])


def test_bands_shifted_by_whole_pixels_are_aligned(field):
    data = make_sky()
    fits.PrimaryHDU(data, make_header(FILTER="r")).writeto(field / "r.fits")
    shifted = make_header(FILTER="g")
    shifted["CRPIX1"] -= 20
    fits.PrimaryHDU(data[:, 20:], shifted).writeto(field / "g.fits")
    galaxies = read_positions(field / "mine.csv")
    cut_mosaic([field / "g.fits", field / "r.fits"], galaxies, field / "out", size=64)
    g, r = fits.getdata(field / "out" / "images" / "b.fits")
    np.testing.assert_array_equal(g, r)


def test_compressed_and_scaled_images_keep_their_flux(field):
    data, galaxies = make_sky(), read_positions(field / "mine.csv")
    unit = fits.CompImageHDU(data, make_header(), compression_type="GZIP_2", quantize_level=0)
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(field / "field.fits.fz")
    counts = fits.PrimaryHDU(np.arange(120000, dtype=np.int32).reshape(300, 400), make_header())
    counts.scale("int32", bzero=10, bscale=0.5)
    counts.writeto(field / "scaled.fits")
    cut_mosaic([field / "field.fits.fz"], galaxies, field / "one", size=64)
    cut_mosaic([field / "scaled.fits"], galaxies, field / "two", size=64)
    window = (slice(118, 182), slice(168, 232))
    np.testing.assert_array_equal(fits.getdata(field / "one/images/a.fits"), data[window])
    np.testing.assert_array_equal(
        fits.getdata(field / "two/images/a.fits"), fits.getdata(field / "scaled.fits")[window]
    )


def test_bands_on_different_grids_are_an_error(field):
    header = make_header()
    header["CRPIX1"] += 0.4
    fits.PrimaryHDU(make_sky(), header).writeto(field / "other.fits")
    paths = [field / "field.fits", field / "other.fits"]
    with pytest.raises(DataError, match="are on different pixel grids; resample"):
        cut_mosaic(paths, read_positions(field / "mine.csv"), field / "out", size=64)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 7}, "the size is 7 pixels; expected 8 to 4096"),
        ({"max_blank": 1.0}, "expected 0 to below 1"),
        ({"mosaics": []}, "no mosaic was given"),
        ({"mosaics": ["none.fits"]}, "is not a file"),
        ({"mosaics": ["mine.csv"]}, "cannot be read as a FITS image"),
        ({"mosaics": ["plain.fits"]}, "has no celestial world coordinates"),
        ({"mosaics": ["table.fits"]}, "contains no image"),
        ({"mosaics": ["deep.fits"]}, r"an image of shape \(2, 2, 30, 40\)"),
        ({"mosaics": ["pair.fits"], "display": "png"}, "has 2 bands; a display image takes 1 or 3"),
        ({"mosaics": ["far.fits"]}, "none of the 6 positions could be cut out of far.fits"),
    ],
)
def test_unusable_mosaics_are_errors(field, options, message, monkeypatch):
    monkeypatch.chdir(field)
    fits.PrimaryHDU(make_sky()).writeto("plain.fits")
    fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])]).writeto("table.fits")
    fits.PrimaryHDU(np.zeros((2, 2, 30, 40)), make_header()).writeto("deep.fits")
    fits.PrimaryHDU(np.stack([make_sky()] * 2), make_header()).writeto("pair.fits")
    fits.PrimaryHDU(make_sky(), make_header(CRVAL1=10.0)).writeto("far.fits")
    arguments = {"mosaics": ["field.fits"], "size": 64, **options}
    with pytest.raises(DataError, match=message):
        cut_mosaic(catalogue=read_positions("mine.csv"), folder="out", **arguments)


def test_distortion_is_used_only_where_the_projection_has_it(field, capfd):
    galaxies, sip = read_positions(field / "mine.csv"), {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-4}
    names = {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"}
    fits.PrimaryHDU(make_sky(), make_header(**sip)).writeto(field / "drizzled.fits")
    fits.PrimaryHDU(make_sky(), make_header(**sip, **names)).writeto(field / "exposure.fits")
    row = galaxies.names.index("b")
    for name, expected in (("drizzled", make_header()), ("exposure", make_header(**sip, **names))):
        cut_mosaic([field / f"{name}.fits"], galaxies, field / name, size=64)
        header = fits.getheader(field / name / "images" / "b.fits")
        x, y = WCS(header).all_world2pix(galaxies.ra[row], galaxies.dec[row], 0)
        assert max(abs(x - 32), abs(y - 32)) <= 0.51
        whole = WCS(expected).all_world2pix(galaxies.ra[row], galaxies.dec[row], 0)
        assert np.round(whole) == pytest.approx(np.array(whole) - [x, y] + 32, abs=0.51)
    assert capfd.readouterr().err == ""


def test_a_file_cut_short_is_an_error(field):
    path = field / "field.fits"
    path.write_bytes(path.read_bytes()[:200_000])
    with pytest.raises(DataError, match=r"field.fits cannot be read"):
        cut_mosaic([path], read_positions(field / "mine.csv"), field / "out", size=64)


def test_the_command(field):
    arguments = ["data", "fetch", "cutouts", field / "mine.csv", "--from", field / "field.fits"]
    arguments += ["--size", 64, "--display", "jpg", "-o", field / "out"]
    for _ in range(2):  # again into the same folder
        result = CliRunner().invoke(main, list(map(str, arguments)))
        assert result.exit_code == 3, result.output
        assert result.stdout == f"{field / 'out'}\n"
        assert "left out: away: it is outside field.fits\n" in result.stderr
    assert sorted(path.name for path in (field / "out").iterdir()) == [
        "ATTRIBUTION.txt", "display", "images", "labels.csv",
    ]  # fmt: skip
    with (field / "out" / "labels.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["display"] for row in rows] == ["display/a.jpg", "display/b.jpg"]
    other = [*arguments[:6], "--size", 32, "-o", field / "out"]
    result = CliRunner().invoke(main, list(map(str, other)))
    assert result.exit_code == 7
    assert "holds other things" in result.stderr


# Real images


def quiet_wcs(header):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cards that astropy corrects
        return WCS(header).celestial


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("candels/GDS_deep2_10673_h.fits", (40, 40)),
        ("hst/abell_2744_spiral_galaxy_f105w.fits.gz", (40, 40)),
        ("legacy/example_a.fits", (3, 40, 40)),
    ],
)
def test_real_images_keep_flux_and_positions(real_images, tmp_path, name, shape, capfd):
    path = real_images / "fits" / name
    with fits.open(path) as units:
        unit = next(unit for unit in units if unit.is_image and unit.header["NAXIS"] >= 2)
        whole, header = unit.data, unit.header.copy()
    for card in ("A_ORDER", "B_ORDER", "AP_ORDER", "BP_ORDER"):
        header.remove(card, ignore_missing=True)
    wcs = quiet_wcs(header)
    height, width = whole.shape[-2:]
    ra, dec = wcs.all_pix2world(width // 2, height // 2, 0)
    (tmp_path / "t.csv").write_text(f"id,ra,dec\na,{ra},{dec}\n")
    galaxies = read_positions(tmp_path / "t.csv")
    cut_mosaic([path], galaxies, tmp_path / "out", size=40, display="png")
    cut = tmp_path / "out" / "images" / "a.fits"
    rows, columns = (slice(side // 2 - 20, side // 2 + 20) for side in (height, width))
    np.testing.assert_array_equal(fits.getdata(cut), whole[..., rows, columns])
    assert fits.getdata(cut).shape == shape
    found = quiet_wcs(fits.getheader(cut)).all_world2pix(ra, dec, 0)
    assert found == pytest.approx([20, 20], abs=1e-3)
    assert len(open_dataset(tmp_path / "out").read([0])) == 1
    assert "WCS" not in capfd.readouterr().err


def test_a_real_image_cut_short_is_an_error(real_images, tmp_path):
    path = real_images / "fits" / "legacy" / "example_incomplete.fits"
    (tmp_path / "t.csv").write_text("ra,dec\n18.06623,-6.05177\n")
    with pytest.raises(DataError, match="cannot be read"):
        cut_mosaic([path], read_positions(tmp_path / "t.csv"), tmp_path / "out", size=40)
