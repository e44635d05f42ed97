"""Scores of class labels and of class probabilities.

Every score takes how often each row counts. Counts of one give the score itself;
counts drawn at random, many sets at once, give its bootstrap distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.integer]

LABEL_METRICS = ("accuracy", "balanced_accuracy", "macro_f1")
PROBABILITY_METRICS = ("log_loss", "ece")
METRICS = LABEL_METRICS + PROBABILITY_METRICS

CALIBRATION_BINS = 15
MIN_PROBABILITY = float(np.finfo(np.float64).eps)


class PerClass(NamedTuple):
    """Scores of each class against the rest, each of shape (..., k); NaN where undefined."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: Floats

    def to_json(self, classes: Sequence[str]) -> dict[str, dict[str, float | int | None]]:
        """Return the scores of each class by name, None where undefined; for shape (k,)."""
        return {
            name: {
                "precision": _finite(self.precision[number]),
                "recall": _finite(self.recall[number]),
                "f1": _finite(self.f1[number]),
                "support": round(float(self.support[number])),
            }
            for number, name in enumerate(classes)
        }


class Reliability(NamedTuple):
    """Equal-count bins of the top label's probability, each array of shape (..., bins)."""

    rows: Floats
    confidence: Floats
    accuracy: Floats


def confusion_matrix(
    truth: Integers, predicted: Integers, n_classes: int, counts: Floats | None = None
) -> Floats:
    """Count rows by true and predicted class.

    Parameters
    ----------
    truth, predicted : ndarray of int, shape (n,)
        Class indices, 0 to ``n_classes - 1``.
    n_classes : int
        Number of classes, k.
    counts : ndarray, shape (..., n), optional
        How often each row counts; once by default.

    Returns
    -------
    ndarray, shape (..., k, k)
        True class by row, predicted class by column.
    """
    counts = _once(counts, len(truth))
    cell = np.asarray(truth) * n_classes + np.asarray(predicted)
    order = np.argsort(cell, kind="stable")
    filled, start = np.unique(cell[order], return_index=True)
    matrix = np.zeros((*counts.shape[:-1], n_classes * n_classes))
    if len(filled):
        matrix[..., filled] = np.add.reduceat(counts[..., order], start, axis=-1)
    return matrix.reshape(*counts.shape[:-1], n_classes, n_classes)


def per_class(confusion: Floats) -> PerClass:
    """Precision, recall, F1 and support of each class.

    Parameters
    ----------
    confusion : ndarray, shape (..., k, k)
        As from `confusion_matrix`.

    Returns
    -------
    PerClass
        Precision of a class that was never predicted, recall of a class that is
        never true, and F1 of a class that is neither are NaN.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    support, named = confusion.sum(axis=-1), confusion.sum(axis=-2)
    return PerClass(
        precision=_ratio(hits, named),
        recall=_ratio(hits, support),
        f1=_ratio(2 * hits, support + named),
        support=support,
    )


def label_metrics(confusion: Floats) -> dict[str, Floats]:
    """Accuracy, balanced accuracy and macro-F1.

    Parameters
    ----------
    confusion : ndarray, shape (..., k, k)
        As from `confusion_matrix`.

    Returns
    -------
    dict of str to ndarray, shape (...)
        `accuracy`; `balanced_accuracy`, the mean recall of the classes that are
        among the true ones (Brodersen et al. 2010, ICPR); `macro_f1`, the mean F1 of
        the classes that are among the true or the predicted ones. The same as
        scikit-learn's. NaN if no row counts.
    """
    scores = per_class(confusion)
    hits = np.trace(confusion, axis1=-2, axis2=-1)
    return {
        "accuracy": _ratio(hits, confusion.sum(axis=(-2, -1))),
        "balanced_accuracy": _mean_of_defined(scores.recall),
        "macro_f1": _mean_of_defined(scores.f1),
    }


def log_loss(truth: Integers, probabilities: Floats, counts: Floats | None = None) -> Floats:
    """Mean negative logarithm of the true class's probability, in nats.

    Parameters
    ----------
    truth : ndarray of int, shape (n,)
        Class indices.
    probabilities : ndarray, shape (n, k)
        Class probabilities; each row sums to one. Those below 2.2e-16 (the spacing of
        float64 at one, as in scikit-learn) count as that, so that one row costs at
        most 36 nats.
    counts : ndarray, shape (..., n), optional
        How often each row counts; once by default.

    Returns
    -------
    ndarray, shape (...)
        Zero or more; NaN if no row counts.
    """
    counts = _once(counts, len(truth))
    of_truth = np.asarray(probabilities, dtype=np.float64)[np.arange(len(truth)), truth]
    losses = -np.log(np.maximum(of_truth, MIN_PROBABILITY))
    return _ratio(counts @ losses, counts.sum(axis=-1))


def reliability(
    truth: Integers,
    probabilities: Floats,
    counts: Floats | None = None,
    bins: int = CALIBRATION_BINS,
) -> Reliability:
    """How often the most probable class is right, by its probability.

    The rows are sorted by their largest probability and cut into bins of equal count;
    the first bins hold one row more where the number is not divisible, as in
    `numpy.array_split`. Rows of equal probability on an edge are shared between its
    two bins in proportion, so that the order of the rows does not matter.

    Parameters
    ----------
    truth : ndarray of int, shape (n,)
        Class indices.
    probabilities : ndarray, shape (n, k)
        Class probabilities.
    counts : ndarray of whole numbers, shape (..., n), optional
        How often each row counts; once by default.
    bins : int
        Number of bins.

    Returns
    -------
    Reliability
        Rows, mean confidence and accuracy of each bin. The last bins are empty, and
        their means NaN, if there are fewer rows than bins.
    """
    counts = _once(counts, len(truth))
    confidence, row_value = np.unique(np.max(probabilities, axis=1), return_inverse=True)
    correct = np.argmax(probabilities, axis=1) == truth
    order = np.argsort(row_value, kind="stable")
    start = np.searchsorted(row_value[order], np.arange(len(confidence)))
    sets = counts.reshape(-1, len(truth))[:, order]
    weight = _add_up(np.add.reduceat(sets, start, axis=1))
    right = _add_up(np.add.reduceat(sets * correct[order], start, axis=1))
    trust = _add_up(np.diff(weight, axis=1) * confidence)
    cut = np.empty((3, len(sets), bins + 1))
    for number, total in enumerate(weight[:, -1]):
        edges = _edges(int(total), bins)
        cut[0, number] = edges
        cut[1, number] = np.interp(edges, weight[number], trust[number])
        cut[2, number] = np.interp(edges, weight[number], right[number])
    count, trusted, hit = np.diff(cut, axis=2).reshape(3, *counts.shape[:-1], bins)
    return Reliability(count, _ratio(trusted, count), _ratio(hit, count))


def expected_calibration_error(
    truth: Integers,
    probabilities: Floats,
    counts: Floats | None = None,
    bins: int = CALIBRATION_BINS,
) -> Floats:
    """Mean distance between confidence and accuracy over equal-count bins.

    For the top label, with the bins of `reliability`, weighted by their rows (Naeini,
    Cooper and Hauskrecht 2015, AAAI; Nguyen and O'Connor 2015, EMNLP). A perfectly
    calibrated model still measures more than zero on few rows: see `chance_ece`.

    Parameters
    ----------
    truth, probabilities, counts, bins
        As in `reliability`.

    Returns
    -------
    ndarray, shape (...)
        0 to 1; NaN if no row counts.
    """
    curve = reliability(truth, probabilities, counts, bins)
    distance = np.abs(curve.confidence - curve.accuracy) * curve.rows
    return _ratio(np.nansum(distance, axis=-1), curve.rows.sum(axis=-1))


def chance_ece(
    probabilities: Floats, seed: int = 0, draws: int = 200, bins: int = CALIBRATION_BINS
) -> Floats:
    """Calibration errors that chance alone gives a perfectly calibrated model.

    Parameters
    ----------
    probabilities : ndarray, shape (n, k)
        Class probabilities, at least one row.
    seed : int
        Same seed, same result.
    draws : int
        How many sets of true classes are drawn.
    bins : int
        Number of bins.

    Returns
    -------
    ndarray, shape (draws,)
        `expected_calibration_error` where the true class of each row is drawn from
        the row's own probabilities.
    """
    rng = np.random.default_rng(seed)
    top, confidence = np.argmax(probabilities, axis=1), np.max(probabilities, axis=1)
    errors = [
        expected_calibration_error(
            np.where(rng.random(len(top)) < confidence, top, -1), probabilities, bins=bins
        )
        for _ in range(draws)
    ]
    return np.array(errors)


def _finite(number: np.float64) -> float | None:
    return float(number) if np.isfinite(number) else None


def _once(counts: Floats | None, n: int) -> Floats:
    return np.ones(n) if counts is None else np.asarray(counts, dtype=np.float64)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Part over whole, NaN where the whole is zero."""
    quotient: Floats = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=quotient, where=whole > 0)
    return quotient


def _mean_of_defined(values: Floats) -> Floats:
    """Mean over the last axis of what is not NaN; NaN if nothing is left."""
    defined = np.isfinite(values)
    return _ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1).astype(float))


def _add_up(values: Floats) -> Floats:
    """Cumulative sums of each row, with a zero in front."""
    sums = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums


def _edges(total: int, bins: int) -> NDArray[np.int_]:
    """Cumulative bin sizes of ``numpy.array_split``."""
    size, longer = divmod(total, bins)
    sizes = np.where(np.arange(bins) < longer, size + 1, size)
    return np.append(0, np.cumsum(sizes))
