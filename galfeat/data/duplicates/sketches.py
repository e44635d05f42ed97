"""A small sketch of an image, to find other copies of it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SIDE = 32
"""Side of the map of structure."""

COARSE = 8
"""Side of the coarse colour image."""

LENGTH = SIDE * SIDE + COARSE * COARSE * 3
"""Bytes of a sketch."""

_SMOOTHING = 2.0
"""Scale, in pixels of the map, above which light counts as smooth."""

_NOISE = 0.7
"""Standard deviation, in grey levels, below which structure may be due to the encoding."""

_LARGE = 512
"""Side in pixels to which images of twice the side or more are reduced first."""

_LEVELS = 32
"""Levels of the map per standard deviation of the structure."""


def sketch(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a sketch of an image for `galfeat.data.duplicates.near_identical`.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    ndarray of uint8, shape (1216,)
        A map of the fine structure and the image at 8 by 8 pixels; see Notes. Zeros in the map,
        and so no structure, for an image of a single colour.

    Notes
    -----
    The brightness is reduced to 32 by 32 pixels by averaging areas. Smooth light is removed: a
    Gaussian mean and the median at each distance from the centre, which leaves noise, neighbours,
    arms and knots, and hardly anything of a smooth galaxy. The residual is divided by its local
    standard deviation, so that faint structure in the sky counts as much as a bright neighbour.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.duplicates import sketch
    >>> image = np.random.default_rng(0).integers(0, 99, (64, 64, 3), dtype=np.uint8)
    >>> sketch(image).shape
    (1216,)
    >>> sketch(np.full((64, 64, 3), 32, np.uint8))[:1024].any()
    np.False_
    """
    from PIL import Image

    picture = Image.fromarray(image)
    if min(picture.size) >= 2 * _LARGE:  # floats of a large image would need much memory
        picture = picture.reduce(min(picture.size) // _LARGE)
    grey = np.asarray(picture, np.float32) @ np.full(3, 1 / 3, np.float32)
    size = (SIDE, SIDE)
    reduced = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))
    coarse = picture.resize((COARSE, COARSE), Image.Resampling.BOX)
    levels = np.clip(np.rint(_structure(reduced) * _LEVELS), -127, 127).astype(np.int8)
    return np.concatenate([levels.ravel().view(np.uint8), np.asarray(coarse).ravel()])


def structure(sketches: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the maps of structure of sketches, shape (n, 32, 32)."""
    levels = np.ascontiguousarray(sketches[:, : SIDE * SIDE]).view(np.int8)
    return levels.reshape(-1, SIDE, SIDE) * np.float32(1 / _LEVELS)


def coarse(sketches: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the coarse images of sketches in grey levels, shape (n, 8, 8, 3)."""
    return sketches[:, SIDE * SIDE :].reshape(-1, COARSE, COARSE, 3).astype(np.float32)


def _structure(reduced: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the residual of the smooth light in units of its local standard deviation."""
    from scipy.ndimage import gaussian_filter

    residual = reduced - gaussian_filter(reduced, _SMOOTHING, mode="reflect")
    rings, middles = _rings()
    medians = residual.ravel()[np.lexsort((residual.ravel(), rings))[middles]]
    residual -= medians[rings].reshape(residual.shape)
    variance = gaussian_filter(residual**2, _SMOOTHING, mode="reflect")
    result: NDArray[np.float32] = residual / np.sqrt(variance + _NOISE**2)
    return result


@lru_cache(maxsize=1)
def _rings() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return each pixel's ring around the centre, and the middle of each ring if sorted by ring."""
    offsets = np.arange(SIDE) - (SIDE - 1) / 2
    rings = np.hypot(offsets[:, None], offsets).astype(np.intp).ravel()
    counts = np.bincount(rings)
    return rings, np.cumsum(counts) - counts + counts // 2
