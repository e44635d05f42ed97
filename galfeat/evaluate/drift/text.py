"""A comparison of two data sets as aligned tables for a terminal."""

from __future__ import annotations

import math

from galfeat.evaluate.drift.records import RATE, Drift, FeatureDrift, FlagDrift
from galfeat.evaluate.text import table

#: Number of features printed.
SHOWN = 15


def drift_text(drift: Drift, shown: int = SHOWN) -> str:
    """Format a comparison for a terminal.

    Parameters
    ----------
    drift : Drift
    shown : int
        Maximum number of features.

    Returns
    -------
    str
        A summary, the features that differ most, the families, the flags and the separation;
        without a final newline.

    Examples
    --------
    >>> from galfeat.evaluate.drift import Drift, FeatureDrift, drift_text
    >>> feature = FeatureDrift("shape.gini", "shape", 2.0, 1.0, 0.001, 1.0, 3.0, 0.0, 0.0)
    >>> drift_text(Drift(90, 40, (feature,), ())).splitlines()[0]
    'A: 90 images, B: 40 images; 1 of 1 features differ (false discovery rate 5 %)'
    """
    parts = [summary(drift)]
    features = drift.features[:shown]
    rows = [_feature_cells(feature) for feature in features]
    header = ["feature", "distance", "KS", "p", "median A", "median B", "missing A", "missing B"]
    parts.append(table(header, rows))
    if len(features) < len(drift.features):
        parts[-1] += f"\n… {len(drift.features) - len(features)} more; --json lists all"
    families = [
        [name, f"{n}", f"{different}", decimals(distance)]
        for name, (n, different, distance) in drift.families().items()
    ]
    parts.append(table(["family", "features", "differ", "median distance"], families))
    if drift.flags:
        flags = [_flag_cells(flag) for flag in drift.flags]
        parts.append(table(["flag", "share of A", "share of B", "p"], flags))
    return "\n\n".join([*parts, *filter(None, [separation_text(drift)])])


def summary(drift: Drift) -> str:
    """Return the numbers of images and of features that differ."""
    return (
        f"A: {drift.n_a:,} images, B: {drift.n_b:,} images; {drift.n_different} of "
        f"{len(drift.features)} features differ (false discovery rate {100 * RATE:.0f} %)"
    )


def separation_text(drift: Drift) -> str:
    """Return a sentence on how well a classifier tells A from B; empty if it was not measured."""
    if drift.separation is None:
        return ""
    value, low, high = drift.separation
    verdict = "which is no better than chance" if low <= 0.5 else "0.5 being chance"
    return (
        f"A random forest tells A from B with an area under the ROC curve of {value:.3f} "
        f"({low:.3f} to {high:.3f}) out of fold, {verdict}."
    )


def decimals(value: float) -> str:
    """Format a number to three significant digits, or a dash."""
    return f"{value:.3g}" if math.isfinite(value) else "–"


def p_value(p: float) -> str:
    """Format a p-value; small ones as an upper limit."""
    if not math.isfinite(p):
        return "–"
    return "<1e-9" if p < 1e-9 else f"{p:.2g}"


def _feature_cells(feature: FeatureDrift) -> list[str]:
    return [
        feature.name, decimals(feature.distance), decimals(feature.ks), p_value(feature.p),
        decimals(feature.median_a), decimals(feature.median_b),
        _share(feature.missing_a), _share(feature.missing_b),
    ]  # fmt: skip


def _flag_cells(flag: FlagDrift) -> list[str]:
    return [flag.name, _share(flag.share_a), _share(flag.share_b), p_value(flag.p)]


def _share(share: float) -> str:
    return f"{100 * share:.1f} %" if math.isfinite(share) else "–"
