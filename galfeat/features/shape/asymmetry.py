"""Asymmetry: the difference between a galaxy and its half-turned or mirrored image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel


@kernel
def half_turn_difference(image: NDArray[np.float32], radius: float, y2: int, x2: int) -> float:
    """Return sum |I - I180| / sum |I| in a circle about the point (y2 / 2, x2 / 2).

    Half-turns about centres on the half-pixel grid map pixels to pixels, without interpolation.
    """
    height, width = image.shape
    yc, xc = 0.5 * y2, 0.5 * x2
    difference, total = np.float32(0.0), np.float32(0.0)
    for y in range(max(0, y2 - height + 1, int(yc - radius) + 1), min(height, y2 + 1)):
        dy = y - yc
        if dy > 0.0:  # the other half repeats the same pairs
            break
        reach = radius * radius - dy * dy
        if reach < 0.0:
            continue
        chord = np.sqrt(reach)
        low = max(0, x2 - width + 1, int(np.ceil(xc - chord)))
        high = x2 - low
        row, turned = image[y], image[y2 - y]
        weight = np.float32(1.0 if dy < 0.0 else 0.5)
        d, t = np.float32(0.0), np.float32(0.0)
        for x in range(low, high + 1):
            d += abs(row[x] - turned[x2 - x])
            t += abs(row[x]) + abs(turned[x2 - x])
        difference += weight * d
        total += weight * t
    return float(2.0 * difference / max(total, np.float32(1e-6)))


@kernel
def asymmetry(image: NDArray[np.float32], radius: float) -> NDArray[np.float64]:
    """Return the asymmetry at the best centre, that at the view's centre, and their distance.

    The best centre is found by descending in steps of one and half a pixel, at most a sixth of
    the circle's radius away from the view's centre.
    """
    last = image.shape[0] - 1
    y2, x2 = last, last
    first = half_turn_difference(image, radius, y2, x2)
    best = first
    farthest = radius / 3.0
    for step in (2, 1):
        for _ in range(10):
            next_y, next_x = y2, x2
            for dy, dx in ((-step, 0), (step, 0), (0, -step), (0, step)):
                if np.hypot(y2 + dy - last, x2 + dx - last) > farthest:
                    continue
                trial = half_turn_difference(image, radius, y2 + dy, x2 + dx)
                if trial < best:
                    best, next_y, next_x = trial, y2 + dy, x2 + dx
            if next_y == y2 and next_x == x2:
                break
            y2, x2 = next_y, next_x
    result = np.empty(3, np.float64)
    result[0] = best
    result[1] = first
    result[2] = 0.5 * np.hypot(y2 - last, x2 - last) / (0.5 * image.shape[0])
    return result


@kernel
def mirror_asymmetry(image: NDArray[np.float32], radius: float) -> NDArray[np.float64]:
    """Return sum |I - mirrored| / sum |I| in a circle, shape (2,).

    First with the image mirrored along x, then along y.
    """
    size = image.shape[0]
    middle = 0.5 * (size - 1)
    total = np.float32(0.0)
    along = np.float32(0.0)
    across = np.float32(0.0)
    for y in range(size):
        for x in range(size):
            if (y - middle) ** 2 + (x - middle) ** 2 < radius * radius:
                total += abs(image[y, x])
                along += abs(image[y, x] - image[y, size - 1 - x])
                across += abs(image[y, x] - image[size - 1 - y, x])
    result = np.empty(2, np.float64)
    result[0] = along / max(total, np.float32(1e-6))
    result[1] = across / max(total, np.float32(1e-6))
    return result
