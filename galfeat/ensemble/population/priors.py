"""Move probabilities from one set of class frequencies to another."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import DataError
from galfeat.pipeline.toml_table import nearest

Floats = NDArray[np.float64]

_TINY = np.finfo(np.float64).tiny
_MAX_STEPS, _TOLERANCE = 10_000, 1e-9


def checked_priors(
    priors: Mapping[Any, float] | ArrayLike, classes: Sequence[Any] | NDArray[Any]
) -> Floats:
    """Return class frequencies in the order of the classes, divided by their sum.

    Parameters
    ----------
    priors : mapping of class to float, or array_like of float, shape (k,)
        Frequency or number of galaxies of each class, at least 0. All classes must be given.
    classes : sequence, length k
        Class labels; a mapping is looked up by their text.

    Raises
    ------
    DataError
        If a class is unknown or missing, a frequency is negative or not a finite number, or all
        are 0.

    Examples
    --------
    >>> from galfeat.ensemble.population import checked_priors
    >>> checked_priors({"merger": 100, "smooth": 300}, ["smooth", "merger"]).tolist()
    [0.75, 0.25]
    """
    names = [str(label) for label in classes]
    values = _listed(priors, names)
    for name, value in zip(names, values, strict=True):
        if type(value) not in (int, float) or not 0 <= value < math.inf:
            raise DataError(
                f"the frequency of class {name!r} is {reprlib.repr(value)}; expected a number of "
                "at least 0"
            )
    frequencies: Floats = np.array(values, dtype=np.float64)
    if not frequencies.any():
        raise DataError("all class frequencies are 0; at least one must be above 0")
    with np.errstate(over="ignore"):
        if not np.isfinite(frequencies.sum()):
            frequencies /= frequencies.max()
    result: Floats = frequencies / frequencies.sum()
    return result


def _listed(priors: Mapping[Any, float] | ArrayLike, names: Sequence[str]) -> list[Any]:
    """Return one value for each class."""
    if isinstance(priors, Mapping):
        given = {str(label): np.asarray(value).tolist() for label, value in priors.items()}
        for name in given:
            if name not in names:
                raise DataError(
                    f"class frequencies are given for {name!r}{nearest(name, names)}; the classes "
                    f"are {', '.join(names)}"
                )
        for name in names:
            if name not in given:
                raise DataError(
                    f"class {name!r} has no frequency; give one for each class, 0 if none occurs"
                )
        return [given[name] for name in names]
    values = np.asarray(priors)
    if values.shape != (len(names),):
        raise DataError(
            f"the class frequencies have shape {values.shape}; expected one number for each of "
            f"{len(names)} classes"
        )
    listed: list[Any] = values.tolist()
    return listed


def reweighted(probabilities: ArrayLike, old: ArrayLike, new: ArrayLike) -> Floats:
    """Return probabilities under other class frequencies: ``p * new / old``, normalised [1]_.

    Exact where galaxies of one class look the same under both, and only the mix of classes
    differs.

    Parameters
    ----------
    probabilities : array_like of float, shape (n, k)
        Under the frequencies `old`; rows of NaN stay NaN.
    old : array_like of float, shape (k,)
        A class of frequency 0 has probability 0 and keeps it.
    new : array_like of float, shape (k,)
        At least one above 0. Classes of frequency 0 get probability 0.

    References
    ----------
    .. [1] Saerens, Latinne & Decaestecker 2002, Neural Computation 14, 21.

    Examples
    --------
    >>> from galfeat.ensemble.population import reweighted
    >>> reweighted([[0.5, 0.5]], old=[0.5, 0.5], new=[0.9, 0.1]).tolist()
    [[0.9, 0.1]]
    """
    before: Floats = np.asarray(old, dtype=np.float64)
    ratio = np.where(before > 0, new, 0.0) / np.where(before > 0, before, 1.0)
    # Where a class that cannot occur has probability 1, the others keep their order.
    moved = np.maximum(np.asarray(probabilities, dtype=np.float64), _TINY) * ratio
    result: Floats = moved / moved.sum(axis=1, keepdims=True)
    return result


def estimated_priors(probabilities: ArrayLike, priors: ArrayLike) -> Floats:
    """Estimate the class frequencies of galaxies from their probabilities.

    The maximum likelihood estimate by expectation maximisation [1]_. It assumes calibrated
    probabilities, and galaxies of each class that look like those the model was fitted to; on
    another survey neither may hold.

    Parameters
    ----------
    probabilities : array_like of float, shape (n, k)
        Under the frequencies `priors`. Rows of NaN are left out.
    priors : array_like of float, shape (k,)
        Each above 0.

    Returns
    -------
    ndarray of float, shape (k,)

    Raises
    ------
    DataError
        If no row has probabilities.

    References
    ----------
    .. [1] Saerens, Latinne & Decaestecker 2002, Neural Computation 14, 21.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.ensemble.population import estimated_priors
    >>> certain = np.eye(2)[[0, 0, 0, 1]]
    >>> estimated_priors(certain, [0.5, 0.5]).round(3).tolist()
    [0.75, 0.25]
    """
    rows = np.asarray(probabilities, dtype=np.float64)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if not len(rows):
        raise DataError(
            "no image has a class, so the class frequencies cannot be estimated; give them as a "
            "table"
        )
    old: Floats = np.asarray(priors, dtype=np.float64)
    new = old
    for _ in range(_MAX_STEPS):
        previous, new = new, reweighted(rows, old, new).mean(axis=0)
        if np.abs(new - previous).max() < _TOLERANCE:
            break
    return new
