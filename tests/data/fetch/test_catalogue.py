"""Cut-outs at the positions of a catalogue: tables of all kinds, and a local server."""

import csv
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from galfeat.cli import main
from galfeat.data import open_dataset
from galfeat.data.catalogue import read_fractions, read_table
from galfeat.data.fetch import read_positions, survey_cutouts
from galfeat.data.fetch.catalogue import POSITION_COLUMNS, file_names
from galfeat.data.fetch.survey_requests import survey_names
from galfeat.errors import DataError

ROOT = Path(__file__).resolve().parents[3]

GALAXIES = {
    "id": ["M 51", "NGC 4565", "M 87", "M 101"],
    "RA": ["202.4696", "189.0866", "187.7059", "210.8023"],
    "Dec": ["47.1952", "25.9877", "12.3911", "54.3489"],
    "class": ["spiral", "edge-on", "smooth", "spiral"],
    "comment": ["a", "b", "c", "d"],
}


def fetch(*arguments, code=0):
    result = CliRunner().invoke(main, ["data", "fetch", "cutouts", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def write(path, columns):
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(columns)
        table.writerows(zip(*columns.values(), strict=True))
    return path


@pytest.fixture
def mine(tmp_path):
    return write(tmp_path / "mine.csv", GALAXIES)


# Positions


@pytest.mark.parametrize("names", POSITION_COLUMNS)
@pytest.mark.parametrize("change", [str, str.upper, str.title])
def test_usual_names_of_columns_are_known(tmp_path, names, change):
    ra, dec = map(change, names)
    table = write(tmp_path / "t.csv", {"x": [1], dec: [47.25], ra: [202.5]})
    found = read_positions(table)
    assert (found.ra.tolist(), found.dec.tolist()) == ([202.5], [47.25])


@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        ("13:29:52.70", "+47:11:42.7"),
        ("13h29m52.7s", "47d11m42.7s"),
        ("13 29 52.7", "+47 11 42.7"),
        ("202.4695833", "47.1951944"),
    ],
)
def test_sexagesimal_positions(tmp_path, ra, dec):
    pytest.importorskip("astropy")
    table = write(tmp_path / "t.csv", {"RAJ2000": [ra, ra], "DEJ2000": [dec, "-" + dec.strip("+")]})
    found = read_positions(table)
    assert found.ra == pytest.approx([202.4695833] * 2, abs=1e-6)
    assert found.dec == pytest.approx([47.1951944, -47.1951944], abs=1e-6)


def test_a_small_negative_declination_keeps_its_sign(tmp_path):
    pytest.importorskip("astropy")
    table = write(tmp_path / "t.csv", {"ra": ["0:0:1"], "dec": ["-00:00:36"]})
    assert read_positions(table).dec == pytest.approx([-0.01])


def test_negative_right_ascensions_are_wrapped(tmp_path):
    table = write(tmp_path / "t.csv", {"ra": [-10], "dec": [1]})
    assert read_positions(table).ra.tolist() == [350]


@pytest.mark.parametrize(
    ("ra", "dec", "reason"),
    [
        ("", "1", "ra is missing"),
        ("nan", "1", "ra is missing"),
        ("unknown", "1", "ra is missing or not an angle"),
        ("361", "1", "ra is 361; expected 0 to 360"),
        ("1", "-90.5", "dec is -90.5; expected -90 to 90"),
        ("1", "inf", "dec is inf"),
        ("1", "99:99:99", "dec is missing or not an angle"),
    ],
)
def test_rows_without_a_valid_position_are_left_out(tmp_path, ra, dec, reason):
    pytest.importorskip("astropy")
    table = write(tmp_path / "t.csv", {"name": ["good", "bad"], "ra": [2, ra], "dec": [3, dec]})
    found = read_positions(table)
    assert found.ids == ["good"]
    assert list(found.invalid) == ["bad"]
    assert reason in found.invalid["bad"]
    table = write(tmp_path / "t.csv", {"name": ["bad"], "ra": [ra], "dec": [dec]})
    with pytest.raises(DataError, match="has no valid position"):
        read_positions(table)


def test_labels_are_kept_and_other_columns_are_not(mine):
    found = read_positions(mine)
    assert found.cells[1] == {
        "id": "NGC 4565", "ra": "189.0866000", "dec": "25.9877000", "class": "edge-on",
    }  # fmt: skip
    assert read_positions(mine, label="comment").cells[1]["comment"] == "b"
    assert read_positions(mine, id_column="comment").names == ["a", "b", "c", "d"]


def test_other_formats_give_the_same_positions(mine, tmp_path):
    expected = read_positions(mine)
    numbers = {
        name: np.array(values, float) if name in ("RA", "Dec") else np.array(values)
        for name, values in GALAXIES.items()
    }
    table = pytest.importorskip("astropy.table").Table(numbers)
    for kind, name in (("fits", "t.fits"), ("votable", "t.vot"), ("ascii.ecsv", "t.ecsv")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table.write(tmp_path / name, format=kind)
        assert read_positions(tmp_path / name).cells == expected.cells
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table(numbers), tmp_path / "t.parquet")
    assert read_positions(tmp_path / "t.parquet").cells == expected.cells


def test_long_numbers_keep_their_digits(tmp_path):
    numbers = [587722981741363294, 587722981741363295]
    table = pytest.importorskip("astropy.table").Table(
        {"objID": numbers, "ra": [1.0, 2.0], "dec": [3.0, 4.0]}
    )
    table.write(tmp_path / "t.fits")
    assert read_positions(tmp_path / "t.fits").names == list(map(str, numbers))


def test_names_of_files_are_safe_and_distinct():
    hostile = [
        "../../etc/passwd",
        "",
        ".hidden",
        "a/b",
        "a\\b",
        "A_B",
        "x" * 300,
        "ü",
        "a-2",
        "a",
        "a",
    ]
    names = file_names(hostile)
    assert len({name.lower() for name in names}) == len(hostile)
    assert all(name and "/" not in name and "\\" not in name for name in names)
    assert all(not name.startswith(".") and len(name) <= 110 for name in names)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a"], "class": ["b"]}, r"no columns of positions such as 'ra' and 'dec'"),
        ({"ra": [1]}, r"no columns of positions"),
        ({"ra": [], "dec": []}, "has no rows"),
    ],
)
def test_tables_without_positions_are_errors(tmp_path, columns, message):
    with pytest.raises(DataError, match=message):
        read_positions(write(tmp_path / "t.csv", columns))


def test_columns_that_do_not_exist_are_errors(mine):
    with pytest.raises(DataError, match="no column 'objid'; its columns are id, RA"):
        read_positions(mine, id_column="objid")


# Fetching


@pytest.mark.parametrize(
    ("survey", "path", "query"),
    [
        ("legacy-dr10", "VIEWER", {"layer": "ls-dr10", "pixscale": "0.262", "size": "256"}),
        ("legacy-dr9", "VIEWER", {"layer": "ls-dr9", "pixscale": "0.262", "size": "256"}),
        ("sdss", "CUTOUT", {"scale": "0.396", "width": "256", "height": "256"}),
    ],
)
def test_requests_and_the_folder(surveys, mine, tmp_path, survey, path, query):
    folder = tmp_path / "galaxies"
    with surveys() as service:
        result = fetch(mine, "--survey", survey, "--url", service.url, "-o", folder)
    assert result.stdout == f"{folder}\n"
    assert result.stderr == ""
    assert service.asked[0][0] == getattr(service, path)
    assert service.asked[0][1] == {"ra": "202.469600", "dec": "47.195200", **query}
    data = open_dataset(folder)
    assert data.class_names == ("edge-on", "smooth", "spiral")
    assert data.ids.tolist() == [
        f"images/{name}.jpg" for name in ("M_51", "NGC_4565", "M_87", "M_101")
    ]
    assert data.ra.tolist() == [202.4696, 189.0866, 187.7059, 210.8023]
    table = read_table(folder / "labels.csv")
    assert list(table) == ["filename", "id", "ra", "dec", "class", "survey"]
    assert table["id"].tolist() == GALAXIES["id"]
    credit = (folder / "ATTRIBUTION.txt").read_text()
    assert ("Sloan" if survey == "sdss" else "Dey et al. 2019") in credit


def test_size_scale_and_limit(surveys, mine, tmp_path):
    folder = tmp_path / "galaxies"
    options = ("--size", 64, "--pixel-scale", 0.5, "--limit", 2)
    with surveys() as service:
        fetch(mine, "--survey", "legacy-dr10", "--url", service.url, "-o", folder, *options)
        assert [query["pixscale"] for _, query, _ in service.asked] == ["0.5", "0.5"]
        assert {image.shape for image in open_dataset(folder).read([0, 1])} == {(64, 64, 3)}
        # More of the same catalogue goes to the same folder, another size does not.
        options = ("--size", 64, "--pixel-scale", 0.5)
        fetch(mine, "--survey", "legacy-dr10", "--url", service.url, "-o", folder, *options)
        assert len(service.asked) == 4
        result = fetch(mine, "--survey", "legacy-dr10", "--url", service.url, "-o", folder, code=7)
        assert "holds other things" in result.stderr
        assert len(service.asked) == 4


def test_another_galaxy_of_the_same_name_is_an_error(surveys, mine, tmp_path):
    folder = tmp_path / "galaxies"
    with surveys() as service:
        arguments = ("--survey", "sdss", "--url", service.url, "-o", folder)
        fetch(mine, *arguments)
        other = write(tmp_path / "other.csv", {**GALAXIES, "RA": [1, 2, 3, 4]})
        result = fetch(other, *arguments, code=7)
        assert "has another galaxy 'M_51'" in result.stderr
        assert len(service.asked) == 4


@pytest.mark.parametrize("fault", [503, "page", "cut_short", "half_a_file"])
def test_temporary_failures_are_retried(surveys, mine, tmp_path, fault):
    folder = tmp_path / "galaxies"
    with surveys({1: [fault, fault, "good"]}) as service:
        fetch(mine, "--survey", "legacy-dr9", "--url", service.url, "-o", folder)
    assert len(service.asked) == 6


def test_galaxies_that_cannot_be_fetched_are_named(surveys, mine, tmp_path):
    folder = tmp_path / "galaxies"
    broken = {name: [*values, "" if name != "id" else "lost"] for name, values in GALAXIES.items()}
    with surveys({1: ["blank"], 2: [404]}) as service:
        result = fetch(
            write(mine, broken), "--survey", "sdss", "--url", service.url, "-o", folder, code=3
        )
    assert result.stderr == (
        "left out: lost: ra is missing or not an angle\n"
        "left out: NGC_4565: the image is blank; the survey does not cover this position\n"
        "left out: M_87: the server returned 404 Not Found\n"
    )
    assert open_dataset(folder).labels.tolist() == [0, 0]


def test_a_killed_run_is_resumed(surveys, tmp_path):
    many = {"id": list(range(12)), "ra": list(range(12)), "dec": list(range(12))}
    table, folder = write(tmp_path / "many.csv", many), tmp_path / "galaxies"
    arguments = ["data", "fetch", "cutouts", str(table), "--survey", "sdss", "-o", str(folder)]
    service = surveys()
    service.faults = {7: ["stall"]}
    with service:
        code = (
            "import sys; from galfeat.data.fetch import cutouts; cutouts.PAUSE = 0.0; "
            "from galfeat.cli import main; main(sys.argv[1:])"
        )
        command = [sys.executable, "-c", code, *arguments, "--url", service.url]
        with subprocess.Popen(command, cwd=ROOT) as run:
            stalled = service.stalled.wait(60)
            run.kill()
        assert stalled
    assert not (folder / "labels.csv").exists()
    # The address is part of what identifies an image, so resume with the same server.
    addresses = (folder / "addresses.csv").read_text()
    with surveys() as again:
        (folder / "addresses.csv").write_text(addresses.replace(service.url, again.url))
        fetch(table, "--survey", "sdss", "--url", again.url, "-o", folder)
        assert len(again.asked) == 5
    assert len(open_dataset(folder)) == 12


def test_soft_labels_of_a_catalogue_are_kept(surveys, tmp_path):
    columns = {"id": ["a"], "ra": [1], "dec": [2], "p_disc": [0.25], "p_smooth": [0.75]}
    table, folder = write(tmp_path / "t.csv", columns), tmp_path / "galaxies"
    with surveys() as service:
        fetch(table, "--survey", "sdss", "--url", service.url, "-o", folder)
    columns = read_table(folder / "labels.csv")
    assert read_fractions(columns, columns.__getitem__).fractions.tolist() == [[0.25, 0.75]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--survey", "sdss"], "no catalogue given"),
        (["t.csv"], "give either --survey"),
        (["t.csv", "--survey", "sdss", "--from", "m.fits"], "give either --survey"),
        (["t.csv", "--survey", "sdss", "--display", "png"], "--display is used only with --from"),
        (["t.csv", "--from", "m.fits", "--pixel-scale", "1"], "only with --survey"),
        (["t.csv", "--survey", "sdss", "--sha256", "0" * 64], "omit --sha256"),
    ],
)
def test_invalid_arguments_are_usage_errors(arguments, message):
    assert message in fetch(*arguments, code=2).stderr


def test_options_of_cutouts_are_errors_elsewhere():
    result = CliRunner().invoke(main, ["data", "fetch", "samples", "--survey", "sdss"])
    assert result.exit_code == 2
    assert "--survey is used only with cutouts" in result.stderr


def test_sizes_out_of_range_are_errors(mine):
    galaxies = read_positions(mine)
    for survey, size in (("legacy-dr10", 513), ("sdss", 2049), ("sdss", 15)):
        with pytest.raises(DataError, match=f"the size is {size} pixels"):
            survey_cutouts(galaxies, survey, size=size)
    with pytest.raises(DataError, match=r"expected 0\.05 to 60 arcsec"):
        survey_cutouts(galaxies, "sdss", pixel_scale=100)
    with pytest.raises(DataError, match="choose one of legacy-dr10"):
        survey_cutouts(galaxies, "2mass")
    assert survey_names() == ["legacy-dr10", "legacy-dr9", "sdss"]
