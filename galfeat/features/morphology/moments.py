"""Box, centroid and ellipse of the galaxy's segment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel


@kernel
def split_labels(
    labels: NDArray[np.uint8], own: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the masks of one object and of all others."""
    height, width = labels.shape
    segment = np.empty((height, width), np.bool_)
    mask = np.empty((height, width), np.bool_)
    for y in range(height):
        row, one, other = labels[y], segment[y], mask[y]
        for x in range(width):
            one[x] = row[x] == own
            other[x] = (row[x] != 0) & (row[x] != own)
    return segment, mask


@kernel
def segment_moments(image: NDArray[np.float32], segment: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the moments of a segment's light and its box, shape (11,).

    Returns
    -------
    ndarray of float64
        Sums of I, I y, I x, I y², I x² and I x y; the number of pixels; and the half-open box
        ``y0, y1, x0, x1`` of the segment.
    """
    height, width = image.shape
    result = np.zeros(11, np.float64)
    y0, y1, x0, x1 = height, 0, width, 0
    for y in range(height):
        own = segment[y]
        found = np.uint8(0)
        for x in range(width):
            found |= np.uint8(own[x])
        if found == 0:
            continue
        low, high = 0, width
        while not own[low]:
            low += 1
        while not own[high - 1]:
            high -= 1
        y0, y1 = min(y0, y), y + 1
        x0, x1 = min(x0, low), max(x1, high)
        row = image[y]
        light, first, second, number = 0.0, 0.0, 0.0, 0.0
        for x in range(low, high):
            member = np.float64(own[x])
            value = member * float(row[x])
            number += member
            place = float(x)
            light += value
            first += value * place
            second += value * place * place
        result[0] += light
        result[1] += light * y
        result[2] += first
        result[3] += light * y * y
        result[4] += second
        result[5] += first * y
        result[6] += number
    result[7], result[8], result[9], result[10] = y0, y1, x0, x1
    return result


@kernel
def ellipse_about(moments: NDArray[np.float64], yc: float, xc: float) -> tuple[float, float]:
    """Return the axis ratio and the position angle of the light about a point.

    The axis ratio is that of a Gaussian with the same second moments, at least 0.02; the
    position angle is in radians from x towards rising rows. Thin sources are broadened by the
    variance of a pixel (Bertin & Arnouts 1996).
    """
    total = moments[0]
    my, mx = moments[1] / total - yc, moments[2] / total - xc
    yy = moments[3] / total - (moments[1] / total) ** 2 + my * my
    xx = moments[4] / total - (moments[2] / total) ** 2 + mx * mx
    xy = moments[5] / total - moments[1] / total * (moments[2] / total) + mx * my
    while abs(xx * yy - xy * xy) < 1.0 / 144.0:
        xx += 1.0 / 12.0
        yy += 1.0 / 12.0
    half = np.hypot(0.5 * (xx - yy), xy)
    one, two = abs(0.5 * (xx + yy) + half), abs(0.5 * (xx + yy) - half)
    q = np.sqrt(min(one, two) / max(one, two))
    return max(q, 0.02), 0.5 * np.arctan2(2.0 * xy, xx - yy)
