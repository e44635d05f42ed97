"""Opening data sets: folders, HDF5, arrays, single files."""

import csv
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import h5py
import numpy as np
import pytest
from PIL import Image

from galfeat.data import ArrayDataSet, open_dataset
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS, GALAXY10_SDSS
from galfeat.errors import DataError, GalfeatWarning, ImageError


def pictures(n, side=12, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (n, side, side, 3), dtype=np.uint8)


def write_folder(folder, images, columns):
    """PNG files and a labels.csv with the given columns."""
    (folder / "images").mkdir(parents=True)
    names = [f"images/{row}.png" for row in range(len(images))]
    for name, image in zip(names, images, strict=True):
        Image.fromarray(image).save(folder / name)
    table = {"filename": names, **columns}
    with (folder / "labels.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return folder


def write_hdf5(path, images, **columns):
    with h5py.File(path, "w") as file:
        file["images"] = images
        for name, values in columns.items():
            file[name] = values
    return path


def assert_same_images(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_folder_with_labels_gives_pixels_names_and_groups(tmp_path):
    images = pictures(4)
    folder = write_folder(
        tmp_path / "galaxies",
        images,
        {
            "class_id": ["10", "2", "", "2"],
            "class_name": ["ten", "two", "", "two"],
            "group_id": ["g", "", "g", ""],
            "source_repo": ["a", "b", "b", "a"],
        },
    )
    data = open_dataset(folder)
    assert data.label_column == "class_id"
    assert data.class_names == ("two", "ten"), "classes are in the order of their numbers"
    assert data.labels.tolist() == [1, 0, -1, 0]
    assert data.ids.tolist() == [f"images/{row}.png" for row in range(4)]
    assert data.groups[0] == data.groups[2]
    assert data.groups[1] != data.groups[3], "rows without a group are not one group"
    assert data.sources.tolist() == ["a", "b", "b", "a"]
    assert_same_images(data.read([2, 0, 2]), images[[2, 0, 2]])


def test_labelled_counts_what_it_leaves_out(tmp_path):
    images = pictures(3)
    folder = write_folder(tmp_path / "f", images, {"coarse": ["b", "", "a"]})
    data = open_dataset(folder, label="coarse").labelled()
    assert data.skipped == 1
    assert data.class_names == ("a", "b")
    assert data.labels.tolist() == [1, 0]
    assert_same_images(data.read([0, 1]), images[[0, 2]])


@pytest.mark.parametrize(
    ("side", "names"), [(256, GALAXY10_DECALS), (69, GALAXY10_SDSS)], ids=["decals", "sdss"]
)
def test_galaxy10_files_are_recognised(tmp_path, side, names):
    images = pictures(3, side)
    path = write_hdf5(tmp_path / "g.h5", images, ans=np.array([0, 9, 3], np.uint8))
    data = open_dataset(path)
    assert data.class_names == names
    assert data.labels.tolist() == [0, 9, 3]
    assert data.ids.tolist() == ["0", "1", "2"]
    assert_same_images(data.read([0, 1, 2]), images)


def test_other_classes_of_the_same_size_are_not_taken_for_galaxy10(tmp_path):
    path = write_hdf5(tmp_path / "g.h5", pictures(2, 69), ans=[0, 10])
    assert open_dataset(path).class_names == ("0", "10")


@pytest.mark.parametrize("storage", [{}, {"chunks": (2, 12, 12, 3), "compression": "gzip"}])
def test_hdf5_rows_come_in_the_order_asked(tmp_path, storage):
    images = pictures(10)
    path = tmp_path / "g.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=images, **storage)
    data = open_dataset(path)
    rows = [7, 1, 2, 2, 9, 0, 8]
    assert_same_images(data.read(rows), images[rows])
    view = data.select(rows).select(np.array([True, False, True, False, False, False, True]))
    assert view.ids.tolist() == ["7", "2", "8"]
    assert_same_images(view.read([2, 0]), images[[8, 7]])


def read_first(data):
    return data.read([0])[0]


def test_hdf5_survives_pickling_and_other_processes(tmp_path):
    images = pictures(2)
    data = open_dataset(write_hdf5(tmp_path / "g.h5", images))
    data.read([1])
    np.testing.assert_array_equal(read_first(pickle.loads(pickle.dumps(data))), images[0])
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        np.testing.assert_array_equal(pool.submit(read_first, data).result(), images[0])


def test_batches_are_the_same_for_any_number_of_threads(tmp_path):
    images = pictures(7)
    data = open_dataset(write_folder(tmp_path / "f", images, {}))
    for jobs in (1, 3):
        rows, found = zip(*data.batches(3, jobs=jobs), strict=True)
        assert [list(one) for one in rows] == [[0, 1, 2], [3, 4, 5], [6]]
        assert_same_images([image for batch in found for image in batch], images)


def test_arrays_of_several_sizes_and_kinds():
    grey = np.full((5, 4), 7, np.uint8)
    deep = np.full((3, 3, 3), 65535, np.uint16)
    data = ArrayDataSet([grey, deep, np.zeros((0, 4, 3), np.uint8)], ["b", "a", ""])
    first, second, third = data.read([0, 1, 2])
    assert first.shape == (5, 4, 3)
    assert (first == 7).all()
    assert (second == 255).all()
    assert isinstance(third, ImageError)
    assert data.class_names == ("a", "b")
    assert data.labels.tolist() == [1, 0, -1]


def test_missing_label_column_names_the_nearest(tmp_path):
    folder = write_folder(tmp_path / "f", pictures(1), {"coarse": ["a"]})
    with pytest.raises(DataError, match="no column 'corse'; did you mean 'coarse'"):
        open_dataset(folder, label="corse")


def save(path, shade):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 4, 3), shade, np.uint8)).save(path)


def test_class_folders_are_the_classes(tmp_path):
    for shade, name in enumerate(["spiral/b.png", "merger/deep/a.png", "spiral/a.jpg"]):
        save(tmp_path / name, shade)
    save(tmp_path / "odd.png", 9)
    save(tmp_path / ".hidden" / "x.png", 9)
    data = open_dataset(tmp_path)
    names = ["merger/deep/a.png", "odd.png", "spiral/a.jpg", "spiral/b.png"]
    assert data.ids.tolist() == [str(tmp_path / name) for name in names]
    assert data.class_names == ("merger", "spiral")
    assert data.labels.tolist() == [0, -1, 1, 1]
    assert data.label_column == "folder"
    assert [image[0, 0, 0] for image in data.read(range(4))] == [1, 9, 2, 0]


@pytest.mark.parametrize("folder", ["galaxies", "galaxies/", "./galaxies"])
def test_an_image_has_the_same_id_however_it_is_found(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    for shade, name in enumerate(["spiral/b.png", "merger/a.png", "c.png"]):
        save(tmp_path / "galaxies" / name, shade)
    save(tmp_path / "other.png", 9)
    expected = ["galaxies/c.png", "galaxies/merger/a.png", "galaxies/spiral/b.png"]
    assert open_dataset(folder).ids.tolist() == expected
    assert open_dataset([folder, "other.png"]).ids.tolist() == [*expected, "other.png"]
    assert sorted(open_dataset(f"{folder}/**/*.png").ids.tolist()) == expected
    assert open_dataset(expected).ids.tolist() == expected


def test_class_folders_among_other_inputs_keep_their_classes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for shade, name in enumerate(
        ["old/spiral/a.png", "old/merger/b.png", "new/spiral/c.png", "new/ring/d.png", "e.png"]
    ):
        save(tmp_path / name, shade)
    data = open_dataset(["e.png", "old", "new"])
    assert data.label_column == "folder"
    assert data.class_names == ("merger", "ring", "spiral")
    names = [data.class_names[label] if label >= 0 else "" for label in data.labels]
    assert dict(zip(data.ids.tolist(), names, strict=True)) == {
        "e.png": "",
        "old/merger/b.png": "merger",
        "old/spiral/a.png": "spiral",
        "new/ring/d.png": "ring",
        "new/spiral/c.png": "spiral",
    }


def test_a_folder_with_a_table_among_other_inputs_is_an_error(tmp_path):
    folder = write_folder(tmp_path / "f", pictures(2), {"label": ["a", "b"]})
    save(tmp_path / "a.png", 1)
    with pytest.raises(DataError, match=r"f has a labels\.csv; open it by itself"):
        open_dataset([folder, tmp_path / "a.png"])
    assert len(open_dataset([folder / "images", tmp_path / "a.png"])) == 3


def test_folders_named_by_fractions_are_not_classes(tmp_path):
    for name in ["0.1/a.png", "0.2/b.png"]:
        save(tmp_path / name, 1)
    with pytest.warns(GalfeatWarning, match="without labels: column 'folder' contains 0.1"):
        assert open_dataset(tmp_path).label_column is None


def test_a_single_folder_of_images_is_not_a_class(tmp_path):
    save(tmp_path / "images" / "a.png", 1)
    data = open_dataset(tmp_path)
    assert (data.class_names, data.label_column) == ((), None)
    assert len(data.labelled()) == 0


def test_loose_files_folders_and_patterns_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for shade, name in enumerate(["z.png", "more/b.png", "more/a.png", "x1.png", "x2.png"]):
        save(tmp_path / name, shade)
    data = open_dataset(["z.png", "more", "x*.png"])
    assert data.ids.tolist() == ["z.png", "more/a.png", "more/b.png", "x1.png", "x2.png"]
    assert [image[0, 0, 0] for image in data.read(range(5))] == [0, 2, 1, 3, 4]
    assert open_dataset("**/*.png").ids.tolist() == [
        "more/a.png",
        "more/b.png",
        "x1.png",
        "x2.png",
        "z.png",
    ]


def test_npz_has_the_names_of_hdf5(tmp_path):
    images = pictures(3)
    np.savez(
        tmp_path / "a.npz",
        images=images,
        ans=[1, 0, -1],
        class_names=["a", "b"],
        source=list("xyx"),
    )
    data = open_dataset(tmp_path / "a.npz")
    assert data.class_names == ("a", "b")
    assert data.labels.tolist() == [1, 0, -1]
    assert data.sources.tolist() == ["x", "y", "x"]
    assert_same_images(data.read([2, 0]), images[[2, 0]])


def test_data_sets_are_named_by_options(tmp_path):
    images = pictures(2)
    path = write_hdf5(tmp_path / "a.h5", images[:0], ans=[0, 1])
    with h5py.File(path, "a") as file:
        file["cube/stamps"] = images[..., 0]
        file["cube/kind_id"] = [4, 2]
        file["cube/kind_name"] = ["four", "two"]
    data = open_dataset(path, images="cube/stamps", label="cube/kind_id")
    assert data.class_names == ("two", "four")
    np.testing.assert_array_equal(data.read([1])[0], np.repeat(images[1, ..., :1], 3, axis=2))
    with pytest.raises(DataError, match="did you mean 'cube/stamps'"):
        open_dataset(path, images="cube/stamp")


@pytest.mark.parametrize("holder", ["label", "file"])
def test_class_names_in_the_file_take_precedence(tmp_path, holder):
    path = write_hdf5(tmp_path / "a.h5", pictures(2, 69), ans=[0, 1])
    with h5py.File(path, "a") as file:
        (file["ans"] if holder == "label" else file).attrs["class_names"] = ["a", "b"]
    assert open_dataset(path).class_names == ("a", "b")


def test_existing_files_are_not_treated_as_patterns(tmp_path):
    save(tmp_path / "a[1].png", 5)
    assert len(open_dataset(str(tmp_path / "a[1].png"))) == 1


def test_two_classes_of_one_name_are_an_error(tmp_path):
    path = tmp_path / "twice.npz"
    images = np.zeros((3, 16, 16, 3), np.uint8)
    np.savez(path, images=images, label=[0, 1, 2], class_names=["a", "a", "b"])
    with pytest.raises(DataError, match="named 'a'; give each a unique name"):
        open_dataset(path, label="label")
