"""What each feature adds to the score of each class, so that the sum is the prediction."""

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

#: The kinds of members whose evidence has no names, as they are called in words.
UNNAMED = {
    "extra-trees": "extremely randomised trees", "random-forest": "a random forest",
    "balanced-forest": "a balanced forest", "svm": "a support vector machine",
    "network": "a small network", "cnn": "a convolutional network",
    # Alone they have names; the mean of the bags of balanced bagging has none.
    "lightgbm": "bags of boosted trees", "xgboost": "bags of boosted trees",
    "logistic": "bags of linear models",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Contributions:
    """An exact account of n predictions.

    The score of a class is the logarithm of its probability, less the mean of these over the
    classes: above 0 speaks for a class, below 0 against it. ``start + features.sum(axis=2) +
    sum(others.values())`` is `score`.

    Attributes
    ----------
    classes : ndarray, shape (k,)
    names : tuple of str
        The d features: those that have names of their own, or that a member was given which can
        say what each adds. Pixels that only a network sees are none.
    values : ndarray of float32, shape (n, d)
        Their values; NaN where one is missing.
    features : ndarray of float64, shape (n, k, d)
        What each adds to the score of each class, through boosted trees and linear members.
    others : dict of str to ndarray of float64, shape (n, k)
        What members add that cannot say which feature it was, by kind.
    start : ndarray of float64, shape (n, k)
        The score before anything was measured: how common the classes are, and calibration.
    score : ndarray of float64, shape (n, k)
    probabilities : ndarray of float64, shape (n, k)
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
        """Return the sum over the features of each family, shape (n, k)."""
        of = np.array([name.split(".", 1)[0] for name in self.names])
        return {
            family: self.features[:, :, of == family].sum(axis=2) for family in dict.fromkeys(of)
        }


def contributions_of(
    classifier: GalaxyClassifier, table: FeatureTable, said: Predictions
) -> Contributions:
    """Say what each feature adds to the scores of a fitted classifier.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted.
    table : FeatureTable
        n galaxies, none of them a failed image, measured by its extractor.
    said : Predictions
        What it says of them.

    Raises
    ------
    DataError
        If the table lacks columns the classifier was fitted on.
    """
    ensemble, names = classifier.ensemble_, classifier.feature_names_
    X = classifier.classifier_features(table)
    n, k = len(X), len(classifier.classes_)
    probabilities = said.probabilities
    score = _centred(np.log(np.maximum(probabilities, np.finfo(float).tiny)))
    told: list[tuple[NDArray[np.intp], NDArray[np.float64]]] = []
    others: dict[str, NDArray[np.float64]] = {}
    for place, (member, estimator, columns, weights) in enumerate(zip(
        ensemble.members, ensemble.members_, ensemble.columns_, ensemble.combination_.weights(),
        strict=True,
    )):  # fmt: skip
        parts = margin_parts(estimator, X[:, columns])
        if parts is None:
            added = _centred(said.member_log_probabilities[:, place] @ weights)
            others[member.kind] = others.get(member.kind, 0.0) + added
        else:
            named = np.einsum("ncf,cd->ndf", parts[:, :, :-1], weights)
            told.append((columns, _centred(named)))
    named_columns = column_positions(tuple(classifier.quantiles_), names)
    kept = np.unique(np.concatenate([named_columns, *(columns for columns, _ in told)]))
    features = np.zeros((n, k, len(kept)))
    for columns, added in told:
        features[:, :, np.searchsorted(kept, columns)] += added
    start = score - features.sum(axis=2) - sum(others.values(), np.zeros((n, k)))
    return Contributions(
        classifier.classes_, tuple(names[column] for column in kept), X[:, kept], features, others,
        start, score, probabilities,
    )  # fmt: skip


def _centred(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the mean over the classes, the second axis, away."""
    result: NDArray[np.float64] = scores - scores.mean(axis=1, keepdims=True)
    return result
