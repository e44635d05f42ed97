"""Concepts that astronomers would name, each measured by several columns, and their wording."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import COLOUR_COLUMNS


@dataclass(frozen=True)
class Concept:
    """A property of a galaxy, measured by several columns.

    Attributes
    ----------
    name : str
    pattern : str
        Regular expression for the columns that measure it.
    leads : tuple of str
        Columns that quantify it; the first one with a value is used.
    missing : str
        Description of a galaxy without any value, by default ``NAME: not measured``.
    much, some, little : str
        Descriptions of a galaxy with a large, average or small value compared with the training
        galaxies. Without leads, `some` describes all galaxies.
    """

    name: str
    pattern: str
    much: str
    some: str
    little: str
    leads: tuple[str, ...] = ()
    missing: str = ""


_ANY = r"[a-z]+"
#: A column belongs to the first concept whose pattern matches.
CONCEPTS = (
    Concept(
        "bar", rf"fourier\.{_ANY}\.bar\.", "a strong bar", "a weak bar", "no bar",
        ("fourier.deprojected.bar.strength", "fourier.aligned.bar.strength"),
    ),
    Concept(
        "winding", r"fourier\.deprojected\.(arms\.pitch|spirality|w\d)", "loosely wound structure",
        "moderately wound structure", "tightly wound structure",
        ("fourier.deprojected.arms.pitch",),
    ),
    Concept(
        "spiral arms", rf"fourier\.{_ANY}\.arms\.", "prominent spiral arms", "faint spiral arms",
        "no clear spiral arms", ("fourier.deprojected.arms.strength",),
    ),
    Concept(
        "lopsidedness", rf"fourier\.{_ANY}\.(a[135]\.|w[135]\.|lopsidedness)", "a lopsided disc",
        "a slightly lopsided disc", "no lopsidedness",
        ("fourier.deprojected.lopsidedness", "fourier.aligned.lopsidedness"),
    ),
    Concept(
        "twofold symmetry", r"fourier\.deprojected\.a[246]\.", "strong twofold symmetry",
        "weak twofold symmetry", "no twofold symmetry", ("fourier.deprojected.a2.r3",),
    ),
    Concept(
        "outline",
        r"(shape|morphology)\.axis_ratio|morphology\.(ellipticity|petrosian_ratio|minor_axis)"
        # Without deprojection, even orders measure the ellipticity.
        r"|radial\.(major|minor|width|height)|fourier\.(aligned|context)\.(a[246]|w[246])",
        "a round outline", "an oval outline", "an elongated outline", ("shape.axis_ratio",),
    ),
    Concept(
        "bulge", r"morphology\.bulge_", "a prominent bulge", "a small bulge",
        "no prominent bulge", ("morphology.bulge_excess",),
    ),
    Concept(
        "companions", r"shape\.(companion|neighbours|bridge)", "a bright companion nearby",
        "a faint companion nearby", "no companion nearby", ("shape.companion.light",),
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
        "strongly concentrated light", "moderately concentrated light", "weakly concentrated light",
        ("morphology.concentration",),
    ),
    Concept(
        "patchiness", r"radial\.scatter|shape\.clumpiness|morphology\.smoothness|texture\.",
        "patchy light", "slightly patchy light", "smooth light",
        ("shape.clumpiness.coarse", "radial.scatter.r6"),
    ),
    Concept(
        "colour", COLOUR_COLUMNS, "a core redder than the disc",
        "a core slightly redder than the disc", "a uniform colour", ("colour.bulge_disc",),
        "colours are missing: the image has one band",
    ),
    Concept("edges", r"hog\.", "", "edge directions", ""),
    Concept("small network", r"embedding\.", "", "features of the small network", ""),
    Concept("other", r"", "", "other measurements", ""),
)  # fmt: skip


@cache
def concept_of(names: tuple[str, ...]) -> NDArray[np.intp]:
    """Return the index of each column's concept, shape (d,), as a read-only array."""
    patterns = [re.compile(concept.pattern) for concept in CONCEPTS]
    first_match = [
        next(index for index, pattern in enumerate(patterns) if pattern.match(name))
        for name in names
    ]
    indices = np.array(first_match, np.intp)
    indices.flags.writeable = False
    return indices
