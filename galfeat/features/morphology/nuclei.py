"""Nuclei: distinct peaks of the blurred galaxy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Minimum height of a nucleus over that of the highest peak ...
_HEIGHT = 0.2
#: ... its minimum rise above the pass to a higher peak, as a fraction of its height ...
_RISE = 0.1
#: ... and in units of the noise of a pixel.
_NOISE = 3.0
_MOST = 64


@kernel
def nuclei(
    smoothed: NDArray[np.float32], summits: NDArray[np.int32], noise: float, radius: float
) -> NDArray[np.float64]:
    """Return number, flux ratio and separation of the nuclei, shape (3,).

    The flux of a nucleus is the sum of 5×5 pixels; the ratio is that of the second brightest to
    the brightest nucleus. Their separation is in units of `radius`. With fewer than two nuclei,
    ratio and separation are zero.

    Parameters
    ----------
    smoothed : ndarray of float32, shape (h, w)
        The galaxy, blurred by about a pixel.
    summits : ndarray of int32, shape (h * w,)
        The flat index of the peak uphill of each pixel; negative outside the galaxy.
    noise : float
        Noise of a pixel before blurring.
    radius : float
        In pixels.
    """
    height, width = smoothed.shape
    flat = smoothed.reshape(-1)
    result = np.zeros(3, np.float64)
    top = np.float32(0.0)
    peaks = np.empty(flat.size + 1, np.int32)
    count = 0
    for i in range(flat.size):
        peaks[count] = i
        count += summits[i] == i
    for k in range(count):
        top = max(top, flat[peaks[k]])
    if top <= 0.0:
        return result
    # The highest pass from each peak to a higher one; passes are between adjacent basins.
    passes = np.zeros(flat.size, np.float32)
    edge = np.empty(width, np.uint8)
    for y in range(1, height - 1):
        row, below = summits[y * width : (y + 1) * width], summits[(y + 1) * width :]
        for x in range(width - 2):
            own = row[x + 1]
            # At the boundary of two basins or of the galaxy.
            edge[x] = np.uint8(
                (own != row[x + 2]) | (own != below[x]) | (own != below[x + 1])
                | (own != below[x + 2])
            )  # fmt: skip
        for x in range(width - 2):
            if edge[x] == 0:
                continue
            own, i = row[x + 1], y * width + x + 1
            if own < 0:
                continue
            for step in (1, width - 1, width, width + 1):
                other = summits[i + step]
                if other < 0 or other == own:
                    continue
                level = min(flat[i], flat[i + step])
                # The first of equal peaks counts as higher.
                lower = own
                if flat[other] < flat[own] or (flat[other] == flat[own] and own < other):
                    lower = other
                passes[lower] = max(passes[lower], level)
    places, lights = np.zeros(_MOST, np.int64), np.zeros(_MOST, np.float64)
    number = 0
    for k in range(count):
        i = peaks[k]
        if flat[i] < _HEIGHT * top or number == _MOST:
            continue
        rise = flat[i] - passes[i]
        if flat[i] < top and rise < max(_RISE * flat[i], _NOISE * noise):
            continue
        y, x = i // width, i % width
        for v in range(max(y - 2, 0), min(y + 3, height)):
            for u in range(max(x - 2, 0), min(x + 3, width)):
                lights[number] += smoothed[v, u]
        places[number] = i
        number += 1
    result[0] = number
    if number < 2:
        return result
    first, second = -1, -1
    for k in range(number):
        if first < 0 or lights[k] > lights[first]:
            first, second = k, first
        elif second < 0 or lights[k] > lights[second]:
            second = k
    result[1] = lights[second] / lights[first]
    dy = places[first] // width - places[second] // width
    dx = places[first] % width - places[second] % width
    result[2] = np.hypot(float(dy), float(dx)) / max(radius, 1.0)
    return result
