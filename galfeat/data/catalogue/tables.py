"""Read chosen columns of a catalogue: CSV, Parquet, FITS table, VOTable or ECSV."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.data.catalogue.csv_table import read_csv_columns
from galfeat.data.limits import Budget
from galfeat.errors import DataError
from galfeat.storage.versions import require_package

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
ASTROPY_FORMATS = {
    ".fits": "fits",
    ".fit": "fits",
    ".fits.gz": "fits",
    ".vot": "votable",
    ".votable": "votable",
    ".xml": "votable",
    ".ecsv": "ascii.ecsv",
}
PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})
EXPECTED = "expected a CSV file, Parquet (.parquet), a FITS table (.fits), VOTable (.vot) or ECSV"

_SEPARATORS = ",;\t|"

Choose = Callable[[Collection[str]], Collection[str]]


def read_table(path: str | Path, choose: Choose | None = None) -> dict[str, NDArray[Any]]:
    r"""Read columns of a table.

    Parameters
    ----------
    path : str or Path
        The suffix gives the format: ``.csv``, ``.tsv`` and ``.txt`` for text separated by
        commas, semicolons, tabs or vertical bars, whichever is most frequent in the header;
        ``.parquet``; ``.fits``, whose first table is read; ``.vot`` and ``.xml`` for VOTable;
        ``.ecsv``. Lines of a text file that begin with ``#`` are comments.
    choose : callable, optional
        Takes the names of all columns and returns those to read; by default all are read.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Stripped text for text files, otherwise numbers or text; missing numbers are NaN. Columns
        with several values per row are left out.

    Raises
    ------
    DataError
        If the file is missing, damaged, of unknown format, has rows of different lengths, or
        two of the columns have the same name, or
        they take more memory than `galfeat.data.limits.Budget` allows.
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
    budget = Budget()
    name = path.name.lower()
    suffix = ".fits.gz" if name.endswith(".fits.gz") else path.suffix.lower()
    if suffix in TEXT_SUFFIXES:
        return read_csv_columns(path, choose, budget, separators=_SEPARATORS, comment="#").columns
    if suffix in PARQUET_SUFFIXES:
        return _read_parquet(path, choose, budget)
    if suffix in ASTROPY_FORMATS:
        return _read_with_astropy(path, ASTROPY_FORMATS[suffix], choose, budget)
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


def _columns_of(path: Path) -> str:
    return f"the columns of {path}"


def _read_parquet(path: Path, choose: Choose, budget: Budget) -> dict[str, NDArray[Any]]:
    require_package("pyarrow.parquet", "parquet", "reading Parquet")
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(path) as file:
            names = list(file.schema_arrow.names)
            wanted = [name for name in names if name in set(choose(names))]
            budget.take(8 * file.metadata.num_rows * max(1, len(wanted)), _columns_of(path))
            table = file.read(columns=wanted)
        return {name: _plain(table.column(name).to_numpy()) for name in wanted}
    except (DataError, MemoryError):
        raise
    except Exception as error:  # a damaged file raises many kinds of errors inside pyarrow
        raise DataError(f"{path} cannot be read as Parquet ({error}); replace the file") from error


def _read_with_astropy(
    path: Path, kind: str, choose: Choose, budget: Budget
) -> dict[str, NDArray[Any]]:
    require_package("astropy.table", "fits", f"reading {path.suffix}")
    from astropy.table import Table

    options: dict[str, Any] = {"memmap": True} if kind == "fits" else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # units and deviations from the standard
            table = Table.read(path, format=kind, **options)
            names = [name for name in table.colnames if table[name].ndim == 1]
            wanted = [name for name in names if name in set(choose(names))]
            size = sum(table[name].dtype.itemsize for name in wanted) * len(table)
            budget.take(size, _columns_of(path))
            return {name: _plain(table[name]) for name in wanted}
    except (DataError, MemoryError):
        raise
    except Exception as error:  # a damaged file raises many kinds of errors inside astropy
        raise DataError(
            f"{path} cannot be read as {kind} ({error}); expected a file with a table"
        ) from error


def _plain(column: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return a column in the machine's byte order, its missing values filled."""
    if np.ma.isMaskedArray(column):
        if column.dtype.kind in "iu" and np.ma.is_masked(column):
            column = column.astype(np.float64)
        column = column.filled(np.nan if column.dtype.kind == "f" else None)
    values = np.asarray(column)
    if values.dtype.kind == "O":
        return np.array(["" if value is None else value for value in values], dtype=object)
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8", "replace")
    return np.ascontiguousarray(values.astype(values.dtype.newbyteorder("=")))
