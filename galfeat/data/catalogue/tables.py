"""Read chosen columns of a catalogue: CSV, Parquet, FITS table, VOTable or ECSV."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.data.catalogue.astropy_tables import FORMATS as ASTROPY_FORMATS
from galfeat.data.catalogue.astropy_tables import Choose, plain_column, read_with_astropy
from galfeat.data.catalogue.csv_table import read_csv_columns
from galfeat.data.limits import Budget
from galfeat.errors import DataError
from galfeat.storage.versions import require_package

TEXT_SUFFIXES: frozenset[str] = frozenset({".csv", ".tsv", ".txt"})
PARQUET_SUFFIXES: frozenset[str] = frozenset({".parquet", ".pq"})
_PARQUET_TEXT = frozenset({"string", "large_string", "binary", "large_binary"})
_BYTES_PER_CELL = 32
EXPECTED = "expected a CSV file, Parquet (.parquet), a FITS table (.fits), VOTable (.vot) or ECSV"

SEPARATORS = ",;\t|"


def read_table(
    path: str | Path,
    choose: Choose | None = None,
    *,
    budget: Budget | None = None,
    comment: str = "#",
) -> dict[str, NDArray[Any]]:
    r"""Read columns of a table.

    Parameters
    ----------
    path : str or Path
        The suffix gives the format: ``.csv``, ``.tsv`` and ``.txt`` for text separated by
        commas, semicolons, tabs or vertical bars, whichever is most frequent in the header;
        ``.parquet``; ``.fits``, whose first table is read; ``.vot`` and ``.xml`` for VOTable;
        ``.ecsv``.
    choose : callable, optional
        Takes the names of all columns and returns those to read; by default all are read.
    budget : Budget, optional
        The memory that the columns may take; by default ``GALFEAT_MAX_BYTES``, or 4 GiB.
    comment : str
        Lines of a text file that begin with this are skipped; none are if it is empty.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Stripped text for text files, otherwise numbers or text; missing numbers are NaN. Columns
        with several values per row are left out.

    Raises
    ------
    DataError
        If the file is missing, damaged, of unknown format, has rows of different lengths, two
        of the columns have the same name, or they take more memory than the budget allows.
    MissingDependencyError
        If astropy or pyarrow is needed and not installed.

    Examples
    --------
    >>> from pathlib import Path
    >>> from galfeat.data.catalogue import read_table
    >>> _ = Path("positions.csv").write_text("name; RA; Dec\nM 51; 202.47; 47.195\n")
    >>> read_table("positions.csv")["RA"].tolist()
    ['202.47']
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} is not a file; {EXPECTED}")
    choose = choose or (lambda names: [name for name in names if name])
    budget = Budget() if budget is None else budget
    suffix = table_suffix(path)
    if suffix in TEXT_SUFFIXES:
        table = read_csv_columns(path, choose, budget, separators=SEPARATORS, comment=comment)
        return table.columns
    if suffix in PARQUET_SUFFIXES:
        return _read_parquet(path, choose, budget)
    if suffix in ASTROPY_FORMATS:
        return read_with_astropy(path, suffix, choose, budget)
    raise DataError(f"{path} has an unknown format; {EXPECTED}")


def as_numbers(values: NDArray[Any], column: str) -> NDArray[np.float64]:
    """Return a column as floats; NaN for empty cells.

    Raises
    ------
    DataError
        If a cell is not a number.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.catalogue.tables import as_numbers
    >>> as_numbers(np.array(["0.5", ""]), "p")
    array([0.5, nan])
    """
    if values.dtype.kind in "iufb":
        return values.astype(np.float64)
    numbers = np.full(len(values), np.nan)
    for row, value in enumerate(values):
        text = str(value).strip()
        if text.lower() in ("", "nan", "null", "none", "--"):
            continue
        try:
            numbers[row] = float(text)
        except ValueError:
            raise DataError(
                f"column {column!r} contains {text[:40]!r} in row {row + 1}; expected a number"
            ) from None
    return numbers


def as_names(values: NDArray[Any]) -> list[str]:
    """Return a column as stripped text; whole numbers without a decimal point."""
    if values.dtype.kind == "f":
        return ["" if np.isnan(v) else f"{v:.0f}" if v == int(v) else f"{v}" for v in values]
    return [
        value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else str(value).strip()
        for value in values.tolist()
    ]


def column_named(names: Collection[str], spellings: Sequence[str]) -> str | None:
    """Return the column with the first of several spellings, ignoring case; None if there is none.

    Examples
    --------
    >>> from galfeat.data.catalogue.tables import column_named
    >>> column_named(["objID", "RAJ2000"], ["ra", "raj2000"])
    'RAJ2000'
    """
    by_lower: dict[str, str] = {}
    for name in names:
        by_lower.setdefault(name.strip().lower(), name)
    return next((by_lower[name.lower()] for name in spellings if name.lower() in by_lower), None)


def table_suffix(path: Path) -> str:
    """Return the suffix of a file in lower case, with that before ``.gz``."""
    name = path.name.lower()
    return ".fits.gz" if name.endswith(".fits.gz") else path.suffix.lower()


def _read_parquet(path: Path, choose: Choose, budget: Budget) -> dict[str, NDArray[Any]]:
    require_package("pyarrow.parquet", "parquet", "reading Parquet")
    import pyarrow.parquet as parquet
    from pyarrow.types import is_nested

    try:
        with parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            flat = [field.name for field in schema if not is_nested(field.type)]
            chosen = set(choose(flat))
            names = [name for name in flat if name in chosen]
            _take_parquet(file.metadata, chosen, path, budget)
        # A page of repeated text is stored once, so it is kept as numbers of distinct values.
        texts = [name for name in names if str(schema.field(name).type) in _PARQUET_TEXT]
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            table = file.read(columns=names)
        return {name: plain_column(_parquet_values(table.column(name))) for name in names}
    except (DataError, MemoryError):
        raise
    except Exception as error:  # a damaged file raises many kinds of errors inside pyarrow
        raise DataError(f"{path} cannot be read as Parquet ({error}); replace the file") from error


def _take_parquet(metadata: Any, names: Collection[str], path: Path, budget: Budget) -> None:  # noqa: ANN401
    """Take the memory of columns from the budget, as declared by the file."""
    size = _BYTES_PER_CELL * metadata.num_rows * max(1, len(names))
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema in names:
                size += max(0, column.total_uncompressed_size)
    budget.take(size, f"the columns of {path}")


def _parquet_values(column: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return a column of pyarrow; equal texts are one object, missing ones are None."""
    if not str(column.type).startswith("dictionary"):
        return np.asarray(column.to_numpy())
    parts = []
    for chunk in column.chunks:
        values = np.array([*chunk.dictionary.to_pylist(), None], dtype=object)
        parts.append(values[chunk.indices.fill_null(len(values) - 1).to_numpy()])
    return np.concatenate(parts) if parts else np.array([], dtype=object)
