"""Validation of images."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import ImageError

#: Minimum side of an image, in pixels: room for a galaxy and the sky around it.
MIN_SIDE = 16


def as_rgb(image: ArrayLike) -> NDArray[np.uint8]:
    """Check an image and return it as 8-bit RGB, C-contiguous and writable.

    Kernels are compiled for such arrays; if the image is one, it is returned without a copy.

    Parameters
    ----------
    image : array-like
        ``(H, W, 3)`` or ``(H, W)`` of uint8. Grey becomes three equal channels.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)

    Raises
    ------
    ImageError
        If the shape or the dtype is wrong, or a side is shorter than 16 pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.frame import as_rgb
    >>> as_rgb(np.zeros((32, 48), np.uint8)).shape
    (32, 48, 3)
    """
    array = np.asarray(image)
    if array.ndim == 2:
        array = np.repeat(array[:, :, None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3:
        raise ImageError(
            f"an image has shape {np.shape(image)}; expected (height, width, 3) or "
            "(height, width): pass one image per galaxy, colours last"
        )
    if array.dtype != np.uint8:
        raise ImageError(
            f"an image has dtype {array.dtype}; expected uint8 from 0 to 255: "
            "stretch it to a display image first"
        )
    if min(array.shape[:2]) < MIN_SIDE:
        raise ImageError(
            f"an image has {array.shape[0]}×{array.shape[1]} pixels; expected at least "
            f"{MIN_SIDE} on a side: cut a larger region"
        )
    return np.require(array, requirements=["C", "W"])


def is_grey(rgb: NDArray[np.uint8]) -> bool:
    """Return whether the channels of an image are equal everywhere.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
    """
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    if not np.array_equal(red[::8, ::8], blue[::8, ::8]):  # as in nearly all colour images
        return False
    return bool(np.array_equal(red, green) and np.array_equal(green, blue))
