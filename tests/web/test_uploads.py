"""Files that are, or pretend to be, PNG, JPEG and WebP images."""

import contextlib
import io
import re
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from galfeat.errors import ImageError
from galfeat.web.uploads import LONGEST_SIDE, MAX_PIXELS, MEASURED_PIXELS, decode_upload

GREY = np.linspace(0, 255, 48 * 40).reshape(48, 40).astype(np.uint8)
PICTURE = Image.fromarray(GREY)


def encoded(kind, picture=PICTURE, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(kind, data):
    """A PNG file with an additional chunk before the pixels."""
    whole = encoded("PNG")
    place = whole.index(b"IDAT") - 4
    return whole[:place] + chunk(kind, data) + whole[place:]


def webp(kind, data):
    body = b"WEBP" + kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def wide_webp(side):
    """An animation canvas of any size around a small frame."""
    inner = encoded("WEBP", lossless=True)[12:]
    frame = bytes(6) + b"\x27\0\0\x2f\0\0" + bytes(4) + inner
    canvas = b"\x02\0\0\0" + 2 * (side - 1).to_bytes(3, "little")
    parts = [(b"VP8X", canvas), (b"ANIM", bytes(6)), (b"ANMF", frame)]
    return webp(b"", b"")[:12] + b"".join(
        kind + struct.pack("<I", len(data)) + data for kind, data in parts
    )


def huge_jpeg():
    """A JPEG file with a declared size of 65,535 pixels a side."""
    whole = encoded("JPEG")
    place = whole.index(b"\xff\xc0\x00") + 5
    return whole[:place] + b"\xff\xff\xff\xff" + whole[place + 4 :]


def archive():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("galaxy.png", encoded("PNG"))
    return stream.getvalue()


SECOND = Image.fromarray(255 - GREY)
BOMB_TEXT = zlib.compress(bytes(20_000_000))
LONG = Image.new("1", (LONGEST_SIDE + 1, 20))
LARGE = Image.new("1", (4200, MAX_PIXELS["PNG"] // 4200 + 1))
REFUSED = {
    "an animated PNG": encoded("PNG", save_all=True, append_images=[SECOND]),
    "an animated WebP": encoded("WEBP", save_all=True, append_images=[SECOND]),
    "a WebP of huge size": wide_webp(16384),
    "a WebP of huge size, lossy": webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f"),
    "a WebP of huge size, lossless": webp(b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(9)),
    "a WebP of no size": webp(b"VP8L", b"\x2f"),
    "a WebP of unknown kind": webp(b"ICCP", bytes(20)),
    "a JPEG of huge size": huge_jpeg(),
    "a thin PNG of one bit": encoded("PNG", LONG),
    "a large PNG of one bit": encoded("PNG", LARGE),
    "a PNG without a header": b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", zlib.compress(bytes(99))),
    "a PNG that is a JPEG": b"\x89PNG\r\n\x1a\n" + encoded("JPEG"),
    "a JPEG that is a PNG": b"\xff\xd8\xff" + encoded("PNG"),
    "a PNG of no width": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(8) + b"\x08\x02\0\0\0"),
    "a PNG with a bomb of text": png_with(b"zTXt", b"Comment\0\0" + BOMB_TEXT),
    "a zip archive": archive(),
    "a page": b"<!doctype html><script>alert(1)</script>",
    "JPEG 2000": encoded("JPEG2000"),
    "an icon": encoded("ICO"),
    "nothing": b"",
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_images_are_refused_before_allocating_memory(name):
    tracemalloc.start()
    try:
        with pytest.raises(ImageError, match=r"^[^\n]{20,180}$"):
            decode_upload(REFUSED[name])
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_no_memory_is_allocated_for_a_huge_webp():
    def reserved():
        with open("/proc/self/status", encoding="ascii") as status:
            return int(re.search(r"VmPeak:\s+(\d+)", status.read()).group(1))

    before = reserved()
    with pytest.raises(ImageError, match="16384 by 16384"):
        decode_upload(REFUSED["a WebP of huge size"])
    assert reserved() - before < 100_000  # its pixels would take a million kilobytes


PALETTE = PICTURE.convert("P")
TAKEN = {
    "PNG, one bit": (encoded("PNG", PICTURE.convert("1")), PICTURE.convert("1").convert("L")),
    "PNG, a palette": (encoded("PNG", PALETTE), PALETTE.convert("L")),
    "PNG, grey with a layer": (encoded("PNG", PICTURE.convert("LA")), PICTURE),
    "PNG, 16 bits": (encoded("PNG", Image.fromarray(GREY.astype(np.uint16) * 257)), PICTURE),
    "PNG, interlaced": (encoded("PNG", interlace=1), PICTURE),
    "PNG before a zip archive": (encoded("PNG") + archive(), PICTURE),
    "PNG before a script": (encoded("PNG") + b"<script>alert(1)</script>", PICTURE),
    "PNG, one frame": (encoded("PNG", save_all=True), PICTURE),
    "WebP without loss": (encoded("WEBP", PICTURE.convert("RGB"), lossless=True), PICTURE),
    "WebP with a layer": (encoded("WEBP", PICTURE.convert("RGBA"), lossless=True), PICTURE),
}


@pytest.mark.parametrize("name", TAKEN)
def test_all_encodings_decode_to_the_same_pixels(name):
    content, expected = TAKEN[name]
    pixels = decode_upload(content).pixels
    assert pixels.shape == (48, 40, 3)
    np.testing.assert_array_equal(pixels, np.asarray(expected)[:, :, None].repeat(3, axis=2))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_images_decode_close_to_the_original(mode, progressive):
    content = encoded("JPEG", PICTURE.convert(mode), quality=95, progressive=progressive)
    assert np.abs(decode_upload(content).pixels.astype(int) - GREY[:, :, None]).mean() < 4


def test_the_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was rotated
    upload = decode_upload(encoded("JPEG", quality=95, exif=exif))
    assert upload.pixels.shape == (40, 48, 3)
    assert upload[1:] == (48, 40, 1)


@pytest.mark.parametrize(
    "content",
    [
        png_with(b"iCCP", b"profile\0\0" + BOMB_TEXT),
        png_with(b"eXIf", bytes(range(256)) * 50),
        encoded("JPEG", exif=b"Exif\0\0" + bytes(range(256)) * 200),
        encoded("JPEG", comment=b"x" * 60_000),
        encoded("WEBP", exif=b"II*\0" + b"\xff" * 3000),
    ],
    ids=["profile", "EXIF in PNG", "EXIF in JPEG", "comment", "EXIF in WebP"],
)
def test_metadata_does_no_harm(content):
    tracemalloc.start()
    try:
        with contextlib.suppress(ImageError):
            assert decode_upload(content).pixels.shape == (48, 40, 3)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def wide(mode="RGB", size=(2400, 1701)):
    """A picture with more pixels than are measured, a smooth one except for a palette or a bit."""
    y, x = np.mgrid[: size[1], : size[0]]
    waves = 100 + 60 * np.sin(x / 90) + 60 * np.cos(y / 70)
    picture = Image.fromarray(waves.astype(np.uint8)).convert("RGB")
    return picture.convert(mode)


def means(picture, factor):
    """The means of squares of the visible pixels, which are black where they are transparent."""
    layers = np.asarray(picture.convert("RGBA")).astype(float)
    pixels = layers[:, :, :3] * layers[:, :, 3:] / 255
    height, width = pixels.shape[:2]
    edges = [np.arange(0, end, factor) for end in (height, width)]
    sums = np.add.reduceat(np.add.reduceat(pixels, edges[0], axis=0), edges[1], axis=1)
    counts = [np.diff(np.append(edge, end)) for edge, end in zip(edges, pixels.shape, strict=False)]
    return sums / (counts[0][:, None, None] * counts[1][:, None])


def layered():
    picture = wide("RGBA")
    picture.putalpha(wide("L"))
    return picture


def sixteen_bits():
    return Image.fromarray(np.asarray(wide("L")).astype(np.uint16) * 257)


REDUCED = {
    "PNG": (wide, wide, "PNG"),
    "PNG, grey": (lambda: wide("L"), wide, "PNG"),
    "PNG, one bit": (lambda: wide("1"), lambda: wide("1"), "PNG"),
    "PNG, a palette": (lambda: wide("P"), lambda: wide("P"), "PNG"),
    "PNG, a layer": (layered, layered, "PNG"),
    "PNG, 16 bits": (sixteen_bits, wide, "PNG"),
    "WebP": (wide, wide, "WEBP"),
    "WebP with a layer": (layered, layered, "WEBP"),
}
LOSSLESS = {"PNG": {"compress_level": 1}, "WEBP": {"lossless": True, "method": 0, "exact": True}}


@pytest.mark.parametrize("name", REDUCED)
def test_large_images_are_reduced_to_means_of_squares(name):
    sent, seen, kind = REDUCED[name]
    upload = decode_upload(encoded(kind, sent(), **LOSSLESS[kind]))
    assert upload[1:] == (2400, 1701, 2)
    assert upload.pixels.shape == (851, 1200, 3)
    assert np.abs(upload.pixels - means(seen(), 2)).max() < 1.5


@pytest.mark.parametrize(
    ("mode", "size"), [("RGB", (2000, 2000)), ("L", (3001, 2500)), ("CMYK", (4200, 3300))]
)
def test_large_jpeg_images_are_reduced_like_others(mode, size):
    picture = wide("RGB", size)
    upload = decode_upload(encoded("JPEG", picture.convert(mode), quality=95))
    assert (upload.width, upload.height) == size
    expected = means(picture, upload.factor)
    assert upload.pixels.shape == expected.shape
    assert np.abs(upload.pixels - expected).mean() < 1
    assert upload.pixels.shape[0] * upload.pixels.shape[1] <= MEASURED_PIXELS


def test_an_image_of_the_maximum_measured_size_is_not_reduced():
    picture = wide(size=(1500, 1000))
    upload = decode_upload(encoded("PNG", picture))
    assert upload[1:] == (1500, 1000, 1)
    np.testing.assert_array_equal(upload.pixels, np.asarray(picture))
    assert decode_upload(encoded("PNG", wide(size=(1501, 1000)))).factor == 2


@pytest.mark.parametrize("size", [(2000, 1999), (1999, 2000), (2501, 2500)])
def test_the_size_of_a_large_rotated_image_is_that_of_the_upright_one(size):
    exif = Image.Exif()
    exif[0x0112] = 6
    upload = decode_upload(encoded("JPEG", wide("L", size), exif=exif))
    assert (upload.height, upload.width) == size
    height, width = upload.pixels.shape[:2]
    assert (width, height) == (-(-size[1] // upload.factor), -(-size[0] // upload.factor))
