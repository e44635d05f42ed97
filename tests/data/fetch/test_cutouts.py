"""Cut-outs by position, from a local server with all kinds of faults."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from galfeat.cli import main
from galfeat.data import open_dataset
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS, GALAXY10_DECALS_COARSE
from galfeat.data.fetch import cutouts
from galfeat.data.fetch.surveys import named_position
from galfeat.errors import FetchError, OutputError

ROOT = Path(__file__).resolve().parents[3]


def fetch(*arguments):
    return CliRunner().invoke(main, ["data", "fetch", *map(str, arguments)])


def fetch_samples(service, folder):
    return fetch("samples", "--url", service.url, "-o", folder)


def fetch_six(service, folder):
    """The first six samples, which are enough to tell one from the others."""
    six = cutouts.sample_cutouts(service.url)[:6]
    return cutouts.fetch_cutouts(six, folder, cutouts.SAMPLES, pause=0)


def table_of(folder):
    with (folder / "labels.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


# The fifty galaxies


def test_there_are_five_distinct_galaxies_of_each_class():
    rows = [cutout.cells for cutout in cutouts.sample_cutouts()]
    assert [row["class_id"] for row in rows] == [str(k) for k in range(10) for _ in range(5)]
    assert all(row["class_name"] == GALAXY10_DECALS[int(row["class_id"])] for row in rows)
    assert all(row["coarse"] == GALAXY10_DECALS_COARSE[int(row["class_id"])] for row in rows)
    across = separations(*(np.array([float(row[name]) for row in rows]) for name in ("ra", "dec")))
    assert across[np.triu_indices(50, 1)].min() > 67 / 3600


def test_their_rows_have_their_classes_in_galaxy10():
    counts = [1081, 1853, 2645, 2027, 334, 2043, 1829, 2628, 1423, 1873]
    first = np.cumsum([0, *counts])
    for cutout in cutouts.sample_cutouts():
        label, row = int(cutout.cells["class_id"]), int(cutout.name.removeprefix("galaxy10-"))
        assert first[label] <= row < first[label + 1]


def test_all_but_five_are_outside_the_footprint_of_sdss_dr7():
    """The Legacy imaging of DR7: three stripes in the south, stripe 9 and north of it."""
    rows = [cutout.cells for cutout in cutouts.sample_cutouts()]
    ra, dec = (np.array([float(row[name]) for row in rows]) for name in ("ra", "dec"))
    south = (ra > 300) | (ra < 60)
    near = np.min([np.abs(from_stripe(ra, dec, stripe)) for stripe in (76, 82, 86)], axis=0) < 1.75
    inside = np.where(south, near, from_stripe(ra, dec, 9) > -1.75)
    assert [row["class_id"] for row, one in zip(rows, inside, strict=True) if one] == [
        *("3" * 3),
        *("4" * 2),
    ]


def test_none_of_them_is_a_training_image_of_decals(real_images):
    with (real_images / "galaxyzoo-sdss" / "labels.csv").open(newline="") as stream:
        named = [named_position(row["group_id"]) for row in csv.DictReader(stream)]
    training = [place for place in named if place is not None]
    samples = [(float(c.cells["ra"]), float(c.cells["dec"])) for c in cutouts.sample_cutouts()]
    across = separations(*np.array(samples + training).T)[: len(samples), len(samples) :]
    assert across.shape == (50, 5)
    assert across.min() > 67 / 3600


def from_stripe(ra, dec, stripe):
    """Degrees north of the great circle along the middle of a stripe of SDSS, 2.5° wide."""
    tilt = np.radians(2.5 * stripe - 25 - (180 if stripe > 50 else 0))
    along, dec = np.radians(ra - 95), np.radians(dec)
    sine = np.sin(dec) * np.cos(tilt) - np.cos(dec) * np.sin(along) * np.sin(tilt)
    return np.degrees(np.arcsin(sine))


def separations(ra, dec):
    ra, dec = np.radians(ra), np.radians(dec)
    unit = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
    return np.degrees(np.arccos(np.clip(unit @ unit.T, -1, 1)))


# Fetching them


def test_the_fifty_samples_are_a_data_set(surveys, tmp_path):
    folder = tmp_path / "galaxies"
    with surveys() as service:
        result = fetch_samples(service, folder)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{folder}\n"
    data = open_dataset(folder)
    assert data.class_names == GALAXY10_DECALS
    assert np.bincount(data.labels).tolist() == [5] * 10
    for image, row in zip(data.read(range(50)), table_of(folder), strict=True):
        query = {"ra": f"{float(row['ra']):.6f}", "dec": f"{float(row['dec']):.6f}", "size": 256}
        assert np.array_equal(image, np.asarray(Image.open(io.BytesIO(service.picture(query)))))
    assert list(table_of(folder)[7]) == [
        "filename", "class_id", "class_name", "coarse", "survey", "ra", "dec", "label_source",
    ]  # fmt: skip
    credit = (folder / "ATTRIBUTION.txt").read_text()
    assert all(name in credit for name in ("Dey et al. 2019", "Walmsley et al. 2021", "Leung"))
    assert {path.name for path in folder.iterdir()} == {"ATTRIBUTION.txt", "images", "labels.csv"}


def test_requests_follow_the_rules_of_the_service(surveys, tmp_path):
    with surveys() as service:
        fetch_six(service, tmp_path / "galaxies")
    assert len(service.asked) == 6
    for (ra, dec), one in zip(service.places, cutouts.sample_cutouts()[:6], strict=True):
        assert (float(ra), float(dec)) == pytest.approx(
            (float(one.cells["ra"]), float(one.cells["dec"])), abs=1e-6
        )
    (agent,) = service.agents
    assert agent.startswith("galfeat/")
    path, query, _ = service.asked[0]
    assert path == surveys.VIEWER
    assert query | {"ra": "", "dec": ""} == {
        "ra": "", "dec": "", "layer": "ls-dr8", "pixscale": "0.262", "size": "256",
    }  # fmt: skip


@pytest.mark.parametrize("fault", [503, 429, "page", "cut_short", "half_a_file"])
def test_temporary_failures_are_retried(surveys, tmp_path, fault):
    with surveys({2: [fault, fault, "good"]}) as service:
        assert fetch_six(service, tmp_path / "galaxies") == {}
    assert len(service.asked) == 8
    assert len(open_dataset(tmp_path / "galaxies")) == 6


@pytest.mark.parametrize(
    ("fault", "asked", "reason"),
    [
        (404, 1, "returned 404 Not Found"),
        (503, 3, "returned 503 Service Unavailable, 3 times in a row"),
        ("page", 3, "the content is not a complete JPEG file: b'<!DOCTYPE html><'"),
        ("cut_short", 3, "the connection ended at 500 of"),
        ("half_a_file", 3, "not a complete JPEG file"),
        ("png", 3, "not a complete JPEG file"),
        ("small", 1, "128×128 pixels; expected 256×256"),
        ("blank", 1, "the image is blank"),
        ("unending", 1, "sent more than 4194304 bytes"),
    ],
)
def test_failed_cutouts_are_named_and_the_others_kept(surveys, tmp_path, fault, asked, reason):
    folder = tmp_path / "galaxies"
    name = cutouts.sample_cutouts()[2].name
    with surveys({2: [fault]}) as service:
        failures = fetch_six(service, folder)
    assert list(failures) == [name]
    assert reason in failures[name]
    assert len(service.asked) == 5 + asked
    data = open_dataset(folder)
    assert len(data) == 5
    assert not any(name in row for row in data.ids)
    assert not any(name in path.name for path in (folder / "images").iterdir())


def test_a_later_run_fetches_only_missing_cutouts(surveys, tmp_path):
    folder = tmp_path / "galaxies"
    with surveys({2: [404], 40: ["page"]}) as service:
        result = fetch_samples(service, folder)
    assert result.exit_code == 3
    second, fortieth = (cutouts.sample_cutouts()[place].name for place in (2, 40))
    assert result.stderr == (
        f"left out: {second}: the server returned 404 Not Found\n"
        f"left out: {fortieth}: the content is not a complete JPEG file: b'<!DOCTYPE html><'..., "
        "3 times in a row\n"
    )
    assert len(open_dataset(folder)) == 48
    with surveys() as service:
        assert fetch_samples(service, folder).exit_code == 0
        assert len(service.asked) == 2
    assert len(open_dataset(folder)) == 50


def test_a_killed_run_is_resumed(surveys, tmp_path):
    folder = tmp_path / "galaxies"
    service = surveys()
    service.faults = {10: ["stall"]}
    with service:
        code = (
            "import sys; from galfeat.data.fetch import cutouts; cutouts.PAUSE = 0.0; "
            "from galfeat.cli import main; main(sys.argv[1:])"
        )
        arguments = ["data", "fetch", "samples", "--url", service.url, "-o", str(folder)]
        with subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT) as run:
            stalled = service.stalled.wait(60)
            run.kill()
        assert stalled
    assert not (folder / "labels.csv").exists()
    assert len(list((folder / "images").iterdir())) == 10
    with surveys() as service:
        result = fetch_samples(service, folder)
        assert len(service.asked) == 40
    assert result.exit_code == 0, result.output
    assert len(open_dataset(folder)) == 50


def test_damaged_images_are_fetched_again(surveys, tmp_path):
    folder = tmp_path / "galaxies"
    with surveys() as service:
        fetch_six(service, folder)
        one = folder / cutouts.sample_cutouts()[3].filename
        whole = one.read_bytes()
        one.write_bytes(whole[:300])
        fetch_six(service, folder)
        assert len(service.asked) == 7
    assert one.read_bytes() == whole


def test_an_unavailable_service_aborts_the_run(surveys, tmp_path):
    folder = tmp_path / "galaxies"
    with surveys({place: [503] for place in range(5, 50)}) as service:
        result = fetch_samples(service, folder)
        assert len(service.asked) == 5 + 3 * 3
    assert result.exit_code == FetchError.exit_code
    assert "resumes with the missing ones" in result.stderr
    assert not (folder / "labels.csv").exists()
    assert len(list((folder / "images").iterdir())) == 5


def test_a_service_that_has_none_of_them_is_an_error(surveys, tmp_path):
    with surveys({place: [404] for place in range(50)}) as service:
        result = fetch_samples(service, tmp_path / "galaxies")
    assert result.exit_code == FetchError.exit_code
    assert "none could be fetched" in result.stderr


def test_a_folder_with_other_files_is_left_unchanged(surveys, tmp_path):
    (tmp_path / "labels.csv").write_text("mine")
    with surveys() as service:
        result = fetch_samples(service, tmp_path)
        assert service.asked == []
    assert result.exit_code == OutputError.exit_code
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["samples", "mymodel"],
        ["samples", "--sha256", "0" * 64],
        ["training"],
        ["galaxy10-sdss", "mymodel"],
    ],
)
def test_invalid_arguments_are_usage_errors(arguments):
    assert fetch(*arguments).exit_code == 2


def test_only_http_is_supported(tmp_path):
    result = fetch("samples", "--url", "file:///etc", "-o", tmp_path / "galaxies")
    assert result.exit_code == FetchError.exit_code
    assert "expected http:// or https://" in result.stderr
