"""Draw disturbed and merging galaxies at random."""

from __future__ import annotations

from dataclasses import replace
from math import cos, radians, sin

from galfeat.data.simulation.population import (
    Place,
    Random,
    draw_place,
    fainter,
    smooth_galaxy,
    spiral_galaxy,
)
from galfeat.data.simulation.scene import Distortion, Galaxy, Shell, Stream


def disturbed_galaxy(rng: Random) -> tuple[Galaxy, Place]:
    """Draw a galaxy that tides or an accretion have put out of shape."""
    place = draw_place(rng, -20.6, 0.9)
    kind = rng.uniform()
    if kind < 0.2:
        return _shell_galaxy(rng, place), place
    galaxy = spiral_galaxy(
        rng, place, rng.uniform(14, 40), barred=rng.uniform() < 0.2, share=rng.uniform(0.0, 0.25)
    )
    assert galaxy.disc is not None
    violence = rng.uniform(0.4, 1.1)
    disc = replace(
        galaxy.disc,
        clumpiness=violence * rng.uniform(0.2, 0.7),
        young=min(galaxy.disc.young + rng.uniform(0.0, 0.3), 0.85),
    )
    arms = galaxy.arms
    if arms is not None:
        arms = replace(arms, imbalance=rng.uniform(0.4, 1.0), wobble=rng.uniform(0.3, 0.8))
    streams: tuple[Stream, ...] = ()
    if rng.uniform() < 0.55:
        streams = (tidal_tail(rng, galaxy, place, rng.uniform(0.04, 0.14)),)
    galaxy = replace(
        galaxy,
        disc=disc,
        arms=arms,
        distortion=tides(rng, violence),
        streams=streams,
    )
    return galaxy, place


def _shell_galaxy(rng: Random, place: Place) -> Galaxy:
    """Draw an early-type galaxy with the remains of a small one around it."""
    galaxy = smooth_galaxy(rng, place, rng.uniform(0.55, 0.95), 0.3)
    radius = _radius(galaxy)
    axis = galaxy.position_angle
    colour = 0.6 + place.redshift
    shells = tuple(
        Shell(
            magnitude=fainter(place.magnitude, rng.uniform(0.03, 0.09)),
            colour=colour,
            radius=radius * rng.uniform(1.6, 4.0),
            angle=axis - galaxy.position_angle + 180 * float(rng.integers(2)),
            opening=rng.uniform(70, 150),
        )
        for _ in range(int(rng.integers(1, 4)))
    )
    streams = (tidal_tail(rng, galaxy, place, rng.uniform(0.03, 0.10)),)
    return replace(
        galaxy, shells=shells, streams=streams, distortion=tides(rng, rng.uniform(0.2, 0.6))
    )


def tides(rng: Random, violence: float) -> Distortion:
    """Draw a distortion that grows with `violence`, 0 to about 1."""
    return Distortion(
        lopsidedness=violence * rng.uniform(0.1, 0.55),
        lopsided_angle=rng.uniform(0, 360),
        stretch=violence * rng.uniform(0.0, 0.7),
        stretch_angle=rng.uniform(0, 180),
        twist=violence * 60 * rng.uniform(-1, 1),
        bend=violence * 0.4 * rng.uniform(-1, 1),
    )


def tidal_tail(
    rng: Random, galaxy: Galaxy, place: Place, share: float, angle: float | None = None
) -> Stream:
    """Draw a tail of a share of the galaxy's light, a few radii long."""
    radius = _radius(galaxy)
    return Stream(
        magnitude=fainter(place.magnitude, share),
        colour=0.45 + place.redshift + 0.1 * rng.standard_normal(),
        angle=rng.uniform(0, 360) if angle is None else angle,
        start=radius * rng.uniform(0.6, 1.1),
        length=radius * rng.uniform(2.5, 5.0),
        curvature=rng.choice([-1, 1]) * rng.uniform(40, 170),
        width=max(radius * rng.uniform(0.22, 0.45), 0.7),
    )


def _radius(galaxy: Galaxy) -> float:
    if galaxy.disc is not None:
        return 1.7 * galaxy.disc.scale_length
    assert galaxy.spheroid is not None
    return galaxy.spheroid.radius


def merging_pair(rng: Random) -> tuple[tuple[Galaxy, Galaxy], Place]:
    """Two galaxies close to each other, with tails, mostly centred on the brighter one."""
    place = draw_place(rng, -21.3, 0.8)
    ratio = 10 ** (-rng.uniform(0.0, 0.75))
    first = _partner(rng, place, 1 / (1 + ratio))
    second = _partner(rng, place, ratio / (1 + ratio))
    apart = (_radius(first) + _radius(second)) * rng.uniform(0.55, 1.7)
    angle = rng.uniform(0, 360)
    near = 1 - min(apart / (2.5 * _radius(first)), 1.0)
    violence = 0.25 + 0.6 * near
    first = replace(first, distortion=_pull(rng, angle, violence))
    second = replace(
        second,
        x=apart * cos(radians(angle)),
        y=apart * sin(radians(angle)),
        distortion=_pull(rng, angle + 180, violence),
    )
    if rng.uniform() < 0.75:
        tail = tidal_tail(
            rng, first, place, rng.uniform(0.03, 0.12), angle + 180 + rng.uniform(-50, 50)
        )
        first = replace(first, streams=(tail,))
    if rng.uniform() < 0.6:
        tail = tidal_tail(rng, second, place, rng.uniform(0.02, 0.10), angle + rng.uniform(-50, 50))
        second = replace(second, streams=(tail,))
    if rng.uniform() < 0.2:
        half = (second.x / 2, second.y / 2)
        first = replace(first, x=-half[0], y=-half[1])
        second = replace(second, x=half[0], y=half[1])
    return (first, second), place


def _partner(rng: Random, place: Place, share: float) -> Galaxy:
    own = replace(
        place,
        magnitude=fainter(place.magnitude, share),
        absolute=fainter(place.absolute, share),
    )
    if rng.uniform() < 0.45:
        return smooth_galaxy(rng, own, rng.uniform(0.5, 1.0), 0.5)
    galaxy = spiral_galaxy(
        rng,
        own,
        rng.uniform(10, 35),
        barred=rng.uniform() < 0.2,
        share=rng.uniform(0.05, 0.4),
        highest=75.0,
    )
    assert galaxy.disc is not None
    return replace(galaxy, disc=replace(galaxy.disc, clumpiness=rng.uniform(0.05, 0.4)))


def _pull(rng: Random, towards: float, violence: float) -> Distortion:
    """Tides of a companion in the direction `towards`."""
    return Distortion(
        lopsidedness=violence * rng.uniform(0.0, 0.3),
        lopsided_angle=towards + 180 * float(rng.integers(2)),
        stretch=violence * rng.uniform(0.0, 0.6),
        stretch_angle=towards + rng.uniform(-25, 25),
        twist=violence * 50 * rng.uniform(-1, 1),
        bend=violence * 0.3 * rng.uniform(-1, 1),
    )
