"""The point spread function: blurring what is extended, drawing what is not.

Stars get a Moffat (1969) profile of beta = 3. Galaxies are convolved with the two
Gaussians nearest to it (Hogg and Lang 2013), which differ from it by less than 2 % of the
peak and, being separable, cost a tenth.
"""

from __future__ import annotations

from math import ceil, exp, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from galfeat.data.simulation.paint import Planes, View
from galfeat.kernels import kernel

BETA = 3.0
CORE = (0.4934, 0.3897)  # share and sigma over FWHM
WING = (0.5066, 0.7754)


def gaussian_taps(sigma: float) -> NDArray[np.float32]:
    """One-sided taps of a Gaussian, the central one first, whole sum 1."""
    places = np.arange(ceil(3 * sigma) + 1)
    taps = np.exp(-0.5 * (places / sigma) ** 2)
    return np.asarray(taps / (2 * taps.sum() - taps[0]), dtype=np.float32)


def blur(planes: Planes, widths: tuple[float, float, float]) -> Planes:
    """Convolve each band with its Moffat profile of the given FWHM, in pixels."""
    scratch = np.empty(planes.shape[1:], dtype=np.float32)
    wings = np.empty(planes.shape[1:], dtype=np.float32)
    for plane, width in zip(planes, widths, strict=True):
        between = width * sqrt(WING[1] ** 2 - CORE[1] ** 2)
        convolve(plane, gaussian_taps(width * CORE[1]), scratch, plane)
        convolve(plane, gaussian_taps(between), scratch, wings)
        plane *= np.float32(CORE[0])
        wings *= np.float32(WING[0])
        plane += wings
    return planes


@kernel
def convolve(
    plane: NDArray[np.float32],
    taps: NDArray[np.float32],
    scratch: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Convolve rows and columns with symmetric taps; beyond the border there is nothing."""
    rows, columns = plane.shape
    for row in range(rows):
        source = plane[row]
        target = scratch[row]
        for column in range(columns):
            target[column] = taps[0] * source[column]
        for k in range(1, min(taps.size, columns)):
            tap = taps[k]
            for column in range(columns - k):
                target[column] += tap * source[column + k]
            for column in range(k, columns):
                target[column] += tap * source[column - k]
    for row in range(rows):
        target = out[row]
        source = scratch[row]
        for column in range(columns):
            target[column] = taps[0] * source[column]
        for k in range(1, taps.size):
            tap = taps[k]
            if row + k < rows:
                source = scratch[row + k]
                for column in range(columns):
                    target[column] += tap * source[column]
            if row - k >= 0:
                source = scratch[row - k]
                for column in range(columns):
                    target[column] += tap * source[column]


@kernel
def paint_star(
    planes: Planes,
    view: View,
    x: float,
    y: float,
    fluxes: NDArray[np.float64],
    widths: NDArray[np.float64],
    reach: float,
    halo: float,
    spikes: float,
) -> None:
    """Add a star: Moffat core, a share `halo` of wide aureole, and `spikes` along the axes.

    `widths` holds the FWHM in each band and `reach` where drawing stops, both in arcseconds.
    """
    determinant = view.xx * view.yy - view.xy * view.yx
    pixel = sqrt(abs(determinant))
    column0 = view.column0 + (view.yy * x - view.xy * y) / determinant
    row0 = view.row0 + (view.xx * y - view.yx * x) / determinant
    half = int(reach / pixel) + 1
    for row in range(max(int(row0) - half, 0), min(int(row0) + half + 2, planes.shape[1])):
        for column in range(
            max(int(column0) - half, 0), min(int(column0) + half + 2, planes.shape[2])
        ):
            dx = (column - column0) * pixel
            dy = (row - row0) * pixel
            square = dx * dx + dy * dy
            aureole = 0.0
            if halo > 0:
                aureole = halo / (2 * pi * 9.0 * (1 + square / 9.0) ** 1.5)
            streak = 0.0
            if spikes > 0:
                # Four arms of the secondary mirror's support, falling off with distance.
                for arm in range(2):
                    along = abs(dx + dy) if arm == 0 else abs(dx - dy)
                    across = (dx - dy) if arm == 0 else (dx + dy)
                    streak += spikes * exp(-0.5 * (across / 0.6) ** 2) / (9.0 + along * along)
            for band in range(3):
                alpha2 = widths[band] ** 2 * 0.25 / (2 ** (1 / BETA) - 1)
                t = 1 + square / alpha2
                core = (BETA - 1) / (pi * alpha2) / (t * t * t)
                planes[band, row, column] += fluxes[band] * ((1 - halo) * core + aureole + streak)
