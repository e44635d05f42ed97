"""`galfeat data info` and `galfeat data sample` as commands."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from galfeat.cli import main
from galfeat.data import open_dataset, pixel_digest


def run(*arguments):
    return CliRunner().invoke(main, ["data", *map(str, arguments)])


@pytest.fixture
def galaxies(tmp_path):
    """Six galaxies of class a, two of b, one without a label."""
    images = np.random.default_rng(0).integers(0, 255, (9, 8, 8, 3), dtype=np.uint8)
    labels = np.array([0] * 6 + [1] * 2 + [-1])
    np.savez(tmp_path / "g.npz", images=images, kind=labels, class_names=["a", "b"])
    return tmp_path / "g.npz"


def test_info_as_text_and_as_json(galaxies):
    result = run("info", galaxies, "--label", "kind", "--jobs", 1)
    assert result.exit_code == 0, result.output
    assert (
        "9 images\n  8×8: 9\nlabels from 'kind'; 1 rows without label\n  a: 6\n  b: 2\n"
        in result.output
    )
    result = run("info", galaxies, "--label", "kind", "--json")
    assert json.loads(result.stdout)["classes"] == {"a": 6, "b": 2}


def test_info_lists_unreadable_images_and_sets_the_exit_code(tmp_path):
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "b.jpg").write_bytes(b"no image")
    result = run("info", tmp_path)
    assert result.exit_code == 3
    assert f"1 unreadable\n  {tmp_path / 'b.jpg'} cannot" in result.stdout


def test_sample_takes_the_same_number_of_each_class_or_all(galaxies, tmp_path):
    arguments = ("sample", galaxies, "--label", "kind", "--per-class", 3)
    result = run(*arguments, "-o", tmp_path / "s.h5")
    assert result.exit_code == 0, result.output
    assert "all rows are taken of classes with fewer than 3: b (2)" in result.stderr
    assert result.stdout == f"5 images in {tmp_path / 's.h5'}\n"
    sample = open_dataset(tmp_path / "s.h5", label="kind")
    assert np.bincount(sample.labels).tolist() == [3, 2]
    known = {pixel_digest(image): label for image, label in rows_of(galaxies)}
    for image, label in zip(sample.read(range(5)), sample.labels, strict=True):
        assert known[pixel_digest(image)] == label


def rows_of(path):
    data = open_dataset(path, label="kind")
    return zip(data.read(range(len(data))), data.labels, strict=True)


def test_the_same_seed_writes_identical_files(galaxies, tmp_path):
    for name, seed in (("one.h5", 1), ("same.h5", 1), ("other.h5", 2)):
        run(
            "sample",
            galaxies,
            "--label",
            "kind",
            "--per-class",
            2,
            "--seed",
            seed,
            "-o",
            tmp_path / name,
        )
    one, same, other = ((tmp_path / f"{n}.h5").read_bytes() for n in ("one", "same", "other"))
    assert one == same
    assert one != other


def test_sample_without_labels_is_an_error(galaxies, tmp_path):
    result = run("sample", galaxies, "--per-class", 3, "-o", tmp_path / "s.h5")
    assert result.exit_code == 4
    assert "specify the label column with --label" in result.stderr
    assert not (tmp_path / "s.h5").exists()


def test_sample_leaves_unreadable_images_out_and_names_them(tmp_path):
    for name in ("x", "y"):
        (tmp_path / "in" / name).mkdir(parents=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "in" / name / "a.png")
    (tmp_path / "in" / "y" / "b.png").write_bytes(b"no image")
    result = run("sample", tmp_path / "in", "--per-class", 2, "-o", tmp_path / "out")
    assert result.exit_code == 3
    assert "left out: " in result.stderr
    assert "b.png cannot be decoded" in result.stderr
    assert len(open_dataset(tmp_path / "out")) == 2
