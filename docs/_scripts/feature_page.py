"""Write docs/reference/features.md from the registry of columns.

    python docs/_scripts/feature_page.py

The pictures are made by `feature_pictures.py`.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from galfeat.features import DEFAULT_FAMILIES, FAMILIES, classifier_columns
from galfeat.features.doubt import OTHER_SURVEY, POINT_LIKE, THRESHOLDS, UNLIKE
from galfeat.features.registry import OWN_FAMILIES, Column, columns, family_module
from galfeat.frame import flags
from galfeat.frame.locate import RADIUS_IN_R90

PAGE = Path(__file__).parents[1] / "reference" / "features.md"

#: What the picture of a family shows.
CAPTIONS = {
    "hog": "The equalised aligned view with the rings; its gradients in 4×4 cells, each bar along "
    "a gradient and as long as it is strong; the quadrant that remains when half-turn and mirrors "
    "are averaged; and the gradients of the deprojected view by ring and angle to the radius: "
    "away from 0° where there are arms.",
    "colour": "The aligned view with the ends of core, disc and outskirts; red minus blue "
    "relative to the galaxy's mean colour; its histogram, weighted by light; and the colours of "
    "the three zones.",
    "radial": "The equalised aligned view with every second elliptical ring; brightness and "
    "scatter by ring; colour minus that of the core, and its scatter; cuts along the axes.",
    "shape": "Above an undisturbed galaxy, below a merging one: the image with the ellipse of "
    "nine tenths of the light and, dashed, of half of it; the equalised aligned view with its "
    "peaks, faint ones being noise; its difference from the view rotated by 180°, and from the "
    "view mirrored along the major axis.",
    "fourier": "A barred spiral, deprojected, with its bar as long as measured and the strongest "
    "logarithmic spiral; the contrast on circles and the phase of m = 2; amplitudes by ring; and "
    "that phase against the radius, level within the bar and rising along the spiral (line).",
    "morphology": "A merging galaxy: the image with the galaxy's segment; the Petrosian ellipse "
    "and, dashed, that of the Sérsic fit's half of the light; the difference from the image "
    "rotated by 180° about the centre of minimum asymmetry; the mean profile and the Sérsic fit.",
    "texture": "Above: the aligned view minus its ellipses; the binary pattern of each pixel and "
    "eight neighbours 1 and 3 px away, from dark (none as bright) to green (all), and yellow for "
    "several arcs; the Gabor energy by direction and wavelength. Below: four scales of the "
    "starlet.",
}

HEAD = """\
Every feature and its meaning: {n_own:,} columns in {n_families} families, plus `flags`. `galfeat \
features` lists them one by one, `galfeat extract` measures all of them. The pipelines use the \
{n_default:,} of {default} ([why](../background/feature_families.md)), of which {n_given:,} are \
given to classifiers.

- **Invariant** columns do not change when the image is rotated or mirrored, up to pixelisation. \
**Covariant** ones change accordingly (a position angle rotates with the image) or are in pixels \
of the image; they are extracted but not given to classifiers.
- **Survey-bound** are {bound}. They are extracted but not given to classifiers: {n_bound} of the \
{n_invariant} invariant columns (`benchmarks/renderings.py`).
- **Views** have 64×64 pixels and the major axis along x; see [the canonical \
frame](../background/frame.md). *Aligned*: out to the frame radius, {radius} times r90 (the radius \
of nine tenths of the light), other objects removed. *Deprojected*: stretched to face-on. \
*Context*: three times as wide, nothing removed. *Equalised*: each level of brightness replaced by \
that of an exponential disc where it covers the same area, which removes the display stretch and \
keeps departures from ellipses.
- **Undefined.** All columns except `flags` are NaN where no galaxy is found; those of the \
deprojected view also for edge-on and blended galaxies. The tables list other cases.

Columns that differ only in indices share a row, with their number: `{{0-3}}` is any number from 0 \
to 3, `{{0, 20 … 160}}` continues in equal steps, and numbers and places in the meaning correspond \
to those in the name. A unit of 1 is a pure number; "galfeat" as the reference means defined here. \
*Kept back* are columns not given to classifiers; a number counts those of the row.
"""

LEARNED_HEAD = """## Learned families

Activations of a network trained on other galaxies, and the planes it is given, for pipelines that
name them. They have no individual names: they classify but do not explain. See
[the small network](../background/network.md) for its training, and
[how to use another](../guides/networks.md).
"""

REFERENCES_HEAD = """## Families for comparison

Measured by other packages, for the pipelines `hog-svm`, `pixels-forest`, `cnn-baseline` and
`statmorph-forest`. Of a family without invariant columns, classifiers are given all.
"""

#: Families of the small network.
LEARNED = ("embedding", "planes")
#: Families without a section: that of `pixels` speaks of them.
LARGER = ("pixels-64", "pixels-128", "pixels-256")

#: Words in names that are places like numbers are: columns that differ in them share a row.
PLACES = (
    ("aligned", "deprojected", "context"),
    ("core", "disc", "outskirts"),
    ("strong", "weak"),
    ("red", "green", "blue"),
)
_NUMBER = re.compile(r"\d+(?:[./]\d+)?")
_MARK = "\0"


def page() -> str:
    """Return the page as Markdown."""
    sections = [_head(), *(_family(name) for name in OWN_FAMILIES), LEARNED_HEAD]
    sections += [*(_family(name, 3) for name in LEARNED), REFERENCES_HEAD]
    others = [name for name in FAMILIES if name not in (*OWN_FAMILIES, *LEARNED, *LARGER)]
    sections += [_family(name, 3) for name in others]
    return "\n".join([*sections, _flags()])


def _head() -> str:
    own, default = columns(OWN_FAMILIES)[:-1], columns(DEFAULT_FAMILIES)[:-1]
    listed = files("galfeat.features").joinpath("survey_bound.txt").read_text("utf-8")
    comment = " ".join(line[2:] for line in listed.splitlines() if line.startswith("# "))
    text = HEAD.format(
        n_own=len(own),
        n_families=len(OWN_FAMILIES),
        n_default=len(default),
        default=", ".join(DEFAULT_FAMILIES),
        n_given=len(classifier_columns([c.name for c in default])),
        bound=comment.split(". ")[0].replace("Columns", "columns"),
        radius=RADIUS_IN_R90,
        n_bound=sum(c.survey_bound for c in own),
        n_invariant=sum(c.invariant for c in own),
    )
    return "\n".join(["# Features", "", *map(_wrapped, text.splitlines()), ""])


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, 100, subsequent_indent="  " * paragraph.startswith("-"))


def _family(name: str, level: int = 2) -> str:
    """Return what a family measures, its picture and the table of its columns."""
    module = family_module(name)
    listed: Sequence[Column] = module.COLUMNS
    count = f"{len(listed):,} columns" + (
        ", in the pipelines." if name in DEFAULT_FAMILIES else "."
    )
    lines = [f"{'#' * level} {name}", "", count, "", _words(module.__doc__ or ""), ""]
    if name in CAPTIONS:
        lines += [f"![{name}](features/{name}.jpg)", "", _wrapped(CAPTIONS[name]), ""]
    common = set.intersection(*(_undefined(column) for column in listed))
    if common:
        lines += [f"Where undefined, for every column: {'; '.join(sorted(common))}.", ""]
    lines += ["| columns | | unit | meaning | reference | where undefined | kept back |"]
    lines += ["|---|---:|---|---|---|---|---|"]
    lines += [*(_row(group, common) for group in grouped(listed)), ""]
    return "\n".join(lines)


def _undefined(column: Column) -> set[str]:
    return set(filter(None, column.degenerate.split("; ")))


def _words(text: str) -> str:
    """Return a docstring up to its first section."""
    prose = inspect.cleandoc(text).split("\n\nParameters\n---")[0]
    return prose.replace("``", "`")


def grouped(listed: Iterable[Column]) -> list[list[Column]]:
    """Return the columns in groups that differ in nothing but numbers and places."""
    groups: dict[tuple[object, ...], list[Column]] = {}
    for column in listed:
        name, meaning, _ = _pattern(column)
        key = (name, meaning, column.unit, column.reference, column.invariant)
        groups.setdefault(key, []).append(column)
    return list(groups.values())


def _pattern(column: Column) -> tuple[str, str, list[str]]:
    """Return name and meaning with marks for numbers and places, and what was there, in order."""
    words = [w for w in column.name.split(".")[1:] for places in PLACES if w in places]
    place = "|".join([_NUMBER.pattern, *(rf"\b{word}(?![a-z]*_)" for word in words)])
    family, detail = column.name.split(".", 1)
    found = re.findall(place, detail) + re.findall(place, column.meaning)
    name = f"{family}.{re.sub(place, _MARK, detail)}"
    return name, re.sub(place, _MARK, column.meaning), found


def _row(group: Sequence[Column], common: set[str]) -> str:
    first = group[0]
    name, meaning, _ = _pattern(first)
    found = zip(*(_pattern(column)[2] for column in group), strict=True)
    ranges = [_range(list(dict.fromkeys(values))) for values in found]
    for text in ranges[: name.count(_MARK)]:
        name = name.replace(_MARK, text, 1)
    for text in ranges[-meaning.count(_MARK) :]:
        meaning = meaning.replace(_MARK, text, 1)
    undefined = sorted(set().union(*map(_undefined, group)) - common)
    cells = [f"`{name}`", str(len(group)), first.unit, meaning, first.reference]
    cells += ["; ".join(undefined), _kept_back(group)]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _range(values: list[str]) -> str:
    """Return numbers or words in braces, shorter if they are evenly spaced; one as it is."""
    if len(values) == 1:
        return values[0]
    if all(value.isdigit() for value in values):
        numbers = sorted(map(int, values))
        steps = {b - a for a, b in pairwise(numbers)}
        if steps == {1}:
            return f"{{{numbers[0]}-{numbers[-1]}}}"
        if len(steps) == 1 and len(numbers) > 5:
            return f"{{{numbers[0]}, {numbers[1]} … {numbers[-1]}}}"
    return f"{{{', '.join(values)}}}"


def _kept_back(group: Sequence[Column]) -> str:
    if not group[0].invariant:
        return "covariant"
    bound = sum(column.survey_bound for column in group)
    if bound == 0:
        return ""
    return "survey-bound" if bound == len(group) else f"survey-bound: {bound}"


def _flags() -> str:
    """Return the table of flags; what each means is the comment above it."""
    lines = ["## Flags", "", str(flags.__doc__)]
    lines += ["`flags`, the last column of every table, is the sum of the flags that are set.", ""]
    lines += ["| flag | value | meaning |", "|---|---:|---|"]
    source = inspect.getsource(flags.Flag)
    for comment, name in re.findall(r"((?:    #: .*\n)+)    (\w+) = ", source):
        meaning = " ".join(line.strip()[3:] for line in comment.splitlines())
        lines.append(f"| `{name.lower()}` | {flags.Flag[name].value} | {meaning} |")
    lines += [
        "",
        "`galfeat classify` adds three flags for scores that it writes as columns of the same "
        f"name: `{UNLIKE}` above {THRESHOLDS[UNLIKE]}, the share of features below or above "
        "those of 98 in 100 training galaxies, averaged over families: noise, an artefact or an "
        f"image of something else; `{POINT_LIKE}` above {THRESHOLDS[POINT_LIKE]}, the probability "
        f"of a star; `{OTHER_SURVEY}` above {THRESHOLDS[OTHER_SURVEY]}, the same share of level, "
        "noise and smoothness of the sky and of the balance of the bands: another survey. Such "
        "images keep their class; one with `no_source` has none. See "
        "[](models.md#images-that-are-not-galaxies) for how often they are raised.",
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
