"""Convert a column of labels to class names and indices."""

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
    """Labels as indices into class names; -1 for no label.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.catalogue import Labels
    >>> Labels(np.array([0, -1]), ("disc",), "class").column
    'class'
    """

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
    """Find the label column and convert it to indices and class names.

    Parameters
    ----------
    columns : collection of str
        The names of all columns.
    read : callable
        Returns the values of a column, shape (n,): text, integers or floats.
    length : int
        The number of rows, n.
    label : str, optional
        The label column. By default the first existing column of `guesses`; if none exists,
        the rows have no labels.
    guesses : sequence of str, optional
        By default ``label``, ``class``, ``class_id``, ``class_name``, ``ans``, ``labels``,
        ``y``.
    class_names : sequence of str, optional
        Names of the classes 0, 1, ... of an integer column, if the format provides them.

    Returns
    -------
    Labels
        Classes are in the order of their numbers, or in alphabetical order if the
        labels are text. Empty cells, NaN and negative numbers mean "no label". A
        column ``X_id`` takes its class names from the column ``X_name`` if that exists.

    Warns
    -----
    GalfeatWarning
        If a guessed column cannot be used; the rows then have no labels.

    Raises
    ------
    DataError
        If the named column does not exist or contains fractions or numbers without a name,
        or ids and names are not one to one.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.catalogue import read_labels
    >>> columns = {"class": np.array(["disc", "smooth", "disc", ""])}
    >>> labels = read_labels(columns, columns.__getitem__, 4)
    >>> labels.indices.tolist(), labels.class_names
    ([0, 1, 0, -1], ('disc', 'smooth'))
    """
    if label:
        return _labels_in(find_column(label, columns), columns, read, class_names)
    no_labels = Labels(np.full(length, -1), (), None)
    column = next((name for name in guesses if name in columns), None)
    if column is None:
        return no_labels
    try:
        return _labels_in(column, columns, read, class_names)
    except DataError as error:
        warnings.warn(f"continuing without labels: {error}", GalfeatWarning, stacklevel=2)
        return no_labels


def _labels_in(
    column: str, columns: Collection[str], read: ReadColumn, class_names: Sequence[str] | None
) -> Labels:
    keys = _keys(read(column), column)
    name_column = column.removesuffix("_id") + "_name"
    if column.endswith("_id") and name_column in columns:
        names = _names_of_ids(keys, as_text(read(name_column)), column, name_column)
    elif class_names is not None:
        names = _names_of_numbers(keys, class_names, column)
    else:
        names = {key: str(key) for key in sorted({key for key in keys if key is not None})}
    position = {key: index for index, key in enumerate(names)}
    indices = [-1 if key is None else position[key] for key in keys]
    return Labels(np.array(indices, dtype=np.int64), tuple(names.values()), column)


def find_column(name: str, columns: Collection[str]) -> str:
    """Return `name` if it is a column; else raise a DataError that suggests the closest one."""
    if name in columns:
        return name
    near = difflib.get_close_matches(name, columns, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise DataError(
        f"there is no column {name!r}; {hint}The columns are: {', '.join(columns) or 'none'}"
    )


def as_text(values: NDArray[Any]) -> list[str]:
    """Return values as stripped text, bytes decoded as UTF-8."""
    if values.dtype.kind in "SO":
        decoded = (v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values)
        return [str(value).strip() for value in decoded]
    return [str(value).strip() for value in values]


def _keys(values: NDArray[Any], column: str) -> list[Any]:
    """Return labels as integers if all are whole numbers, else as text; None for no label."""
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
            f"column {column!r} contains {fraction:g}, which is not a class; "
            "specify a column of classes with --label"
        )
    return [None if number < 0 else int(number) for number in numbers]


def _names_of_ids(
    keys: list[Any], names: list[str], column: str, name_column: str
) -> dict[Any, str]:
    pairs = {(key, name) for key, name in zip(keys, names, strict=True) if key is not None}
    pairs = {(key, name) for key, name in pairs if name}
    name_of = dict(pairs)
    if len(name_of) != len(pairs) or len(set(name_of.values())) != len(pairs):
        raise DataError(
            f"columns {column!r} and {name_column!r} are not one to one; "
            "give each id one name and each name one id"
        )
    nameless = {key for key in keys if key is not None} - name_of.keys()
    if nameless:
        raise DataError(
            f"{column} {min(nameless)} has no {name_column}; add it to at least one row"
        )
    return {key: name_of[key] for key in sorted(name_of)}


def _names_of_numbers(keys: list[Any], class_names: Sequence[str], column: str) -> dict[Any, str]:
    if len(set(class_names)) < len(class_names):
        duplicate = next(name for name in class_names if list(class_names).count(name) > 1)
        raise DataError(
            f"two classes of column {column!r} are named {duplicate!r}; give each a unique name"
        )
    named = set(range(len(class_names)))
    nameless = sorted({key for key in keys if key is not None} - named, key=str)
    if nameless:
        raise DataError(
            f"column {column!r} contains class {nameless[0]!r}, but names are given only for "
            f"classes 0 to {len(class_names) - 1}"
        )
    return dict(enumerate(class_names))
