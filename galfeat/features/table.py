"""A table of features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import ImageError


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of n galaxies.

    Attributes
    ----------
    values : ndarray of float32, shape (n, d)
        NaN where the ``flags`` column, the last, says why.
    names : tuple of str
        The d column names.
    digests : ndarray of uint8, shape (n, 16)
        Digest of each image's decoded pixels; zeros for an unreadable one.
    errors : dict of int to ImageError
        The rows that could not be read or measured, and why.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]
    digests: NDArray[np.uint8]
    errors: dict[int, ImageError]

    def select(self, rows: NDArray[np.intp]) -> FeatureTable:
        """Return the table of some rows, in their order."""
        place = {int(row): new for new, row in enumerate(rows)}
        errors = {place[row]: error for row, error in self.errors.items() if row in place}
        return FeatureTable(self.values[rows], self.names, self.digests[rows], errors)
