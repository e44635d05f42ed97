"""Paint one galaxy: from its parameters to the kernels' arguments."""

from __future__ import annotations

from math import cos, exp, pi, radians, sqrt, tan

import numpy as np

from galfeat.data.simulation import light
from galfeat.data.simulation.axes import Planes, Table, View, Weights, galaxy_shape
from galfeat.data.simulation.knots import paint_knots, paint_stream
from galfeat.data.simulation.paint import paint_sersic, paint_shell
from galfeat.data.simulation.paint_disc import DiscColours, DiscLight, paint_disc, paint_edge_on
from galfeat.data.simulation.scene import EDGE_ON, Arms, Disc, Galaxy, Shell, Spheroid

FAINTEST = 0.004  # nanomaggies per square arcsecond at which profiles are cut off
OPACITY = (1.35, 1.0, 0.78, 0.58)  # of dust in g, r, i, z over that in r
YOUNG_BLUER = 0.40  # g - r of a disc's old minus its young stars
ARM_STEPS = 257


def paint_galaxy(planes: Planes, view: View, galaxy: Galaxy, bands: list[int]) -> None:
    """Add a galaxy's light in three bands, given as places in "griz"."""
    rng = np.random.Generator(np.random.SFC64(galaxy.seed))
    disc = galaxy.disc
    if galaxy.spheroid is not None:
        _paint_spheroid(planes, view, galaxy, galaxy.spheroid, bands)
    if disc is not None and disc.inclination >= EDGE_ON:
        _paint_edge_on(planes, view, galaxy, disc, bands, rng)
    elif disc is not None:
        _paint_disc(planes, view, galaxy, disc, bands, rng)
    if disc is not None and galaxy.knots is not None:
        paint_knots(planes, view, galaxy, disc, galaxy.knots, bands, rng)
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


def _disc_light(galaxy: Galaxy, disc: Disc, rng: np.random.Generator) -> DiscLight:
    """Put a disc with arms, bar and ring into arcseconds and radians."""
    length = disc.scale_length
    arms, bar, ring = galaxy.arms, galaxy.bar, galaxy.ring
    return DiscLight(
        length=length,
        outer_length=disc.outer * length,
        break_radius=disc.break_radius * length,
        extent=disc.extent * length,
        winding=float(arms.winding) if arms else 1.0,
        cotangent=1 / tan(radians(arms.pitch)) if arms else 2.0,
        phase=arms.winding * radians(arms.phase) if arms else 0.0,
        contrast=arms.contrast if arms else 0.0,
        start=arms.start * length if arms else 0.0,
        end=arms.end * length if arms else disc.extent * length,
        wobble=arms.wobble if arms else 0.0,
        flocculence=disc.flocculence,
        clumpiness=disc.clumpiness,
        dust=disc.dust,
        texture_u=rng.uniform(0, 256),
        texture_v=rng.uniform(0, 256),
        bar_length=bar.length if bar else 0.0,
        bar_q=bar.q if bar else 1.0,
        bar_angle=radians(bar.angle) if bar else 0.0,
        bar_gap=bar.gap if bar else 0.0,
        ring_radius=ring.radius if ring else 1.0,
        ring_width=ring.width if ring else 1.0,
        ring_strength=ring.strength if ring else 0.0,
    )


def _disc_colours(galaxy: Galaxy, disc: Disc, bands: list[int]) -> DiscColours:
    """Share a disc's light out among its kinds of stars."""
    bar = np.zeros(3)
    if galaxy.bar is not None:
        # The bar's light over its peak integrates to close to 1.35 times its half-axes.
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
    rng: np.random.Generator,
) -> None:
    look = _disc_light(galaxy, disc, rng)
    arm_light, arm_dust = _arm_tables(galaxy.arms, rng)
    stretched = 1 + galaxy.distortion.stretch if galaxy.distortion else 1.0
    paint_disc(
        planes,
        view,
        galaxy_shape(galaxy, disc.q, look.extent * stretched, 2 * disc.scale_length),
        look,
        arm_light,
        arm_dust,
        light.texture(),
        _disc_colours(galaxy, disc, bands),
    )


def _arm_tables(arms: Arms | None, rng: np.random.Generator) -> tuple[Table, Table]:
    """Light and dust over one turn around the disc, of mean 1."""
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
        # Dust lanes lie along the inner, concave edge of the arms.
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
    rng: np.random.Generator,
) -> None:
    look = _disc_light(galaxy, disc, rng)
    tilt = cos(radians(disc.inclination)) * disc.scale_length
    height = sqrt((disc.thickness * disc.scale_length) ** 2 + (0.6 * tilt) ** 2)
    near_side = 1 if galaxy.seed % 2 else -1
    paint_edge_on(
        planes,
        view,
        galaxy_shape(galaxy, 1.0, look.extent * 1.1, 2 * disc.scale_length),
        look,
        height,
        disc.warp,
        0.6 * tilt * near_side,
        light.edge_on_profile(),
        light.texture(),
        _disc_colours(galaxy, disc, bands),
    )


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
