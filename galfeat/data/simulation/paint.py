"""Kernels that add the light of galaxies to an image, before any blurring.

An image is float32 of shape (3, H, W), light per square arcsecond in each of three bands.
`View` leads from its pixels to the sky, `Shape` from the sky to a galaxy's own axes.
"""

from __future__ import annotations

from math import atan2, cos, exp, log, pi, sin, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

Planes = NDArray[np.float32]
Weights = NDArray[np.float64]  # a flux for each of the three bands


class View(NamedTuple):
    """sky = (xx, xy; yx, yy) (column - column0, row - row0), in arcseconds."""

    column0: float
    row0: float
    xx: float
    xy: float
    yx: float
    yy: float


class Shape(NamedTuple):
    """Where a galaxy lies, how it is turned and distorted; angles in radians."""

    x: float
    y: float
    angle: float
    q: float
    boxiness: float
    reach: float  # arcseconds beyond which nothing is drawn
    scale: float  # radius by which distortions have half grown
    lopsided_x: float
    lopsided_y: float
    stretch: float
    stretch_angle: float
    twist: float
    bend: float


class DiscLight(NamedTuple):
    """What a disc looks like in its own plane; lengths in arcseconds, angles in radians."""

    scale_length: float
    extent: float
    winding: float
    cotangent: float  # of the pitch angle; 0 for a disc without arms
    phase: float
    contrast: float
    start: float
    end: float
    wobble: float
    flocculence: float
    clumpiness: float
    dust: float
    texture_u: float
    texture_v: float
    bar_length: float
    bar_q: float
    bar_angle: float
    ring_radius: float
    ring_width: float
    ring_strength: float


@kernel
def _box(
    view: View, x: float, y: float, reach: float, shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """First and last + 1 row and column within `reach` of a place on the sky."""
    determinant = view.xx * view.yy - view.xy * view.yx
    column = view.column0 + (view.yy * x - view.xy * y) / determinant
    row = view.row0 + (view.xx * y - view.yx * x) / determinant
    half = reach / sqrt(abs(determinant)) + 1
    return (
        max(int(row - half), 0),
        min(int(row + half) + 2, shape[1]),
        max(int(column - half), 0),
        min(int(column + half) + 2, shape[2]),
    )


@kernel
def _own_axes(view: View, shape: Shape, column: float, row: float) -> tuple[float, float]:
    """Place along a galaxy's major and minor axis, before the tides acted."""
    u = column - view.column0
    v = row - view.row0
    x = view.xx * u + view.xy * v - shape.x
    y = view.yx * u + view.yy * v - shape.y
    radius = sqrt(x * x + y * y)
    grown = radius / (radius + shape.scale)
    x -= shape.lopsided_x * grown * radius
    y -= shape.lopsided_y * grown * radius
    if shape.stretch != 0:
        c = cos(shape.stretch_angle)
        s = sin(shape.stretch_angle)
        along = (c * x + s * y) / (1 + shape.stretch * grown)
        across = (c * y - s * x) * (1 + 0.3 * shape.stretch * grown)
        x = c * along - s * across
        y = s * along + c * across
    angle = shape.angle + shape.twist * grown
    c = cos(angle)
    s = sin(angle)
    major = c * x + s * y
    minor = c * y - s * x
    minor -= shape.bend * major * major / (abs(major) + 2 * shape.scale)
    return major, minor


@kernel
def _look_up(table: NDArray[np.float32], place: float) -> float:
    """Entry of a table at a fractional index within it."""
    index = int(place)
    if index >= table.size - 1:
        return float(table[table.size - 1])
    rest = place - index
    return float(table[index] * (1 - rest) + table[index + 1] * rest)


@kernel
def paint_sersic(
    planes: Planes, view: View, shape: Shape, profile: NDArray[np.float32], weights: Weights
) -> None:
    """Add a profile with elliptical or boxy isophotes; it ends at `shape.reach`."""
    row0, row1, column0, column1 = _box(view, shape.x, shape.y, shape.reach, planes.shape)
    fine = 2.5 * sqrt(abs(view.xx * view.yy - view.xy * view.yx))
    area = 1 / shape.q
    power = shape.boxiness
    for row in range(row0, row1):
        for column in range(column0, column1):
            major, minor = _own_axes(view, shape, column, row)
            parts = 5 if major * major + minor * minor < fine * fine else 1
            total = 0.0
            for part in range(parts * parts):
                if parts > 1:
                    major, minor = _own_axes(
                        view,
                        shape,
                        column + (part % parts + 0.5) / parts - 0.5,
                        row + (part // parts + 0.5) / parts - 0.5,
                    )
                minor /= shape.q
                if power == 2.0:
                    radius = sqrt(major * major + minor * minor)
                else:
                    radius = (abs(major) ** power + abs(minor) ** power) ** (1 / power)
                if radius < shape.reach:
                    place = sqrt(radius / shape.reach) * (profile.size - 1)
                    total += _look_up(profile, place)
            total *= area / (parts * parts)
            for band in range(3):
                planes[band, row, column] += weights[band] * total


@kernel
def _texture(field: NDArray[np.float32], u: float, v: float) -> float:
    """Periodic noise between its grid points."""
    size = field.shape[0]
    i = int(np.floor(u))
    j = int(np.floor(v))
    a = u - i
    b = v - j
    i0 = i % size
    j0 = j % size
    i1 = (i0 + 1) % size
    j1 = (j0 + 1) % size
    upper = field[i0, j0] * (1 - b) + field[i0, j1] * b
    lower = field[i1, j0] * (1 - b) + field[i1, j1] * b
    return float(upper * (1 - a) + lower * a)


@kernel
def _ramp(value: float, low: float, high: float) -> float:
    """0 below `low`, 1 above `high`, smooth between."""
    t = (value - low) / (high - low)
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


@kernel
def paint_disc(
    planes: Planes,
    view: View,
    shape: Shape,
    disc: DiscLight,
    arm_light: NDArray[np.float32],
    arm_dust: NDArray[np.float32],
    noise: NDArray[np.float32],
    old: Weights,
    young: Weights,
    bar: Weights,
    opacity: Weights,
) -> None:
    """Add a thin disc with arms, ring, bar, clumps and dust.

    `arm_light` and `arm_dust` are over one turn around the disc, of mean 1.
    """
    row0, row1, column0, column1 = _box(view, shape.x, shape.y, shape.reach, planes.shape)
    peak = 1 / (2 * pi * disc.scale_length**2 * shape.q)
    turn = arm_light.size - 1
    per_radian = noise.shape[0] / (2 * pi)
    bar_peak = 1.0
    if disc.bar_length > 0:
        bar_peak = 1 / (disc.bar_length**2 * disc.bar_q * shape.q)
    bar_cos = cos(disc.bar_angle)
    bar_sin = sin(disc.bar_angle)
    for row in range(row0, row1):
        for column in range(column0, column1):
            major, minor = _own_axes(view, shape, column, row)
            minor /= shape.q
            radius = sqrt(major * major + minor * minor)
            if radius >= disc.extent:
                continue
            scaled = radius / disc.scale_length
            smooth = exp(-scaled) * (1 - _ramp(radius, 0.75 * disc.extent, disc.extent))
            angle = atan2(minor, major)
            turned = disc.winding * angle - disc.cotangent * log(scaled + 0.02) - disc.phase
            v = disc.texture_v + 20 * log(scaled + 0.15)
            turned += disc.wobble * _texture(noise, disc.texture_u, v)
            turned -= 2 * pi * np.floor(turned / (2 * pi))
            grown = _ramp(radius, disc.start, 1.5 * disc.start + 1e-6) * (
                1 - _ramp(radius, 0.6 * disc.end, disc.end)
            )
            contrast = disc.contrast * grown
            light = _look_up(arm_light, turned / (2 * pi) * turn)
            patchy = exp(
                disc.flocculence
                * grown
                * _texture(noise, disc.texture_u + turned * per_radian, disc.texture_v + v)
            )
            if disc.clumpiness > 0:
                patchy *= exp(
                    disc.clumpiness
                    * _texture(
                        noise,
                        disc.texture_v + 9 * major / disc.scale_length,
                        disc.texture_u + 9 * minor / disc.scale_length,
                    )
                )
            ring = 0.0
            if disc.ring_strength > 0:
                t = (radius - disc.ring_radius) / disc.ring_width
                ring = disc.ring_strength * exp(-0.5 * t * t)
            old_light = peak * (smooth * (1 + 0.45 * contrast * (light - 1)) + 0.5 * ring)
            young_light = peak * patchy * (smooth * (1 + contrast * (light - 1)) + ring)
            bar_light = 0.0
            if radius < disc.bar_length:
                along = abs(bar_cos * major + bar_sin * minor) / disc.bar_length
                across = abs(bar_cos * minor - bar_sin * major) / (disc.bar_length * disc.bar_q)
                t = (along**2.5 + across**2.5) ** 0.8
                if t < 1:
                    bar_light = bar_peak * (1 - t) * sqrt(1 - t)
            depth = 0.0
            if disc.dust > 0:
                depth = disc.dust * grown * smooth * _look_up(arm_dust, turned / (2 * pi) * turn)
            for band in range(3):
                planes[band, row, column] += (
                    old[band] * old_light + young[band] * young_light + bar[band] * bar_light
                ) / (1 + opacity[band] * depth)


@kernel
def paint_edge_on(
    planes: Planes,
    view: View,
    shape: Shape,
    disc: DiscLight,
    height: float,
    warp: float,
    lane: float,
    profile: NDArray[np.float32],
    noise: NDArray[np.float32],
    old: Weights,
    young: Weights,
    opacity: Weights,
) -> None:
    """Add a disc seen from its side: t K1(t) along, sech² across, a dust lane at `lane`."""
    row0, row1, column0, column1 = _box(view, shape.x, shape.y, shape.reach, planes.shape)
    peak = 1 / (2 * pi * disc.scale_length * height)
    for row in range(row0, row1):
        for column in range(column0, column1):
            major, minor = _own_axes(view, shape, column, row)
            away = abs(major)
            if away >= disc.extent or abs(minor) >= 8 * height + abs(warp) * disc.extent:
                continue
            outer = _ramp(away, 0.45 * disc.extent, disc.extent)
            minor -= warp * major * outer
            t = away / disc.scale_length
            along = _look_up(profile, min(t, 8.0) / 8 * (profile.size - 1))
            along *= 1 - _ramp(away, 0.7 * disc.extent, disc.extent)
            across = 1 / np.cosh(minor / height)
            thin = 1 / np.cosh(2 * minor / height)
            patchy = 1.0
            if disc.flocculence > 0:
                patchy = exp(
                    disc.flocculence
                    * _texture(
                        noise,
                        disc.texture_u + 12 * major / disc.scale_length,
                        disc.texture_v + 5 * minor / height,
                    )
                )
            depth = 0.0
            if disc.dust > 0:
                sheet = 1 / np.cosh((minor - lane) / (0.35 * height))
                depth = disc.dust * along * sheet * sheet * patchy
            old_light = peak * along * across * across
            young_light = 2 * peak * along * thin * thin * patchy
            for band in range(3):
                planes[band, row, column] += (old[band] * old_light + young[band] * young_light) / (
                    1 + opacity[band] * depth
                )


@kernel
def paint_blobs(
    planes: Planes, view: View, blobs: NDArray[np.float64], weights: NDArray[np.float64]
) -> None:
    """Add round Gaussians: `blobs` (n, 3) holds x, y and sigma, `weights` (n, 3) their fluxes."""
    for blob in range(blobs.shape[0]):
        x, y, sigma = blobs[blob, 0], blobs[blob, 1], blobs[blob, 2]
        row0, row1, column0, column1 = _box(view, x, y, 3.5 * sigma, planes.shape)
        peak = 1 / (2 * pi * sigma * sigma)
        for row in range(row0, row1):
            for column in range(column0, column1):
                u = column - view.column0
                v = row - view.row0
                dx = view.xx * u + view.xy * v - x
                dy = view.yx * u + view.yy * v - y
                light = peak * exp(-0.5 * (dx * dx + dy * dy) / (sigma * sigma))
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
    """Add an arc that fades inwards and ends sharply outwards."""
    row0, row1, column0, column1 = _box(view, shape.x, shape.y, 1.1 * radius, planes.shape)
    peak = 1 / (0.25 * radius * radius * opening)
    for row in range(row0, row1):
        for column in range(column0, column1):
            major, minor = _own_axes(view, shape, column, row)
            minor /= shape.q
            distance = sqrt(major * major + minor * minor) / radius
            if distance > 1.1 or distance < 0.3:
                continue
            turn = atan2(minor, major) - angle
            turn -= 2 * pi * np.floor(turn / (2 * pi) + 0.5)
            if abs(turn) > 0.6 * opening:
                continue
            side = 1 - _ramp(abs(turn), 0.3 * opening, 0.6 * opening)
            edge = 1 - _ramp(distance, 1.0, 1.06)
            light = peak * side * edge * exp((min(distance, 1.0) - 1) / 0.18)
            for band in range(3):
                planes[band, row, column] += weights[band] * light
