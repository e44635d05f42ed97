"""Draw galaxies of a given class at random, from what is known of their populations.

Magnitudes follow the counts of a sample cut at r = 17.8, luminosities give distances,
distances and the size-luminosity relations of Shen et al. (2003) give angular sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, degrees, log10

import numpy as np

from galfeat.data.simulation.scene import (
    Arms,
    Bar,
    Disc,
    Galaxy,
    Knots,
    Ring,
    Spheroid,
)

FAINT_LIMIT = 17.8
BRIGHT_LIMIT = 13.8

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Place:
    """How bright a galaxy looks, how far it is and how large one kiloparsec appears."""

    magnitude: float
    absolute: float
    redshift: float
    arcsec_per_kpc: float


def draw_place(rng: Random, absolute: float, scatter: float, farthest: float = 0.25) -> Place:
    """Apparent magnitude, luminosity and distance of a galaxy of a flux-limited sample."""
    magnitude = max(FAINT_LIMIT - rng.exponential(0.85), BRIGHT_LIMIT)
    luminosity = absolute + scatter * rng.standard_normal()
    megaparsecs = 10 ** ((magnitude - luminosity - 25) / 5)
    redshift = min(max(megaparsecs * 70 / 299792.0, 0.006), farthest)
    angular = megaparsecs / (1 + redshift) ** 2
    return Place(magnitude, luminosity, redshift, 206.265 / max(angular, 25.0))


def old_colour(rng: Random, redshift: float) -> float:
    """Observed g - r of an old stellar population."""
    return float(0.70 + 1.8 * redshift + 0.04 * rng.standard_normal())


def disc_colour(rng: Random, redshift: float, base: float = 0.56, scatter: float = 0.09) -> float:
    """Observed g - r of the old stars of a disc."""
    return float(base + 1.1 * redshift + scatter * rng.standard_normal())


def inclination(rng: Random, highest: float) -> float:
    """Degrees, for discs oriented at random, up to a highest one."""
    return float(degrees(np.arccos(rng.uniform(np.cos(np.radians(highest)), 1.0))))


def smooth_galaxy(rng: Random, place: Place, q: float, discy: float) -> Galaxy:
    """Draw an elliptical or, with probability `discy`, a lenticular."""
    colour = old_colour(rng, place.redshift)
    position_angle = rng.uniform(0, 180)
    seed = int(rng.integers(2**31))
    if rng.uniform() < discy:
        return _lenticular(rng, place, q, colour, position_angle, seed)
    index = min(max(4.0 + 1.2 * rng.standard_normal(), 1.5), 6.5)
    radius = 4.2 * 10 ** (-0.24 * (place.absolute + 21.6) + 0.13 * rng.standard_normal())
    if rng.uniform() < 0.10:
        index = rng.uniform(0.9, 1.8)
        colour -= rng.uniform(0.25, 0.5)
    spheroid = Spheroid(
        magnitude=place.magnitude,
        colour=colour,
        radius=max(radius * place.arcsec_per_kpc, 0.9),
        index=index,
        q=q,
        boxiness=2.0 + 0.1 * rng.standard_normal(),
    )
    return Galaxy(position_angle=position_angle, spheroid=spheroid, seed=seed)


def _lenticular(
    rng: Random, place: Place, q: float, colour: float, position_angle: float, seed: int
) -> Galaxy:
    """Bulge and a disc without arms, thick enough to be seen smooth."""
    share = rng.uniform(0.25, 0.65)
    length = disc_length(rng, place)
    thickness = min(rng.uniform(0.18, 0.30), 0.9 * q)
    cosine = ((q**2 - thickness**2) / (1 - thickness**2)) ** 0.5
    tilt = degrees(np.arccos(min(cosine, 1.0)))
    return Galaxy(
        position_angle=position_angle,
        spheroid=bulge(rng, place, colour, share, length, q=max(0.55 + 0.45 * q, q)),
        disc=Disc(
            magnitude=fainter(place.magnitude, 1 - share),
            colour=colour - rng.uniform(0.02, 0.12),
            scale_length=length,
            inclination=min(tilt, 77.0),
            thickness=thickness,
        ),
        seed=seed,
    )


def fainter(magnitude: float, share: float) -> float:
    """Magnitude of a share of the light."""
    return magnitude - 2.5 * log10(max(share, 1e-4))


def disc_length(rng: Random, place: Place) -> float:
    """Scale length of a disc in arcseconds."""
    length = 3.6 * 10 ** (-0.15 * (place.absolute + 21.0) + 0.12 * rng.standard_normal())
    return max(length * place.arcsec_per_kpc, 1.1)


def bulge(
    rng: Random, place: Place, colour: float, share: float, length: float, q: float
) -> Spheroid:
    """Draw a bulge with a share of the light, within a disc of the given scale length."""
    return Spheroid(
        magnitude=fainter(place.magnitude, share),
        colour=colour,
        radius=max(length * (0.18 + 0.55 * share) * rng.uniform(0.7, 1.3), 0.35),
        index=min(max(1.2 + 4 * share + 0.6 * rng.standard_normal(), 0.7), 5.0),
        q=q,
    )


def spiral_galaxy(
    rng: Random, place: Place, pitch: float, *, barred: bool, share: float, highest: float = 66.0
) -> Galaxy:
    """Draw a disc with spiral arms and perhaps a bar and a ring."""
    length = disc_length(rng, place)
    tilt = inclination(rng, highest)
    late = min(max((pitch - 6) / 24, 0.0), 1.0)  # 0 early, 1 late type
    colour = old_colour(rng, place.redshift)
    young = min(max(0.22 + 0.30 * late + 0.10 * rng.standard_normal(), 0.06), 0.75)
    number = int(rng.choice([2, 2, 2, 3, 4, 5] if pitch > 14 else [2, 2, 3, 4, 5, 6]))
    disc_magnitude = fainter(place.magnitude, 1 - share)
    bar = _bar(rng, length, colour) if barred else None
    start = bar.length / length * 0.8 if bar else rng.uniform(0.15, 0.6)
    winding = int(rng.choice([-1, 1]))
    arms = Arms(
        number=2 if bar and rng.uniform() < 0.8 else number,
        pitch=pitch,
        winding=winding,
        phase=_arm_phase(bar, length, pitch, winding) if bar else rng.uniform(0, 360),
        contrast=min(max(rng.uniform(0.45, 1.0), 0.0), 1.0),
        start=start,
        end=rng.uniform(3.2, 4.6),
        width=rng.uniform(0.09, 0.17),
        imbalance=abs(0.3 * rng.standard_normal()),
        wobble=rng.uniform(0.05, 0.22),
    )
    ring = None
    if bar is not None and rng.uniform() < 0.4:
        ring = Ring(
            strength=rng.uniform(0.08, 0.3),
            radius=bar.length * rng.uniform(0.95, 1.15),
            width=0.12 * bar.length,
        )
    return Galaxy(
        position_angle=rng.uniform(0, 180),
        spheroid=bulge(rng, place, colour, share, length, q=max(np.cos(np.radians(tilt)), 0.6)),
        disc=Disc(
            magnitude=disc_magnitude,
            colour=disc_colour(rng, place.redshift, 0.62 - 0.14 * late),
            scale_length=length,
            inclination=tilt,
            young=young,
            flocculence=rng.uniform(0.15, 0.55),
            clumpiness=rng.uniform(0.0, 0.15),
            dust=rng.uniform(0.0, 1.0),
            extent=rng.uniform(4.2, 5.5),
        ),
        arms=arms,
        bar=bar,
        ring=ring,
        knots=Knots(
            number=int(rng.integers(6, 40)),
            share=0.09 * (0.3 + late) * rng.uniform(0.2, 1.5),
            colour=rng.uniform(-0.15, 0.25),
            size=max(0.16 * place.arcsec_per_kpc, 0.2),
        ),
        seed=int(rng.integers(2**31)),
    )


def _bar(rng: Random, length: float, colour: float) -> Bar:
    return Bar(
        strength=rng.uniform(0.08, 0.30),
        length=length * rng.uniform(0.8, 1.6),
        angle=rng.uniform(0, 180),
        q=rng.uniform(0.22, 0.42),
        colour=colour - 0.04,
    )


def _arm_phase(bar: Bar, length: float, pitch: float, winding: int) -> float:
    """Phase with which a two-armed spiral starts at the ends of the bar."""
    turn = degrees(log10(bar.length / length) * np.log(10) / np.tan(np.radians(pitch)))
    return bar.angle - winding * turn


def edge_on_galaxy(rng: Random, place: Place, share: float) -> Galaxy:
    """Draw a disc from its side, with a bulge of the given share of the light."""
    length = disc_length(rng, place) * 1.15
    thickness = rng.uniform(0.10, 0.17) if share < 0.1 else rng.uniform(0.12, 0.22)
    colour = old_colour(rng, place.redshift)
    late = max(0.0, 1 - 4 * share)
    sine = min(rng.uniform(0.985, 1.0), 1.0)
    spheroid = None
    if share > 0.01:
        boxy = 2.0 if rng.uniform() < 0.7 else rng.uniform(2.4, 3.2)
        spheroid = Spheroid(
            magnitude=fainter(place.magnitude, share),
            colour=colour,
            radius=max(length * (0.16 + 0.65 * share) * rng.uniform(0.8, 1.3), 0.5),
            index=rng.uniform(1.0, 3.5),
            q=rng.uniform(0.6, 0.9),
            boxiness=boxy,
        )
    return Galaxy(
        position_angle=rng.uniform(0, 180),
        spheroid=spheroid,
        disc=Disc(
            magnitude=fainter(place.magnitude, 1 - share),
            colour=disc_colour(rng, place.redshift, 0.68 - 0.12 * late, 0.10),
            scale_length=length,
            inclination=degrees(asin(sine)),
            thickness=thickness,
            young=min(max(0.10 + 0.3 * late * rng.uniform(0, 1.2), 0.0), 0.6),
            flocculence=rng.uniform(0.1, 0.5),
            dust=rng.uniform(0.0, 2.5) if rng.uniform() < 0.6 else 0.0,
            extent=rng.uniform(3.5, 5.0),
            warp=0.04 * rng.standard_normal(),
        ),
        knots=Knots(
            number=int(rng.integers(4, 20)),
            share=0.03 * late * rng.uniform(0, 1),
            colour=rng.uniform(-0.1, 0.3),
            size=max(0.2 * place.arcsec_per_kpc, 0.25),
        ),
        seed=int(rng.integers(2**31)),
    )
