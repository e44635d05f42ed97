"""What a classifier says of galaxies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import ImageError


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a classifier says of n galaxies.

    Attributes
    ----------
    classes : ndarray, shape (k,)
        Class labels, in the order of the columns of `probabilities`.
    probabilities : ndarray of float, shape (n, k)
        Calibrated to natural priors; NaN for an image that could not be measured.
    predicted : ndarray of int, shape (n,)
        The class the decision rule names, as an index into `classes`; -1 for a failed image.
    most_probable : ndarray of int, shape (n,)
        The class with the largest probability; -1 for a failed image.
    flags : list of str
        What stood in the way of a measurement, as text; see `galfeat.features.describe_flags`.
    errors : dict of int to ImageError
        Rows of the images that failed, and why.
    digests : ndarray of uint8, shape (n, 16)
        Digest of each image's decoded pixels.
    """

    classes: NDArray[Any]
    probabilities: NDArray[np.float64]
    predicted: NDArray[np.intp]
    most_probable: NDArray[np.intp]
    flags: list[str]
    errors: dict[int, ImageError]
    digests: NDArray[np.uint8]
