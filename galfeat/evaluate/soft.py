"""Scores of class probabilities against fractions of votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import DataError
from galfeat.evaluate.intervals import (
    Interval,
    Scores,
    bootstrap,
    percentile_interval,
    reverse_percentile_interval,
)
from galfeat.evaluate.metrics import MIN_PROBABILITY, Floats
from galfeat.evaluate.splits import group_numbers

BINS = 15
#: On scores against single labels, where there are fractions.
MOST_VOTED_NOTE = (
    "The true class is the one with the most votes. Log loss and calibration error compare with "
    "it, although some volunteers chose other classes: a model that predicts the fractions "
    "exactly looks underconfident."
)
#: How each score is printed.
SOFT_NAMES = {
    "cross_entropy": "cross-entropy with vote fractions",
    "excess": "excess over the entropy of the votes",
    "calibration": "calibration error of fractions",
    "mean_difference": "mean difference from fractions",
}
_TOLERANCE = 1e-3


class FractionCurve(NamedTuple):
    """Bins of the predicted probability of each class, each array of shape (..., k, bins)."""

    rows: Floats
    predicted: Floats
    fraction: Floats


@dataclass(frozen=True)
class SoftEvaluation:
    """Scores of n galaxies against the fractions of their votes.

    Attributes
    ----------
    class_names : tuple of str
    galaxies : int
        Number of galaxies with predictions and fractions.
    scores : dict of str to Interval
        ``cross_entropy``; ``excess``, the cross-entropy minus the entropy of the fractions
        themselves, which no model can beat; ``calibration``, see `fraction_calibration_error`;
        ``mean_difference``, the mean absolute difference between probability and fraction over
        all classes.
    curve : FractionCurve
        Mean prediction and mean fraction in bins of each class, shape (k, bins).

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate import evaluate_fractions
    >>> votes = np.array([[0.8, 0.2], [0.1, 0.9], [0.5, 0.5]])
    >>> evaluate_fractions(votes, votes, ["disc", "smooth"]).scores["excess"].value
    0.0
    """

    class_names: tuple[str, ...]
    galaxies: int
    scores: dict[str, Interval]
    curve: FractionCurve

    def to_json(self) -> dict[str, object]:
        """Return the scores and the curve of each class."""
        return {
            "galaxies": self.galaxies,
            "scores": {name: interval.to_json() for name, interval in self.scores.items()},
            "calibration_curve": {
                name: {
                    field: [float(v) if np.isfinite(v) else None for v in values[number]]
                    for field, values in self.curve._asdict().items()
                }
                for number, name in enumerate(self.class_names)
            },
        }

    def to_text(self) -> str:
        """Return one line for each score."""
        lines = [f"{self.galaxies} galaxies with vote fractions"]
        lines += [
            f"  {SOFT_NAMES[key]:36} {score.value:.3f}  ({score.low:.3f} to {score.high:.3f})"
            for key, score in self.scores.items()
        ]
        return "\n".join(lines)


def evaluate_fractions(
    fractions: ArrayLike,
    probabilities: ArrayLike,
    class_names: Sequence[str],
    *,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> SoftEvaluation:
    """Score class probabilities against fractions of votes, with bootstrap intervals.

    Parameters
    ----------
    fractions : array_like, shape (n, k)
        Fractions of the votes; each row sums to one, or is NaN for a galaxy without votes.
    probabilities : array_like, shape (n, k)
        Class probabilities; each row sums to one, or is NaN for an image that failed.
    class_names : sequence of str, length k
    groups : array_like, shape (n,), optional
        Galaxies of one group are resampled together.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    SoftEvaluation
        Over the galaxies with both.

    Raises
    ------
    DataError
        If shapes differ, a row does not sum to one, or no galaxy has both.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate import evaluate_fractions
    >>> votes = np.array([[0.8, 0.2], [0.1, 0.9]])
    >>> scores = evaluate_fractions(votes, [[0.5, 0.5], [0.5, 0.5]], ["disc", "smooth"]).scores
    >>> round(scores["cross_entropy"].value, 3)
    0.693
    """
    votes, p = _checked(fractions, probabilities, len(class_names))
    both = ~(np.isnan(votes) | np.isnan(p)).any(axis=1)
    if not both.any():
        raise DataError(
            f"none of the {len(votes)} galaxies has both vote fractions and a prediction; check "
            "the columns 'p_CLASS' and the errors of the images"
        )
    numbers = None if groups is None else group_numbers(groups, len(votes))[both]
    votes, p = votes[both], p[both]
    own = entropy(votes)

    def measure(counts: Floats) -> Scores:
        total = counts.sum(axis=-1)
        crossed = soft_cross_entropy(votes, p, counts)
        return {
            "cross_entropy": crossed,
            "excess": crossed - counts @ own / total,
            "calibration": fraction_calibration_error(votes, p, counts),
            "mean_difference": counts @ np.abs(votes - p).mean(axis=1) / total,
        }

    values, samples = bootstrap(measure, len(votes), groups=numbers, seed=seed)
    # Resampling adds noise to the calibration error, which is never negative.
    interval_of = {"calibration": reverse_percentile_interval}
    scores = {
        name: interval_of.get(name, percentile_interval)(value, samples[name])
        for name, value in values.items()
    }
    return SoftEvaluation(tuple(class_names), len(votes), scores, fraction_curve(votes, p))


def entropy(fractions: Floats) -> Floats:
    """Return the entropy of each galaxy's votes in nats, shape (n,); 0 if all agree."""
    result: Floats = -(fractions * np.log(np.maximum(fractions, MIN_PROBABILITY))).sum(axis=1)
    return np.maximum(result, 0.0)


def soft_cross_entropy(
    fractions: Floats, probabilities: Floats, counts: Floats | None = None
) -> Floats:
    """Return the mean cross-entropy of probabilities and fractions, in nats.

    Equals `galfeat.evaluate.metrics.log_loss` if all votes agree.

    Parameters
    ----------
    fractions, probabilities : ndarray, shape (n, k)
        Each row sums to one. Probabilities are clipped to at least 2.2e-16.
    counts : ndarray, shape (..., n), optional
        Number of times each row counts; once by default.

    Returns
    -------
    ndarray, shape (...)
    """
    counts = np.ones(len(fractions)) if counts is None else counts
    losses = -(fractions * np.log(np.maximum(probabilities, MIN_PROBABILITY))).sum(axis=1)
    mean: Floats = counts @ losses / counts.sum(axis=-1)
    return mean


def fraction_curve(
    fractions: Floats, probabilities: Floats, counts: Floats | None = None, bins: int = BINS
) -> FractionCurve:
    """Return the mean fraction as a function of the predicted probability, for each class.

    Parameters
    ----------
    fractions, probabilities : ndarray, shape (n, k)
    counts : ndarray, shape (..., n), optional
        Number of times each row counts; once by default.
    bins : int
        Number of bins of equal width from 0 to 1.

    Returns
    -------
    FractionCurve
        Rows, mean probability and mean fraction of each bin; means of empty bins are NaN.
    """
    n, k = probabilities.shape
    counts = np.ones(n) if counts is None else counts
    index = np.minimum((probabilities * bins).astype(int), bins - 1)
    sums = np.zeros((3, *counts.shape[:-1], k, bins))
    for number in range(k):
        member = np.zeros((n, bins))
        member[np.arange(n), index[:, number]] = 1.0
        for field, values in enumerate(
            (np.ones(n), probabilities[:, number], fractions[:, number])
        ):
            sums[field, ..., number, :] = counts @ (member * values[:, None])
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(sums[0] > 0, sums[1:] / sums[0], np.nan)
    return FractionCurve(sums[0], means[0], means[1])


def fraction_calibration_error(
    fractions: Floats, probabilities: Floats, counts: Floats | None = None, bins: int = BINS
) -> Floats:
    """Return the mean difference between predicted probability and fraction over bins.

    The classwise calibration error (Kull et al. 2019, NeurIPS 32), with fractions of votes in
    place of labels: for each class, the absolute differences of `fraction_curve` weighted by
    rows; then the mean over classes.

    Returns
    -------
    ndarray, shape (...)
        From 0 to 1.
    """
    curve = fraction_curve(fractions, probabilities, counts, bins)
    differences = np.nan_to_num(np.abs(curve.predicted - curve.fraction)) * curve.rows
    errors: Floats = (differences.sum(axis=-1) / curve.rows.sum(axis=-1)).mean(axis=-1)
    return errors


def _checked(
    fractions: ArrayLike, probabilities: ArrayLike, k: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    votes = np.asarray(fractions, dtype=np.float64)
    p = np.asarray(probabilities, dtype=np.float64)
    if votes.shape != p.shape or votes.ndim != 2 or votes.shape[1] != k:
        raise DataError(
            f"the fractions have shape {votes.shape} and the probabilities {p.shape}; expected "
            f"the same number of rows and {k} classes"
        )
    for name, table in (("fractions", votes), ("probabilities", p)):
        rows = table[~np.isnan(table).any(axis=1)]
        if len(rows) and (np.abs(rows.sum(axis=1) - 1).max() > _TOLERANCE or rows.min() < 0):
            raise DataError(
                f"a row of the {name} does not sum to one, or is negative; expected {name} of at "
                "least 0 that sum to one, or NaN"
            )
    return votes, p
