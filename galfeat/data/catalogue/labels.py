"""From a column of labels to class names and indices."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import DataError, GalfeatWarning

DEFAULT_COLUMNS = ("label", "class", "class_id", "class_name", "ans", "labels", "y")

ReadColumn = Callable[[str], NDArray[Any]]


class Labels(NamedTuple):
    """Labels as indices into names; -1 is no label."""

    indices: NDArray[np.int64]
    class_names: tuple[str, ...]
    column: str | None


def read_labels(
    columns: Collection[str],
    read: ReadColumn,
    length: int,
    *,
    label: str | None = None,
    guesses: Sequence[str] = DEFAULT_COLUMNS,
    class_names: Sequence[str] | None = None,
) -> Labels:
    """Find the label column and turn it into indices and class names.

    Parameters
    ----------
    columns : collection of str
        The columns there are.
    read : callable
        Gives the values of a column, shape (n,): text, integers or floats.
    length : int
        The number of rows, n.
    label : str, optional
        The column to use. By default the first of the guesses that exists; with none of
        them the rows have no labels.
    guesses : sequence of str, optional
        By default ``label``, ``class``, ``class_id``, ``class_name``, ``ans``, ``labels``,
        ``y``.
    class_names : sequence of str, optional
        Names of the classes 0, 1, ... of an integer column, where the format has them.

    Returns
    -------
    Labels
        Classes are in the order of their numbers, or in alphabetical order if the
        labels are text. An empty cell, NaN and a negative number are "no label". A
        column ``X_id`` takes its names from ``X_name`` where that exists.

    Warns
    -----
    GalfeatWarning
        If a guessed column cannot be used; the rows then have no labels.

    Raises
    ------
    DataError
        If the named column does not exist, holds fractions or numbers without a name,
        or ids and names are not one to one.
    """
    if label:
        return _labels_in(find_column(label, columns), columns, read, class_names)
    nothing = Labels(np.full(length, -1), (), None)
    column = next((name for name in guesses if name in columns), None)
    if column is None:
        return nothing
    try:
        return _labels_in(column, columns, read, class_names)
    except DataError as error:
        warnings.warn(f"going on without labels: {error}", GalfeatWarning, stacklevel=2)
        return nothing


def _labels_in(
    column: str, columns: Collection[str], read: ReadColumn, class_names: Sequence[str] | None
) -> Labels:
    keys = _keys(read(column), column)
    beside = column.removesuffix("_id") + "_name"
    if column.endswith("_id") and beside in columns:
        names = _names_of_ids(keys, as_text(read(beside)), column, beside)
    elif class_names is not None:
        names = _names_of_numbers(keys, class_names, column)
    else:
        names = {key: str(key) for key in sorted({key for key in keys if key is not None})}
    position = {key: index for index, key in enumerate(names)}
    indices = [-1 if key is None else position[key] for key in keys]
    return Labels(np.array(indices, dtype=np.int64), tuple(names.values()), column)


def find_column(name: str, columns: Collection[str]) -> str:
    """Return `name` if it is a column; else raise DataError that names the nearest."""
    if name in columns:
        return name
    near = difflib.get_close_matches(name, columns, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise DataError(f"there is no column {name!r}; {hint}There are: {', '.join(columns) or 'none'}")


def as_text(values: NDArray[Any]) -> list[str]:
    """Return values as stripped text, bytes decoded as UTF-8."""
    if values.dtype.kind in "SO":
        decoded = (v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values)
        return [str(value).strip() for value in decoded]
    return [str(value).strip() for value in values]


def _keys(values: NDArray[Any], column: str) -> list[Any]:
    """Labels as integers where all are whole numbers, else as text; None for no label."""
    if values.dtype.kind in "iu":
        return [None if value < 0 else int(value) for value in values]
    text = ["" if value.lower() == "nan" else value for value in as_text(values)]
    try:
        numbers = [float(value) if value else -1.0 for value in text]
    except ValueError:
        return [value or None for value in text]
    fraction = next((number for number in numbers if not number.is_integer()), None)
    if fraction is not None:
        raise DataError(
            f"column {column!r} holds {fraction:g}, which is not a class; "
            "name a column of classes with --label"
        )
    return [None if number < 0 else int(number) for number in numbers]


def _names_of_ids(keys: list[Any], names: list[str], column: str, beside: str) -> dict[Any, str]:
    pairs = {(key, name) for key, name in zip(keys, names, strict=True) if key is not None}
    pairs = {(key, name) for key, name in pairs if name}
    found = dict(pairs)
    if len(found) != len(pairs) or len(set(found.values())) != len(pairs):
        raise DataError(
            f"columns {column!r} and {beside!r} are not one to one; "
            "give each id one name and each name one id"
        )
    nameless = {key for key in keys if key is not None} - found.keys()
    if nameless:
        raise DataError(f"{column} {min(nameless)} has no {beside}; fill it in one row at least")
    return {key: found[key] for key in sorted(found)}


def _names_of_numbers(keys: list[Any], class_names: Sequence[str], column: str) -> dict[Any, str]:
    if len(set(class_names)) < len(class_names):
        twice = next(name for name in class_names if list(class_names).count(name) > 1)
        raise DataError(
            f"two classes of column {column!r} are named {twice!r}; give each a name of its own"
        )
    known = set(range(len(class_names)))
    strange = sorted({key for key in keys if key is not None} - known, key=str)
    if strange:
        raise DataError(
            f"column {column!r} holds class {strange[0]!r}, but the names given are of "
            f"0 to {len(class_names) - 1}"
        )
    return dict(enumerate(class_names))
