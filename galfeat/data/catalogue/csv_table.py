"""Read the columns of a CSV file that are needed, row by row."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from galfeat.data.limits import Budget, shortened
from galfeat.errors import DataError

MAX_ROW = 2**20
"""Maximum number of characters of a row."""

_MAX_SHARED = 2**16
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class CsvTable(NamedTuple):
    """The header of a CSV file, and some of its columns as stripped text."""

    names: Collection[str]
    columns: dict[str, NDArray[Any]]


def read_csv(path: Path) -> dict[str, NDArray[Any]]:
    """Read a CSV file with a header as columns of stripped text.

    Raises
    ------
    DataError
        As for `read_csv_columns`.
    """
    return read_csv_columns(path, lambda names: names, Budget()).columns


def read_csv_columns(
    path: Path,
    choose: Callable[[Collection[str]], Collection[str]],
    budget: Budget,
    *,
    separators: str = ",",
    comment: str = "",
) -> CsvTable:
    """Read some columns of a CSV file with a header.

    Parameters
    ----------
    path : Path
    choose : callable
        Takes the names of all columns; returns those to read.
    budget : Budget
        The memory that the columns may take.
    separators : str
        Of these, the most frequent in the header separates the cells.
    comment : str
        Lines that begin with this are skipped; by default none are.

    Raises
    ------
    DataError
        If the file is not a CSV file in UTF-8 with the same number of cells in each row, two
        of the columns to read have the same name, a row has more than `MAX_ROW` characters, or
        the budget is exceeded.
    """
    try:
        _check_encoding(path)
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = _rows(stream, path, separators, comment)
            names = [name.strip() for name in next(rows, [])]
            needed = set(choose(names))
            chosen = [name for name in dict.fromkeys(names) if name in needed]
            return CsvTable(dict.fromkeys(names), _columns(rows, names, chosen, path, budget))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read as a CSV file in UTF-8 ({error}); save it as CSV, UTF-8"
        ) from error


def _check_encoding(path: Path) -> None:
    with path.open("rb") as stream:
        if stream.read(2) in _UTF16:
            raise DataError(
                f"{path} cannot be read as a CSV file in UTF-8, it is in UTF-16; save it as CSV, "
                "UTF-8"
            )


def _rows(stream: TextIO, path: Path, separators: str, comment: str) -> Iterator[list[str]]:
    """Iterate over the rows that are not empty."""
    number, characters = 1, 0

    def lines() -> Iterator[str]:
        nonlocal characters
        while line := stream.readline(MAX_ROW + 1):
            characters += len(line)
            if characters > MAX_ROW:
                raise DataError(
                    f"{path}, row {number}, has more than {MAX_ROW:,} characters; close its quote "
                    "or drop columns"
                )
            if "\0" in line:
                raise DataError(
                    f"{path}, row {number}, contains NUL characters; expected text in UTF-8: save "
                    "it as CSV, UTF-8"
                )
            if not comment or (line.strip() and not line.startswith(comment)):
                yield line

    content = lines()
    header = next(content, "")
    separator = max(separators, key=header.count)
    try:
        for row in csv.reader(chain([header], content), delimiter=separator, strict=True):
            if row:
                yield row
                number += 1
            characters = 0
    except csv.Error as error:
        raise DataError(
            f"{path}, row {number}, cannot be read as a CSV file ({error}); close its quote or "
            "shorten its cells"
        ) from error


def _columns(
    rows: Iterator[Sequence[str]],
    names: list[str],
    chosen: list[str],
    path: Path,
    budget: Budget,
) -> dict[str, NDArray[Any]]:
    positions = [names.index(name) for name in chosen]
    for name, position in zip(chosen, positions, strict=True):
        if names.count(name) > 1:
            second = names.index(name, position + 1)
            raise DataError(
                f"columns {position + 1} and {second + 1} of {path} are both named "
                f"{shortened(name)}; rename or drop one of them"
            )
    cells: list[list[str]] = [[] for _ in chosen]
    kept = list(zip([column.append for column in cells], positions, strict=True))
    shared: dict[str, str] = {}  # columns repeat names of classes, votes, surveys
    size = 0
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise DataError(
                f"{path}, row {number}, has {len(row)} cells; its header has {len(names)}"
            )
        for append, position in kept:
            cell = row[position].strip()
            size += sys.getsizeof(cell) + 8
            if len(shared) < _MAX_SHARED:
                cell = shared.setdefault(cell, cell)
            append(cell)
        if size > 2**20:
            budget.take(size, f"row {number} of the columns of {path}")
            size = 0
    budget.take(size, f"the columns of {path}")
    return {
        name: np.array(column, dtype=object) for name, column in zip(chosen, cells, strict=True)
    }
