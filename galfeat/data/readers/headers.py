"""Refuse image files that would keep a decoder busy, before decoding them.

A file of a few kilobytes can hold thousands of empty scans, or of strips that share their data,
and each costs a decoder as much as a whole image. Files written by cameras, telescopes and
image editors have few of them.
"""

from __future__ import annotations

import math
import os
import re
import struct
from pathlib import Path
from typing import IO

from PIL import Image as Pillow
from PIL import UnidentifiedImageError
from PIL.ImageFile import ImageFile

from galfeat.data.readers.pixels import check_pixels
from galfeat.errors import ImageError

#: Maximum number of scans of a JPEG image. Encoders write about 10 and optimisers about 20;
#: libtiff has the same limit for JPEG inside TIFF.
MAX_SCANS = 100
#: Maximum number of segments of a JPEG image, and of chunks of a PNG image without pixels:
#: tables, comments, 64 kB pieces of metadata.
MAX_PARTS = 1_000
#: Maximum number of chunks with pixels in a PNG image; libpng fills chunks of 8 kB.
MAX_PIXEL_CHUNKS = 100_000
#: Maximum number of bytes that belong to no segment of a JPEG image, and in total of an image in
#: a format whose decoder reads the whole file.
MAX_PADDING, MAX_FILE_BYTES = 1_000_000, 500_000_000
#: Maximum number of blocks of 255 bytes before the pixels of a GIF image: comments, metadata.
MAX_GIF_BLOCKS = 10_000
#: Maximum number of bytes of a run-length encoded BMP image, which Pillow decodes in Python.
MAX_RUN_LENGTH_BYTES = 8_000_000
#: Maximum number of times that a TIFF image may cover its pixels (as one strip per band does),
#: and read its file.
MAX_COVERS, MAX_READS = 6, 10
#: Number of pixels of a TIFF tile that may be larger than its image.
MAX_TILE = 4096 * 4096

_STARTS = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "TIFF": (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+"),
    "WEBP": (b"RIFF",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
}
_NAMES = {"WEBP": "WebP"}
FORMATS = ", ".join(_NAMES.get(kind, kind) for kind in list(_STARTS)[:-1]) + " or BMP"
# Not an escaped 0xff (00), a restart within a scan (d0 to d7) or padding (ff).
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_START_OF_SCAN, _END_OF_IMAGE, _FIRST_WITH_LENGTH = 0xDA, 0xD9, 0xC0
# Tags of TIFF: the image, its tiles, and the places and sizes of the data of strips or of tiles.
_WIDTH, _LENGTH, _TILE_WIDTH, _TILE_LENGTH = 256, 257, 322, 323
_DATA_OFFSETS, _DATA_SIZES = (273, 324), (279, 325)


def check_file(path: str | Path) -> str:
    """Return the format of an image file, for Pillow: JPEG, PNG, TIFF, WEBP, GIF or BMP.

    Raises
    ------
    UnidentifiedImageError
        If it has another format; the error is Pillow's.
    ImageError
        If it has more parts than any writer makes, or is a WebP image of more than Pillow's
        limit of pixels.

    Examples
    --------
    >>> from PIL import Image
    >>> from galfeat.data.readers.headers import check_file
    >>> Image.new("RGB", (20, 10)).save("galaxy.png")
    >>> check_file("galaxy.png")
    'PNG'
    """
    with Path(path).open("rb") as stream:
        start = stream.read(12)
        kind = next((kind for kind, starts in _STARTS.items() if start.startswith(starts)), None)
        if kind is None or (kind == "WEBP" and start[8:] != b"WEBP"):
            raise UnidentifiedImageError(f"not a {FORMATS} image")
        stream.seek(0)
        check_stream(stream, kind)
    return kind


def check_stream(stream: IO[bytes], kind: str) -> None:
    """Raise ImageError if an image has more parts than any writer makes.

    Parameters
    ----------
    stream : binary file
        At the start of the image; its position changes.
    kind : str
        Format of the image, as Pillow names it; TIFF has no such parts, see `check_strips`.
    """
    if kind in ("JPEG", "MPO"):
        _check_jpeg(stream.read(MAX_FILE_BYTES + 1))
    elif kind == "PNG":
        _check_png(stream)
    elif kind == "GIF":
        _check_gif(stream)
    elif kind == "WEBP":
        check_pixels(math.prod(webp_size(stream.read(30))))
        _check_count("bytes", stream.seek(0, os.SEEK_END), MAX_FILE_BYTES, "WebP")
    elif kind == "BMP":
        _check_bmp(stream)


def webp_size(header: bytes) -> tuple[int, int]:
    """Return width and height from the first 30 bytes of a WebP file (RFC 9649).

    Pillow allocates the pixels when it opens the file.

    Raises
    ------
    ImageError
        If it is no such file.
    """
    kind, data = header[12:16], header[20:30]
    if header[8:12] == b"WEBP" and len(data) == 10:
        if kind == b"VP8X":
            return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:], "little")
        if kind == b"VP8L":
            both = int.from_bytes(data[1:5], "little")
            return 1 + both % 2**14, 1 + both // 2**14 % 2**14
        if kind == b"VP8 ":
            sides = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:], "little")
            return sides[0] % 2**14, sides[1] % 2**14
    raise ImageError("the WebP image is damaged; replace the file")


def check_picture(picture: Pillow.Image) -> None:
    """Raise ImageError if decoding a PIL image would take very long or start a program.

    Images already decoded, or made in memory, are not checked.
    """
    if not isinstance(picture, ImageFile) or not picture.tile:
        return
    if picture.format == "EPS":
        raise ImageError(
            "the picture is PostScript, which runs as a program; convert it to PNG yourself, or "
            "call its load() before"
        )
    if picture.fp is None:
        return
    check_strips(picture)
    position = picture.fp.tell()
    try:
        # Frames of an MPO file follow each other.
        picture.fp.seek(picture.tile[0][2] if picture.format in ("JPEG", "MPO") else 0)
        check_stream(picture.fp, picture.format or "")
    finally:
        picture.fp.seek(position)


def check_strips(picture: ImageFile) -> None:
    """Raise ImageError if the strips of a TIFF image, not decoded yet, do not cover it once.

    Pillow leaves pixels black that no strip covers. Strips and tiles may share their data, so a
    small file can have very many of them.
    """
    if picture.format != "TIFF" or picture.fp is None:
        return
    width, height = picture.size
    boxes = [tile[1] or (0, 0, 0, 0) for tile in picture.tile]
    covered = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes)
    if covered < width * height:
        raise ImageError("the TIFF image lacks some of its strips or tiles; replace the file")
    tags = picture.tag_v2  # type: ignore[attr-defined]
    position = picture.fp.tell()
    picture.fp.seek(0, os.SEEK_END)
    file_size = picture.fp.tell()
    picture.fp.seek(position)
    sizes = next((tags[tag] for tag in _DATA_SIZES if tag in tags), ())
    if not sizes and boxes and picture.tile[0][0] == "libtiff":  # which assumes the whole file
        offsets = next((tags[tag] for tag in _DATA_OFFSETS if tag in tags), ())
        sizes = (file_size,) * len(offsets)
    if covered > MAX_COVERS * width * height or sum(sizes) > MAX_READS * file_size:
        raise ImageError(
            f"the TIFF image has {max(len(boxes), len(sizes)):,} strips or tiles that overlap; "
            "save it again without overlap"
        )
    # Tiles at the edges, and a single one, may be larger than the image.
    columns, rows = tags.get(_TILE_WIDTH, 1), tags.get(_TILE_LENGTH, 1)
    decoded = columns * -(-tags[_WIDTH] // columns) * rows * -(-tags[_LENGTH] // rows)
    if decoded > MAX_COVERS * max(width * height, MAX_TILE):
        raise ImageError(
            f"the TIFF image has tiles of {columns} by {rows} pixels; save it again in smaller "
            "tiles"
        )


def _check_jpeg(content: bytes) -> None:
    """Walk the segments of a JPEG image as libjpeg does, which skips anything between them."""
    _check_count("bytes", len(content), MAX_FILE_BYTES, "JPEG")
    scans = parts = padding = 0
    position = 2
    while (marker := _MARKER.search(content, position)) is not None:
        kind = content[marker.end() - 1]
        if kind == _END_OF_IMAGE:  # anything behind it, such as a preview, is not read
            return
        if not scans:
            padding += marker.start() - position
        scans += kind == _START_OF_SCAN
        parts += 1
        _check_count("scans", scans, MAX_SCANS, "JPEG")
        _check_count("segments", parts, MAX_PARTS, "JPEG")
        _check_count("bytes between segments", padding, MAX_PADDING, "JPEG")
        position = marker.end()
        if kind >= _FIRST_WITH_LENGTH and kind != 0xD8:
            position += max(2, int.from_bytes(content[position : position + 2], "big"))
    if not scans:
        _check_count("bytes between segments", len(content) - position, MAX_PADDING, "JPEG")


def _check_png(stream: IO[bytes]) -> None:
    parts = pixels = 0
    stream.seek(8, os.SEEK_CUR)
    while len(header := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", header)
        if kind == b"IEND":
            return
        holds_pixels = kind in (b"IDAT", b"fdAT", b"fcTL")
        pixels += holds_pixels
        parts += not holds_pixels
        _check_count("chunks of pixels", pixels, MAX_PIXEL_CHUNKS, "PNG")
        _check_count("chunks without pixels", parts, MAX_PARTS, "PNG")
        stream.seek(length + 4, os.SEEK_CUR)


def _check_gif(stream: IO[bytes]) -> None:
    """Walk the blocks before the first frame; Pillow reads no others to decode it."""
    start = stream.read(13)
    if len(start) == 13 and start[10] & 0x80:  # a table of colours
        stream.seek(3 << (start[10] % 8 + 1), os.SEEK_CUR)
    blocks = 0
    while (kind := stream.read(1)) and kind not in (b",", b";"):
        if kind == b"!":
            stream.seek(1, os.SEEK_CUR)
            while size := _byte(stream):
                stream.seek(size, os.SEEK_CUR)
                blocks += 1
                _check_count("blocks before its pixels", blocks, MAX_GIF_BLOCKS, "GIF")
        blocks += 1  # Pillow skips bytes of no block
        _check_count("blocks before its pixels", blocks, MAX_GIF_BLOCKS, "GIF")


def _byte(stream: IO[bytes]) -> int:
    """Return the next byte; 0 at the end."""
    return (stream.read(1) or b"\0")[0]


def _check_bmp(stream: IO[bytes]) -> None:
    header = stream.read(34)
    if len(header) < 34:
        return  # Pillow reports it, or reads an older header, without compression
    header_size, compression = struct.unpack_from("<I12xI", header, 14)
    if header_size >= 40 and compression in (1, 2):
        size = stream.seek(0, os.SEEK_END)
        _check_count("run-length encoded bytes", size, MAX_RUN_LENGTH_BYTES, "BMP")


def _check_count(what: str, count: int, most: int, kind: str) -> None:
    if count > most:
        raise ImageError(
            f"the {kind} image has more than {most:,} {what}, more than any camera or editor "
            "writes; open it in an image editor and save it again"
        )
