"""Energies of a small bank of Gabor filters: how much pattern of which width and direction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.starlet import mirrored
from galfeat.kernels import kernel

#: Wavelength of the finest filters and width of their Gaussian, in pixels.
WAVELENGTH, WIDTH = 4.0, 2.0
#: Taps of a filter to either side of its middle.
_REACH = 5
#: Filters of one wavelength: their waves run at 0, 45, 90 and 135 degrees from the x axis.
DIRECTIONS = 4


def _taps() -> NDArray[np.float32]:
    """Return the Gaussian, and its product with waves along an axis and a diagonal, (5, 6)."""
    x = np.arange(_REACH + 1)
    whole = np.arange(-_REACH, _REACH + 1)
    gauss = np.exp(-0.5 * (x / WIDTH) ** 2) / np.exp(-0.5 * (whole / WIDTH) ** 2).sum()
    k = 2.0 * np.pi / WAVELENGTH
    waves = [np.ones(_REACH + 1)]
    for wave_number in (k, k * np.sqrt(0.5)):
        waves += [np.cos(wave_number * x), np.sin(wave_number * x)]
    return (gauss * np.array(waves)).astype(np.float32)


_TAPS = _taps()


def _sums() -> tuple[np.float32, np.float32]:
    """Return the response to a constant of the even filters, along an axis and a diagonal."""
    totals = _TAPS[:, 0] + 2.0 * _TAPS[:, 1:].sum(axis=1)
    return np.float32(totals[1] * totals[0]), np.float32(totals[3] * totals[3])


_AXIS_SUM, _DIAGONAL_SUM = _sums()


@kernel
def _rows_filtered(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convolve each row with the five lines of taps, shape (H, 5, W)."""
    height, width = image.shape
    filtered = np.empty((height, 5, width), np.float32)
    padded = np.empty(width + 2 * _REACH, np.float32)
    for y in range(height):
        row = image[y]
        for x in range(_REACH):
            padded[x] = row[mirrored(x - _REACH, width)]
            padded[width + _REACH + x] = row[mirrored(width + x, width)]
        padded[_REACH : width + _REACH] = row
        gauss, c, s, cd, sd = (
            filtered[y, 0],
            filtered[y, 1],
            filtered[y, 2],
            filtered[y, 3],
            filtered[y, 4],
        )
        for x in range(width):
            value = row[x]
            gauss[x], c[x], cd[x] = _TAPS[0, 0] * value, _TAPS[1, 0] * value, _TAPS[3, 0] * value
            s[x], sd[x] = np.float32(0.0), np.float32(0.0)
        for k in range(1, _REACH + 1):
            g0, c0, s0, c1, s1 = _TAPS[0, k], _TAPS[1, k], _TAPS[2, k], _TAPS[3, k], _TAPS[4, k]
            left, right = padded[_REACH - k :], padded[_REACH + k :]
            for x in range(width):
                even, odd = right[x] + left[x], right[x] - left[x]
                gauss[x] += g0 * even
                c[x] += c0 * even
                s[x] += s0 * odd
                cd[x] += c1 * even
                sd[x] += s1 * odd
    return filtered


@kernel
def gabor_energies(image: NDArray[np.float32], radius: float) -> NDArray[np.float64]:
    """Return the mean squared response of Gabor filters at four directions, shape (4,).

    The filters are plane waves of 4 pixels' length under a Gaussian of standard deviation 2,
    an even and an odd one, whose squares add. The even one has a Gaussian taken away so that
    a constant gives nothing.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
        Goes on beyond its edges as its mirror image.
    radius : float
        Of the disc about the middle over which is averaged, in pixels.

    Returns
    -------
    ndarray of float64
        For waves along 0, 45, 90 and 135 degrees from x towards rising rows. A turn by 90
        degrees swaps the first with the third and the second with the fourth, a mirror the
        second with the fourth.

    References
    ----------
    Daugman 1985, J. Opt. Soc. Am. A 2, 1160.
    """
    height, width = image.shape
    yc, xc = 0.5 * (height - 1), 0.5 * (width - 1)
    filtered = _rows_filtered(image)
    sums = np.zeros((9, width), np.float32)
    smooth, even0, odd0, even2, odd2 = sums[0], sums[1], sums[2], sums[3], sums[4]
    cc, ss, cs, sc = sums[5], sums[6], sums[7], sums[8]
    squares = np.zeros((DIRECTIONS, width), np.float32)
    square0, square1, square2, square3 = squares[0], squares[1], squares[2], squares[3]
    energies = np.zeros(DIRECTIONS, np.float64)
    pixels = 0
    axis = _AXIS_SUM
    diagonal = _DIAGONAL_SUM
    for y in range(height):
        reach = radius * radius - (y - yc) * (y - yc)
        if reach < 0.0:
            continue
        row = filtered[y]
        gauss, c, s, cd, sd = row[0], row[1], row[2], row[3], row[4]
        for x in range(width):
            smooth[x] = _TAPS[0, 0] * gauss[x]
            even0[x], odd0[x] = _TAPS[0, 0] * c[x], _TAPS[0, 0] * s[x]
            even2[x], odd2[x] = _TAPS[1, 0] * gauss[x], np.float32(0.0)
            cc[x], ss[x] = _TAPS[3, 0] * cd[x], np.float32(0.0)
            cs[x], sc[x] = np.float32(0.0), _TAPS[3, 0] * sd[x]
        for k in range(1, _REACH + 1):
            g0, c0, s0, c1, s1 = _TAPS[0, k], _TAPS[1, k], _TAPS[2, k], _TAPS[3, k], _TAPS[4, k]
            lower, upper = filtered[mirrored(y + k, height)], filtered[mirrored(y - k, height)]
            lg, lc, ls, lcd, lsd = lower[0], lower[1], lower[2], lower[3], lower[4]
            ug, uc, us, ucd, usd = upper[0], upper[1], upper[2], upper[3], upper[4]
            for x in range(width):
                both, across = lg[x] + ug[x], lg[x] - ug[x]
                smooth[x] += g0 * both
                even2[x] += c0 * both
                odd2[x] += s0 * across
                even0[x] += g0 * (lc[x] + uc[x])
                odd0[x] += g0 * (ls[x] + us[x])
            for x in range(width):
                cc[x] += c1 * (lcd[x] + ucd[x])
                ss[x] += s1 * (lsd[x] - usd[x])
                cs[x] += s1 * (lcd[x] - ucd[x])
                sc[x] += c1 * (lsd[x] + usd[x])
        for x in range(width):
            e0, e2 = even0[x] - axis * smooth[x], even2[x] - axis * smooth[x]
            mean = cc[x] - diagonal * smooth[x]
            e1, o1, e3, o3 = mean - ss[x], sc[x] + cs[x], mean + ss[x], sc[x] - cs[x]
            inside = np.float32((x - xc) * (x - xc) <= reach)
            square0[x] = inside * (e0 * e0 + odd0[x] * odd0[x])
            square1[x] = inside * (e1 * e1 + o1 * o1)
            square2[x] = inside * (e2 * e2 + odd2[x] * odd2[x])
            square3[x] = inside * (e3 * e3 + o3 * o3)
            pixels += (x - xc) * (x - xc) <= reach
        for direction in range(DIRECTIONS):
            line = np.float32(0.0)
            for x in range(width):
                line += squares[direction, x]
            energies[direction] += line
    return energies / max(pixels, 1)
