"""Importance of features to a fitted classifier, by family and by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from galfeat.evaluate.metrics import confusion_matrix, label_metrics

MAX_ROWS = 1000


class TableClassifier(Protocol):
    """A fitted scikit-learn classifier over a table of features."""

    classes_: NDArray[Any]

    def predict(self, X: NDArray[np.float32], /) -> NDArray[Any]:
        """Return the predicted class of each row."""


@dataclass(frozen=True)
class Importances:
    """Feature importances of a classifier.

    Attributes
    ----------
    families : dict of str to (float, float)
        Mean and standard deviation, over repeats, of the loss in balanced accuracy when a
        family's columns are shuffled; most important family first.
    columns : dict of str to float
        Share of the members' total gain by column, largest first; empty if no member
        reports gains.
    n : int
        Galaxies used to measure the families.

    Examples
    --------
    >>> from galfeat.evaluate import Importances
    >>> importances = Importances(
    ...     {"hog": (0.12, 0.01), "colour": (0.03, 0.01)}, {"hog.aligned.r2.o5": 0.4}, n=1000
    ... )
    >>> max(importances.families, key=lambda family: importances.families[family][0])
    'hog'
    """

    families: dict[str, tuple[float, float]]
    columns: dict[str, float]
    n: int


def importance_rows(n: int, seed: int = 0) -> NDArray[np.intp]:
    """Return the rows of n galaxies that `measure_importances` uses, sorted.

    Parameters
    ----------
    n : int
        Number of galaxies.
    seed : int
        Seed of the draw.

    Examples
    --------
    >>> from galfeat.evaluate.importances import importance_rows
    >>> importance_rows(3).tolist(), len(importance_rows(5000))
    ([0, 1, 2], 1000)
    """
    return _draw(np.random.default_rng(seed), n)


def _draw(rng: np.random.Generator, n: int) -> NDArray[np.intp]:
    rows: NDArray[np.intp] = np.sort(rng.permutation(n)[:MAX_ROWS])
    return rows


def measure_importances(
    classifier: TableClassifier,
    X: NDArray[np.float32],
    y: NDArray[Any],
    names: Sequence[str],
    families: Sequence[str],
    *,
    repeats: int = 5,
    top: int = 15,
    seed: int = 0,
    drawn_from: int | None = None,
) -> Importances:
    """Measure how much a classifier depends on each feature family.

    All columns of a family are permuted together among the galaxies, so that correlated
    columns within a family cannot replace each other (Breiman 2001, Machine Learning 45,
    5). Families can still replace each other: a small loss does not mean that a family
    carries no information.

    Parameters
    ----------
    classifier : TableClassifier
        A fitted classifier, such as `galfeat.ensemble.Ensemble`.
    X : ndarray of float32, shape (n, d)
        Features of galaxies the classifier was not fitted to. At most 1,000 of them are
        used, drawn at random.
    y : ndarray, shape (n,)
        True classes, all in ``classifier.classes_``.
    names, families : sequence of str, length d
        Name and family of each column.
    repeats : int
        Number of permutations of each family, at least 2.
    top : int
        Number of columns to report.
    seed : int
        Seed of the permutations.
    drawn_from : int, optional
        If the rows of X are the `importance_rows` of more galaxies with this seed, the number
        of those galaxies.

    Returns
    -------
    Importances
        The losses of an irrelevant family scatter around zero and may be negative.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate import measure_importances
    >>> class Threshold:
    ...     classes_ = np.array([0, 1])
    ...
    ...     def predict(self, X):
    ...         return (X[:, 0] > 0).astype(int)
    >>> X = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    >>> names = ["hog.mean", "colour.gr"]
    >>> result = measure_importances(
    ...     Threshold(), X, (X[:, 0] > 0).astype(int), names, ["hog", "colour"]
    ... )
    >>> list(result.families), result.families["colour"]
    (['hog', 'colour'], (0.0, 0.0))
    """
    rng = np.random.default_rng(seed)
    rows = _draw(rng, len(X) if drawn_from is None else drawn_from)
    table, truth = (X[rows], y[rows]) if drawn_from is None else (X, y)
    whole = _balanced_accuracy(classifier, table, truth)
    family_of_column = np.asarray(families)
    losses = {}
    for family in dict.fromkeys(families):
        columns = np.flatnonzero(family_of_column == family)
        lost = []
        for _ in range(repeats):
            shuffled = table.copy()
            shuffled[:, columns] = table[np.ix_(rng.permutation(len(table)), columns)]
            lost.append(whole - _balanced_accuracy(classifier, shuffled, truth))
        losses[family] = (float(np.mean(lost)), float(np.std(lost, ddof=1)))
    ranked = sorted(losses, key=lambda family: -losses[family][0])
    return Importances(
        families={family: losses[family] for family in ranked},
        columns=_top_columns(classifier, names, top),
        n=len(table),
    )


def column_gains(classifier: object, n_columns: int) -> NDArray[np.float64] | None:
    """Return each column's share of gain, averaged over the members that report it.

    Parameters
    ----------
    classifier : object
        A fitted estimator with ``feature_importances_`` (gain in boosted trees, impurity
        decrease in forests), or a pipeline, bag or ensemble of such estimators.
    n_columns : int
        Number of columns, d.

    Returns
    -------
    ndarray, shape (d,), or None
        Shares that sum to one; None if no member reports them for these columns.
    """
    gains = _own_gains(classifier)
    return gains if gains is not None and gains.shape == (n_columns,) else None


def _own_gains(estimator: object) -> NDArray[np.float64] | None:
    """Return the gain shares of an estimator, or of the parts of a pipeline, bag or ensemble."""
    gains = np.asarray(getattr(estimator, "feature_importances_", ()), dtype=np.float64)
    if gains.sum() > 0:
        shares: NDArray[np.float64] = gains / gains.sum()
        return shares
    if hasattr(estimator, "steps"):
        return _own_gains(estimator.steps[-1][1])
    parts = getattr(estimator, "members_", None) or getattr(estimator, "estimators_", [])
    if hasattr(estimator, "columns_"):
        available = _spread(estimator)
    else:
        available = [gains for gains in map(_own_gains, parts) if gains is not None]
    if not available or len({len(gains) for gains in available}) > 1:
        return None
    result: NDArray[np.float64] = np.mean(available, axis=0)
    return result


def _spread(ensemble: Any) -> list[NDArray[np.float64]]:  # noqa: ANN401
    """Return the gain shares of an ensemble's members over all columns of the table."""
    available = []
    for member, columns in zip(ensemble.members_, ensemble.columns_, strict=True):
        gains = _own_gains(member)
        if gains is not None and len(gains) == len(columns):
            spread = np.zeros(ensemble.n_features_in_)
            spread[columns] = gains
            available.append(spread)
    return available


def _top_columns(classifier: object, names: Sequence[str], top: int) -> dict[str, float]:
    gains = column_gains(classifier, len(names))
    if gains is None:
        return {}
    return {names[column]: float(gains[column]) for column in np.argsort(-gains)[:top]}


def _balanced_accuracy(
    classifier: TableClassifier, X: NDArray[np.float32], truth: NDArray[Any]
) -> float:
    # Sort first: classes_ may be in the order of a data set.
    classes = np.sort(classifier.classes_)
    predicted = np.searchsorted(classes, classifier.predict(X))
    confusion = confusion_matrix(np.searchsorted(classes, truth), predicted, len(classes))
    return float(label_metrics(confusion)["balanced_accuracy"])
