"""Draw a scene of a given class at random: target, neighbours, stars, conditions."""

from __future__ import annotations

from math import hypot

from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.simulation.interaction import disturbed_galaxy, merging_pair
from galfeat.data.simulation.population import (
    Place,
    Random,
    cigar_galaxy,
    draw_place,
    edge_on_galaxy,
    smooth_galaxy,
    spiral_galaxy,
)
from galfeat.data.simulation.scene import Conditions, Galaxy, Scene
from galfeat.data.simulation.surroundings import field_galaxies, field_stars
from galfeat.errors import DataError

MAX_RADIUS90 = 22.0  # arcseconds; larger galaxies do not fit a cut-out


def sample_scene(class_id: int, rng: Random) -> Scene:
    """Draw a scene with a target of the given class.

    Parameters
    ----------
    class_id : int
        Index into `GALAXY10_DECALS`.
    rng : numpy.random.Generator

    Returns
    -------
    Scene

    Raises
    ------
    DataError
        If the class does not exist.
    """
    galaxies, place = _target(class_id, rng)
    while radius90(galaxies) > MAX_RADIUS90:
        galaxies, place = _target(class_id, rng)
    neighbours, specks = field_galaxies(rng)
    return Scene(
        galaxies=galaxies,
        neighbours=neighbours,
        specks=specks,
        stars=field_stars(rng),
        class_id=class_id,
        redshift=place.redshift,
        radius90=radius90(galaxies),
        conditions=Conditions(
            seeing=min(max(1 + 0.12 * rng.standard_normal(), 0.8), 1.5),
            noise=min(max(1 + 0.2 * rng.standard_normal(), 0.6), 2.0),
            sky=tuple(0.04 * rng.standard_normal(3)),
        ),
    )


def _target(class_id: int, rng: Random) -> tuple[tuple[Galaxy, ...], Place]:
    """Draw the galaxy or galaxies of a class and their distance."""
    if class_id == 0:
        galaxy, place = disturbed_galaxy(rng)
        return (galaxy,), place
    if class_id == 1:
        return merging_pair(rng)
    if class_id in (2, 3, 4):
        place = draw_place(rng, -21.7, nearest=0.3)
        if class_id == 4:
            return (cigar_galaxy(rng, place),), place
        low, high, discy = ((0.80, 1.0, 0.25), (0.46, 0.82, 0.45))[class_id - 2]
        return (smooth_galaxy(rng, place, rng.uniform(low, high), discy),), place
    if class_id in (5, 6, 7):
        place = draw_place(rng, -21.2, nearest=0.6)
        pitch = rng.uniform(*((9, 32), (6, 15), (16, 38))[class_id - 5])
        share = rng.uniform(0.0, 0.22) if class_id == 6 else rng.uniform(0.0, 0.16)
        galaxy = spiral_galaxy(
            rng,
            place,
            pitch,
            barred=class_id == 5,
            share=share,
            # Tightly wound arms stand out from a smooth disc by their patches.
            patchiness=1.0 if class_id == 6 else 0.0,
        )
        return (galaxy,), place
    if class_id in (8, 9):
        place = draw_place(rng, -20.2 if class_id == 8 else -21.2, nearest=0.1)
        share = rng.uniform(0.0, 0.03) if class_id == 8 else rng.uniform(0.04, 0.28)
        return (edge_on_galaxy(rng, place, share),), place
    raise DataError(
        f"there is no class {class_id}; choose one from 0 to {len(GALAXY10_DECALS) - 1}"
    )


def radius90(galaxies: tuple[Galaxy, ...]) -> float:
    """Return the approximate Petrosian R90 of a target with seeing, in arcseconds."""
    largest = 0.0
    for galaxy in galaxies:
        if galaxy.spheroid is not None:
            largest = max(largest, 2.2 * galaxy.spheroid.radius)
        if galaxy.disc is not None:
            largest = max(largest, 3.2 * galaxy.disc.scale_length)
    return hypot(largest, 2.0)
