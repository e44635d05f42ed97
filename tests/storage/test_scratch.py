"""Large arrays in temporary files."""

import os

import numpy as np
import pytest

from galfeat.errors import OutputError
from galfeat.storage import scratch, scratch_folder


@pytest.fixture(autouse=True)
def small_minimum(monkeypatch):
    monkeypatch.setattr(scratch, "MINIMUM", 1000)


def in_file(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return array is not None


def test_only_large_arrays_within_the_block_are_in_files_without_names(tmp_path):
    with scratch_folder(tmp_path):
        array = scratch.large_array((10, 1000))
        array[:] = 3.0
        assert in_file(array)
        assert not in_file(scratch.large_array((2, 2)))
        assert list(tmp_path.iterdir()) == []
    assert array.sum() == 30_000.0
    assert not in_file(scratch.large_array((10, 1000)))


def test_blocks_nest_and_end_after_an_error(tmp_path):
    with pytest.raises(KeyError), scratch_folder(tmp_path), scratch_folder(tmp_path / "missing"):
        raise KeyError
    assert scratch._folder is None


def test_rows_and_columns_are_taken_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "_COPIED", 5000)
    table = np.random.default_rng(0).normal(size=(40, 300)).astype(np.float32)
    rows, columns = np.array([39, 4, 4, 0]), np.array([7, 299, 0])
    with scratch_folder(tmp_path):
        assert np.array_equal(scratch.take(table, rows), table[rows])
        assert np.array_equal(scratch.take(table, rows, columns), table[np.ix_(rows, columns)])
        assert scratch.take(table, rows[:0]).shape == (0, 300)


def test_a_full_disk_is_an_output_error(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with scratch_folder(tmp_path), pytest.raises(OutputError, match="No space left on device"):
        scratch.large_array((10, 1000))


def test_systems_without_fallocate_write_zeros(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate")
    with scratch_folder(tmp_path):
        assert not scratch.large_array((300, 1000)).any()


def test_a_missing_folder_is_an_output_error(tmp_path):
    with scratch_folder(tmp_path / "missing"), pytest.raises(OutputError, match="missing"):
        scratch.large_array((10, 1000))
