"""The galaxy's radii, from the growth of its light in ellipses about its centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Ratio of local to mean brightness that defines the Petrosian radius (Petrosian 1976).
ETA = 0.2


@kernel
def growth_curve(
    grey: NDArray[np.float32],
    labels: NDArray[np.uint8],
    galaxy: int,
    yc: float,
    xc: float,
    q: float,
    pa: float,
    reach: float,
) -> NDArray[np.float64]:
    """Return the light and area of elliptical rings one pixel wide along the major axis.

    Pixels of other objects or outside the image are replaced by the mean of their ring.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        The light and the area in pixels of each ring out to `reach`.
    """
    height, width = grey.shape
    rings = int(reach) + 1
    # Adjacent pixels mostly belong to the same ring: two alternating accumulators avoid waiting
    # for the previous addition. The last ring collects all pixels farther out.
    light, pixels = np.zeros((2, rings + 1), np.float64), np.zeros((2, rings + 1), np.float64)
    c, s = np.cos(pa), np.sin(pa)
    flat = 1.0 / (q * q)
    a, b, d = c * c + s * s * flat, c * s * (1.0 - flat), s * s + c * c * flat
    fa, fb, fd, two = np.float32(a), np.float32(b), np.float32(d), np.float32(2.0)
    half_height = rings * np.sqrt(s * s + q * q * c * c)
    ring_of, known = np.empty(width + 1, np.int32), np.zeros(width + 1, np.float32)
    zero, farthest = np.float32(0.0), np.float32(rings)
    y_low, y_high = max(0, int(yc - half_height)), min(height, int(yc + half_height) + 2)
    for y in range(y_low, y_high):
        dy = y - yc
        middle = xc - b * dy / a
        chord = np.sqrt(max(b * b * dy * dy - a * (d * dy * dy - rings * rings), 0.0)) / a
        left, right = max(0, int(middle - chord)), min(width, int(middle + chord) + 2)
        if right <= left:
            continue
        first, fy = np.float32(left - xc), np.float32(dy)
        row, label = grey[y, left:right], labels[y, left:right]
        for i in range(right - left):
            dx = first + np.float32(i)
            square = fa * dx * dx + two * fb * dx * fy + fd * fy * fy
            radius = np.sqrt(square if square > zero else zero)
            ring_of[i] = np.int32(radius if radius < farthest else farthest)
            known[i] = np.float32(label[i] == 0) + np.float32(label[i] == galaxy + 1)
        for i in range(right - left):
            light[i & 1, ring_of[i]] += known[i] * row[i]
            pixels[i & 1, ring_of[i]] += known[i]
    sums = np.empty((rings, 2), np.float64)
    mean = 0.0
    for ring in range(rings):
        number = pixels[0, ring] + pixels[1, ring]
        if number > 0.0:
            mean = (light[0, ring] + light[1, ring]) / number
        sums[ring, 1] = np.pi * q * (2.0 * ring + 1.0)
        sums[ring, 0] = mean * sums[ring, 1]
    return sums


@kernel
def radii_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Petrosian radius and r20, r50, r80, r90 from rings, in pixels.

    The Petrosian radius is where the brightness of a ring falls below 0.2 times the mean
    brightness within it. The total light is that within 1.5 Petrosian radii, or within the
    outermost ring; r20 to r90 contain 20 % to 90 % of it. All are semi-major axes of the
    rings' ellipse. If the brightness never falls that low, the Petrosian radius is the radius
    of the outermost ring.
    """
    rings = sums.shape[0]
    petrosian = float(rings - 1)
    light, pixels = 0.0, 0.0
    previous = 1.0
    for ring in range(rings):
        light += sums[ring, 0]
        pixels += sums[ring, 1]
        if ring < 2 or pixels <= 0.0 or light <= 0.0:
            continue
        near_light = sums[ring, 0] + sums[ring - 1, 0]
        near_pixels = sums[ring, 1] + sums[ring - 1, 1]
        if near_pixels <= 0.0:
            continue
        ratio = (near_light / near_pixels) / (light / pixels)
        if ratio < ETA:
            petrosian = ring - 1.0 + (previous - ETA) / max(previous - ratio, 1e-9)
            break
        previous = ratio
    result = np.empty(5, np.float64)
    result[0] = petrosian
    limit = min(int(1.5 * petrosian) + 1, rings)
    total, highest = 0.0, 0.0
    for ring in range(limit):
        total += sums[ring, 0]
        highest = max(highest, total)
    fractions = (0.2, 0.5, 0.8, 0.9)
    cumulative = 0.0
    k = 0
    for ring in range(limit):
        before = cumulative
        cumulative += sums[ring, 0]
        while k < 4 and cumulative >= fractions[k] * highest and cumulative > before:
            # Interpolate in area: within a ring, light grows with area, not with radius.
            part = (fractions[k] * highest - before) / (cumulative - before)
            inner = float(ring)
            result[1 + k] = np.sqrt(inner * inner + part * (2.0 * inner + 1.0))
            k += 1
    while k < 4:
        result[1 + k] = float(limit)
        k += 1
    return result
