"""Read a table of features that ``galfeat extract`` wrote."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import DataError, ImageError, MissingDependencyError
from galfeat.features.registry import FLAGS
from galfeat.features.table import FeatureTable
from galfeat.frame import Flag
from galfeat.storage.cells import ORIGINAL_BYTES

#: Columns that are not features.
_OTHERS = ("id", "class", "digest", FLAGS, "error")
_BITS = {str(flag.name).lower(): float(flag) for flag in Flag}


def is_table_file(path: Path) -> bool:
    """Return whether a file is a table of features, from the names of its columns.

    Parameters
    ----------
    path : Path
        Of any kind. Other files, and those that cannot be read, are not.

    Examples
    --------
    >>> from pathlib import Path
    >>> from galfeat.features.table_file import is_table_file
    >>> is_table_file(Path("galaxies.png"))
    False
    """
    suffix = path.suffix.lower()
    if suffix not in (".npz", ".csv", ".parquet") or not path.is_file():
        return False
    try:
        return {"digest" if suffix != ".npz" else "digests", FLAGS} <= set(_columns(path))
    except (OSError, ValueError, zipfile.BadZipFile, csv.Error, MissingDependencyError):
        return False


def read_table_file(path: Path) -> tuple[FeatureTable, list[str]]:
    r"""Return the features and ids in a file.

    Parameters
    ----------
    path : Path
        As written by ``galfeat extract``: .npz, .csv or .parquet.

    Returns
    -------
    table : FeatureTable
    ids : list of str

    Raises
    ------
    DataError
        If the file is not such a table, or is damaged.
    MissingDependencyError
        If it is Parquet and pyarrow is not installed.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from galfeat.features.table_file import read_table_file
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "features.csv"
    ...     _ = path.write_text("id,digest,shape.gini,flags,error\na,00,0.5,round,\n")
    ...     table, ids = read_table_file(path)
    >>> table.values.tolist(), ids
    ([[0.5, 64.0]], ['a'])
    """
    readers = {".npz": _read_npz, ".csv": _read_csv, ".parquet": _read_parquet}
    try:
        return readers[path.suffix.lower()](path)
    except (OSError, KeyError, ValueError, IndexError, zipfile.BadZipFile, csv.Error) as error:
        raise DataError(
            f"{path} is not a table of features ({type(error).__name__}: {error}); write it with "
            "galfeat extract"
        ) from error


def _columns(path: Path) -> Sequence[str]:
    if path.suffix.lower() == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return list(arrays.files)
    if path.suffix.lower() == ".parquet":
        names: list[str] = _parquet().read_schema(path).names
        return names
    with path.open(newline="", encoding="utf-8", errors=ORIGINAL_BYTES) as file:
        return next(csv.reader(file), [])


def _read_npz(path: Path) -> tuple[FeatureTable, list[str]]:
    with np.load(path, allow_pickle=False) as arrays:
        values, names = arrays["values"], [str(name) for name in arrays["names"]]
        ids, errors = [str(name) for name in arrays["ids"]], [str(e) for e in arrays["errors"]]
    if values.dtype != np.float32 or values.shape != (len(ids), len(names)):
        raise ValueError(f"values are {values.dtype} of shape {values.shape}")
    return _table(values, names, errors), ids


def _read_csv(path: Path) -> tuple[FeatureTable, list[str]]:
    with path.open(newline="", encoding="utf-8", errors=ORIGINAL_BYTES) as file:
        rows = csv.DictReader(file)
        names = [name for name in rows.fieldnames or () if name not in _OTHERS]
        columns: list[list[float]] = []
        ids, errors = [], []
        for row in rows:
            numbers = [float(row[name]) if row[name] else np.nan for name in names]
            columns.append([*numbers, _bits(row[FLAGS])])
            ids.append(row["id"])
            errors.append(row["error"])
    values = np.array(columns, np.float32).reshape(len(ids), len(names) + 1)
    return _table(values, [*names, FLAGS], errors), ids


def _read_parquet(path: Path) -> tuple[FeatureTable, list[str]]:
    read = _parquet().read_table(path)
    names = [name for name in read.column_names if name not in _OTHERS]
    values = np.empty((read.num_rows, len(names) + 1), np.float32)
    for position, name in enumerate(names):
        values[:, position] = read.column(name).to_numpy()
    values[:, -1] = [_bits(text) for text in read.column(FLAGS).to_pylist()]
    errors = [text or "" for text in read.column("error").to_pylist()]
    return _table(values, [*names, FLAGS], errors), read.column("id").to_pylist()


def _parquet() -> Any:  # noqa: ANN401
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError(
            "reading .parquet requires pyarrow; pip install 'galfeat[parquet]', or use .csv or .npz"
        ) from error
    return pyarrow.parquet


def _bits(text: str) -> float:
    """Return the value of flags written as names; those that are not in the table count as 0."""
    return sum(_BITS.get(name, 0.0) for name in text.split(";"))


def _table(
    values: NDArray[np.float32], names: Sequence[str], errors: Sequence[str]
) -> FeatureTable:
    failed = {row: ImageError(text) for row, text in enumerate(errors) if text}
    return FeatureTable(values, tuple(names), np.zeros((len(values), 16), np.uint8), failed)
