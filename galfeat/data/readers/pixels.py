"""Convert images to uint8 RGB of shape (height, width, 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image as Pillow

from galfeat.errors import DataError, ImageError

EXPECTED = "expected (H, W, 3), (H, W, 1) or (H, W) of uint8, uint16, or float in 0 to 1"

_BLOCK = 2**20
TOO_LARGE = "not enough memory to read the image; cut out the galaxy, or run fewer jobs"


def to_rgb(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Convert one image to uint8 RGB.

    Parameters
    ----------
    image : ndarray, shape (H, W, 3), (H, W, 1) or (H, W)
        uint8 is kept; uint16 is divided by 257, which maps full scale to full scale; floats
        must lie in 0 to 1 and are multiplied by 255. Either byte order is accepted. A grey
        image becomes three equal channels.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        In C order; the input itself if no conversion was needed.

    Raises
    ------
    ImageError
        If the image has another shape or type, no pixels or more than Pillow's limit
        (``PIL.Image.MAX_IMAGE_PIXELS``), or a float is NaN, infinite or outside 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.readers import to_rgb
    >>> to_rgb(np.full((8, 9), 7, np.uint8)).shape
    (8, 9, 3)
    """
    check_form(image.shape, image.dtype)
    pixels = _to_bytes(image.astype(image.dtype.newbyteorder("="), copy=False))
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels)


def rgb_or_error(image: ArrayLike | ImageError, place: str = "") -> NDArray[np.uint8] | ImageError:
    """Return the RGB pixels of an image, or the error, with `place` before its message."""
    try:
        if isinstance(image, ImageError):
            raise image
        return to_rgb(np.asarray(image))
    except ImageError as error:
        return ImageError(f"{place}{error}")
    except MemoryError:
        return ImageError(f"{place}{TOO_LARGE}")


def check_stack(where: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise DataError unless an array of this shape and type is a stack of images.

    The error message begins with `where`.
    """
    if len(shape) not in (3, 4) or (len(shape) == 3 and shape[2] == 3):
        raise DataError(
            f"{where} has shape {shape}; expected (n, H, W, 3) or (n, H, W), "
            "and a single image as a stack of one"
        )
    if shape[0] == 0:
        raise DataError(f"{where} has shape {shape}, which holds no image; expected at least one")
    try:
        check_form(shape[1:], dtype)
    except ImageError as error:
        raise DataError(f"{where}: {error}") from error


def check_form(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise ImageError unless images of this shape and type can be read."""
    plain = len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))
    if not plain or dtype.newbyteorder("=") not in (np.uint8, np.uint16, np.float32, np.float64):
        raise ImageError(f"image of shape {shape} and type {dtype}; {EXPECTED}")
    if 0 in shape:
        raise ImageError(f"image of shape {shape} has no pixels; {EXPECTED}")
    check_pixels(shape[0] * shape[1])


def check_pixels(count: int) -> None:
    """Raise ImageError if an image has more pixels than Pillow decodes."""
    if Pillow.MAX_IMAGE_PIXELS is not None and count > Pillow.MAX_IMAGE_PIXELS:
        raise ImageError(
            f"image of {count:,} pixels; expected at most {Pillow.MAX_IMAGE_PIXELS:,}, Pillow's "
            "limit: cut out the galaxy"
        )


def _to_bytes(image: NDArray[Any]) -> NDArray[np.uint8]:
    if image.dtype == np.uint8:
        return cast(NDArray[np.uint8], image)
    if image.dtype == np.uint16:
        return _by_rows(image, lambda rows: (rows.astype(np.uint32) + 128) // 257)
    if not np.isfinite(image).all():
        count = int(np.size(image) - np.isfinite(image).sum())
        raise ImageError(
            f"image has {count} NaN or infinite values; replace them by the sky, or stretch it "
            "to uint8"
        )
    low, high = float(image.min()), float(image.max())
    if low < 0 or high > 1:
        raise ImageError(
            f"float image with values from {low:g} to {high:g}; expected 0 to 1, "
            "so divide it by its full scale"
        )
    return _by_rows(image, lambda rows: np.rint(rows * 255))


def _by_rows(
    image: NDArray[Any], convert: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[np.uint8]:
    """Convert some rows at a time, as intermediate results take much memory."""
    converted = np.empty(image.shape, dtype=np.uint8)
    count = max(1, _BLOCK * len(image) // image.size)
    for start in range(0, len(image), count):
        converted[start : start + count] = convert(image[start : start + count])
    return converted
