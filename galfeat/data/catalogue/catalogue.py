"""Metadata of the rows of a data set, built from named columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.data.catalogue.groups import groups_by_position
from galfeat.data.catalogue.labels import DEFAULT_COLUMNS, ReadColumn, as_text, read_labels
from galfeat.errors import DataError


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
) -> Catalogue:
    """Build a catalogue from named columns.

    Groups are read from the column ``group_id``, where each empty cell is a separate group,
    or else derived from the positions ``ra`` and ``dec``: see `groups_by_position`. Invalid
    positions count as unknown. For the other parameters see `read_labels`.

    Raises
    ------
    DataError
        If a named column does not exist, the length of a column differs from the number of
        rows, or positions are not numbers.

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
        if values.shape != (len(ids),):
            raise DataError(
                f"column {name!r} has shape {values.shape}; expected one value for each of "
                f"{len(ids)} images"
            )
        return values

    labels = read_labels(
        columns, column, len(ids), label=label, guesses=guesses, class_names=class_names
    )
    ra, dec = _positions(columns, column)
    groups: NDArray[np.str_] | None = None
    if "group_id" in columns:
        text = ["" if name.lower() == "nan" else name for name in as_text(column("group_id"))]
        groups = np.array([value or f"row {row}" for row, value in enumerate(text)])
    elif ra is not None and dec is not None:
        groups = groups_by_position(ra, dec)
    source_column = next((name for name in ("source", "source_repo") if name in columns), None)
    return Catalogue(
        ids=ids,
        labels=labels.indices,
        class_names=labels.class_names,
        label_column=labels.column,
        groups=groups,
        sources=np.array(as_text(column(source_column))) if source_column else None,
        ra=ra,
        dec=dec,
    )


def _positions(
    columns: Collection[str], column: ReadColumn
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | tuple[None, None]:
    if "ra" not in columns or "dec" not in columns:
        return None, None
    ra, dec = (_degrees(column(name), name) for name in ("ra", "dec"))
    with np.errstate(invalid="ignore"):
        known = (ra >= 0) & (ra <= 360) & (np.abs(dec) <= 90)
    return np.where(known, ra, np.nan), np.where(known, dec, np.nan)


def _degrees(values: NDArray[Any], name: str) -> NDArray[np.float64]:
    if values.dtype.kind in "iuf":
        return values.astype(np.float64)
    try:
        return np.array([float(text) if text else np.nan for text in as_text(values)])
    except ValueError as error:
        raise DataError(f"column {name!r}: {error}; expected degrees") from error
