"""Find the column of a table that names image files."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from galfeat.data.catalogue.labels import find_column, guessed_column
from galfeat.data.limits import listed
from galfeat.data.readers.decode import is_image_name
from galfeat.errors import DataError

FILE_COLUMNS = (
    *("filename", "file", "path", "image", "file_loc"),
    *("file_name", "filepath", "file_path", "image_file", "image_path", "image_name", "image_id"),
    *("galaxyid", "dr7objid", "iauname", "id_str", "asset_id", "objid", "subject_id", "id"),
)
"""Columns that name an image file, with or without its suffix, in order of preference."""


def find_file_column(names: Collection[str], path: Path, column: str | None = None) -> str:
    """Return the column that names the image files of a table.

    Parameters
    ----------
    names : collection of str
        The names of all columns.
    path : Path
        The table, for the message.
    column : str, optional
        The column. By default the first of `FILE_COLUMNS`, in any case.

    Raises
    ------
    DataError
        If there is none.

    Examples
    --------
    >>> from pathlib import Path
    >>> from galfeat.data.catalogue.files import find_file_column
    >>> find_file_column(["GalaxyID", "Class"], Path("votes.csv"))
    'GalaxyID'
    """
    if column is not None:
        return find_column(column, names)
    found = guessed_column(names, FILE_COLUMNS)
    if found is not None:
        return found
    advice = "rename the column of image files, or name it with --file-column"
    if any(map(is_image_name, names)):
        advice = "its first row lists an image: add a row of names such as filename and class"
    raise DataError(f"{path} has no column 'filename' (columns: {listed(names)}); {advice}")
