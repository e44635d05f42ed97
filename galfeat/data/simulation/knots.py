"""Paint star-forming knots and tidal tails as sums of Gaussians."""

from __future__ import annotations

from math import cos, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

from galfeat.data.simulation.axes import Planes, View, from_own_axes, galaxy_shape
from galfeat.data.simulation.light import galaxy_fluxes, texture
from galfeat.data.simulation.paint import paint_blobs
from galfeat.data.simulation.paint_disc import arm_angle
from galfeat.data.simulation.radial import texture_place, wound_angle
from galfeat.data.simulation.scene import EDGE_ON, Disc, Galaxy, Knots, Stream

Random = np.random.Generator
Floats = NDArray[np.float64]


def paint_knots(
    planes: Planes,
    view: View,
    galaxy: Galaxy,
    disc: Disc,
    knots: Knots,
    bands: list[int],
    origin: tuple[float, float],
    rng: Random,
) -> None:
    """Add star-forming regions with lognormal luminosities that fall off with radius."""
    n = knots.number
    if n == 0:
        return
    radius, angle = _places(galaxy, disc, n, origin[0], rng)
    major = radius * disc.scale_length * np.cos(angle)
    minor = radius * disc.scale_length * np.sin(angle) * disc.q
    if disc.inclination >= EDGE_ON:
        minor = disc.thickness * disc.scale_length * 0.35 * rng.standard_normal(n)
    shape = galaxy_shape(galaxy, disc.q, 0.0, 2 * disc.scale_length)
    blobs = np.empty((n, 3))
    for knot in range(n):
        blobs[knot, :2] = from_own_axes(shape, major[knot], minor[knot])
    blobs[:, 2] = knots.size * rng.uniform(0.7, 1.6, n)
    shares = np.exp(0.8 * rng.standard_normal(n) - 0.6 * radius)
    _paint(
        planes,
        view,
        blobs,
        shares * knots.share / shares.sum(),
        disc.magnitude,
        knots.colour,
        bands,
    )


def _places(
    galaxy: Galaxy, disc: Disc, n: int, origin: float, rng: Random
) -> tuple[Floats, Floats]:
    """Return radii in scale lengths and angles in the plane of the disc."""
    arms = galaxy.arms
    if arms is None:
        return np.minimum(rng.gamma(2.0, 1.0, n), 0.7 * disc.extent), rng.uniform(0, 2 * pi, n)
    radius = arms.start + (0.9 * arms.end - arms.start) * rng.beta(1.4, 1.8, n)
    between = 2 * pi / arms.number
    turned = between * (rng.integers(arms.number, size=n) + arms.width * rng.standard_normal(n))
    turned += wound_angle(arms, radius)
    angle = arms.winding * turned + radians(arms.phase)
    away = texture_place(radius)
    for knot in range(n):
        angle[knot] = arm_angle(
            texture(), origin, arms.wobble, angle[knot], arms.winding, away[knot]
        )
    return radius, angle


def paint_stream(
    planes: Planes, view: View, galaxy: Galaxy, stream: Stream, bands: list[int], rng: Random
) -> None:
    """Add a chain of overlapping Gaussians along an arc that leaves the galaxy obliquely."""
    n = max(int(stream.length / (0.4 * stream.width)), 8)
    part = (np.arange(n) + 0.5) / n
    turn = radians(stream.curvature)
    heading = radians(stream.angle) - 0.45 * turn + turn * part
    step = stream.length / n
    wander = 0.15 * stream.width
    blobs = np.empty((n, 3))
    blobs[:, 0] = galaxy.x + stream.start * cos(radians(stream.angle))
    blobs[:, 1] = galaxy.y + stream.start * sin(radians(stream.angle))
    blobs[:, 0] += np.cumsum(np.cos(heading)) * step + wander * rng.standard_normal(n)
    blobs[:, 1] += np.cumsum(np.sin(heading)) * step + wander * rng.standard_normal(n)
    blobs[:, 2] = stream.width * (0.5 + 0.8 * part)
    shares = (1 - part) ** 0.8 * np.exp(0.2 * rng.standard_normal(n))
    shares /= shares.sum()
    _paint(planes, view, blobs, shares, stream.magnitude, stream.colour, bands)


def _paint(
    planes: Planes,
    view: View,
    blobs: Floats,
    shares: Floats,
    magnitude: float,
    colour: float,
    bands: list[int],
) -> None:
    fluxes = np.array(galaxy_fluxes(magnitude, colour))[bands]
    paint_blobs(planes, view, blobs, shares[:, None] * fluxes)
