"""What a classifier says of galaxies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import ImageError
from galfeat.features.quantiles import UNLIKE
from galfeat.frame import Flag, describe_flags

Cell: TypeAlias = str | float | None

_NO_GALAXY = {
    describe_flags(Flag.NO_SOURCE): "No galaxy stands out near the middle of this image.",
    UNLIKE: "What was measured is unlike any galaxy the model has learned from: a star, noise, or "
    "a picture of something else.",
}


def no_galaxy(flags: str) -> str | None:
    """Return why an image seems to show no galaxy, from its flags; None if it seems to show one."""
    raised = flags.split(";")
    return next((words for flag, words in _NO_GALAXY.items() if flag in raised), None)


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a classifier says of n galaxies.

    Attributes
    ----------
    classes : ndarray, shape (k,)
        Class labels, in the order of the columns of `probabilities`.
    probabilities : ndarray of float, shape (n, k)
        Calibrated to natural priors; NaN for an image that could not be measured.
    member_log_probabilities : ndarray of float, shape (n, members, k)
        Logarithms of what each member of the ensemble says, before they are combined; NaN for an
        image that could not be measured.
    predicted : ndarray of int, shape (n,)
        The class the decision rule names, as an index into `classes`; -1 for a failed image.
    most_probable : ndarray of int, shape (n,)
        The class with the largest probability; -1 for a failed image.
    flags : list of str
        What stood in the way of a measurement, as text; see `galfeat.features.describe_flags`.
        With ``unlike_training`` more than a fifth of the features lie where hardly any training
        galaxy's do: it is a star, noise, or a picture of something else.
    errors : dict of int to ImageError
        Rows of the images that failed, and why.
    digests : ndarray of uint8, shape (n, 16)
        Digest of each image's decoded pixels.
    """

    classes: NDArray[Any]
    probabilities: NDArray[np.float64]
    member_log_probabilities: NDArray[np.float64]
    predicted: NDArray[np.intp]
    most_probable: NDArray[np.intp]
    flags: list[str]
    errors: dict[int, ImageError]
    digests: NDArray[np.uint8]

    def rows(
        self, ids: Sequence[str], true_classes: Sequence[str | None]
    ) -> Iterator[dict[str, Cell]]:
        """Give what is said of each galaxy by column, with None for what there is not.

        Parameters
        ----------
        ids : sequence of str, length n
        true_classes : sequence of str or None, length n
            None where it is not known.
        """
        classes = [str(name) for name in self.classes]
        for row, (identity, true) in enumerate(zip(ids, true_classes, strict=True)):
            error = self.errors.get(row)
            named, likely = self.predicted[row], self.most_probable[row]
            chances = [float(chance) for chance in self.probabilities[row]]
            yield {
                "id": identity,
                "class": None if error else classes[named],
                "probability": None if error else chances[named],
                "most_probable": None if error else classes[likely],
                **{
                    f"p_{name}": None if error else chance
                    for name, chance in zip(classes, chances, strict=True)
                },
                "true_class": true,
                "flags": None if error else self.flags[row],
                "error": str(error) if error else None,
            }
