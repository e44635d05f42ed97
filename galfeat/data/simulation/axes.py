"""Coordinates: from pixels to the sky and a galaxy's axes; helpers of all painting kernels."""

from __future__ import annotations

from math import cos, floor, radians, sin, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from galfeat.data.simulation.scene import Distortion, Galaxy
from galfeat.kernels import kernel

Planes = NDArray[np.float32]  # (3, H, W), light per square arcsecond in three bands
Weights = NDArray[np.float64]  # (3,), a flux for each of the bands
Table = NDArray[np.float32]

PERIOD = 256  # of textures, along both axes


class View(NamedTuple):
    """The map from pixels to the sky: (xx, xy; yx, yy) (column - column0, row - row0), arcsec."""

    column0: float
    row0: float
    xx: float
    xy: float
    yx: float
    yy: float


class Shape(NamedTuple):
    """Position, orientation and distortion of a galaxy; lengths in arcseconds."""

    x: float
    y: float
    cosine: float  # of the position angle
    sine: float
    q: float
    reach: float  # maximum radius that is drawn
    distorted: bool
    scale: float  # radius where the distortion reaches half its strength
    lopsided_x: float
    lopsided_y: float
    stretch: float
    stretch_cosine: float
    stretch_sine: float
    twist: float
    bend: float


def galaxy_shape(galaxy: Galaxy, q: float, reach: float, scale: float) -> Shape:
    """Return a galaxy's shape with the given axis ratio, reach and scale of distortion."""
    tide = galaxy.distortion or Distortion()
    return Shape(
        x=galaxy.x,
        y=galaxy.y,
        cosine=cos(radians(galaxy.position_angle)),
        sine=sin(radians(galaxy.position_angle)),
        q=q,
        reach=reach,
        distorted=galaxy.distortion is not None,
        scale=scale,
        lopsided_x=tide.lopsidedness * cos(radians(tide.lopsided_angle)),
        lopsided_y=tide.lopsidedness * sin(radians(tide.lopsided_angle)),
        stretch=tide.stretch,
        stretch_cosine=cos(radians(tide.stretch_angle)),
        stretch_sine=sin(radians(tide.stretch_angle)),
        twist=radians(tide.twist),
        bend=tide.bend,
    )


@kernel
def pixel_size(view: View) -> float:
    """Return the width of a pixel in arcseconds."""
    return sqrt(abs(view.xx * view.yy - view.xy * view.yx))


@kernel
def to_pixel(view: View, x: float, y: float) -> tuple[float, float]:
    """Return column and row of a position on the sky."""
    determinant = view.xx * view.yy - view.xy * view.yx
    return (
        view.column0 + (view.yy * x - view.xy * y) / determinant,
        view.row0 + (view.xx * y - view.yx * x) / determinant,
    )


@kernel
def to_sky(view: View, column: float, row: float) -> tuple[float, float]:
    """Return the position of a pixel on the sky."""
    u = column - view.column0
    v = row - view.row0
    return view.xx * u + view.xy * v, view.yx * u + view.yy * v


@kernel
def box(
    view: View, x: float, y: float, reach: float, shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Return first and last + 1 row and column within reach of a position, inside the image."""
    column, row = to_pixel(view, x, y)
    half = reach / pixel_size(view) + 1
    return (
        int(min(max(row - half, 0.0), float(shape[1]))),
        int(max(min(row + half + 2, float(shape[1])), 0.0)),
        int(min(max(column - half, 0.0), float(shape[2]))),
        int(max(min(column + half + 2, float(shape[2])), 0.0)),
    )


@kernel
def own_axes(shape: Shape, x: float, y: float) -> tuple[float, float]:
    """Return the undistorted coordinates, along a galaxy's axes, of a position on the sky."""
    x -= shape.x
    y -= shape.y
    if not shape.distorted:
        return shape.cosine * x + shape.sine * y, shape.cosine * y - shape.sine * x
    radius = sqrt(x * x + y * y)
    grown = radius / (radius + shape.scale)
    x -= shape.lopsided_x * grown * radius
    y -= shape.lopsided_y * grown * radius
    along = shape.stretch_cosine * x + shape.stretch_sine * y
    across = shape.stretch_cosine * y - shape.stretch_sine * x
    along /= 1 + shape.stretch * grown
    across *= 1 + 0.3 * shape.stretch * grown
    x = shape.stretch_cosine * along - shape.stretch_sine * across
    y = shape.stretch_sine * along + shape.stretch_cosine * across
    turn = shape.twist * grown
    major = shape.cosine * x + shape.sine * y
    minor = shape.cosine * y - shape.sine * x
    c = cos(turn)
    s = sin(turn)
    major, minor = c * major + s * minor, c * minor - s * major
    minor -= shape.bend * major * major / (abs(major) + 2 * shape.scale)
    return major, minor


@kernel
def from_own_axes(shape: Shape, major: float, minor: float) -> tuple[float, float]:
    """Return the position on the sky with given coordinates; the inverse of `own_axes`."""
    x = shape.x + shape.cosine * major - shape.sine * minor
    y = shape.y + shape.sine * major + shape.cosine * minor
    for _ in range(12):
        there, aside = own_axes(shape, x, y)
        x += 0.8 * (shape.cosine * (major - there) - shape.sine * (minor - aside))
        y += 0.8 * (shape.sine * (major - there) + shape.cosine * (minor - aside))
    return x, y


@kernel
def look_up(table: Table, place: float) -> float:
    """Interpolate a table at a fractional index; beyond its end, return the last entry."""
    index = int(place)
    if index >= table.size - 1:
        return float(table[table.size - 1])
    rest = place - index
    return float(table[index] * (1 - rest) + table[index + 1] * rest)


@kernel
def field(texture: Table, u: float, v: float) -> float:
    """Interpolate a noise texture of period PERIOD."""
    i = floor(u)
    j = floor(v)
    a = u - i
    b = v - j
    i0 = i & PERIOD - 1
    j0 = j & PERIOD - 1
    i1 = i + 1 & PERIOD - 1
    j1 = j + 1 & PERIOD - 1
    upper = texture[i0, j0] * (1 - b) + texture[i0, j1] * b
    lower = texture[i1, j0] * (1 - b) + texture[i1, j1] * b
    return float(upper * (1 - a) + lower * a)


@kernel
def ramp(value: float, low: float, high: float) -> float:
    """Return a smooth step from 0 at `low` to 1 at `high`."""
    t = (value - low) / (high - low)
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)
