"""Local binary patterns: which of eight neighbours are as bright (Ojala et al. 2002)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Neighbours on the circle, and kinds of pattern: 0 to 8 bright ones in one arc, and the rest.
NEIGHBOURS, PATTERNS = 8, 10


@kernel
def binary_patterns(image: NDArray[np.float32], radius: int, tolerance: float) -> NDArray[np.uint8]:
    """Return the uniform rotation-invariant pattern of each pixel with its whole circle inside.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
    radius : int
        Radius of the circle of eight neighbours, in pixels. Those on the diagonals are
        interpolated bilinearly.
    tolerance : float
        A neighbour counts as bright if it is fainter than the centre by no more than this.

    Returns
    -------
    ndarray of uint8, shape (H - 2 radius, W - 2 radius)
        The number of bright neighbours, 0 to 8, if they lie in one arc, or else 9. A flat
        image has 8 everywhere. With a tolerance of 0 it is scikit-image's
        ``local_binary_pattern(image, 8, radius, "uniform")`` inside that margin.

    References
    ----------
    Ojala, Pietikäinen & Mäenpää 2002, IEEE Trans. Pattern Anal. Mach. Intell. 24, 971.
    """
    height, width = image.shape
    tall, wide = max(height - 2 * radius, 0), max(width - 2 * radius, 0)
    codes = np.empty((tall, wide), np.uint8)
    diagonal = np.round(radius * np.sqrt(0.5), 5)
    near = int(diagonal)
    far = near + 1
    part = np.float32(diagonal - near)
    w_far, w_near = part * part, (np.float32(1.0) - part) * (np.float32(1.0) - part)
    w_side = part * (np.float32(1.0) - part)
    least = np.float32(-tolerance)
    bright = np.zeros((NEIGHBOURS, wide), np.int8)
    for y in range(tall):
        centre = image[y + radius, radius:]
        for k in range(4):
            dy, dx = (0, radius, 0, -radius)[k], (radius, 0, -radius, 0)[k]
            other, out = image[y + radius + dy, radius + dx :], bright[2 * k]
            for x in range(wide):
                out[x] = other[x] - centre[x] >= least
            sy, sx = (1, 1, -1, -1)[k], (1, -1, -1, 1)[k]
            inner, outer = image[y + radius + sy * near], image[y + radius + sy * far]
            a, b = inner[radius + sx * near :], inner[radius + sx * far :]
            c, d = outer[radius + sx * near :], outer[radius + sx * far :]
            out = bright[2 * k + 1]
            for x in range(wide):
                middle = centre[x]
                difference = (
                    w_near * (a[x] - middle)
                    + w_side * ((b[x] - middle) + (c[x] - middle))
                    + w_far * (d[x] - middle)
                )
                out[x] = difference >= least
        out = codes[y]
        for x in range(wide):
            number, changes = np.int8(0), np.int8(0)
            for k in range(NEIGHBOURS):
                number += bright[k, x]
                changes += bright[k, x] ^ bright[(k + 1) % NEIGHBOURS, x]
            out[x] = number if changes <= 2 else NEIGHBOURS + 1
    return codes


@kernel
def pattern_shares(codes: NDArray[np.uint8], radius: float) -> NDArray[np.float64]:
    """Return how the patterns share the pixels of a disc about the middle, shape (10,).

    They sum to one; zeros where the disc holds no pixel.
    """
    height, width = codes.shape
    yc, xc = 0.5 * (height - 1), 0.5 * (width - 1)
    counts = np.zeros(PATTERNS, np.int64)
    for y in range(height):
        reach = radius * radius - (y - yc) * (y - yc)
        for x in range(width):
            if (x - xc) * (x - xc) <= reach:
                counts[codes[y, x]] += 1
    return counts / max(counts.sum(), 1)
