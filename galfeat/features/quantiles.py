"""Where a value lies among those of other galaxies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Shares of the galaxies that lie below each quantile.
LEVELS = np.linspace(0.0, 1.0, 21)


def quantiles(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the quantiles of each column at `LEVELS`, shape (21, d).

    Parameters
    ----------
    values : ndarray of float32, shape (n, d)
        NaN where one is missing; a column of nothing else has NaN quantiles.
    """
    known = ~np.isnan(values).all(axis=0)
    result = np.full((len(LEVELS), values.shape[1]), np.nan, np.float32)
    result[:, known] = np.nanquantile(values[:, known], LEVELS, axis=0)
    return result


def share_below(values: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the share of galaxies that have less in each column, shape (n, d), 0 to 1.

    Of galaxies with the same value half count. NaN where the value is missing.

    Parameters
    ----------
    values : ndarray of float32, shape (n, d)
    known : ndarray of float32, shape (21, d)
        From `quantiles`.
    """
    result = np.full(values.shape, np.nan)
    for column in range(values.shape[1]):
        levels = known[:, column]
        here = ~np.isnan(values[:, column])
        if np.isnan(levels).any():
            continue
        below = np.interp(values[here, column], levels, LEVELS, left=0.0, right=1.0)
        above = 1.0 - np.interp(-values[here, column], -levels[::-1], LEVELS, left=0.0, right=1.0)
        result[here, column] = 0.5 * (below + above)
    return result
