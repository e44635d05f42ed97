"""Convert a column of labels to class names and indices."""

from __future__ import annotations

import difflib
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from galfeat.data.limits import MAX_CHARACTERS, listed, shortened
from galfeat.errors import DataError, GalfeatWarning

DEFAULT_COLUMNS = ("label", "class", "class_id", "class_name", "ans", "labels", "y")

ReadColumn = Callable[[str], NDArray[Any]]

_NAMES_COMPARED = 1000
_MISSING = frozenset({"", "nan", "na", "n/a", "null", "<na>", "#n/a"})


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
        The label column. By default the first existing column of `guesses`, in any case; if
        none exists, the rows have no labels.
    guesses : sequence of str, optional
        By default ``label``, ``class``, ``class_id``, ``class_name``, ``ans``, ``labels``,
        ``y``.
    class_names : sequence of str, optional
        Names of the classes 0, 1, ... of an integer column, if the format provides them.

    Returns
    -------
    Labels
        Classes are in the order of their numbers, or in alphabetical order if the
        labels are text. Empty cells, NaN, ``NA``, ``N/A``, ``None``, ``null`` and negative
        numbers mean "no label". A column ``X_id`` takes its class names from the column
        ``X_name`` if that exists.

    Warns
    -----
    GalfeatWarning
        If a guessed column cannot be used; the rows then have no labels.

    Raises
    ------
    DataError
        If the named column does not exist or contains fractions, numbers without a name, values
        that are neither numbers nor text, or text of more than 4,096 characters, or ids and
        names are not one to one.

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
    column = guessed_column(columns, guesses)
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
    name_column = _name_column(column, columns)
    if name_column is not None:
        text = as_text(read(name_column), name_column)
        text = ["" if is_missing(name) else name for name in text]
        names = _names_of_ids(keys, text, column, name_column)
    elif class_names is not None:
        names = _names_of_numbers(keys, class_names, column)
    else:
        names = {key: str(key) for key in sorted({key for key in keys if key is not None})}
    position = {key: index for index, key in enumerate(names)}
    indices = [-1 if key is None else position[key] for key in keys]
    return Labels(np.array(indices, dtype=np.int64), tuple(names.values()), column)


def is_missing(text: str) -> bool:
    """Return whether a cell means "no value": empty, NaN, NA, N/A, None or null.

    The word "none" in lower case is a value, such as the class of galaxies without a bar.
    """
    return text == "None" or text.lower() in _MISSING


def guessed_column(columns: Collection[str], guesses: Sequence[str]) -> str | None:
    """Return the column with the first of several names, else with one in another case, or None.

    Examples
    --------
    >>> from galfeat.data.catalogue.labels import guessed_column
    >>> guessed_column(["FILENAME", "Class", "CLASS"], ["label", "class"])
    'Class'
    """
    exact = next((name for name in guesses if name in columns), None)
    if exact is not None:
        return exact
    by_lower: dict[str, str] = {}
    for name in islice(columns, _NAMES_COMPARED):
        by_lower.setdefault(name.lower(), name)
    return next((by_lower[name.lower()] for name in guesses if name.lower() in by_lower), None)


def _name_column(column: str, columns: Collection[str]) -> str | None:
    """Return the column of the names of the classes of a column ``X_id``, or None."""
    if not column.lower().endswith("_id"):
        return None
    return guessed_column(columns, [column[:-3] + "_name"])


def find_column(name: str, columns: Collection[str]) -> str:
    """Return the column of a name, in any case if that is unique.

    Raises
    ------
    DataError
        If there is none; it suggests the closest one.
    """
    if name in columns:
        return name
    same = [other for other in columns if other.lower() == name.lower()]
    if len(same) == 1:
        return same[0]
    if not columns:
        raise DataError(
            f"there is no column {shortened(name)}, as the images have no labels; give a table of "
            "labels, or class folders"
        )
    compared = [other for other in islice(columns, _NAMES_COMPARED) if len(other) <= 4 * len(name)]
    near = difflib.get_close_matches(name, compared, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? The" if near else "the"
    raise DataError(f"there is no column {shortened(name)}; {hint} columns are: {listed(columns)}")


def label_columns(
    columns: Collection[str], label: str | None, guesses: Sequence[str] = DEFAULT_COLUMNS
) -> list[str]:
    """Return the columns that `read_labels` reads: of the labels, and of their names if any."""
    column = guessed_column(columns, [label] if label else guesses)
    if column is None:
        return []
    name_column = _name_column(column, columns)
    return [column] if name_column is None else [column, name_column]


def as_text(values: NDArray[Any], column: str) -> list[str]:
    """Return values as stripped text, bytes decoded as UTF-8.

    Raises
    ------
    DataError
        If the values are neither text nor numbers, or one is longer than `MAX_CHARACTERS`.
    """
    if values.dtype.kind not in "OSUTbiuf":
        raise DataError(
            f"column {column!r} has type {values.dtype}; expected text, integers or floats"
        )
    text = [
        value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else str(value).strip()
        for value in values
    ]
    if max(map(len, text), default=0) > MAX_CHARACTERS:
        row = next(row for row, value in enumerate(text) if len(value) > MAX_CHARACTERS)
        raise DataError(
            f"column {column!r} contains {len(text[row]):,} characters in row {row}; expected at "
            f"most {MAX_CHARACTERS:,}: shorten the value"
        )
    return text


def _keys(values: NDArray[Any], column: str) -> list[Any]:
    """Return labels as integers if all are whole numbers, else as text; None for no label."""
    if values.dtype.kind in "iu":
        return [None if value < 0 else int(value) for value in values]
    text = ["" if is_missing(value) else value for value in as_text(values, column)]
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
            f"{column} {_shown(min(nameless))} has no {name_column}; add it to at least one row"
        )
    return {key: name_of[key] for key in sorted(name_of)}


def _names_of_numbers(keys: list[Any], class_names: Sequence[str], column: str) -> dict[Any, str]:
    if len(set(class_names)) < len(class_names):
        ((duplicate, _),) = Counter(class_names).most_common(1)
        raise DataError(
            f"two classes of column {column!r} are named {shortened(duplicate)}; give each a "
            "unique name"
        )
    named = set(range(len(class_names)))
    nameless = sorted({key for key in keys if key is not None} - named, key=str)
    if nameless:
        raise DataError(
            f"column {column!r} contains class {_shown(nameless[0])}, but names are given only "
            f"for classes 0 to {len(class_names) - 1}"
        )
    return dict(enumerate(class_names))


def _shown(key: int | str) -> str:
    return shortened(key) if isinstance(key, str) else str(key)
