"""Asymmetries: differences between an image and its half-turn about a point.

The image is turned about any point by linear interpolation; beyond its edge it is zero. The
centre of minimum asymmetry is found with the simplex of Nelder & Mead (1965), from the centroid,
as in Rodriguez-Gomez et al. (2019).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.flux.apertures import chords_of
from galfeat.kernels import kernel

#: Asymmetry outside the image, or of an aperture without light.
OUTSIDE = 100.0
_MAX_EVALUATIONS = 400
#: Sizes of the simplex, in pixels, and of its differences in asymmetry that end the search.
_SMALL, _ALIKE = 3e-4, 1e-4
#: Chords per row of pixels.
_CHORDS = 4


@kernel
def flipped(values: NDArray[np.float32], beyond: float) -> NDArray[np.float32]:
    """Return the half-turned array with margins: a row, and one and a bit of its own width."""
    height, width = values.shape
    result = np.full((height + 2, 3 * width + 4), np.float32(beyond), np.float32)
    for y in range(height):
        row, target = values[y], result[height - y, width + 2 : 2 * width + 2]
        for x in range(width):
            target[width - 1 - x] = row[x]
    return result


@kernel
def turned_sums(
    light: NDArray[np.float32],
    turned: NDArray[np.float32],
    seen: NDArray[np.float32],
    seen_turned: NDArray[np.float32],
    whole: bool,
    centre: tuple[float, float],
    outer: float,
    ellipse: tuple[float, float],
    squared: bool,
) -> tuple[float, float, float]:
    """Return sums over an ellipse: of differences from the half-turn, of light, and the area.

    Parameters
    ----------
    light, turned : ndarray of float32
        The image and its `flipped` copy.
    seen, seen_turned : ndarray of float32
        1 where visible, and its `flipped` copy; ignored if `whole`.
    whole : bool
        Whether all pixels are visible.
    centre : tuple of float
        Row and column to turn about.
    outer : float
        Semi-major axis.
    ellipse : tuple of float
        Axis ratio and position angle.
    squared : bool
        Whether to sum squares instead of absolute values.
    """
    height, width = light.shape
    wide = turned.shape[1]
    yc, xc = centre
    q, pa = ellipse
    c, s = np.cos(pa), np.sin(pa)
    flat = 1.0 / (q * q)
    a, b = c * c + s * s * flat, c * s * (1.0 - flat)
    reach = outer * q * np.sqrt(a)
    chords = chords_of(min(reach, 0.5 * height), _CHORDS)
    first = max(int(np.floor(yc - reach + 0.5)), 0)
    last = min(int(np.floor(yc + reach + 0.5)), height - 1)
    lefts, rights = np.empty(chords, np.float64), np.empty(chords, np.float64)
    source, around = light.reshape(-1), turned.reshape(-1)
    visible, visible_turned = seen.reshape(-1), seen_turned.reshape(-1)
    # Column c of the image is column 2 width + 1 - c of the turned one, row r is height - r.
    column = int(np.floor(2.0 * xc))
    fx = np.float32(2.0 * xc - column)
    shift = 2 * width + 1 - column
    near_shift = 2 * width + 1 - int(np.floor(2.0 * xc + 0.5))
    near_row = int(np.floor(2.0 * yc + 0.5))
    unit, zero = np.float32(1.0), np.float32(0.0)
    difference, total, area = 0.0, 0.0, 0.0
    for y in range(first, last + 1):
        low, high = max(y - 0.5, yc - reach), min(y + 0.5, yc + reach)
        step = (high - low) / chords
        if step <= 0.0:
            continue
        lowest, highest, leftmost, rightmost = np.float64(width), 0.0, 0.0, np.float64(width)
        for k in range(chords):
            dy = low + (k + 0.5) * step - yc
            middle = xc - b * dy / a + 0.5
            root = np.sqrt(max(a * outer * outer - dy * dy * flat, 0.0)) / a
            left = min(max(middle - root, 0.0), np.float64(width))
            right = min(max(middle + root, 0.0), np.float64(width))
            lefts[k], rights[k] = left, right
            lowest, leftmost = min(lowest, left), max(leftmost, left)
            highest, rightmost = max(highest, right), min(rightmost, right)
        start, end = int(lowest), min(int(np.ceil(highest)), width)
        if end <= start:
            continue
        in_start, in_end = int(np.ceil(leftmost)), int(rightmost)
        if in_end <= in_start:
            in_start, in_end = end, end
        place = 2.0 * yc - y
        row = int(np.floor(place))
        fy = np.float32(place - row)
        inside = -1 <= row <= height - 1
        upper = np.uint64(((height - row) if inside else 0) * wide + shift)
        lower = np.uint64(((height - row - 1) if inside else 0) * wide + shift)
        near = near_row - y
        over = np.uint64((height - near if 0 <= near < height else 0) * wide + near_shift)
        base, one = np.uint64(y * width), np.uint64(1)
        w11, w10 = (unit - fy) * (unit - fx), (unit - fy) * fx
        w01, w00 = fy * (unit - fx), fy * fx
        line, bright, number = zero, zero, zero
        at = np.uint64(in_start)
        if whole and not squared:
            for i in range(in_end - in_start):
                x = at + np.uint64(i)
                value = source[base + x]
                other = (
                    w11 * around[upper + x] + w10 * around[upper + x - one]
                    + w01 * around[lower + x] + w00 * around[lower + x - one]
                )  # fmt: skip
                line += abs(other - value)
                bright += abs(value)
            number = np.float32(in_end - in_start)
        else:
            for i in range(in_end - in_start):
                x = at + np.uint64(i)
                weight = unit if whole else visible[base + x] * visible_turned[over + x]
                value = weight * source[base + x]
                other = weight * (
                    w11 * around[upper + x] + w10 * around[upper + x - one]
                    + w01 * around[lower + x] + w00 * around[lower + x - one]
                )  # fmt: skip
                gap = abs(other - value)
                line += gap * gap if squared else gap
                bright += value * value if squared else abs(value)
                number += weight
        full = high - low
        difference += full * np.float64(line)
        total += full * np.float64(bright)
        area += full * np.float64(number)
        for part in range(2):
            from_x, to_x = (start, in_start) if part == 0 else (in_end, end)
            for j in range(from_x, to_x):
                share = 0.0
                for k in range(chords):
                    share += max(min(j + 1.0, rights[k]) - max(np.float64(j), lefts[k]), 0.0)
                x = np.uint64(j)
                weight = unit if whole else visible[base + x] * visible_turned[over + x]
                value = weight * source[base + x]
                other = weight * (
                    w11 * around[upper + x] + w10 * around[upper + x - one]
                    + w01 * around[lower + x] + w00 * around[lower + x - one]
                )  # fmt: skip
                gap = abs(other - value)
                share *= step
                difference += share * np.float64(gap * gap if squared else gap)
                total += share * np.float64(value * value if squared else abs(value))
                area += share * np.float64(weight)
    return difference, total, area


@kernel
def asymmetry_at(
    light: NDArray[np.float32],
    turned: NDArray[np.float32],
    seen: NDArray[np.float32],
    seen_turned: NDArray[np.float32],
    whole: bool,
    yc: float,
    xc: float,
    radius: float,
    sky: float,
) -> float:
    """Return the asymmetry of a circle about a point (Lotz et al. 2004, equation 10)."""
    height, width = light.shape
    if not (0.0 <= xc < width and 0.0 <= yc < height):
        return OUTSIDE
    sums = turned_sums(light, turned, seen, seen_turned, whole, (yc, xc), radius, (1.0, 0.0), False)
    if sums[1] <= 0.0:
        return OUTSIDE
    return (sums[0] - sums[2] * sky) / sums[1]


@kernel
def least_asymmetry(
    light: NDArray[np.float32],
    turned: NDArray[np.float32],
    seen: NDArray[np.float32],
    seen_turned: NDArray[np.float32],
    whole: bool,
    y0: float,
    x0: float,
    radius: float,
    sky: float,
) -> tuple[float, float, bool]:
    """Return the centre of minimum asymmetry near a point, and if the search left the image."""
    points, values = np.empty((3, 2)), np.empty(3)
    points[:, 0], points[:, 1] = x0, y0
    points[1, 0] = 1.05 * x0 if x0 != 0.0 else 0.00025
    points[2, 1] = 1.05 * y0 if y0 != 0.0 else 0.00025
    left = False
    for k in range(3):
        values[k] = asymmetry_at(
            light, turned, seen, seen_turned, whole, points[k, 1], points[k, 0], radius, sky
        )
        left |= values[k] == OUTSIDE
    count = 3
    while True:
        for k in range(1, 3):
            for j in range(k, 0, -1):
                if values[j] < values[j - 1]:
                    values[j], values[j - 1] = values[j - 1], values[j]
                    for i in range(2):
                        points[j, i], points[j - 1, i] = points[j - 1, i], points[j, i]
        size = max(
            max(abs(points[1, 0] - points[0, 0]), abs(points[1, 1] - points[0, 1])),
            max(abs(points[2, 0] - points[0, 0]), abs(points[2, 1] - points[0, 1])),
        )
        if count >= _MAX_EVALUATIONS or (size <= _SMALL and values[2] - values[0] <= _ALIKE):
            return points[0, 1], points[0, 0], left
        mx, my = 0.5 * (points[0, 0] + points[1, 0]), 0.5 * (points[0, 1] + points[1, 1])
        dx, dy = mx - points[2, 0], my - points[2, 1]
        reflected = asymmetry_at(
            light, turned, seen, seen_turned, whole, my + dy, mx + dx, radius, sky
        )
        count += 1
        left |= reflected == OUTSIDE
        move, value = 1.0, reflected
        if values[0] <= reflected < values[1]:
            pass
        else:
            move = 2.0 if reflected < values[0] else (0.5 if reflected < values[2] else -0.5)
            value = asymmetry_at(
                light, turned, seen, seen_turned, whole,
                my + move * dy, mx + move * dx, radius, sky,
            )  # fmt: skip
            count += 1
            left |= value == OUTSIDE
            if move == 2.0 and not value < reflected:
                move, value = 1.0, reflected
            elif (move == 0.5 and value > reflected) or (move == -0.5 and value >= values[2]):
                for k in range(1, 3):
                    for i in range(2):
                        points[k, i] = points[0, i] + 0.5 * (points[k, i] - points[0, i])
                    values[k] = asymmetry_at(
                        light, turned, seen, seen_turned, whole,
                        points[k, 1], points[k, 0], radius, sky,
                    )  # fmt: skip
                    count += 1
                continue
        points[2, 0], points[2, 1], values[2] = mx + move * dx, my + move * dy, value
