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
    assert done.stdout == f"1 rows in {output}\n"
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
    failed = galfeat(*arguments, "--band", "z", code=3)
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


@pytest.mark.parametrize("columns", ["x,y\n40,40\n5,5\n", "RA,Dec\n150.0,2.0\n150.5,2.0\n"])
def test_a_catalogue_of_positions(galfeat, folder, tmp_path, columns):
    catalogue, output = tmp_path / "c.csv", tmp_path / "out.csv"
    catalogue.write_text(columns)
    galfeat("measure", folder / "a.fits", "-o", output, "--no-sersic", "--catalogue", catalogue)
    found, missing = rows_of(output)
    assert float(found["centroid_x"]) == pytest.approx(40.0, abs=0.2)
    assert missing["flags"] == "no-source"


def test_a_missing_map_is_named(galfeat, folder, tmp_path):
    arguments = ("measure", folder / "a.fits", "-o", tmp_path / "o.csv", "--psf", "none.fits")
    assert "--psf none.fits: the file does not exist" in galfeat(*arguments, code=3).stderr


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
        "measure", folder / "a.fits", "-o", tmp_path / "o.csv", "--catalogue", catalogue, code=3
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
    ],
)
def test_wrong_options_are_usage_errors(galfeat, folder, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in galfeat("measure", folder / "a.fits", *arguments, code=2).output
