"""Kernels for unresolved sources: stars, and galaxies too faint to show structure."""

from __future__ import annotations

from math import exp, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from galfeat.data.simulation.axes import Planes, View, box, pixel_size, to_pixel, to_sky
from galfeat.kernels import kernel

BETA = 3.0  # of the Moffat profile
ALPHA2 = 0.25 / (2 ** (1 / BETA) - 1)  # alpha² over FWHM²
AUREOLE_SCALE = 2.5  # arcseconds
LONGEST_SPIKE = 40.0
FAINTEST = 0.004  # nanomaggies per square arcsecond where wings are truncated


@kernel
def paint_points(
    planes: Planes,
    view: View,
    places: NDArray[np.float64],
    fluxes: NDArray[np.float64],
    widths: NDArray[np.float64],
) -> None:
    """Add Moffat profiles.

    `places` (n, 6) contains x, y, intrinsic FWHM along the major axis, q, and cosine and sine of
    the position angle; `fluxes` (n, 3) are in the three bands, `widths` (3,) the seeing FWHM.
    """
    for point in range(places.shape[0]):
        x0, y0, size, q = places[point, 0], places[point, 1], places[point, 2], places[point, 3]
        cosine, sine = places[point, 4], places[point, 5]
        widest = size * size + widths.max() ** 2
        brightest = fluxes[point].max() / widest
        reach = sqrt(ALPHA2 * widest) * max((brightest / FAINTEST) ** (1 / 6), 1.0)
        row0, row1, column0, column1 = box(view, x0, y0, reach, planes.shape)
        for band in range(3):
            width = widths[band] ** 2
            major2 = ALPHA2 * (size * size + width)
            minor2 = ALPHA2 * (size * size * q * q + width)
            peak = fluxes[point, band] * (BETA - 1) / (pi * sqrt(major2 * minor2))
            edge = 1 + reach * reach / major2
            floor = 1 / (edge * edge * edge)
            for row in range(row0, row1):
                for column in range(column0, column1):
                    x, y = to_sky(view, column, row)
                    x -= x0
                    y -= y0
                    major = cosine * x + sine * y
                    minor = cosine * y - sine * x
                    t = 1 + major * major / major2 + minor * minor / minor2
                    light = 1 / (t * t * t) - floor
                    if light > 0:
                        planes[band, row, column] += peak * light


@kernel
def paint_glare(
    planes: Planes,
    view: View,
    x0: float,
    y0: float,
    fluxes: NDArray[np.float64],
    aureole: float,
    spikes: float,
) -> None:
    """Add a bright star's aureole and diffraction spikes, given as fractions of its flux.

    The spikes are along the image's diagonals, independent of the rotation of the sky.
    """
    reach = (aureole * AUREOLE_SCALE * fluxes.max() / (2 * pi * FAINTEST)) ** (1 / 3)
    floor = (AUREOLE_SCALE**2 + reach * reach) ** -1.5
    if spikes > 0:
        reach = max(reach, LONGEST_SPIKE)
    middle_column, middle_row = to_pixel(view, x0, y0)
    pixel = pixel_size(view)
    row0, row1, column0, column1 = box(view, x0, y0, reach, planes.shape)
    for row in range(row0, row1):
        for column in range(column0, column1):
            dx = (column - middle_column) * pixel
            dy = (row - middle_row) * pixel
            light = (AUREOLE_SCALE**2 + dx * dx + dy * dy) ** -1.5 - floor
            light = max(light, 0.0) * aureole * AUREOLE_SCALE / (2 * pi)
            if spikes > 0:
                for side in (-1, 1):
                    along = (dx + side * dy) ** 2 * 0.5
                    across = (dx - side * dy) ** 2 * 0.5
                    if across < 6 and along < LONGEST_SPIKE**2:
                        fade = exp(-across / 0.7 - along / 300)
                        light += spikes * fade / (14 * (1 + along / 16))
            for band in range(3):
                planes[band, row, column] += fluxes[band] * light
