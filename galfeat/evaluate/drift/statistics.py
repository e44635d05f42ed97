"""Differences between the features of two data sets, with corrected p-values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import (
    false_discovery_control,
    fisher_exact,
    ks_2samp,
    kstwobign,
    wasserstein_distance,
)

from galfeat.errors import DataError
from galfeat.evaluate.drift.records import Drift, FeatureDrift, FlagDrift, median
from galfeat.evaluate.intervals import Interval
from galfeat.features.quantiles import LEVELS, family_of
from galfeat.features.registry import FLAGS
from galfeat.features.table import FeatureTable
from galfeat.frame import Flag

#: Up to this product of the numbers of values, p-values are exact.
_EXACT = 10_000
#: Minimum number of measured values in each data set for a comparison.
MIN_VALUES = 2


def measure_drift(
    a: FeatureTable, b: FeatureTable, *, compared: Callable[[str], bool] | None = None
) -> Drift:
    """Compare the features that two tables have in common.

    Parameters
    ----------
    a, b : FeatureTable
        Rows that could not be read are left out. The order of rows does not matter.
    compared : callable, optional
        Takes the name of a column and returns whether to compare it. All by default.

    Raises
    ------
    DataError
        If fewer than two images of a table were measured, or no column is in both.

    References
    ----------
    Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57, 289.

    Examples
    --------
    >>> from galfeat.data.simulation import simulate
    >>> from galfeat.evaluate.drift import measure_drift
    >>> from galfeat.features import measure_images
    >>> a, b = (
    ...     measure_images(simulate(20, seed=1, rendering=name).images)
    ...     for name in ("legacy", "sdss")
    ... )
    >>> drift = measure_drift(a, b)
    >>> drift.features[0].differs, drift.n_different > 9
    (True, True)
    """
    tables = [table.select(table.usable_rows()) for table in (a, b)]
    for table, name in zip(tables, "AB", strict=True):
        _check_size(table, name)
    own = [name for name in a.names if name != FLAGS and (compared is None or compared(name))]
    names = [name for name in own if name in set(b.names)]
    if not names:
        raise DataError("A and B have no feature in common; measure both with the same families")
    positions = [{name: i for i, name in enumerate(table.names)} for table in tables]
    measured = [
        _feature(name, *(t.values[:, p[name]] for t, p in zip(tables, positions, strict=True)))
        for name in names
    ]
    flags = [table.values[:, table.names.index(FLAGS)] for table in tables]
    return Drift(
        len(tables[0].values), len(tables[1].values), _ranked(measured), _flag_drift(*flags)
    )


def measure_drift_from_quantiles(
    known: Mapping[str, NDArray[np.float32]], n_a: int, b: FeatureTable
) -> Drift:
    """Compare features with the quantiles that a model keeps of its training galaxies.

    Distances are approximate: the distribution of A is known at 23 levels. `ks` is the largest
    difference at these levels, at most that of the full distributions.

    Parameters
    ----------
    known : mapping of str to ndarray of float32, shape (23,)
        From `galfeat.features.quantiles.quantiles`.
    n_a : int
        Number of training galaxies.
    b : FeatureTable

    Raises
    ------
    DataError
        If fewer than two images were measured, or B lacks all of the features.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.drift import measure_drift_from_quantiles
    >>> from galfeat.features import FeatureTable
    >>> from galfeat.features.quantiles import quantiles
    >>> even = np.arange(200, dtype=np.float32)[:, None]
    >>> table = FeatureTable(
    ...     np.hstack([even + 100, 0 * even]), ("shape.gini", "flags"),
    ...     np.zeros((200, 16), np.uint8), {},
    ... )
    >>> drift = measure_drift_from_quantiles(quantiles(even, ["shape.gini"]), 200, table)
    >>> drift.features[0].differs
    True
    """
    b = b.select(b.usable_rows())
    _check_size(b, "B")
    columns = {name: i for i, name in enumerate(b.names)}
    measured = [
        _known_feature(name, levels.astype(np.float64), n_a, b.values[:, columns[name]])
        for name, levels in known.items()
        if name in columns
    ]
    if not measured:
        raise DataError("B has none of the model's features; measure it with its families")
    return Drift(n_a, len(b.values), _ranked(measured), ())


def with_separation(drift: Drift, separation: Interval | None) -> Drift:
    """Return the comparison with the separation of the two sets by a classifier."""
    return replace(drift, separation=separation)


def _check_size(table: FeatureTable, name: str) -> None:
    n = len(table.values)
    if n < MIN_VALUES:
        plural = "image" if n == 1 else "images"
        raise DataError(
            f"{name} has {n} readable {plural}; a comparison needs at least {MIN_VALUES} in each "
            "data set"
        )


def _feature(name: str, a: NDArray[np.float32], b: NDArray[np.float32]) -> FeatureDrift:
    """Compare the values of one feature; `p` is not adjusted yet."""
    values = [np.sort(x[np.isfinite(x)]).astype(np.float64) for x in (a, b)]
    missing = [1.0 - len(kept) / len(x) for kept, x in zip(values, (a, b), strict=True)]
    medians = [median(kept) for kept in values]
    if min(map(len, values)) < MIN_VALUES:
        return FeatureDrift(
            name, family_of(name), math.nan, math.nan, math.nan, medians[0], medians[1],
            missing[0], missing[1],
        )  # fmt: skip
    exact = len(values[0]) * len(values[1]) <= _EXACT
    test = ks_2samp(*values, method="exact" if exact else "asymp")
    low, high = np.quantile(values[0], [0.16, 0.84])
    spread = _spread(0.5 * (high - low), np.concatenate(values))
    distance = float(wasserstein_distance(*values)) / spread
    return FeatureDrift(
        name, family_of(name), distance, float(test.statistic), float(test.pvalue),
        medians[0], medians[1], missing[0], missing[1],
    )  # fmt: skip


def _known_feature(
    name: str, levels: NDArray[np.float64], n_a: int, b: NDArray[np.float32]
) -> FeatureDrift:
    values = np.sort(b[np.isfinite(b)]).astype(np.float64)
    missing = 1.0 - len(values) / len(b)
    middle = float(np.interp(0.5, LEVELS, levels))
    if len(values) < MIN_VALUES:
        return FeatureDrift(
            name,
            family_of(name),
            math.nan,
            math.nan,
            math.nan,
            middle,
            median(values),
            math.nan,
            missing,
        )
    # The share of B below a quantile of A is its level; between atoms it may be less or more.
    below = np.searchsorted(values, levels, "left") / len(values)
    up_to = np.searchsorted(values, levels, "right") / len(values)
    first = np.searchsorted(levels, levels, "left"), np.searchsorted(levels, levels, "right") - 1
    least, most = LEVELS[first[0]], LEVELS[first[1]]
    ks = float(np.max(np.maximum(below - most, least - up_to), initial=0.0))
    effective = n_a * len(values) / (n_a + len(values))
    shares = np.linspace(0.005, 0.995, 100)
    low, high = np.interp([0.16, 0.84], LEVELS, levels)
    spread = _spread(0.5 * (high - low), np.concatenate([levels, values]))
    apart = np.abs(np.interp(shares, LEVELS, levels) - np.quantile(values, shares)).mean()
    return FeatureDrift(
        name, family_of(name), float(apart) / spread, ks,
        float(kstwobign.sf(math.sqrt(effective) * ks)), middle, median(values), math.nan, missing,
    )  # fmt: skip


def _spread(spread: float, both: NDArray[np.float64]) -> float:
    """Return a spread that is not zero, that of all values if A has none."""
    if spread > 0:
        return spread
    return float(both.std()) or 1.0


def _ranked(measured: Sequence[FeatureDrift]) -> tuple[FeatureDrift, ...]:
    """Adjust the p-values and sort the features, the worst first."""
    adjusted = [
        replace(feature, p=p)
        for feature, p in zip(measured, _adjusted([f.p for f in measured]), strict=True)
    ]

    def order(feature: FeatureDrift) -> tuple[bool, float, str]:
        distance = -math.inf if math.isnan(feature.distance) else feature.distance
        return not feature.differs, -distance, feature.name

    return tuple(sorted(adjusted, key=order))


def _flag_drift(a: NDArray[np.float32], b: NDArray[np.float32]) -> tuple[FlagDrift, ...]:
    bits = [np.nan_to_num(flags).astype(np.int64) for flags in (a, b)]
    found = []
    for flag in Flag:
        counts = [int(np.count_nonzero(values & flag)) for values in bits]
        if flag is Flag.UNREADABLE or not any(counts):
            continue
        table = [[n, len(x) - n] for n, x in zip(counts, bits, strict=True)]
        p = float(fisher_exact(table).pvalue)
        shares = [n / len(x) for n, x in zip(counts, bits, strict=True)]
        found.append(FlagDrift(str(flag.name).lower(), shares[0], shares[1], p))
    adjusted = [
        replace(flag, p=p) for flag, p in zip(found, _adjusted([f.p for f in found]), strict=True)
    ]
    return tuple(sorted(adjusted, key=lambda flag: flag.p))


def _adjusted(values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for the number of tests; NaN stays NaN."""
    p = np.array(values, np.float64)
    known = np.isfinite(p)
    if known.any():
        p[known] = false_discovery_control(np.clip(p[known], 0.0, 1.0))
    result: list[float] = p.tolist()
    return result
