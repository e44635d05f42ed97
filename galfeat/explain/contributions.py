"""Additive contributions of features to the score of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.classifier import GalaxyClassifier
from galfeat.ensemble.margins import margin_parts
from galfeat.features import FeatureTable
from galfeat.features.table import column_positions
from galfeat.predictions import Predictions

#: Names of member kinds without contributions by feature.
UNNAMED = {
    "extra-trees": "extremely randomised trees", "random-forest": "a random forest",
    "balanced-forest": "a balanced forest", "svm": "a support vector machine",
    "network": "a small network", "cnn": "a convolutional network",
    # A single member has contributions by feature; bags of balanced bagging do not.
    "lightgbm": "bags of boosted trees", "xgboost": "bags of boosted trees",
    "logistic": "bags of linear models",
}  # fmt: skip

#: Key of the contribution of an isotonic calibration among those without features.
ISOTONIC = "isotonic calibration"


@dataclass(frozen=True, eq=False)
class Contributions:
    """An exact additive decomposition of n predictions.

    The score of a class is the logarithm of its probability minus the mean over classes;
    positive contributions favour a class. ``start + features.sum(axis=2) +
    sum(others.values())`` equals `score`.

    Attributes
    ----------
    classes : ndarray, shape (k,)
    names : tuple of str
        The d features: named features, and those of members with contributions by feature.
        Pixels used only by a network are excluded.
    values : ndarray of float32, shape (n, d)
        Feature values; NaN if missing.
    features : ndarray of float64, shape (n, k, d)
        Contributions to the score of each class through boosted trees and linear members.
    others : dict of str to ndarray of float64, shape (n, k)
        Contributions of members that do not provide them by feature, by kind; and of the curves
        of an isotonic calibration, which is not linear, under `ISOTONIC`.
    start : ndarray of float64, shape (n, k)
        Score before any measurement, from class frequencies and calibration.
    score : ndarray of float64, shape (n, k)
    probabilities : ndarray of float64, shape (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.explain import Contributions
    >>> added = np.array([[[1.0, -0.2, 0.5], [-1.0, 0.2, -0.5]]])
    >>> contributions = Contributions(
    ...     classes=np.array(["disc", "smooth"]),
    ...     names=("hog.aligned.r0.o0", "shape.gini", "shape.axis_ratio"),
    ...     values=np.zeros((1, 3), np.float32),
    ...     features=added,
    ...     others={},
    ...     start=np.zeros((1, 2)),
    ...     score=added.sum(axis=2),
    ...     probabilities=np.array([[0.9, 0.1]]),
    ... )
    >>> {family: part.tolist() for family, part in contributions.by_family().items()}
    {'hog': [[1.0, -1.0]], 'shape': [[0.3, -0.3]]}
    """

    classes: NDArray[Any]
    names: tuple[str, ...]
    values: NDArray[np.float32]
    features: NDArray[np.float64]
    others: dict[str, NDArray[np.float64]]
    start: NDArray[np.float64]
    score: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    def by_family(self) -> dict[str, NDArray[np.float64]]:
        """Return the summed contributions of each family, each of shape (n, k)."""
        families = [name.split(".", 1)[0] for name in self.names]
        family_of_column = np.array(families)
        return {
            family: self.features[:, :, family_of_column == family].sum(axis=2)
            for family in dict.fromkeys(families)
        }


def contributions_of(
    classifier: GalaxyClassifier, table: FeatureTable, predictions: Predictions
) -> Contributions:
    """Return the contributions of features to the predictions of a classifier.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted.
    table : FeatureTable
        n galaxies measured by its extractor, without failed images.
    predictions : Predictions
        Its predictions for them.

    Raises
    ------
    DataError
        If the table lacks columns the classifier was fitted to.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat import load_model
    >>> from galfeat.data.simulation import simulate
    >>> from galfeat.explain import contributions_of
    >>> model = load_model("simulated")
    >>> table = model.extractor_.extract(simulate(2, seed=1).images)
    >>> contributions = contributions_of(model, table, model.classify_table(table))
    >>> contributions.score.shape, contributions.by_family()["shape"].shape
    ((2, 10), (2, 10))
    """
    ensemble, names = classifier.ensemble_, classifier.feature_names_
    X = classifier.classifier_features(table)
    filled = classifier.classifier_features(table, filled=True)
    n, k = len(X), len(classifier.classes_)
    probabilities = predictions.probabilities
    score = _centred(np.log(np.maximum(probabilities, np.finfo(float).tiny)))
    by_feature: list[tuple[NDArray[np.intp], NDArray[np.float64]]] = []
    others: dict[str, NDArray[np.float64]] = {}
    for index, (member, estimator, columns, weights) in enumerate(zip(
        ensemble.members, ensemble.members_, ensemble.columns_, ensemble.combination_.weights(),
        strict=True,
    )):  # fmt: skip
        parts = margin_parts(estimator, filled[:, columns])
        if parts is None:
            added = _centred(predictions.member_log_probabilities[:, index] @ weights)
            others[member.kind] = others.get(member.kind, 0.0) + added
        else:
            weighted = np.einsum("ncf,cd->ndf", parts[:, :, :-1], weights)
            by_feature.append((columns, _centred(weighted)))
    curved = ensemble.combination_.isotonic_part(predictions.member_log_probabilities)
    if curved is not None:
        others[ISOTONIC] = _centred(curved)
    named_columns = column_positions(tuple(classifier.quantiles_), names)
    kept = np.unique(np.concatenate([named_columns, *(columns for columns, _ in by_feature)]))
    features = np.zeros((n, k, len(kept)))
    for columns, added in by_feature:
        features[:, :, np.searchsorted(kept, columns)] += added
    start = score - features.sum(axis=2) - sum(others.values(), np.zeros((n, k)))
    return Contributions(
        classifier.classes_, tuple(names[column] for column in kept), X[:, kept], features, others,
        start, score, probabilities,
    )  # fmt: skip


def _centred(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Subtract the mean over the classes, the second axis."""
    result: NDArray[np.float64] = scores - scores.mean(axis=1, keepdims=True)
    return result
