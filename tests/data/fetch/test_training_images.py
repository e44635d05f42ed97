"""Training images of a model, from a local mock server."""

import csv
import os

import pytest
from click.testing import CliRunner

from galfeat.cli import main
from galfeat.data import open_dataset
from galfeat.data.fetch import cutouts
from galfeat.data.fetch.surveys import BATCH, named_position
from galfeat.data.readers.folder import TRAINING_FILE
from galfeat.errors import FetchError, OutputError

OBJECTS = {
    "587732471456006354": "123.5,45.25,12.5",
    "587735666916458682": "200.0,1.5,8.0",
}
NAMED = "J160345.60+094222.1"
LIST = f"""object,survey,class_name,coarse,label_source
587732471456006354,SDSS,,smooth,gz1
587735666916458682,SDSS,Merging,merger,gz2-votes
{NAMED},DECaLS,Edge-on with Bulge,edge-on,galaxy10
"""


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / TRAINING_FILE).write_text(LIST)
    return folder


def fetch_training(service, source, folder):
    arguments = ["data", "fetch", "training", source, "--url", service.url, "-o", folder]
    return CliRunner().invoke(main, [*map(str, arguments)])


def table_of(folder):
    with (folder / "labels.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_name_encodes_its_position():
    assert named_position(NAMED) == pytest.approx((240.94, 9.706139), abs=1e-6)
    assert named_position("J015407.00-045259.9") == pytest.approx((28.529167, -4.883306), abs=1e-6)
    assert named_position("J000000.0-000030.0") == pytest.approx((0, -30 / 3600))
    for name in ("160345.60+094222.1", "J246000.00+094222.1", "J160345.60+914222.1", "J1603+0942"):
        assert named_position(name) is None


@pytest.mark.parametrize("given", ["folder", "file"])
def test_the_images_of_a_model_come_with_their_labels(surveys, model, tmp_path, given):
    source = model if given == "folder" else model / TRAINING_FILE
    folder = tmp_path / "images of it"
    with surveys(positions=OBJECTS) as service:
        result = fetch_training(service, source, folder)
    assert result.exit_code == 0, result.output
    rows = table_of(folder)
    assert [row["group_id"] for row in rows] == [*OBJECTS, NAMED]
    assert [row["class_id"] for row in rows] == ["", "1", "9"]
    assert [float(row["dec"]) for row in rows] == pytest.approx([45.25, 1.5, 9.706139])
    data = open_dataset(folder, label="coarse")
    assert data.class_names == ("edge-on", "merger", "smooth")
    assert [image.shape[0] for image in data.read(range(3))] == [424, 424, 256]
    (table, _, _), first, second, third = service.asked
    assert table == surveys.SQL
    assert [first[0], second[0], third[0]] == [surveys.CUTOUT, surveys.CUTOUT, surveys.VIEWER]
    assert {name: float(value) for name, value in first[1].items()} == {
        "ra": 123.5, "dec": 45.25, "scale": 0.25, "width": 424, "height": 424,
    }  # fmt: skip


def test_position_queries_fit_the_skyservers_address_limit(surveys, tmp_path):
    names = [str(587732471456006354 + k) for k in range(2 * BATCH + 1)]
    rows = "".join(f"{name},SDSS,smooth,gz1\n" for name in names)
    (tmp_path / "list.csv").write_text("object,survey,coarse,label_source\n" + rows)
    positions = {name: f"{number},{-number / 4},5" for number, name in enumerate(names)}
    gone = {place: [404] for place in range(1, len(names))}
    with surveys(gone, positions) as service:
        result = fetch_training(service, tmp_path / "list.csv", tmp_path / "out")
        tables = [asked for asked in service.asked if asked[0] == surveys.SQL]
        assert len(tables) == 3
        assert max(length for *_, length in tables) < 2048
        assert result.exit_code == 3
        assert len(service.places) == len(names)
        fetch_training(service, tmp_path / "list.csv", tmp_path / "out")
        assert [path for path, *_ in service.asked].count(surveys.SQL) == 3, (
            "they are known already"
        )
    assert len(open_dataset(tmp_path / "out")) == 1


@pytest.mark.parametrize("known", [{}, {"587735666916458682": "200.0,1.5,-9999"}])
def test_an_object_without_a_position_or_radius_is_named(surveys, model, tmp_path, known):
    positions = {"587732471456006354": OBJECTS["587732471456006354"], **known}
    with surveys(positions=positions) as service:
        result = fetch_training(service, model, tmp_path / "out")
    assert result.exit_code == 3
    assert result.stderr == (
        "left out: 587735666916458682: the SkyServer has no position or radius for it\n"
    )
    assert len(open_dataset(tmp_path / "out")) == 2


def test_an_error_page_instead_of_a_table_is_retried(surveys, model, tmp_path):
    with surveys({"table": ["page", 500, "table"]}, OBJECTS) as service:
        result = fetch_training(service, model, tmp_path / "out")
    assert result.exit_code == 0, result.output


def test_without_positions_there_is_nothing_to_fetch(surveys, model, tmp_path):
    with surveys({"table": [500]}, OBJECTS) as service:
        result = fetch_training(service, model, tmp_path / "out")
        assert len(service.asked) == 3
    assert result.exit_code == FetchError.exit_code
    assert "the SkyServer returned no positions" in result.stderr


def test_samples_and_training_images_do_not_mix(surveys, model, tmp_path):
    with surveys(positions=OBJECTS) as service:
        samples = cutouts.sample_cutouts(service.url)[:6]
        cutouts.fetch_cutouts(samples, tmp_path / "out", cutouts.SAMPLES, pause=0)
        result = fetch_training(service, model, tmp_path / "out")
    assert result.exit_code == OutputError.exit_code
    assert len(open_dataset(tmp_path / "out")) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("object,survey\n", "has no column 'label_source'"),
        ("object,survey,label_source\n", "has no column 'class_name'"),
        ("object,survey,label_source,coarse\n", "lists no objects"),
        (LIST + "1; DROP TABLE,SDSS,,smooth,gz1\n", "row 5: object '1; DROP TABLE' of survey"),
        (LIST + "J16+09,DECaLS,,smooth,gz1\n", "row 5: object 'J16+09'"),
        (LIST + f"{NAMED},SDSS,,smooth,gz1\n", "row 5: object"),
        (LIST + f"{NAMED},2MASS,,smooth,gz1\n", "of survey '2MASS'"),
        (LIST + f"{NAMED},DECaLS,,smooth,gz1\n", "is listed twice"),
    ],
)
def test_an_invalid_list_of_objects_is_an_error(surveys, tmp_path, text, message):
    (tmp_path / "list.csv").write_text(text)
    with surveys() as service:
        result = fetch_training(service, tmp_path / "list.csv", tmp_path / "out")
        assert service.asked == []
    assert result.exit_code == 4
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_model_without_a_list_is_an_error(surveys, tmp_path):
    with surveys() as service:
        result = fetch_training(service, tmp_path / "nothing", tmp_path / "out")
    assert result.exit_code == 4
    assert "found no training.csv at" in result.stderr


def test_a_cell_longer_than_csv_allows_is_an_error(surveys, model, tmp_path):
    class Odd(surveys):
        def wide(self, handler, query):
            self.send(handler, b"dr7objid,ra,dec,petroR90_r\n" + b"1" * 200_000 + b",1,2,3\n")

        def wide_header(self, handler, query):
            self.send(handler, b"1" * 200_000 + b",dr7objid,ra,dec,petroR90_r\n")

    for fault in ("wide", "wide_header"):
        with Odd({"table": [fault]}) as service:
            result = fetch_training(service, model, tmp_path / "out")
        assert result.exit_code == FetchError.exit_code
        assert "the SkyServer returned no positions" in result.stderr
        assert "unexpected" not in result.stderr


@pytest.mark.parametrize(
    "content", ["object\n" + "1" * 200_000, "object,ra\n1,2\n", "\0", "x\n\udcff"]
)
def test_damaged_positions_of_an_earlier_run_are_fetched_again(surveys, model, tmp_path, content):
    with surveys(positions=OBJECTS) as service:
        fetch_training(service, model, tmp_path / "out")
        (tmp_path / "out" / "positions.csv").write_bytes(content.encode(errors="surrogateescape"))
        result = fetch_training(service, model, tmp_path / "out")
        assert [path for path, *_ in service.asked].count(surveys.SQL) == 2
    assert result.exit_code == 0, result.output


def test_odd_files_in_place_of_images_are_replaced_or_named(surveys, tmp_path):
    with surveys() as service:
        samples = cutouts.sample_cutouts(service.url)[:3]
        folder = tmp_path / "out"
        cutouts.fetch_cutouts(samples, folder, cutouts.SAMPLES, pause=0)
        (folder / "ATTRIBUTION.txt").write_text(cutouts.SAMPLES)
        with (folder / samples[0].filename).open("w") as huge:
            huge.truncate(2**40)  # takes no space on disk
        (folder / samples[1].filename).unlink()
        os.mkfifo(folder / samples[1].filename)
        with pytest.raises(OutputError, match="not a regular file"):
            cutouts.fetch_cutouts(samples, folder, cutouts.SAMPLES, pause=0)
    assert (folder / samples[0].filename).stat().st_size < 2**20
