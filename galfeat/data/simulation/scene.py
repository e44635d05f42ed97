"""The components of a simulated scene: galaxies, stars and observing conditions.

Lengths are in arcseconds, angles in degrees. On the sky, x is along an image's columns (to the
right) and y along its rows (downwards), both from the centre of the image; angles are from +x
towards +y. Magnitudes are AB in the r band, colours are observed g - r.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sqrt


@dataclass(frozen=True, slots=True, kw_only=True)
class Spheroid:
    """A Sérsic profile: a bulge, an elliptical galaxy, a halo (Sérsic 1963)."""

    magnitude: float
    colour: float
    radius: float  # half-light radius along the major axis
    index: float  # Sérsic n, 0.5 to 8
    q: float = 1.0
    boxiness: float = 2.0  # exponent of the generalised ellipse: 2 is an ellipse, more is boxy


@dataclass(frozen=True, slots=True, kw_only=True)
class Disc:
    """An inclined exponential disc of old stars, young stars and dust.

    At inclinations of at least `EDGE_ON` degrees it is drawn as the sech² disc of van der Kruit
    and Searle (1981), otherwise as a thin disc.
    """

    magnitude: float
    colour: float
    scale_length: float
    inclination: float  # 0 is face-on
    thickness: float = 0.1  # scale height of sech² over scale length
    young: float = 0.0  # fraction of the light in young stars, which follow arms and clumps
    flocculence: float = 0.0  # scatter of the patchiness, in ln(light)
    clumpiness: float = 0.0  # the same for large irregular clumps
    dust: float = 0.0  # optical depth in r of the dust lanes
    break_radius: float = 9.0  # where the scale length changes, in scale lengths
    outer: float = 1.0  # scale length beyond the break over that inside
    extent: float = 7.0  # outer radius of the disc, in scale lengths
    warp: float = 0.0  # of an edge-on disc: height at the outer radius over that radius

    @property
    def q(self) -> float:
        """Axis ratio on the sky."""
        cosine = cos(radians(self.inclination))
        return sqrt(cosine**2 * (1 - self.thickness**2) + self.thickness**2)


EDGE_ON = 78.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """Logarithmic spiral arms, in the plane of the disc."""

    number: int
    pitch: float  # 0 is a circle
    winding: int  # +1: the angle increases outwards along an arm, -1: it decreases
    phase: float  # angle of the first arm where R is one scale length
    contrast: float  # 0: no arms, 1: no light between the arms
    start: float  # in scale lengths
    end: float
    width: float = 0.25  # of an arm over the distance between arms
    imbalance: float = 0.0  # scatter of strength from arm to arm
    wobble: float = 0.0  # deviation from the logarithmic spiral, radians


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A Ferrers bar with a generalised ellipse as its outline (Athanassoula et al. 1990)."""

    strength: float  # its light over that of the disc
    length: float  # half-length
    angle: float  # from the line of nodes, in the plane of the disc
    q: float = 0.3
    colour: float = 0.75
    gap: float = 0.0  # fraction of the disc's light missing around the bar, 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """A ring in the plane of the disc."""

    strength: float  # height over the disc's central surface brightness
    radius: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Distortion:
    """Tidal distortions of the shape; all increase outwards from zero at the centre."""

    lopsidedness: float = 0.0  # m = 1: shift of the outer isophotes over their radius
    lopsided_angle: float = 0.0
    stretch: float = 0.0  # m = 2: lengthening along stretch_angle
    stretch_angle: float = 0.0
    twist: float = 0.0  # rotation of the outer isophotes, degrees
    bend: float = 0.0  # curvature of the major axis: height over length

    @property
    def strength(self) -> float:
        """Total strength: 0 undisturbed, about 1 strongly disturbed."""
        return sqrt(
            self.lopsidedness**2 + self.stretch**2 + self.bend**2 + radians(self.twist) ** 2 / 4
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A tidal tail: a curve that starts in the galaxy, and widens and fades outwards."""

    magnitude: float
    colour: float
    angle: float  # of its start, on the sky
    start: float  # distance of its start from the centre
    length: float
    curvature: float  # total change of direction along the tail, degrees
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A sharp-edged arc of stars, the remnant of a satellite accreted on a radial orbit."""

    magnitude: float
    colour: float
    radius: float
    angle: float
    opening: float  # full angle of the arc


@dataclass(frozen=True, slots=True, kw_only=True)
class Knots:
    """Star-forming regions, along the arms if the galaxy has any."""

    number: int
    share: float  # fraction of the disc's light, in r
    colour: float = 0.0
    size: float = 0.4  # Gaussian sigma


@dataclass(frozen=True, slots=True, kw_only=True)
class Galaxy:
    """A galaxy. Components that are None do not exist.

    Examples
    --------
    >>> from galfeat.data.simulation import Galaxy
    >>> from galfeat.data.simulation.scene import Spheroid
    >>> elliptical = Galaxy(spheroid=Spheroid(magnitude=16.0, colour=0.8, radius=4.0, index=4.0))
    >>> elliptical.disc is None
    True
    """

    x: float = 0.0
    y: float = 0.0
    position_angle: float = 0.0
    spheroid: Spheroid | None = None
    disc: Disc | None = None
    arms: Arms | None = None
    bar: Bar | None = None
    ring: Ring | None = None
    knots: Knots | None = None
    distortion: Distortion | None = None
    streams: tuple[Stream, ...] = ()
    shells: tuple[Shell, ...] = ()
    seed: int = 0  # of its fine structure: clumps, knots, imbalance of arms


@dataclass(frozen=True, slots=True, kw_only=True)
class Speck:
    """A distant galaxy, drawn as an elliptical Moffat profile, hardly resolved by the seeing."""

    x: float
    y: float
    magnitude: float
    colour: float
    size: float  # FWHM before the seeing
    q: float
    position_angle: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Star:
    """A star of our own Galaxy."""

    x: float
    y: float
    magnitude: float
    colour: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Observing conditions relative to the rendering: factors of seeing and noise, sky residual."""

    seeing: float = 1.0
    noise: float = 1.0
    sky: tuple[float, float, float] = (0.0, 0.0, 0.0)  # residual in red, green, blue; sky sigmas


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All objects in a cut-out.

    The first of `galaxies` is the target; a second one is merging with it, a third is the
    debris around both.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.simulation import Scene
    >>> from galfeat.data.simulation.sampling import sample_scene
    >>> scene = sample_scene(5, np.random.default_rng(0))
    >>> isinstance(scene, Scene), scene.galaxies[0].bar is not None
    (True, True)
    """

    galaxies: tuple[Galaxy, ...]
    neighbours: tuple[Galaxy, ...] = ()
    specks: tuple[Speck, ...] = ()
    stars: tuple[Star, ...] = ()
    class_id: int = -1
    redshift: float = 0.0
    radius90: float = 8.0  # contains about 90 % of the target's light; scales SDSS cut-outs
    conditions: Conditions = Conditions()
