"""Kernels that add discs to planes of light: thin ones seen at an angle, thick ones edge-on."""

from __future__ import annotations

from math import atan2, cos, cosh, exp, floor, log, pi, sin, sqrt
from typing import NamedTuple

from galfeat.data.simulation.axes import (
    Planes,
    Shape,
    Table,
    View,
    Weights,
    box,
    field,
    look_up,
    own_axes,
    ramp,
    to_sky,
)
from galfeat.kernels import kernel


class DiscLight(NamedTuple):
    """What a disc looks like in its own plane; lengths in arcseconds, angles in radians."""

    length: float  # scale length
    outer_length: float  # and beyond break_radius
    break_radius: float
    extent: float
    winding: float
    cotangent: float  # of the pitch angle
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
    bar_length: float  # 0 without a bar
    bar_q: float
    bar_angle: float
    bar_gap: float  # how empty the disc is beside the bar
    ring_radius: float
    ring_width: float
    ring_strength: float


class DiscColours(NamedTuple):
    """Fluxes of the kinds of stars in three bands, and the opacity of dust in them."""

    old: Weights
    young: Weights
    bar: Weights
    opacity: Weights


YOUNG_LENGTH = 1.3  # scale length of young over old stars
THICK = 2.4  # scale height of the thick disc over that of the thin one
THICK_SHARE = 0.25  # of the old stars' light (Yoachim and Dalcanton 2006)


@kernel
def _fall_off(disc: DiscLight, radius: float, stretch: float) -> float:
    """Return exp(-R / h), steeper or flatter beyond the break, fading out at the end."""
    if radius < disc.break_radius:
        light = exp(-radius / (stretch * disc.length))
    else:
        light = exp(
            -disc.break_radius / (stretch * disc.length)
            - (radius - disc.break_radius) / (stretch * disc.outer_length)
        )
    return light * (1 - ramp(radius, 0.6 * disc.extent, disc.extent))


@kernel
def _bar(disc: DiscLight, major: float, minor: float) -> float:
    """Return a Ferrers bar's light, 1 at the centre."""
    c = cos(disc.bar_angle)
    s = sin(disc.bar_angle)
    along = abs(c * major + s * minor) / disc.bar_length
    across = abs(c * minor - s * major) / (disc.bar_length * disc.bar_q)
    t = (along**2.5 + across**2.5) ** 0.8
    if t >= 1:
        return 0.0
    return (1 - t) * sqrt(1 - t)


@kernel
def paint_disc(
    planes: Planes,
    view: View,
    shape: Shape,
    disc: DiscLight,
    arm_light: Table,
    arm_dust: Table,
    texture: Table,
    colours: DiscColours,
) -> None:
    """Add a thin disc with arms, ring, bar, clumps and dust.

    `arm_light` and `arm_dust` are over one turn around the disc, of mean 1.
    """
    row0, row1, column0, column1 = box(view, shape.x, shape.y, shape.reach, planes.shape)
    old_peak = 1 / (2 * pi * disc.length**2 * shape.q)
    young_peak = old_peak / YOUNG_LENGTH**2
    bar_peak = 0.0
    if disc.bar_length > 0:
        bar_peak = 1 / (disc.bar_length**2 * disc.bar_q * shape.q)
    to_table = (arm_light.size - 1) / (2 * pi)
    to_texture = texture.shape[0] / (2 * pi)
    for row in range(row0, row1):
        for column in range(column0, column1):
            x, y = to_sky(view, column, row)
            major, minor = own_axes(shape, x, y)
            minor /= shape.q
            radius = sqrt(major * major + minor * minor)
            if radius >= disc.extent:
                continue
            scaled = radius / disc.length
            old_light = _fall_off(disc, radius, 1.0)
            young_light = _fall_off(disc, radius, YOUNG_LENGTH) * ramp(scaled, -0.4, 1.0)

            away = 20 * log(scaled + 0.15)
            turned = disc.winding * atan2(minor, major) - disc.phase
            turned += disc.wobble * field(texture, disc.texture_u + 9 * turned, away)
            turned -= disc.cotangent * log(scaled + 0.02)
            turned -= 2 * pi * floor(turned / (2 * pi))
            grown = ramp(radius, 0.7 * disc.start, 1.4 * disc.start + 1e-6)
            grown *= 1 - ramp(radius, 0.5 * disc.end, disc.end)
            light = disc.contrast * grown * (look_up(arm_light, turned * to_table) - 1)
            patches = disc.flocculence * grown
            if patches > 0:
                u = disc.texture_u + turned * to_texture
                patches *= field(texture, u, disc.texture_v + away)
            if disc.clumpiness > 0:
                u = disc.texture_v + 7 * major / disc.length
                v = disc.texture_u + 7 * minor / disc.length
                clumps = disc.clumpiness * field(texture, u, v)
                patches += clumps
                old_light *= exp(0.5 * clumps)
            patchy = exp(patches)
            old_light *= 1 + 0.45 * light
            young_light *= (1 + light) * patchy
            if disc.ring_strength > 0:
                t = (radius - disc.ring_radius) / disc.ring_width
                ring = disc.ring_strength * exp(-0.5 * t * t)
                old_light += 0.6 * ring
                young_light += 1.4 * ring * patchy
            bar_light = 0.0
            if disc.bar_length > 0 and radius < 1.15 * disc.bar_length:
                beside = 1 - disc.bar_gap * (
                    1 - ramp(radius, 0.7 * disc.bar_length, 1.15 * disc.bar_length)
                )
                old_light *= beside
                young_light *= beside * beside
                bar_light = bar_peak * _bar(disc, major, minor)
            depth = 0.0
            if disc.dust > 0:
                depth = (
                    disc.dust * grown * look_up(arm_dust, turned * to_table) * exp(-0.5 * scaled)
                )
            for band in range(3):
                planes[band, row, column] += (
                    colours.old[band] * old_peak * old_light
                    + colours.young[band] * young_peak * young_light
                    + colours.bar[band] * bar_light
                ) / (1 + colours.opacity[band] * depth)


@kernel
def paint_edge_on(
    planes: Planes,
    view: View,
    shape: Shape,
    disc: DiscLight,
    height: float,
    warp: float,
    lane: float,
    profile: Table,
    texture: Table,
    colours: DiscColours,
) -> None:
    """Add a disc seen from its side: t K1(t) along, sech² across, dust around z = `lane`.

    Young stars and dust lie in a thinner sheet, some of the old stars in a thick disc.
    `profile` is t K1(t) over t from 0 to 8.
    """
    row0, row1, column0, column1 = box(view, shape.x, shape.y, shape.reach, planes.shape)
    peak = 1 / (2 * pi * disc.length * height)
    for row in range(row0, row1):
        for column in range(column0, column1):
            x, y = to_sky(view, column, row)
            major, minor = own_axes(shape, x, y)
            away = abs(major)
            minor -= warp * major * ramp(away, 0.3 * disc.extent, disc.extent)
            if away >= disc.extent or abs(minor) >= 9 * height:
                continue
            fade = 1 - ramp(away, 0.6 * disc.extent, disc.extent)
            along = fade * look_up(profile, away / disc.length / 8 * (profile.size - 1))
            middle = 1 / cosh(minor / height)
            around = 1 / cosh(minor / (THICK * height))
            thin = 1 / cosh(2 * minor / height)
            patchy = 1.0
            if disc.flocculence > 0:
                u = disc.texture_u + 9 * major / disc.length
                patchy = exp(
                    disc.flocculence * field(texture, u, disc.texture_v + 4 * minor / height)
                )
            depth = 0.0
            if disc.dust > 0:
                sheet = 1 / cosh((minor - lane) / (0.4 * height))
                depth = disc.dust * along * sheet * sheet * patchy
            old_light = (1 - THICK_SHARE) * middle * middle + THICK_SHARE / THICK * around * around
            old_light *= peak * along
            young_light = 2 * peak * along * thin * thin * patchy
            for band in range(3):
                planes[band, row, column] += (
                    colours.old[band] * old_light + colours.young[band] * young_light
                ) / (1 + colours.opacity[band] * depth)
