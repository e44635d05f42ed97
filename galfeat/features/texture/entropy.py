"""Shannon entropies of an image: of its levels, and of the distribution of its light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.texture.disc import chord
from galfeat.kernels import kernel


@kernel
def level_entropy(
    image: NDArray[np.float32], radius: float, low: float, high: float, bins: int
) -> float:
    """Return the entropy of the levels of a central disc over its maximum value.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
    radius : float
        Radius of the disc, in pixels.
    low, high : float
        Range of the histogram; values outside are counted in the outermost bins.
    bins : int
        Number of bins, at least 2.

    Returns
    -------
    float
        0 if all pixels have the same level, 1 if all levels are equally frequent; 0 if the
        disc contains no pixels.

    References
    ----------
    Ferrari, de Carvalho & Trevisan 2015, ApJ 814, 55.
    """
    height, width = image.shape
    # Adjacent pixels often share a level: four counts per level avoid waiting for the previous one.
    spread = np.zeros((4, bins), np.int64)
    scale = bins / (high - low)
    for y in range(height):
        first, end = chord(radius, y, height, width)
        for x in range(first, end):
            level = int(np.floor((image[y, x] - low) * scale))
            spread[x & np.uint64(3), min(max(level, 0), bins - 1)] += 1
    counts = spread[0] + spread[1] + spread[2] + spread[3]
    pixels = counts.sum()
    entropy = 0.0
    for count in counts:
        if count > 0:
            entropy -= count / pixels * np.log(count / pixels)
    return entropy / np.log(float(bins))


@kernel
def light_entropy(image: NDArray[np.float32], radius: float) -> float:
    """Return the entropy of the light in a central disc over its maximum value.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
        Pixels that are not positive contain no light.
    radius : float
        Radius of the disc, in pixels.

    Returns
    -------
    float
        0 if one pixel contains all the light, 1 if all contain the same; 0 without light.
    """
    height, width = image.shape
    yc, xc = 0.5 * (height - 1), 0.5 * (width - 1)
    total, weighted, pixels = 0.0, 0.0, 0
    for y in range(height):
        reach = radius * radius - (y - yc) * (y - yc)
        for x in range(width):
            if (x - xc) * (x - xc) <= reach:
                pixels += 1
                if image[y, x] > 0.0:
                    value = np.float64(image[y, x])
                    total += value
                    weighted += value * np.log(value)
    if total <= 0.0 or pixels < 2:
        return 0.0
    # For a single bright pixel, rounding errors may be slightly negative.
    return max(np.log(total) - weighted / total, 0.0) / np.log(float(pixels))
