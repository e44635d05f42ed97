"""Draw disturbed and merging galaxies at random."""

from __future__ import annotations

from dataclasses import replace
from math import cos, radians, sin

from galfeat.data.simulation.population import (
    Place,
    Random,
    between,
    draw_place,
    fainter,
    seed_of,
    smooth_galaxy,
    spiral_galaxy,
)
from galfeat.data.simulation.scene import Distortion, Galaxy, Shell, Spheroid, Stream


def disturbed_galaxy(rng: Random) -> tuple[Galaxy, Place]:
    """Draw a galaxy disturbed by tides or accretion."""
    kind = rng.uniform()
    if kind < 0.2:
        place = draw_place(rng, -21.6, nearest=0.3)
        return _accreting(rng, place), place
    if kind < 0.5:
        place = draw_place(rng, -19.4, nearest=0.2)
        return _irregular(rng, place), place
    place = draw_place(rng, -20.9, nearest=0.3)
    return _torn_spiral(rng, place), place


def _torn_spiral(rng: Random, place: Place) -> Galaxy:
    """Draw a spiral with arms distorted by a passing companion."""
    galaxy = spiral_galaxy(
        rng, place, rng.uniform(14, 42), barred=rng.uniform() < 0.2, share=rng.uniform(0.0, 0.25)
    )
    assert galaxy.disc is not None
    assert galaxy.arms is not None
    strength = rng.uniform(0.3, 0.9)
    streams: list[Stream] = []
    if rng.uniform() < 0.6:
        streams.append(tidal_tail(rng, galaxy, place, rng.uniform(0.04, 0.14)))
    if rng.uniform() < 0.25:
        streams.append(tidal_tail(rng, galaxy, place, rng.uniform(0.03, 0.10)))
    return replace(
        galaxy,
        disc=replace(
            galaxy.disc,
            clumpiness=strength * rng.uniform(0.2, 0.7),
            flocculence=rng.uniform(0.4, 0.9),
        ),
        arms=replace(galaxy.arms, imbalance=rng.uniform(0.5, 1.1), wobble=rng.uniform(0.3, 0.9)),
        distortion=tides(rng, strength),
        streams=tuple(streams),
    )


def _irregular(rng: Random, place: Place) -> Galaxy:
    """Draw a blue, clumpy galaxy without a clear centre."""
    galaxy = spiral_galaxy(rng, place, rng.uniform(20, 45), barred=rng.uniform() < 0.3, share=0.0)
    assert galaxy.disc is not None
    assert galaxy.arms is not None
    assert galaxy.knots is not None
    return replace(
        galaxy,
        disc=replace(
            galaxy.disc,
            colour=galaxy.disc.colour - rng.uniform(0.0, 0.2),
            young=rng.uniform(0.4, 0.9),
            clumpiness=rng.uniform(0.3, 0.8),
            flocculence=rng.uniform(0.5, 1.0),
            dust=0.0,
        ),
        arms=replace(
            galaxy.arms,
            contrast=rng.uniform(0.1, 0.6),
            imbalance=rng.uniform(0.5, 1.2),
            wobble=rng.uniform(0.3, 1.0),
        ),
        ring=None,
        knots=replace(galaxy.knots, share=rng.uniform(0.06, 0.25), number=int(rng.integers(5, 30))),
        distortion=tides(rng, rng.uniform(0.2, 0.9)),
    )


def _accreting(rng: Random, place: Place) -> Galaxy:
    """Draw an early-type galaxy with shells and streams of an accreted satellite."""
    galaxy = smooth_galaxy(rng, place, rng.uniform(0.55, 0.95), 0.4)
    radius = galaxy_radius(galaxy)
    shells = tuple(
        Shell(
            magnitude=fainter(place.magnitude, rng.uniform(0.015, 0.07)),
            colour=0.6 + place.redshift,
            radius=radius * rng.uniform(1.6, 4.0),
            angle=180 * float(rng.integers(2)) + 10 * rng.standard_normal(),
            opening=rng.uniform(70, 150),
        )
        for _ in range(int(rng.integers(1, 4)))
    )
    streams = tuple(
        tidal_tail(rng, galaxy, place, rng.uniform(0.03, 0.10))
        for _ in range(int(rng.integers(1, 3)))
    )
    return replace(
        galaxy, shells=shells, streams=streams, distortion=tides(rng, rng.uniform(0.3, 0.7))
    )


def tides(rng: Random, strength: float) -> Distortion:
    """Draw a distortion of a given strength, 0 to about 1."""
    return Distortion(
        lopsidedness=strength * rng.uniform(0.1, 0.6),
        lopsided_angle=rng.uniform(0, 360),
        stretch=strength * rng.uniform(0.0, 0.7),
        stretch_angle=rng.uniform(0, 180),
        twist=strength * 60 * rng.uniform(-1, 1),
        bend=strength * 0.5 * rng.uniform(-1, 1),
    )


def tidal_tail(
    rng: Random, galaxy: Galaxy, place: Place, share: float, angle: float | None = None
) -> Stream:
    """Draw a tail with a fraction of the galaxy's light, a few radii long."""
    radius = galaxy_radius(galaxy)
    curvature = rng.choice([-1, 1]) * rng.uniform(30, 170)
    return Stream(
        magnitude=fainter(place.magnitude, share),
        colour=0.45 + place.redshift + 0.1 * rng.standard_normal(),
        angle=rng.uniform(0, 360) if angle is None else angle,
        start=radius * rng.uniform(0.6, 1.1),
        length=radius * rng.uniform(2.5, 6.0),
        curvature=curvature,
        width=between(radius * rng.uniform(0.16, 0.40), 0.6, 4.0),
    )


def galaxy_radius(galaxy: Galaxy) -> float:
    """Return the approximate half-light radius in arcseconds."""
    if galaxy.disc is not None:
        return 1.6 * galaxy.disc.scale_length
    assert galaxy.spheroid is not None
    return min(galaxy.spheroid.radius, 12.0)


def merging_pair(rng: Random) -> tuple[tuple[Galaxy, ...], Place]:
    """Draw two close galaxies, with tails and debris around them."""
    place = draw_place(rng, -21.5, nearest=0.2)
    ratio = 10 ** (-rng.uniform(0.0, 0.7))
    first = _partner(rng, place.part(1 / (1 + ratio)))
    second = _partner(rng, place.part(ratio / (1 + ratio)))
    apart = (galaxy_radius(first) + galaxy_radius(second)) * rng.uniform(0.4, 1.8)
    apart = max(apart, 2.2)
    angle = rng.uniform(0, 360)
    strength = 0.3 + 0.7 * between(1.6 - apart / (1.5 * galaxy_radius(first)), 0.0, 1.0)
    # Cut-outs are centred on the brighter nucleus, or sometimes on the combined light.
    middle = 0.5 * apart if rng.uniform() < 0.2 else 0.0
    first = _pulled(rng, first, place, -middle, angle, angle, strength)
    second = _pulled(rng, second, place, apart - middle, angle, angle + 180, strength)
    if rng.uniform() < 0.5:
        return (first, second), place
    debris = Spheroid(
        magnitude=fainter(place.magnitude, rng.uniform(0.06, 0.2)),
        colour=0.62 + place.redshift,
        radius=(apart + 2 * galaxy_radius(first)) * rng.uniform(0.5, 0.9),
        index=rng.uniform(0.6, 1.2),
        q=rng.uniform(0.5, 0.9),
    )
    around = Galaxy(
        x=0.5 * second.x,
        y=0.5 * second.y,
        position_angle=angle + rng.uniform(-40, 40),
        spheroid=debris,
        distortion=tides(rng, 0.7 * strength),
        seed=seed_of(rng),
    )
    return (first, second, around), place


def _partner(rng: Random, place: Place) -> Galaxy:
    """Draw one galaxy of a pair."""
    if rng.uniform() < 0.45:
        return smooth_galaxy(rng, place, rng.uniform(0.5, 1.0), 0.5)
    galaxy = spiral_galaxy(
        rng,
        place,
        rng.uniform(10, 35),
        barred=rng.uniform() < 0.2,
        share=rng.uniform(0.05, 0.4),
        highest=75.0,
    )
    assert galaxy.disc is not None
    return replace(galaxy, disc=replace(galaxy.disc, clumpiness=rng.uniform(0.05, 0.5)))


def _pulled(
    rng: Random,
    galaxy: Galaxy,
    place: Place,
    distance: float,
    angle: float,
    towards: float,
    strength: float,
) -> Galaxy:
    """Move a galaxy out along `angle` and distort it by a companion in direction `towards`."""
    tail: tuple[Stream, ...] = ()
    if rng.uniform() < 0.75:
        away = towards + 180 + rng.uniform(-50, 50)
        tail = (tidal_tail(rng, galaxy, place, rng.uniform(0.03, 0.12) * strength, away),)
    return replace(
        galaxy,
        x=distance * cos(radians(angle)),
        y=distance * sin(radians(angle)),
        distortion=Distortion(
            lopsidedness=strength * rng.uniform(0.0, 0.4),
            lopsided_angle=towards + 180 * float(rng.integers(2)),
            stretch=strength * rng.uniform(0.0, 0.7),
            stretch_angle=towards + rng.uniform(-25, 25),
            twist=strength * 50 * rng.uniform(-1, 1),
            bend=strength * 0.4 * rng.uniform(-1, 1),
        ),
        streams=tail,
    )
