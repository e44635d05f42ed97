"""Which rows of a table a classifier can use, and what is said of the others."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import DataError, GalfeatWarning, ImageError

if TYPE_CHECKING:
    from galfeat.features import FeatureTable


def rows_to_fit(table: FeatureTable, families: Sequence[str]) -> NDArray[np.intp]:
    """Row numbers of the images that did not fail and that no family was trained on."""
    from galfeat.features.registry import trained_on

    usable = usable_rows(table)
    if not len(usable):
        raise DataError(f"{failures(table.errors)}; none is left to fit")
    learned = trained_on(families, table.digests[usable])
    problems = [failures(table.errors)] if table.errors else []
    if learned.any():
        problems.append(
            f"{learned.sum()} of {len(learned)} images are ones some of the features were "
            "themselves learned from"
        )
    if learned.all():
        raise DataError(f"{problems[-1]}; none is left to fit")
    for problem in problems:
        warnings.warn(f"{problem}; they are left out of the fit", GalfeatWarning, stacklevel=3)
    return usable[~learned]


def usable_rows(table: FeatureTable) -> NDArray[np.intp]:
    """Row numbers of the images that did not fail."""
    usable = np.ones(len(table.values), dtype=bool)
    usable[list(table.errors)] = False
    return np.flatnonzero(usable)


def failures(errors: dict[int, ImageError]) -> str:
    """Say how many images failed, and how the first did."""
    first = min(errors)
    return (
        f"{len(errors)} of the images cannot be measured, the first in row {first}: {errors[first]}"
    )


def warn_of_absent(class_names: Sequence[str], present: NDArray[Any]) -> None:
    """Warn of the classes that no training row has."""
    absent = [name for name in class_names if name not in present]
    if absent:
        warnings.warn(
            f"no training row has the class {', '.join(absent)}; the model cannot name it",
            GalfeatWarning,
            stacklevel=3,
        )
