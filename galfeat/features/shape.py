"""Shape: size, axis ratio, concentration, asymmetry, smoothness, Gini, M20, summits, neighbours.

Asymmetry, smoothness and summits are measured on equalised views (see `galfeat.frame.View`),
where they do not depend on the display stretch; Gini and M20, which are about how unevenly
light is spread, on the light itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.asymmetry import asymmetry, mirror_asymmetry
from galfeat.features.neighbours import NEIGHBOUR_COLUMNS, neighbours
from galfeat.features.registry import Column
from galfeat.frame import Frame, View
from galfeat.frame.views import VIEW_SIZE
from galfeat.kernels import kernel

_HALF = 0.5 * VIEW_SIZE
#: Asymmetry's circle, in pixels of the aligned views and of the context view.
_CIRCLE, _CONTEXT_CIRCLE = 0.8 * _HALF, 0.45 * _HALF

_CONSELICE = "Conselice 2003"
_FLAT = "0 of a flat view"
_LOTZ = "Lotz et al. 2004"

COLUMNS = (
    Column("shape.axis_ratio", "1", "minor over major axis of the soft isophote", "galfeat"),
    Column("shape.r20_r90", "1", "radius of a fifth of the light over r90", "galfeat"),
    Column("shape.r50_r90", "1", "half-light radius over r90", "galfeat"),
    Column("shape.r80_r90", "1", "radius of four fifths of the light over r90", "galfeat"),
    Column("shape.petrosian_r90", "1", "Petrosian radius over r90", "Petrosian 1976"),
    Column("shape.concentration", "1", "5 log10(r80 / r20)", _CONSELICE),
    Column("shape.r50", "px", "half-light radius of the stretched image", "galfeat", False),
    Column(
        "shape.position_angle", "rad", "from x towards rising rows", "galfeat", False,
        "NaN if rounder than 0.9",
    ),
    *(
        Column(
            f"shape.{view}.{name}", unit, f"{meaning}, {view} view", _CONSELICE,
            degenerate="NaN without a deprojected view" if view == "deprojected" else _FLAT,
        )
        for view in ("aligned", "deprojected", "context")
        for name, unit, meaning in (
            ("asymmetry", "1", "difference from the half-turned image, at the best centre"),
            ("asymmetry_centre", "1", "the same at the centre of the frame"),
            ("asymmetry_shift", "frame radii", "distance between the two centres"),
        )
    ),
    *(
        Column(
            f"shape.{view}.mirror_{axis}", "1",
            f"difference from the image mirrored {how}, {view} view", "galfeat",
            degenerate=_FLAT,
        )
        for view in ("aligned", "context")
        for axis, how in (("along", "along the major axis"), ("across", "across the major axis"))
    ),
    Column("shape.clumpiness.fine", "1", "light above the mean of 3×3 pixels", _CONSELICE),
    Column("shape.clumpiness.coarse", "1", "light above the mean of 7×7 pixels", _CONSELICE),
    *(
        Column(
            f"shape.{view}.{name}", "1", f"{meaning}, {view} view", _LOTZ,
            degenerate="0 without light",
        )
        for view in ("aligned", "context")
        for name, meaning in (
            ("gini", "inequality of the light of the pixels"),
            ("m20", "log10 of the second moment of the brightest fifth of the light over all"),
        )
    ),
    Column("shape.summits.number", "1", "local maxima above a seventh of the highest", "galfeat"),
    Column("shape.summits.second", "1", "height of the second summit over the first", "galfeat"),
    Column("shape.summits.third", "1", "height of the third summit over the first", "galfeat"),
    Column("shape.summits.offset", "frame radii", "highest summit to centre", "galfeat"),
    *NEIGHBOUR_COLUMNS,
)  # fmt: skip


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`; NaN for the deprojected view where there is none."""
    petrosian, r20, r50, r80, r90 = frame.radii
    sizes = [
        frame.q,
        r20 / r90,
        r50 / r90,
        r80 / r90,
        petrosian / r90,
        5.0 * np.log10(max(r80, 0.5) / max(r20, 0.3)),
        r50,
        np.nan if frame.q > 0.9 else (frame.pa + 0.5 * np.pi) % np.pi - 0.5 * np.pi,
    ]
    aligned, context = frame.aligned[0], frame.context[0]
    missing = np.full(3, np.nan)
    deprojected = (
        missing if frame.deprojected is None else asymmetry(frame.deprojected.equalised, _CIRCLE)
    )
    return np.concatenate(
        [
            sizes,
            asymmetry(aligned.equalised, _CIRCLE),
            deprojected,
            asymmetry(context.equalised, _CONTEXT_CIRCLE),
            _mirrors(frame.aligned),
            _mirrors(frame.context),
            clumpiness(aligned.equalised),
            gini_m20(aligned.light, 0.8 * _HALF, max(frame.q, 1.0 / 3.0)),
            gini_m20(context.light, 0.8 * _HALF, 1.0),
            summits(aligned.equalised),
            neighbours(frame.objects, frame.galaxy, frame.yc, frame.xc, frame.radius),
        ],
        dtype=np.float32,
    )


def _mirrors(turns: tuple[View, ...]) -> NDArray[np.float64]:
    """Return the mean over turns of a round galaxy."""
    result: NDArray[np.float64] = np.mean(
        [mirror_asymmetry(view.equalised, _CIRCLE) for view in turns], axis=0
    )
    return result


@kernel
def clumpiness(image: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the light above the mean of 3×3 and of 7×7 pixels over all light, shape (2,).

    Between an eighth and three quarters of the half-width, so that the nucleus is no clump.
    """
    size = image.shape[0]
    middle = 0.5 * (size - 1)
    inner, outer = (0.0625 * size) ** 2, (0.375 * size) ** 2
    sums = np.zeros((size + 1, size + 1), np.float64)
    for y in range(size):
        line = 0.0
        for x in range(size):
            line += image[y, x]
            sums[y + 1, x + 1] = sums[y, x + 1] + line
    result = np.zeros(2, np.float64)
    total = 0.0
    for y in range(3, size - 3):
        for x in range(3, size - 3):
            r2 = (y - middle) ** 2 + (x - middle) ** 2
            if r2 < inner or r2 > outer:
                continue
            total += abs(image[y, x])
            for k in range(2):
                h = 1 + 2 * k
                mean = (
                    sums[y + h + 1, x + h + 1]
                    - sums[y - h, x + h + 1]
                    - sums[y + h + 1, x - h]
                    + sums[y - h, x - h]
                ) / (2 * h + 1) ** 2
                result[k] += max(image[y, x] - mean, 0.0)
    return result / max(total, 1e-6)


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
        Gini is 0 for equal pixels and 1 when one holds all the light. M20 is the log10 of
        the second moment of the brightest pixels that hold a fifth of the light over that
        of all; 0 where there is no light.
    """
    size = light.shape[1]
    middle = 0.5 * (size - 1)
    values = np.empty(size * size, np.float32)
    places = np.empty(size * size, np.float32)
    number = 0
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for y in range(size):
        v = y - middle
        for x in range(size):
            u = x - middle
            if u * u + (v / q) ** 2 < radius * radius:
                value = light[0, y, x] + light[1, y, x] + light[2, y, x]
                low, high = min(low, value), max(high, value)
                values[number], places[number] = value, u * u + v * v
                number += 1
    result = np.zeros(2, np.float64)
    if number < 2 or high <= 0.0:
        return result
    # Pixels are ranked by level, 4,096 of them: finer than an 8-bit image needs.
    scale = 4095.0 / max(float(high - low), 1e-6)
    counts = np.zeros(4096, np.float64)
    lights = np.zeros(4096, np.float64)
    moments = np.zeros(4096, np.float64)
    for i in range(number):
        level = int((values[i] - low) * scale)
        counts[level] += 1.0
        lights[level] += values[i]
        moments[level] += values[i] * places[i]
    total, weighted, positive, moment, rank = 0.0, 0.0, 0.0, 0.0, 0.0
    for level in range(4096):
        if counts[level] > 0.0:
            middle_rank = rank + 0.5 * (counts[level] + 1.0)
            total += abs(lights[level])
            weighted += (2.0 * middle_rank - number - 1.0) * abs(lights[level])
            positive += max(lights[level], 0.0)
            moment += max(moments[level], 0.0)
            rank += counts[level]
    if total <= 0.0 or moment <= 0.0:
        return result
    result[0] = weighted / (total * (number - 1))
    held, brightest = 0.0, 0.0
    level = 4095
    while level >= 0 and held < 0.2 * positive:
        held += lights[level]
        brightest += moments[level]
        level -= 1
    result[1] = np.log10(max(brightest, 1e-9) / moment)
    return result


@kernel
def summits(image: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the number of summits, the second and third over the highest, and its offset.

    A summit is the highest of 5×5 pixels, within four fifths of the half-width, and above a
    seventh of the highest. The offset is in half-widths. Zeros where there is none.
    """
    size = image.shape[0]
    middle = 0.5 * (size - 1)
    heights = np.zeros(256, np.float32)
    offsets = np.zeros(256, np.float64)
    number = 0
    for y in range(2, size - 2):
        for x in range(2, size - 2):
            r = np.hypot(y - middle, x - middle)
            value = image[y, x]
            if r > 0.4 * size or value <= 0.0 or number == 256:
                continue
            if value < image[y, x - 1] or value < image[y, x + 1]:
                continue
            highest = True
            for j in range(y - 2, y + 3):
                for i in range(x - 2, x + 3):
                    # A flat top counts once, at its first pixel.
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
    order = np.argsort(-heights[:number])
    top = heights[order[0]]
    for k in range(number):
        result[0] += heights[k] > top / 7.0
    if number > 1:
        result[1] = heights[order[1]] / top
    if number > 2:
        result[2] = heights[order[2]] / top
    result[3] = offsets[order[0]]
    return result
