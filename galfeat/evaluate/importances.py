"""Which features a fitted classifier lives on, by family and by column."""

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
        """Name a class for each row."""


@dataclass(frozen=True)
class Importances:
    """What features are worth to a classifier.

    Attributes
    ----------
    families : dict of str to (float, float)
        Mean and standard deviation, over repeats, of the balanced accuracy lost when a
        family's columns are shuffled; the family that matters most comes first.
    columns : dict of str to float
        Share of the members' own gain by column, largest first; empty where no member
        tells.
    n : int
        Galaxies the families were measured on.
    """

    families: dict[str, tuple[float, float]]
    columns: dict[str, float]
    n: int


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
) -> Importances:
    """Measure how much a classifier needs each family of features.

    All columns of a family are shuffled among the galaxies together, so that a family
    is not spared because its columns stand in for each other (Breiman 2001, Machine
    Learning 45, 5). Families can still stand in for each other: small losses do not
    mean that a family says nothing.

    Parameters
    ----------
    classifier : TableClassifier
        A fitted classifier, such as `galfeat.ensemble.Ensemble`.
    X : ndarray of float32, shape (n, d)
        Features of galaxies the classifier was not fitted on. Of more than 1,000, so
        many are drawn at random.
    y : ndarray, shape (n,)
        True classes, out of ``classifier.classes_``.
    names, families : sequence of str, length d
        Name and family of each column.
    repeats : int
        How often each family is shuffled, at least 2.
    top : int
        How many columns to name.
    seed : int
        Same seed, same result.

    Returns
    -------
    Importances
        Losses lie around zero for a family that is of no use, and may be negative.
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(X))[:MAX_ROWS])
    table, truth = X[rows], y[rows]
    whole = _balanced_accuracy(classifier, table, truth)
    owners = np.asarray(families)
    losses = {}
    for family in dict.fromkeys(families):
        columns = np.flatnonzero(owners == family)
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
        n=len(rows),
    )


def column_gains(classifier: object, n_columns: int) -> NDArray[np.float64] | None:
    """Share of gain of each column, averaged over the members that tell it.

    Parameters
    ----------
    classifier : object
        A fitted estimator with ``feature_importances_`` (gain in boosted trees, decrease
        of impurity in forests), or a pipeline, bag or ensemble of such.
    n_columns : int
        Number of columns, d.

    Returns
    -------
    ndarray, shape (d,), or None
        Shares that sum to one; None where no member tells, or not for these columns.
    """
    gains = _own_gains(classifier)
    return gains if gains is not None and gains.shape == (n_columns,) else None


def _own_gains(estimator: object) -> NDArray[np.float64] | None:
    """Gain shares of an estimator, or of what a pipeline, a bag or an ensemble is made of."""
    gains = np.asarray(getattr(estimator, "feature_importances_", ()), dtype=np.float64)
    if gains.sum() > 0:
        shares: NDArray[np.float64] = gains / gains.sum()
        return shares
    if hasattr(estimator, "steps"):
        return _own_gains(estimator.steps[-1][1])
    parts = getattr(estimator, "members_", None) or getattr(estimator, "estimators_", [])
    if hasattr(estimator, "columns_"):
        known = _spread(estimator)
    else:
        known = [gains for gains in map(_own_gains, parts) if gains is not None]
    if not known or len({len(gains) for gains in known}) > 1:
        return None
    result: NDArray[np.float64] = np.mean(known, axis=0)
    return result


def _spread(ensemble: Any) -> list[NDArray[np.float64]]:  # noqa: ANN401
    """Return the gain shares of an ensemble's members over all columns of the table."""
    known = []
    for member, columns in zip(ensemble.members_, ensemble.columns_, strict=True):
        gains = _own_gains(member)
        if gains is not None and len(gains) == len(columns):
            spread = np.zeros(ensemble.n_features_in_)
            spread[columns] = gains
            known.append(spread)
    return known


def _top_columns(classifier: object, names: Sequence[str], top: int) -> dict[str, float]:
    gains = column_gains(classifier, len(names))
    if gains is None:
        return {}
    return {names[column]: float(gains[column]) for column in np.argsort(-gains)[:top]}


def _balanced_accuracy(
    classifier: TableClassifier, X: NDArray[np.float32], truth: NDArray[Any]
) -> float:
    # Through a sorted copy, because classes_ may be in the order of a data set.
    order = np.argsort(classifier.classes_)
    known = classifier.classes_[order]
    confusion = confusion_matrix(
        np.searchsorted(known, truth), np.searchsorted(known, classifier.predict(X)), len(known)
    )
    return float(label_metrics(confusion)["balanced_accuracy"])
