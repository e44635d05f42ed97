"""LightGBM without the checks that take longer than its answer for one row."""

from __future__ import annotations

import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import ArrayLike, NDArray


class LightGBM(LGBMClassifier):
    """Gradient-boosted trees (Ke et al. 2017, NeurIPS 30, 3146)."""

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities, shape (n, k), on one thread.

        Straight from the booster: some versions of the class itself warn about names of
        columns whenever it was fitted on a table without them.
        """
        table = np.asarray(X)
        probabilities: NDArray[np.float64] = self.booster_.predict(table, num_threads=1)
        if probabilities.ndim == 1:  # of two classes it gives the second
            probabilities = np.column_stack([1 - probabilities, probabilities])
        return probabilities
