"""Scores of predicted classes and class probabilities.

Every score takes the number of times each row counts. Counts of one give the score of the
data; many sets of random counts at once give its bootstrap distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.integer]

LABEL_METRICS = ("accuracy", "balanced_accuracy", "macro_f1")
#: How each metric is printed.
METRIC_NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "log_loss": "log loss",
    "ece": "calibration error",
}
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
        """Return the scores, of shape (k,), by class name, with None where undefined."""
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
    """Equal-count bins of the largest class probability, each array of shape (..., bins)."""

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
        Number of times each row counts; once by default.

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
    """Return precision, recall, F1 and support of each class.

    Parameters
    ----------
    confusion : ndarray, shape (..., k, k)
        From `confusion_matrix`.

    Returns
    -------
    PerClass
        NaN for the precision of classes never predicted, the recall of classes without
        true rows, and the F1 of classes with neither.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    support, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    return PerClass(
        precision=_ratio(hits, predicted),
        recall=_ratio(hits, support),
        f1=_ratio(2 * hits, support + predicted),
        support=support,
    )


def label_metrics(confusion: Floats) -> dict[str, Floats]:
    """Return accuracy, balanced accuracy and macro-F1, defined as in scikit-learn.

    Parameters
    ----------
    confusion : ndarray, shape (..., k, k)
        From `confusion_matrix`.

    Returns
    -------
    dict of str to ndarray, shape (...)
        `accuracy`; `balanced_accuracy`, the mean recall of the classes with true rows
        (Brodersen et al. 2010, ICPR); `macro_f1`, the mean F1 of the classes with true or
        predicted rows. NaN if all counts are zero.
    """
    scores = per_class(confusion)
    hits = np.trace(confusion, axis1=-2, axis2=-1)
    return {
        "accuracy": _ratio(hits, confusion.sum(axis=(-2, -1))),
        "balanced_accuracy": _mean_of_defined(scores.recall),
        "macro_f1": _mean_of_defined(scores.f1),
    }


def log_loss(truth: Integers, probabilities: Floats, counts: Floats | None = None) -> Floats:
    """Return the mean negative log-probability of the true class, in nats.

    Parameters
    ----------
    truth : ndarray of int, shape (n,)
        Class indices.
    probabilities : ndarray, shape (n, k)
        Class probabilities; each row sums to one. They are clipped to at least 2.2e-16 (the
        machine epsilon of float64, as in scikit-learn), which limits the loss of a row to 36
        nats.
    counts : ndarray, shape (..., n), optional
        Number of times each row counts; once by default.

    Returns
    -------
    ndarray, shape (...)
        Non-negative; NaN if all counts are zero.
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
    """Return the accuracy of the most probable class as a function of its probability.

    Rows are sorted by their largest probability and divided into bins of equal count; the
    first bins have one more row if necessary, as in `numpy.array_split`. Tied rows at a bin
    edge are shared proportionally between both bins, so the order of the rows is irrelevant.

    Parameters
    ----------
    truth : ndarray of int, shape (n,)
        Class indices.
    probabilities : ndarray, shape (n, k)
        Class probabilities.
    counts : ndarray of whole numbers, shape (..., n), optional
        Number of times each row counts; once by default.
    bins : int
        Number of bins.

    Returns
    -------
    Reliability
        Rows, mean confidence and accuracy of each bin. With fewer rows than bins, the last
        bins are empty and their means NaN.
    """
    counts = _once(counts, len(truth))
    confidence, row_value = np.unique(np.max(probabilities, axis=1), return_inverse=True)
    correct = np.argmax(probabilities, axis=1) == truth
    order = np.argsort(row_value, kind="stable")
    start = np.searchsorted(row_value[order], np.arange(len(confidence)))
    sets = counts.reshape(-1, len(truth))[:, order]
    weight = _add_up(np.add.reduceat(sets, start, axis=1))
    right = _add_up(np.add.reduceat(sets * correct[order], start, axis=1))
    summed_confidence = _add_up(np.diff(weight, axis=1) * confidence)
    cut = np.empty((3, len(sets), bins + 1))
    for number, total in enumerate(weight[:, -1]):
        edges = _edges(int(total), bins)
        cut[0, number] = edges
        cut[1, number] = np.interp(edges, weight[number], summed_confidence[number])
        cut[2, number] = np.interp(edges, weight[number], right[number])
    rows, confidences, hits = np.diff(cut, axis=2).reshape(3, *counts.shape[:-1], bins)
    return Reliability(rows, _ratio(confidences, rows), _ratio(hits, rows))


def expected_calibration_error(
    truth: Integers,
    probabilities: Floats,
    counts: Floats | None = None,
    bins: int = CALIBRATION_BINS,
) -> Floats:
    """Return the mean absolute difference between confidence and accuracy over bins.

    For the most probable class, with the equal-count bins of `reliability`, weighted by their
    rows (Naeini, Cooper and Hauskrecht 2015, AAAI; Nguyen and O'Connor 2015, EMNLP). Even a
    perfectly calibrated model scores above zero on finite data: see `chance_ece`.

    Parameters
    ----------
    truth, probabilities, counts, bins
        As for `reliability`.

    Returns
    -------
    ndarray, shape (...)
        0 to 1; NaN if all counts are zero.
    """
    curve = reliability(truth, probabilities, counts, bins)
    distance = np.abs(curve.confidence - curve.accuracy) * curve.rows
    return _ratio(np.nansum(distance, axis=-1), curve.rows.sum(axis=-1))


def chance_ece(
    probabilities: Floats, seed: int = 0, draws: int = 200, bins: int = CALIBRATION_BINS
) -> Floats:
    """Return calibration errors of a perfectly calibrated model, due to chance alone.

    Parameters
    ----------
    probabilities : ndarray, shape (n, k)
        Class probabilities, at least one row.
    seed : int
        Seed of the draws.
    draws : int
        Number of sets of true classes drawn.
    bins : int
        Number of bins.

    Returns
    -------
    ndarray, shape (draws,)
        `expected_calibration_error` with the true class of each row drawn from its
        probabilities.
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
    """Return part / whole, NaN where the whole is zero."""
    quotient: Floats = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=quotient, where=whole > 0)
    return quotient


def _mean_of_defined(values: Floats) -> Floats:
    """Return the mean over the last axis, ignoring NaN; NaN if all are NaN."""
    defined = np.isfinite(values)
    return _ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1).astype(float))


def _add_up(values: Floats) -> Floats:
    """Return the cumulative sums of each row, starting with zero."""
    sums = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums


def _edges(total: int, bins: int) -> NDArray[np.int_]:
    """Return the cumulative bin sizes of ``numpy.array_split``."""
    size, longer = divmod(total, bins)
    sizes = np.where(np.arange(bins) < longer, size + 1, size)
    return np.append(0, np.cumsum(sizes))
