"""Rank labels by out-of-fold probabilities (confident learning)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def label_quality(given: NDArray[np.integer], probabilities: Floats) -> Floats:
    """Return how well the probabilities support each label.

    Parameters
    ----------
    given : ndarray of int, shape (n,)
        Class of each label.
    probabilities : ndarray, shape (n, k)
        Predicted by models that were fitted without the row; NaN for rows without a prediction.

    Returns
    -------
    ndarray, shape (n,)
        The probability of the label divided by its sum with the largest probability of the other
        classes: 0 for labels that are certainly wrong, 1 for those that are certainly right, less
        than 0.5 if another class is more probable; NaN without a prediction.

    Notes
    -----
    Of the scores compared by ``benchmarks/audit.py``, this one ranks the most planted mislabels
    first.

    References
    ----------
    Northcutt, Jiang and Chuang 2021, Journal of Artificial Intelligence Research 70; Kuan and
    Mueller 2022, ICML workshop on data-centric machine learning, for similar scores.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.audit import label_quality
    >>> label_quality(np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]))
    array([0.9, 0.2, 0.5])
    """
    rows = np.arange(len(given))
    others = probabilities.copy()
    others[rows, given] = -1
    own = probabilities[rows, given]
    quality: Floats = own / (own + others.max(axis=1))
    return quality


def probable_mislabels(given: NDArray[np.integer], probabilities: Floats) -> NDArray[np.bool_]:
    """Return which labels are probably wrong.

    Parameters
    ----------
    given, probabilities
        As for `label_quality`.

    Returns
    -------
    ndarray of bool, shape (n,)
        Whether a class other than the label has the largest probability among the classes whose
        probability reaches their threshold: the mean probability of the class over the rows
        labelled as it (Northcutt et al. 2021). False for rows without a prediction, and if no
        class reaches its threshold.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.audit import probable_mislabels
    >>> given = np.array([0, 0, 0, 1, 1])
    >>> p = np.array([0.9, 0.8, 0.1, 0.2, 0.3])
    >>> probable_mislabels(given, np.stack([p, 1 - p], axis=1))
    array([False, False,  True, False, False])
    """
    k = probabilities.shape[1]
    predicted = np.asarray(np.isfinite(probabilities).all(axis=1))
    thresholds = np.full(k, np.inf)
    for index in range(k):
        labelled = predicted & (given == index)
        if labelled.any():
            thresholds[index] = probabilities[labelled, index].mean()
    # A class whose threshold is the mean of one value would miss it by rounding.
    reached = predicted[:, None] & (np.nan_to_num(probabilities) >= thresholds - 1e-12)
    best = np.where(reached, np.nan_to_num(probabilities), -1).argmax(axis=1) if k else given
    wrong: NDArray[np.bool_] = reached.any(axis=1) & (best != given)
    return wrong
