"""Packed files hold the same pixels and metadata, and are read image by image."""

import os

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from galfeat.cli import main
from galfeat.data import ArrayDataSet, open_dataset, pack, pixel_digest
from galfeat.data.packing import FAST, PUBLISHED_CHUNKS, ChunkedWriter, hdf5_file
from galfeat.data.simulation.simulator import simulate_file
from galfeat.errors import DataError, ImageError, OutputError

IMAGES = np.random.default_rng(1).integers(0, 256, (70, 24, 20, 3), dtype=np.uint8)


def digests(data):
    return [pixel_digest(image) for image in data.read(np.arange(len(data)))]


def test_pixels_labels_positions_and_groups_are_kept(simulated, tmp_path):
    original = open_dataset(simulated)
    assert pack(original, tmp_path / "packed.h5", jobs=2) == {}
    packed = open_dataset(tmp_path / "packed.h5")
    assert digests(packed) == digests(original)
    assert packed.labels.tolist() == original.labels.tolist()
    assert packed.class_names == original.class_names
    assert packed.groups.tolist() == original.groups.tolist()
    np.testing.assert_array_equal(packed.ra, original.ra)
    np.testing.assert_array_equal(packed.dec, original.dec)
    with h5py.File(tmp_path / "packed.h5") as file:
        assert file["images"].chunks == (1, 256, 256, 3)


def test_unreadable_images_are_left_out_and_returned(tmp_path):
    images = [*IMAGES[:3], ImageError("damaged"), *IMAGES[3:]]
    data = ArrayDataSet(images, labels=np.arange(71) % 3)
    assert list(pack(data, tmp_path / "packed.h5")) == [3]
    packed = open_dataset(tmp_path / "packed.h5")
    assert digests(packed) == [pixel_digest(image) for image in IMAGES]
    assert packed.labels.tolist() == [row % 3 for row in range(71) if row != 3]


def test_the_file_does_not_depend_on_the_number_of_threads(tmp_path):
    for jobs in (1, 3):
        pack(ArrayDataSet(IMAGES), tmp_path / f"{jobs}.h5", jobs=jobs)
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "3.h5").read_bytes()


@pytest.mark.parametrize("chunks", [(1, 24, 20, 3), (16, 7, 9, 1), (100, 24, 20, 3)])
def test_hdf5_itself_reads_what_was_written(tmp_path, chunks):
    step = chunks[0]
    with hdf5_file(tmp_path / "images.h5") as (file, _):
        writer = ChunkedWriter(file, IMAGES.shape, chunks, FAST, jobs=2)
        for start in range(0, len(IMAGES), step):
            writer.write(start, IMAGES[start : start + step])
    with h5py.File(tmp_path / "images.h5") as file:
        np.testing.assert_array_equal(file["images"][()], IMAGES)


def test_images_of_two_sizes_are_refused_and_nothing_is_written(tmp_path):
    data = ArrayDataSet([IMAGES[0], IMAGES[1][:-1]])
    with pytest.raises(
        DataError, match=r"20×24 and 20×23 pixels, the first of these 1\), .*--size"
    ):
        pack(data, tmp_path / "packed.h5")
    assert os.listdir(tmp_path) == []


def test_images_of_several_sizes_are_scaled_to_one(tmp_path):
    large = np.zeros((60, 40, 3), np.uint8)
    large[20:40, 10:30] = 200  # the middle of the square around the centre
    exact = np.random.default_rng(0).integers(0, 255, (20, 20, 3), np.uint8)
    data = ArrayDataSet([large, exact, np.full((5, 9, 3), 7, np.uint8)], labels=["a", "b", "a"])
    assert pack(data, tmp_path / "packed.h5", size=20) == {}
    packed = open_dataset(tmp_path / "packed.h5")
    first, second, third = packed.read([0, 1, 2])
    assert first.shape == third.shape == (20, 20, 3)
    assert (first[7:13, 7:13] == 200).all()
    assert (first[:3] == 0).all()
    np.testing.assert_array_equal(second, exact)
    assert (third == 7).all()
    assert packed.labels.tolist() == [0, 1, 0]


@pytest.mark.parametrize("size", [0, -1, 10**6])
def test_sizes_out_of_range_are_refused(tmp_path, size):
    with pytest.raises(DataError, match="pixels; expected 1 to 4,096"):
        pack(ArrayDataSet(IMAGES), tmp_path / "packed.h5", size=size)


def test_a_data_set_without_readable_images_is_refused(tmp_path):
    with pytest.raises(DataError, match="no readable image"):
        pack(ArrayDataSet([ImageError("damaged")]), tmp_path / "packed.h5")


def test_a_full_disk_is_an_output_error():
    with pytest.raises(OutputError), hdf5_file("/dev/full"):
        pass


def test_the_published_layout_holds_the_same_images(tmp_path):
    for layout in ("contiguous", "published"):
        simulate_file(tmp_path / f"{layout}.h5", 20, seed=2, layout=layout)
    with h5py.File(tmp_path / "published.h5") as file:
        images = file["images"]
        assert images.chunks == (20, *PUBLISHED_CHUNKS[1:])
        assert images.compression == "gzip"
        assert "class_names" not in file.attrs
        assert file["ans"].dtype == np.uint8
    contiguous, published = (
        open_dataset(tmp_path / f"{layout}.h5") for layout in ("contiguous", "published")
    )
    assert digests(published) == digests(contiguous)
    assert published.class_names == contiguous.class_names
    assert published.labels.tolist() == contiguous.labels.tolist()


def test_an_unknown_layout_is_refused(tmp_path):
    with pytest.raises(DataError, match="choose contiguous or published"):
        simulate_file(tmp_path / "x.h5", 3, layout="tiled")


def test_the_command_packs_a_folder_and_names_what_it_leaves_out(tmp_path):
    folder = tmp_path / "galaxies"
    folder.mkdir()
    for row in range(3):
        Image.fromarray(IMAGES[row]).save(folder / f"{row}.png")
    (folder / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = CliRunner().invoke(main, ["data", "pack", str(folder), str(tmp_path / "packed.h5")])
    assert done.exit_code == 3
    assert "3 galaxies in" in done.stdout
    assert "3.png" in done.stderr
    assert digests(open_dataset(tmp_path / "packed.h5")) == digests(ArrayDataSet(IMAGES[:3]))
    arguments = ["data", "pack", str(folder), str(tmp_path / "small.h5"), "--size", "9"]
    assert CliRunner().invoke(main, arguments).exit_code == 3
    assert open_dataset(tmp_path / "small.h5").read([2])[0].shape == (9, 9, 3)
