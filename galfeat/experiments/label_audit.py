"""Predict each label by models that were fitted without it, to find those that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from galfeat.data.dataset import Progress
from galfeat.data.duplicates import Grouping
from galfeat.errors import DataError
from galfeat.evaluate.audit import Audit
from galfeat.evaluate.splits import group_numbers, outer_folds
from galfeat.frame import describe_flags
from galfeat.predictions import doubts, may_show_no_galaxy, no_galaxy

if TYPE_CHECKING:
    from galfeat.classifier import GalaxyClassifier
    from galfeat.data import DataSet
    from galfeat.features import FeatureTable

Rows = NDArray[np.intp]


def audit(
    classifier: GalaxyClassifier,
    dataset: DataSet,
    table: FeatureTable,
    grouping: Grouping,
    *,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Audit:
    """Rank the labels of a data set by out-of-fold probabilities.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Cloned for every fold and not modified.
    dataset : DataSet
        n galaxies, all labelled.
    table : FeatureTable
        Their features. Images that failed are listed and not ranked.
    grouping : Grouping
        Of the n rows, from `galfeat.data.duplicates.find_groups`. Rows of one group are in one
        fold; no model is fitted to rows with conflicting labels, which are predicted, too.
    folds, repeats, seed : int
        As for `galfeat.evaluate.outer_folds`. Probabilities are averaged over the repeats.
    progress : callable, optional
        Called with the number of completed folds and the total number.

    Returns
    -------
    Audit
        Classes with fewer groups without conflicts than folds, or than 4, are neither fitted nor
        ranked.

    Raises
    ------
    DataError
        If fewer than two classes can be fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat import GalaxyClassifier
    >>> from galfeat.data import ArrayDataSet
    >>> from galfeat.data.duplicates import find_groups
    >>> from galfeat.experiments import audit
    >>> from galfeat.features import measure_images
    >>> y, x = np.mgrid[-32:32, -32:32]
    >>> radii = [np.hypot(x, q * y) / size for size in range(4, 16) for q in (1, 4)]
    >>> images = [(20 + 200 * np.exp(-radius)).astype(np.uint8) for radius in radii]
    >>> labels = ["round", "edge-on"] * 12
    >>> labels[7] = "round"
    >>> data = ArrayDataSet(images, labels=labels)
    >>> table = measure_images(data, ("skimage-hog",), frame=False)
    >>> result = audit(GalaxyClassifier("hog-svm"), data, table, find_groups(table.digests))
    >>> int(result.ranked[0])
    7
    """
    readable = np.zeros(len(dataset), np.bool_)
    readable[table.usable_rows()] = True
    groups = group_numbers(grouping.groups, len(dataset))
    large, unranked = _large_classes(dataset, groups, readable & ~grouping.conflicting, folds)
    rows = np.flatnonzero(readable & large & ~grouping.conflicting)
    conflicts = np.flatnonzero(readable & large & grouping.conflicting)
    present, y = np.unique(dataset.labels[rows], return_inverse=True)
    names = [dataset.class_names[index] for index in present]
    sums = np.full((len(dataset), len(dataset.class_names)), np.nan)
    sums[np.append(rows, conflicts)] = 0
    raised = table.values[:, table.names.index("flags")]
    flags = [describe_flags(value) if np.isfinite(value) else "" for value in raised]
    splits = outer_folds(y, groups[rows].astype(np.str_), folds, repeats, seed, class_names=names)
    for done, (_, train, test) in enumerate(splits):
        if progress is not None:
            progress(done, folds * repeats)
        of_fold = np.isin(groups[conflicts], groups[rows[test]])
        if done % folds == 0:
            of_fold |= ~np.isin(groups[conflicts], groups[rows])
        unseen = np.append(rows[test], conflicts[of_fold])
        model = clone(classifier).fit_table(
            table.select(rows[train]), y[train], groups[rows[train]], class_names=names
        )
        predictions = model.classify_table(table.select(unseen))
        sums[np.ix_(unseen, present)] += predictions.probabilities
        for row, text in zip(unseen.tolist(), predictions.flags, strict=True):
            flags[row] = text
    if progress is not None:
        progress(folds * repeats, folds * repeats)
    return Audit(
        ids=dataset.ids.tolist(),
        classes=dataset.class_names,
        given=dataset.labels,
        probabilities=sums / repeats,
        flags=flags,
        not_galaxies={
            row: reason for row, text in enumerate(flags) if (reason := _no_galaxy(text))
        },
        grouping=grouping,
        unreadable=table.errors,
        unranked=unranked,
    )


def _no_galaxy(flags: str) -> str | None:
    """Return why an image shows no galaxy, or possibly none; None if it shows one."""
    return no_galaxy(flags) or (doubts(flags)[0] if may_show_no_galaxy(flags) else None)


def check_audit(dataset: DataSet, folds: int) -> None:
    """Check early that labels can be audited.

    Parameters
    ----------
    dataset : DataSet
        All rows are labelled.
    folds : int

    Raises
    ------
    DataError
        If fewer than two classes have enough galaxies.
    """
    groups = group_numbers(dataset.groups, len(dataset))
    _large_classes(dataset, groups, np.ones(len(dataset), np.bool_), folds)


def _large_classes(
    dataset: DataSet, groups: Rows, usable: NDArray[np.bool_], folds: int
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Return the rows of classes with enough groups of usable rows, and the other classes."""
    # Every model needs two rows of each class.
    needed = max(folds, 4)
    large, small = np.ones(len(dataset), np.bool_), {}
    present = np.unique(dataset.labels).tolist()
    for label in present:
        of_class = dataset.labels == label
        if len(np.unique(groups[usable & of_class])) < needed:
            small[dataset.class_names[label]] = int(of_class.sum())
            large &= ~of_class
    if len(present) - len(small) < 2:
        reason = "the data have only one class"
        if small:
            name, number = next(iter(small.items()))
            reason = f"class {name!r} has {number}, duplicates and conflicts included"
        raise DataError(
            f"an audit needs two classes with at least {needed} galaxies each, and {reason}: add "
            "labels, or use fewer --folds"
        )
    return large, small
