"""Colours of core, disc and outskirts, their differences, and blue knots.

The colours of zones are those of the image. All other features are relative to the galaxy's mean
colour, which cancels the gains of the bands, and compare red and blue only: green depends on the
survey's bands. An image of one band has no colours: they are missing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.band_balance import REACH, balanced
from galfeat.features.registry import Column
from galfeat.features.vector import append
from galfeat.frame import Flag, Frame
from galfeat.kernels import kernel, variable

#: Bins of the histogram; the galaxy's mean colour is at the centre of the middle bin.
BINS = 9
#: Half-range of the histogram: (R - B) / (R + G + B) of the balanced channels.
RANGE = 0.35
#: Outer bounds of core, disc and outskirts in view radii.
ZONES = ("core", "disc", "outskirts")
BOUNDS = (0.2, 0.45, REACH)
#: Pixels below this fraction of the mean brightness are ignored; the same amount of light of the
#: galaxy's mean colour is added to the others.
FAINT = 0.1
#: Inner radius of the search for knots; half-widths of the boxes of 5×5 and 15×15 pixels.
_INNERMOST, _COMPACT, _AROUND = 0.15, 2, 7
_DEGENERATE = "0 without light; NaN for one band"

COLUMNS = (
    *(
        Column(
            f"colour.relative.b{b}", "1",
            "fraction of the light with (R - B) / (R + G + B), relative to the galaxy's mean "
            f"colour, in bin {b} of {BINS} from -{RANGE} to {RANGE}", "Swain & Ballard 1991",
            degenerate=_DEGENERATE,
        )
        for b in range(BINS)
    ),
    Column(
        "colour.spread", "1", "light-weighted standard deviation of (R - B) / (R + G + B), "
        "relative to the galaxy's mean colour", "galfeat", degenerate=_DEGENERATE,
    ),
    *(
        Column(
            f"colour.{pair}.{zone}", "1", f"{text} over the mean, in the {zone}", "galfeat",
            degenerate=_DEGENERATE,
        )
        for zone in ZONES
        for pair, text in (("red_green", "red minus green"), ("green_blue", "green minus blue"))
    ),
    Column(
        "colour.bulge_disc", "1", "ln(R/B) of the core minus that of the disc", "galfeat",
        degenerate=_DEGENERATE,
    ),
    Column(
        "colour.gradient", "1", "ln(R/B) of the core minus that of the outskirts", "galfeat",
        degenerate=_DEGENERATE,
    ),
    Column(
        "colour.blue_knots", "1", "light-weighted mean of the excess of compact regions over "
        "their surroundings times their excess in blue", "galfeat",
        degenerate=_DEGENERATE,
    ),
)  # fmt: skip
_NUMBER = len(COLUMNS)


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`; NaN for an image of one band."""
    if Flag.ONE_BAND in frame.flags:
        return np.full(_NUMBER, np.nan, np.float32)
    return _measure(frame.aligned[0].light, max(frame.q, 1.0 / 3.0))


@kernel
def _measure(light: NDArray[np.float32], q: float) -> NDArray[np.float32]:
    relative = balanced(light, q)
    sums = running_sums(relative)
    values = np.empty(_NUMBER, np.float32)
    place = append(values, variable(0), histogram(sums, q))
    place = append(values, place, zone_colours(light, q))
    place = append(values, place, gradients(relative, q))
    values[place] = blue_knots(sums, q)
    return values


@kernel
def running_sums(light: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the sums of all pixels above and left, shape (3, n + 15, n + 15).

    A margin of 7 pixels around the view allows boxes clipped at its edge to be indexed like
    complete ones.
    """
    channels, size, _ = light.shape
    wide = size + 1 + 2 * _AROUND
    sums = np.zeros((channels, wide, wide), np.float64)
    margin = np.uint64(_AROUND + 1)
    for y in range(size):
        # Three sums side by side hide the latency of the additions.
        red, green, blue = 0.0, 0.0, 0.0
        row = y + _AROUND + 1
        for x in range(np.uint64(size)):
            red += light[0, y, x]
            green += light[1, y, x]
            blue += light[2, y, x]
            sums[0, row, x + margin] = sums[0, row - 1, x + margin] + red
            sums[1, row, x + margin] = sums[1, row - 1, x + margin] + green
            sums[2, row, x + margin] = sums[2, row - 1, x + margin] + blue
        for channel in range(channels):
            for x in range(size + _AROUND + 1, wide):
                sums[channel, row, x] = sums[channel, row, size + _AROUND]
    for channel in range(channels):
        for y in range(size + _AROUND + 1, wide):
            for x in range(wide):
                sums[channel, y, x] = sums[channel, size + _AROUND, x]
    return sums


@kernel
def _box_means(
    sums: NDArray[np.float64], channel: int, y: int, half: int, means: NDArray[np.float64]
) -> None:
    """Write the means of a channel over boxes around a row's pixels, clipped at the edges."""
    size = means.size
    top, bottom = y + _AROUND - half, y + _AROUND + half + 1
    left, right = np.uint64(_AROUND - half), np.uint64(_AROUND + half + 1)
    rows = min(y + half + 1, size) - max(y - half, 0)
    for x in range(np.uint64(size)):
        columns = min(x + (half + 1.0), float(size)) - max(x - float(half), 0.0)
        lower = sums[channel, bottom, x + right] - sums[channel, bottom, x + left]
        upper = sums[channel, top, x + right] - sums[channel, top, x + left]
        means[x] = (lower - upper) / (rows * columns)


@kernel
def histogram(sums: NDArray[np.float64], q: float) -> NDArray[np.float64]:
    """Return the light-weighted histogram of colour and its standard deviation, shape (10,).

    Parameters
    ----------
    sums : ndarray of float64, shape (3, n + 15, n + 15)
        The `running_sums` of the balanced light.
    q : float
        Axis ratio of the ellipse.

    Returns
    -------
    ndarray of float64
        Nine bins with a sum of one, the outermost open, then the standard deviation; zeros
        without light.
    """
    size = sums.shape[1] - 1 - 2 * _AROUND
    middle = 0.5 * (size - 1)
    reach2 = (REACH * 0.5 * size) ** 2
    result = np.zeros(BINS + 1, np.float64)
    # Adjacent pixels often share a bin: four sums per bin avoid waiting for the previous one.
    spread = np.zeros((4, BINS), np.float64)
    red, green, blue = np.empty(size), np.empty(size), np.empty(size)
    weight, place = np.empty(size), np.empty(size, np.int64)
    near = variable(1)
    total, first, second = 0.0, 0.0, 0.0
    for y in range(size):
        v2 = ((y - middle) / q) ** 2
        if v2 >= reach2:
            continue
        _box_means(sums, variable(0), y, near, red)
        _box_means(sums, variable(1), y, near, green)
        _box_means(sums, variable(2), y, near, blue)
        for x in range(size):
            light = red[x] + green[x] + blue[x]
            colour = (red[x] - blue[x]) / (light + 3.0 * FAINT)
            counted = ((x - middle) ** 2 + v2 < reach2) & (light > 3.0 * FAINT)
            weight[x] = light if counted else 0.0
            bin = int(0.5 * BINS * (colour / RANGE + 1.0)) if counted else 0
            place[x] = min(max(bin, 0), BINS - 1)
            total += weight[x]
            first += weight[x] * colour if counted else 0.0
            second += weight[x] * colour * colour if counted else 0.0
        for x in range(size):
            spread[x % 4, place[x]] += weight[x]
    for bin in range(BINS):
        result[bin] = spread[0, bin] + spread[1, bin] + spread[2, bin] + spread[3, bin]
    if total > 0.0:
        result /= total
        result[BINS] = np.sqrt(max(second / total - (first / total) ** 2, 0.0))
    return result


@kernel
def zone_sums(light: NDArray[np.float32], q: float) -> NDArray[np.float64]:
    """Return sums of red, green, blue and number of pixels by zone, shape (3, 4)."""
    size = light.shape[1]
    middle = 0.5 * (size - 1)
    bounds2 = (np.array(BOUNDS) * 0.5 * size) ** 2
    core2, disc2, outskirts2 = bounds2[0], bounds2[1], bounds2[2]
    zones = np.zeros((3, 4), np.float64)
    for y in range(size):
        v2 = ((y - middle) / q) ** 2
        if v2 >= outskirts2:
            continue
        for channel in range(4):
            core, disc, outskirts = 0.0, 0.0, 0.0
            for x in range(size):
                r2 = (x - middle) ** 2 + v2
                value = np.float64(light[min(channel, 2), y, x]) if channel < 3 else 1.0
                core += value if r2 < core2 else 0.0
                disc += value if (r2 >= core2) & (r2 < disc2) else 0.0
                outskirts += value if (r2 >= disc2) & (r2 < outskirts2) else 0.0
            zones[0, channel] += core
            zones[1, channel] += disc
            zones[2, channel] += outskirts
    return zones


@kernel
def zone_colours(light: NDArray[np.float32], q: float) -> NDArray[np.float64]:
    """Return red minus green and green minus blue over the mean in each zone, shape (6,).

    Parameters
    ----------
    light : ndarray of float32, shape (3, n, n)
        Red, green and blue above the sky.
    q : float
        Axis ratio of the zones.
    """
    zones = zone_sums(light, q)
    brightness = max(zones[:, :3].sum() / (3.0 * zones[:, 3].sum()), 1e-6)
    result = np.zeros(6, np.float64)
    for i in range(3):
        red, green, blue, number = zones[i]
        mean = max((red + green + blue) / 3.0, FAINT * brightness * max(number, 1.0))
        result[2 * i] = (red - green) / mean
        result[2 * i + 1] = (green - blue) / mean
    return result


@kernel
def gradients(relative: NDArray[np.float32], q: float) -> NDArray[np.float64]:
    """Return ln(R/B) of the core minus that of the disc and of the outskirts, shape (2,).

    Parameters
    ----------
    relative : ndarray of float32, shape (3, n, n)
        The balanced light.
    q : float
        Axis ratio of the zones.
    """
    zones = zone_sums(relative, q)
    colour = np.zeros(3, np.float64)
    for i in range(3):
        red = max(zones[i, 0] / max(zones[i, 3], 1.0), 0.0) + FAINT
        blue = max(zones[i, 2] / max(zones[i, 3], 1.0), 0.0) + FAINT
        colour[i] = np.log(red / blue)
    return colour[0] - colour[1:]


@kernel
def blue_knots(sums: NDArray[np.float64], q: float) -> float:
    """Return the amount of light in compact regions bluer than their surroundings.

    Where the mean of 5×5 pixels exceeds that of 15×15 in green and in blue, the smaller of the
    two relative excesses is multiplied by the excess in blue minus that in red. The mean over
    the galaxy is weighted by the surrounding green light.

    Parameters
    ----------
    sums : ndarray of float64, shape (3, n + 15, n + 15)
        The `running_sums` of the balanced light.
    q : float
        Axis ratio of the zones.

    Returns
    -------
    float
        At least 0; a few thousandths for patchy discs. 0 without light.
    """
    size = sums.shape[1] - 1 - 2 * _AROUND
    middle = 0.5 * (size - 1)
    inner2, outer2 = (_INNERMOST * 0.5 * size) ** 2, (REACH * 0.5 * size) ** 2
    found, total = 0.0, 0.0
    around, compact = np.empty(size), np.empty(size)
    floored, excess = np.empty((3, size)), np.empty((3, size))
    for y in range(size):
        v2 = ((y - middle) / q) ** 2
        if v2 >= outer2:
            continue
        for channel in range(3):
            _box_means(sums, channel, y, variable(_AROUND), around)
            _box_means(sums, channel, y, variable(_COMPACT), compact)
            for x in range(size):
                floored[channel, x] = max(around[x], 0.0) + FAINT
                excess[channel, x] = (compact[x] - around[x]) / floored[channel, x]
        for x in range(size):
            r2 = (x - middle) ** 2 + v2
            weight = floored[1, x] if (r2 > inner2) & (r2 < outer2) else 0.0
            total += weight
            knot = max(min(excess[1, x], excess[2, x]), 0.0)
            found += weight * knot * max(excess[2, x] - excess[0, x], 0.0)
    return found / max(total, 1e-9)
