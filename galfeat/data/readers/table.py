"""Data sets of the image files that a table lists."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.data.catalogue.astropy_tables import FORMATS, is_fits_table
from galfeat.data.catalogue.catalogue import build_catalogue, catalogue_columns, fixed_width
from galfeat.data.catalogue.files import find_file_column
from galfeat.data.catalogue.labels import as_text, guessed_column, is_missing
from galfeat.data.catalogue.tables import (
    PARQUET_SUFFIXES,
    TEXT_SUFFIXES,
    as_names,
    read_table,
    table_suffix,
)
from galfeat.data.limits import Budget, listed
from galfeat.data.readers.folder import FileDataSet
from galfeat.data.readers.listed import ListedFiles
from galfeat.data.readers.splits import SPLIT_COLUMNS, check_present, check_split, split_of
from galfeat.errors import DataError

IMAGES_FOLDER = "images"
"""Folder beside a table in which its files are looked for too."""

_ALWAYS = (TEXT_SUFFIXES | PARQUET_SUFFIXES | FORMATS.keys()) - {
    *(".fits", ".fit", ".fits.gz"),
}


def is_table(path: Path) -> bool:
    """Return whether a regular file is a table, by its suffix, or by its content if it is FITS."""
    suffix = table_suffix(path)
    return suffix in _ALWAYS or (suffix in FORMATS and is_fits_table(path))


def open_table(
    path: Path,
    *,
    label: str | None = None,
    file_column: str | None = None,
    images_in: str | Path | None = None,
    split: str | None = None,
    max_bytes: int | None = None,
) -> FileDataSet:
    """Open the images listed in a table.

    Only columns that are needed are read. The names of the files, as listed, are the ids.

    Parameters
    ----------
    path : Path
        CSV, Parquet, FITS table, VOTable or ECSV; see `galfeat.data.catalogue.read_table`.
    label : str, optional
        As for `galfeat.open_dataset`.
    file_column : str, optional
        The column of file names; see `galfeat.data.catalogue.files.find_file_column`.
    images_in : str or Path, optional
        The folder of the images; by default that of the table, and ``images`` in it. Reading a
        missing file yields an `ImageError`.
    split : {"train", "test", "val", "all"}, optional
        Take the rows of this split. A column of `SPLIT_COLUMNS` that holds nothing but names of
        splits divides the table.
    max_bytes : int, optional
        As for `galfeat.open_dataset`.

    Raises
    ------
    DataError
        If the table cannot be read, has no column of files or no rows, a named column does not
        exist, or no row belongs to the split.
    """
    budget = Budget(max_bytes)
    names: list[str] = []
    needed: list[str] = []

    def choose(columns: Collection[str]) -> list[str]:
        names[:] = columns
        _check_is_table(path, names)
        needed[:] = [find_file_column(names, path, file_column)]
        needed.append(guessed_column(names, SPLIT_COLUMNS) or needed[0])
        return [*needed, *catalogue_columns(names, label)]

    columns = read_table(path, choose, budget=budget, comment="")
    lost = next((name for name in needed if name not in columns), None)
    if lost is not None:
        raise DataError(f"column {lost!r} of {path} cannot be read; expected one value in each row")
    name, split_column = needed
    ids = np.array(_file_names(columns[name], name), dtype=object)
    if not ids.size:
        raise DataError(f"{path} lists no images; add one row per image")
    splits = None if split_column == name else _splits(columns[split_column], split_column)
    wanted = check_split(split)
    check_present(wanted, [] if splits is None else np.unique(splits).tolist(), path)
    if wanted is not None and splits is not None:
        rows = splits == wanted
        ids, splits = ids[rows], splits[rows]
        columns = {column: values[rows] for column, values in columns.items()}
    fixed = fixed_width(ids.tolist(), name, budget)
    catalogue = build_catalogue(
        fixed, names, columns.__getitem__, label=label, budget=budget, splits=splits
    )
    return FileDataSet(ListedFiles(_folders(path, images_in), fixed, budget), catalogue)


def _check_is_table(path: Path, names: Collection[str]) -> None:
    """Raise DataError for a text file that is not a table."""
    if path.suffix.lower() == ".txt" and len(names) < 2:
        raise DataError(
            f"{path} has an unknown format; expected a folder, image files or a table: its first "
            f"line is {listed(names)}, not the names of columns"
        )


def _folders(path: Path, images_in: str | Path | None) -> list[Path]:
    if images_in is None:
        return [path.parent, path.parent / IMAGES_FOLDER]
    folder = Path(images_in)
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give the folder of the images")
    return [folder]


def _file_names(values: NDArray[Any], column: str) -> list[str]:
    if values.dtype.kind == "f":
        return as_names(values)
    return ["" if is_missing(name) else name for name in as_text(values, column)]


def _splits(values: NDArray[Any], column: str) -> NDArray[np.str_] | None:
    """Return the split of each row, empty where missing, or None if others are named too."""
    if values.dtype.kind not in "OSUT":
        return None
    text = as_text(values, column)
    splits = np.array([split_of(cell) for cell in text], dtype=np.str_)
    known = all(split or is_missing(cell) for split, cell in zip(splits, text, strict=True))
    return splits if known and (splits != "").any() else None
