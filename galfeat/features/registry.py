"""The registry of features: their names, units, meanings and references.

A family is a module of this package, or an object in one, with its `COLUMNS` and a function
`measure(frame)` that returns their values. To add one: write the module, add its name to
`FAMILIES`, test it, and run `benchmarks/renderings.py` to update the list of survey-bound columns.
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

#: Module, or ``module:object``, of each family by name, in the order of the columns.
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
#: Families measured in the canonical frame by galfeat's own kernels. Of the others, `embedding`
#: is learned and the rest are references.
OWN_FAMILIES = ("hog", "colour", "radial", "shape", "fourier", "morphology", "texture")
#: Default families of classifiers: without `texture`, which did not improve scores enough to
#: justify its cost (docs/background/feature_families.md).
DEFAULT_FAMILIES = ("hog", "colour", "radial", "shape", "fourier", "morphology")
#: Pattern of the columns that compare the channels; missing in images of one band.
COLOUR_COLUMNS = r"colour\.|radial\.(red_blue|colour_scatter)"
#: The column of flags that closes every table.
FLAGS = "flags"


@dataclass(frozen=True, slots=True)
class Column:
    """A feature.

    Attributes
    ----------
    name : str
        Dotted, from family to detail: ``shape.gini``.
    unit : str
        ``"1"`` for a pure number.
    meaning : str
        A description of one line.
    reference : str
        The paper that defines it, or ``"galfeat"``.
    invariant : bool
        Whether it is invariant when the image is rotated or mirrored. Covariant columns are
        not passed to classifiers.
    degenerate : str
        The value where the definition is undefined, for example ``"0 without light"``. If no
        galaxy is found, all columns but ``flags`` are NaN.

    Examples
    --------
    >>> from galfeat.features import Column
    >>> Column("shape.gini", "1", "Gini coefficient", "Lotz et al. 2004").family
    'shape'
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
        """Whether it changes too much between surveys' renderings of a galaxy.

        Such columns are extracted but not passed to classifiers.
        """
        return self.name in _survey_bound()


@cache
def _survey_bound() -> frozenset[str]:
    text = files("galfeat.features").joinpath("survey_bound.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def family_module(name: Any) -> Any:  # noqa: ANN401
    """Return the module or object that implements a family.

    Parameters
    ----------
    name : str, or an object with `COLUMNS` and `measure`
        An object is a family itself and is returned unchanged.

    Raises
    ------
    PipelineError
        If the family does not exist.

    Examples
    --------
    >>> from galfeat.features.registry import family_module
    >>> family_module("hog").__name__
    'galfeat.features.hog'
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
    """Raise an error unless the families can measure so many images with the installed packages.

    A family that needs an optional package or limits the number of images has a function
    ``require_dependencies(n_images)``.

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
    """Return a key of everything the values depend on except galfeat's source."""
    modules = [family_module(name) for name in families]
    return ",".join(module.cache_key() for module in modules if hasattr(module, "cache_key"))


def trained_on(families: Sequence[str], digests: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return whether a family was itself trained on each image, shape (n,).

    Models that use these families must not be fitted to such images or scored on them, because
    their features leak the labels.

    Parameters
    ----------
    families : sequence of str
    digests : ndarray of uint8, shape (n, 16)
        Pixel digests of the images.
    """
    result = np.zeros(len(digests), np.bool_)
    for module in map(family_module, families):
        if hasattr(module, "trained_on"):
            result |= module.trained_on(digests)
    return result


def columns(families: Sequence[str] = DEFAULT_FAMILIES) -> list[Column]:
    """Return the columns of the given families, in the order of the table, ``flags`` last.

    Examples
    --------
    >>> from galfeat.features import columns
    >>> columns(["hog"])[-1].name
    'flags'
    """
    listed = [column for name in families for column in family_module(name).COLUMNS]
    return [
        *listed,
        Column(FLAGS, "bits", "why a value is missing or unreliable", "galfeat", False),
    ]


@cache
def column_names(families: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the columns of the given families, in the order of the table."""
    return tuple(column.name for column in columns(families))


def classifier_columns(names: Sequence[str]) -> NDArray[np.intp]:
    """Return the positions of the columns that are passed to classifiers.

    They are invariant to rotation and mirroring and stable between surveys' renderings. The
    families of plain pipelines have no invariant columns; all their columns are passed.

    Parameters
    ----------
    names : sequence of str
        The names of a feature table, as an extractor returns them.

    Examples
    --------
    >>> from galfeat.features import classifier_columns
    >>> classifier_columns(["shape.axis_ratio", "shape.position_angle", "flags"]).tolist()
    [0]
    """
    chosen: set[str] = set()
    for family in dict.fromkeys(name.split(".", 1)[0] for name in names if name != FLAGS):
        own = family_module(family).COLUMNS
        kept = {c.name for c in own if c.invariant and not c.survey_bound}
        chosen |= kept or {c.name for c in own}
    chosen |= {name for name in names if name.startswith("embedding.b")}  # another network's
    return np.array([i for i, name in enumerate(names) if name in chosen], dtype=np.intp)
