"""Metadata of the rows of a data set, built from named columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.data.catalogue.groups import groups_by_position
from galfeat.data.catalogue.labels import (
    DEFAULT_COLUMNS,
    ReadColumn,
    as_text,
    guessed_column,
    is_missing,
    label_columns,
    read_labels,
)
from galfeat.data.limits import Budget, shortened
from galfeat.errors import DataError

_SOURCE_COLUMNS = ("source", "source_repo")
_COLUMNS_KEPT = 100


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Metadata of each row; see `DataSet` for the fields.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.catalogue import Catalogue
    >>> catalogue = Catalogue(np.array(["a", "b"]), np.array([0, 1]), ("disc", "smooth"))
    >>> catalogue.take(np.array([1])).ids.tolist()
    ['b']
    """

    ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...] = ()
    label_column: str | None = None
    groups: NDArray[np.str_] | None = None
    sources: NDArray[np.str_] | None = None
    ra: NDArray[np.float64] | None = None
    dec: NDArray[np.float64] | None = None
    splits: NDArray[np.str_] | None = None
    columns: tuple[str, ...] = ()

    def take(self, rows: NDArray[np.intp]) -> Catalogue:
        """Return the catalogue of the given rows, in the given order."""
        return Catalogue(
            ids=self.ids[rows],
            labels=self.labels[rows],
            class_names=self.class_names,
            label_column=self.label_column,
            groups=None if self.groups is None else self.groups[rows],
            sources=None if self.sources is None else self.sources[rows],
            ra=None if self.ra is None else self.ra[rows],
            dec=None if self.dec is None else self.dec[rows],
            splits=None if self.splits is None else self.splits[rows],
            columns=self.columns,
        )

    def unlabelled(self) -> Catalogue:
        """Return the catalogue without its labels."""
        no_labels = np.full(len(self.ids), -1)
        return replace(self, labels=no_labels, class_names=(), label_column=None)


def build_catalogue(
    ids: NDArray[np.str_],
    columns: Collection[str],
    read: ReadColumn,
    *,
    label: str | None = None,
    guesses: Sequence[str] = DEFAULT_COLUMNS,
    class_names: Sequence[str] | None = None,
    budget: Budget | None = None,
    splits: NDArray[np.str_] | None = None,
) -> Catalogue:
    """Build a catalogue from named columns.

    Only the columns of `catalogue_columns` are read.

    Groups are read from the column ``group_id``, where each empty cell is a separate group,
    or else derived from the positions ``ra`` and ``dec``: see `groups_by_position`. Invalid
    positions count as unknown. Groups and sources are held as text as wide as the longest; the
    memory is taken from `budget`, without limit by default. `splits` are kept. For the other
    parameters see `read_labels`.

    Raises
    ------
    DataError
        If a named column does not exist, the length of a column differs from the number of
        rows, positions are not numbers, values are neither numbers nor text, text is longer
        than 4,096 characters, or the budget is exceeded.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.catalogue import build_catalogue
    >>> columns = {"label": np.array(["disc", "", "smooth"])}
    >>> ids = np.array(["a", "b", "c"])
    >>> build_catalogue(ids, columns, columns.__getitem__).labels.tolist()
    [0, -1, 1]
    """

    def column(name: str) -> NDArray[Any]:
        values = read(name)
        check_length(name, values.shape, len(ids))
        return values

    def text_of(name: str) -> NDArray[np.str_]:
        return fixed_width(as_text(column(name), name), name, budget)

    labels = read_labels(
        columns, column, len(ids), label=label, guesses=guesses, class_names=class_names
    )
    ra, dec = _positions(columns, column)
    groups: NDArray[np.str_] | None = None
    group_column = guessed_column(columns, ["group_id"])
    if group_column is not None:
        names = as_text(column(group_column), group_column)
        text = [f"row {row}" if is_missing(name) else name for row, name in enumerate(names)]
        groups = fixed_width(text, "group_id", budget)
    elif ra is not None and dec is not None:
        groups = groups_by_position(ra, dec)
    source_column = guessed_column(columns, _SOURCE_COLUMNS)
    return Catalogue(
        ids=ids,
        labels=labels.indices,
        class_names=labels.class_names,
        label_column=labels.column,
        groups=groups,
        sources=text_of(source_column) if source_column else None,
        ra=ra,
        dec=dec,
        splits=splits,
        columns=tuple(islice(columns, _COLUMNS_KEPT)),
    )


def catalogue_columns(
    columns: Collection[str], label: str | None, guesses: Sequence[str] = DEFAULT_COLUMNS
) -> list[str]:
    """Return the columns that `build_catalogue` reads."""
    names = label_columns(columns, label, guesses)
    others = (["ra"], ["dec"], ["group_id"], _SOURCE_COLUMNS)
    for name in (guessed_column(columns, spellings) for spellings in others):
        if name is not None and name not in names:
            names.append(name)
    return names


def check_length(name: str, shape: tuple[int, ...] | None, length: int) -> None:
    """Raise DataError unless a column of this shape has one value for each of the images."""
    if shape != (length,):
        raise DataError(
            f"column {name!r} has shape {shape}; expected one value for each of {length} images"
        )


def fixed_width(text: list[str], column: str, budget: Budget | None = None) -> NDArray[np.str_]:
    """Return text as an array as wide as the longest; take its memory from the budget."""
    longest = max(map(len, text), default=0)
    if budget is not None:
        budget.take(
            4 * longest * len(text),
            f"column {column!r} of {len(text):,} rows and up to {longest:,} characters",
        )
    return np.array(text, dtype=np.str_)


def _positions(
    columns: Collection[str], column: ReadColumn
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | tuple[None, None]:
    names = [guessed_column(columns, [name]) for name in ("ra", "dec")]
    if None in names:
        return None, None
    ra, dec = (_degrees(column(name), name) for name in names if name is not None)
    with np.errstate(invalid="ignore"):
        known = (ra >= 0) & (ra <= 360) & (np.abs(dec) <= 90)
    return np.where(known, ra, np.nan), np.where(known, dec, np.nan)


def _degrees(values: NDArray[Any], name: str) -> NDArray[np.float64]:
    if values.dtype.kind in "iuf":
        return values.astype(np.float64)
    degrees = np.full(len(values), np.nan)
    for row, text in enumerate(as_text(values, name)):
        try:
            degrees[row] = float("nan" if is_missing(text) else text.replace(",", "."))
        except ValueError as error:
            raise DataError(
                f"column {name!r}: {shortened(text)} in row {row} is not a number; expected degrees"
            ) from error
    return degrees
