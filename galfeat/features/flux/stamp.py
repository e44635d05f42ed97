"""The cut-out of a source: its light, what hides it, outliers, moments and the box of sky."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Side of the box of sky, in pixels.
SKY_BOX = 32
#: Pixels this many times brighter than the galaxy are no light; their squares would overflow.
_TOO_BRIGHT = 1e15


@kernel
def label_boxes(labels: NDArray[np.int32], number: int) -> NDArray[np.int64]:
    """Return the half-open boxes ``y0, y1, x0, x1`` of labels 1 to `number`, shape (number, 4)."""
    height, width = labels.shape
    boxes = np.zeros((number, 4), np.int64)
    boxes[:, 0], boxes[:, 2] = height, width
    for y in range(height):
        row = labels[y]
        x = 0
        while x < width:
            own = row[x]
            start = x
            while x < width and row[x] == own:
                x += 1
            if own > 0:
                box = boxes[own - 1]
                box[0], box[1] = min(box[0], y), y + 1
                box[2], box[3] = min(box[2], start), max(box[3], x)
    return boxes


@kernel
def cut_out(
    image: NDArray[np.floating],
    labels: NDArray[np.int32],
    mask: NDArray[np.bool_],
    own: int,
    outlier: float,
    scale: float,
) -> tuple[
    NDArray[np.float32],
    NDArray[np.bool_],
    NDArray[np.bool_],
    NDArray[np.bool_],
    NDArray[np.float32],
    int,
]:
    """Return light, hidden pixels, segment, sky, the light of the segment and the outliers.

    The light is divided by `scale` and zero where hidden: in other segments, under the mask,
    where not finite, and in outliers, which differ from the mean of their eight neighbours by
    more than `outlier` standard deviations of these (Lotz et al. 2004).
    """
    height, width = image.shape
    light, bright = (
        np.zeros((height, width), np.float32),
        np.zeros((height, width), np.float32),
    )
    hidden, segment = np.zeros((height, width), np.bool_), np.zeros((height, width), np.bool_)
    sky = np.zeros((height, width), np.bool_)
    padded = np.zeros((height + 2, width + 2), np.float32)
    factor = 1.0 / scale
    for y in range(-1, height + 1):
        row = image[min(max(y, 0), height - 1)]
        target = padded[y + 1]
        for x in range(width):
            value = factor * np.float64(row[x])
            target[x + 1] = np.float32(value if abs(value) < _TOO_BRIGHT else 0.0)
        target[0], target[width + 1] = target[1], target[width]
    outliers = 0
    limit = np.float32(outlier * outlier)
    eighth = np.float32(0.125)
    line, square = np.empty(width, np.float32), np.empty(width, np.float32)
    for y in range(height):
        above, row, below = padded[y], padded[y + 1], padded[y + 2]
        for x in range(width):
            a, b, c, d = above[x], above[x + 1], above[x + 2], row[x]
            e, f, g, h = row[x + 2], below[x], below[x + 1], below[x + 2]
            mean = eighth * (a + b + c + d + e + f + g + h)
            line[x] = row[x + 1] - mean
            a, b, c, d = a - mean, b - mean, c - mean, d - mean
            e, f, g, h = e - mean, f - mean, g - mean, h - mean
            square[x] = eighth * (a * a + b * b + c * c + d * d + e * e + f * f + g * g + h * h)
        for x in range(width):
            label = labels[y, x]
            odd = outlier > 0.0 and line[x] * line[x] > limit * square[x]
            outliers += odd
            # False for NaN too.
            known = abs(factor * np.float64(image[y, x])) < _TOO_BRIGHT
            covered = (label != 0 and label != own) or mask[y, x] or odd or not known
            hidden[y, x] = covered
            sky[y, x] = label == 0 and not mask[y, x]
            if not covered:
                light[y, x] = row[x + 1]
                if label == own:
                    segment[y, x] = True
                    bright[y, x] = row[x + 1]
    return light, hidden, segment, sky, bright, outliers


@kernel
def moments_of(bright: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return sums of I, I y, I x, I y², I x², I x y, and the row and column of the peak."""
    height, width = bright.shape
    result = np.zeros(8, np.float64)
    top = np.float32(-np.inf)
    for y in range(height):
        row = bright[y]
        light, first, second = 0.0, 0.0, 0.0
        highest = np.float32(-np.inf)
        for x in range(width):
            value = np.float64(row[x])
            light += value
            first += value * x
            second += value * x * x
            highest = max(highest, row[x])
        result[0] += light
        result[1] += light * y
        result[2] += first
        result[3] += light * y * y
        result[4] += second
        result[5] += first * y
        if highest > top:
            top = highest
            x = 0
            while row[x] != highest:
                x += 1
            result[6], result[7] = y, x
    return result


@kernel
def find_sky_box(sky: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Return the first corner, row by row, of a square of sky, and its side; 0 if none.

    The side is halved from 32 px until a square without sources and masked pixels is found
    (Rodriguez-Gomez et al. 2019).
    """
    height, width = sky.shape
    covered = np.zeros((height + 1, width + 1), np.int32)
    for y in range(height):
        total = 0
        for x in range(width):
            total += not sky[y, x]
            covered[y + 1, x + 1] = covered[y, x + 1] + total
    side = SKY_BOX
    while side >= 2:
        for y in range(height - side):
            above, below = covered[y], covered[y + side]
            for x in range(width - side):
                if below[x + side] - below[x] - above[x + side] + above[x] == 0:
                    return y, x, side
        if side <= 2:
            break
        side //= 2
    return 0, 0, 0


@kernel
def sky_in_box(light: NDArray[np.float32], y0: int, x0: int, side: int) -> NDArray[np.float64]:
    """Return mean, median, standard deviation and mean difference from the half-turn.

    NaN without a box.
    """
    result = np.full(4, np.nan)
    if side == 0:
        return result
    box = light[y0 : y0 + side, x0 : x0 + side].copy()
    values = box.reshape(-1)
    number = values.size
    total, squares, difference = 0.0, 0.0, 0.0
    for i in range(number):
        total += np.float64(values[i])
        difference += abs(np.float64(values[i]) - np.float64(values[number - 1 - i]))
    mean = total / number
    for i in range(number):
        squares += (np.float64(values[i]) - mean) ** 2
    result[0], result[1] = mean, np.median(values)
    result[2], result[3] = np.sqrt(squares / number), difference / number
    return result


@kernel
def shape_about(moments: NDArray[np.float64], yc: float, xc: float) -> tuple[float, float, bool]:
    """Return axis ratio, position angle and if a second moment about the point is not positive.

    Those of a Gaussian with the same moments; the position angle is in radians from x towards
    rising rows. Thin sources are broadened by the variance of a pixel (Bertin & Arnouts 1996).
    """
    total = moments[0]
    my, mx = moments[1] / total, moments[2] / total
    yy = moments[3] / total - my * my + (my - yc) ** 2
    xx = moments[4] / total - mx * mx + (mx - xc) ** 2
    xy = moments[5] / total - mx * my + (mx - xc) * (my - yc)
    odd = xx <= 0.0 or yy <= 0.0
    while abs(xx * yy - xy * xy) < 1.0 / 144.0:
        xx += 1.0 / 12.0 if xx >= 0.0 else -1.0 / 12.0
        yy += 1.0 / 12.0 if yy >= 0.0 else -1.0 / 12.0
    half = np.hypot(0.5 * (xx - yy), xy)
    one, two = abs(0.5 * (xx + yy) + half), abs(0.5 * (xx + yy) - half)
    q = np.sqrt(min(one, two) / max(one, two))
    return q, 0.5 * np.arctan2(2.0 * xy, xx - yy), odd


@kernel
def all_seen(hidden: NDArray[np.bool_], yc: float, xc: float, reach: float) -> bool:
    """Return whether no pixel is hidden in a square about a point."""
    height, width = hidden.shape
    y0, y1 = max(int(yc - reach), 0), min(int(yc + reach) + 2, height)
    x0, x1 = max(int(xc - reach), 0), min(int(xc + reach) + 2, width)
    for y in range(y0, y1):
        found = np.uint8(0)
        for covered in hidden[y, x0:x1]:
            found |= np.uint8(covered)
        if found:
            return False
    return True


@kernel
def deviation_of(
    light: NDArray[np.float32],
    variance: NDArray[np.float32],
    y: int,
    x: int,
    gain: float,
    sky_sigma: float,
) -> np.float32:
    """Return the standard deviation of a pixel; see `galfeat.features.flux.statistics`."""
    if variance.size > 0:
        return np.sqrt(variance[y, x])
    photons = abs(np.float64(light[y, x])) / gain
    return np.float32(np.sqrt(photons + sky_sigma * sky_sigma))


@kernel
def deviations(
    light: NDArray[np.float32],
    hidden: NDArray[np.bool_],
    variance: NDArray[np.float32],
    gain: float,
    sky_sigma: float,
) -> NDArray[np.float32]:
    """Return the standard deviation of each pixel, zero where hidden; see `statistics`."""
    height, width = light.shape
    noise = np.zeros((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            if not hidden[y, x]:
                noise[y, x] = deviation_of(light, variance, y, x, gain, sky_sigma)
    return noise
