"""Energies of a small bank of Gabor filters: patterns by scale and direction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.texture.disc import chord
from galfeat.features.texture.starlet import mirrored
from galfeat.kernels import kernel

#: Wavelength of the finest filters and width of their Gaussian, in pixels.
WAVELENGTH, WIDTH = 4.0, 2.0
#: Number of taps of a filter on either side of its centre.
_REACH = 5
#: Number of directions: 0, 45, 90 and 135 degrees from the x axis.
DIRECTIONS = 4


def _taps() -> NDArray[np.float32]:
    """Return the Gaussian, and its product with waves along an axis and a diagonal, (5, 11)."""
    x = np.arange(-_REACH, _REACH + 1)
    gauss = np.exp(-0.5 * (x / WIDTH) ** 2)
    k = 2.0 * np.pi / WAVELENGTH
    waves = [np.ones(x.size)]
    for wave_number in (k, k * np.sqrt(0.5)):
        waves += [np.cos(wave_number * x), np.sin(wave_number * x)]
    return (gauss / gauss.sum() * np.array(waves)).astype(np.float32)


_TAPS = _taps()
_WIDE = _TAPS.shape[1]
#: Pairs of rows of `_TAPS`, applied along the columns and along the rows.
_PRODUCTS = ((0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (3, 3), (4, 4), (4, 3), (3, 4))


def _sums() -> tuple[np.float32, np.float32]:
    """Return the responses of the even filters to a constant, along an axis and a diagonal."""
    totals = _TAPS.sum(axis=1)
    return np.float32(totals[1] * totals[0]), np.float32(totals[3] * totals[3])


_AXIS_SUM, _DIAGONAL_SUM = _sums()


@kernel
def _filtered(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an image convolved with each of `_PRODUCTS`, (9, H, W + 10); ignore the margin."""
    height, width = image.shape
    wide = width + 2 * _REACH
    padded = np.empty((height + 2 * _REACH, wide), np.float32)
    for y in range(height + 2 * _REACH):
        row = mirrored(y - _REACH, height)
        for x in range(width):
            padded[y, x + _REACH] = image[row, x]
        for x in range(_REACH):
            padded[y, x] = image[row, mirrored(x - _REACH, width)]
            padded[y, width + _REACH + x] = image[row, mirrored(width + x, width)]
    # All rows are processed as one line, long enough to vectorise well. Indices are unsigned
    # because numba tests every signed index for negative values, pixel by pixel.
    line = padded.reshape(-1)
    rows = np.zeros((len(_TAPS), line.size), np.float32)
    for kind in range(len(_TAPS)):
        for i in range(np.uint64(line.size - 2 * _REACH)):
            total = np.float32(0.0)
            for k in range(np.uint64(_WIDE)):
                total += _TAPS[kind, k] * line[i + k]
            rows[kind, i] = total
    step = np.uint64(wide)
    result = np.empty((len(_PRODUCTS), height * wide), np.float32)
    for product in range(len(_PRODUCTS)):
        down, along = _PRODUCTS[product]
        for i in range(np.uint64(height * wide)):
            total = np.float32(0.0)
            for k in range(np.uint64(_WIDE)):
                total += _TAPS[down, k] * rows[along, i + k * step]
            result[product, i] = total
    return result.reshape((len(_PRODUCTS), height, wide))


@kernel
def gabor_energies(image: NDArray[np.float32], radius: float) -> NDArray[np.float64]:
    """Return the mean squared response of Gabor filters at four directions, shape (4,).

    The filters are plane waves with a wavelength of 4 pixels under a Gaussian of standard
    deviation 2, in quadrature. A Gaussian is subtracted from the even filter, so that its
    response to a constant is zero.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
        Extended beyond its edges by mirroring.
    radius : float
        Radius of the central disc to average over, in pixels.

    Returns
    -------
    ndarray of float64
        For waves along 0, 45, 90 and 135 degrees from x towards rising rows. Rotation by 90
        degrees swaps the first with the third and the second with the fourth, mirroring the
        second with the fourth.

    References
    ----------
    Daugman 1985, J. Opt. Soc. Am. A 2, 1160.
    """
    height, width = image.shape
    responses = _filtered(image)
    energies = np.zeros(DIRECTIONS, np.float64)
    pixels = 0
    axis, diagonal = _AXIS_SUM, _DIAGONAL_SUM
    none = np.float32(0.0)
    for y in range(height):
        first, end = chord(radius, y, height, width)
        pixels += int(end - first)
        square0, square1, square2, square3 = none, none, none, none
        for x in range(first, end):
            smooth = responses[0, y, x]
            e0, o0 = responses[1, y, x] - axis * smooth, responses[2, y, x]
            e2, o2 = responses[3, y, x] - axis * smooth, responses[4, y, x]
            mean, ss = responses[5, y, x] - diagonal * smooth, responses[6, y, x]
            cs, sc = responses[7, y, x], responses[8, y, x]
            e1, o1, e3, o3 = mean - ss, sc + cs, mean + ss, sc - cs
            square0 += e0 * e0 + o0 * o0
            square1 += e1 * e1 + o1 * o1
            square2 += e2 * e2 + o2 * o2
            square3 += e3 * e3 + o3 * o3
        energies[0] += square0
        energies[1] += square1
        energies[2] += square2
        energies[3] += square3
    return energies / max(pixels, 1)
