"""A logistic regression that predicts from its coefficients only."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression


class Logistic(LogisticRegression):
    """Multinomial logistic regression.

    scikit-learn's own prediction also reads parameters that change between versions, so a
    model saved with one version could not be used with another.
    """

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities, shape (n, k)."""
        margins = np.asarray(X) @ self.coef_.T + self.intercept_
        probabilities: NDArray[np.float64] = softmax(margins, axis=1)
        if margins.shape[1] == 1:  # two classes: only the second has a margin
            probabilities = expit(np.hstack([-margins, margins]))
        return probabilities
