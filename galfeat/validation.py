"""Score a recipe on galaxies it was not fitted on, without leaks between the two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from galfeat.evaluate.metrics import (
    METRICS,
    confusion_matrix,
    expected_calibration_error,
    label_metrics,
    log_loss,
)
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
    class_names: tuple[str, ...],
    *,
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
    class_names : tuple of str
        Names of the classes 0 to k - 1.
    folds, repeats, seed : int
        As in `galfeat.evaluate.splits.folds`.
    progress : callable, optional
        Called with the number of folds done and of all folds.

    Raises
    ------
    DataError
        If a class has fewer rows or groups than there are folds.
    """
    probabilities = np.zeros((repeats, len(y), len(class_names)))
    predicted = np.zeros((repeats, len(y)), dtype=np.int64)
    splits = deal_folds(y, groups, folds, repeats, seed, class_names=class_names)
    for done, (repeat, train, test) in enumerate(splits):
        if progress is not None:
            progress(done, folds * repeats)
        found = _fit_and_predict(classifier, table, y, groups, class_names, train, test)
        probabilities[repeat, test], predicted[repeat, test] = found
    if progress is not None:
        progress(folds * repeats, folds * repeats)
    rows = [_scores(y, *of_repeat) for of_repeat in zip(probabilities, predicted, strict=True)]
    scores = {metric: np.array([row[metric] for row in rows]) for metric in METRICS}
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


def _fit_and_predict(
    classifier: GalaxyClassifier,
    table: FeatureTable,
    y: NDArray[np.int64],
    groups: NDArray[np.str_] | None,
    class_names: tuple[str, ...],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from sklearn.base import clone

    fitted = clone(classifier).fit_table(
        table.select(train),
        y[train],
        groups=None if groups is None else groups[train],
        class_names=class_names,
    )
    predictions = fitted.classify_table(table.select(test))
    return predictions.probabilities, predictions.predicted


def _scores(
    y: NDArray[np.int64], probabilities: NDArray[np.float64], predicted: NDArray[np.int64]
) -> dict[str, float]:
    scores = label_metrics(confusion_matrix(y, predicted, probabilities.shape[1]))
    scores["log_loss"] = log_loss(y, probabilities)
    scores["ece"] = expected_calibration_error(y, probabilities)
    return {metric: float(score) for metric, score in scores.items()}
