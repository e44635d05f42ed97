"""Layouts of other programs: channels first, floats of 0 to 255, one-hot labels."""

import pickle

import h5py
import numpy as np
import pytest

from galfeat.data import ArrayDataSet, open_dataset
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.errors import DataError, GalfeatWarning, ImageError


def pictures(n=5, side=16, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (n, side, side, 3), dtype=np.uint8)


def files(folder):
    return sorted(folder.iterdir(), key=lambda path: int(path.stem))


def hdf5(folder, images, **columns):
    path = folder / f"{len(files(folder))}.h5"
    with h5py.File(path, "w") as file:
        for name, values in {"images": images, **columns}.items():
            file[name] = values
    return open_dataset(path)


def chunked(folder, images, **columns):
    path = folder / f"{len(files(folder))}.h5"
    with h5py.File(path, "w") as file:
        chunks = (len(images), *(min(size, 8) for size in images.shape[1:]))
        file.create_dataset("images", data=images, chunks=chunks, compression="gzip")
        for name, values in columns.items():
            file[name] = values
    return open_dataset(path)


def npz(folder, images, **columns):
    path = folder / f"{len(files(folder))}.npz"
    np.savez(path, images=images, **columns)
    return open_dataset(path)


def arrays(_folder, images, ans=None, class_names=None):
    return ArrayDataSet(images, ans, class_names)


FORMS = [hdf5, chunked, npz, arrays]


@pytest.mark.parametrize("form", FORMS)
def test_channels_may_come_first(tmp_path, form):
    images = pictures()
    data = form(tmp_path, np.moveaxis(images, -1, 1))
    np.testing.assert_array_equal(data.read([0, 3]), images[[0, 3]])
    grey = form(tmp_path, images[:, np.newaxis, :, :, 0])
    np.testing.assert_array_equal(grey.read([2])[0][..., 1], images[2, ..., 0])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_floats_may_be_in_0_to_255(tmp_path, form, dtype):
    images = pictures(70)
    images[[0, 65]] //= 200  # a dark image, of at most 1
    data = form(tmp_path, images.astype(dtype))
    for rows in ([65], [0, 3], range(70)):
        np.testing.assert_array_equal(data.read(list(rows)), images[list(rows)])
    again = pickle.loads(pickle.dumps(form(tmp_path, images.astype(dtype))))
    np.testing.assert_array_equal(again.read([65]), images[[65]])
    unit = form(tmp_path, (images / 255).astype(dtype))
    np.testing.assert_array_equal(unit.read([1, 65]), images[[1, 65]])


@pytest.mark.parametrize("form", FORMS)
def test_one_image_of_another_scale_is_an_error_of_its_row(tmp_path, form):
    images = pictures(70).astype("f4")
    images[68, 0, 0, 0], images[69, 0, 0, 0] = 256, np.nan
    if form in (npz, arrays):
        images[68, 0, 0, 0] = np.inf  # all images are looked at
    found = form(tmp_path, images).read([0, 68, 69])
    assert [isinstance(image, ImageError) for image in found] == [False, True, True]


@pytest.mark.parametrize("form", FORMS)
def test_floats_of_no_known_scale_say_what_is_expected(tmp_path, form):
    (found,) = form(tmp_path, pictures(1).astype("f4") * 0.4).read([0])
    assert isinstance(found, ImageError)
    assert "expected 0 to 1 or 0 to 255" in str(found)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["u1", "f4", "?", "i8"])
def test_one_hot_labels(tmp_path, form, dtype):
    one_hot = np.eye(4)[[2, 0, 3, 0, 2]].astype(dtype)
    one_hot[1] = 0
    data = form(tmp_path, pictures(), ans=one_hot)
    assert data.class_names == ("0", "2", "3")
    assert data.labels.tolist() == [1, -1, 2, 0, 1]


@pytest.mark.parametrize("form", [npz, arrays])
def test_one_hot_labels_with_names(tmp_path, form):
    one_hot, names = np.eye(3)[[2, 0, 1, 1, 2]], ["round", "barred", "edge-on"]
    data = form(tmp_path, pictures(), ans=one_hot, class_names=names)
    assert [data.class_names[label] for label in data.labels[:3]] == ["edge-on", "round", "barred"]


@pytest.mark.parametrize("first", [False, True])
def test_one_hot_classes_of_galaxy10_have_its_names(tmp_path, first):
    images = pictures(3, 256)
    images = np.moveaxis(images, -1, 1) if first else images
    data = hdf5(tmp_path, images, ans=np.eye(10, dtype="u1")[[9, 0, 4]])
    assert data.class_names == tuple(GALAXY10_DECALS)
    assert data.labels.tolist() == [9, 0, 4]


@pytest.mark.parametrize("form", FORMS)
def test_labels_and_positions_may_be_columns_of_one(tmp_path, form):
    data = form(tmp_path, pictures(), ans=np.array([[1], [0], [2], [-1], [0]]))
    assert data.labels.tolist() == [1, 0, 2, -1, 0]
    if form is not arrays:
        data = form(tmp_path, pictures(), ra=np.ones((5, 1)), dec=np.zeros((5, 1)))
        assert data.ra.tolist() == [1.0] * 5


@pytest.mark.parametrize(
    "labels",
    [np.full((5, 4), 0.25), np.ones((5, 4)), np.eye(5)[:, :4] * 2, np.full((5, 2), np.nan),
     np.array([["a", "b"]] * 5, "S1")],
    ids=["fractions", "many", "twos", "nan", "text"],
)  # fmt: skip
def test_other_tables_of_labels_are_errors(tmp_path, labels):
    with pytest.raises(DataError, match=r"shape \(5, \d\)"):
        arrays(tmp_path, pictures(), labels)
    for form in (npz, hdf5):
        with pytest.warns(GalfeatWarning, match=r"continuing without labels: .* \(5, \d\)"):
            form(tmp_path, pictures(), ans=labels)
        with pytest.raises(DataError, match="expected one"):
            open_dataset(files(tmp_path)[-1], label="ans")


def test_labels_of_another_number_of_rows_are_errors(tmp_path):
    for shape in ((4, 3), (5, 3, 1), (4, 1), (1, 5), (5, 0)):
        with pytest.raises(DataError, match="shape"):
            arrays(tmp_path, pictures(), np.zeros(shape))
        with pytest.warns(GalfeatWarning, match="shape"):
            hdf5(tmp_path, pictures(), ans=np.zeros(shape))
        with pytest.raises(DataError, match="expected one value for each of 5 images"):
            open_dataset(files(tmp_path)[-1], label="ans")
