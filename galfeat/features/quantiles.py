"""Rank feature values among those of the training galaxies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import OWN_FAMILIES
from galfeat.features.table import column_positions

#: Levels of the quantiles; a fraction `_TAIL` at either end counts as unusual.
_TAIL = 0.01
LEVELS = np.sort(np.append(np.linspace(0.0, 1.0, 21), [_TAIL, 1.0 - _TAIL]))
_TAILS = np.searchsorted(LEVELS, [_TAIL, 1.0 - _TAIL])


def family_of(name: str) -> str:
    """Return the family of a column, the first part of its name.

    Examples
    --------
    >>> from galfeat.features.quantiles import family_of
    >>> family_of("shape.aligned.gini")
    'shape'
    """
    return name.split(".", 1)[0]


def quantiles(values: NDArray[np.float32], names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return the quantiles at `LEVELS`, shape (23,), of each column of galfeat's own families.

    Pixels and activations are omitted.

    Parameters
    ----------
    values : ndarray of float32, shape (n, d)
        NaN for missing values; columns without any value are omitted.
    names : sequence of str, length d

    Returns
    -------
    dict of str to ndarray of float32

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.features.quantiles import quantiles
    >>> values = np.arange(101, dtype=np.float32)[:, None]
    >>> float(quantiles(values, ["shape.gini"])["shape.gini"][-1])
    100.0
    """
    own = [column for column, name in enumerate(names) if family_of(name) in OWN_FAMILIES]
    measured = [column for column in own if not np.isnan(values[:, column]).all()]
    result = np.nanquantile(values[:, measured], LEVELS, axis=0).astype(np.float32)
    return {names[column]: result[:, position] for position, column in enumerate(measured)}


def share_below(
    values: NDArray[np.float32], names: Sequence[str], known: Mapping[str, NDArray[np.float32]]
) -> NDArray[np.float64]:
    """Return the fraction of galaxies with a lower value in each column, shape (n, d), 0 to 1.

    Galaxies with an equal value count half. NaN for missing values and for columns without
    quantiles.

    Parameters
    ----------
    values : ndarray of float32, shape (n, d)
    names : sequence of str, length d
    known : mapping of str to ndarray of float32
        From `quantiles`.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.features.quantiles import quantiles, share_below
    >>> known = quantiles(np.arange(101, dtype=np.float32)[:, None], ["shape.gini"])
    >>> share_below(np.float32([[25.0]]), ["shape.gini"], known).tolist()
    [[0.25]]
    """
    unknown = np.full(len(LEVELS), np.nan, np.float32)
    levels = np.array([known.get(name, unknown) for name in names], np.float64).T
    below = _interpolated(values.astype(np.float64), levels)
    above = 1.0 - _interpolated(-values.astype(np.float64), -levels[::-1])
    missing = np.isnan(values) | np.isnan(levels[0])
    return np.where(missing, np.nan, 0.5 * (below + above))


def share_unusual(
    values: NDArray[np.float32],
    names: Sequence[str],
    known: Mapping[str, NDArray[np.float32]],
    group_of: Callable[[str], str] = family_of,
) -> NDArray[np.float64]:
    """Return the fraction of unusual features, averaged over groups of them, shape (n,), 0 to 1.

    A value is unusual if it is below the first or above the last percentile of the known
    galaxies. Groups have equal weights, so that a family of many columns does not outvote the
    others; those without a measured feature do not count. NaN if no feature with known quantiles
    is measured.

    Parameters
    ----------
    values : ndarray of float32, shape (n, d)
    names : sequence of str, length d
    known : mapping of str to ndarray of float32
        From `quantiles`.
    group_of : callable
        The group of a column, from its name; the family by default.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.features.quantiles import quantiles, share_unusual
    >>> known = quantiles(np.arange(101, dtype=np.float32)[:, None], ["shape.gini"])
    >>> share_unusual(np.float32([[25.0], [200.0]]), ["shape.gini"], known).tolist()
    [0.0, 1.0]
    """
    columns = column_positions(tuple(known), tuple(names))
    present = columns >= 0
    if not present.any():
        return np.full(len(values), np.nan)
    own = values[:, columns[present]]
    low, high = np.array(list(known.values()))[present][:, _TAILS].T
    measured, outside = ~np.isnan(own), (own < low) | (own > high)
    kept = [name for name, is_present in zip(known, present, strict=True) if is_present]
    groups = np.array([group_of(name) for name in kept])
    total, number = np.zeros(len(values)), np.zeros(len(values))
    for group in dict.fromkeys(groups.tolist()):
        counts = measured[:, groups == group].sum(axis=1)
        total += outside[:, groups == group].sum(axis=1) / np.maximum(counts, 1)
        number += counts > 0
    result: NDArray[np.float64] = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return result


def _interpolated(values: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate `LEVELS` between `levels`, as `numpy.interp`, for all columns at once."""
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
