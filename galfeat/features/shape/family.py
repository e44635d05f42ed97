"""Shape: size, axis ratio, concentration, asymmetry, smoothness, Gini, M20, maxima, neighbours.

Asymmetry, smoothness and local maxima are measured on equalised views (see `galfeat.frame.View`),
where they do not depend on the display stretch; Gini and M20, which describe the distribution of
light, on the light itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.shape.asymmetry import asymmetry, mirror_asymmetry
from galfeat.features.shape.columns import COLUMNS
from galfeat.features.shape.neighbours import neighbours
from galfeat.features.vector import append
from galfeat.frame import Frame
from galfeat.frame.views import VIEW_SIZE
from galfeat.kernels import kernel, variable

__all__ = ["COLUMNS", "clumpiness", "gini_m20", "measure", "summits"]

_HALF = 0.5 * VIEW_SIZE
#: Radius of the asymmetry's circle, in pixels of the aligned views and of the context view.
_CIRCLE, _CONTEXT_CIRCLE = 0.8 * _HALF, 0.45 * _HALF

_NO_VIEW = np.zeros((0, 0), np.float32)
_NUMBER = len(COLUMNS)
_FIRST_MIRROR = [column.name for column in COLUMNS].index("shape.aligned.mirror_along")
_MIRRORS = slice(_FIRST_MIRROR, _FIRST_MIRROR + 4)


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`; NaN for a missing deprojected view.

    Examples
    --------
    >>> from galfeat.data.simulation import simulate
    >>> from galfeat.features.shape import COLUMNS, measure
    >>> from galfeat.frame import measure_frame
    >>> frame = measure_frame(simulate(1, seed=1).images[0])
    >>> measure(frame).shape == (len(COLUMNS),)
    True
    """
    aligned, context = frame.aligned[0], frame.context[0]
    face_on = _NO_VIEW if frame.deprojected is None else frame.deprojected.equalised
    values: NDArray[np.float32] = _measure(
        aligned.equalised, aligned.light, face_on, context.equalised, context.light,
        (frame.q, frame.pa), frame.radii,
        frame.objects, frame.galaxy, (frame.yc, frame.xc, frame.radius), _NUMBER,
    )  # fmt: skip
    if len(frame.aligned) > 1:  # the mean over rotations of a round galaxy
        turns = zip(frame.aligned, frame.context, strict=True)
        values[_MIRRORS] = np.mean([_mirrors(a.equalised, c.equalised) for a, c in turns], axis=0)
    return values


@kernel
def _measure(
    aligned: NDArray[np.float32],
    aligned_light: NDArray[np.float32],
    face_on: NDArray[np.float32],
    context: NDArray[np.float32],
    context_light: NDArray[np.float32],
    ellipse: tuple[float, float],
    radii: NDArray[np.float64],
    objects: NDArray[np.float64],
    galaxy: int,
    place: tuple[float, float, float],
    number: int,
) -> NDArray[np.float32]:
    values = np.empty(number, np.float32)
    q, pa = ellipse
    at = append(values, variable(0), _sizes(radii, q, pa))
    at = append(values, at, asymmetry(aligned, _CIRCLE))
    missing = np.full(3, np.nan)
    at = append(values, at, asymmetry(face_on, _CIRCLE) if face_on.size > 0 else missing)
    at = append(values, at, asymmetry(context, _CONTEXT_CIRCLE))
    at = append(values, at, _mirrors(aligned, context))
    at = append(values, at, clumpiness(aligned))
    at = append(values, at, gini_m20(aligned_light, 0.8 * _HALF, max(q, 1.0 / 3.0)))
    at = append(values, at, gini_m20(context_light, 0.8 * _HALF, 1.0))
    at = append(values, at, summits(aligned))
    yc, xc, radius = place
    append(values, at, neighbours(objects, galaxy, yc, xc, radius))
    return values


@kernel
def _sizes(radii: NDArray[np.float64], q: float, pa: float) -> NDArray[np.float64]:
    petrosian, r20, r50, r80, r90 = radii[0], radii[1], radii[2], radii[3], radii[4]
    sizes = np.empty(8, np.float64)
    sizes[0] = q
    sizes[1], sizes[2], sizes[3], sizes[4] = r20 / r90, r50 / r90, r80 / r90, petrosian / r90
    sizes[5] = 5.0 * np.log10(max(r80, 0.5) / max(r20, 0.3))
    sizes[6] = r50
    sizes[7] = np.nan if q > 0.9 else (pa + 0.5 * np.pi) % np.pi - 0.5 * np.pi
    return sizes


@kernel
def _mirrors(aligned: NDArray[np.float32], context: NDArray[np.float32]) -> NDArray[np.float64]:
    one, two = mirror_asymmetry(aligned, _CIRCLE), mirror_asymmetry(context, _CIRCLE)
    return np.array((one[0], one[1], two[0], two[1]))


@kernel
def clumpiness(image: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the light above the mean of 3×3 and of 7×7 pixels over all light, shape (2,).

    Between an eighth and three quarters of the half-width, which excludes the nucleus.
    """
    size = image.shape[0]
    middle = 0.5 * (size - 1)
    inner, outer = (0.0625 * size) ** 2, (0.375 * size) ** 2
    three, seven = np.empty(size, np.float64), np.empty(size, np.float64)  # down each column
    fine, coarse, total = 0.0, 0.0, 0.0
    for y in range(3, size - 3):
        v2 = (y - middle) ** 2
        if v2 > outer:
            continue
        for x in range(size):
            near = float(image[y - 1, x]) + float(image[y, x]) + float(image[y + 1, x])
            above = float(image[y - 3, x]) + float(image[y - 2, x])
            below = float(image[y + 2, x]) + float(image[y + 3, x])
            three[x], seven[x] = near, near + above + below
        for x in range(3, size - 3):
            r2 = v2 + (x - middle) ** 2
            weight = 0.0 if (r2 < inner) | (r2 > outer) else 1.0
            value = float(image[y, x])
            few = three[x - 1] + three[x] + three[x + 1]
            many = seven[x - 3] + seven[x - 2] + seven[x - 1] + seven[x]
            many += seven[x + 1] + seven[x + 2] + seven[x + 3]
            total += weight * abs(value)
            fine += weight * max(value - few / 9.0, 0.0)
            coarse += weight * max(value - many / 49.0, 0.0)
    result = np.empty(2, np.float64)
    result[0], result[1] = fine / max(total, 1e-6), coarse / max(total, 1e-6)
    return result


@kernel
def gini_m20(light: NDArray[np.float32], radius: float, q: float) -> NDArray[np.float64]:
    """Return the Gini coefficient and M20 of the pixels in an ellipse, shape (2,).

    Parameters
    ----------
    light : ndarray of float32, shape (3, n, n)
    radius : float
        Semi-major axis along x, in pixels.
    q : float
        Axis ratio.

    Returns
    -------
    ndarray of float64
        Gini is 0 for equal pixels and 1 if one pixel contains all the light. M20 is the log10
        of the second moment of the brightest pixels that contain 20 % of the light over that
        of all pixels. Both are 0 without light.
    """
    size = light.shape[1]
    middle = 0.5 * (size - 1)
    values = np.empty(size * size, np.float32)
    places = np.empty(size * size, np.float32)
    number = 0
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for y in range(size):
        v = y - middle
        chord2 = radius * radius - (v / q) ** 2
        first = 0
        while 2 * first < size and (first - middle) ** 2 >= chord2:
            first += 1
        for x in range(first, size - first):
            u = x - middle
            value = light[0, y, x] + light[1, y, x] + light[2, y, x]
            low, high = min(low, value), max(high, value)
            values[number], places[number] = value, u * u + v * v
            number += 1
    result = np.zeros(2, np.float64)
    if number < 2 or high <= 0.0:
        return result
    # Rank pixels by 4,096 levels, finer than an 8-bit image needs.
    scale = 4095.0 / max(float(high - low), 1e-6)
    sums = np.zeros((4096, 3), np.float64)  # pixels, their light and its moment
    for i in range(number):
        level = int((values[i] - low) * scale)
        sums[level, 0] += 1.0
        sums[level, 1] += values[i]
        sums[level, 2] += values[i] * places[i]
    total, weighted, positive, moment, rank = 0.0, 0.0, 0.0, 0.0, 0.0
    for level in range(4096):
        pixels, held = sums[level, 0], sums[level, 1]
        if pixels > 0.0:
            middle_rank = rank + 0.5 * (pixels + 1.0)
            total += abs(held)
            weighted += (2.0 * middle_rank - number - 1.0) * abs(held)
            positive += max(held, 0.0)
            moment += max(sums[level, 2], 0.0)
            rank += pixels
    if total <= 0.0 or moment <= 0.0:
        return result
    result[0] = weighted / (total * (number - 1))
    held, brightest = 0.0, 0.0
    level = 4095
    while level >= 0 and held < 0.2 * positive:
        held += sums[level, 1]
        brightest += sums[level, 2]
        level -= 1
    result[1] = np.log10(max(brightest, 1e-9) / moment)
    return result


@kernel
def summits(image: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the number of maxima, the second and third over the highest, and its offset.

    A local maximum is the highest of 5×5 pixels, within four fifths of the half-width, and above
    a seventh of the highest. The offset is in half-widths. Zeros without maxima.
    """
    size = image.shape[0]
    middle = 0.5 * (size - 1)
    heights = np.zeros(256, np.float32)
    offsets = np.zeros(256, np.float64)
    number = 0
    above_next = np.empty(size, np.bool_)
    for y in range(2, size - 2):
        for x in range(2, size - 2):
            value = image[y, x]
            beside = (value >= image[y, x - 1]) & (value >= image[y, x + 1])
            along = (value >= image[y - 1, x]) & (value >= image[y + 1, x])
            above_next[x] = (value > np.float32(0.0)) & beside & along
        for x in range(2, size - 2):
            if not above_next[x] or number == 256:
                continue
            value, r = image[y, x], np.hypot(y - middle, x - middle)
            if r > 0.4 * size:
                continue
            highest = True
            for j in range(y - 2, y + 3):
                for i in range(x - 2, x + 3):
                    # A plateau counts once, at its first pixel.
                    before = j < y or (j == y and i < x)
                    if image[j, i] > value or (before and image[j, i] == value):
                        highest = False
            if highest:
                heights[number] = value
                offsets[number] = r / (0.5 * size)
                number += 1
    result = np.zeros(4, np.float64)
    if number == 0:
        return result
    first, second, third = np.float32(0.0), np.float32(0.0), np.float32(0.0)
    for k in range(number):
        height = heights[k]
        if height > first:
            first, second, third = height, first, second
            result[3] = offsets[k]
        elif height > second:
            second, third = height, second
        elif height > third:
            third = height
    for k in range(number):
        result[0] += heights[k] > first / 7.0
    result[1], result[2] = second / first, third / first
    return result
