"""Paint a galaxy: convert its parameters to arguments of the painting kernels."""

from __future__ import annotations

from math import cos, exp, log, pi, radians, sqrt

import numpy as np

from galfeat.data.simulation import light
from galfeat.data.simulation.axes import PERIOD, Planes, Table, View, Weights, galaxy_shape
from galfeat.data.simulation.knots import paint_knots, paint_stream
from galfeat.data.simulation.paint import paint_sersic, paint_shell
from galfeat.data.simulation.paint_disc import (
    DiscColours,
    DiscLight,
    SideLight,
    paint_disc,
    paint_edge_on,
)
from galfeat.data.simulation.radial import YOUNG_LENGTH, radial_table
from galfeat.data.simulation.scene import EDGE_ON, Arms, Disc, Galaxy, Shell, Spheroid

FAINTEST = 0.004  # nanomaggies per square arcsecond where profiles are truncated
OPACITY = (1.35, 1.0, 0.78, 0.58)  # of dust in g, r, i, z relative to r
YOUNG_BLUER = 0.40  # g - r of a disc's old stars minus that of its young stars
ARM_STEPS = 257


def paint_galaxy(planes: Planes, view: View, galaxy: Galaxy, bands: list[int]) -> None:
    """Add a galaxy's light in three bands, given as indices into "griz"."""
    rng = np.random.Generator(np.random.SFC64(galaxy.seed))
    origin = rng.uniform(0, PERIOD), rng.uniform(0, PERIOD)  # in the texture
    disc = galaxy.disc
    if galaxy.spheroid is not None:
        _paint_spheroid(planes, view, galaxy, galaxy.spheroid, bands)
    if disc is not None and disc.inclination >= EDGE_ON:
        _paint_edge_on(planes, view, galaxy, disc, bands, origin)
    elif disc is not None:
        _paint_disc(planes, view, galaxy, disc, bands, origin, rng)
    if disc is not None and galaxy.knots is not None:
        paint_knots(planes, view, galaxy, disc, galaxy.knots, bands, origin, rng)
    for stream in galaxy.streams:
        paint_stream(planes, view, galaxy, stream, bands, rng)
    for shell in galaxy.shells:
        _paint_shell(planes, view, galaxy, shell, bands)


def _weights(magnitude: float, colour: float, bands: list[int], share: float = 1.0) -> Weights:
    return np.array(light.galaxy_fluxes(magnitude, colour))[bands] * share


def _paint_spheroid(
    planes: Planes, view: View, galaxy: Galaxy, spheroid: Spheroid, bands: list[int]
) -> None:
    weights = _weights(spheroid.magnitude, spheroid.colour, bands)
    reach = light.sersic_limit(spheroid.index, spheroid.radius, weights.max(), FAINTEST)
    profile = light.sersic_profile(spheroid.index, spheroid.radius, reach)
    scale = 2 * spheroid.radius if galaxy.disc is None else 2 * galaxy.disc.scale_length
    shape = galaxy_shape(galaxy, spheroid.q, reach, scale)
    paint_sersic(planes, view, shape, spheroid.boxiness, profile, weights)


def _disc_colours(galaxy: Galaxy, disc: Disc, bands: list[int]) -> DiscColours:
    """Divide a disc's light among its stellar populations."""
    bar = np.zeros(3)
    if galaxy.bar is not None:
        # The bar's light over its peak integrates to about 1.35 times the product of its half-axes.
        bar = _weights(disc.magnitude, galaxy.bar.colour, bands, galaxy.bar.strength / 1.35)
    return DiscColours(
        old=_weights(disc.magnitude, disc.colour, bands, 1 - disc.young),
        young=_weights(disc.magnitude, disc.colour - YOUNG_BLUER, bands, disc.young),
        bar=bar,
        opacity=np.array(OPACITY)[bands],
    )


def _paint_disc(
    planes: Planes,
    view: View,
    galaxy: Galaxy,
    disc: Disc,
    bands: list[int],
    origin: tuple[float, float],
    rng: np.random.Generator,
) -> None:
    arms, bar = galaxy.arms, galaxy.bar
    colours = _disc_colours(galaxy, disc, bands)
    reach = _disc_reach(galaxy, disc, colours)
    arm_light, arm_dust = _arm_tables(arms, rng)
    look = DiscLight(
        length=disc.scale_length,
        radial=radial_table(galaxy, disc, reach),
        arm_light=arm_light,
        arm_dust=arm_dust,
        winding=float(arms.winding) if arms else 1.0,
        phase=arms.winding * radians(arms.phase) if arms else 0.0,
        wobble=arms.wobble if arms else 0.0,
        flocculence=disc.flocculence,
        clumpiness=disc.clumpiness,
        dust=disc.dust,
        texture_u=origin[0],
        texture_v=origin[1],
        bar_length=bar.length if bar else 0.0,
        bar_q=bar.q if bar else 1.0,
        bar_angle=radians(bar.angle) if bar else 0.0,
    )
    shape = galaxy_shape(galaxy, disc.q, reach, 2 * disc.scale_length)
    paint_disc(planes, view, shape, look, light.texture(), colours)


def _disc_reach(galaxy: Galaxy, disc: Disc, colours: DiscColours) -> float:
    """Return the radius where a disc becomes too faint, or ends."""
    peak = (colours.old + colours.young).max() / (2 * pi * disc.scale_length**2 * disc.q)
    lengths = YOUNG_LENGTH * log(max(3 * peak / FAINTEST, 2.0))
    stretched = 1 + galaxy.distortion.stretch if galaxy.distortion else 1.0
    return min(lengths, disc.extent) * stretched * disc.scale_length


def _arm_tables(arms: Arms | None, rng: np.random.Generator) -> tuple[Table, Table]:
    """Return light and dust by angle in the disc, with a mean of 1."""
    if arms is None:
        flat = np.ones(2, dtype=np.float32)
        return flat, flat
    turn = np.linspace(0.0, 2 * pi, ARM_STEPS)
    lit = np.zeros(ARM_STEPS)
    dusty = np.zeros(ARM_STEPS)
    between = 2 * pi / arms.number
    sharpness = 1 / (arms.width * between) ** 2
    for arm in range(arms.number):
        strength = exp(arms.imbalance * rng.standard_normal())
        place = arm * between + 0.35 * arms.imbalance * between * rng.standard_normal()
        lit += strength * np.exp(sharpness * (np.cos(turn - place) - 1))
        # Dust lanes follow the inner, concave edge of the arms.
        inner = place + 1.1 * arms.width * between
        dusty += strength * np.exp(4 * sharpness * (np.cos(turn - inner) - 1))
    lit /= lit[:-1].mean()
    dusty /= dusty[:-1].mean()
    return lit.astype(np.float32), dusty.astype(np.float32)


def _paint_edge_on(
    planes: Planes,
    view: View,
    galaxy: Galaxy,
    disc: Disc,
    bands: list[int],
    origin: tuple[float, float],
) -> None:
    projected_length = cos(radians(disc.inclination)) * disc.scale_length
    near_side = 1 if galaxy.seed % 2 else -1
    extent = disc.extent * disc.scale_length
    look = SideLight(
        length=disc.scale_length,
        height=sqrt((disc.thickness * disc.scale_length) ** 2 + (0.6 * projected_length) ** 2),
        extent=extent,
        warp=disc.warp,
        lane=0.6 * projected_length * near_side,
        flocculence=disc.flocculence,
        dust=disc.dust,
        texture_u=origin[0],
        texture_v=origin[1],
    )
    shape = galaxy_shape(galaxy, 1.0, 1.1 * extent, 2 * disc.scale_length)
    colours = _disc_colours(galaxy, disc, bands)
    paint_edge_on(planes, view, shape, look, light.edge_on_profile(), light.texture(), colours)


def _paint_shell(
    planes: Planes, view: View, galaxy: Galaxy, shell: Shell, bands: list[int]
) -> None:
    q = max(galaxy.spheroid.q, 0.6) if galaxy.spheroid is not None else 0.9
    paint_shell(
        planes,
        view,
        galaxy_shape(galaxy, q, 1.3 * shell.radius, shell.radius),
        shell.radius,
        radians(shell.angle),
        radians(shell.opening),
        _weights(shell.magnitude, shell.colour, bands),
    )
