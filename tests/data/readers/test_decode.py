"""Image files of all formats, intact and damaged."""

import io

import numpy as np
import pytest
from PIL import Image

from galfeat.data import open_dataset
from galfeat.errors import ImageError


def read_one(path):
    (found,) = open_dataset([path]).read([0])
    return found


def gradient(height=6, width=8):
    return np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.TIFF"])
def test_lossless_formats_give_the_pixels_back(tmp_path, name):
    Image.fromarray(gradient()).save(tmp_path / name)
    np.testing.assert_array_equal(read_one(tmp_path / name), gradient())


def test_jpeg_is_near_the_pixels(tmp_path):
    smooth = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_one(tmp_path / "a.jpg").astype(int) - smooth).max() <= 3


def test_grey_becomes_three_equal_channels(tmp_path):
    Image.fromarray(gradient()[..., 0]).save(tmp_path / "a.png")
    found = read_one(tmp_path / "a.png")
    assert found.shape == (6, 8, 3)
    np.testing.assert_array_equal(found, np.repeat(gradient()[..., :1], 3, axis=2))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_keep_full_scale(tmp_path, name):
    deep = np.array([[0, 257, 128 * 257], [65535, 65534, 100]], np.uint16)
    Image.fromarray(deep).save(tmp_path / name)
    assert read_one(tmp_path / name)[..., 0].tolist() == [[0, 1, 128], [255, 255, 0]]


def test_palette_and_cmyk_become_rgb(tmp_path):
    red = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    Image.fromarray(red).quantize(4).save(tmp_path / "palette.png")
    np.testing.assert_array_equal(read_one(tmp_path / "palette.png"), red)
    Image.fromarray(red).convert("CMYK").save(tmp_path / "inks.tif")
    np.testing.assert_array_equal(read_one(tmp_path / "inks.tif"), red)


def test_transparent_is_black(tmp_path):
    layer = np.zeros((2, 2, 4), np.uint8)
    layer[..., 0] = 200
    layer[0, :, 3] = 255
    Image.fromarray(layer).save(tmp_path / "a.png")
    found = read_one(tmp_path / "a.png")
    assert found[0].tolist() == [[200, 0, 0]] * 2
    assert (found[1] == 0).all()


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    Image.fromarray(gradient()).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_one(tmp_path / "a.png"), np.rot90(gradient(), -1))


def test_float_tiff_from_0_to_1(tmp_path):
    Image.fromarray(np.array([[0, 0.5, 1]], np.float32)).save(tmp_path / "a.tif")
    assert read_one(tmp_path / "a.tif")[..., 1].tolist() == [[0, 128, 255]]


@pytest.mark.parametrize(
    ("values", "message"),
    [([0, np.nan], "1 NaN or infinite"), ([0, 40], "values from 0 to 40; expected 0 to 1")],
)
def test_float_tiff_with_other_values_is_an_error_of_its_row(tmp_path, values, message):
    Image.fromarray(np.array([values], np.float32)).save(tmp_path / "a.tif")
    found = read_one(tmp_path / "a.tif")
    assert isinstance(found, ImageError)
    assert message in str(found)
    assert "a.tif" in str(found)


def jpeg_bytes():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "jpeg")
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an image",
        jpeg_bytes()[: len(jpeg_bytes()) // 2],
        jpeg_bytes()[:20],
        b"\xff\xd8\xff" + bytes(500),
    ],
    ids=["empty", "text", "cut in half", "header only", "zeros"],
)
def test_damaged_files_are_errors_of_their_rows(tmp_path, content):
    (tmp_path / "bad.jpg").write_bytes(content)
    Image.fromarray(gradient()).save(tmp_path / "good.png")
    good, bad, missing, again = open_dataset(
        [tmp_path / name for name in ("good.png", "bad.jpg", "missing.jpg", "good.png")]
    ).read([0, 1, 2, 3], jobs=2)
    np.testing.assert_array_equal(good, gradient())
    np.testing.assert_array_equal(again, gradient())
    assert isinstance(bad, ImageError)
    assert "bad.jpg cannot be decoded" in str(bad)
    assert isinstance(missing, ImageError)
    assert "does not exist" in str(missing)


@pytest.mark.parametrize("factor", [1.5, 2.5], ids=["Pillow warns", "Pillow refuses"])
def test_decompression_bombs_are_errors(tmp_path, monkeypatch, factor):
    Image.fromarray(gradient(10, 10)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(100 / factor))
    found = read_one(tmp_path / "a.png")
    assert isinstance(found, ImageError)
    assert "pixels; cut out the galaxy first" in str(found)
