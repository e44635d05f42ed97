"""Folders train, test and val above class folders, and what is skipped in folders."""

import numpy as np
import pytest
from PIL import Image

from galfeat.data import open_dataset
from galfeat.errors import DataError


def save(folder, *names):
    for shade, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), shade).save(path)


def rows(data):
    """The class, the split and the last part of the id of each row."""
    names = [data.class_names[label] if label >= 0 else "" for label in data.labels]
    splits = [""] * len(data) if data.splits is None else data.splits.tolist()
    files = [name.rpartition("/")[2] for name in data.ids.tolist()]
    return list(zip(files, names, splits, strict=True))


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [("train", "val", "test"), ("Train", "VALID", "Test"), ("training", "validation", "testing")],
)
def test_folders_of_splits_are_not_classes(tmp_path, train, val, test):
    save(tmp_path, f"{train}/disc/a.png", f"{train}/ring/b.png", f"{test}/disc/deep/c.png")
    save(tmp_path, f"{val}/ring/d.png", f"{val}/e.png")
    data = open_dataset(tmp_path)
    assert data.class_names == ("disc", "ring")
    assert sorted(rows(data)) == [
        ("a.png", "disc", "train"),
        ("b.png", "ring", "train"),
        ("c.png", "disc", "test"),
        ("d.png", "ring", "val"),
        ("e.png", "", "val"),
    ]
    part = open_dataset(tmp_path, split="val")
    assert rows(part) == [("e.png", "", "val"), ("d.png", "ring", "val")]
    assert len(open_dataset(tmp_path, split="all")) == 5
    assert np.unique(data.select([0]).splits).size == 1


def test_a_single_folder_of_a_split_is_one(tmp_path):
    save(tmp_path, "train/disc/a.png", "train/ring/b.png")
    assert rows(open_dataset(tmp_path)) == [
        ("a.png", "disc", "train"),
        ("b.png", "ring", "train"),
    ]
    with pytest.raises(DataError, match=r"no images of the split 'test' \(splits: train\)"):
        open_dataset(tmp_path, split="test")


def test_images_beside_splits_have_neither_class_nor_split(tmp_path):
    save(tmp_path, "train/disc/a.png", "train/ring/b.png", "test/ring/c.png", "more/d.png", "e.png")
    assert {("d.png", "", ""), ("e.png", "", "")} < set(rows(open_dataset(tmp_path)))


def test_one_folder_of_a_split_among_classes_is_a_class(tmp_path):
    save(tmp_path, "train/a.png", "bus/b.png")
    assert rows(open_dataset(tmp_path)) == [("b.png", "bus", ""), ("a.png", "train", "")]


def test_splits_without_class_folders_have_no_classes(tmp_path):
    save(tmp_path, "train/a.png", "test/b.png")
    assert rows(open_dataset(tmp_path)) == [("b.png", "", "test"), ("a.png", "", "train")]


def test_tables_in_folders_are_named(tmp_path):
    (tmp_path / "votes.csv").touch()
    with pytest.raises(DataError, match=r"contains no images but 1 \.csv file; expected JPEG"):
        open_dataset(tmp_path)
    save(tmp_path, "a.png")
    assert open_dataset(tmp_path).notes == ("skipped 1 .csv file; open a table by its own name",)


def test_unknown_splits_are_errors(tmp_path):
    save(tmp_path, "disc/a.png", "ring/b.png")
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 8, 8, 3), np.uint8))
    for source in (tmp_path, tmp_path / "a.npz"):
        with pytest.raises(DataError, match=r"no images of the split 'train' \(splits: none\)"):
            open_dataset(source, split="train")
        with pytest.raises(DataError, match="no split 'dev'; choose one of train, test, val"):
            open_dataset(source, split="dev")


def test_other_files_are_counted_once_by_suffix(tmp_path):
    save(tmp_path, "disc/a.png", "ring/b.png")
    for name in ("a.txt", "disc/b.TXT", "ring/c.txt", "disc/movie.mov", ".hidden"):
        (tmp_path / name).touch()
    assert open_dataset(tmp_path).notes == ("skipped 3 .txt and 1 .mov files",)
    assert open_dataset(tmp_path / "ring").notes == ("skipped 1 .txt file",)
    two = open_dataset([tmp_path / "disc", tmp_path / "ring"])
    assert two.notes == ("skipped 2 .txt and 1 .mov files",)
    for number in range(8):
        (tmp_path / f"x.{number}").touch()
    (tmp_path / ("y." + "z" * 200)).touch()
    (tmp_path / "README").touch()
    assert open_dataset(tmp_path).notes == ("skipped 3 .txt, 1 .0, 1 .1, 1 .2 and 8 other files",)


def test_masks_errors_and_psfs_beside_fits_images_are_skipped(tmp_path):
    for name in ("a.fits", "a_segmap.fits", "b-err.fits.gz", "c.PSF.fits.fz", "b_mask.png"):
        (tmp_path / name).touch()
    data = open_dataset(tmp_path)
    assert [name.rsplit("/", 1)[1] for name in data.ids] == ["a.fits", "b_mask.png"]
    assert data.notes == ("skipped 1 -err.fits.gz, 1 .PSF.fits.fz and 1 _segmap.fits files",)
    assert len(open_dataset(f"{tmp_path}/*.fits")) == 2


@pytest.mark.parametrize("option", ["images_in", "file_column"])
def test_options_of_tables_are_errors_without_one(tmp_path, option):
    save(tmp_path, "a.png")
    with pytest.raises(DataError, match="is not a table"):
        open_dataset(tmp_path, **{option: str(tmp_path)})
    with pytest.raises(DataError, match="does not exist"):
        open_dataset(tmp_path / "table.csv", **{option: str(tmp_path)})
