"""Which class is named, given calibrated probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: To which power of its prior a class's probability is divided by.
_PRIOR_POWER = {"balanced": 1.0, "tempered": 1.0 / 3.0, "probable": 0.0}


def decide(probabilities: ArrayLike, priors: ArrayLike, rule: str) -> NDArray[np.intp]:
    """Name a class for each row.

    Parameters
    ----------
    probabilities : array_like of float, shape (n, k)
        Calibrated to the natural `priors`.
    priors : array_like of float, shape (k,)
        Natural frequency of each class, each above 0.
    rule : {"balanced", "tempered", "probable"}
        "balanced" names the class with the largest probability over prior: the Bayes
        rule for balanced accuracy, so that rare classes are named as well as common
        ones. "probable" names the most probable class: the Bayes rule for accuracy.
        "tempered" stands between, with the probability over the cube root of the prior:
        where one class is many times rarer than another, it names the rare one with far
        fewer false alarms, which is what macro-F1 rewards.

    Returns
    -------
    ndarray of intp, shape (n,)
        Class index; the first one on a tie; -1 where a probability is NaN.

    Raises
    ------
    ValueError
        If the rule is not known.
    """
    if rule not in _PRIOR_POWER:
        raise ValueError(
            f"decision rule {rule!r} is not known; use one of {', '.join(_PRIOR_POWER)}"
        )
    power = _PRIOR_POWER[rule]
    scores = np.asarray(probabilities, dtype=np.float64)
    scores = scores / np.asarray(priors, dtype=np.float64) ** power
    unknown = np.isnan(scores).any(axis=1)
    named: NDArray[np.intp] = scores.argmax(axis=1)
    named[unknown] = -1
    return named
