"""Real images, if available."""

import os
from pathlib import Path

import numpy as np
import pytest

from galfeat.data import open_dataset
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS

ROOT = os.environ.get("GALFEAT_TEST_DATA")

pytestmark = pytest.mark.skipif(
    ROOT is None, reason="GALFEAT_TEST_DATA names no folder of real images"
)


@pytest.fixture(scope="module")
def folder():
    return Path(ROOT) / "galaxyzoo-sdss"


def test_ten_classes_take_their_names_and_rows_without_are_counted(folder):
    data = open_dataset(folder, label="class_id").labelled()
    assert data.class_names == GALAXY10_DECALS
    assert np.bincount(data.labels).tolist() == [18, 112, 102, 131, 32, 71, 43, 16, 89, 109]
    assert data.skipped == 5279


def test_coarse_classes_and_sources(folder):
    data = open_dataset(folder, label="coarse")
    counts = dict(zip(data.class_names, np.bincount(data.labels[data.labels >= 0]), strict=True))
    assert counts == {"smooth": 3962, "edge-on": 987, "spiral": 787, "merger": 203}
    assert len(np.unique(data.sources)) == 3


def test_jpeg_files_decode_the_same_with_threads(folder):
    data = open_dataset(folder).select(np.arange(0, 6002, 200))
    for one, two in zip(data.read(range(31)), data.read(range(31), jobs=2), strict=True):
        assert one.shape == (400, 400, 3)
        np.testing.assert_array_equal(one, two)
