"""Chunks unpacked in threads give what HDF5 itself reads."""

import pickle

import h5py
import numpy as np
import pytest

from galfeat.data import open_dataset
from galfeat.data.readers import chunks as reading
from galfeat.data.readers.chunks import ChunkedImages, unpacks_faster
from galfeat.errors import ImageError

COLOUR = np.random.default_rng(2).integers(0, 256, (50, 20, 22, 3), dtype=np.uint8)
GREY = COLOUR[..., 0]


@pytest.fixture
def written(tmp_path):
    """Return a function that writes images and returns their open data set."""
    with h5py.File(tmp_path / "images.h5", "w") as file:

        def write(images, **options):
            if "images" in file:
                del file["images"]
            return file.create_dataset("images", data=images, **options)

        yield write


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize(
    ("images", "chunks"),
    [
        (COLOUR, (16, 8, 8, 1)),
        (COLOUR, (50, 20, 22, 3)),
        (COLOUR, (7, 9, 22, 2)),
        (COLOUR, (1, 20, 22, 3)),
        (COLOUR, (1, 9, 10, 2)),
        (GREY, (16, 8, 8)),
        (GREY, (1, 20, 8)),
        (GREY.astype(np.float32) / 255, (16, 8, 8)),
    ],
)
def test_any_rows_are_those_of_hdf5(written, images, chunks, jobs):
    reader = ChunkedImages(written(images, chunks=chunks, compression="gzip"))
    rng = np.random.default_rng(3)
    for start in range(0, 50, 8):  # in order, so that rows of chunks are kept
        rows = np.arange(start, min(start + 8, 50))
        np.testing.assert_array_equal(reader.read(rows, jobs), images[rows])
    for _ in range(20):
        rows = np.sort(rng.permutation(50)[: rng.integers(1, 12)])
        np.testing.assert_array_equal(reader.read(rows, jobs), images[rows])


def test_only_gzip_chunks_qualify(written, monkeypatch):
    several = (16, 8, 8, 1)
    assert unpacks_faster(written(COLOUR, chunks=several, compression="gzip"))
    assert not unpacks_faster(written(COLOUR))
    assert not unpacks_faster(written(COLOUR, chunks=several))
    assert not unpacks_faster(written(COLOUR, chunks=several, compression="lzf"))
    assert not unpacks_faster(written(COLOUR, chunks=several, compression="gzip", shuffle=True))
    assert unpacks_faster(written(COLOUR, chunks=(1, 20, 22, 3), compression="gzip"))
    swapped = COLOUR.astype(np.dtype(np.uint16).newbyteorder())
    assert not unpacks_faster(written(swapped, chunks=several, compression="gzip"))
    monkeypatch.setattr(reading, "MAX_ROW", 1000)
    assert not unpacks_faster(written(COLOUR, chunks=several, compression="gzip"))


def test_chunks_never_written_are_left_to_hdf5(tmp_path):
    with h5py.File(tmp_path / "images.h5", "w") as file:
        images = file.create_dataset(
            "images", (40, 16, 16, 3), np.uint8, chunks=(16, 8, 8, 1), compression="gzip"
        )
        images[:16] = 7
        assert not unpacks_faster(images)


def test_a_chunk_stored_without_compression_is_read(written):
    images = written(COLOUR, chunks=(16, 20, 22, 3), compression="gzip")
    images.id.write_direct_chunk((16, 0, 0, 0), COLOUR[16:32].tobytes(), filter_mask=1)
    rows = np.array([3, 17, 31, 40])
    np.testing.assert_array_equal(ChunkedImages(images).read(rows), COLOUR[rows])


@pytest.mark.parametrize("depth", [1, 16])
@pytest.mark.parametrize("content", [b"not compressed", b"x\x9c"])
def test_a_damaged_chunk_is_an_error_and_others_are_read(written, content, depth):
    images = written(COLOUR, chunks=(depth, 20, 22, 3), compression="gzip")
    images.id.write_direct_chunk((16, 0, 0, 0), content)
    reader = ChunkedImages(images)
    with pytest.raises(OSError, match="chunk"):
        reader.read(np.array([16]))
    np.testing.assert_array_equal(reader.read(np.array([3])), COLOUR[[3]])


def test_only_the_images_behind_a_damage_are_unreadable(tmp_path):
    path = tmp_path / "images.h5"
    with h5py.File(path, "w") as file:
        images = file.create_dataset(
            "images", data=COLOUR, chunks=(16, 20, 22, 3), compression="gzip"
        )
        _, packed = images.id.read_direct_chunk((16, 0, 0, 0))
        images.id.write_direct_chunk((16, 0, 0, 0), packed[: len(packed) // 2])
    data = open_dataset(path)
    for _ in range(2):
        results = data.read(np.arange(50), jobs=2)
        failed = [row for row, result in enumerate(results) if isinstance(result, ImageError)]
        assert 16 < failed[0] < 31
        assert failed == list(range(failed[0], 32))
        for row in set(range(50)) - set(failed):
            np.testing.assert_array_equal(results[row], COLOUR[row])


def test_a_data_set_with_shared_chunks_is_copied_to_other_processes(tmp_path):
    path = tmp_path / "images.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=COLOUR, chunks=(16, 8, 8, 1), compression="gzip")
    data = open_dataset(path)
    data.read([3])
    copied = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(copied.read([3])[0], COLOUR[3])


def test_a_row_of_chunks_is_unpacked_once_when_read_in_order(written, monkeypatch):
    reader = ChunkedImages(written(COLOUR, chunks=(25, 20, 22, 1), compression="gzip"))
    calls = []
    unpack = ChunkedImages._unpack
    monkeypatch.setattr(
        ChunkedImages, "_unpack", lambda *arguments: calls.append(1) or unpack(*arguments)
    )
    for start in range(0, 50, 5):
        reader.read(np.arange(start, start + 5))
    assert len(calls) == 3 * (2 + 1)  # the first row of chunks for its first images too
