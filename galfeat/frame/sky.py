"""Level and noise of the sky in each channel, measured away from the galaxy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Sky pixels are outside an ellipse with axes of √2 times this fraction of the image's sides ...
BORDER = 0.72
#: ... or beyond this fraction of the half-width or half-height.
_RIM = 0.94
#: Maximum range of the values of a row or column of padding, in counts.
PADDING_SPAN = 3


@kernel
def trim_padding(rgb: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Return the box ``(y0, y1, x0, x1)`` of the image without flat rows and columns at the edge.

    Padded images, and images beyond the edge of a survey's field, have constant rows or
    columns there, which are not sky. A completely flat image keeps its full size.
    """
    height, width, _ = rgb.shape
    y0, y1, x0, x1 = 0, height, 0, width
    while y1 - y0 > 16 and _is_flat(rgb[y0, x0:x1]):
        y0 += 1
    while y1 - y0 > 16 and _is_flat(rgb[y1 - 1, x0:x1]):
        y1 -= 1
    while x1 - x0 > 16 and _is_flat(rgb[y0:y1, x0]):
        x0 += 1
    while x1 - x0 > 16 and _is_flat(rgb[y0:y1, x1 - 1]):
        x1 -= 1
    if y1 - y0 <= 16 or x1 - x0 <= 16:
        return 0, height, 0, width
    return y0, y1, x0, x1


@kernel
def _is_flat(line: NDArray[np.uint8]) -> bool:
    for channel in range(3):
        low = line[0, channel]
        high = low
        for i in range(line.shape[0]):
            low = min(low, line[i, channel])
            high = max(high, line[i, channel])
        if high - low > PADDING_SPAN:
            return False
    return True


@kernel
def sky_level(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return level and noise of the sky in each channel, shape (2, 3), in counts of 0 to 255.

    The clipped mode of the border: the mean of the values within two standard deviations
    of the median. The standard deviation is estimated from the values *below* the median,
    because stars and the wings of galaxies only add light.
    """
    height, width, _ = rgb.shape
    # Sky values are nearly equal: two alternating histograms avoid waiting for the previous count.
    counts = np.zeros((2, 3, 256), np.int32)
    half_y = 0.5 * (height - 1)
    half_x = 0.5 * (width - 1)
    for y in range(height):
        v = abs(y - half_y) / half_y
        inside = min(np.sqrt(max(2.0 * BORDER * BORDER - v * v, 0.0)), _RIM) * half_x
        first, last = int(np.ceil(half_x - inside)), int(np.floor(half_x + inside)) + 1
        if v > _RIM:
            first, last = width, width
        _count(rgb[y, :first], counts)
        _count(rgb[y, last:], counts)
    sky = np.empty((2, 3), np.float64)
    for channel in range(3):
        level, noise = _clipped_mode(counts[0, channel] + counts[1, channel])
        sky[0, channel] = level
        sky[1, channel] = noise
    return sky


@kernel
def _count(pixels: NDArray[np.uint8], counts: NDArray[np.int32]) -> None:
    """Count pixel values alternately in two histograms per channel."""
    values = pixels.reshape(-1)
    one, other = counts[0], counts[1]
    even = values.size - values.size % 6
    for i in range(0, even, 6):
        for channel in range(3):
            one[channel, values[i + channel]] += 1
            other[channel, values[i + 3 + channel]] += 1
    for channel in range(values.size - even):
        one[channel, values[even + channel]] += 1


@kernel
def _clipped_mode(counts: NDArray[np.int32]) -> tuple[float, float]:
    low_quartile = _quantile(counts, 0.16)
    median = _quantile(counts, 0.5)
    noise = max(median - low_quartile, 0.5)
    level = median
    for _ in range(4):
        total = 0.0
        weighted = 0.0
        squared = 0.0
        for value in range(256):
            if abs(value - level) <= 2.0 * noise + 0.5:
                total += counts[value]
                weighted += counts[value] * value
                squared += counts[value] * value * value
        if total == 0.0:
            break
        level = weighted / total
        # A normal distribution clipped at two standard deviations keeps 0.88 of its width.
        noise = max(np.sqrt(max(squared / total - level * level, 0.0)) / 0.88, 0.5)
    return level, noise


@kernel
def _quantile(counts: NDArray[np.int32], fraction: float) -> float:
    """Return the quantile of integers, each spread evenly over half a count to either side."""
    wanted = fraction * counts.sum()
    below = 0.0
    for value in range(256):
        if below + counts[value] >= wanted and counts[value] > 0:
            return value - 0.5 + (wanted - below) / counts[value]
        below += counts[value]
    return 255.0
