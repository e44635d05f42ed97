"""Summaries of the contents and defects of data sets."""

import json

import numpy as np
import pytest

from galfeat.data import ArrayDataSet, open_dataset, pixel_digest, summarise


def planted(tmp_path):
    """Eight galaxies with one defect of each kind."""
    images = np.random.default_rng(0).integers(0, 255, (8, 6, 6, 3), dtype=np.uint8)
    images[1] = images[0]
    images[3] = images[2]
    images[5] = 32
    np.savez(
        tmp_path / "a.npz",
        images=images,
        label=["s", "s", "s", "e", "e", "", "e", "s"],
        ra=[1, 2, 3, 4, 7, 7, 7, np.nan],
        dec=[1, 2, 3, 4, 7, 7, 7.01, np.nan],
        source=list("xxxxxxxy"),
    )
    return open_dataset(tmp_path / "a.npz")


def test_every_planted_defect_is_found(tmp_path):
    summary = summarise(planted(tmp_path))
    assert summary.images == 8
    assert summary.classes == {"e": 3, "s": 4}
    assert summary.unlabelled == 1
    assert summary.sources == {"x": 7, "y": 1}
    assert summary.sizes == {"6×6": 8}
    assert summary.blank == ["5"]
    assert summary.duplicates == [["0", "1"], ["2", "3"]]
    assert summary.conflicting_duplicates == [["2", "3"]]
    assert summary.conflicting_positions == [], "a row without a label is no conflict"
    assert summary.groups == 6, "rows 4, 5 and 6 show the same sky"
    assert summary.unreadable == {}


def test_same_position_and_different_labels(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        images=np.arange(5 * 12, dtype=np.uint8).reshape(5, 2, 2, 3),
        ans=[0, 1, 0, 1, 0],
        ra=[5, 5, np.nan, np.nan, 5],
        dec=[6, 6, np.nan, np.nan, 7],
    )
    assert summarise(open_dataset(tmp_path / "a.npz")).conflicting_positions == [["0", "1"]]


def test_unreadable_images_and_sizes_are_counted():
    images = [np.zeros((4, 5, 3), np.uint8), np.zeros((5, 4)), np.zeros((3, 3), complex)]
    images[0][0, 0] = 1
    steps = []
    summary = summarise(
        ArrayDataSet(images, ids=["a", "b", "c"]), progress=lambda done, total: steps.append(done)
    )
    assert summary.sizes == {"5×4": 1, "4×5": 1}
    assert list(summary.unreadable) == ["c"]
    assert "complex128" in summary.unreadable["c"]
    assert summary.blank == ["b"]
    assert steps == [3]


def test_json_lists_all_defects_and_text_some(tmp_path):
    images = np.zeros((9, 4, 4, 3), np.uint8)
    summary = summarise(ArrayDataSet(images))
    assert json.loads(json.dumps(summary.to_json()))["blank"] == [str(row) for row in range(9)]
    text = summary.to_text()
    assert "9 images\n  4×4: 9\nno labels\n" in text
    assert "9 blank (every pixel the same)\n  0\n  1\n  2\n  3\n  4\n  and 4 more" in text
    assert "1 sets of exact duplicates" in text


def test_digest_depends_on_pixels_and_shape_alone():
    image = np.random.default_rng(0).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    digest = pixel_digest(image)
    assert len(digest) == 16
    assert pixel_digest(np.asfortranarray(image)) == digest
    assert pixel_digest(np.repeat(image, 2, axis=0)[::2]) == digest
    assert pixel_digest(image.reshape(6, 4, 3)) != digest
    changed = image.copy()
    changed[0, 0, 0] ^= 1
    assert pixel_digest(changed) != digest


@pytest.mark.parametrize("jobs", [1, 3])
def test_threads_do_not_change_the_summary(tmp_path, jobs):
    assert summarise(planted(tmp_path), jobs=jobs) == summarise(planted(tmp_path))
