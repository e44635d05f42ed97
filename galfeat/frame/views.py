"""Canonical views: the galaxy resampled so that place, angle, tilt, size and stretch are gone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: The side of every view in pixels.
VIEW_SIZE = 64
#: An image is halved before it is sampled more coarsely than this many pixels a step.
COARSEST_STEP = 3.0
#: Levels of the table that equalises brightness.
_LEVELS = 4096
#: Peak of the equalised profile, and its scale lengths out to the frame radius.
_PEAK, _SCALE_LENGTHS = 30.0, 3.0


@dataclass(frozen=True, slots=True)
class View:
    """A galaxy in its own frame.

    Attributes
    ----------
    light : ndarray of float32, shape (3, 64, 64)
        Red, green and blue above the sky, in counts of the image.
    equalised : ndarray of float32, shape (64, 64)
        Brightness with the stretch taken out. A galaxy of elliptical isophotes has an
        exponential profile here, whatever its own and whatever the display stretch: each
        level is replaced by the value such a disc has where it covers the same area.
        What is left are departures from ellipses: arms, bars, rings, tails, companions.
    """

    light: NDArray[np.float32]
    equalised: NDArray[np.float32]


@kernel
def halve(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the image at half resolution, shape (H // 2, W // 2, 3), by mean of 2×2 pixels."""
    height, width, channels = light.shape
    small = np.empty((height // 2, width // 2, channels), np.float32)
    quarter = np.float32(0.25)
    for y in range(height // 2):
        for x in range(width // 2):
            for channel in range(channels):
                small[y, x, channel] = quarter * (
                    light[2 * y, 2 * x, channel]
                    + light[2 * y, 2 * x + 1, channel]
                    + light[2 * y + 1, 2 * x, channel]
                    + light[2 * y + 1, 2 * x + 1, channel]
                )
    return small


@kernel
def halve_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask at half resolution, set where any of 2×2 pixels is."""
    height, width = mask.shape
    small = np.empty((height // 2, width // 2), np.bool_)
    for y in range(height // 2):
        for x in range(width // 2):
            small[y, x] = (
                mask[2 * y, 2 * x]
                or mask[2 * y, 2 * x + 1]
                or mask[2 * y + 1, 2 * x]
                or mask[2 * y + 1, 2 * x + 1]
            )
    return small


@kernel
def resample(
    light: NDArray[np.float32],
    mask: NDArray[np.bool_],
    yc: float,
    xc: float,
    pa: float,
    half_width: float,
    stretch: float,
) -> NDArray[np.float32]:
    """Sample a square view centred on the galaxy, the direction `pa` along x.

    Parameters
    ----------
    light : ndarray of float32, shape (H, W, 3)
        The image above the sky.
    mask : ndarray of bool, shape (H, W)
        Pixels not to be shown. What lies opposite the centre takes their place, or the sky
        where that is masked too.
    yc, xc : float
        The centre, in pixels.
    pa : float
        The position angle, in radians from x towards rising rows.
    half_width : float
        Half of the view's width, in pixels of the image.
    stretch : float
        How much the minor axis is stretched; 1 for none.

    Returns
    -------
    ndarray of float32, shape (3, 64, 64)
        Bilinear samples, averaged where a pixel of the view covers several of the image;
        zero, the sky, outside the image.
    """
    height, width, _ = light.shape
    view = np.zeros((3, VIEW_SIZE, VIEW_SIZE), np.float32)
    hidden = np.zeros((VIEW_SIZE, VIEW_SIZE), np.bool_)
    step = 2.0 * half_width / VIEW_SIZE
    parts = min(max(int(np.ceil(step - 0.01)), 1), 4)
    weight = np.float32(1.0 / (parts * parts))
    c, s = np.cos(pa), np.sin(pa)
    middle = 0.5 * VIEW_SIZE
    for row in range(VIEW_SIZE):
        for column in range(VIEW_SIZE):
            red, green, blue = np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for i in range(parts):
                v = (row + (i + 0.5) / parts - middle) * step / stretch
                for j in range(parts):
                    u = (column + (j + 0.5) / parts - middle) * step
                    y = yc + u * s + v * c
                    x = xc + u * c - v * s
                    if y < 0.0 or x < 0.0 or y >= height - 1 or x >= width - 1:
                        continue
                    y0, x0 = int(y), int(x)
                    fy, fx = np.float32(y - y0), np.float32(x - x0)
                    fa, fb = (np.float32(1.0) - fy) * (np.float32(1.0) - fx), fx - fx * fy
                    fc, fd = fy - fx * fy, fx * fy
                    a, b = light[y0, x0], light[y0, x0 + 1]
                    d, e = light[y0 + 1, x0], light[y0 + 1, x0 + 1]
                    red += fa * a[0] + fb * b[0] + fc * d[0] + fd * e[0]
                    green += fa * a[1] + fb * b[1] + fc * d[1] + fd * e[1]
                    blue += fa * a[2] + fb * b[2] + fc * d[2] + fd * e[2]
                    if mask[int(y + 0.5), int(x + 0.5)]:
                        hidden[row, column] = True
            view[0, row, column] = weight * red
            view[1, row, column] = weight * green
            view[2, row, column] = weight * blue
    _fill_hidden(view, hidden)
    return view


@kernel
def _fill_hidden(view: NDArray[np.float32], hidden: NDArray[np.bool_]) -> None:
    """Put what lies opposite the centre where another object was, or the sky."""
    last = VIEW_SIZE - 1
    for row in range(VIEW_SIZE):
        for column in range(VIEW_SIZE):
            if hidden[row, column]:
                for channel in range(3):
                    opposite = view[channel, last - row, last - column]
                    view[channel, row, column] = (
                        np.float32(0.0) if hidden[last - row, last - column] else opposite
                    )


@kernel
def equalising_table(
    light: NDArray[np.float32], q: float
) -> tuple[float, float, NDArray[np.float32]]:
    """Return the map from brightness to equalised brightness, learned on the aligned view.

    Parameters
    ----------
    light : ndarray of float32, shape (3, 64, 64)
        The aligned view.
    q : float
        The axis ratio of the ellipse whose pixels are ranked.

    Returns
    -------
    low, scale : float
        A brightness b has the level ``(b - low) * scale``, cut to the table's ends.
    table : ndarray of float32, shape (4096,)
        Equalised brightness by level, rising.
    """
    middle = 0.5 * (VIEW_SIZE - 1)
    radius2 = (0.5 * VIEW_SIZE - 1.0) ** 2
    values = np.empty(VIEW_SIZE * VIEW_SIZE, np.float32)
    number = 0
    for row in range(VIEW_SIZE):
        v = (row - middle) / q
        for column in range(VIEW_SIZE):
            u = column - middle
            if u * u + v * v < radius2:
                values[number] = light[0, row, column] + light[1, row, column]
                values[number] += light[2, row, column]
                number += 1
    values = np.sort(values[:number])
    low = float(values[0])
    scale = (_LEVELS - 1) / max(float(values[number - 1]) - low, 1e-3)
    table = np.empty(_LEVELS, np.float32)
    k = 0
    for level in range(_LEVELS):
        brightness = low + level / scale
        while k < number - 1 and values[k + 1] <= brightness:
            k += 1
        part = 0.0
        if k < number - 1 and values[k + 1] > values[k]:
            part = (brightness - values[k]) / (values[k + 1] - values[k])
        brighter = max(number - 0.5 - k - part, 0.0) / number
        table[level] = _PEAK * np.exp(-_SCALE_LENGTHS * np.sqrt(brighter))
    return low, scale, table


@kernel
def equalise(
    light: NDArray[np.float32], low: float, scale: float, table: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return a view's brightness with the stretch taken out; see `View`."""
    equalised = np.empty((VIEW_SIZE, VIEW_SIZE), np.float32)
    for row in range(VIEW_SIZE):
        for column in range(VIEW_SIZE):
            brightness = light[0, row, column] + light[1, row, column] + light[2, row, column]
            level = int((brightness - low) * scale)
            equalised[row, column] = table[min(max(level, 0), _LEVELS - 1)]
    return equalised
