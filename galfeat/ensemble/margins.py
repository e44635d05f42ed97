"""Contributions of features to a member's margins, exact for boosted trees and linear models."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from galfeat.ensemble.balance import Floats, Table
from galfeat.ensemble.scaling import MedianScaler
from galfeat.pipeline.members import Estimator


def margin_parts(estimator: Estimator, X: Table) -> Floats | None:
    """Return the contributions of features to a member's margins, or None if not available.

    The softmax of the margins gives the member's probabilities.

    Parameters
    ----------
    estimator : object
        A fitted member for k classes.
    X : ndarray of float32, shape (n, d)

    Returns
    -------
    ndarray of float64, shape (n, k, d + 1), or None
        The last entry is the base value; all entries add up to the margin. For boosted trees,
        path-dependent Shapley values (Lundberg et al. 2020, Nature Machine Intelligence 2,
        56); for a logistic regression its terms, which are 0 at the median of the training
        rows. None for other members.
    """
    if isinstance(estimator, Pipeline) and isinstance(estimator.steps[0][1], MedianScaler):
        scaled = estimator.steps[0][1].transform(X)
        last = estimator.steps[-1][1]
        if isinstance(last, LogisticRegression):
            return _linear_parts(last, scaled)
        return margin_parts(last, scaled.astype(np.float32))
    kind = type(estimator).__name__
    if kind == "LightGBM":
        return _lightgbm_parts(estimator, X)
    if kind == "XGBoost":
        return _xgboost_parts(estimator, X)
    return None


def _lightgbm_parts(estimator: Any, X: Table) -> Floats:  # noqa: ANN401
    parts = estimator.booster_.predict(X, pred_contrib=True, num_threads=1)
    return _per_class(np.asarray(parts, np.float64).reshape(len(X), -1, X.shape[1] + 1))


def _xgboost_parts(estimator: Any, X: Table) -> Floats:  # noqa: ANN401
    from xgboost import DMatrix

    parts = estimator.get_booster().predict(DMatrix(X, nthread=1), pred_contribs=True)
    return _per_class(np.asarray(parts, np.float64).reshape(len(X), -1, X.shape[1] + 1))


def _linear_parts(estimator: LogisticRegression, X: Floats) -> Floats:
    terms = X[:, None, :] * estimator.coef_
    start = np.broadcast_to(estimator.intercept_[None, :, None], (*terms.shape[:2], 1))
    return _per_class(np.concatenate([terms, start], axis=2))


def _per_class(parts: Floats) -> Floats:
    """Return contributions for both classes where only the second has a margin."""
    if parts.shape[1] > 1:
        return parts
    both: Floats = np.concatenate([-parts, parts], axis=1) / 2.0
    return both
