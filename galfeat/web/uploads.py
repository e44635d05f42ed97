"""Validate uploaded images before decoding them."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps

from galfeat.data.readers.decode import pixels_of
from galfeat.data.readers.headers import check_stream
from galfeat.errors import ImageError

#: Maximum number of bytes of an image, and of pixels along a side and in total. More than 600
#: pixels a side do not improve the measurement, and each pixel takes 45 bytes of memory.
MAX_BYTES, LONGEST_SIDE, MAX_PIXELS = 8_000_000, 4096, 1_500_000
MIN_SIDE = 16
_MAGIC = {"PNG": (b"\x89PNG\r\n\x1a\n",), "JPEG": (b"\xff\xd8\xff",), "WEBP": (b"RIFF",)}


def decode_upload(content: bytes) -> NDArray[np.uint8]:
    """Return the pixels of a PNG, JPEG or WebP image, shape (H, W, 3).

    The format is detected from the content. Size, number of frames and the limits of
    `galfeat.data.readers.headers` are checked before any pixel is decoded.

    Raises
    ------
    ImageError
        If the content is not such an image, or the image is damaged, animated, too large or too
        small, has more parts than any writer makes, or needs too much memory.
    """
    if len(content) > MAX_BYTES:
        raise ImageError(
            f"the image has {len(content):,} bytes; send at most {MAX_BYTES:,}, such as a cut-out"
        )
    kinds = [kind for kind, starts in _MAGIC.items() if content.startswith(starts)]
    if not kinds:
        raise ImageError("unknown image format; send a PNG, JPEG or WebP image")
    if kinds == ["WEBP"]:
        _check_size(*_webp_size(content))  # Pillow allocates the pixels on opening
    try:
        check_stream(io.BytesIO(content), kinds[0])
        with Pillow.open(io.BytesIO(content), formats=kinds) as picture:
            _check_header(picture)
            return pixels_of(ImageOps.exif_transpose(picture))
    except ImageError:
        raise
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
        raise ImageError(
            f"the image has far more than {MAX_PIXELS:,} pixels; send a cut-out of the galaxy"
        ) from error
    except MemoryError as error:
        raise ImageError(
            "the image takes too much memory to decode; save it again as a PNG or baseline JPEG "
            "image"
        ) from error
    except Exception as error:  # damaged files raise almost any exception in Pillow
        raise ImageError(
            "the image is damaged and cannot be decoded; send an intact file"
        ) from error


def _check_header(picture: Pillow.Image) -> None:
    _check_size(*picture.size)
    # The additional frames of an MPO file, written by cameras, are previews.
    if picture.format != "MPO" and getattr(picture, "n_frames", 1) != 1:
        raise ImageError("the image is animated; send a single frame")


def _check_size(width: int, height: int) -> None:
    if max(width, height) > LONGEST_SIDE or width * height > MAX_PIXELS:
        raise ImageError(
            f"the image has {width} by {height} pixels; send a cut-out with at most {LONGEST_SIDE} "
            f"pixels along a side and {MAX_PIXELS:,} in total"
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"the image has {width} by {height} pixels; send at least {MIN_SIDE} along each side"
        )


def _webp_size(content: bytes) -> tuple[int, int]:
    """Return width and height from the header of a WebP file (RFC 9649)."""
    kind, data = content[12:16], content[20:30]
    if content[8:12] == b"WEBP" and len(data) == 10:
        if kind == b"VP8X":
            return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:], "little")
        if kind == b"VP8L":
            both = int.from_bytes(data[1:5], "little")
            return 1 + both % 2**14, 1 + both // 2**14 % 2**14
        if kind == b"VP8 ":
            sides = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:], "little")
            return sides[0] % 2**14, sides[1] % 2**14
    raise ImageError("the WebP image is damaged; send an intact PNG, JPEG or WebP image")
