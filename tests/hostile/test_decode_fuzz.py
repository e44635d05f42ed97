"""Damaged image files of all formats give pixels or an ImageError, soon."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from galfeat.data import open_dataset
from galfeat.data.readers import decode_file
from galfeat.data.readers.decode import decoding
from galfeat.errors import ImageError
from galfeat.web.uploads import decode_upload

GREY = np.linspace(0, 255, 24 * 20).reshape(24, 20).astype(np.uint8)
PICTURE = Image.fromarray(GREY)
EXIF = Image.Exif()
EXIF[0x0112] = 6
EXIF[0x011A] = 72.0
EXIF.get_ifd(0x8769)[0x9286] = b"comment"
PROFILE = b"\x00" * 132


def encoded(kind, picture=PICTURE, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


COLOUR, DEEP = PICTURE.convert("RGB"), Image.fromarray(GREY.astype(np.uint16) * 257)
FILES = {
    "JPEG": encoded("JPEG", exif=EXIF, icc_profile=PROFILE),
    "progressive": encoded("JPEG", COLOUR, progressive=True),
    "CMYK": encoded("JPEG", PICTURE.convert("CMYK")),
    "MPO": encoded("MPO", save_all=True, append_images=[PICTURE]),
    "PNG": encoded("PNG", COLOUR, exif=EXIF, icc_profile=PROFILE),
    "palette": encoded("PNG", PICTURE.convert("P"), transparency=3),
    "16 bits": encoded("PNG", DEEP),
    "APNG": encoded("PNG", save_all=True, append_images=[Image.fromarray(255 - GREY)]),
    "TIFF": encoded("TIFF", COLOUR, exif=EXIF),
    **{
        name: encoded("TIFF", picture, compression=compression)
        for name, picture, compression in [
            ("LZW", PICTURE, "tiff_lzw"), ("deflate", COLOUR, "tiff_adobe_deflate"),
            ("JPEG in TIFF", COLOUR, "jpeg"), ("fax", PICTURE.convert("1"), "group4"),
            ("floats", PICTURE.convert("F"), "raw"), ("deep", DEEP, "packbits"),
        ]
    },
    "WebP": encoded("WEBP", PICTURE.convert("RGBA"), exif=EXIF),
    "lossless WebP": encoded("WEBP", COLOUR, lossless=True),
    "GIF": encoded("GIF", PICTURE.convert("P"), comment=b"x" * 600, transparency=3),
    "animation": encoded("GIF", save_all=True, append_images=[Image.fromarray(255 - GREY)]),
    "BMP": encoded("BMP", COLOUR),
}  # fmt: skip


def repaired(content):
    """The file with correct checksums of its PNG chunks, so that damage is not found by them."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    content, place = bytearray(content), 8
    while place + 12 <= len(content):
        end = place + 8 + struct.unpack_from(">I", content, place)[0]
        if end + 4 <= len(content):
            content[end : end + 4] = struct.pack(">I", zlib.crc32(content[place + 4 : end]))
        place = end + 4
    return bytes(content)


@st.composite
def damaged(draw):
    """Image files with changed, removed and repeated bytes."""
    content = bytearray(FILES[draw(st.sampled_from(sorted(FILES)))])
    header = st.integers(0, min(300, len(content) - 1))
    places = draw(st.lists(header | st.integers(0, len(content) - 1), min_size=1, max_size=5))
    for place in places:
        kind = draw(st.sampled_from(["byte", "word", "cut", "remove", "repeat"]))
        if kind == "byte":
            content[place : place + 1] = bytes([draw(st.integers(0, 255))])
        elif kind == "word":
            word = draw(st.sampled_from([b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\1\0"]))
            content[place : place + 4] = word
        elif kind == "cut":
            del content[max(place, 30) :]
        elif kind == "remove":
            del content[place : place + draw(st.integers(1, 20))]
        else:
            content[place:place] = content[place : place + 40] * draw(st.integers(1, 50))
    return repaired(bytes(content))


def outcome(decode, source):
    """Return the text of the ImageError, or an empty one after checking the pixels."""
    with decoding():
        try:
            result = decode(source)
        except ImageError as error:
            return str(error)
    assert isinstance(result, np.ndarray)
    assert result.dtype == np.uint8
    assert result.ndim == 3
    assert result.shape[2] == 3
    assert result.size
    return ""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged") / "x.png"


@given(damaged())
def test_damaged_files_give_pixels_or_an_error(path, content):
    path.write_bytes(content)
    error = outcome(decode_file, path)
    assert "\n" not in error
    assert "x.png" in error or not error


@given(damaged())
def test_damaged_uploads_give_pixels_or_an_error(content):
    assert "\n" not in outcome(lambda content: decode_upload(content).pixels, content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", [0, 9, 65535, (1, 2)])
def test_an_invalid_orientation_is_ignored(tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    with decoding():  # which ignores warnings
        (tmp_path / "x.png").write_bytes(encoded(kind, exif=exif, quality=100))
    (pixels,) = open_dataset([tmp_path / "x.png"]).read([0])
    assert pixels.shape == (24, 20, 3)


def png(width, height, bits=8, colour=0, data=b"", *chunks):
    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def huge_tiff():
    content = bytearray(encoded("TIFF"))
    for tag in (b"\x00\x01", b"\x01\x01"):  # width and length, as 32 bits
        place = content.index(tag + b"\x04\0\x01\0\0\0")
        content[place + 8 : place + 12] = struct.pack("<I", 40_000)
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        png(40_000, 40_000), png(2**31 - 1, 2**31 - 1), png(0, 20), png(20, 0), png(2**32 - 1, 1),
        huge_tiff(), encoded("JPEG").replace(b"\0\x18\0\x14", b"\xff\xff\xff\xff"),
        encoded("JPEG").replace(b"\0\x18\0\x14", b"\0\0\0\x14"),
        png(4, 1, 5, 0, b"\0\0\1\2\3"),
        encoded("GIF").replace(struct.pack("<HH", 20, 24), b"\xff" * 4),
        encoded("BMP").replace(struct.pack("<II", 20, 24), struct.pack("<II", 40_000, 40_000)),
        encoded("WEBP", lossless=True)[:21] + b"\xff\xff\xff\x0f" + bytes(30),
        b"RIFF\x24\0\0\0WAVEfmt " + bytes(30),
    ],
    ids=["1.6e9 pixels", "4e18 pixels", "no width", "no height", "a line of 2**32 pixels",
         "TIFF of 1.6e9 pixels", "JPEG of 4e9 pixels", "JPEG without height", "5 bits",
         "GIF of 4e9 pixels", "BMP of 1.6e9 pixels", "WebP of 2.7e8 pixels", "sound"],
)  # fmt: skip
def test_impossible_headers_are_errors_of_their_rows(tmp_path, content):
    (tmp_path / "x.png").write_bytes(content)
    (result,) = open_dataset([tmp_path / "x.png"]).read([0])
    assert isinstance(result, ImageError)


def test_indices_beyond_the_palette_are_black(tmp_path):
    rows, black = b"\0\0\1\2\xff", [0, 0, 0]
    (tmp_path / "x.png").write_bytes(png(4, 1, 8, 3, rows, (b"PLTE", b"\xff\0\0\0\xff\0")))
    assert decode_file(tmp_path / "x.png")[0].tolist() == [[255, 0, 0], [0, 255, 0], black, black]
    (tmp_path / "x.png").write_bytes(png(4, 1, 8, 3, rows))  # no palette at all
    assert decode_file(tmp_path / "x.png")[0].tolist() == [black] * 4


@pytest.mark.parametrize("name", ["x.png", "x.fits"])
def test_a_pipe_without_a_writer_is_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(ImageError, match=f"{name}: it is not a regular file"):
        decode_file(tmp_path / name)


def test_a_device_and_a_folder_are_errors(tmp_path):
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "folder.png").mkdir()
    for name in ("zero.png", "folder.png"):
        with pytest.raises(ImageError, match=f"{name}: it is not a regular file"):
            decode_file(tmp_path / name)
