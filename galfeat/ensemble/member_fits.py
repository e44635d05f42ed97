"""Fits of single members for an ensemble, in full and per fold, and checks of its rows."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from galfeat.ensemble.balance import (
    Codes,
    Floats,
    Table,
    fit_member,
    log_probabilities,
)
from galfeat.ensemble.simulated import SimulatedRows
from galfeat.errors import DataError
from galfeat.pipeline.members import Member
from galfeat.storage.scratch import take


class UnusableRowsError(DataError, ValueError):
    """Training rows that cannot be fitted; also a ValueError, as scikit-learn expects."""


def select_columns(X: Table, columns: NDArray[np.intp], member: Member) -> Table:
    """Return the columns a member uses, without a copy if it uses all or reads pixels."""
    if len(columns) == X.shape[1]:
        return X
    if member.reads_pixels and len(columns) and np.ptp(columns) + 1 == len(columns):
        return X[:, columns[0] : columns[-1] + 1]
    return X[:, columns]


def fit_on_columns(
    member: Member,
    X: Table,
    columns: NDArray[np.intp],
    y: Codes,
    balance: str,
    seed: int,
    simulated: SimulatedRows | None = None,
) -> Any:  # noqa: ANN401
    """Return a member fitted to its columns of all rows."""
    added = _simulated(simulated, columns, member)
    return fit_member(member, select_columns(X, columns, member), y, balance, seed, added)


def predict_fold(
    member: Member,
    X: Table,
    columns: NDArray[np.intp],
    y: Codes,
    held_out: NDArray[np.bool_],
    balance: str,
    seed: int,
    simulated: SimulatedRows | None = None,
) -> Floats:
    """Fit a member to the other folds and return its log-probabilities for this fold."""
    table = select_columns(X, columns, member)
    rows, added = _rows(table, ~held_out, member), _simulated(simulated, columns, member)
    estimator = fit_member(member, rows, y[~held_out], balance, seed, added)
    return log_probabilities(estimator, _rows(table, held_out, member))


def _simulated(
    simulated: SimulatedRows | None, columns: NDArray[np.intp], member: Member
) -> SimulatedRows | None:
    """Return simulated rows with a member's columns, or None if it gets none."""
    if simulated is None or not member.adds_simulated:
        return None
    return simulated.restricted(columns)


def _rows(table: Table, chosen: NDArray[np.bool_], member: Member) -> Table:
    """Return the chosen rows; large tables of pixels are kept in `scratch_folder`."""
    return take(table, np.flatnonzero(chosen)) if member.reads_pixels else table[chosen]


def check_classes(names: Sequence[Any], counts: Codes) -> None:
    """Raise UnusableRowsError unless there are two classes with two rows each."""
    if len(names) < 2:
        raise UnusableRowsError(
            f"the rows have only one class, {names[0]!r}; a classifier needs at least two: "
            "add rows of another class"
        )
    if counts.min() < 2:
        raise UnusableRowsError(
            f"class {names[int(counts.argmin())]!r} has only one row; "
            "each class needs at least two: add rows of it or leave it out"
        )


@functools.cache
def _thread_pools() -> ThreadpoolController:
    """Return the loaded libraries' thread pools; cached, as the search outlasts a prediction."""
    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager[Any]:
    """Limit BLAS to one thread: rounding in a matrix product depends on their number."""
    limits: AbstractContextManager[Any] = _thread_pools().limit(limits=1, user_api="blas")
    return limits
