"""Paint one galaxy: from its parameters to the kernels' arguments."""

from __future__ import annotations

from math import cos, exp, pi, radians, sin, sqrt, tan

import numpy as np
from numpy.typing import NDArray

from galfeat.data.simulation import light, paint
from galfeat.data.simulation.scene import (
    EDGE_ON,
    Arms,
    Disc,
    Distortion,
    Galaxy,
    Shell,
    Spheroid,
    Stream,
)

FAINTEST = 0.004  # nanomaggies per square arcsecond at which profiles are cut off
OPACITY = (1.35, 1.0, 0.78, 0.58)  # of dust in g, r, i, z over r
ARM_STEPS = 257

Floats = NDArray[np.float64]


def paint_galaxy(
    planes: NDArray[np.float32], view: paint.View, galaxy: Galaxy, bands: list[int]
) -> None:
    """Add a galaxy's light, in the three bands of "griz" that `bands` names by index."""
    rng = np.random.Generator(np.random.SFC64(galaxy.seed))
    if galaxy.spheroid is not None:
        _paint_spheroid(planes, view, galaxy, galaxy.spheroid, bands)
    if galaxy.disc is not None:
        if galaxy.disc.inclination >= EDGE_ON:
            _paint_edge_on(planes, view, galaxy, galaxy.disc, bands, rng)
        else:
            _paint_disc(planes, view, galaxy, galaxy.disc, bands, rng)
        if galaxy.knots is not None:
            _paint_knots(planes, view, galaxy, galaxy.disc, bands, rng)
    for stream in galaxy.streams:
        _paint_stream(planes, view, galaxy, stream, bands, rng)
    for shell in galaxy.shells:
        _paint_shell(planes, view, galaxy, shell, bands)


def _weights(magnitude: float, colour: float, bands: list[int], share: float = 1.0) -> Floats:
    return np.array(light.galaxy_fluxes(magnitude, colour))[bands] * share


def _shape(
    galaxy: Galaxy, q: float, reach: float, scale: float, boxiness: float = 2.0
) -> paint.Shape:
    tide = galaxy.distortion or Distortion()
    return paint.Shape(
        x=galaxy.x,
        y=galaxy.y,
        angle=radians(galaxy.position_angle),
        q=q,
        boxiness=boxiness,
        reach=reach,
        scale=scale,
        lopsided_x=tide.lopsidedness * cos(radians(tide.lopsided_angle)),
        lopsided_y=tide.lopsidedness * sin(radians(tide.lopsided_angle)),
        stretch=tide.stretch,
        stretch_angle=radians(tide.stretch_angle),
        twist=radians(tide.twist),
        bend=tide.bend,
    )


def _paint_spheroid(
    planes: NDArray[np.float32],
    view: paint.View,
    galaxy: Galaxy,
    spheroid: Spheroid,
    bands: list[int],
) -> None:
    weights = _weights(spheroid.magnitude, spheroid.colour, bands)
    reach = light.sersic_limit(spheroid.index, spheroid.radius, weights.max(), FAINTEST)
    profile = light.sersic_profile(spheroid.index, spheroid.radius, reach)
    scale = 2 * spheroid.radius if galaxy.disc is None else 2 * galaxy.disc.scale_length
    shape = _shape(galaxy, spheroid.q, reach, scale, spheroid.boxiness)
    paint.paint_sersic(planes, view, shape, profile, weights)


def _disc_light(galaxy: Galaxy, disc: Disc, rng: np.random.Generator) -> paint.DiscLight:
    length = disc.scale_length
    arms = galaxy.arms
    bar = galaxy.bar
    ring = galaxy.ring
    return paint.DiscLight(
        scale_length=length,
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
        ring_radius=ring.radius if ring else 1.0,
        ring_width=ring.width if ring else 1.0,
        ring_strength=ring.strength if ring else 0.0,
    )


def _paint_disc(
    planes: NDArray[np.float32],
    view: paint.View,
    galaxy: Galaxy,
    disc: Disc,
    bands: list[int],
    rng: np.random.Generator,
) -> None:
    look = _disc_light(galaxy, disc, rng)
    lit, dusty = _arm_profiles(galaxy.arms, rng)
    bar = np.zeros(3)
    if galaxy.bar is not None:
        # The integral of the bar's outline times (1 - t)^1.5 is close to 1.35 a b.
        bar = _weights(disc.magnitude, galaxy.bar.colour, bands, galaxy.bar.strength / 1.35)
    paint.paint_disc(
        planes,
        view,
        _shape(galaxy, disc.q, look.extent * 1.6, 2 * disc.scale_length),
        look,
        lit,
        dusty,
        light.texture(),
        _weights(disc.magnitude, disc.colour, bands, 1 - disc.young),
        _weights(disc.magnitude, disc.colour - 0.35, bands, disc.young),
        bar,
        np.array(OPACITY)[bands],
    )


def _arm_profiles(
    arms: Arms | None, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Light and dust over one turn around the disc, of mean 1."""
    turn = np.linspace(0.0, 2 * pi, ARM_STEPS)
    if arms is None:
        flat = np.ones(ARM_STEPS, dtype=np.float32)
        return flat, flat
    lit = np.zeros(ARM_STEPS)
    dusty = np.zeros(ARM_STEPS)
    between = 2 * pi / arms.number
    sharpness = 1 / (arms.width * between) ** 2
    for arm in range(arms.number):
        strength = exp(arms.imbalance * rng.standard_normal())
        place = arm * between + 0.35 * arms.imbalance * between * rng.standard_normal()
        lit += strength * np.exp(sharpness * (np.cos(turn - place) - 1))
        # Dust lanes lie along the inner, concave edge of the arms.
        inner = place + 0.9 * arms.width * between
        dusty += strength * np.exp(5 * sharpness * (np.cos(turn - inner) - 1))
    lit /= lit[:-1].mean()
    dusty /= dusty[:-1].mean()
    return lit.astype(np.float32), dusty.astype(np.float32)


def _paint_edge_on(
    planes: NDArray[np.float32],
    view: paint.View,
    galaxy: Galaxy,
    disc: Disc,
    bands: list[int],
    rng: np.random.Generator,
) -> None:
    look = _disc_light(galaxy, disc, rng)
    tilt = cos(radians(disc.inclination)) * disc.scale_length
    height = sqrt((disc.thickness * disc.scale_length) ** 2 + (0.6 * tilt) ** 2)
    lane = 0.5 * tilt * (1 if galaxy.seed % 2 else -1)
    paint.paint_edge_on(
        planes,
        view,
        _shape(galaxy, 1.0, look.extent * 1.2, 2 * disc.scale_length),
        look,
        height,
        disc.warp,
        lane,
        light.edge_on_profile(),
        light.texture(),
        _weights(disc.magnitude, disc.colour, bands, 1 - disc.young),
        _weights(disc.magnitude, disc.colour - 0.35, bands, disc.young),
        np.array(OPACITY)[bands],
    )


def _paint_knots(
    planes: NDArray[np.float32],
    view: paint.View,
    galaxy: Galaxy,
    disc: Disc,
    bands: list[int],
    rng: np.random.Generator,
) -> None:
    knots = galaxy.knots
    if knots is None or knots.number == 0:
        return
    arms = galaxy.arms
    n = knots.number
    radius = rng.gamma(2.0, 1.0, n)
    if arms is None:
        angle = rng.uniform(0, 2 * pi, n)
        radius = np.minimum(radius, disc.extent * 0.8)
    else:
        radius = arms.start + (arms.end - arms.start) * rng.beta(1.3, 2.0, n)
        between = 2 * pi / arms.number
        turned = between * (rng.integers(arms.number, size=n) + 0.12 * rng.standard_normal(n))
        turned += np.log(radius + 0.02) / tan(radians(arms.pitch))
        angle = arms.winding * turned + radians(arms.phase)
    major = radius * disc.scale_length * np.cos(angle)
    height = disc.thickness * disc.scale_length * 0.4 * rng.standard_normal(n)
    minor = radius * disc.scale_length * np.sin(angle) * disc.q
    if disc.inclination >= EDGE_ON:
        minor = height + 0.2 * minor
    c = cos(radians(galaxy.position_angle))
    s = sin(radians(galaxy.position_angle))
    blobs = np.empty((n, 3))
    blobs[:, 0] = galaxy.x + c * major - s * minor
    blobs[:, 1] = galaxy.y + s * major + c * minor
    blobs[:, 2] = knots.size * rng.uniform(0.7, 1.4, n)
    shares = (rng.pareto(1.5, n) + 0.3) * np.exp(-0.5 * radius)
    shares *= knots.share / shares.sum()
    paint.paint_blobs(
        planes,
        view,
        blobs,
        shares[:, None] * _weights(disc.magnitude, knots.colour, bands)[None, :],
    )


def _paint_stream(
    planes: NDArray[np.float32],
    view: paint.View,
    galaxy: Galaxy,
    stream: Stream,
    bands: list[int],
    rng: np.random.Generator,
) -> None:
    """Add a chain of overlapping Gaussians along an arc that leaves at a slant."""
    n = max(int(stream.length / (0.5 * stream.width)), 8)
    part = (np.arange(n) + 0.5) / n
    slant = 0.45 * radians(stream.curvature)
    heading = radians(stream.angle) - slant + radians(stream.curvature) * part
    step = stream.length / n
    x = galaxy.x + stream.start * cos(radians(stream.angle)) + np.cumsum(np.cos(heading)) * step
    y = galaxy.y + stream.start * sin(radians(stream.angle)) + np.cumsum(np.sin(heading)) * step
    wander = 0.25 * stream.width
    blobs = np.empty((n, 3))
    blobs[:, 0] = x + wander * rng.standard_normal(n)
    blobs[:, 1] = y + wander * rng.standard_normal(n)
    blobs[:, 2] = stream.width * (0.55 + 0.8 * part)
    shares = (1 - part) ** 1.2 * np.exp(0.25 * rng.standard_normal(n))
    shares /= shares.sum()
    weights = _weights(stream.magnitude, stream.colour, bands)
    paint.paint_blobs(planes, view, blobs, shares[:, None] * weights[None, :])


def _paint_shell(
    planes: NDArray[np.float32], view: paint.View, galaxy: Galaxy, shell: Shell, bands: list[int]
) -> None:
    q = galaxy.spheroid.q if galaxy.spheroid is not None else 0.9
    paint.paint_shell(
        planes,
        view,
        _shape(galaxy, max(q, 0.6), 1.2 * shell.radius, shell.radius),
        shell.radius,
        radians(shell.angle),
        radians(shell.opening),
        _weights(shell.magnitude, shell.colour, bands),
    )
