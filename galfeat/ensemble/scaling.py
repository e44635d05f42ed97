"""Bring features to one scale, for classifiers that are not trees."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data


class MedianScaler(TransformerMixin, BaseEstimator):
    """Put the median where a feature is missing, centre on it, divide by the deviation, clip.

    Parameters
    ----------
    limit : float
        Values are clipped to this many standard deviations, so that one broken
        measurement does not rule a linear score or a distance.

    Attributes
    ----------
    median_ : ndarray of float, shape (d,)
        Zero where no value is present.
    scale_ : ndarray of float, shape (d,)
        Standard deviation of the present values; 1 for a constant column.
    """

    def __init__(self, limit: float = 5.0) -> None:
        self.limit = limit

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> MedianScaler:
        """Measure median and deviation of each column, shape (n, d); NaN is missing."""
        table = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        table = np.where(np.isnan(table).all(axis=0), 0.0, table)
        self.median_: NDArray[np.float64] = np.nanmedian(table, axis=0)
        scale = np.nanstd(table, axis=0)
        self.scale_: NDArray[np.float64] = np.where(scale > 0, scale, 1.0)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the scaled table, shape (n, d), float64 and finite."""
        check_is_fitted(self)
        table = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        scaled = np.clip((table - self.median_) / self.scale_, -self.limit, self.limit)
        scaled[np.isnan(scaled)] = 0.0
        result: NDArray[np.float64] = scaled
        return result

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that features may be missing."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
