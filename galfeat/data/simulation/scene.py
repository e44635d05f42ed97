"""What the simulator draws: galaxies, stars and how they lie together on the sky.

Lengths are arcseconds and angles degrees. On the sky, x runs along an image's columns and
y along its rows (to the right and downwards), both from the centre of the image; angles
run from +x towards +y. Magnitudes are AB in the r band, colours are g - r as observed.
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
    """An exponential disc of old and young stars and dust, seen at an inclination.

    From `EDGE_ON` degrees on it is drawn as van der Kruit and Searle's (1981) sech² disc,
    before that as a thin one.
    """

    magnitude: float
    colour: float
    scale_length: float
    inclination: float  # 0 is face-on
    thickness: float = 0.1  # scale height of sech² over scale length
    young: float = 0.0  # share of the light that is young and follows arms and clumps
    flocculence: float = 0.0  # scatter of the patchiness, in ln(light)
    clumpiness: float = 0.0  # the same for large irregular clumps
    dust: float = 0.0  # optical depth in r of the dust lanes
    break_radius: float = 9.0  # where the scale length changes, in scale lengths
    outer: float = 1.0  # scale length beyond the break over that within
    extent: float = 7.0  # where the disc ends, in scale lengths
    warp: float = 0.0  # of an edge-on disc: height at the edge over the edge's radius

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
    winding: int  # +1: outwards along an arm the angle grows, -1: it falls
    phase: float  # angle of the first arm where R is one scale length
    contrast: float  # 0 none, 1 no light between the arms
    start: float  # in scale lengths
    end: float
    width: float = 0.25  # of an arm over the distance between arms
    imbalance: float = 0.0  # scatter of strength from arm to arm
    wobble: float = 0.0  # wandering off the logarithmic spiral, radians


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A Ferrers bar with a generalised ellipse as its outline (Athanassoula et al. 1990)."""

    strength: float  # its light over that of the disc
    length: float  # half-length
    angle: float  # from the line of nodes, in the plane of the disc
    q: float = 0.3
    colour: float = 0.75
    gap: float = 0.0  # how empty the disc is beside the bar, 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """A ring in the plane of the disc."""

    strength: float  # height over the disc's central surface brightness
    radius: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Distortion:
    """What tides do to the shape; all grow outwards from nothing at the centre."""

    lopsidedness: float = 0.0  # m = 1: shift of the outer isophotes over their radius
    lopsided_angle: float = 0.0
    stretch: float = 0.0  # m = 2: lengthening along stretch_angle
    stretch_angle: float = 0.0
    twist: float = 0.0  # turn of the outer isophotes, degrees
    bend: float = 0.0  # bow of the major axis: height over length

    @property
    def strength(self) -> float:
        """One number for all: 0 undisturbed, near 1 torn."""
        return sqrt(
            self.lopsidedness**2 + self.stretch**2 + self.bend**2 + radians(self.twist) ** 2 / 4
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A tidal tail: a curve that leaves the galaxy and widens and fades outwards."""

    magnitude: float
    colour: float
    angle: float  # where it leaves, on the sky
    start: float  # distance from the centre there
    length: float
    curvature: float  # total turn along the tail, degrees
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A sharp-edged arc of stars, the mark of a small galaxy swallowed on a radial orbit."""

    magnitude: float
    colour: float
    radius: float
    angle: float
    opening: float  # full angle of the arc


@dataclass(frozen=True, slots=True, kw_only=True)
class Knots:
    """Star-forming regions, along the arms where there are any."""

    number: int
    share: float  # of the disc's light, in r
    colour: float = 0.0
    size: float = 0.4  # Gaussian sigma


@dataclass(frozen=True, slots=True, kw_only=True)
class Galaxy:
    """One galaxy. What is None is not there."""

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
    seed: int = 0  # of its fine structure: clumps, knots, unevenness of arms


@dataclass(frozen=True, slots=True, kw_only=True)
class Speck:
    """A distant galaxy, drawn as an elliptical Moffat profile: the seeing hides the rest."""

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
    """How good the night was, as factors to the rendering's own seeing, noise and sky."""

    seeing: float = 1.0
    noise: float = 1.0
    sky: tuple[float, float, float] = (0.0, 0.0, 0.0)  # left in red, green, blue, in sky sigmas


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything in one cut-out.

    The first of `galaxies` is the target; a second one is merging with it, a third is the
    debris around both.
    """

    galaxies: tuple[Galaxy, ...]
    neighbours: tuple[Galaxy, ...] = ()
    specks: tuple[Speck, ...] = ()
    stars: tuple[Star, ...] = ()
    class_id: int = -1
    redshift: float = 0.0
    radius90: float = 8.0  # about 90 % of the target's light; scales SDSS cut-outs
    conditions: Conditions = Conditions()
