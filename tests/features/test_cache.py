"""Cached features: identical, reused and written atomically."""

import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from galfeat.data import pixel_digest
from galfeat.errors import OutputError
from galfeat.features import FeatureExtractor


@pytest.fixture(scope="module")
def images(paint):
    return [
        paint(64, scale=4.0, q=0.5, pa=0.3 * k, peak=90.0 + 5 * k, noise=2.0, seed=k)
        for k in range(8)
    ]


def extractor(folder, **options):
    return FeatureExtractor(("colour",), cache=folder, batch_size=3, **options)


def stored(folder):
    """Return the one file of a cache folder."""
    (file,) = folder.glob("*.sqlite")
    return file


def test_features_are_identical_with_and_without_cache(images, tmp_path):
    plain = FeatureExtractor(("colour",)).extract(images)
    for _ in range(2):
        kept = extractor(tmp_path / "new" / "folder").extract(images)
        np.testing.assert_array_equal(kept.values, plain.values)
        np.testing.assert_array_equal(kept.digests, plain.digests)


def test_cached_features_are_used(images, tmp_path):
    first = extractor(tmp_path).extract(images).values
    planted = np.arange(first.shape[1], dtype=np.float32)
    with sqlite3.connect(stored(tmp_path)) as connection:
        connection.execute(
            "UPDATE features SET vector = ? WHERE digest = ?",
            (planted.tobytes(), pixel_digest(images[4])),
        )
    connection.close()
    again = extractor(tmp_path, n_jobs=2).extract(images).values
    np.testing.assert_array_equal(again[4], planted)
    np.testing.assert_array_equal(np.delete(again, 4, axis=0), np.delete(first, 4, axis=0))


def test_families_and_frames_are_cached_separately(images, tmp_path):
    tables = [
        FeatureExtractor(families, frame=frame, cache=tmp_path).extract(images).values
        for families in (("colour",), ("radial",), ("radial", "colour"))
        for frame in (True, False)
    ]
    assert len(list(tmp_path.glob("*.sqlite"))) == 6
    assert not np.array_equal(tables[0], tables[1])


def test_blank_images_are_cached_but_unreadable_ones_are_not(images, tmp_path):
    blank = np.full((64, 64, 3), 9, np.uint8)
    for _ in range(2):
        table = extractor(tmp_path).extract([images[0], blank, blank[:8]])
        assert np.isnan(table.values[1:, :-1]).all()
        assert list(table.errors) == [2]
    with sqlite3.connect(stored(tmp_path)) as connection:
        assert connection.execute("SELECT count(*) FROM features").fetchone() == (2,)
    connection.close()


def test_a_row_of_the_wrong_width_is_measured_again(images, tmp_path):
    first = extractor(tmp_path).extract(images).values
    with sqlite3.connect(stored(tmp_path)) as connection:
        connection.execute("UPDATE features SET vector = ?", (bytes(8),))
    connection.close()
    np.testing.assert_array_equal(extractor(tmp_path).extract(images).values, first)


@pytest.mark.parametrize("damage", ["all", "pages", "emptied"])
def test_a_damaged_file_raises_one_line(images, tmp_path, damage):
    extractor(tmp_path).extract(images)
    file = stored(tmp_path)
    content = file.read_bytes()
    if damage == "all":
        file.write_bytes(b"this is no database" * 1000)
    elif damage == "pages":
        file.write_bytes(content[:100] + bytes(len(content) - 100))
    else:
        file.write_bytes(b"")
        np.testing.assert_array_equal(  # as good as none
            extractor(tmp_path).extract(images).values,
            FeatureExtractor(("colour",)).extract(images).values,
        )
        return
    with pytest.raises(OutputError, match=rf"cannot (store|read) .*{file.name}: .*; .*delete"):
        extractor(tmp_path).extract(images)


def test_a_damaged_page_is_detected_when_read(paint, tmp_path):
    images = [paint(64, scale=4.0, noise=2.0, seed=k) for k in range(60)]
    extractor(tmp_path).extract(images)
    file = stored(tmp_path)
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)  # the first page tells of the tables
    file.write_bytes(bytes(content))
    with pytest.raises(OutputError, match=rf"{file.name}: .*; delete the file"):
        extractor(tmp_path).extract(images)


def test_an_unwritable_folder_raises_one_line(images, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot store features in .*choose a writable folder"):
        extractor(tmp_path / "file" / "cache").extract(images)


WORKER = """
import resource, sys
import numpy as np
from galfeat.features import FeatureExtractor
if len(sys.argv) > 4:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), int(sys.argv[4])))
images = list(np.load(sys.argv[1]))
extractor = FeatureExtractor(("colour",), cache=sys.argv[2], batch_size=1)
np.save(sys.argv[3], extractor.extract(images).values)
"""


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, *map(str, arguments)], stderr=subprocess.PIPE, text=True
    )


def test_two_processes_may_write_at_once(images, tmp_path):
    np.save(tmp_path / "images.npy", np.stack(images * 6))
    outputs = [tmp_path / "one.npy", tmp_path / "two.npy"]
    workers = [start(tmp_path / "images.npy", tmp_path / "cache", output) for output in outputs]
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors
    expected = FeatureExtractor(("colour",)).extract(images * 6).values
    for output in outputs:
        np.testing.assert_array_equal(np.load(output), expected)
    with sqlite3.connect(stored(tmp_path / "cache")) as connection:
        assert connection.execute("SELECT count(*) FROM features").fetchone() == (8,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_full_disk_raises_one_line_and_leaves_the_file_intact(images, tmp_path):
    np.save(tmp_path / "images.npy", np.stack(images))
    extractor(tmp_path / "cache").extract(images[:2])
    size = stored(tmp_path / "cache").stat().st_size
    worker = start(tmp_path / "images.npy", tmp_path / "cache", tmp_path / "out.npy", size)
    _, errors = worker.communicate(timeout=120)
    assert "OutputError: cannot store features: " in errors.splitlines()[-1]
    np.testing.assert_array_equal(
        extractor(tmp_path / "cache").extract(images).values,
        FeatureExtractor(("colour",)).extract(images).values,
    )
