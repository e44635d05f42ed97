"""Score a pipeline on galaxies it was not fitted on, without leaks between the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from galfeat.ensemble import decide
from galfeat.evaluate.repeats import CrossValidation, summarise_repeats
from galfeat.evaluate.score_summary import OTHER_DECISION
from galfeat.evaluate.splits import folds as deal_folds

if TYPE_CHECKING:
    from galfeat.classifier import GalaxyClassifier
    from galfeat.data import DataSet
    from galfeat.features import FeatureTable

Progress = Callable[[int, int], None]


def cross_validate(
    classifier: GalaxyClassifier,
    dataset: DataSet,
    table: FeatureTable,
    groups: NDArray[np.str_] | None,
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
    dataset : DataSet
        n galaxies, all with a label.
    table : FeatureTable
        Their features; none of the images failed.
    groups : ndarray of str, shape (n,), or None
        Rows of one group are in one fold; see `group_duplicates`.
    folds, repeats, seed : int
        As in `galfeat.evaluate.splits.folds`; the seed also draws the intervals.
    progress : callable, optional
        Called with the number of folds done and of all folds.

    Raises
    ------
    DataError
        If a class has fewer rows or groups than there are folds.
    """
    present, y = np.unique(dataset.labels, return_inverse=True)
    names = [dataset.class_names[index] for index in present]
    shape = (repeats, len(y))
    probabilities = np.empty((*shape, len(names)))
    named = {rule: np.empty(shape, dtype=np.intp) for rule in OTHER_DECISION}
    splits = deal_folds(y, groups, folds, repeats, seed, class_names=names)
    for done, (repeat, train, test) in enumerate(splits):
        if progress is not None:
            progress(done, folds * repeats)
        fitted = clone(classifier).fit_table(
            table.select(train),
            y[train],
            None if groups is None else groups[train],
            class_names=names,
        )
        probabilities[repeat, test] = fitted.classify_table(table.select(test)).probabilities
        for each, classes in named.items():
            classes[repeat, test] = decide(probabilities[repeat, test], fitted.priors_, each)
    if progress is not None:
        progress(folds * repeats, folds * repeats)
    rule = fitted.pipeline_.decision
    return summarise_repeats(
        y,
        list(probabilities),
        list(named[rule]),
        list(named[OTHER_DECISION[rule]]),
        names,
        sources=dataset.sources,
        groups=groups,
        seed=seed,
        rule=rule,
    )


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
