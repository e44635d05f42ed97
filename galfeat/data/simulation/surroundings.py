"""Draw the other galaxies and the foreground stars of a cut-out at random."""

from __future__ import annotations

from math import log

import numpy as np

from galfeat.data.simulation.population import Random
from galfeat.data.simulation.scene import Galaxy, Speck, Spheroid, Star

HALF_WIDTH = 60.0  # arcseconds from the centre to the edge of the populated field
AREA = (2 * HALF_WIDTH / 60) ** 2  # square arcminutes
GALAXIES = 24.0  # per square arcminute to r = 23
STARS = 1.3  # per square arcminute to r = 22
RESOLVED = 19.5  # r magnitude; brighter neighbours are drawn with their shape


def field_galaxies(rng: Random) -> tuple[tuple[Galaxy, ...], tuple[Speck, ...]]:
    """Draw galaxies with counts proportional to 10^(0.37 m); the faint ones as specks."""
    n = int(rng.poisson(GALAXIES * AREA * 10 ** (0.12 * rng.standard_normal())))
    magnitudes = np.maximum(23.0 - rng.exponential(1 / (0.37 * log(10)), n), 15.5)
    sizes = 0.55 * 10 ** (0.16 * (22 - magnitudes) + 0.15 * rng.standard_normal(n))
    table = np.column_stack(
        [
            rng.uniform(-HALF_WIDTH, HALF_WIDTH, n),
            rng.uniform(-HALF_WIDTH, HALF_WIDTH, n),
            magnitudes,
            np.clip(0.7 + 0.25 * rng.standard_normal(n), 0.25, 1.3),
            sizes,
            rng.uniform(0.35, 1.0, n),
            rng.uniform(0, 180, n),
        ]
    )
    galaxies = []
    specks = []
    for x, y, magnitude, colour, size, q, angle in table.tolist():
        if magnitude > RESOLVED:
            specks.append(
                Speck(
                    x=x,
                    y=y,
                    magnitude=magnitude,
                    colour=colour,
                    size=1.5 * size,
                    q=q,
                    position_angle=angle,
                )
            )
        else:
            spheroid = Spheroid(
                magnitude=magnitude,
                colour=colour,
                radius=min(1.2 * size, 4.5),
                index=3.5 if colour > 0.75 else 1.0,
                q=q,
            )
            galaxies.append(Galaxy(x=x, y=y, position_angle=angle, spheroid=spheroid))
    return tuple(galaxies), tuple(specks)


def field_stars(rng: Random) -> tuple[Star, ...]:
    """Draw stars as at high galactic latitude, with some denser fields; few are saturated."""
    n = int(rng.poisson(STARS * AREA * 10 ** (0.2 * rng.standard_normal())))
    magnitudes = np.maximum(22.0 - rng.exponential(1 / (0.19 * log(10)), n), 11.0)
    dwarf = rng.uniform(size=n) < 0.55
    colours = np.where(dwarf, rng.normal(1.35, 0.10, n), rng.normal(0.6, 0.18, n))
    places = rng.uniform(-HALF_WIDTH, HALF_WIDTH, (n, 2))
    return tuple(
        Star(x=x, y=y, magnitude=magnitude, colour=colour)
        for (x, y), magnitude, colour in zip(
            places.tolist(), magnitudes.tolist(), colours.tolist(), strict=True
        )
        # Catalogues exclude galaxies next to bright stars.
        if magnitude > 15.5 or x * x + y * y > 15**2
    )
