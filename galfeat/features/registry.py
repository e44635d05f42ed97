"""Every feature galfeat knows: its name, unit, meaning and reference.

A family is one module of this package, or an object in one. It states its `COLUMNS` and measures
them all at once with `measure(frame)`. To add one: write the module, add its name to `FAMILIES`,
test it, and let `benchmarks/renderings.py` write anew which columns another survey changes too
much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import PipelineError

#: Family name to what measures it, a module or ``module:object``, in the order of the columns.
FAMILIES = {
    "hog": "galfeat.features.hog",
    "colour": "galfeat.features.colour",
    "radial": "galfeat.features.radial",
    "shape": "galfeat.features.shape.family",
    "fourier": "galfeat.features.fourier.family",
    "morphology": "galfeat.features.morphology.family",
    "texture": "galfeat.features.texture.family",
    "embedding": "galfeat.features.embedding",
    "planes": "galfeat.features.planes",
    "skimage-hog": "galfeat.features.reference.skimage_hog",
    "pixels": "galfeat.features.reference.pixels:PIXELS_32",
    "pixels-64": "galfeat.features.reference.pixels:PIXELS_64",
    "pixels-128": "galfeat.features.reference.pixels:PIXELS_128",
    "pixels-256": "galfeat.features.reference.pixels:PIXELS_256",
    "statmorph": "galfeat.features.reference.statmorph",
}
#: Those measured in the canonical frame by galfeat's own kernels. Of the others `embedding` is
#: learned, and the rest are references.
OWN_FAMILIES = ("hog", "colour", "radial", "shape", "fourier", "morphology", "texture")
#: What classifiers are given if nothing else is asked for: without `texture`, which costs more
#: than it brings where the others are there (docs/background/worth.md).
DEFAULT_FAMILIES = ("hog", "colour", "radial", "shape", "fourier", "morphology")
#: The column of flags that closes every table.
FLAGS = "flags"


@dataclass(frozen=True, slots=True)
class Column:
    """One feature.

    Attributes
    ----------
    name : str
        Dotted, from the family to the detail: ``shape.gini``.
    unit : str
        ``"1"`` for a pure number.
    meaning : str
        One line.
    reference : str
        The paper that defines it, or ``"galfeat"``.
    invariant : bool
        Whether it stays the same when the image is turned or mirrored. The others change
        as they must and are not given to classifiers.
    degenerate : str
        The value where the definition gives none, for example ``"0 without light"``. Every
        column but ``flags`` is NaN where no galaxy is found.
    """

    name: str
    unit: str
    meaning: str
    reference: str
    invariant: bool = True
    degenerate: str = ""

    @property
    def family(self) -> str:
        """The part of the name before the first dot."""
        return self.name.split(".", 1)[0]

    @property
    def survey_bound(self) -> bool:
        """Whether another survey's rendering of the galaxy changes it too much.

        Such columns are extracted but not given to classifiers.
        """
        return self.name in _survey_bound()


@cache
def _survey_bound() -> frozenset[str]:
    text = files("galfeat.features").joinpath("survey_bound.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def family_module(name: Any) -> Any:  # noqa: ANN401
    """Return the module of a family, or the object that stands for one.

    Parameters
    ----------
    name : str, or an object with `COLUMNS` and `measure`
        Such an object is a family of its own, and is returned as it is.

    Raises
    ------
    PipelineError
        If there is no such family.
    """
    if not isinstance(name, str):
        return name
    if name not in FAMILIES:
        raise PipelineError(
            f"there is no feature family {name!r}; choose from {', '.join(FAMILIES)}"
        )
    module, _, member = FAMILIES[name].partition(":")
    return getattr(import_module(module), member) if member else import_module(module)


def require_dependencies(families: Sequence[str], n_images: int) -> None:
    """Raise unless so many images can be measured with the packages there are.

    A family that needs a package of its own, or can only measure a few images, says so in a
    function ``require_dependencies(n_images)``.

    Raises
    ------
    MissingDependencyError
        If a package is not installed.
    DataError
        If there are too many images.
    """
    for name in families:
        module = family_module(name)
        if hasattr(module, "require_dependencies"):
            module.require_dependencies(n_images)


def cache_key(families: Sequence[str]) -> str:
    """Return what the values of families depend on beside galfeat's own source."""
    modules = [family_module(name) for name in families]
    return ",".join(module.cache_key() for module in modules if hasattr(module, "cache_key"))


def trained_on(families: Sequence[str], digests: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which images a family was itself trained on, shape (n,).

    Nothing that is learned from these families may be fitted to such images, or scored on
    them: their features know the answer.

    Parameters
    ----------
    families : sequence of str
    digests : ndarray of uint8, shape (n, 16)
        Of the pixels of each image.
    """
    known = np.zeros(len(digests), np.bool_)
    for module in map(family_module, families):
        if hasattr(module, "trained_on"):
            known |= module.trained_on(digests)
    return known


def columns(families: Sequence[str] = DEFAULT_FAMILIES) -> list[Column]:
    """Return the columns of some families, in the order of the table, ``flags`` last."""
    listed = [column for name in families for column in family_module(name).COLUMNS]
    return [*listed, Column(FLAGS, "bits", "why a value is missing or doubtful", "galfeat", False)]


@cache
def column_names(families: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the columns of some families, in the order of the table."""
    return tuple(column.name for column in columns(families))


def classifier_columns(names: Sequence[str]) -> NDArray[np.intp]:
    """Return the positions of the columns a classifier is given.

    They are invariant to turns and mirrors and keep their value in another survey's
    rendering. The plain pipelines' families have no invariant column, and are given whole.

    Parameters
    ----------
    names : sequence of str
        The names of a feature table, as an extractor gives them.
    """
    chosen: set[str] = set()
    for family in dict.fromkeys(name.split(".", 1)[0] for name in names if name != FLAGS):
        own = family_module(family).COLUMNS
        kept = {c.name for c in own if c.invariant and not c.survey_bound}
        chosen |= kept or {c.name for c in own}
    chosen |= {name for name in names if name.startswith("embedding.b")}  # another network's
    return np.array([i for i, name in enumerate(names) if name in chosen], dtype=np.intp)
