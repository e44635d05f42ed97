"""Radial profiles: brightness, colour and their scatter in rings, and cuts along the axes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.band_balance import balanced
from galfeat.features.registry import Column
from galfeat.features.vector import append
from galfeat.frame import Flag, Frame
from galfeat.kernels import kernel

#: Number of rings to the frame radius.
RINGS = 16
#: Number of steps from the centre to the frame radius along an axis.
STEPS = 8
#: Number of rings of colour, and their inner and outer radius in frame radii. Their colours are
#: relative to the core inside them.
COLOUR_RINGS, _CORE, _OUTERMOST = 6, 0.2, 0.8
_WIDE = _OUTERMOST - _CORE
#: Fractions of the mean brightness that are added, with the core's colour and without scatter.
_COLOUR_FLOOR, _SCATTER_FLOOR = 0.1, 0.3

_PER_RING = (
    ("brightness", "equalised brightness over its mean within half the frame radius"),
    ("scatter", "standard deviation of the equalised brightness around the ring, over its mean"),
)
_PER_COLOUR_RING = (
    ("red_blue", "ln(R/B) minus that of the core"),
    (
        "colour_scatter",
        "standard deviation of red minus blue, relative to the galaxy's mean colour",
    ),
)
_PER_STEP = (
    ("major", "equalised brightness on the major axis, over the mean"),
    ("minor", "equalised brightness on the minor axis, over the mean"),
    ("height", "light-weighted mean distance from the major axis"),
    ("width", "light-weighted mean distance from the minor axis"),
)

COLUMNS = (
    *(
        Column(
            f"radial.{name}.r{ring}", "1", f"{meaning}, in elliptical ring {ring} of {number}",
            "galfeat", degenerate=degenerate,
        )
        for listed, number, degenerate in (
            (_PER_RING, RINGS, "0 without light"),
            (_PER_COLOUR_RING, COLOUR_RINGS, "0 without light; NaN for one band"),
        )
        for name, meaning in listed
        for ring in range(number)
    ),
    *(
        Column(
            f"radial.{name}.x{step}", "1" if name in ("major", "minor") else "frame radii",
            f"{meaning}, in step {step} of {STEPS}", "galfeat", degenerate="0 without light",
        )
        for name, meaning in _PER_STEP
        for step in range(STEPS)
    ),
)  # fmt: skip


_CUTS = 4 * STEPS
_COLOURS = slice(2 * RINGS, 2 * RINGS + 2 * COLOUR_RINGS)
_NUMBER = 2 * RINGS + 2 * COLOUR_RINGS + _CUTS


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`.

    The cuts of a round galaxy are means over rotations; colours of an image of one band are NaN.
    """
    q = max(frame.q, 1.0 / 3.0)  # as far as the deprojected view stretches
    view = frame.aligned[0]
    values: NDArray[np.float32] = _measure(view.light, view.equalised, q)
    for turn in frame.aligned[1:]:
        values[-_CUTS:] += axis_cuts(turn.equalised).ravel()
    values[-_CUTS:] /= len(frame.aligned)
    if Flag.ONE_BAND in frame.flags:
        values[_COLOURS] = np.nan
    return values


@kernel
def _measure(
    light: NDArray[np.float32], equalised: NDArray[np.float32], q: float
) -> NDArray[np.float32]:
    values = np.empty(_NUMBER, np.float32)
    at = append(values, 0, ring_profiles(equalised, q).reshape(-1))
    at = append(values, at, colour_profiles(balanced(light, q), q).reshape(-1))
    append(values, at, axis_cuts(equalised).reshape(-1))
    return values


@kernel
def ring_profiles(equalised: NDArray[np.float32], q: float) -> NDArray[np.float32]:
    """Return profiles in elliptical rings of the aligned view, shape (2, 16).

    Parameters
    ----------
    equalised : ndarray of float32, shape (n, n)
        Equalised brightness. n is even.
    q : float
        Axis ratio of the rings.

    Returns
    -------
    ndarray of float32
        Brightness over its mean within half the radius, and its standard deviation around
        the ring over the ring's mean. Zero in rings without pixels.
    """
    size = equalised.shape[0]
    middle = 0.5 * (size - 1)
    sums = np.zeros((RINGS, 3), np.float64)
    for y in range(size // 2):
        v = (y - middle) / q
        upper, lower = equalised[y], equalised[size - 1 - y]
        for x in range(size // 2):
            u = x - middle
            ring = int(np.sqrt(u * u + v * v) * (2.0 * RINGS / size))
            if ring < RINGS:
                # The four quadrants have the same radii.
                a, b = float(upper[x]), float(upper[size - 1 - x])
                c, d = float(lower[x]), float(lower[size - 1 - x])
                sums[ring, 0] += 4.0
                sums[ring, 1] += a + b + c + d
                sums[ring, 2] += a * a + b * b + c * c + d * d
    within = sums[: RINGS // 2]
    scale = max(within[:, 1].sum() / within[:, 0].sum(), 1e-6)
    result = np.zeros((2, RINGS), np.float32)
    for ring in range(RINGS):
        pixels = max(sums[ring, 0], 1.0)
        mean = sums[ring, 1] / pixels
        deviation = np.sqrt(max(sums[ring, 2] / pixels - mean * mean, 0.0))
        result[0, ring] = mean / scale
        result[1, ring] = deviation / max(mean, 0.05 * scale)
    return result


@kernel
def colour_profiles(relative: NDArray[np.float32], q: float) -> NDArray[np.float32]:
    """Return the colour of elliptical rings relative to the core, and its scatter, shape (2, 6).

    Parameters
    ----------
    relative : ndarray of float32, shape (3, n, n)
        Light balanced to the galaxy's mean colour (see `galfeat.features.band_balance`). n is even.
    q : float
        Axis ratio of the rings.

    Returns
    -------
    ndarray of float32
        ln(R/B) minus that within 0.2 radii, with a tenth of the mean light added in the
        core's colour, so that it tends to zero in faint rings; and the standard deviation of
        R - B over the mean of the channels plus 0.3 of the mean light. Rings are from 0.2 to
        0.8 radii. Zero without light.
    """
    size = relative.shape[1]
    middle = 0.5 * (size - 1)
    sums = np.zeros((COLOUR_RINGS + 1, 5), np.float64)
    for y in range(size // 2):
        v = (y - middle) / q
        for x in range(size // 2):
            u = x - middle
            r = np.sqrt(u * u + v * v) * (2.0 / size)
            if r >= _OUTERMOST:
                continue
            ring = COLOUR_RINGS if r < _CORE else int(COLOUR_RINGS * (r - _CORE) / _WIDE)
            red, green, blue, square = 0.0, 0.0, 0.0, 0.0
            for j in (y, size - 1 - y):
                for i in (x, size - 1 - x):
                    difference = float(relative[0, j, i]) - float(relative[2, j, i])
                    red += float(relative[0, j, i])
                    green += float(relative[1, j, i])
                    blue += float(relative[2, j, i])
                    square += difference * difference
            sums[ring, 0] += 4.0
            sums[ring, 1] += red
            sums[ring, 2] += blue
            sums[ring, 3] += red + green + blue
            sums[ring, 4] += square
    core = sums[COLOUR_RINGS]
    core_red, core_blue = max(core[1] / core[0], 0.05), max(core[2] / core[0], 0.05)
    result = np.zeros((2, COLOUR_RINGS), np.float32)
    for ring in range(COLOUR_RINGS):
        pixels = max(sums[ring, 0], 1.0)
        red, blue = sums[ring, 1] / pixels, sums[ring, 2] / pixels
        result[0, ring] = np.log(
            (max(red, 0.0) / core_red + _COLOUR_FLOOR)
            / (max(blue, 0.0) / core_blue + _COLOUR_FLOOR)
        )
        variance = sums[ring, 4] / pixels - (red - blue) ** 2
        mean = max(sums[ring, 3] / (3.0 * pixels), 0.0)
        result[1, ring] = np.sqrt(max(variance, 0.0)) / (mean + _SCATTER_FLOOR)
    return result


@kernel
def axis_cuts(equalised: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return cuts along the axes of an aligned view, folded about both, shape (4, 8).

    Edge-on discs with and without a bulge differ in the height of the light above the disc.
    The side of the view must be even.
    """
    size = equalised.shape[0]
    half = size // 2
    middle = 0.5 * (size - 1)
    wide = size // (2 * STEPS)
    # For each column: the light near the major axis, all light, and light times height.
    columns = np.zeros((3, size), np.float64)
    sums = np.zeros((STEPS, 6), np.float64)
    total = 0.0
    for y in range(size):
        v = abs(y - middle)
        near = 1.0 if v < 2.0 else 0.0
        line = equalised[y]
        light, moment = 0.0, 0.0
        for x in range(size):
            brightness = float(line[x])
            columns[0, x] += near * brightness
            columns[1, x] += brightness
            columns[2, x] += v * brightness
            light += brightness
            moment += abs(x - middle) * brightness
        row = sums[int(v) // wide]
        for x in range(half - 2, half + 2):
            row[1] += line[x]
        row[4] += light
        row[5] += moment
        total += light
    for x in range(size):
        column = sums[int(abs(x - middle)) // wide]
        column[0] += columns[0, x]
        column[2] += columns[1, x]
        column[3] += columns[2, x]
    mean = max(total / (size * size), 1e-6)
    result = np.zeros((4, STEPS), np.float32)
    for step in range(STEPS):
        row = sums[step]
        result[0, step] = row[0] / (8 * wide) / mean
        result[1, step] = row[1] / (8 * wide) / mean
        result[2, step] = row[3] / max(row[2], 1e-6) / (0.5 * size)
        result[3, step] = row[5] / max(row[4], 1e-6) / (0.5 * size)
    return result
