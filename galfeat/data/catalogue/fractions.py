"""Soft labels: the fraction of votes for each class, in columns ``p_CLASS`` of a table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from galfeat.data.catalogue.files import find_file_column
from galfeat.data.catalogue.labels import ReadColumn
from galfeat.data.catalogue.tables import as_names, as_numbers, read_table
from galfeat.errors import DataError

PREFIX = "p_"
_TOLERANCE = 0.02


class VoteFractions(NamedTuple):
    """Fractions of votes for k classes.

    Attributes
    ----------
    fractions : ndarray of float, shape (n, k)
        Each row sums to one; NaN for rows without fractions.
    class_names : tuple of str
        In the order of the columns.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.catalogue import VoteFractions
    >>> VoteFractions(np.array([[0.25, 0.75], [np.nan, np.nan]]), ("a", "b")).known().tolist()
    [True, False]
    """

    fractions: NDArray[np.float64]
    class_names: tuple[str, ...]

    def known(self) -> NDArray[np.bool_]:
        """Return a mask of the rows with fractions, shape (n,)."""
        return np.asarray(np.isfinite(self.fractions).all(axis=1))


def read_fractions(
    columns: Collection[str], read: ReadColumn, class_names: Sequence[str] | None = None
) -> VoteFractions:
    """Read the columns ``p_CLASS`` of a table.

    Parameters
    ----------
    columns : collection of str
        The names of all columns.
    read : callable
        Returns the values of a column, shape (n,): numbers, or numbers as text.
    class_names : sequence of str, optional
        The classes, in the order wanted. A class without a column has no votes. By default the
        classes of all columns ``p_CLASS``, in the order of the table.

    Returns
    -------
    VoteFractions
        Each row divided by its sum. Rows in which all cells are empty are NaN.

    Raises
    ------
    DataError
        If there are fewer than two such columns, one names a class that is not in
        `class_names`, or a row has some cells empty, a value below 0 or a sum other than one.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.catalogue import read_fractions
    >>> columns = {"p_disc": np.array(["0.2", ""]), "p_smooth": np.array(["0.8", ""])}
    >>> read_fractions(columns, columns.__getitem__).fractions.tolist()
    [[0.2, 0.8], [nan, nan]]
    """
    found = [name.removeprefix(PREFIX) for name in columns if name.startswith(PREFIX)]
    if len(found) < 2:
        raise DataError(
            f"the table has {len(found)} columns 'p_CLASS' with fractions of votes; expected one "
            "for each class: write them with `galfeat data label-votes`"
        )
    names = tuple(found if class_names is None else class_names)
    unknown = [name for name in found if name not in names]
    if unknown:
        raise DataError(
            f"column 'p_{unknown[0]}' is not a class; the classes are {', '.join(names)}"
        )
    table = {name: as_numbers(read(PREFIX + name), PREFIX + name) for name in found}
    return VoteFractions(
        _checked(np.stack([table[name] for name in found], axis=1), found, names), names
    )


def read_soft_labels(
    path: str | Path,
    ids: Sequence[str],
    class_names: Sequence[str] | None = None,
    *,
    file_column: str | None = None,
) -> VoteFractions:
    r"""Read the soft labels of the galaxies of a data set from its table.

    Parameters
    ----------
    path : str or Path
        The table, or the folder of its ``labels.csv``.
    ids : sequence of str, length n
        The ids of a `DataSet` that was opened from it, in any order: names of files.
    class_names : sequence of str, optional
        As for `read_fractions`.
    file_column : str, optional
        As for `galfeat.open_dataset`.

    Returns
    -------
    VoteFractions
        In the order of `ids`; NaN for galaxies without fractions.

    Raises
    ------
    DataError
        If the table does not exist, lists no files, lists a file twice with different fractions,
        or has no valid fractions.

    Examples
    --------
    >>> from pathlib import Path
    >>> from galfeat.data.catalogue import read_soft_labels
    >>> _ = Path("labels.csv").write_text("filename,p_disc,p_smooth\na.jpg,0.2,0.8\nb.jpg,,\n")
    >>> read_soft_labels("labels.csv", ["b.jpg", "a.jpg"]).fractions.tolist()
    [[nan, nan], [0.2, 0.8]]
    """
    path = Path(path)
    table = path / "labels.csv" if path.is_dir() else path
    name = ""

    def needed(names: Collection[str]) -> list[str]:
        nonlocal name
        name = find_file_column(names, table, file_column)
        return [name, *(other for other in names if other.startswith(PREFIX))]

    columns = read_table(table, needed, comment="")
    listed = read_fractions(columns, columns.__getitem__, class_names)
    row_of: dict[str, int] = {}
    for row, file in enumerate(as_names(columns[name])):
        first = row_of.setdefault(file, row)
        if not np.array_equal(listed.fractions[first], listed.fractions[row], equal_nan=True):
            raise DataError(
                f"{table} lists {file} in rows {first + 1} and {row + 1} with different fractions; "
                "keep one of them"
            )
    fractions = np.full((len(ids), len(listed.class_names)), np.nan)
    for number, identity in enumerate(ids):
        if identity in row_of:
            fractions[number] = listed.fractions[row_of[identity]]
    return VoteFractions(fractions, listed.class_names)


def _checked(
    values: NDArray[np.float64], found: Sequence[str], names: Sequence[str]
) -> NDArray[np.float64]:
    empty = np.isnan(values).all(axis=1)
    sums = values.sum(axis=1)
    with np.errstate(invalid="ignore"):
        wrong = ~empty & ~((np.abs(sums - 1) <= _TOLERANCE) & (values >= 0).all(axis=1))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"the fractions of row {row + 1}, {', '.join(f'{v:g}' for v in values[row])}, do not "
            "sum to one; expected fractions of at least 0 for all classes, or empty cells"
        )
    fractions = np.zeros((len(values), len(names)))
    positions = [list(names).index(name) for name in found]
    fractions[:, positions] = values / np.where(empty, 1.0, sums)[:, None]
    fractions[empty] = np.nan
    return fractions
