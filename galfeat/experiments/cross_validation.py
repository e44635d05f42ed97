"""Cross-validate a pipeline without leakage between training and test galaxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from galfeat.data.dataset import Progress
from galfeat.ensemble import decide
from galfeat.evaluate.repeats import CrossValidation, summarise_repeats
from galfeat.evaluate.score_summary import OTHER_DECISION
from galfeat.evaluate.splits import outer_folds

if TYPE_CHECKING:
    from galfeat.classifier import GalaxyClassifier
    from galfeat.data import DataSet
    from galfeat.features import FeatureTable


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
    """Fit and score a classifier on repeated stratified folds of a feature table.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Cloned for every fold and not modified.
    dataset : DataSet
        n galaxies, all labelled.
    table : FeatureTable
        Their features, without failed images. Images without a source are scored, too.
    groups : ndarray of str, shape (n,), or None
        Rows of one group are in one fold; see `galfeat.data.duplicates.find_groups`.
    folds, repeats, seed : int
        As for `galfeat.evaluate.outer_folds`; the seed is also used for the intervals.
    progress : callable, optional
        Called with the number of completed folds and the total number.

    Raises
    ------
    DataError
        If a class has fewer rows or groups than folds.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat import GalaxyClassifier
    >>> from galfeat.data import ArrayDataSet
    >>> from galfeat.experiments import cross_validate
    >>> from galfeat.features import measure_images
    >>> y, x = np.mgrid[-32:32, -32:32]
    >>> radii = [np.hypot(x, q * y) / size for size in range(4, 10) for q in (1, 4)]
    >>> images = [(20 + 200 * np.exp(-radius)).astype(np.uint8) for radius in radii]
    >>> data = ArrayDataSet(images, labels=["round", "edge-on"] * 6)
    >>> table = measure_images(data, ("skimage-hog",), frame=False)
    >>> result = cross_validate(GalaxyClassifier("hog-svm"), data, table, None, folds=2)
    >>> result.n, result.scores["accuracy"].mean
    (12, 1.0)
    """
    present, y = np.unique(dataset.labels, return_inverse=True)
    names = [dataset.class_names[index] for index in present]
    shape = (repeats, len(y))
    probabilities = np.empty((*shape, len(names)))
    predicted = {rule: np.empty(shape, dtype=np.intp) for rule in OTHER_DECISION}
    splits = outer_folds(y, groups, folds, repeats, seed, class_names=names)
    for done, (repeat, train, test) in enumerate(splits):
        if progress is not None:
            progress(done, folds * repeats)
        fitted = clone(classifier).fit_table(
            table.select(train),
            y[train],
            None if groups is None else groups[train],
            class_names=names,
        )
        predictions = fitted.classify_table(table.select(test), without_source=True)
        probabilities[repeat, test] = predictions.probabilities
        for rule, classes in predicted.items():
            classes[repeat, test] = decide(probabilities[repeat, test], fitted.priors_, rule)
    if progress is not None:
        progress(folds * repeats, folds * repeats)
    rule = fitted.pipeline_.decision
    return summarise_repeats(
        y,
        list(probabilities),
        list(predicted[rule]),
        list(predicted[OTHER_DECISION[rule]]),
        names,
        sources=dataset.sources,
        groups=groups,
        seed=seed,
        rule=rule,
    )
