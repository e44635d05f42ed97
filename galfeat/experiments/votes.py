"""Fit and score models on fractions of volunteers' votes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.catalogue import VoteFractions
from galfeat.errors import DataError
from galfeat.evaluate.soft import SoftEvaluation, evaluate_fractions

if TYPE_CHECKING:
    from galfeat.data import DataSet
    from galfeat.predictions import Predictions


def with_votes(dataset: DataSet, votes: VoteFractions) -> DataSet:
    """Return the galaxies with fractions of votes, labelled by the class with the most votes.

    Parameters
    ----------
    dataset : DataSet
        n galaxies. Its `label_column` remains.
    votes : VoteFractions
        Of the same galaxies.

    Returns
    -------
    DataSet
        Labels are the first class in a tie. `skipped` is the number of rows without fractions.

    Raises
    ------
    DataError
        If no row has fractions.
    """
    known = votes.known()
    if not known.any():
        raise DataError(
            f"none of the {len(dataset)} rows has fractions of votes; expected numbers in the "
            "columns 'p_CLASS' of the table: write them with `galfeat data label-votes`"
        )
    labels = np.where(known, largest_class(np.nan_to_num(votes.fractions)), -1)
    return dataset.relabelled(labels, votes.class_names).labelled()


def largest_class(fractions: ArrayLike, *, min_galaxies: int = 1) -> NDArray[np.intp]:
    """Return the class with the largest fraction of each galaxy, shape (n,).

    Parameters
    ----------
    fractions : array_like of float, shape (n, k)
    min_galaxies : int
        Classes that are the largest of fewer galaxies are left out, so that each class that
        remains can be on both sides of a split.

    Examples
    --------
    >>> from galfeat.experiments.votes import largest_class
    >>> fractions = [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.7, 0.3, 0.0], [0.1, 0.3, 0.6]]
    >>> largest_class(fractions).tolist()
    [0, 1, 0, 2]
    >>> largest_class(fractions + [[0.0, 1.0, 0.0]], min_galaxies=2).tolist()
    [0, 1, 0, 1, 1]
    """
    remaining = np.array(fractions, dtype=np.float64)
    while True:
        labels: NDArray[np.intp] = remaining.argmax(axis=1)
        counts = np.bincount(labels, minlength=remaining.shape[1])
        rare = (counts > 0) & (counts < min_galaxies)
        if not rare.any() or np.isinf(remaining).all():
            return labels
        remaining[:, rare] = -np.inf


def score_votes(
    predictions: Predictions,
    votes: VoteFractions,
    *,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> SoftEvaluation:
    """Score the probabilities of a model against fractions of votes.

    Parameters
    ----------
    predictions : Predictions
        Of n galaxies.
    votes : VoteFractions
        Of the same galaxies. The model predicts classes that it was not fitted to with a
        probability of 0.
    groups : array_like, shape (n,), optional
        Galaxies of one group are resampled together.
    seed : int
        Seed of the bootstrap.

    Raises
    ------
    DataError
        If no galaxy has both fractions and a class.
    """
    known = [str(name) for name in predictions.classes]
    names = [*known, *(name for name in votes.class_names if name not in known)]
    n = len(predictions)
    probabilities, fractions = np.zeros((n, len(names))), np.zeros((n, len(names)))
    probabilities[:, : len(known)] = predictions.probabilities
    fractions[:, [names.index(name) for name in votes.class_names]] = votes.fractions
    return evaluate_fractions(fractions, probabilities, names, groups=groups, seed=seed)
