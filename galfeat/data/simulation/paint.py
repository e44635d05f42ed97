"""Kernels that add spheroids, tidal debris and knots to planes of light, before blurring."""

from __future__ import annotations

from math import atan2, exp, floor, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from galfeat.data.simulation.axes import (
    Planes,
    Shape,
    Table,
    View,
    Weights,
    box,
    look_up,
    own_axes,
    pixel_size,
    ramp,
    to_sky,
)
from galfeat.kernels import kernel

CORE_PARTS = 5  # pixels near the centre are means of 5 x 5 subpixels


@kernel
def paint_sersic(
    planes: Planes, view: View, shape: Shape, boxiness: float, profile: Table, weights: Weights
) -> None:
    """Add a profile, tabulated over sqrt(radius / reach), on elliptical or boxy isophotes."""
    row0, row1, column0, column1 = box(view, shape.x, shape.y, shape.reach, planes.shape)
    core = 2.5 * pixel_size(view)
    for row in range(row0, row1):
        for column in range(column0, column1):
            x, y = to_sky(view, column, row)
            away = (x - shape.x) ** 2 + (y - shape.y) ** 2
            if away > (shape.reach + core) ** 2:
                continue
            parts = CORE_PARTS if away < core * core else 1
            total = 0.0
            for part in range(parts * parts):
                if parts > 1:
                    x, y = to_sky(
                        view,
                        column + (part % parts + 0.5) / parts - 0.5,
                        row + (part // parts + 0.5) / parts - 0.5,
                    )
                major, minor = own_axes(shape, x, y)
                minor /= shape.q
                if boxiness == 2.0:
                    radius = sqrt(major * major + minor * minor)
                else:
                    radius = (abs(major) ** boxiness + abs(minor) ** boxiness) ** (1 / boxiness)
                if radius < shape.reach:
                    total += look_up(profile, sqrt(radius / shape.reach) * (profile.size - 1))
            total /= parts * parts * shape.q
            for band in range(3):
                planes[band, row, column] += weights[band] * total


@kernel
def paint_blobs(
    planes: Planes, view: View, blobs: NDArray[np.float64], weights: NDArray[np.float64]
) -> None:
    """Add round Gaussians: `blobs` (n, 3) are x, y and sigma, `weights` (n, 3) their fluxes."""
    for blob in range(blobs.shape[0]):
        x0, y0, sigma = blobs[blob, 0], blobs[blob, 1], blobs[blob, 2]
        row0, row1, column0, column1 = box(view, x0, y0, 3.5 * sigma, planes.shape)
        peak = 1 / (2 * pi * sigma * sigma)
        for row in range(row0, row1):
            for column in range(column0, column1):
                x, y = to_sky(view, column, row)
                square = ((x - x0) ** 2 + (y - y0) ** 2) / (sigma * sigma)
                if square < 12.25:
                    light = peak * (exp(-0.5 * square) - 0.0022)
                    for band in range(3):
                        planes[band, row, column] += weights[blob, band] * light


@kernel
def paint_shell(
    planes: Planes,
    view: View,
    shape: Shape,
    radius: float,
    angle: float,
    opening: float,
    weights: Weights,
) -> None:
    """Add an arc that fades inwards and has a sharp outer edge; angles from the major axis."""
    row0, row1, column0, column1 = box(view, shape.x, shape.y, shape.reach, planes.shape)
    peak = 1 / (0.2 * radius * radius * opening * shape.q)
    for row in range(row0, row1):
        for column in range(column0, column1):
            x, y = to_sky(view, column, row)
            major, minor = own_axes(shape, x, y)
            minor /= shape.q
            distance = sqrt(major * major + minor * minor) / radius
            if distance > 1.08 or distance < 0.3:
                continue
            turn = atan2(minor, major) - angle
            turn -= 2 * pi * floor(turn / (2 * pi) + 0.5)
            side = 1 - ramp(abs(turn), 0.25 * opening, 0.6 * opening)
            edge = ramp(distance, 0.3, 0.6) * (1 - ramp(distance, 1.0, 1.07))
            light = peak * side * edge * exp((min(distance, 1.0) - 1) / 0.16)
            for band in range(3):
                planes[band, row, column] += weights[band] * light
