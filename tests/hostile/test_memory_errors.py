"""An image that needs more memory than is available fails alone."""

import contextlib
import resource
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from galfeat import FeatureExtractor, open_dataset
from galfeat.data import as_dataset
from galfeat.errors import ImageError
from galfeat.frame import Flag


@contextlib.contextmanager
def memory_limited(further):
    """Limit the address space of this process to what it uses and some bytes more."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + further, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_large_file_is_an_error_of_its_row(tmp_path, kind):
    Image.new("L", (8000, 8000)).save(tmp_path / "large.png", kind, compress_level=1)
    Image.new("L", (20, 20)).save(tmp_path / "small.png")
    data = open_dataset([tmp_path / "large.png", tmp_path / "small.png"])
    with memory_limited(100_000_000):
        large, small = data.read([0, 1])
    assert isinstance(large, ImageError)
    assert "large.png needs more memory than is available; cut out the galaxy" in str(large)
    assert small.shape == (20, 20, 3)


def test_a_large_picture_is_an_error_of_its_row():
    pictures = [Image.new("L", (8000, 8000)), Image.new("L", (20, 20))]
    with memory_limited(100_000_000):
        large, small = as_dataset(pictures).read([0, 1])
    assert isinstance(large, ImageError)
    assert "the picture needs more memory" in str(large)
    assert small.shape == (20, 20, 3)


def test_an_image_that_cannot_be_measured_is_an_error_of_its_row(monkeypatch, paint):
    from galfeat.features import measuring

    def measure(image):
        if len(image) == 100:
            raise MemoryError
        return measure_frame(image)

    measure_frame = measuring.measure_frame
    monkeypatch.setattr(measuring, "measure_frame", measure)
    table = FeatureExtractor(["colour"]).extract([paint(64), paint(100), paint(64)])
    assert list(table.errors) == [1]
    assert "an image of 100 by 100 pixels needs more memory" in str(table.errors[1])
    assert np.isnan(table.values[1, :-1]).all()
    assert table.values[1, -1] == Flag.UNREADABLE
    np.testing.assert_array_equal(table.values[0], table.values[2])
    assert np.isfinite(table.values[0]).any()
