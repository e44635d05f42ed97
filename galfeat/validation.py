"""Score a recipe on galaxies it was not fitted on, without leaks between the two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from galfeat.evaluate.metrics import METRICS
from galfeat.evaluate.scored_rows import ScoredRows
from galfeat.evaluate.splits import folds as deal_folds

if TYPE_CHECKING:
    from galfeat.classifier import GalaxyClassifier
    from galfeat.features import FeatureTable

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class CrossValidation:
    """Scores of repeated cross-validation.

    Attributes
    ----------
    scores : dict of str to ndarray of float64, shape (repeats,)
        For each of `galfeat.evaluate.metrics.METRICS` one score per repeat, over all
        rows, each row predicted by the model of the fold it was left out of.
    folds, repeats, seed, n : int
        Folds of each repeat, number of repeats, seed of the folds and models, rows.
    """

    scores: dict[str, NDArray[np.float64]]
    folds: int
    repeats: int
    seed: int
    n: int

    def mean(self, metric: str) -> float:
        """Mean over the repeats."""
        return float(self.scores[metric].mean())

    def spread(self, metric: str) -> float:
        """Sample standard deviation over the repeats; NaN for a single one."""
        return float(self.scores[metric].std(ddof=1)) if self.repeats > 1 else float("nan")

    def to_json(self) -> dict[str, Any]:
        """Return the scores as plain numbers, each with ``mean``, ``sd`` and all ``values``."""
        scores = {
            metric: {
                "mean": self.mean(metric),
                "sd": self.spread(metric) if self.repeats > 1 else None,
                "values": self.scores[metric].tolist(),
            }
            for metric in self.scores
        }
        return {
            "folds": self.folds,
            "repeats": self.repeats,
            "seed": self.seed,
            "n": self.n,
            **scores,
        }


def cross_validate(
    classifier: GalaxyClassifier,
    table: FeatureTable,
    y: NDArray[np.int64],
    groups: NDArray[np.str_] | None,
    *,
    class_names: Sequence[str] | None = None,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> CrossValidation:
    """Fit and score a classifier on repeated stratified folds of features already computed.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Cloned for every fold; itself left as it is.
    table : FeatureTable
        Features of n images, none of them failed.
    y : ndarray of int64, shape (n,)
        Class indices.
    groups : ndarray of str, shape (n,), or None
        Rows of one group are in one fold.
    class_names : sequence of str, optional
        Names of the classes for error messages, by class index.
    folds, repeats, seed : int
        As in `galfeat.evaluate.splits.folds`.
    progress : callable, optional
        Called with the number of folds done and of all folds.

    Raises
    ------
    DataError
        If a class has fewer rows or groups than there are folds.
    """
    present, codes = np.unique(y, return_inverse=True)
    names = None if class_names is None else [class_names[index] for index in present]
    probabilities = np.zeros((repeats, len(y), len(present)))
    predicted = np.zeros((repeats, len(y)), dtype=np.intp)
    splits = deal_folds(codes, groups, folds, repeats, seed, class_names=names)
    for done, (repeat, train, test) in enumerate(splits):
        if progress is not None:
            progress(done, folds * repeats)
        fitted = clone(classifier).fit_table(
            table.select(train), codes[train], None if groups is None else groups[train]
        )
        predictions = fitted.classify_table(table.select(test))
        probabilities[repeat, test] = predictions.probabilities
        predicted[repeat, test] = predictions.predicted
    if progress is not None:
        progress(folds * repeats, folds * repeats)
    of_repeats = [
        ScoredRows(codes, named, named, found).measure(np.ones(len(y)))
        for named, found in zip(predicted, probabilities, strict=True)
    ]
    scores = {metric: np.array([one[metric] for one in of_repeats]) for metric in METRICS}
    return CrossValidation(scores, folds, repeats, seed, len(y))


def group_duplicates(
    groups: NDArray[np.str_] | None, digests: NDArray[np.uint8]
) -> NDArray[np.str_]:
    """Put rows with equal pixels into one group, and with them the groups they belong to.

    Parameters
    ----------
    groups : ndarray of str, shape (n,), or None
        Groups known before; None and an empty text are a group of its own.
    digests : ndarray of uint8, shape (n, 16)
        `galfeat.data.pixel_digest` of each image.

    Returns
    -------
    ndarray of str, shape (n,)
        Number of the group as text.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(digests)
    keys = [np.unique(digests, axis=0, return_inverse=True)[1].reshape(-1)]
    if groups is not None:
        known = [group or f"row {row}" for row, group in enumerate(groups)]
        keys.append(np.unique(known, return_inverse=True)[1])
    links = [(np.arange(n), np.unique(key, return_index=True)[1][key]) for key in keys]
    start, end = np.concatenate(links, axis=1)
    graph = coo_matrix((np.ones(len(start)), (start, end)), shape=(n, n))
    group: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return group.astype(np.str_)
