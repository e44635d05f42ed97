"""Local binary patterns: comparison of each pixel with eight neighbours (Ojala et al. 2002)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.texture.disc import chord
from galfeat.kernels import kernel

#: Number of neighbours, and of patterns: 0 to 8 bright neighbours in one arc, and all others.
NEIGHBOURS, PATTERNS = 8, 10


def _pattern_of_bits() -> NDArray[np.uint8]:
    """Return the pattern of each combination of bright neighbours, one bit per neighbour."""
    bright = np.arange(1 << NEIGHBOURS)[:, None] >> np.arange(NEIGHBOURS) & 1
    changes = np.abs(np.diff(bright, axis=1, append=bright[:, :1])).sum(axis=1)
    return np.where(changes <= 2, bright.sum(axis=1), PATTERNS - 1).astype(np.uint8)


_PATTERN_OF_BITS = _pattern_of_bits()
#: Number of counts per pattern, a power of 2: adjacent pixels often share a pattern, and an
#: increment need not wait for the previous one.
_SPREAD = 4


@kernel
def binary_patterns(image: NDArray[np.float32], radius: int, tolerance: float) -> NDArray[np.uint8]:
    """Return the uniform rotation-invariant pattern of each pixel with a circle inside the image.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
    radius : int
        Radius of the circle of eight neighbours, in pixels. Diagonal neighbours are
        interpolated bilinearly.
    tolerance : float
        A neighbour counts as bright if it is fainter than the centre by at most this.

    Returns
    -------
    ndarray of uint8, shape (H - 2 radius, W - 2 radius)
        The number of bright neighbours, 0 to 8, if they form one arc, otherwise 9. A flat
        image has 8 everywhere. With a tolerance of 0 it equals scikit-image's
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
    # All rows are processed as one line, long enough to vectorise well; comparisons across the
    # end of a row are discarded later. Indices are unsigned because numba tests every signed
    # index for negative values, pixel by pixel.
    line = np.ascontiguousarray(image).reshape(-1)
    number = max(tall * width - 2 * radius, 0)
    bits = np.zeros(number, np.uint8)
    own, pixels = np.uint64(radius * width + radius), np.uint64(number)
    for k in range(4):
        dy, dx = ((0, 1), (1, 0), (0, -1), (-1, 0))[k]
        other = np.uint64(radius * (1 + dy) * width + radius * (1 + dx))
        bit = np.uint8(1 << (2 * k))
        for i in range(pixels):
            bits[i] |= bit if line[i + other] - line[i + own] >= least else np.uint8(0)
        dy, dx = ((1, 1), (1, -1), (-1, -1), (-1, 1))[k]
        inner, outer = (radius + dy * near) * width, (radius + dy * far) * width
        a, b = np.uint64(inner + radius + dx * near), np.uint64(inner + radius + dx * far)
        c, d = np.uint64(outer + radius + dx * near), np.uint64(outer + radius + dx * far)
        bit = np.uint8(2 << (2 * k))
        for i in range(pixels):
            middle = line[i + own]
            difference = (
                w_near * (line[i + a] - middle)
                + w_side * ((line[i + b] - middle) + (line[i + c] - middle))
                + w_far * (line[i + d] - middle)
            )
            bits[i] |= bit if difference >= least else np.uint8(0)
    for y in range(tall):
        start = np.uint64(y * width)
        for x in range(np.uint64(wide)):
            codes[y, x] = _PATTERN_OF_BITS[bits[start + x]]
    return codes


@kernel
def pattern_shares(codes: NDArray[np.uint8], radius: float) -> NDArray[np.float64]:
    """Return the frequencies of the patterns in a central disc, shape (10,).

    They sum to one; zeros if the disc contains no pixels.
    """
    height, width = codes.shape
    counts = np.zeros((_SPREAD, PATTERNS), np.int64)
    for y in range(height):
        first, end = chord(radius, y, height, width)
        for x in range(first, end):
            counts[x & np.uint64(_SPREAD - 1), codes[y, x]] += 1
    shares, total = np.zeros(PATTERNS, np.float64), 0
    for part in range(_SPREAD):
        for pattern in range(PATTERNS):
            shares[pattern] += counts[part, pattern]
            total += counts[part, pattern]
    return shares / max(total, 1)
