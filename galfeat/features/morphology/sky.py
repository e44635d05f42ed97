"""The sky around a galaxy, on native pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Distance at which sky pixels are assumed to be independent.
_APART = 12


@kernel
def _median(
    image: NDArray[np.float32], busy: NDArray[np.bool_], level: np.float32, reach: np.float32
) -> float:
    """Return the median of the sky pixels within a range around a level."""
    if not reach < np.inf:
        return float(level)
    counts = np.zeros(602, np.int64)
    scale = 300.0 / reach
    number = 0
    for y in range(0, image.shape[0], 4):
        row, hidden = image[y], busy[y]
        for x in range(image.shape[1]):
            above = row[x] - level
            if not hidden[x] and row[x] != 0.0 and abs(above) < reach:
                counts[int((above + reach) * scale)] += 1
                number += 1
    below = 0
    for k in range(602):
        if 2 * (below + counts[k]) >= number and counts[k] > 0:
            return (k + (0.5 * number - below) / counts[k]) / scale - float(reach - level)
        below += counts[k]
    return float(level)


@kernel
def sky_statistics(
    image: NDArray[np.float32], busy: NDArray[np.bool_], box: tuple[int, int, int, int]
) -> NDArray[np.float64]:
    """Return level, noise and mean difference of two pixels of the sky in a box, and its area.

    For the pixels outside all objects, clipped at three standard deviations, the level is the
    mode, 2.5 medians minus 1.5 means (Bertin & Arnouts 1996), and the noise the standard
    deviation. The median is computed from a quarter of the rows, to a hundredth of the noise.
    The difference is the mean absolute difference of pixels twelve rows or columns apart, which
    equals the sky's residual after a rotation. Zeros without sky.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
        Pixels that are exactly zero count as padding.
    busy : ndarray of bool, shape (H, W)
        Pixels of any object.
    box : tuple of int
        ``(y0, y1, x0, x1)``.
    """
    y0, y1, x0, x1 = box
    level, reach = np.float32(0.0), np.float32(np.inf)
    noise, number = 0.0, 0.0
    for turn in range(3):
        count, total, squares = 0.0, 0.0, 0.0
        # An eighth of the rows is sufficient to determine the clipping.
        for y in range(y0, y1, 8 if turn < 2 else 1):
            row, hidden = image[y, x0:x1], busy[y, x0:x1]
            n, t, s = np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for x in range(x1 - x0):
                value = row[x]
                weight = (
                    np.float32(not hidden[x])
                    * np.float32(value != 0.0)
                    * np.float32(abs(value - level) < reach)
                )
                n += weight
                t += weight * value
                s += weight * value * value
            count += float(n)
            total += float(t)
            squares += float(s)
        if count < 2.0:
            break
        number = count
        mean = total / count
        noise = np.sqrt(max(squares / count - mean * mean, 0.0))
        level, reach = np.float32(mean), np.float32(max(3.0 * noise, 1e-6))
    median = _median(image[y0:y1, x0:x1], busy[y0:y1, x0:x1], level, reach)
    mode = 2.5 * median - 1.5 * level
    difference, pairs = 0.0, 0.0
    for y in range(y0, y1):
        row, hidden = image[y, x0:x1], busy[y, x0:x1]
        n, t = np.float32(0.0), np.float32(0.0)
        for x in range(x1 - x0 - _APART):
            one, two = row[x], row[x + _APART]
            weight = (
                np.float32(not hidden[x])
                * np.float32(not hidden[x + _APART])
                * np.float32(max(abs(one - level), abs(two - level)) < reach)
            )
            n += weight
            t += weight * abs(one - two)
        if y + _APART < y1:
            below, hidden_below = image[y + _APART, x0:x1], busy[y + _APART, x0:x1]
            for x in range(x1 - x0):
                one, two = row[x], below[x]
                weight = (
                    np.float32(not hidden[x])
                    * np.float32(not hidden_below[x])
                    * np.float32(max(abs(one - level), abs(two - level)) < reach)
                )
                n += weight
                t += weight * abs(one - two)
        difference += float(t)
        pairs += float(n)
    result = np.zeros(4, np.float64)
    result[0] = mode
    result[1] = noise
    result[2] = difference / max(pairs, 1.0)
    result[3] = number
    return result
