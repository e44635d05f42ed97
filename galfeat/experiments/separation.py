"""Whether a classifier can tell two data sets apart: a test of all features together."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from galfeat.evaluate.intervals import LEVEL, Interval

#: Minimum number of images of each data set, and maximum: more do not change the result.
FEWEST, MOST = 10, 1000
FOLDS, TREES = 5, 200


@dataclass(frozen=True, eq=False)
class Separation:
    """How well a random forest tells data set A from B, out of fold.

    Attributes
    ----------
    area : Interval
        Area under the ROC curve, 0.5 for equal sets, with its 95 % interval.
    rows_a, rows_b : ndarray of int
        Rows of A and B that took part, those assigned most confidently to their own set first.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.experiments.separation import separate
    >>> rng = np.random.default_rng(0)
    >>> separate(rng.normal(0, 1, (50, 3)), rng.normal(4, 1, (50, 3))).area.value > 0.99
    True
    """

    area: Interval
    rows_a: NDArray[np.intp]
    rows_b: NDArray[np.intp]


def separate(
    a: NDArray[np.floating], b: NDArray[np.floating], *, seed: int = 0, n_jobs: int = 1
) -> Separation | None:
    """Return how well a classifier tells two data sets apart; None with fewer than ten images.

    A classifier two-sample test (Lopez-Paz & Oquab 2017): unlike tests of one feature, it finds
    differences in their combination. Five-fold cross-validation; at most 1,000 random images of
    each set.

    Parameters
    ----------
    a, b : ndarray of float, shape (n, d) and (m, d)
        Features, the same columns in both. NaN for missing values, which are replaced by medians.
    seed : int
        Seed of the forest, the folds and the selection.
    n_jobs : int
        Number of threads. The result does not depend on it.

    Returns
    -------
    Separation or None
        The interval of the area is that of Hanley & McNeil 1982.
    """
    if min(len(a), len(b)) < FEWEST:
        return None
    rng = np.random.default_rng(seed)
    rows = [np.sort(rng.permutation(len(x))[:MOST]) for x in (a, b)]
    features = np.concatenate([x[own] for x, own in zip((a, b), rows, strict=True)])
    is_b = np.repeat([0, 1], list(map(len, rows)))
    forest = RandomForestClassifier(
        n_estimators=TREES, min_samples_leaf=2, class_weight="balanced", random_state=seed,
        n_jobs=n_jobs,
    )  # fmt: skip
    model = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), forest)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # medians of columns without values
        probability = cross_val_predict(model, features, is_b, cv=folds, method="predict_proba")
    of_b = np.round(probability[:, 1], 12)
    n_a = len(rows[0])
    order_a, order_b = np.argsort(of_b[:n_a], kind="stable"), np.argsort(-of_b[n_a:], kind="stable")
    area = _interval(float(roc_auc_score(is_b, of_b)), n_a, len(rows[1]))
    return Separation(area, rows[0][order_a], rows[1][order_b])


def _interval(area: float, n_a: int, n_b: int) -> Interval:
    """Return the area with its interval (Hanley & McNeil 1982)."""
    q1, q2 = area / (2.0 - area), 2.0 * area**2 / (1.0 + area)
    variance = (area * (1.0 - area) + (n_b - 1) * (q1 - area**2) + (n_a - 1) * (q2 - area**2)) / (
        n_a * n_b
    )
    half = float(norm.ppf(0.5 + 0.5 * LEVEL)) * math.sqrt(max(variance, 0.0))
    return Interval(area, max(area - half, 0.0), min(area + half, 1.0))
