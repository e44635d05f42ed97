"""Kernels that add discs to planes of light: thin inclined discs, and thick edge-on discs."""

from __future__ import annotations

from math import atan2, cos, cosh, exp, floor, pi, sin, sqrt
from typing import NamedTuple

from galfeat.data.simulation.axes import (
    PERIOD,
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
    """Light of a disc in its own plane; lengths in arcseconds, angles in radians.

    `radial` has the columns `RADIAL` and rows at even radii from the centre to
    `shape.reach`; `arm_light` and `arm_dust` are tabulated by angle, with a mean of 1.
    """

    length: float  # scale length
    radial: Table
    arm_light: Table
    arm_dust: Table
    winding: float
    phase: float
    wobble: float
    flocculence: float
    clumpiness: float
    dust: float
    texture_u: float
    texture_v: float
    bar_length: float  # 0 without a bar
    bar_q: float
    bar_angle: float


# Columns that depend on the radius alone: light of old stars, young stars and ring over the
# disc's central surface brightness, strength of the arms (0 to 1), their winding angle, their
# contrast, the depth of dust, and the texture coordinate.
RADIAL = ("old", "young", "ring", "grown", "wound", "contrast", "dust", "texture")
OLD, YOUNG, RING, GROWN, WOUND, CONTRAST, DUST, TEXTURE = range(len(RADIAL))


class SideLight(NamedTuple):
    """Light of an edge-on disc; lengths in arcseconds."""

    length: float  # scale length
    height: float  # scale height
    extent: float  # outer radius
    warp: float  # height over radius at the end
    lane: float  # height of the dust lane
    flocculence: float
    dust: float
    texture_u: float
    texture_v: float


class DiscColours(NamedTuple):
    """Fluxes of stellar populations and opacity of dust in three bands."""

    old: Weights
    young: Weights
    bar: Weights
    opacity: Weights


THICK = 2.4  # scale height of the thick disc over that of the thin disc
THICK_SHARE = 0.25  # of the old stars' light (Yoachim and Dalcanton 2006)


@kernel
def _bar(disc: DiscLight, major: float, minor: float) -> float:
    """Return the light of a Ferrers bar, 1 at the centre."""
    c = cos(disc.bar_angle)
    s = sin(disc.bar_angle)
    along = abs(c * major + s * minor) / disc.bar_length
    across = abs(c * minor - s * major) / (disc.bar_length * disc.bar_q)
    t = (along**2.5 + across**2.5) ** 0.8
    if t >= 1:
        return 0.0
    return float((1 - t) * sqrt(1 - t))


@kernel
def wander(
    texture: Table, origin: float, wobble: float, cosine: float, sine: float, away: float
) -> float:
    """Return the deviation of arms from a logarithmic spiral in a given direction, in radians."""
    return wobble * field(texture, origin + 6 * cosine, away + 6 * sine)


@kernel
def arm_angle(
    texture: Table, origin: float, wobble: float, first: float, winding: float, away: float
) -> float:
    """Return the angle of an arm in the disc after wandering, `first` being the angle before."""
    angle = first
    for _ in range(10):
        angle = first - winding * wander(texture, origin, wobble, cos(angle), sin(angle), away)
    return angle


@kernel
def _mix(radial: Table, step: int, rest: float, name: int) -> float:
    """Interpolate a column of the radial table between two rows."""
    return float(radial[step, name] * (1 - rest) + radial[step + 1, name] * rest)


@kernel
def paint_disc(
    planes: Planes, view: View, shape: Shape, disc: DiscLight, texture: Table, colours: DiscColours
) -> None:
    """Add a thin disc with arms, ring, bar, clumps and dust."""
    row0, row1, column0, column1 = box(view, shape.x, shape.y, shape.reach, planes.shape)
    peak = 1 / (2 * pi * disc.length**2 * shape.q)
    bar_peak = 0.0
    if disc.bar_length > 0:
        bar_peak = 1 / (disc.bar_length**2 * disc.bar_q * shape.q)
    to_radial = (disc.radial.shape[0] - 1) / shape.reach
    to_turn = (disc.arm_light.size - 1) / (2 * pi)
    to_texture = PERIOD / (2 * pi)
    for row in range(row0, row1):
        for column in range(column0, column1):
            x, y = to_sky(view, column, row)
            major, minor = own_axes(shape, x, y)
            minor /= shape.q
            radius = sqrt(major * major + minor * minor)
            if radius >= shape.reach:
                continue
            place = radius * to_radial
            step = int(place)
            rest = place - step
            old_light = _mix(disc.radial, step, rest, OLD)
            young_light = _mix(disc.radial, step, rest, YOUNG)
            away = _mix(disc.radial, step, rest, TEXTURE)

            turned = disc.winding * atan2(minor, major) - disc.phase
            if disc.wobble > 0 and radius > 0:
                turned += wander(
                    texture, disc.texture_u, disc.wobble, major / radius, minor / radius, away
                )
            turned -= _mix(disc.radial, step, rest, WOUND)
            turned -= 2 * pi * floor(turned / (2 * pi))
            light = _mix(disc.radial, step, rest, CONTRAST)
            light *= look_up(disc.arm_light, turned * to_turn) - 1
            patches = 0.0
            if disc.flocculence > 0:
                u = disc.texture_u + turned * to_texture
                patches = disc.flocculence * field(texture, u, disc.texture_v + away)
                patches *= _mix(disc.radial, step, rest, GROWN)
            if disc.clumpiness > 0:
                u = disc.texture_v + 7 * major / disc.length
                v = disc.texture_u + 7 * minor / disc.length
                clumps = disc.clumpiness * field(texture, u, v)
                patches += clumps
                old_light *= 1 + 0.5 * clumps + 0.125 * clumps * clumps
            patchy = exp(patches)
            ring = _mix(disc.radial, step, rest, RING)
            old_light = old_light * (1 + 0.45 * light) + 0.6 * ring
            young_light = (young_light * (1 + light) + 0.8 * ring) * patchy
            bar_light = 0.0
            if radius < disc.bar_length:
                bar_light = bar_peak * _bar(disc, major, minor)
            depth = 0.0
            if disc.dust > 0:
                depth = _mix(disc.radial, step, rest, DUST)
                depth *= look_up(disc.arm_dust, turned * to_turn)
            for band in range(3):
                planes[band, row, column] += (
                    peak * (colours.old[band] * old_light + colours.young[band] * young_light)
                    + colours.bar[band] * bar_light
                ) / (1 + colours.opacity[band] * depth)


@kernel
def paint_edge_on(
    planes: Planes,
    view: View,
    shape: Shape,
    disc: SideLight,
    profile: Table,
    texture: Table,
    colours: DiscColours,
) -> None:
    """Add an edge-on disc: t K1(t) along, sech² across, dust in a lane.

    Young stars and dust form a thinner layer, some of the old stars a thick disc.
    `profile` is t K1(t) over t from 0 to 8.
    """
    row0, row1, column0, column1 = box(view, shape.x, shape.y, shape.reach, planes.shape)
    peak = 1 / (2 * pi * disc.length * disc.height)
    for row in range(row0, row1):
        for column in range(column0, column1):
            x, y = to_sky(view, column, row)
            major, minor = own_axes(shape, x, y)
            away = abs(major)
            minor -= disc.warp * major * ramp(away, 0.3 * disc.extent, disc.extent)
            if away >= disc.extent or abs(minor) >= 9 * disc.height:
                continue
            fade = 1 - ramp(away, 0.6 * disc.extent, disc.extent)
            along = fade * look_up(profile, away / disc.length / 8 * (profile.size - 1))
            middle = 1 / cosh(minor / disc.height)
            around = 1 / cosh(minor / (THICK * disc.height))
            thin = 1 / cosh(2 * minor / disc.height)
            patchy = 1.0
            if disc.flocculence > 0:
                u = disc.texture_u + 9 * major / disc.length
                patchy = exp(
                    disc.flocculence * field(texture, u, disc.texture_v + 4 * minor / disc.height)
                )
            depth = 0.0
            if disc.dust > 0:
                sheet = 1 / cosh((minor - disc.lane) / (0.4 * disc.height))
                depth = disc.dust * along * sheet * sheet * patchy
            old_light = (1 - THICK_SHARE) * middle * middle + THICK_SHARE / THICK * around * around
            old_light *= peak * along
            young_light = 2 * peak * along * thin * thin * patchy
            for band in range(3):
                planes[band, row, column] += (
                    colours.old[band] * old_light + colours.young[band] * young_light
                ) / (1 + colours.opacity[band] * depth)
