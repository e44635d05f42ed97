"""Colour: histograms weighted by light, and the colours of core, disc and outskirts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import Column
from galfeat.frame import Frame
from galfeat.kernels import kernel

#: Bins of a histogram.
BINS = 10
#: Half the range of red minus blue over the sum of channels, and of the green excess.
_RED_BLUE_RANGE, _GREEN_RANGE = 0.5, 0.25
#: Outer bounds of core, disc and outskirts in frame radii.
_ZONES = ("core", "disc", "outskirts")
_BOUNDS = (0.2, 0.45, 0.8)
#: Pixels fainter than this part of the mean brightness have no colour worth counting.
_FAINT = 0.1

COLUMNS = (
    tuple(
        Column(
            f"colour.red_blue.b{b}", "1",
            f"part of the light whose (R - B) / (R + G + B) is in bin {b} of {BINS} "
            f"from -{_RED_BLUE_RANGE} to {_RED_BLUE_RANGE}", "Swain & Ballard 1991",
        )
        for b in range(BINS)
    )
    + tuple(
        Column(
            f"colour.green_excess.b{b}", "1",
            f"part of the light whose (2G - R - B) / (R + G + B) is in bin {b} of {BINS} "
            f"from -{_GREEN_RANGE} to {_GREEN_RANGE}", "Swain & Ballard 1991",
        )
        for b in range(BINS)
    )
    + tuple(
        Column(f"colour.{pair}.{zone}", "1", f"{text} over the mean, in the {zone}", "galfeat")
        for zone in _ZONES
        for pair, text in (("red_green", "red minus green"), ("green_blue", "green minus blue"))
    )
    + tuple(
        Column(f"colour.{pair}.gradient", "1", f"{text}, core against outskirts", "galfeat")
        for pair, text in (("red_green", "red minus green"), ("green_blue", "green minus blue"))
    )
)  # fmt: skip


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`."""
    result: NDArray[np.float32] = colours(frame.aligned[0].light, max(frame.q, 1.0 / 3.0))
    return result


@kernel
def colours(light: NDArray[np.float32], q: float) -> NDArray[np.float32]:
    """Return two colour histograms and zone colours of the aligned view, shape (28,).

    Parameters
    ----------
    light : ndarray of float32, shape (3, n, n)
        Red, green and blue above the sky.
    q : float
        Axis ratio of the zones.

    Returns
    -------
    ndarray of float32
        Histograms sum to one, or are zero without light; a colour without light is zero.
    """
    size = light.shape[1]
    middle = 0.5 * (size - 1)
    zones = np.zeros((3, 3), np.float64)
    pixels = np.zeros(3, np.float64)
    for y in range(size):
        v = (y - middle) / q
        for x in range(size):
            r = np.hypot(x - middle, v) / (0.5 * size)
            if r < _BOUNDS[2]:
                zone = 0 if r < _BOUNDS[0] else (1 if r < _BOUNDS[1] else 2)
                pixels[zone] += 1.0
                for channel in range(3):
                    zones[zone, channel] += light[channel, y, x]
    brightness = max(zones.sum() / (3.0 * pixels.sum()), 1e-6)
    result = np.zeros(2 * BINS + 8, np.float32)
    total = np.float32(0.0)
    for y in range(size):
        v = (y - middle) / q
        for x in range(size):
            red, green, blue = light[0, y, x], light[1, y, x], light[2, y, x]
            sum_of_three = red + green + blue
            if sum_of_three < 3.0 * _FAINT * brightness:
                continue
            if np.hypot(x - middle, v) / (0.5 * size) >= _BOUNDS[2]:
                continue
            first = (red - blue) / sum_of_three / _RED_BLUE_RANGE
            second = (green + green - red - blue) / sum_of_three / _GREEN_RANGE
            i = min(max(int(0.5 * BINS * (first + 1.0)), 0), BINS - 1)
            j = min(max(int(0.5 * BINS * (second + 1.0)), 0), BINS - 1)
            result[i] += sum_of_three
            result[BINS + j] += sum_of_three
            total += sum_of_three
    for i in range(2 * BINS):
        result[i] /= max(total, np.float32(1e-6))
    k = 2 * BINS
    for zone in range(3):
        mean = max(zones[zone].sum() / 3.0, _FAINT * brightness * max(pixels[zone], 1.0))
        result[k + 2 * zone] = (zones[zone, 0] - zones[zone, 1]) / mean
        result[k + 2 * zone + 1] = (zones[zone, 1] - zones[zone, 2]) / mean
    result[k + 6] = result[k] - result[k + 4]
    result[k + 7] = result[k + 1] - result[k + 5]
    return result
