"""What each feature adds to the margins of a fitted member: exact for boosters and linear ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from galfeat.ensemble.balance import Floats, Table
from galfeat.ensemble.scaling import MedianScaler
from galfeat.pipeline.members import Estimator


def margin_parts(estimator: Estimator, X: Table) -> Floats | None:
    """Return what features add to the margins of a member, or None if it cannot be told.

    The margins are the scores whose softmax are the member's probabilities.

    Parameters
    ----------
    estimator : object
        A fitted member for k classes.
    X : ndarray of float32, shape (n, d)

    Returns
    -------
    ndarray of float64, shape (n, k, d + 1), or None
        The last entry is where the margin starts, before any feature; the sum is the margin.
        Of boosted trees the path-dependent Shapley values of Lundberg et al. 2020, Nature
        Machine Intelligence 2, 56; of a logistic regression its terms, which are 0 at the
        median of the training rows.
    """
    if isinstance(estimator, Pipeline) and isinstance(estimator.steps[0][1], MedianScaler):
        scaled = estimator.steps[0][1].transform(X)
        last = estimator.steps[-1][1]
        if isinstance(last, LogisticRegression):
            return _of_linear(last, scaled)
        return margin_parts(last, scaled.astype(np.float32))
    kind = type(estimator).__name__
    if kind == "LightGBM":
        return _of_lightgbm(estimator, X)
    if kind == "XGBoost":
        return _of_xgboost(estimator, X)
    return None


def _of_lightgbm(estimator: Any, X: Table) -> Floats:  # noqa: ANN401
    parts = estimator.booster_.predict(X, pred_contrib=True, num_threads=1)
    return _of_two_or_more(np.asarray(parts, np.float64).reshape(len(X), -1, X.shape[1] + 1))


def _of_xgboost(estimator: Any, X: Table) -> Floats:  # noqa: ANN401
    from xgboost import DMatrix

    parts = estimator.get_booster().predict(DMatrix(X, nthread=1), pred_contribs=True)
    return _of_two_or_more(np.asarray(parts, np.float64).reshape(len(X), -1, X.shape[1] + 1))


def _of_linear(estimator: LogisticRegression, X: Floats) -> Floats:
    terms = X[:, None, :] * estimator.coef_
    start = np.broadcast_to(estimator.intercept_[None, :, None], (*terms.shape[:2], 1))
    return _of_two_or_more(np.concatenate([terms, start], axis=2))


def _of_two_or_more(parts: Floats) -> Floats:
    """Return parts for both of two classes, where there is one margin for the second."""
    if parts.shape[1] > 1:
        return parts
    both: Floats = np.concatenate([-parts, parts], axis=1) / 2.0
    return both
