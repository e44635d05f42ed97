"""LightGBM without the input checks, which take longer than predicting one row."""

from __future__ import annotations

import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import ArrayLike, NDArray


class LightGBM(LGBMClassifier):
    """Gradient-boosted trees (Ke et al. 2017, NeurIPS 30, 3146)."""

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities, shape (n, k), on one thread.

        Uses the booster directly: some versions of the scikit-learn class warn about column
        names when fitted to a table without them.
        """
        table = np.asarray(X)
        probabilities: NDArray[np.float64] = self.booster_.predict(table, num_threads=1)
        if probabilities.ndim == 1:  # two classes: only the second is returned
            probabilities = np.column_stack([1 - probabilities, probabilities])
        return probabilities
