"""Hundreds of columns in the few things an astronomer would name, and how to say them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Concept:
    """One thing that can be said of a galaxy, measured by several columns.

    Attributes
    ----------
    name : str
    pattern : str
        Regular expression of the columns that measure it.
    leads : tuple of str
        Columns that say whether there is much or little of it; the first that has a value.
    much, some, little : str
        Words for a galaxy where that is large, ordinary or small among the training galaxies.
        Without leads `some` is said of any galaxy.
    """

    name: str
    pattern: str
    much: str
    some: str
    little: str
    leads: tuple[str, ...] = ()


_ANY = r"[a-z]+"
#: The first whose pattern fits a column has it.
CONCEPTS = (
    Concept(
        "bar", rf"fourier\.{_ANY}\.bar\.", "a strong bar", "a weak bar", "no bar",
        ("fourier.deprojected.bar.strength", "fourier.aligned.bar.strength"),
    ),
    Concept(
        "winding", r"fourier\.deprojected\.(arms\.pitch|spirality|w\d)", "light that winds loosely",
        "light that winds a little", "light that winds tightly",
        ("fourier.deprojected.arms.pitch",),
    ),
    Concept(
        "spiral arms", rf"fourier\.{_ANY}\.arms\.", "clear spiral arms", "faint spiral arms",
        "no clear spiral arms", ("fourier.deprojected.arms.strength",),
    ),
    Concept(
        "lopsidedness", rf"fourier\.{_ANY}\.(a[135]\.|w[135]\.|lopsidedness)", "a lopsided disc",
        "a slightly lopsided disc", "an even disc",
        ("fourier.deprojected.lopsidedness", "fourier.aligned.lopsidedness"),
    ),
    Concept(
        "twofold pattern", r"fourier\.deprojected\.a[246]\.", "a strong twofold pattern",
        "a weak twofold pattern", "no twofold pattern", ("fourier.deprojected.a2.r3",),
    ),
    Concept(
        "outline",
        r"(shape|morphology)\.axis_ratio|morphology\.(ellipticity|petrosian_ratio|minor_axis)"
        # Not deprojected, the even orders are those of the ellipse.
        r"|radial\.(major|minor|width|height)|fourier\.(aligned|context)\.(a[246]|w[246])",
        "a round outline", "an oval outline", "a flat outline", ("shape.axis_ratio",),
    ),
    Concept(
        "bulge", r"morphology\.bulge_", "a bulge that stands out of the disc", "a small bulge",
        "no bulge out of the disc", ("morphology.bulge_excess",),
    ),
    Concept(
        "companions", r"shape\.(companion|neighbours|bridge)", "a companion close by",
        "a faint companion", "no companion close by", ("shape.companion.light",),
    ),
    Concept(
        "second nucleus",
        r"shape\.summits|morphology\.(nuclei|multimode|intensity|deviation|merger_statistic)",
        "a second bright peak", "a faint second peak", "a single bright peak",
        ("morphology.intensity",),
    ),
    Concept(
        "asymmetry",
        r"shape\..*(asymmetry|mirror)|morphology\.(asymmetry|outer_asymmetry|shape_asymmetry"
        r"|residual|isophotes)",
        "an asymmetric shape", "a slightly asymmetric shape", "a symmetric shape",
        ("shape.aligned.asymmetry",),
    ),
    Concept(
        "concentration",
        r"radial\.brightness|morphology\.(concentration|r\d|sersic|m20|gini)|shape\..*m20",
        "light concentrated in the middle", "an ordinary light profile", "light spread out",
        ("morphology.concentration",),
    ),
    Concept(
        "patchiness", r"radial\.scatter|shape\.clumpiness|morphology\.smoothness|texture\.",
        "patchy light", "slightly patchy light", "smooth light",
        ("shape.clumpiness.coarse", "radial.scatter.r6"),
    ),
    Concept(
        "colour", r"colour\.|radial\.(red_blue|colour_scatter)", "a core redder than the disc",
        "a core slightly redder than the disc", "one colour throughout", ("colour.bulge_disc",),
    ),
    Concept("edges", r"hog\.", "", "the directions of its edges", ""),
    Concept("small network", r"embedding\.", "", "what the small network sees", ""),
    Concept("other", r"", "", "other measurements", ""),
)  # fmt: skip


@cache
def concept_of(names: tuple[str, ...]) -> NDArray[np.intp]:
    """Return for each column the index of its concept, shape (d,), not to be written to."""
    patterns = [re.compile(concept.pattern) for concept in CONCEPTS]
    of = [next(i for i, one in enumerate(patterns) if one.match(name)) for name in names]
    found = np.array(of, np.intp)
    found.flags.writeable = False
    return found
