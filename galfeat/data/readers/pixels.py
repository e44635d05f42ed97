"""Convert images to uint8 RGB of shape (height, width, 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image as Pillow

from galfeat.errors import DataError, ImageError

EXPECTED = (
    "expected (H, W, 3), (3, H, W), (H, W, 1) or (H, W) of uint8, uint16, or float in 0 to 1 or 0 "
    "to 255"
)
BRIGHT = 128.0
"""Float images of which the brightest reaches this value are in 0 to 255."""

_CHANNELS, _MOST_CHANNELS = (1, 3), 4

_BLOCK = 2**20
TOO_LARGE = "not enough memory to read the image; cut out the galaxy, or run fewer jobs"


def to_rgb(image: NDArray[Any], *, full_scale: float = 1.0) -> NDArray[np.uint8]:
    """Convert one image to uint8 RGB.

    Parameters
    ----------
    image : ndarray, shape (H, W, 3), (H, W, 1) or (H, W), or channels first
        uint8 is kept; uint16 is divided by 257, which maps full scale to full scale; floats
        must lie in 0 to `full_scale`, which becomes 255. Either byte order is accepted. A grey
        image becomes three equal channels. Channels come first if there are 1 or 3 of them and
        the last axis has another length.
    full_scale : float
        Largest value of floats; see `full_scale_of`.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        In C order; the input itself if no conversion was needed.

    Raises
    ------
    ImageError
        If the image has another shape or type, no pixels or more than Pillow's limit
        (``PIL.Image.MAX_IMAGE_PIXELS``), or a float is NaN, infinite or outside the range.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.readers import to_rgb
    >>> to_rgb(np.full((8, 9), 7, np.uint8)).shape
    (8, 9, 3)
    """
    check_form(image.shape, image.dtype)
    if _channels_first(image.shape):
        image = np.moveaxis(image, 0, -1)
    pixels = _to_bytes(image.astype(image.dtype.newbyteorder("="), copy=False), full_scale)
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels)


def channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of an image with its channels last."""
    return (*shape[1:], shape[0]) if _channels_first(shape) else shape


def full_scale_of(images: Iterable[object]) -> float:
    """Return the full scale of the float images of one data set, 1 or 255.

    It is 255 if all values are in 0 to 255 and the brightest is at least 128. Values that are not
    finite, and images of other types, are ignored.

    Parameters
    ----------
    images : iterable
        Arrays; anything else is ignored.
    """
    low, high = np.inf, -np.inf
    for image in images:
        values = np.asarray(image) if hasattr(image, "__array__") else np.empty(0)
        if values.dtype.kind == "f":
            finite = values[np.isfinite(values)]
            low = min(low, float(finite.min(initial=np.inf)))
            high = max(high, float(finite.max(initial=-np.inf)))
    return 255.0 if low >= 0.0 and BRIGHT <= high <= 255.0 else 1.0


def rgb_or_error(
    image: ArrayLike | ImageError, place: str = "", *, full_scale: float = 1.0
) -> NDArray[np.uint8] | ImageError:
    """Return the RGB pixels of an image, or the error, with `place` before its message."""
    try:
        if isinstance(image, ImageError):
            raise image
        return to_rgb(np.asarray(image), full_scale=full_scale)
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
            f"{where} has shape {shape}; expected (n, H, W, 3), (n, 3, H, W) or (n, H, W), "
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
    shape = channels_last(shape)
    plain = len(shape) == 2 or (len(shape) == 3 and shape[2] in _CHANNELS)
    if not plain or dtype.newbyteorder("=") not in (np.uint8, np.uint16, np.float32, np.float64):
        raise ImageError(f"image of shape {shape} and type {dtype}; {EXPECTED}")
    if 0 in shape:
        raise ImageError(f"image of shape {shape} has no pixels; {EXPECTED}")
    check_pixels(shape[0] * shape[1])


def _channels_first(shape: tuple[int, ...]) -> bool:
    return len(shape) == 3 and shape[0] in _CHANNELS and min(shape[1:]) > _MOST_CHANNELS


def check_pixels(count: int) -> None:
    """Raise ImageError if an image has more pixels than Pillow decodes."""
    if Pillow.MAX_IMAGE_PIXELS is not None and count > Pillow.MAX_IMAGE_PIXELS:
        raise ImageError(
            f"image of {count:,} pixels; expected at most {Pillow.MAX_IMAGE_PIXELS:,}, Pillow's "
            "limit: cut out the galaxy"
        )


def _to_bytes(image: NDArray[Any], full_scale: float) -> NDArray[np.uint8]:
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
    if low < 0 or high > full_scale:
        raise ImageError(
            f"float image with values from {low:g} to {high:g}; expected 0 to 1 or 0 to "
            "255: undo a normalisation, or rescale the values"
        )
    if full_scale == 255:
        return _by_rows(image, np.rint)
    return _by_rows(image, lambda rows: np.rint(rows * (255 / full_scale)))


def _by_rows(
    image: NDArray[Any], convert: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[np.uint8]:
    """Convert some rows at a time, as intermediate results take much memory."""
    converted = np.empty(image.shape, dtype=np.uint8)
    count = max(1, _BLOCK * len(image) // image.size)
    for start in range(0, len(image), count):
        converted[start : start + count] = convert(image[start : start + count])
    return converted
