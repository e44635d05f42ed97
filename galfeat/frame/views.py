"""Resample the galaxy to views without its position, angle, inclination, size and stretch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Side of a view, in pixels.
VIEW_SIZE = 64
#: An original or a halved image.
Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """A galaxy resampled to its canonical frame.

    Attributes
    ----------
    light : ndarray of float32, shape (3, 64, 64)
        Red, green and blue above the sky, in counts of the image.
    equalised : ndarray of float32, shape (64, 64)
        Brightness with the stretch removed. Each level is replaced by the value that an
        exponential disc has at the isophote of the same area, so that a galaxy with
        elliptical isophotes has an exponential profile for any original profile and display
        stretch. Only departures from ellipses remain: arms, bars, rings, tails, companions.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.frame import View
    >>> view = View(np.zeros((3, 64, 64), np.float32), np.zeros((64, 64), np.float32))
    >>> view.light.shape
    (3, 64, 64)
    """

    light: NDArray[np.float32]
    equalised: NDArray[np.float32]


@kernel
def halve(image: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the image at half resolution, shape (H // 2, W // 2, n): means of 2×2 pixels."""
    height, width, channels = image.shape
    small = np.empty((height // 2, width // 2, channels), np.float32)
    quarter = np.float32(0.25)
    both = np.empty(channels * width, np.float32)
    for y in range(height // 2):
        upper, lower, out = image[2 * y].reshape(-1), image[2 * y + 1].reshape(-1), small[y]
        for i in range(both.size):
            both[i] = np.float32(upper[i]) + np.float32(lower[i])
        for channel in range(channels):
            for x in range(width // 2):
                i = 2 * channels * x + channel
                out[x, channel] = quarter * (both[i] + both[i + channels])
    return small


@kernel
def halve_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask at half resolution, set if any of the 2×2 pixels is."""
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
    image: Pixels,
    mask: NDArray[np.bool_],
    sky: NDArray[np.float32],
    yc: float,
    xc: float,
    pa: float,
    half_width: float,
    stretch: float,
    view: NDArray[np.float32],
) -> None:
    """Sample a square view centred on the galaxy, the direction `pa` along x.

    Parameters
    ----------
    image : ndarray of uint8 or float32, shape (H, W, 3)
    mask : ndarray of bool, shape (H, W)
        Pixels to hide. They are replaced by the pixels opposite the centre, or by the sky if
        those are masked too. An empty mask hides nothing.
    sky : ndarray of float32, shape (3,)
        Subtracted from each channel.
    yc, xc : float
        The centre, in pixels.
    pa : float
        The position angle, in radians from x towards rising rows.
    half_width : float
        Half of the view's width, in pixels of the image.
    stretch : float
        Factor by which the minor axis is stretched; 1 for none.
    view : ndarray of float32, shape (3, 64, 64)
        Output: the bilinear samples; zero, the sky, outside the image.
    """
    height, width, _ = image.shape
    flat = image.reshape(-1)
    hides = mask.reshape(-1)
    hidden = np.zeros((VIEW_SIZE, VIEW_SIZE), np.bool_)
    step = 2.0 * half_width / VIEW_SIZE
    c, s = np.cos(pa), np.sin(pa)
    along = step * (np.arange(VIEW_SIZE) + 0.5 - 0.5 * VIEW_SIZE)
    down, right = (s * along).astype(np.float32), (c * along).astype(np.float32)
    places = np.empty((3, VIEW_SIZE), np.float32)
    pixels = np.empty((2, VIEW_SIZE), np.int32)
    for row in range(VIEW_SIZE):
        v = along[row] / stretch
        _places(yc + v * c, xc - v * s, down, right, height, width, places, pixels)
        for column in range(VIEW_SIZE):
            fy, fx, inside = places[0, column], places[1, column], places[2, column]
            k = pixels[0, column]
            n = k + 3 * width
            fd = inside * fx * fy
            fb, fc = inside * fx - fd, inside * fy - fd
            fa = inside - inside * fx - fc
            for channel in range(3):
                above = fa * flat[k + channel] + fb * flat[k + channel + 3]
                below = fc * flat[n + channel] + fd * flat[n + channel + 3]
                view[channel, row, column] = above + below - inside * sky[channel]
            if hides.size > 0:
                hidden[row, column] = inside > 0.0 and hides[pixels[1, column]]
    if hides.size > 0:
        _fill_hidden(view, hidden)


@kernel
def _places(
    y0: float,
    x0: float,
    down: NDArray[np.float32],
    right: NDArray[np.float32],
    height: int,
    width: int,
    places: NDArray[np.float32],
    pixels: NDArray[np.int32],
) -> None:
    """Compute the sample positions of a row.

    Writes to `places` the fractional offsets from the pixel above and to the left, and 1 inside
    the image, else 0; to `pixels` the offset of that pixel's red value and the nearest pixel.
    """
    y_first, x_first, zero, half = np.float32(y0), np.float32(x0), np.float32(0.0), np.float32(0.5)
    bottom, edge, wide = np.float32(height - 1), np.float32(width - 1), np.int32(width)
    last_row, last_column = np.float32(height - 2), np.float32(width - 2)
    for j in range(down.size):
        y, x = y_first + down[j], x_first + right[j]
        outside = (y < -half) | (x < -half) | (y > bottom + half) | (x > edge + half)
        # The outer half of an edge pixel has the value of its centre.
        y, x = np.minimum(np.maximum(y, zero), bottom), np.minimum(np.maximum(x, zero), edge)
        row, column = np.int32(np.minimum(y, last_row)), np.int32(np.minimum(x, last_column))
        places[0, j], places[1, j] = y - np.float32(row), x - np.float32(column)
        places[2, j] = zero if outside else np.float32(1.0)
        pixels[0, j] = np.int32(3) * (row * wide + column)
        pixels[1, j] = np.int32(y + half) * wide + np.int32(x + half)


@kernel
def _fill_hidden(view: NDArray[np.float32], hidden: NDArray[np.bool_]) -> None:
    """Replace hidden pixels by the pixels opposite the centre, or by the sky."""
    last = VIEW_SIZE - 1
    for row in range(VIEW_SIZE):
        for column in range(VIEW_SIZE):
            if hidden[row, column]:
                for channel in range(3):
                    opposite = view[channel, last - row, last - column]
                    view[channel, row, column] = (
                        np.float32(0.0) if hidden[last - row, last - column] else opposite
                    )
