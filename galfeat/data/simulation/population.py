"""Draw undisturbed galaxies of a given type at random from observed populations.

Magnitudes follow the counts of a sample limited to r = 17.8; luminosities determine distances;
distances and the size-luminosity relations of Shen et al. (2003) determine angular sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, asin, cos, degrees, log, log10, radians, sqrt, tan

import numpy as np

from galfeat.data.simulation.scene import EDGE_ON, Arms, Bar, Disc, Galaxy, Knots, Ring, Spheroid

FAINT_LIMIT = 17.8
BRIGHT_LIMIT = 13.6

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Place:
    """Apparent and absolute magnitude, redshift and angular scale of a galaxy."""

    magnitude: float
    absolute: float
    redshift: float
    arcsec_per_kpc: float

    def part(self, share: float) -> Place:
        """Return the same distance with the magnitudes of a fraction of the light."""
        fainter = -2.5 * log10(share)
        return Place(
            self.magnitude + fainter, self.absolute + fainter, self.redshift, self.arcsec_per_kpc
        )


def draw_place(rng: Random, absolute: float, scatter: float = 0.7, nearest: float = 0.0) -> Place:
    """Draw magnitude, luminosity and distance of a galaxy of a flux-limited sample.

    `nearest` brightens the faint limit, in magnitudes, for types that must be well resolved.
    """
    magnitude = max(FAINT_LIMIT - nearest - rng.exponential(0.85), BRIGHT_LIMIT)
    luminosity = absolute + scatter * rng.standard_normal()
    megaparsecs = min(max(10 ** ((magnitude - luminosity - 25) / 5), 25.0), 1000.0)
    redshift = megaparsecs * 70 / 299792.0
    return Place(magnitude, luminosity, redshift, 206.265 * (1 + redshift) ** 2 / megaparsecs)


def fainter(magnitude: float, share: float) -> float:
    """Return the magnitude of a fraction of the light."""
    return magnitude - 2.5 * log10(max(share, 1e-4))


def between(value: float, low: float, high: float) -> float:
    """Clip a value to a range."""
    return min(max(value, low), high)


def old_colour(rng: Random, redshift: float) -> float:
    """Draw the observed g - r of an old stellar population."""
    return float(0.72 + 1.8 * redshift + 0.04 * rng.standard_normal())


def inclination(rng: Random, highest: float) -> float:
    """Draw the inclination of a randomly oriented disc, in degrees, up to a maximum."""
    return degrees(acos(rng.uniform(cos(radians(highest)), 1.0)))


def disc_length(rng: Random, place: Place) -> float:
    """Draw the scale length of a disc in arcseconds."""
    kiloparsecs = 3.7 * 10 ** (-0.15 * (place.absolute + 21.0) + 0.12 * rng.standard_normal())
    return max(kiloparsecs * place.arcsec_per_kpc, 1.2)


def seed_of(rng: Random) -> int:
    """Draw the seed of a galaxy's fine structure."""
    return int(rng.integers(2**31))


def bulge(
    rng: Random, place: Place, colour: float, share: float, length: float, q: float
) -> Spheroid:
    """Draw a bulge with a fraction of the light, in a disc of the given scale length."""
    return Spheroid(
        magnitude=fainter(place.magnitude, share),
        colour=colour,
        radius=max(length * (0.16 + 0.5 * share) * rng.uniform(0.7, 1.3), 0.55),
        index=between(1.2 + 4 * share + 0.6 * rng.standard_normal(), 0.7, 5.0),
        q=q,
    )


def smooth_galaxy(rng: Random, place: Place, q: float, discy: float) -> Galaxy:
    """Draw an elliptical or, with probability `discy`, a lenticular of a given axis ratio."""
    if rng.uniform() < discy:
        return _lenticular(rng, place, q)
    colour = old_colour(rng, place.redshift)
    # Lower than de Vaucouleurs' 4: nearly half of the galaxies seen as smooth have discs.
    index = between(2.3 + 0.9 * rng.standard_normal(), 0.9, 6.0)
    if rng.uniform() < 0.12:
        # A compact star-forming galaxy or a blue dwarf: smooth, but not an elliptical.
        index = rng.uniform(0.8, 1.8)
        colour -= rng.uniform(0.2, 0.55)
    kiloparsecs = 4.2 * 10 ** (-0.24 * (place.absolute + 21.6) + 0.13 * rng.standard_normal())
    return Galaxy(
        position_angle=rng.uniform(0, 180),
        spheroid=Spheroid(
            magnitude=place.magnitude,
            colour=colour,
            radius=max(kiloparsecs * place.arcsec_per_kpc, 1.5) / sqrt(q),
            index=index,
            q=q,
            boxiness=2.0 + 0.1 * rng.standard_normal(),
        ),
        seed=seed_of(rng),
    )


def cigar_galaxy(rng: Random, place: Place) -> Galaxy:
    """Draw a smooth galaxy that looks long: a thick disc from the side, with a small bulge."""
    share = rng.uniform(0.0, 0.18)
    length = disc_length(rng, place)
    colour = old_colour(rng, place.redshift)
    disc_colour = colour - rng.uniform(0.0, 0.15)
    if rng.uniform() < 0.45:
        disc_colour -= rng.uniform(0.1, 0.4)  # a late type without visible knots or dust
    spheroid = None
    if share > 0.03:
        spheroid = bulge(rng, place, colour, share, length, q=rng.uniform(0.5, 0.8))
    return Galaxy(
        position_angle=rng.uniform(0, 180),
        spheroid=spheroid,
        disc=Disc(
            magnitude=fainter(place.magnitude, 1 - share),
            colour=disc_colour,
            scale_length=length,
            inclination=rng.uniform(EDGE_ON, 90),
            thickness=rng.uniform(0.16, 0.34),
            extent=rng.uniform(3.4, 6.0),
        ),
        seed=seed_of(rng),
    )


def _lenticular(rng: Random, place: Place, q: float) -> Galaxy:
    """Draw a bulge and a disc without arms, thick enough to look smooth."""
    share = rng.uniform(0.08, 0.42)
    length = disc_length(rng, place)
    colour = old_colour(rng, place.redshift)
    thickness = min(rng.uniform(0.18, 0.30), 0.9 * q)
    tilt = degrees(acos(sqrt((q**2 - thickness**2) / (1 - thickness**2))))
    return Galaxy(
        position_angle=rng.uniform(0, 180),
        spheroid=bulge(rng, place, colour, share, length, q=max(0.4 + 0.6 * q, q)),
        disc=Disc(
            magnitude=fainter(place.magnitude, 1 - share),
            colour=colour - rng.uniform(0.02, 0.15),
            scale_length=length,
            inclination=min(tilt, EDGE_ON - 1),
            thickness=thickness,
        ),
        seed=seed_of(rng),
    )


def spiral_galaxy(
    rng: Random,
    place: Place,
    pitch: float,
    *,
    barred: bool,
    share: float,
    highest: float = 65.0,
    patchiness: float = 0.0,
) -> Galaxy:
    """Draw a disc with spiral arms of a given pitch angle, and optionally a bar and a ring.

    `share` is the bulge's fraction of the light, `highest` the maximum inclination. A
    `patchiness` of up to 1 adds young stars and breaks up the arms.
    """
    length = max(disc_length(rng, place), 1.8)
    tilt = inclination(rng, highest)
    late = between((pitch - 6) / 24, 0.0, 1.0)  # 0 early, 1 late type
    colour = old_colour(rng, place.redshift)
    bar = _bar(rng, length, colour) if barred else None
    arms = _arms(rng, pitch, bar, length)
    spheroid = None
    if share > 0.005:
        spheroid = bulge(rng, place, colour, share, length, q=max(cos(radians(tilt)), 0.65))
    broken = rng.uniform() < 0.5
    return Galaxy(
        position_angle=rng.uniform(0, 180),
        spheroid=spheroid,
        disc=Disc(
            magnitude=fainter(place.magnitude, 1 - share),
            colour=colour + 0.04 - 0.14 * late + 0.10 * rng.standard_normal(),
            scale_length=length,
            inclination=tilt,
            young=between(
                0.25 + 0.25 * late + 0.2 * patchiness + 0.12 * rng.standard_normal(), 0.06, 0.8
            ),
            flocculence=rng.uniform(0.15 + 0.2 * patchiness, 0.65 + 0.3 * patchiness),
            clumpiness=rng.uniform(0.0, 0.2 + 0.2 * patchiness),
            dust=rng.uniform(0.0, 0.8),
            break_radius=rng.uniform(1.8, 3.2) if broken else 9.0,
            outer=rng.uniform(0.5, 0.8) if broken else 1.0,
        ),
        arms=arms,
        bar=bar,
        ring=_ring(rng, bar, length),
        knots=Knots(
            number=int(rng.integers(25, 100)),
            share=0.06 * (0.25 + late) * rng.uniform(0.1, 1.3),
            colour=rng.uniform(-0.05, 0.25),
            size=between(0.22 * place.arcsec_per_kpc * rng.uniform(0.7, 1.5), 0.25, 0.9),
        ),
        seed=seed_of(rng),
    )


def _bar(rng: Random, length: float, colour: float) -> Bar:
    return Bar(
        strength=rng.uniform(0.12, 0.42),
        length=length * rng.uniform(0.9, 1.9),
        angle=rng.uniform(0, 180),
        q=rng.uniform(0.22, 0.42),
        colour=colour - 0.04,
        gap=rng.uniform(0.0, 0.8),
    )


def _arms(rng: Random, pitch: float, bar: Bar | None, length: float) -> Arms:
    """Draw arms; most barred galaxies have two that start at the ends of the bar."""
    winding = int(rng.choice([-1, 1]))
    number = int(rng.choice([2, 2, 2, 2, 3, 4] if pitch > 14 else [2, 2, 2, 3, 3, 4]))
    phase = rng.uniform(0, 360)
    start = rng.uniform(0.2, 0.7)
    if bar is not None:
        start = 0.85 * bar.length / length
        if rng.uniform() < 0.8:
            number = 2
            phase = bar.angle - winding * degrees(log(bar.length / length) / tan(radians(pitch)))
    return Arms(
        number=number,
        pitch=pitch,
        winding=winding,
        phase=phase,
        contrast=between(0.75 + 0.22 * rng.standard_normal(), 0.2, 1.0),
        start=start,
        end=start + rng.uniform(3.0, 4.5),
        width=rng.uniform(0.09, 0.16),
        imbalance=abs(0.3 * rng.standard_normal()),
        wobble=rng.uniform(0.08, 0.30),
    )


def _ring(rng: Random, bar: Bar | None, length: float) -> Ring | None:
    """Draw a ring, in many barred and a few unbarred discs."""
    if rng.uniform() > (0.45 if bar is not None else 0.08):
        return None
    radius = bar.length * rng.uniform(0.95, 1.15) if bar is not None else length
    return Ring(
        strength=rng.uniform(0.06, 0.25),
        radius=radius,
        width=radius * rng.uniform(0.10, 0.18),
    )


def edge_on_galaxy(rng: Random, place: Place, share: float) -> Galaxy:
    """Draw an edge-on disc with a bulge of the given fraction of the light."""
    length = disc_length(rng, place) * (1.35 - share)
    late = max(0.0, 1 - 4 * share)
    colour = old_colour(rng, place.redshift)
    spheroid = None
    if share > 0.01:
        boxy = rng.uniform() < 0.3
        spheroid = Spheroid(
            magnitude=fainter(place.magnitude, share),
            colour=colour,
            radius=max(length * (0.14 + 0.7 * share) * rng.uniform(0.75, 1.3), 0.5),
            index=rng.uniform(0.8, 2.4),
            q=rng.uniform(0.4, 0.75),
            boxiness=rng.uniform(2.4, 3.2) if boxy else 2.0,
        )
    return Galaxy(
        position_angle=rng.uniform(0, 180),
        spheroid=spheroid,
        disc=Disc(
            magnitude=fainter(place.magnitude, 1 - share),
            colour=colour + 0.08 - 0.16 * late + 0.14 * rng.standard_normal(),
            scale_length=length,
            inclination=degrees(asin(min(rng.uniform(0.980, 1.004), 1.0))),
            thickness=rng.uniform(0.12, 0.28 + 0.3 * share),
            young=between(0.10 + 0.35 * late * rng.uniform(0, 1), 0.0, 0.6),
            flocculence=rng.uniform(0.2, 0.9),
            dust=rng.uniform(1.0, 7.0) if rng.uniform() < 0.85 else 0.0,
            extent=rng.uniform(3.2, 6.0),
            warp=0.03 * rng.standard_normal(),
        ),
        knots=Knots(
            number=int(rng.integers(5, 30)),
            share=0.12 * late * rng.uniform(0, 1),
            colour=rng.uniform(-0.1, 0.3),
            size=between(0.25 * place.arcsec_per_kpc, 0.25, 0.9),
        ),
        seed=seed_of(rng),
    )
