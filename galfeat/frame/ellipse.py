"""The galaxy's centre and ellipse.

Plain flux moments are sensitive to neighbours, nuclei and the stretch of a display image.
The moments here are those of a *soft isophote*: light is clipped at the level that half of
the galaxy's pixels exceed, so they depend mainly on the order of the pixel values, hardly on
their differences.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.frame.deblend import AREA, BOTTOM, LEFT, PEAK, RIGHT, TOP
from galfeat.kernels import kernel

#: Minimum axis ratio that is resolved in a display image.
MIN_AXIS_RATIO = 0.08


@kernel
def centre_of(
    smoothed: NDArray[np.float32],
    labels: NDArray[np.uint8],
    galaxy: int,
    area: float,
    start_y: float,
    start_x: float,
) -> tuple[float, float]:
    """Return the centre (y, x): the Gaussian-weighted centroid, found by iteration.

    The weight's width is a quarter of the radius of a circle of the galaxy's area, which
    covers the inner galaxy but neither single knots nor the outskirts.
    """
    height, width = smoothed.shape
    sigma = max(0.25 * np.sqrt(area / np.pi), 1.2)
    reach = int(3.0 * sigma) + 1
    yc, xc = start_y, start_x
    seen = np.empty(width, np.float32)
    for _ in range(8):
        y_low, y_high = max(0, int(yc) - reach), min(height, int(yc) + reach + 2)
        x_low, x_high = max(0, int(xc) - reach), min(width, int(xc) + reach + 2)
        along = np.arange(x_low, x_high) - xc
        weight = np.exp(-0.5 * along * along / (sigma * sigma)).astype(np.float32)
        first = weight * along.astype(np.float32)
        last_y = int(np.floor(2.0 * yc + 0.5))
        total, sum_y, sum_x = 0.0, 0.0, 0.0
        for y in range(y_low, y_high):
            _see(
                labels,
                galaxy,
                y,
                last_y - y,
                x_low,
                int(np.floor(2.0 * xc + 0.5)),
                seen[: along.size],
            )
            row = smoothed[y, x_low:x_high]
            light, moment = np.float32(0.0), np.float32(0.0)
            for i in range(along.size):
                light += seen[i] * row[i] * weight[i]
                moment += seen[i] * row[i] * first[i]
            down = y - yc
            share = np.exp(-0.5 * down * down / (sigma * sigma))
            total += share * float(light)
            sum_x += share * float(moment)
            sum_y += share * float(light) * down
        if total <= 0.0:
            return yc, xc
        # The centroid under a Gaussian weight lags: for light as wide as the weight, by half.
        step_y, step_x = 1.5 * sum_y / total, 1.5 * sum_x / total
        yc = min(max(yc + step_y, 0.0), height - 1.0)
        xc = min(max(xc + step_x, 0.0), width - 1.0)
        if abs(step_y) + abs(step_x) < 0.01:
            break
    return yc, xc


@kernel
def _see(
    labels: NDArray[np.uint8],
    galaxy: int,
    y: int,
    opposite: int,
    left: int,
    last: int,
    seen: NDArray[np.float32],
) -> None:
    """Fill `seen` with 1 for the galaxy's pixels of a row, from column `left` on, else 0.

    Pixels whose counterpart belongs to another object are 0, too. The counterpart of column x
    is column ``last - x`` of row `opposite`.
    """
    height, width = labels.shape
    own = np.uint8(galaxy + 1)
    row = labels[y, left : left + seen.size]
    for i in range(seen.size):
        seen[i] = np.float32(row[i] == own)
    if 0 <= opposite < height:
        facing = labels[opposite]
        for x in range(max(left, last - width + 1), min(left + seen.size, last + 1)):
            other = facing[last - x]
            seen[x - left] *= np.float32((other == 0) | (other == own))


@kernel
def isophote_level(
    smoothed: NDArray[np.float32],
    labels: NDArray[np.uint8],
    galaxy: int,
    own: NDArray[np.float64],
    fraction: float,
) -> float:
    """Return the brightness that the given fraction of the galaxy's pixels exceed, in counts.

    `own` is the galaxy's row in the table of objects.
    """
    highest, number = own[PEAK], own[AREA]
    if number == 0.0 or highest <= 0.0:
        return 0.0
    # The last level counts the pixels of other objects.
    counts = np.zeros(1026, np.int32)
    scale = np.float32(1023.0 / np.sqrt(highest))
    left, right = int(own[LEFT]), int(own[RIGHT])
    levels, number_of_own = np.empty(right - left, np.int32), np.uint8(galaxy + 1)
    zero, others = np.float32(0.0), np.float32(1025.0)
    for y in range(int(own[TOP]), int(own[BOTTOM])):
        row, label = smoothed[y, left:right], labels[y, left:right]
        for i in range(levels.size):
            level = np.sqrt(row[i] if row[i] > zero else zero) * scale
            levels[i] = np.int32(level if label[i] == number_of_own else others)
        for i in range(levels.size):
            counts[levels[i]] += 1
    above = 0
    for level in range(1024, -1, -1):
        above += counts[level]
        if above >= fraction * number:
            return float((level / scale) ** 2)
    return 0.0


@kernel
def ellipse_of(
    smoothed: NDArray[np.float32],
    labels: NDArray[np.uint8],
    galaxy: int,
    own: NDArray[np.float64],
    level: float,
    yc: float,
    xc: float,
) -> tuple[float, float, float]:
    """Return the axis ratio, the position angle and the semi-major axis of the soft isophote.

    Each pixel of the galaxy is weighted with its brightness, clipped at `level`, and twice if
    another object covers the opposite pixel. `own` is the galaxy's row in the table of
    objects. The position angle is in radians from the x axis towards rising rows, in
    (-pi/2, pi/2]. The semi-major axis is that of a uniform ellipse with the same moments, in
    pixels.
    """
    left, right = int(own[LEFT]), int(own[RIGHT])
    last_y, last_x = int(np.floor(2.0 * yc + 0.5)), int(np.floor(2.0 * xc + 0.5))
    weights, seen = np.empty(right - left, np.float32), np.empty(right - left, np.float32)
    zero, two, most, first = np.float32(0.0), np.float32(2.0), np.float32(level), left - xc
    own_label = np.uint8(galaxy + 1)
    total, xx, yy, xy = 0.0, 0.0, 0.0, 0.0
    for y in range(int(own[TOP]), int(own[BOTTOM])):
        row, label = smoothed[y, left:right], labels[y, left:right]
        _see(labels, galaxy, y, last_y - y, left, last_x, seen)
        for i in range(weights.size):
            light = row[i] if row[i] < most else most
            light = light if light > zero else zero
            weights[i] = (two - seen[i]) * (light if label[i] == own_label else zero)
        sum_0, sum_1, sum_2 = zero, zero, zero
        for i in range(weights.size):
            dx = np.float32(first) + np.float32(i)
            sum_0 += weights[i]
            sum_1 += weights[i] * dx
            sum_2 += weights[i] * dx * dx
        dy = y - yc
        total += float(sum_0)
        xx += float(sum_2)
        yy += float(sum_0) * dy * dy
        xy += float(sum_1) * dy
    if total <= 0.0:
        return 1.0, 0.0, 1.0
    xx, yy, xy = xx / total, yy / total, xy / total
    mean = 0.5 * (xx + yy)
    half = np.hypot(0.5 * (xx - yy), xy)
    major = max(mean + half, 1e-3)
    minor = max(mean - half, 1e-6)
    q = max(np.sqrt(minor / major), MIN_AXIS_RATIO)
    return q, 0.5 * np.arctan2(2.0 * xy, xx - yy), 2.0 * np.sqrt(major)
