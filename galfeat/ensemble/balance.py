"""Fit a member to class-balanced training rows; rows to be scored are never resampled."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from galfeat.ensemble.simulated import SimulatedRows
from galfeat.ensemble.soft_labels import weighted_rows
from galfeat.pipeline.members import Estimator, Member

BAGS = 10
NEIGHBOURS = 5

# Smaller probabilities carry no evidence; the floor keeps logarithms finite.
_FLOOR = 1e-7

Table: TypeAlias = NDArray[np.float32]
Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]
Targets: TypeAlias = NDArray[Any]
"""Class index of each row, shape (n,), or fraction of each class, shape (n, k)."""


def fit_member(
    member: Member,
    X: Table,
    y: Targets,
    balance: str,
    random_state: int,
    simulated: SimulatedRows | None = None,
) -> Estimator:
    """Balance the classes of training rows and fit a member to them.

    Parameters
    ----------
    member : Member
    X : ndarray of float32, shape (n, d)
        NaN where a feature is missing.
    y : ndarray
        Class index, 0 to k - 1, shape (n,), or fraction of each class, shape (n, k). Each class
        has at least one row. With fractions, each galaxy is repeated for each of its classes,
        weighted by its fraction, and only "none", "class-weight" and "simulate" can balance
        classes.
    balance : {"none", "class-weight", "over", "under", "smote", "bagging", "simulate"}
        "class-weight" gives each class the same total weight. "over" repeats rows of the
        smaller classes until all match the largest; "under" drops rows of the larger ones
        until all match the smallest. "smote" interpolates new rows between neighbours of
        the smaller classes (Chawla et al. 2002, JAIR 16, 321). "bagging" averages `BAGS`
        copies, each fitted on all rows of the smallest class and equally many of the others.
        "simulate" adds simulated galaxies of a small total weight per class; see
        `galfeat.pipeline.Member.adds_simulated`.
    random_state : int
        Seed.
    simulated : SimulatedRows, optional
        Added to X with the method "simulate".

    Returns
    -------
    object
        The fitted estimator; ``predict_proba`` returns one column per class.
    """
    estimator = member.build(random_state)
    if y.ndim == 2:
        copies = weighted_rows(
            y, equal_classes=balance == "class-weight", equal_rows=member.balances_itself
        )
        rows = (X[copies.rows], copies.codes, copies.weights)
        if simulated is not None:
            rows = _with_simulated(*rows, simulated)
        return _fit_weighted(estimator, *rows)
    if simulated is not None:
        return _fit_weighted(estimator, *_with_simulated(X, y, np.ones(len(y)), simulated))
    if balance == "class-weight":
        weight = (len(y) / np.bincount(y))[y]
        weight /= weight.mean()
        return _fit_weighted(estimator, X, y, weight)
    if balance == "over":
        from imblearn.over_sampling import RandomOverSampler

        X, y = RandomOverSampler(random_state=random_state).fit_resample(X, y)
    elif balance == "under":
        from imblearn.under_sampling import RandomUnderSampler

        X, y = RandomUnderSampler(random_state=random_state).fit_resample(X, y)
    elif balance == "smote":
        return _fit_on_synthetic(estimator, X, y, random_state)
    elif balance == "bagging":
        from imblearn.ensemble import BalancedBaggingClassifier

        # Without bootstrap, every bag contains every class.
        estimator = BalancedBaggingClassifier(
            estimator, n_estimators=BAGS, bootstrap=False, n_jobs=1, random_state=random_state
        )
    return estimator.fit(X, y)


def log_probabilities(estimator: Estimator, X: Table) -> Floats:
    """Return the log-probabilities of a fitted member, shape (n, k), all finite."""
    probabilities = np.maximum(estimator.predict_proba(X), _FLOOR, dtype=np.float64)
    result: Floats = np.log(probabilities / probabilities.sum(axis=1, keepdims=True))
    return result


def prior_shift(
    member: Member, balance: str, priors: Floats, simulated: SimulatedRows | None = None
) -> Floats:
    """Return the log ratio of natural to training frequency of each class, shape (k,).

    Zeros without balancing. Simulated rows add their weights to the training frequencies; with
    the other methods these are equal.
    """
    if simulated is not None and member.adds_simulated:
        trained = priors + simulated.shares(len(priors))
        shift: Floats = np.log(priors / (trained / trained.sum()))
        return shift
    if balance in ("none", "simulate") and not member.balances_itself:
        return np.zeros_like(priors)
    return np.log(priors * len(priors))


def _with_simulated(
    X: Table, y: Codes, weights: Floats, simulated: SimulatedRows
) -> tuple[Table, Codes, Floats]:
    """Append simulated rows to training rows; their weights are relative to all of those."""
    n_classes = 1 + int(max(y.max(), simulated.codes.max()))
    added = simulated.row_weights(weights.sum(), n_classes)
    return (
        np.concatenate([X, simulated.features]),
        np.concatenate([y, simulated.codes]),
        np.concatenate([weights, added]),
    )


def _fit_weighted(estimator: Estimator, X: Table, y: Codes, weight: Floats) -> Estimator:
    from sklearn.pipeline import Pipeline

    if isinstance(estimator, Pipeline):
        return estimator.fit(X, y, **{f"{estimator.steps[-1][0]}__sample_weight": weight})
    return estimator.fit(X, y, sample_weight=weight)


def _fit_on_synthetic(estimator: Estimator, X: Table, y: Codes, random_state: int) -> Estimator:
    """Fit on rows imputed, scaled (neighbours depend on scale) and augmented by SMOTE."""
    from sklearn.pipeline import make_pipeline

    from galfeat.ensemble.scaling import MedianScaler

    scaler = MedianScaler().fit(X)
    rows, classes = _synthesise(scaler.transform(X).astype(np.float32), y, random_state)
    return make_pipeline(scaler, estimator.fit(rows, classes))


def _synthesise(X: Table, y: Codes, random_state: int) -> tuple[Table, Codes]:
    """Increase each class to the size of the largest by SMOTE.

    A class of n rows uses at most n - 1 neighbours; a single row is repeated.
    """
    from imblearn.over_sampling import SMOTE, RandomOverSampler

    counts = np.bincount(y)
    new_rows, new_classes = [X], [y]
    for code in np.flatnonzero(counts < counts.max()):
        target = {code: counts.max()}
        if counts[code] == 1:
            sampler = RandomOverSampler(sampling_strategy=target, random_state=random_state)
        else:
            neighbours = min(NEIGHBOURS, counts[code] - 1)
            sampler = SMOTE(
                sampling_strategy=target, k_neighbors=neighbours, random_state=random_state
            )
        rows, classes = sampler.fit_resample(X, y)
        new_rows.append(rows[len(y) :])
        new_classes.append(classes[len(y) :])
    return np.concatenate(new_rows), np.concatenate(new_classes)
