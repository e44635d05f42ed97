"""Where a value lies among those of other galaxies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import OWN_FAMILIES
from galfeat.features.table import column_positions

#: Shares of the galaxies that lie below each quantile; `_TAIL` of them at either end are far out.
_TAIL = 0.01
LEVELS = np.sort(np.append(np.linspace(0.0, 1.0, 21), [_TAIL, 1.0 - _TAIL]))
_TAILS = np.searchsorted(LEVELS, [_TAIL, 1.0 - _TAIL])

#: The flag of an image more than this share of whose features lie far out; how few galaxies and
#: how many other things get it, `benchmarks/not_galaxies.py` tells.
UNLIKE, MAX_UNUSUAL = "unlike_training", 0.2


def quantiles(values: NDArray[np.float32], names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return the quantiles at `LEVELS`, shape (23,), of each column of galfeat's own families.

    Pixels and activations have no names of their own, and none of their quantiles is kept.

    Parameters
    ----------
    values : ndarray of float32, shape (n, d)
        NaN where one is missing; a column of nothing else has no quantiles.
    names : sequence of str, length d
    """
    named = [column for column, name in enumerate(names) if name.split(".", 1)[0] in OWN_FAMILIES]
    known = [column for column in named if not np.isnan(values[:, column]).all()]
    found = np.nanquantile(values[:, known], LEVELS, axis=0).astype(np.float32)
    return {names[column]: found[:, place] for place, column in enumerate(known)}


def share_below(
    values: NDArray[np.float32], names: Sequence[str], known: Mapping[str, NDArray[np.float32]]
) -> NDArray[np.float64]:
    """Return the share of galaxies that have less in each column, shape (n, d), 0 to 1.

    Of galaxies with the same value half count. NaN where the value is missing, or nothing is known
    of the column.

    Parameters
    ----------
    values : ndarray of float32, shape (n, d)
    names : sequence of str, length d
    known : mapping of str to ndarray of float32
        From `quantiles`.
    """
    unknown = np.full(len(LEVELS), np.nan, np.float32)
    levels = np.array([known.get(name, unknown) for name in names], np.float64).T
    below = _interpolated(values.astype(np.float64), levels)
    above = 1.0 - _interpolated(-values.astype(np.float64), -levels[::-1])
    missing = np.isnan(values) | np.isnan(levels[0])
    return np.where(missing, np.nan, 0.5 * (below + above))


def share_unusual(
    values: NDArray[np.float32], names: Sequence[str], known: Mapping[str, NDArray[np.float32]]
) -> NDArray[np.float64]:
    """Return the share of features that hardly any known galaxy has, shape (n,), 0 to 1.

    Those are the ones below the lowest or above the highest hundredth of the known galaxies. An
    image of something else than a galaxy has many. NaN where nothing is measured of which anything
    is known.

    Parameters
    ----------
    values : ndarray of float32, shape (n, d)
    names : sequence of str, length d
    known : mapping of str to ndarray of float32
        From `quantiles`.
    """
    columns = column_positions(tuple(known), tuple(names))
    present = columns >= 0
    if not present.any():
        return np.full(len(values), np.nan)
    own = values[:, columns[present]]
    low, high = np.array(list(known.values()))[present][:, _TAILS].T
    measured = (~np.isnan(own)).sum(axis=1)
    outside = ((own < low) | (own > high)).sum(axis=1)
    result: NDArray[np.float64] = np.where(measured > 0, outside / np.maximum(measured, 1), np.nan)
    return result


def _interpolated(values: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Do what `numpy.interp` does, for all columns at once: between `levels`, give `LEVELS`."""
    passed = np.zeros(values.shape, np.intp)
    for level in levels:
        passed += level <= values
    first = np.clip(passed - 1, 0, len(LEVELS) - 2)
    columns = np.arange(values.shape[1])
    low, high = levels[first, columns], levels[first + 1, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (LEVELS[first + 1] - LEVELS[first]) / (high - low) * (values - low)
    between += LEVELS[first]
    return np.where(passed == 0, 0.0, np.where(passed == len(LEVELS), 1.0, between))
