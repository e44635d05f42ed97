"""Validate uploaded images before decoding them, and reduce large ones."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, ImageOps
from PIL import Image as Pillow

from galfeat.data.readers.decode import pixels_of
from galfeat.data.readers.headers import check_stream, webp_size
from galfeat.errors import ImageError

#: Maximum number of bytes of an image, those of 2,000 × 2,000 pixels in any format; and of pixels
#: along a side.
MAX_BYTES, LONGEST_SIDE = 12_500_000, 8192
#: Maximum number of pixels by format, so that none takes more than about 70 MB to decode: PNG holds
#: four bytes for each pixel, WebP four copies of them, progressive JPEG two bytes for each colour,
#: and other JPEG is reduced before all pixels are decoded.
MAX_PIXELS = {
    "JPEG": 27_000_000, "progressive JPEG": 12_000_000, "PNG": 16_800_000, "WebP": 4_200_000,
}  # fmt: skip
#: Maximum number of pixels measured; larger images are reduced. More than 600 pixels a side do not
#: improve the measurement, and each pixel takes 45 bytes of memory.
MEASURED_PIXELS = 1_500_000
MIN_SIDE = 16
_MAGIC = {"PNG": (b"\x89PNG\r\n\x1a\n",), "JPEG": (b"\xff\xd8\xff",), "WEBP": (b"RIFF",)}
#: Number of rows of a reduced image that are averaged at once.
_BAND = 64
#: EXIF orientations of images that lie on their side.
_TURNED = (5, 6, 7, 8)
#: Factors by which images are reduced, with the largest power of two that divides them.
FACTORS = {1: 1, 2: 2, 3: 1, 4: 4, 6: 2, 8: 8}


def _no_wait() -> None:
    pass


class Upload(NamedTuple):
    """A decoded upload.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        The image to measure, reduced if it was large.
    width, height : int
        Size of the image that was sent, upright.
    factor : int
        Number of pixels of that image, along each side, that one of `pixels` is the mean of.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> from galfeat.web.uploads import decode_upload
    >>> stream = io.BytesIO()
    >>> Image.new("RGB", (2000, 1500)).save(stream, "PNG")
    >>> upload = decode_upload(stream.getvalue())
    >>> upload.pixels.shape, upload.width, upload.height, upload.factor
    ((750, 1000, 3), 2000, 1500, 2)
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    factor: int


def decode_upload(content: bytes, wait_for_turn: Callable[[], None] = _no_wait) -> Upload:
    """Decode a PNG, JPEG or WebP image, and reduce it if it has too many pixels to measure.

    The format is detected from the content. Size, number of frames and the limits of
    `galfeat.data.readers.headers` are checked before any pixel is decoded. Images of up to
    `MEASURED_PIXELS` keep all pixels; of larger ones squares of 2, 3, 4, 6 or 8 pixels a side
    are averaged, which a JPEG decoder does in part itself.

    Parameters
    ----------
    content : bytes
    wait_for_turn : callable
        Called before an image with more pixels is decoded.

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
    (kind,) = kinds
    if kind == "WEBP":
        size = webp_size(content[:30])
        _check_size(*size, "WebP")
        if _factor(*size) > 1:
            wait_for_turn()  # Pillow allocates the pixels on opening
    try:
        check_stream(io.BytesIO(content), kind)
        with Pillow.open(io.BytesIO(content), formats=kinds) as picture:
            _check_header(picture, kind)
            if _factor(*picture.size) > 1 and kind != "WEBP":
                wait_for_turn()
            return _decoded(picture)
    except ImageError:
        raise
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
        raise ImageError(
            f"the image has far more than {max(MAX_PIXELS.values()):,} pixels; send a cut-out of "
            "the galaxy"
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


def _factor(width: int, height: int) -> int:
    """Return the factor by which an image is reduced."""
    return next(
        factor for factor in FACTORS
        if -(-width // factor) * -(-height // factor) <= MEASURED_PIXELS
    )  # fmt: skip


def _decoded(picture: Pillow.Image) -> Upload:
    width, height = picture.size
    factor = _factor(width, height)
    reduced = _reduced(picture, factor)
    pixels = pixels_of(ImageOps.exif_transpose(reduced))
    if reduced.getexif().get(ExifTags.Base.Orientation) in _TURNED:
        width, height = height, width
    return Upload(pixels, width, height, factor)


def _reduced(picture: Pillow.Image, factor: int) -> Pillow.Image:
    """Return an image, not decoded yet, with means of squares as pixels."""
    if factor == 1:
        return picture
    by_decoder, (width, height) = FACTORS[factor], picture.size
    picture.draft(None, (width // by_decoder, height // by_decoder))  # of JPEG, or else nothing
    if picture.size != (width, height):
        factor //= by_decoder
    if factor == 1:
        return picture
    # In bands: conversions copy all pixels, some of them several times.
    width, height = picture.size
    bands = [
        _averaged(picture.crop((0, top, width, min(top + factor * _BAND, height))), factor)
        for top in range(0, height, factor * _BAND)
    ]
    reduced = Pillow.new(bands[0].mode, (bands[0].width, sum(band.height for band in bands)))
    for position, band in enumerate(bands):
        reduced.paste(band, (0, position * _BAND))
    reduced.info = picture.info  # with the orientation
    return reduced


def _averaged(band: Pillow.Image, factor: int) -> Pillow.Image:
    """Return the means of squares of a few rows, in a mode that can have them."""
    if band.mode.startswith("I;16"):
        band = band.convert("I")
    elif band.has_transparency_data:
        band = band.convert("RGBA")
    elif band.mode in ("1", "P"):
        band = band.convert("RGB")
    return band.reduce(factor)


def _check_header(picture: Pillow.Image, kind: str) -> None:
    progressive = "progressive " if picture.info.get("progressive") else ""
    _check_size(*picture.size, progressive + kind.replace("WEBP", "WebP"))
    # The additional frames of an MPO file, written by cameras, are previews.
    if picture.format != "MPO" and getattr(picture, "n_frames", 1) != 1:
        raise ImageError("the image is animated; send a single frame")


def _check_size(width: int, height: int, kind: str) -> None:
    if max(width, height) > LONGEST_SIDE or width * height > MAX_PIXELS[kind]:
        raise ImageError(
            f"the image has {width} by {height} pixels; send at most {LONGEST_SIDE} along a side "
            f"and {MAX_PIXELS[kind]:,} in total in a {kind} image, such as a cut-out"
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"the image has {width} by {height} pixels; send at least {MIN_SIDE} along each side"
        )
