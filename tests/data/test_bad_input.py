"""Sources that cannot be opened, or are damaged inside."""

import h5py
import numpy as np
import pytest

from galfeat.data import ArrayDataSet, open_dataset
from galfeat.errors import DataError, ImageError


def black(n=3, side=8):
    return np.zeros((n, side, side, 3), np.uint8)


def hdf5(path, **columns):
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file[name] = values
    return path


def table(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def folder(path):
    path.mkdir()
    return path


def written(path, content):
    path.write_bytes(content)
    return path


def npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def npy(path, array):
    with path.open("wb") as stream:
        np.save(stream, array)
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: d / "nowhere.h5", "found neither a data set nor images at"),
        (lambda d: str(d / "*.png"), "found neither a data set nor images at"),
        (lambda d: table(d / "notes.txt", "x"), "has an unknown format; expected a folder"),
        (lambda d: folder(d / "empty"), "contains no images; expected JPEG"),
        (lambda d: [], "no path was given"),
        (
            lambda d: [hdf5(d / "a.h5", images=black()), hdf5(d / "b.h5", images=black())],
            "open data sets one at a time",
        ),
        (lambda d: written(d / "a.h5", b"text"), "is not a complete HDF5 file"),
        (lambda d: written(d / "a.npz", b"PK\3\4text"), "is not a complete .npz file"),
        (lambda d: npz(d / "a.npz", images=np.array([object()])), "is not a complete .npz file"),
        (lambda d: npy(d / "a.npz", black()), "is not a complete .npz file"),
        (lambda d: npz(d / "a.npz", pixels=black()), "holds no 'images'; it holds pixels"),
        (lambda d: hdf5(d / "a.h5", ans=[1]), "holds no 'images'; it holds ans"),
        (lambda d: hdf5(d / "a.h5"), "holds no 'images'; it holds nothing"),
        (
            lambda d: hdf5(d / "a.h5", images=black(), group_id=[1, 2]),
            r"'group_id' has shape \(2,\)",
        ),
        (lambda d: hdf5(d / "a.h5", images=black(0)), "holds no image; expected at least one"),
        (lambda d: hdf5(d / "a.h5", images=black()[0]), "a single image as a stack of one"),
        (lambda d: hdf5(d / "a.h5", images=3), r"shape \(\); expected \(n, H, W, 3\)"),
        (
            lambda d: hdf5(d / "a.h5", images=np.zeros((2, 4, 8, 8), np.uint8)),
            r"shape \(4, 8, 8\) and type uint8; expected \(H, W, 3\)",
        ),
        (lambda d: hdf5(d / "a.h5", images=black().astype(np.int64)), "type int64; expected"),
        (lambda d: npz(d / "a.npz", images=black().astype(complex)), "type complex128; expected"),
        (lambda d: table(d / "labels.csv", ""), r"has no column 'filename' \(columns: none\)"),
        (
            lambda d: table(d / "labels.csv", "name,x\na,b\n"),
            r"no column 'filename' \(columns: name, x\)",
        ),
        (lambda d: table(d / "labels.csv", "filename\n"), "lists no images"),
        (lambda d: table(d / "labels.csv", "filename,a\nx.png\n"), "row 2, has 1 cells"),
        (lambda d: written(d / "labels.csv", b"filename\n\xff\xfe"), "CSV file in UTF-8"),
        (
            lambda d: table(d / "labels.csv", "filename,ra,dec\na.png,12h,3\n"),
            "column 'ra': .*; expected degrees",
        ),
    ],
)
def test_sources_that_cannot_be_opened_raise_one_line(tmp_path, make, message):
    with pytest.raises(DataError, match=message):
        open_dataset(make(tmp_path))


def test_a_truncated_hdf5_file_is_an_error(tmp_path):
    path = hdf5(tmp_path / "a.h5", images=black(50))
    written(path, path.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"a\.h5 is not a complete HDF5 file"):
        open_dataset(path)


def test_a_damaged_chunk_costs_only_its_rows(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (6, 8, 8, 3), dtype=np.uint8)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        chunked = file.create_dataset("images", data=images, chunks=(2, 8, 8, 3), fletcher32=True)
        damaged = chunked.id.get_chunk_info(1).byte_offset
    content = bytearray((tmp_path / "a.h5").read_bytes())
    content[damaged + 10] ^= 1
    written(tmp_path / "a.h5", bytes(content))
    found = open_dataset(tmp_path / "a.h5").read(range(6))
    assert [isinstance(one, ImageError) for one in found] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
    assert "row 2 cannot be read" in str(found[2])
    np.testing.assert_array_equal(found[5], images[5])


def test_nan_in_float_images_is_an_error_of_its_row(tmp_path):
    images = np.full((3, 8, 8, 3), 0.2, np.float32)
    images[1, 2, 3] = np.nan
    images[2, 0, 0, 0] = np.inf
    path = hdf5(tmp_path / "a.h5", images=images)
    for data in (open_dataset(path), ArrayDataSet(images)):
        first, second, third = data.read([0, 1, 2])
        assert (first == 51).all()
        assert isinstance(second, ImageError)
        assert "3 NaN or infinite values" in str(second)
        assert isinstance(third, ImageError)


@pytest.mark.parametrize("images", [black()[0], black().astype("U1"), np.zeros((2, 0, 8, 3), "u1")])
def test_arrays_of_wrong_shape_are_errors(images):
    with pytest.raises(DataError, match="expected"):
        ArrayDataSet(images)


def test_labels_and_ids_must_have_the_length_of_the_images():
    with pytest.raises(DataError, match="one value for each of 3 images"):
        ArrayDataSet(black(), [0, 1])
    with pytest.raises(DataError, match="2 ids for 3 images"):
        ArrayDataSet(black(), ids=["a", "b"])


@pytest.mark.parametrize("rows", [[-1], [3], [0, 99]])
def test_rows_that_do_not_exist_are_not_read(rows):
    with pytest.raises(IndexError, match="of a data set of 3"):
        ArrayDataSet(black()).read(rows)
