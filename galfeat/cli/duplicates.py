"""Group duplicates and leave out rows with conflicting labels; report both on stderr."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from galfeat.errors import DataError
from galfeat.storage.cells import printable

if TYPE_CHECKING:
    from galfeat.data import DataSet
    from galfeat.data.duplicates import Grouping
    from galfeat.features import FeatureTable


class Grouped(NamedTuple):
    """A data set whose groups include its duplicates.

    Attributes
    ----------
    dataset : DataSet
        n rows.
    grouping : Grouping
    usable : ndarray of bool, shape (n,)
        False for rows left out because of conflicting labels.
    """

    dataset: DataSet
    grouping: Grouping
    usable: NDArray[np.bool_]

    def rows_to_use(self, families: Sequence[str], digests: NDArray[np.uint8]) -> NDArray[np.intp]:
        """Return the usable rows that no feature family was trained on.

        Raises
        ------
        DataError
            If there are none.
        """
        from galfeat.cli.inputs import leave_out_learned

        rows = leave_out_learned(families, self.dataset, digests, self.grouping.copies)
        rows = rows[self.usable[rows]]
        if not len(rows):
            raise DataError(
                f"all {len(self.dataset)} rows have the position or the image of a row with "
                "another class; correct the classes, or use --keep-conflicts"
            )
        return rows

    def with_copies(self, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which rows are among the given ones or show the same galaxy, shape (n,)."""
        copies = self.grouping.copies
        return np.isin(copies, copies[rows])

    def to_json(self, data: str) -> dict[str, Any]:
        """Return what was grouped and left out, as plain types, with names relative to `data`.

        Models are shared, so their scores hold no paths of the user's folders.
        """
        names = [_relative(name, data) for name in self.dataset.ids.tolist()]
        left_out = [names[row] for row in np.flatnonzero(~self.usable)]
        return {**self.grouping.to_json(names), "left_out": left_out}

    def facts(self) -> dict[str, str]:
        """Return what was grouped and left out, as facts for a report; empty if nothing was."""
        facts = {"Groups": grouped_text(self.grouping), "Conflicts": self.conflicts_text()}
        return {name: text for name, text in facts.items() if text}

    def conflicts_text(self) -> str:
        """Return a sentence on conflicting labels, empty if there are none."""
        conflicts = self.grouping.conflicts()
        if not conflicts:
            return ""
        names = self.dataset.class_names
        first = [
            f"{self.dataset.ids[row]} ({names[self.dataset.labels[row]]})" for row in conflicts[0]
        ]
        rows, galaxies = sum(map(len, conflicts)), len(conflicts)
        left_out = np.count_nonzero(~self.usable)
        fate = "are kept" if not left_out else "are left out"
        if 0 < left_out < rows:
            fate = f"{left_out:,} of them are left out"
        return (
            f"{rows:,} rows show {galaxies:,} {'galaxy' if galaxies == 1 else 'galaxies'} with "
            f"different classes, and {fate}; the first: {printable(', '.join(first))}"
        )


def find_duplicates(
    dataset: DataSet,
    table: FeatureTable,
    *,
    keep_conflicts: bool | NDArray[np.bool_],
    labelled: bool = True,
) -> Grouped:
    """Group near-identical images and rows of one position; print what was found.

    Parameters
    ----------
    dataset : DataSet
        n rows, all readable.
    table : FeatureTable
        Their features, digests and sketches.
    keep_conflicts : bool or ndarray of bool, shape (n,)
        Whether rows with conflicting labels are usable, of all rows or of each.
    labelled : bool
        False for fractions of votes, among which there are no conflicts.
    """
    from galfeat.data.duplicates import find_groups_in

    grouping = find_groups_in(
        dataset, table.digests, table.sketches, dataset.labels if labelled else None
    )
    if grouping.joined:
        dataset = dataset.regrouped(grouping.groups)
    usable = ~grouping.conflicting | keep_conflicts
    grouped = Grouped(dataset, grouping, usable)
    if text := grouped_text(grouping):
        click.echo(f"kept on one side of every split: {text}", err=True)
    if text := grouped.conflicts_text():
        click.echo(
            text if keep_conflicts is not False else f"{text}; see --keep-conflicts", err=True
        )
    return grouped


def grouped_text(grouping: Grouping) -> str:
    """Return the numbers of duplicates, such as "2 rows with the pixels of an earlier row".

    Empty if there are none.
    """
    parts: list[tuple[int, Callable[[int], str]]] = [
        (grouping.equal, lambda n: f"{_rows(n)} with the pixels of an earlier row"),
        (len(grouping.pairs), lambda n: f"{n:,} {'pair' if n == 1 else 'pairs'} of near-identical "
         "images"),
        (grouping.same_position, lambda n: f"{_rows(n)} at the position of an earlier row"),
        (grouping.same_group, lambda n: f"{_rows(n)} with the group_id of an earlier row, or "
         "overlapping it"),
    ]  # fmt: skip
    return ", ".join(text(number) for number, text in parts if number)


def _relative(name: str, folder: str) -> str:
    path = PurePath(name)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else name


def _rows(number: int) -> str:
    return f"{number:,} {'row' if number == 1 else 'rows'}"
