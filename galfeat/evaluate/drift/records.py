"""Differences between two data sets: of features, of flags, and all together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.evaluate.intervals import Interval

#: False discovery rate of the features and flags called different.
RATE = 0.05


@dataclass(frozen=True)
class FeatureDrift:
    """The difference of one feature between data sets A and B.

    Attributes
    ----------
    name, family : str
    distance : float
        Wasserstein distance in units of A's spread, half of the range of 68 % of the values;
        that is how far the typical value moved. NaN with fewer than two values in one set.
    ks : float
        Kolmogorov–Smirnov statistic, the largest difference of the cumulative distributions,
        0 to 1. NaN where `distance` is.
    p : float
        Adjusted p-value of `ks`: the false discovery rate of this feature and all that differ
        more significantly (Benjamini & Hochberg 1995).
    median_a, median_b : float
    missing_a, missing_b : float
        Share of images without a value.

    Examples
    --------
    >>> from galfeat.evaluate.drift import FeatureDrift
    >>> FeatureDrift("shape.gini", "shape", 2.0, 1.0, 0.001, 1.0, 3.0, 0.0, 0.0).differs
    True
    """

    name: str
    family: str
    distance: float
    ks: float
    p: float
    median_a: float
    median_b: float
    missing_a: float
    missing_b: float

    @property
    def differs(self) -> bool:
        """Whether the difference is significant at a false discovery rate of 5 %."""
        return self.p < RATE


@dataclass(frozen=True)
class FlagDrift:
    """The share of images with a flag in A and B.

    Attributes
    ----------
    name : str
    share_a, share_b : float
    p : float
        Adjusted p-value of Fisher's exact test.

    Examples
    --------
    >>> from galfeat.evaluate.drift import FlagDrift
    >>> FlagDrift("round", 0.2, 0.25, 0.3).differs
    False
    """

    name: str
    share_a: float
    share_b: float
    p: float

    @property
    def differs(self) -> bool:
        """Whether the difference is significant at a false discovery rate of 5 %."""
        return self.p < RATE


@dataclass(frozen=True)
class Drift:
    """The differences between two data sets, the worst first.

    Attributes
    ----------
    n_a, n_b : int
        Images that were measured.
    features : tuple of FeatureDrift
        Those that differ significantly by descending distance, then the others likewise.
    flags : tuple of FlagDrift
        By ascending p-value; empty if A is a model's quantiles.
    separation : Interval or None
        Area under the ROC curve of a classifier that tells A from B, out of fold: 0.5 if it
        cannot. None if it was not measured.

    Examples
    --------
    >>> from galfeat.evaluate.drift import Drift, FeatureDrift
    >>> drift = Drift(9, 9, (FeatureDrift("shape.gini", "shape", 2.0, 1.0, 0.001, 1, 3, 0, 0),), ())
    >>> drift.families()
    {'shape': (1, 1, 2.0)}
    """

    n_a: int
    n_b: int
    features: tuple[FeatureDrift, ...]
    flags: tuple[FlagDrift, ...]
    separation: Interval | None = None

    @property
    def n_different(self) -> int:
        """Number of features that differ significantly."""
        return sum(feature.differs for feature in self.features)

    def families(self) -> dict[str, tuple[int, int, float]]:
        """Return by family the number of features, those that differ, and the median distance."""
        names = dict.fromkeys(feature.family for feature in self.features)
        members = {name: [f for f in self.features if f.family == name] for name in names}
        summary = {
            name: (
                len(listed),
                sum(feature.differs for feature in listed),
                median(np.array([feature.distance for feature in listed])),
            )
            for name, listed in members.items()
        }
        return dict(sorted(summary.items(), key=lambda item: (-item[1][1] / item[1][0], item[0])))

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON; NaN becomes None."""
        separation = None if self.separation is None else self.separation._asdict()
        return {
            "n_a": self.n_a,
            "n_b": self.n_b,
            "different": self.n_different,
            "separation": None if separation is None else _plain(separation),
            "families": {
                name: _plain({"features": n, "different": different, "distance": distance})
                for name, (n, different, distance) in self.families().items()
            },
            "flags": [_plain(asdict(flag)) for flag in self.flags],
            "features": [
                {**_plain(asdict(feature)), "differs": feature.differs} for feature in self.features
            ],
        }


def median(values: NDArray[np.float64]) -> float:
    """Return the median of the finite values; NaN if there are none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else math.nan


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in values.items()
    }
