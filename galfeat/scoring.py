"""Score a fitted model on a data set: which rows count, which class is which, what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from galfeat.ensemble import decide
from galfeat.errors import DataError
from galfeat.evaluate.evaluation import OTHER_DECISION, Evaluation, evaluate_predictions

if TYPE_CHECKING:
    from galfeat.classifier import GalaxyClassifier, Predictions
    from galfeat.data import DataSet


def true_classes(dataset: DataSet, classes: NDArray[np.str_]) -> NDArray[np.intp]:
    """Return the true class of each row as an index into a model's classes.

    Parameters
    ----------
    dataset : DataSet
        Every row has a label.
    classes : ndarray of str, shape (k,)
        The classes a model knows.

    Raises
    ------
    DataError
        If a row has a class that the model does not know.
    """
    place = {str(name): index for index, name in enumerate(classes)}
    names = [dataset.class_names[label] for label in dataset.labels]
    unknown = sorted(set(names) - place.keys())
    if unknown:
        raise DataError(
            f"the data have the class {unknown[0]!r} in {dataset.label_column!r}, which the model "
            f"does not know; it knows {', '.join(place)}: name another column with --label"
        )
    return np.array([place[name] for name in names], dtype=np.intp)


def score_predictions(
    classifier: GalaxyClassifier,
    predictions: Predictions,
    truth: NDArray[np.intp],
    dataset: DataSet,
    *,
    seed: int = 0,
) -> Evaluation:
    """Score what a classifier said of the rows of a data set.

    Parameters
    ----------
    classifier : GalaxyClassifier
        The one that made `predictions`.
    predictions : Predictions
        For the n rows of `dataset`.
    truth : ndarray of int, shape (n,)
        As from `true_classes`.
    dataset : DataSet
        Gives the sources, and the groups that are resampled together.
    seed : int
        Seed of the bootstrap.
    """
    rule = classifier.recipe_.decision
    return evaluate_predictions(
        truth,
        predictions.probabilities,
        predictions.predicted,
        decide(predictions.probabilities, classifier.priors_, OTHER_DECISION[rule]),
        [str(name) for name in predictions.classes],
        sources=dataset.sources,
        groups=dataset.groups,
        seed=seed,
        rule=rule,
    )


def rows_to_score(
    digests: NDArray[np.uint8],
    training: NDArray[np.uint8],
    held_out: NDArray[np.uint8],
) -> NDArray[np.intp]:
    """Choose the rows of a data set that a model may be scored on.

    Parameters
    ----------
    digests : ndarray of uint8, shape (n, 16)
        `galfeat.data.pixel_digest` of each image.
    training, held_out : ndarray of uint8, shape (m, 16)
        Digests of the images the model was fitted to, and of those held out.

    Returns
    -------
    ndarray of intp
        All rows where the model has seen none; the rows held out where the data set is
        made of training rows and rows held out alone.

    Raises
    ------
    DataError
        If there are training rows in any other mixture.
    """
    seen, kept_back = (_among(digests, known) for known in (training, held_out))
    if not seen.any():
        return np.arange(len(digests))
    if kept_back.any() and (seen | kept_back).all():
        return np.flatnonzero(kept_back)
    raise DataError(
        f"{np.count_nonzero(seen)} of {len(digests)} images were used to fit this model, and a "
        "score on them would be too good: give other images, or --include-training to score all"
    )


def _among(digests: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell for each digest whether it is one of those known, shape (n,)."""
    known_digests = {digest.tobytes() for digest in known}
    return np.array([digest.tobytes() in known_digests for digest in digests], dtype=np.bool_)
