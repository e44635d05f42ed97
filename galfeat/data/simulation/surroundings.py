"""Draw at random what else is in a cut-out: distant galaxies and stars of our own Galaxy."""

from __future__ import annotations

import numpy as np

from galfeat.data.simulation.population import Random
from galfeat.data.simulation.scene import Galaxy, Spheroid, Star

HALF_WIDTH = 60.0  # arcseconds from the centre to the edge of the field that is filled
GALAXIES_PER_ARCMIN2 = 7.0  # to r = 23
STARS_PER_ARCMIN2 = 1.6  # to r = 22


def field_galaxies(rng: Random) -> tuple[Galaxy, ...]:
    """Distant galaxies, counts rising as 10^(0.37 m)."""
    n = int(rng.poisson(GALAXIES_PER_ARCMIN2 * (HALF_WIDTH / 30) ** 2))
    magnitudes = np.maximum(23.2 - rng.exponential(1 / (0.37 * np.log(10)), n), 16.0)
    places = rng.uniform(-HALF_WIDTH, HALF_WIDTH, (n, 2))
    sizes = 0.55 * 10 ** (0.15 * (22 - magnitudes) + 0.15 * rng.standard_normal(n))
    looks = rng.uniform(size=(n, 4))
    return tuple(
        Galaxy(
            x=x,
            y=y,
            position_angle=180 * look[0],
            spheroid=Spheroid(
                magnitude=magnitude,
                colour=0.35 + 1.0 * look[1],
                radius=min(size, 4.0),
                index=1.0 if look[2] < 0.7 else 3.5,
                q=0.3 + 0.7 * look[3],
            ),
        )
        for magnitude, (x, y), size, look in zip(
            magnitudes.tolist(), places.tolist(), sizes.tolist(), looks.tolist(), strict=True
        )
    )


def field_stars(rng: Random) -> tuple[Star, ...]:
    """Stars at high galactic latitude, a few fields fuller; now and then a saturated one."""
    crowding = 10 ** (0.2 * rng.standard_normal())
    n = int(rng.poisson(STARS_PER_ARCMIN2 * crowding * (HALF_WIDTH / 30) ** 2))
    magnitudes = np.maximum(22.0 - rng.exponential(1 / (0.16 * np.log(10)), n), 10.5)
    places = rng.uniform(-HALF_WIDTH, HALF_WIDTH, (n, 2))
    red = rng.uniform(size=n) < 0.5
    colours = np.where(red, rng.normal(1.35, 0.12, n), rng.normal(0.6, 0.18, n))
    return tuple(
        Star(x=x, y=y, magnitude=magnitude, colour=colour)
        for (x, y), magnitude, colour in zip(
            places.tolist(), magnitudes.tolist(), colours.tolist(), strict=True
        )
        if magnitude > 15 or np.hypot(x, y) > 12
    )
