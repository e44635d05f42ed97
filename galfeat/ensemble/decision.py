"""Decision rules: predict a class from calibrated probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: The power of the prior by which a class's probability is divided.
_PRIOR_POWER = {"balanced": 1.0, "tempered": 1.0 / 3.0, "probable": 0.0}


def decide(probabilities: ArrayLike, priors: ArrayLike, rule: str) -> NDArray[np.intp]:
    """Return the predicted class of each row.

    Parameters
    ----------
    probabilities : array_like of float, shape (n, k)
        Calibrated to the natural `priors`.
    priors : array_like of float, shape (k,)
        Natural frequency of each class. A class of frequency 0 should have probability 0.
    rule : {"balanced", "tempered", "probable"}
        "balanced" predicts the class with the largest ratio of probability to prior, the
        Bayes rule for balanced accuracy, which gives rare classes the same chance as common
        ones. "probable" predicts the most probable class, the Bayes rule for accuracy.
        "tempered" is a compromise that divides by the cube root of the prior: among very
        unequal classes it predicts the rare one with far fewer false positives, which
        macro-F1 rewards.

    Returns
    -------
    ndarray of intp, shape (n,)
        Class index; the lowest in a tie; -1 where a probability is NaN.

    Raises
    ------
    ValueError
        If the rule is unknown.

    Examples
    --------
    A galaxy that is probably a spiral, but far more likely a ring than most:

    >>> from galfeat.ensemble import decide
    >>> priors = [0.9, 0.1]
    >>> decide([[0.7, 0.3]], priors, "probable")
    array([0])
    >>> decide([[0.7, 0.3]], priors, "balanced")
    array([1])
    """
    if rule not in _PRIOR_POWER:
        raise ValueError(
            f"decision rule {rule!r} is not known; use one of {', '.join(_PRIOR_POWER)}"
        )
    power = _PRIOR_POWER[rule]
    scores = np.asarray(probabilities, dtype=np.float64)
    frequencies = np.asarray(priors, dtype=np.float64)
    scores = scores / np.where(frequencies > 0, frequencies, 1.0) ** power
    missing = np.isnan(scores).any(axis=1)
    classes: NDArray[np.intp] = scores.argmax(axis=1)
    classes[missing] = -1
    return classes


def decision_note(predicted: str | None, most_probable: str | None, decision: str) -> str | None:
    """Return a sentence on a predicted class that is not the most probable one, or None.

    Parameters
    ----------
    predicted, most_probable : str or None
        Names of the class predicted by the decision rule and of the class with the largest
        probability; None for an image without a class.
    decision : {"balanced", "tempered", "probable"}
        The decision rule.

    Examples
    --------
    >>> from galfeat.ensemble.decision import decision_note
    >>> decision_note("Disturbed", "Merging", "tempered")
    'The tempered rule, which favours rarer classes, predicts Disturbed.'
    """
    if predicted == most_probable:
        return None
    return f"The {decision} rule, which favours rarer classes, predicts {predicted}."
