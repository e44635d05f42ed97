"""`galfeat measure` on small FITS files."""

import csv

import numpy as np
import pytest

fits = pytest.importorskip("astropy.io.fits", reason="FITS files")


def galaxy(seed=0, size=81, centre=(40.0, 40.0)):
    y, x = np.mgrid[:size, :size]
    light = 30.0 * np.exp(-np.hypot(x - centre[0], (y - centre[1]) / 0.7) / 4.0)
    noise = np.random.default_rng(seed).normal(0.0, 0.3, light.shape)
    return (light + noise).astype("f4"), (light > 1.0).astype("i4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("fits")
    image, labels = galaxy()
    primary = fits.PrimaryHDU(image)
    primary.header.update(
        {
            "BUNIT": "nanomaggy", "FILTER": "r", "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN",
            "CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": 41.0, "CRPIX2": 41.0,
            "CD1_1": -1e-4, "CD2_2": 1e-4,
        }
    )  # fmt: skip
    extra = [
        fits.ImageHDU(labels, name="SEG"),
        fits.ImageHDU(np.full(image.shape, 0.09, "f4"), name="VAR"),
    ]
    fits.HDUList([primary, *extra]).writeto(path / "a.fits")
    fits.PrimaryHDU(np.full(image.shape, 0.3, "f4")).writeto(path / "a_err.fits")
    fits.PrimaryHDU(np.stack([image, 2 * image])).writeto(path / "cube.fits")
    (path / "short.fits").write_bytes((path / "a.fits").read_bytes()[:9000])
    return path


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_units_come_from_the_header(galfeat, folder, tmp_path):
    output = tmp_path / "out.csv"
    done = galfeat("measure", folder / "a.fits", "-o", output)
    assert done.stdout == f"1 row in {output}\n"
    (row,) = rows_of(output)
    assert (row["band"], row["quality"], row["flags"]) == ("r", "0", "")
    assert float(row["r50_arcsec"]) == pytest.approx(0.36 * float(row["r50"]))
    expected = 22.5 - 2.5 * np.log10(float(row["flux_elliptical"]))
    assert float(row["magnitude"]) == pytest.approx(expected)
    assert float(row["ra"]) == pytest.approx(150.0, abs=1e-4)
    assert float(row["dec"]) == pytest.approx(2.0, abs=1e-4)
    assert float(row["sersic_index"]) == pytest.approx(1.0, abs=0.1)


def test_options_override_the_header(galfeat, folder, tmp_path):
    output = tmp_path / "out.csv"
    galfeat(
        "measure", folder / "a.fits", "-o", output, "--pixel-scale", 1, "--zero-point", 30,
        "--no-sersic",
    )  # fmt: skip
    (row,) = rows_of(output)
    assert float(row["r50_arcsec"]) == float(row["r50"])
    assert float(row["magnitude"]) == pytest.approx(
        30 - 2.5 * np.log10(float(row["flux_elliptical"]))
    )
    assert "sersic_index" not in row


@pytest.mark.parametrize("option", [("--variance", "VAR"), ("--sigma", "{}_err.fits")])
def test_maps_in_the_file_and_beside_it(galfeat, folder, tmp_path, option):
    output = tmp_path / "out.csv"
    galfeat("measure", folder / "a.fits", "-o", output, "--segmentation", "SEG", *option)
    (row,) = rows_of(output)
    assert row["label"] == "1"
    assert float(row["r50_error"]) > 0.0
    assert float(row["sersic_chi2"]) == pytest.approx(1.0, abs=0.1)


def test_planes_and_bands(galfeat, folder, tmp_path):
    output = tmp_path / "out.csv"
    arguments = ("measure", folder / "cube.fits", "-o", output, "--no-sersic", "--planes", "gr")
    galfeat(*arguments)
    one, two = rows_of(output)
    assert (one["band"], two["band"]) == ("g", "r")
    assert float(two["flux_circular"]) == pytest.approx(2 * float(one["flux_circular"]), rel=1e-3)
    assert float(two["gini"]) == pytest.approx(float(one["gini"]), rel=1e-4)
    galfeat(*arguments, "--band", "r")
    assert [row["band"] for row in rows_of(output)] == ["r"]
    failed = galfeat(*arguments, "--band", "z", code=4)
    assert "no band z; the file contains g, r" in failed.stderr


def test_a_damaged_file_is_a_row_with_an_error(galfeat, folder, tmp_path):
    output = tmp_path / "out.csv"
    done = galfeat(
        "measure", folder / "short.fits", folder / "a.fits", "-o", output, "--no-sersic", code=3
    )
    bad, good = rows_of(output)
    assert "cut short" in bad["error"]
    assert bad["gini"] == ""
    assert good["error"] == ""
    assert float(good["gini"]) > 0.3
    assert "cut short" in done.stderr


@pytest.mark.parametrize(
    ("columns", "flag", "told"),
    [
        ("x,y\n40,40\n5,5\n", "no-source", "1 of 2 rows have no source"),
        ("RA,Dec\n150.0,2.0\n150.5,2.0\n", "outside-image", "1 of 2 positions are outside"),
        ("RA;Dec\n150.0;2.0\n-30;2.0\n", "outside-image", "1 of 2 positions are outside"),
        ("x\ty\n40\t40\n82\t40\n", "outside-image", "1 of 2 positions are outside"),
    ],
)
def test_a_catalogue_of_positions(galfeat, folder, tmp_path, columns, flag, told):
    catalogue, output = tmp_path / "c.csv", tmp_path / "out.csv"
    catalogue.write_text(columns)
    done = galfeat(
        "measure", folder / "a.fits", "-o", output, "--no-sersic", "--catalogue", catalogue
    )
    assert told in done.stderr
    found, missing = rows_of(output)
    assert float(found["centroid_x"]) == pytest.approx(40.0, abs=0.2)
    assert (missing["flags"], missing["quality"], missing["label"]) == (flag, "4", "0")


def test_a_bad_row_of_a_catalogue_is_that_rows_error(galfeat, folder, tmp_path):
    catalogue, output = tmp_path / "c.csv", tmp_path / "out.csv"
    catalogue.write_text("objID;RAJ2000;DEJ2000\n7;;2.0\n8;150.0;2.0\n9;150.0;north\n10;150;91\n")
    done = galfeat(
        "measure", folder / "a.fits", "-o", output, "--no-sersic", "--catalogue", catalogue, code=3
    )
    rows = rows_of(output)
    assert [row["source"] for row in rows] == ["7", "8", "9", "10"]
    assert [row["quality"] for row in rows] == ["4", "0", "4", "4"]
    assert "RAJ2000 is missing" in rows[0]["error"]
    assert float(rows[1]["gini"]) > 0.3
    assert "DEJ2000 is 'north'" in rows[2]["error"]
    assert "DEJ2000 is '91'; expected 90 degrees at most" in rows[3]["error"]
    assert "a.fits, r, 9: DEJ2000 is 'north'" in done.stderr
    assert f"1 row in {output}" in done.stdout


def test_pixel_columns_serve_images_without_coordinates(galfeat, folder, tmp_path):
    catalogue, output = tmp_path / "c.csv", tmp_path / "out.csv"
    catalogue.write_text("name,ra,dec,x,y\nM 51,150.0,2.0,40,40\n")
    for name in ("a.fits", "cube.fits"):
        arguments = ("measure", folder / name, "-o", output, "--no-sersic")
        galfeat(*arguments, "--catalogue", catalogue)
        for row in rows_of(output):
            assert row["source"] == "M 51"
            assert float(row["centroid_x"]) == pytest.approx(40.0, abs=0.3)
    catalogue.write_text("ra,dec\n150.0,2.0\n")
    failed = galfeat(*arguments, "--catalogue", catalogue, code=4)
    assert "give columns x and y" in failed.stderr


def test_a_missing_map_is_named(galfeat, folder, tmp_path):
    arguments = ("measure", folder / "a.fits", "-o", tmp_path / "o.csv", "--psf", "none.fits")
    assert "--psf none.fits: the file does not exist" in galfeat(*arguments, code=4).stderr
    arguments = (*arguments[:4], "--segmentation", "{}_segmap.fits")
    expected = f"--segmentation {folder / 'a_segmap.fits'}: the file does not exist"
    assert expected in galfeat(*arguments, code=4).stderr


def test_the_table_does_not_depend_on_the_number_of_threads(galfeat, folder, tmp_path):
    files = [folder / "a.fits", folder / "cube.fits", folder / "short.fits"]
    for jobs in (1, 3):
        arguments = ("measure", *files, "--all", "--no-sersic", "--jobs", jobs)
        galfeat(*arguments, "-o", tmp_path / f"{jobs}.csv", code=3)
    assert (tmp_path / "1.csv").read_text() == (tmp_path / "3.csv").read_text()


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "x,y\n1,b\n"])
def test_a_catalogue_without_positions_is_an_error(galfeat, folder, tmp_path, text):
    catalogue = tmp_path / "c.csv"
    catalogue.write_text(text)
    failed = galfeat(
        "measure", folder / "a.fits", "-o", tmp_path / "o.csv", "--catalogue", catalogue, code=4
    )
    assert "expected" in failed.stderr


def test_tables_with_units(galfeat, folder, tmp_path):
    from astropy.table import Table

    arguments = ("measure", folder / "a.fits", "--no-sersic", "-o")
    for suffix in (".ecsv", ".fits"):
        galfeat(*arguments, tmp_path / f"out{suffix}")
        table = Table.read(tmp_path / f"out{suffix}")
        assert str(table["r50"].unit) == "pix"
        assert str(table["r50_arcsec"].unit) == "arcsec"
        assert table["gini"][0] > 0.3
    assert "Lotz" in Table.read(tmp_path / "out.ecsv")["gini"].description
    parquet = pytest.importorskip("pyarrow.parquet", reason="writes Parquet")
    galfeat(*arguments, tmp_path / "out.parquet")
    field = parquet.read_schema(tmp_path / "out.parquet").field("r50")
    assert field.metadata[b"unit"] == b"px"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "out.txt"], "unknown format"),
        (["-o", "out.csv", "--variance", "VAR", "--sigma", "VAR"], "give one of"),
        (["-o", "out.csv", "--all", "--catalogue", __file__], "excludes"),
        (["-o", "out.csv", "--pixel-scale", "-1"], "-1.0 is not in the range"),
        (["-o", "out.csv", "--pixel-scale", "0"], "0.0 is not in the range"),
        (["-o", "out.csv", "--zero-point", "inf"], "inf is not in the range"),
        (["-o", "out.csv", "--zero-point", "nan"], "nan is not a number"),
        (["-o", "out.csv", "--gain", "-3"], "-3.0 is not in the range"),
    ],
)
def test_wrong_options_are_usage_errors(galfeat, folder, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in galfeat("measure", folder / "a.fits", *arguments, code=2).output


def test_bands_in_hdus_of_their_own_are_all_measured(galfeat, tmp_path):
    image, labels = galaxy()
    units = [fits.PrimaryHDU()]
    units += [fits.ImageHDU(k * image, name=name) for k, name in enumerate("GRZ", start=1)]
    fits.HDUList([*units, fits.ImageHDU(labels, name="SEG")]).writeto(tmp_path / "a.fits")
    output = tmp_path / "out.csv"
    arguments = ("measure", tmp_path / "a.fits", "-o", output, "--no-sersic")
    done = galfeat(*arguments, "--segmentation", "SEG")
    rows = rows_of(output)
    assert [row["band"] for row in rows] == ["g", "r", "z"]
    fluxes = [float(row["flux_circular"]) for row in rows]
    assert fluxes == pytest.approx([fluxes[0], 2 * fluxes[0], 3 * fluxes[0]], rel=1e-3)
    assert done.stderr == ""
    galfeat(*arguments, "--band", "R")
    assert [row["band"] for row in rows_of(output)] == ["r"]
    galfeat(*arguments, "--hdu", "3")
    (row,) = rows_of(output)
    assert float(row["flux_circular"]) == pytest.approx(fluxes[2], rel=0.05)


def test_other_science_images_are_named_on_stderr(galfeat, tmp_path):
    image, _ = galaxy()
    units = [fits.PrimaryHDU(), *(fits.ImageHDU(image, name="SCI", ver=k) for k in (1, 2))]
    for name in ("a.fits", "b.fits"):
        fits.HDUList(units).writeto(tmp_path / name)
    output = tmp_path / "out.csv"
    done = galfeat("measure", tmp_path, "-o", output, "--no-sersic")
    assert len(rows_of(output)) == 2
    assert "a.fits (and 1 more like it): only HDU 1 (SCI) is measured, not 2 (SCI)" in done.stderr
    done = galfeat("measure", tmp_path / "a.fits", "-o", output, "--no-sersic", "--hdu", "2")
    assert done.stderr == ""


def test_a_band_that_fails_is_a_row_and_the_others_are_measured(galfeat, tmp_path):
    image, labels = galaxy()
    units = [fits.PrimaryHDU(), fits.ImageHDU(image, name="G"), fits.ImageHDU(image[:-2], name="R")]
    fits.HDUList([*units, fits.ImageHDU(labels, name="SEG")]).writeto(tmp_path / "a.fits")
    output = tmp_path / "out.csv"
    arguments = ("measure", tmp_path / "a.fits", "-o", output, "--no-sersic")
    galfeat(*arguments, "--segmentation", "SEG", code=3)
    good, bad = rows_of(output)
    assert (good["band"], good["error"], good["quality"]) == ("g", "", "0")
    assert (bad["band"], bad["quality"]) == ("r", "4")
    assert "the segmentation has shape" in bad["error"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--mask", "SCI"), "--mask SCI: no value is 0"),
        (("--sigma", "NEG"), "--sigma NEG: no value is positive"),
        (("--variance", "NEG"), "--variance NEG: no value is positive"),
        (("--weight", "NEG"), "--weight NEG: no value is positive"),
    ],
)
def test_a_map_that_hides_all_pixels_is_an_error_that_names_it(galfeat, tmp_path, option, message):
    image, _ = galaxy()
    units = [fits.PrimaryHDU(), fits.ImageHDU(image, name="SCI")]
    units.append(fits.ImageHDU(-np.ones(image.shape, "f4"), name="NEG"))
    fits.HDUList(units).writeto(tmp_path / "a.fits")
    failed = galfeat("measure", tmp_path / "a.fits", "-o", tmp_path / "o.csv", *option, code=4)
    assert message in failed.stderr
    assert not (tmp_path / "o.csv").exists()


def test_if_nothing_is_measured_an_earlier_table_is_kept(galfeat, folder, tmp_path):
    output = tmp_path / "out.csv"
    output.write_text("earlier")
    failed = galfeat("measure", folder / "short.fits", "none.fits", "-o", output, code=4)
    assert "none of the 2 images can be read; the first: " in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
    assert output.read_text() == "earlier"


def test_folders_are_opened_and_other_files_named(galfeat, folder, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.fits").write_bytes((folder / "a.fits").read_bytes())
    (tmp_path / "in" / "a_err.fits").write_bytes((folder / "a_err.fits").read_bytes())
    (tmp_path / "in" / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    for _ in range(2):  # the table of the first run is no image
        galfeat("measure", tmp_path / "in", "-o", tmp_path / "in" / "out.fits", "--no-sersic")
    (tmp_path / "in" / "out.fits").unlink()
    output = tmp_path / "out.csv"
    done = galfeat("measure", tmp_path / "in", "-o", output, "--no-sersic")
    assert [row["id"] for row in rows_of(output)] == [str(tmp_path / "in" / "a.fits")]
    assert "skipped 1 .jpg and 1 _err.fits files" in done.stderr
    failed = galfeat("measure", tmp_path / "in" / "b.jpg", "-o", output, code=4)
    assert "the file is a JPEG image; expected a FITS file" in failed.stderr
    (tmp_path / "in" / "a.fits").unlink()
    failed = galfeat("measure", tmp_path / "in", "-o", output, code=4)
    assert "contains no FITS images" in failed.stderr
    assert len(rows_of(output)) == 1


def test_a_band_of_an_image_without_bands_is_an_error_with_advice(galfeat, folder, tmp_path):
    image, _ = galaxy()
    fits.PrimaryHDU(image).writeto(tmp_path / "a.fits")
    arguments = ("measure", tmp_path / "a.fits", "-o", tmp_path / "o.csv", "--band", "r")
    assert (
        "the file contains one band without a name: omit --band"
        in galfeat(*arguments, code=4).stderr
    )
    fits.BinTableHDU.from_columns([fits.Column("a", "D", array=[1.0])]).writeto(tmp_path / "t.fits")
    failed = galfeat("measure", tmp_path / "t.fits", "-o", tmp_path / "o.csv", code=4)
    assert "no HDU contains an image" in failed.stderr
