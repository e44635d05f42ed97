"""Colour: of core, disc and outskirts, of the parts against the whole, and of blue knots.

The colours of zones are the image's own. All else is relative to the galaxy's mean colour, in
which the gain of a band cancels, and is red against blue: how green lies between the two is
decided by a survey's bands.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.balance import REACH, balanced
from galfeat.features.registry import Column
from galfeat.frame import Frame
from galfeat.kernels import kernel

#: Bins of the histogram; the galaxy's mean colour lies in the middle of the middle one.
BINS = 9
#: Half the histogram's range of red minus blue over the sum of the balanced channels.
RANGE = 0.35
#: Outer bounds of core, disc and outskirts in view radii.
ZONES = ("core", "disc", "outskirts")
BOUNDS = (0.2, 0.45, REACH)
#: Light below this part of the mean brightness has no colour worth counting, and as much of
#: the galaxy's mean colour is mixed into the rest.
FAINT = 0.1
#: Knots are looked for from here outwards, as means of 5×5 pixels against 15×15.
_INNERMOST, _COMPACT, _AROUND = 0.15, 2, 7

COLUMNS = (
    *(
        Column(
            f"colour.relative.b{b}", "1",
            "part of the light whose R - B over R + G + B, relative to the galaxy's mean colour, "
            f"is in bin {b} of {BINS} from -{RANGE} to {RANGE}", "Swain & Ballard 1991",
            degenerate="0 without light",
        )
        for b in range(BINS)
    ),
    Column(
        "colour.spread", "1", "standard deviation of R - B over R + G + B, relative to the "
        "galaxy's mean colour, weighted by light", "galfeat", degenerate="0 without light",
    ),
    *(
        Column(
            f"colour.{pair}.{zone}", "1", f"{text} over the mean, in the {zone}", "galfeat",
            degenerate="0 without light",
        )
        for zone in ZONES
        for pair, text in (("red_green", "red minus green"), ("green_blue", "green minus blue"))
    ),
    Column(
        "colour.bulge_disc", "1", "ln(R/B) of the core less that of the disc", "galfeat",
        degenerate="0 without light",
    ),
    Column(
        "colour.gradient", "1", "ln(R/B) of the core less that of the outskirts", "galfeat",
        degenerate="0 without light",
    ),
    Column(
        "colour.blue_knots", "1", "excess of compact regions over the light around them, times "
        "how much bluer they are, averaged over the light", "galfeat",
        degenerate="0 without light",
    ),
)  # fmt: skip


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`."""
    light, q = frame.aligned[0].light, max(frame.q, 1.0 / 3.0)
    relative = balanced(light, q)
    sums = running_sums(relative)
    values = np.empty(len(COLUMNS), np.float32)
    values[: BINS + 1] = histogram(sums, q)
    values[BINS + 1 : -3] = zone_colours(light, q)
    values[-3:-1] = gradients(relative, q)
    values[-1] = blue_knots(sums, q)
    return values


@kernel
def running_sums(light: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the sums of all pixels above and left, shape (3, n + 1, n + 1)."""
    channels, size, _ = light.shape
    sums = np.zeros((channels, size + 1, size + 1), np.float64)
    for channel in range(channels):
        for y in range(size):
            row = 0.0
            for x in range(size):
                row += light[channel, y, x]
                sums[channel, y + 1, x + 1] = sums[channel, y, x + 1] + row
    return sums


@kernel
def _box_mean(sums: NDArray[np.float64], channel: int, y: int, x: int, half: int) -> float:
    """Return the mean of a channel over the box around a pixel, cut at the view's edge."""
    size = sums.shape[1] - 1
    y0, y1 = max(y - half, 0), min(y + half + 1, size)
    x0, x1 = max(x - half, 0), min(x + half + 1, size)
    total = sums[channel, y1, x1] - sums[channel, y0, x1]
    total += sums[channel, y0, x0] - sums[channel, y1, x0]
    return total / ((y1 - y0) * (x1 - x0))


@kernel
def histogram(sums: NDArray[np.float64], q: float) -> NDArray[np.float64]:
    """Return the histogram of colour weighted by light, and its standard deviation, shape (10,).

    Parameters
    ----------
    sums : ndarray of float64, shape (3, n + 1, n + 1)
        Running sums of the balanced light.
    q : float
        Axis ratio of the ellipse that is counted.

    Returns
    -------
    ndarray of float64
        Nine bins that sum to one, the outermost open; zeros without light.
    """
    size = sums.shape[1] - 1
    middle = 0.5 * (size - 1)
    reach2 = (REACH * 0.5 * size) ** 2
    result = np.zeros(BINS + 1, np.float64)
    total, first, second = 0.0, 0.0, 0.0
    for y in range(size):
        v2 = ((y - middle) / q) ** 2
        for x in range(size):
            if (x - middle) ** 2 + v2 >= reach2:
                continue
            red = _box_mean(sums, 0, y, x, 1)
            blue = _box_mean(sums, 2, y, x, 1)
            light = red + _box_mean(sums, 1, y, x, 1) + blue
            if light > 3.0 * FAINT:
                colour = (red - blue) / (light + 3.0 * FAINT)
                place = int(0.5 * BINS * (colour / RANGE + 1.0))
                result[min(max(place, 0), BINS - 1)] += light
                total += light
                first += light * colour
                second += light * colour * colour
    if total > 0.0:
        result /= total
        result[BINS] = np.sqrt(max(second / total - (first / total) ** 2, 0.0))
    return result


@kernel
def zone_sums(light: NDArray[np.float32], q: float) -> NDArray[np.float64]:
    """Return sums of red, green, blue and number of pixels by zone, shape (3, 4)."""
    size = light.shape[1]
    middle = 0.5 * (size - 1)
    zones = np.zeros((3, 4), np.float64)
    for y in range(size):
        v = (y - middle) / q
        for x in range(size):
            r = np.sqrt((x - middle) ** 2 + v * v) / (0.5 * size)
            if r < BOUNDS[2]:
                zone = zones[0 if r < BOUNDS[0] else (1 if r < BOUNDS[1] else 2)]
                zone[3] += 1.0
                for channel in range(3):
                    zone[channel] += light[channel, y, x]
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
    """Return ln(R/B) of the core less that of the disc and of the outskirts, shape (2,).

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
    """Return how much light is in compact regions bluer than the disc around them.

    Where the mean of 5×5 pixels is above that of 15×15 in green and in blue, the smaller of
    the two excesses, over the mean around, is multiplied by the excess of blue less that of
    red. The mean over the galaxy is weighted by the green light around.

    Parameters
    ----------
    sums : ndarray of float64, shape (3, n + 1, n + 1)
        Running sums of the balanced light.
    q : float
        Axis ratio of the zones.

    Returns
    -------
    float
        0 and up; some thousandths for patchy discs. 0 without light.
    """
    size = sums.shape[1] - 1
    middle = 0.5 * (size - 1)
    inner2, outer2 = (_INNERMOST * 0.5 * size) ** 2, (REACH * 0.5 * size) ** 2
    found, total = 0.0, 0.0
    excess = np.empty(3, np.float64)
    for y in range(size):
        v2 = ((y - middle) / q) ** 2
        for x in range(size):
            r2 = (x - middle) ** 2 + v2
            if r2 <= inner2 or r2 >= outer2:
                continue
            weight = 0.0
            for channel in range(3):
                around = _box_mean(sums, channel, y, x, _AROUND)
                floored = max(around, 0.0) + FAINT
                excess[channel] = (_box_mean(sums, channel, y, x, _COMPACT) - around) / floored
                if channel == 1:
                    weight = floored
            total += weight
            compact, bluer = min(excess[1], excess[2]), excess[2] - excess[0]
            if compact > 0.0 and bluer > 0.0:
                found += weight * compact * bluer
    return found / max(total, 1e-9)
