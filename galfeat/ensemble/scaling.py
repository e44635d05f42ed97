"""Scale features for classifiers other than trees."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data


class MedianScaler(TransformerMixin, BaseEstimator):
    """Impute the median, subtract it, divide by the standard deviation and clip.

    Parameters
    ----------
    limit : float
        Values are clipped to this many standard deviations, so that a single outlier does
        not dominate a linear score or a distance.

    Attributes
    ----------
    median_ : ndarray of float, shape (d,)
        Zero for columns without any value.
    scale_ : ndarray of float, shape (d,)
        Standard deviation, ignoring NaN; 1 for a constant column.
    """

    def __init__(self, limit: float = 5.0) -> None:
        self.limit = limit

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> MedianScaler:
        """Compute the median and standard deviation of each column of X, shape (n, d)."""
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
        """Declare that missing features are allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
