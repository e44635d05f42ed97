"""How well each family separates each pair of classes; see `feature_families.py`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from family_fits import ALL, LabelledFits
from numpy.typing import NDArray
from scipy.stats import rankdata

from galfeat.experiments.fits import ORIGINAL

Floats = NDArray[np.float64]
#: A pair is hard if no single family has a larger area under the curve.
HARD = 0.75
EVERYTHING = "all"


@dataclass(frozen=True)
class Pair:
    """Two classes and the area under the ROC curve between them for each family.

    Attributes
    ----------
    first, second : int
        Indices of the classes.
    areas : dict of str to float
        Area for each family alone, and for all together; 0.5 is chance.
    error : float
        Standard error of the area for the best family.
    """

    first: int
    second: int
    areas: dict[str, float]
    error: float

    @property
    def best(self) -> str:
        """The best single family."""
        return max(ALL, key=lambda name: self.areas[name])

    @property
    def hard(self) -> bool:
        """Whether no single family separates these classes well."""
        return self.areas[self.best] < HARD


def pairs_of(fits: LabelledFits) -> list[Pair]:
    """Measure all pairs of classes with the out-of-fold predictions of single families."""
    sets = {**{name: (name,) for name in ALL}, EVERYTHING: ALL}
    by_set = {name: fits.predictions(families)[1.0, ORIGINAL] for name, families in sets.items()}
    y = fits.galaxies.y
    pairs = []
    for first, second in itertools.combinations(range(len(fits.galaxies.names)), 2):
        rows = np.flatnonzero((y == first) | (y == second))
        truth = y[rows] == second
        areas = {
            name: float(
                np.mean([area(truth, log_odds(p[rows], first, second)) for p in part.probabilities])
            )
            for name, part in by_set.items()
        }
        best = max(areas[name] for name in ALL)
        pairs.append(Pair(first, second, areas, standard_error(best, truth)))
    return pairs


def log_odds(probabilities: Floats, first: int, second: int) -> Floats:
    """Return the natural logarithm of the odds of the second class over the first."""
    both = np.log(np.maximum(probabilities[:, [first, second]], 1e-12))
    difference: Floats = both[:, 1] - both[:, 0]
    return difference


def area(truth: NDArray[np.bool_], score: Floats) -> float:
    """Return the area under the ROC curve, with ties counted as a half."""
    positives = int(truth.sum())
    above = rankdata(score)[truth].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(truth) - positives)))


def standard_error(value: float, truth: NDArray[np.bool_]) -> float:
    """Return the standard error of an area (Hanley and McNeil 1982, Radiology 143, 29)."""
    positives, negatives = int(truth.sum()), int((~truth).sum())
    one, two = value / (2 - value), 2 * value**2 / (1 + value)
    variance = value * (1 - value)
    variance += (positives - 1) * (one - value**2) + (negatives - 1) * (two - value**2)
    return math.sqrt(max(variance, 0.0) / (positives * negatives))


def table(pairs: Sequence[Pair], names: Sequence[str]) -> str:
    """Return a Markdown table, the hardest pair first."""
    lines = [
        "| classes | " + " | ".join(ALL) + " | all |",
        "|---|" + "---:|" * (len(ALL) + 1),
    ]
    for pair in sorted(pairs, key=lambda pair: pair.areas[pair.best]):
        cells = [
            f"**{pair.areas[name]:.2f} ± {pair.error:.2f}**"
            if name == pair.best
            else f"{pair.areas[name]:.2f}"
            for name in ALL
        ]
        both = f"{names[pair.first]}, {names[pair.second]}"
        lines.append(f"| {both} | {' | '.join(cells)} | {pair.areas[EVERYTHING]:.2f} |")
    return "\n".join(lines)


def summary(pairs: Sequence[Pair], names: Sequence[str]) -> str:
    """Return how often each family is best, and the pairs that no family separates well."""
    counts = {name: sum(pair.best == name for pair in pairs) for name in ALL}
    ranked = sorted(ALL, key=lambda name: -counts[name])
    best = ", ".join(f"`{name}` {counts[name]}" for name in ranked if counts[name])
    hard = [pair for pair in pairs if pair.hard]
    text = f"Number of pairs, of {len(pairs)}, for which a family is best: {best}."
    if not hard:
        return f"{text} For each pair, a single family reaches at least {HARD:.2f}."
    listed = "; ".join(
        f"{names[pair.first]} and {names[pair.second]} ({pair.areas[pair.best]:.2f}, all together "
        f"{pair.areas[EVERYTHING]:.2f})"
        for pair in sorted(hard, key=lambda pair: pair.areas[pair.best])
    )
    return f"{text} Pairs below {HARD:.2f} for all single families: {listed}."
