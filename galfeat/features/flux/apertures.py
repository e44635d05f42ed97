"""Sums over ellipses with the exact area of each pixel inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Chords per row of pixels in apertures of many rows, and about this many in small ones.
_CHORDS, _TOTAL = 6, 180


@kernel
def running_sums(light: NDArray[np.float32], hidden: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the running sums of light and of visible pixels along rows, shape (2, H, W + 1)."""
    height, width = light.shape
    sums = np.empty((2, height, width + 1), np.float64)
    for y in range(height):
        total, seen = 0.0, 0.0
        sums[0, y, 0], sums[1, y, 0] = 0.0, 0.0
        for x in range(width):
            visible = np.float64(not hidden[y, x])
            total += visible * np.float64(light[y, x])
            seen += visible
            sums[0, y, x + 1], sums[1, y, x + 1] = total, seen
    return sums


@kernel
def chords_of(axis: float, least: int) -> int:
    """Return the number of chords into which a row of an aperture is divided."""
    return max(least, min(64, int(_TOTAL / max(2.0 * axis, 1.0))))


@kernel
def ellipse_sums(
    sums: NDArray[np.float64], yc: float, xc: float, axis: float, q: float, pa: float
) -> tuple[float, float]:
    """Return light and visible area within an ellipse.

    Each row of pixels is divided into thin strips. The overlap of a strip with each pixel is
    exact along x.

    Parameters
    ----------
    sums : ndarray of float64, shape (2, H, W + 1)
        From `running_sums`.
    yc, xc, axis : float
        Centre and semi-major axis, in pixels.
    q, pa : float
        Axis ratio and position angle (radians from x towards rising rows).
    """
    light, area = 0.0, 0.0
    if axis <= 0.0:
        return light, area
    height, width = sums.shape[1], sums.shape[2] - 1
    c, s = np.cos(pa), np.sin(pa)
    flat = 1.0 / (q * q)
    a, b = c * c + s * s * flat, c * s * (1.0 - flat)
    reach = axis * q * np.sqrt(a)
    chords = chords_of(min(reach, 0.5 * height), _CHORDS)
    first = max(int(np.floor(yc - reach + 0.5)), 0)
    last = min(int(np.floor(yc + reach + 0.5)), height - 1)
    for y in range(first, last + 1):
        low, high = max(y - 0.5, yc - reach), min(y + 0.5, yc + reach)
        step = (high - low) / chords
        if step <= 0.0:
            continue
        row, seen = sums[0, y], sums[1, y]
        strip_light, strip_area = 0.0, 0.0
        for k in range(chords):
            dy = low + (k + 0.5) * step - yc
            half = np.sqrt(max(a * axis * axis - dy * dy * flat, 0.0)) / a
            middle = xc - b * dy / a + 0.5
            left = min(max(middle - half, 0.0), np.float64(width))
            right = min(max(middle + half, 0.0), np.float64(width))
            i, j = min(int(left), width - 1), min(int(right), width - 1)
            u, v = left - i, right - j
            strip_light += row[j] - row[i] + v * (row[j + 1] - row[j]) - u * (row[i + 1] - row[i])
            strip_area += (
                seen[j] - seen[i] + v * (seen[j + 1] - seen[j]) - u * (seen[i + 1] - seen[i])
            )
        light += step * strip_light
        area += step * strip_area
    return light, area


@kernel
def annulus_mean(
    sums: NDArray[np.float64], yc: float, xc: float, axis: float, q: float, pa: float
) -> float:
    """Return the mean light of an elliptical annulus one pixel wide; 0 without visible area.

    As in photutils, the inner minor axis is scaled from the outer one.
    """
    outer, inner = (
        ellipse_sums(sums, yc, xc, axis + 0.5, q, pa),
        ellipse_sums(sums, yc, xc, axis - 0.5, q, pa),
    )
    area = outer[1] - inner[1]
    return (outer[0] - inner[0]) / area if area > 1e-9 else 0.0
