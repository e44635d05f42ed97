"""Image files of all formats, intact and damaged."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from galfeat.data import open_dataset
from galfeat.data.readers.headers import MAX_GIF_BLOCKS, MAX_RUN_LENGTH_BYTES
from galfeat.errors import ImageError


def read_one(path):
    (found,) = open_dataset([path]).read([0])
    return found


def gradient(height=6, width=8):
    return np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.TIFF", "a.bmp", "a.BMP"])
def test_lossless_formats_give_the_pixels_back(tmp_path, name):
    Image.fromarray(gradient()).save(tmp_path / name)
    np.testing.assert_array_equal(read_one(tmp_path / name), gradient())


def test_webp_and_gif(tmp_path):
    Image.fromarray(gradient()).save(tmp_path / "a.webp", lossless=True)
    np.testing.assert_array_equal(read_one(tmp_path / "a.webp"), gradient())
    grey = gradient()[..., 0]
    Image.fromarray(grey).save(tmp_path / "a.gif")
    np.testing.assert_array_equal(read_one(tmp_path / "a.gif"), np.repeat(grey[..., None], 3, 2))
    assert len(open_dataset(tmp_path)) == 2


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_only_the_first_frame_of_an_animation_is_decoded(tmp_path, kind, monkeypatch):
    frames = [Image.new("L", (40, 30), shade) for shade in (200, *range(60))]
    options = {"lossless": True} if kind == "webp" else {}
    frames[0].save(tmp_path / f"a.{kind}", save_all=True, append_images=frames[1:], **options)
    first = read_one(tmp_path / f"a.{kind}")
    assert (first == 200).all()
    content = (tmp_path / f"a.{kind}").read_bytes()
    if kind == "gif":  # the other frames may be missing
        (tmp_path / "a.gif").write_bytes(content[: len(content) // 8])
        assert (read_one(tmp_path / "a.gif") == 200).all()


def run_length_encoded(width, height, pixels):
    """A BMP file of run-length encoded pixels, with a palette of greys."""
    palette = b"".join(bytes([shade, shade, shade, 0]) for shade in range(256))
    start = 14 + 40 + len(palette)
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(pixels), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + head + palette + pixels


def test_a_run_length_encoded_bitmap_is_read_up_to_a_size(tmp_path):
    row = b"\x08\xc8\0\0"  # eight pixels of 200, end of line
    (tmp_path / "a.bmp").write_bytes(run_length_encoded(8, 3, row * 3 + b"\0\1"))
    assert (read_one(tmp_path / "a.bmp") == 200).all()
    long = run_length_encoded(8, 3, b"\0\0" * (MAX_RUN_LENGTH_BYTES // 2))
    (tmp_path / "a.bmp").write_bytes(long)
    assert "more than 8,000,000 run-length encoded bytes" in str(read_one(tmp_path / "a.bmp"))


def test_a_gif_of_countless_comments_is_refused(tmp_path):
    stream = io.BytesIO()
    Image.fromarray(gradient()[..., 0]).save(stream, "GIF")
    content = stream.getvalue()
    place = 13 + (6 << content[10] % 8)  # behind the table of colours
    for blocks in (MAX_GIF_BLOCKS - 10, MAX_GIF_BLOCKS + 10):
        comment = b"!\xfe" + b"\x01x" * blocks + b"\0"
        (tmp_path / "a.gif").write_bytes(content[:place] + comment + content[place:])
        found = read_one(tmp_path / "a.gif")
        if blocks < MAX_GIF_BLOCKS:
            assert found.shape == (6, 8, 3)
        else:
            assert "more than 10,000 blocks before its pixels" in str(found)


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
