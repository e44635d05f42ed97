"""Files that store write errors."""

import os
import resource

import numpy as np
import pytest

from galfeat.storage.deferred import DeferredErrorFile


@pytest.fixture
def small_disk():
    """No file can be longer than 100 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_disk")
def test_what_could_not_be_written_is_read_from_memory(tmp_path):
    path = tmp_path / "a"
    path.touch()
    expected = bytearray()
    rng = np.random.default_rng(0)
    with DeferredErrorFile(path, "r+") as file:
        for _ in range(200):
            start, size = (int(number) for number in rng.integers(0, 150, 2))
            content = rng.bytes(size)
            file.seek(start)
            assert file.write(content) == size
            assert file.tell() == start + size
            if size:
                expected.extend(bytes(max(0, start + size - len(expected))))
                expected[start : start + size] = content
            assert file.seek(0, os.SEEK_END) == len(expected)
            start, size = (int(number) for number in rng.integers(0, 300, 2))
            file.seek(start)
            buffer = bytearray(b"x" * size)
            read = file.readinto(buffer)
            assert buffer[:read] == expected[start : start + size]
        with pytest.raises(OSError, match="File too large"):
            file.raise_failure()
    assert path.stat().st_size <= 100


def test_without_an_error_a_file_is_as_usual(tmp_path):
    path = tmp_path / "a"
    path.touch()
    with DeferredErrorFile(path, "r+") as file:
        file.write(b"galaxies")
        file.seek(3)
        buffer = bytearray(10)
        assert file.readinto(buffer) == 5
        assert file.truncate(4) == 4
        file.raise_failure()
    assert path.read_bytes() == b"gala"
