"""Random stratified samples, and writing them."""

import contextlib
import csv
import resource

import numpy as np
import pytest

from galfeat.data import ArrayDataSet, open_dataset, pixel_digest, stratified_sample, write_dataset
from galfeat.errors import DataError, GalfeatWarning, OutputError

LABELS = np.repeat([0, -1, 2, 1], [30, 10, 20, 40])


def test_the_same_number_of_rows_is_drawn_from_each_class():
    rows = stratified_sample(LABELS, 5, seed=1)
    assert (np.diff(rows) > 0).all()
    assert np.bincount(LABELS[rows]).tolist() == [5, 5, 5]


def test_the_sample_depends_only_on_the_seed():
    first = stratified_sample(LABELS, 5, seed=1)
    np.testing.assert_array_equal(first, stratified_sample(LABELS.tolist(), 5, seed=1))
    assert first.tolist() != stratified_sample(LABELS, 5, seed=2).tolist()


def test_the_sample_of_a_class_does_not_depend_on_the_others():
    rows = stratified_sample(LABELS, 5)
    alone = stratified_sample(np.where(LABELS == 2, 2, -1), 5)
    np.testing.assert_array_equal(rows[LABELS[rows] == 2], alone)


def test_all_rows_are_equally_probable():
    labels = np.zeros(10, int)
    counts = np.bincount(
        np.concatenate([stratified_sample(labels, 5, seed) for seed in range(400)]), minlength=10
    )
    # binomial with n = 400 and p = 1/2: mean 200, standard deviation 10
    assert (np.abs(counts - 200) < 45).all()


def test_a_small_class_is_taken_whole_and_named():
    with pytest.warns(GalfeatWarning, match=r"classes with fewer than 3: b \(1\)"):
        rows = stratified_sample([0, 0, 0, 0, 1], 3, class_names=["a", "b"])
    assert len(rows) == 4
    assert 4 in rows


def test_a_class_without_rows_is_named():
    with pytest.warns(GalfeatWarning, match=r"fewer than 1: c \(0\)"):
        stratified_sample([0, 1], 1, class_names=["a", "b", "c"])


@pytest.mark.parametrize(("labels", "per_class"), [([-1, -1], 2), ([], 2), ([0, 1], 0)])
def test_nothing_to_sample_is_an_error(labels, per_class):
    with pytest.raises(DataError):
        stratified_sample(labels, per_class)


def galaxies(n=4, side=6):
    return np.random.default_rng(0).integers(0, 255, (n, side, side, 3), dtype=np.uint8)


def source(tmp_path):
    """Four images with everything a catalogue can hold."""
    np.savez(
        tmp_path / "source.npz",
        images=galaxies(),
        kind_id=[3, 1, -1, 3],
        kind_name=["zebra", "yak", "", "zebra"],
        ra=[1.0, 2.0, 3.0, np.nan],
        dec=[4.0, 5.0, 6.0, np.nan],
        group_id=["a", "b", "a", "c"],
        source=["x", "y", "x", "y"],
    )
    return open_dataset(tmp_path / "source.npz", label="kind_id")


@pytest.mark.parametrize("name", ["out.h5", "out.npz", "out"])
@pytest.mark.parametrize("label", [None, "kind_id"])
def test_written_data_sets_are_read_unchanged(tmp_path, name, label):
    data = source(tmp_path)
    assert write_dataset(data, tmp_path / name) == {}
    again = open_dataset(tmp_path / name, label=label)
    assert again.labels.tolist() == data.labels.tolist()
    assert again.class_names == ("yak", "zebra"), "in the order of the ids, not of the names"
    assert again.groups.tolist() == ["a", "b", "a", "c"]
    assert again.sources.tolist() == ["x", "y", "x", "y"]
    np.testing.assert_array_equal(again.ra, data.ra)
    found = [pixel_digest(image) for image in again.read(range(4))]
    assert found == [pixel_digest(image) for image in galaxies()]


@pytest.mark.parametrize("name", ["out.h5", "out.npz", "out"])
def test_data_without_labels_or_groups_can_be_written(tmp_path, name):
    write_dataset(ArrayDataSet(galaxies()), tmp_path / name)
    again = open_dataset(tmp_path / name)
    assert (again.label_column, again.groups, len(again)) == (None, None, 4)


def test_original_ids_are_kept(tmp_path):
    write_dataset(ArrayDataSet(galaxies(), ids=list("wxyz")).select([3, 1]), tmp_path / "out")
    with (tmp_path / "out" / "labels.csv").open(newline="") as stream:
        assert [row["original_id"] for row in csv.DictReader(stream)] == ["z", "x"]


def test_sizes_that_differ_go_into_a_folder(tmp_path):
    data = ArrayDataSet([galaxies()[0], galaxies(side=9)[0]])
    with pytest.raises(DataError, match="images have 2 sizes"):
        write_dataset(data, tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()
    write_dataset(data, tmp_path / "out")
    assert [image.shape[0] for image in open_dataset(tmp_path / "out").read([0, 1])] == [6, 9]


def test_unreadable_images_are_left_out_and_returned(tmp_path):
    data = ArrayDataSet([galaxies()[0], np.zeros((2, 2), complex), galaxies()[1]], [0, 1, 1])
    errors = write_dataset(data, tmp_path / "out.h5")
    assert list(errors) == [1]
    assert "complex128" in str(errors[1])
    assert open_dataset(tmp_path / "out.h5").labels.tolist() == [0, 1]


def test_only_unreadable_images_are_an_error(tmp_path):
    with pytest.raises(DataError, match="no readable image"):
        write_dataset(ArrayDataSet([np.zeros(3)]), tmp_path / "out.h5")


def test_an_unknown_suffix_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"choose a \.h5 or \.npz file"):
        write_dataset(ArrayDataSet(galaxies()), tmp_path / "out.zip")


@contextlib.contextmanager
def files_of_at_most(size):
    """Stand in for a full disk: no file can be longer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", ["out.h5", "out.npz"])
def test_a_full_disk_leaves_the_existing_file_unchanged(tmp_path, name):
    write_dataset(ArrayDataSet(galaxies()), tmp_path / name)
    with files_of_at_most(100), pytest.raises(OutputError, match="cannot write"):
        write_dataset(ArrayDataSet(galaxies(9, 40)), tmp_path / name)
    assert len(open_dataset(tmp_path / name)) == 4
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_full_disk_leaves_no_partial_folder(tmp_path):
    with files_of_at_most(100), pytest.raises(OutputError, match="cannot write"):
        write_dataset(ArrayDataSet(galaxies(9, 40)), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_not_replaced(tmp_path):
    write_dataset(ArrayDataSet(galaxies()), tmp_path / "out")
    before = sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    with pytest.raises(OutputError, match="holds other things"):
        write_dataset(ArrayDataSet(galaxies(9, 40)), tmp_path / "out")
    assert sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["out.h5", "out.npz", "out"])
def test_an_unwritable_path_is_an_error(tmp_path, name):
    with pytest.raises(OutputError, match="cannot write"):
        write_dataset(ArrayDataSet(galaxies()), tmp_path / "missing" / name)
