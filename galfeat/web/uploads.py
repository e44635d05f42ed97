"""What a visitor sends, looked at with suspicion before any of it is decoded."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps

from galfeat.data.readers.decode import pixels_of
from galfeat.errors import ImageError

#: Bytes of one image, pixels along a side and in all. A galaxy is measured on 600 pixels a side as
#: well as on more, so nothing is lost by asking for a cut-out; and each pixel takes 45 bytes.
MAX_BYTES, LONGEST_SIDE, MAX_PIXELS = 8_000_000, 4096, 1_500_000
MIN_SIDE = 16
_MAGIC = {"PNG": (b"\x89PNG\r\n\x1a\n",), "JPEG": (b"\xff\xd8\xff",), "WEBP": (b"RIFF",)}


def decode_upload(content: bytes) -> NDArray[np.uint8]:
    """Return the pixels of a PNG, JPEG or WebP image, shape (H, W, 3).

    The kind is told by the content. Size and number of frames are read from the header, and
    refused there, before any pixel is decoded.

    Raises
    ------
    ImageError
        If it is not such an image, or is too large or too small.
    """
    if len(content) > MAX_BYTES:
        raise ImageError(
            f"the image has {len(content):,} bytes; send at most {MAX_BYTES:,}, a cut-out will do"
        )
    kinds = [kind for kind, starts in _MAGIC.items() if content.startswith(starts)]
    if not kinds:
        raise ImageError("this is no PNG, JPEG or WebP image; send one of these")
    if kinds == ["WEBP"]:
        _check_size(*_webp_size(content))  # Pillow makes room for the pixels when it opens the file
    try:
        with Pillow.open(io.BytesIO(content), formats=kinds) as picture:
            _check_header(picture)
            return pixels_of(ImageOps.exif_transpose(picture))
    except ImageError:
        raise
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
        raise ImageError(
            f"the image has far more than {MAX_PIXELS:,} pixels: cut out the galaxy"
        ) from error
    except Exception as error:  # a damaged file raises nearly anything inside Pillow
        raise ImageError("the image is damaged and cannot be decoded; send it again") from error


def _check_header(picture: Pillow.Image) -> None:
    _check_size(*picture.size)
    # The further pictures of an MPO file, as cameras write it, are previews.
    if picture.format != "MPO" and getattr(picture, "n_frames", 1) != 1:
        raise ImageError("the image is animated; send a single frame")


def _check_size(width: int, height: int) -> None:
    if max(width, height) > LONGEST_SIDE or width * height > MAX_PIXELS:
        raise ImageError(
            f"the image is {width} by {height} pixels; send at most {LONGEST_SIDE} along a side "
            f"and {MAX_PIXELS:,} in all: cut out the galaxy"
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"the image is {width} by {height} pixels; a galaxy needs {MIN_SIDE} at least"
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
    raise ImageError("this is no WebP image, or a damaged one; send a PNG, JPEG or WebP image")
