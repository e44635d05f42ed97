"""Files of many scans, segments, chunks or strips, which keep a decoder busy."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from galfeat.data import as_dataset
from galfeat.data.readers import decode_file
from galfeat.data.readers.headers import (
    MAX_COVERS,
    MAX_PADDING,
    MAX_PARTS,
    MAX_PIXEL_CHUNKS,
    MAX_READS,
    MAX_SCANS,
)
from galfeat.errors import ImageError
from galfeat.web.uploads import decode_upload

PIXELS = np.linspace(0, 255, 48 * 40).reshape(48, 40).astype(np.uint8)
PICTURE = Image.fromarray(PIXELS)
# A table of one code, "end of block", and a scan of the first component without data.
TABLE = b"\xff\xc4\x00\x14\x10\x01" + bytes(16)
SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00"
#: What may stand between two scans.
BETWEEN = {
    "nothing": b"",
    "data": b"\x12\x34\xff\x00",
    "padding": b"\xff\xff\xff",
    "garbage": b"garbage\x00",
    "restarts": b"\xff\xd0\xff\xd7",
    "a comment with a marker": b"\xff\xfe\x00\x04\xff\xd9",
    "a comment without a length": b"\xff\xfe\x00\x00",
}


def encoded(kind="JPEG", picture=PICTURE, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


PROGRESSIVE = encoded(progressive=True, quality=95)
OWN_SCANS = PROGRESSIVE.count(b"\xff\xda")


def with_scans(total, between=b"", base=PROGRESSIVE):
    """The image with empty scans before its end."""
    assert base.endswith(b"\xff\xd9")
    return base[:-2] + TABLE + (between + SCAN) * (total - OWN_SCANS) + b"\xff\xd9"


def segment(kind, data):
    return b"\xff" + bytes([kind]) + struct.pack(">H", len(data) + 2) + data


def inserted(data, base=PROGRESSIVE):
    """The image with data after its first marker."""
    return base[:2] + data + base[2:]


def chunk(kind, data=b""):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(chunks, before=b"IDAT"):
    whole = encoded("PNG")
    place = whole.index(before) - 4
    return whole[:place] + chunks + whole[place:]


def tiff(tags, data, width=40, height=48):
    """A grey TIFF file of given tags; `data` is at offset 8."""
    tags = {256: [width], 257: [height], 258: [8], 262: [1], 277: [1], **tags}
    values, entries, end = b"", [], 8 + len(data) + len(data) % 2
    start = end + 2 + 12 * len(tags) + 4
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        if len(packed) > 4:
            offset, values = start + len(values), values + packed
            packed = struct.pack("<I", offset)
        entries.append(struct.pack("<HHI", tag, 4, len(numbers)) + packed)
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", end) + data + bytes(len(data) % 2) + directory + values


@pytest.fixture(params=["file", "upload", "PIL image"])
def decode(request, tmp_path):
    """A function that decodes the content of an image file, in one of the ways there are."""

    def from_file(content):
        (tmp_path / "x.png").write_bytes(content)
        return decode_file(tmp_path / "x.png")

    def from_picture(content):
        (result,) = as_dataset(Image.open(io.BytesIO(content))).read([0])
        if isinstance(result, ImageError):
            raise result
        return result

    def from_upload(content):
        return decode_upload(content).pixels

    return {"file": from_file, "upload": from_upload, "PIL image": from_picture}[request.param]


@pytest.mark.parametrize("between", BETWEEN)
def test_an_image_with_the_maximum_of_scans_is_decoded(decode, between):
    content = with_scans(MAX_SCANS, BETWEEN[between])
    np.testing.assert_array_equal(decode(content), decode(PROGRESSIVE))


@pytest.mark.parametrize("between", BETWEEN)
def test_an_image_with_more_scans_is_refused(decode, between):
    with pytest.raises(ImageError, match=r"more than 100 scans, .*; open it in an image editor"):
        decode(with_scans(MAX_SCANS + 1, BETWEEN[between]))


def test_a_sequential_image_with_more_scans_is_refused(decode):
    base = encoded(quality=95)
    content = base[:-2] + base[base.index(b"\xff\xda") :][:-2] * MAX_SCANS + b"\xff\xd9"
    with pytest.raises(ImageError, match="more than 100 scans"):
        decode(content)


def test_previews_and_thumbnails_are_not_counted(decode):
    exif = segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + SCAN * 200)
    content = inserted(exif) + with_scans(900)
    np.testing.assert_array_equal(decode(content), decode(PROGRESSIVE))


def bomb_in_the_preview():
    """A camera's file whose second frame has too many scans."""
    content = encoded("MPO", save_all=True, append_images=[PICTURE], quality=95)
    return content[:-2] + with_scans(MAX_SCANS + 20)[PROGRESSIVE.index(b"\xff\xda") :]


def test_the_preview_of_a_camera_is_not_counted(decode):
    content = bomb_in_the_preview()
    assert content.count(b"\xff\xda") > MAX_SCANS
    np.testing.assert_array_equal(decode(content), decode(encoded(quality=95)))


def test_the_preview_of_a_camera_is_refused():
    with Image.open(io.BytesIO(bomb_in_the_preview())) as picture:
        picture.seek(1)
        (result,) = as_dataset([picture]).read([0])
    assert isinstance(result, ImageError)
    assert "more than 100 scans" in str(result)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (inserted(segment(0xE1, b"Exif\0\0" + bytes(90)) * (MAX_PARTS + 1)), "1,000 segments"),
        (inserted(b"\xff\xfe\0\0" * (MAX_PARTS + 1)), "1,000 segments"),
        (inserted(segment(0xFE, b"") + bytes(MAX_PADDING + 1)), "1,000,000 bytes between segments"),
        (inserted(b"\xff" * (MAX_PADDING + 1)), "1,000,000 bytes between segments"),
        (b"\xff\xd8\xff" + bytes(MAX_PADDING + 1), "1,000,000 bytes between segments"),
        (png_with(chunk(b"teSt") * (MAX_PARTS + 1)), "1,000 chunks without pixels"),
        (png_with(chunk(b"teSt") * (MAX_PARTS + 1), b"IEND"), "1,000 chunks without pixels"),
        (png_with(chunk(b"IDAT") * (MAX_PIXEL_CHUNKS + 1)), "100,000 chunks of pixels"),
    ],
    ids=["EXIF", "comments", "zeros", "padding", "only zeros", "chunks", "last chunks", "pixels"],
)
@pytest.mark.parametrize("way", ["file", "upload"])
def test_images_of_many_parts_are_refused(tmp_path, way, content, message):
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(ImageError, match=f"more than {message}"):
        decode_file(tmp_path / "x.jpg") if way == "file" else decode_upload(content)


def test_many_small_chunks_of_pixels_are_decoded(tmp_path):
    (tmp_path / "x.png").write_bytes(png_with(chunk(b"IDAT") * 2000))
    assert (decode_file(tmp_path / "x.png")[:, :, 0] == PIXELS).all()


def test_scans_of_a_jpeg_inside_a_tiff_are_limited(tmp_path):
    data = with_scans(300)
    tags = {259: [7], 273: [8], 278: [48], 279: [len(data)]}
    (tmp_path / "x.tif").write_bytes(tiff(tags, data))
    with pytest.raises(ImageError, match=r"x\.tif cannot be decoded"):
        decode_file(tmp_path / "x.tif")
    data = with_scans(50)
    (tmp_path / "x.tif").write_bytes(tiff({**tags, 279: [len(data)]}, data))
    (tmp_path / "x.jpg").write_bytes(PROGRESSIVE)
    pixels = decode_file(tmp_path / "x.tif")
    np.testing.assert_array_equal(pixels, decode_file(tmp_path / "x.jpg"))


def overlapping(strips):
    """An uncompressed TIFF file that is covered by its strips many times."""
    tags = {259: [1], 273: [8, 9] * strips, 278: [24], 279: [960, 960] * strips}
    return tiff(tags, PIXELS.tobytes())


def reread(copies):
    """A compressed TIFF file of 48 strips of shared, mostly unused data."""
    data = zlib.compress(PIXELS[:1].tobytes()) + bytes(10_000)
    if copies is None:  # the sizes of the strips are not given
        return tiff({259: [8], 273: [8] * 48, 278: [1]}, data)
    return tiff({259: [8], 273: [8] * 48, 278: [1], 279: [len(data) // 48 * copies] * 48}, data)


@pytest.mark.parametrize(
    "content", [overlapping(MAX_COVERS + 1), reread(MAX_READS + 2), reread(None)]
)
def test_overlapping_strips_are_refused(tmp_path, content):
    (tmp_path / "x.tif").write_bytes(content)
    with pytest.raises(ImageError, match=r"x\.tif: the TIFF image has \d+ strips .* overlap"):
        decode_file(tmp_path / "x.tif")
    with Image.open(tmp_path / "x.tif") as picture:
        (result,) = as_dataset([picture]).read([0])
    assert isinstance(result, ImageError)


@pytest.mark.parametrize("content", [overlapping(MAX_COVERS), reread(MAX_READS - 1)])
def test_few_overlapping_strips_are_decoded(tmp_path, content):
    (tmp_path / "x.tif").write_bytes(content)
    assert decode_file(tmp_path / "x.tif").shape == (48, 40, 3)


@pytest.mark.parametrize(("width", "height", "side"), [(40, 48, 40_000), (1, 1_000_000, 4096)])
def test_tiles_much_larger_than_the_image_are_refused(tmp_path, width, height, side):
    data = zlib.compress(bytes(16))
    tags = {259: [8], 322: [side], 323: [side], 324: [8], 325: [len(data)]}
    (tmp_path / "x.tif").write_bytes(tiff(tags, data, width, height))
    with pytest.raises(ImageError, match=f"tiles of {side} by {side} pixels; save it again"):
        decode_file(tmp_path / "x.tif")


def test_a_tile_larger_than_the_image_is_decoded(tmp_path):
    tile = np.zeros((256, 256), np.uint8)
    tile[:48, :40] = PIXELS
    data = zlib.compress(tile.tobytes())
    tags = {259: [8], 322: [256], 323: [256], 324: [8], 325: [len(data)]}
    (tmp_path / "x.tif").write_bytes(tiff(tags, data))
    assert (decode_file(tmp_path / "x.tif")[:, :, 0] == PIXELS).all()


def test_a_tiff_that_lacks_strips_is_refused(tmp_path):
    content = tiff({259: [1], 273: [8], 278: [24], 279: [960]}, PIXELS.tobytes())
    (tmp_path / "x.tif").write_bytes(content)
    with pytest.raises(ImageError, match=r"x\.tif: the TIFF image lacks some of its strips"):
        decode_file(tmp_path / "x.tif")


def test_a_tiff_whose_directories_form_a_circle_is_decoded(tmp_path):
    content = bytearray(tiff({259: [1], 273: [8], 278: [48], 279: [1920]}, PIXELS.tobytes()))
    content[-4:] = content[4:8]  # the next directory is the first
    (tmp_path / "x.tif").write_bytes(content)
    assert (decode_file(tmp_path / "x.tif")[:, :, 0] == PIXELS).all()


def test_the_command_line_reports_the_image_and_measures_the_others(tmp_path, run_limited):
    folder = tmp_path / "cutouts"
    folder.mkdir()
    (folder / "bomb.jpg").write_bytes(with_scans(400_000))
    (folder / "good.png").write_bytes(encoded("PNG"))
    done = run_limited("extract", folder, "-o", "features.csv")
    assert done.returncode == 3, done.stderr
    assert "more than 100 scans" in (tmp_path / "features.csv").read_text()
