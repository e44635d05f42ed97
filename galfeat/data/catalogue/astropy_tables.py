"""Read FITS tables, VOTables and ECSV with astropy, within a limit on memory."""

from __future__ import annotations

import gzip
import re
import warnings
import zlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from galfeat.data.limits import Budget
from galfeat.errors import DataError
from galfeat.storage.versions import require_package

FORMATS: dict[str, str] = {
    ".fits": "fits",
    ".fit": "fits",
    ".fits.gz": "fits",
    ".vot": "votable",
    ".votable": "votable",
    ".xml": "votable",
    ".ecsv": "ascii.ecsv",
}
"""astropy's name of the format of a table, by suffix."""

#: Memory that astropy takes while it reads a file of text, per byte.
_BYTES_PER_CHARACTER = 10
_BLOCK, _CARD = 2880, 80
_MAX_BLOCKS = 200
_TABLES = ("BINTABLE", "TABLE")
_GZIP = b"\x1f\x8b"
#: Other compression that astropy would undo, however large the result.
_PACKED = (b"BZh", b"\xfd7zXZ", b"PK\x03\x04", b"\x1f\x9d")
_REMOTE = re.compile(rb"STREAM\s[^>]*href", re.IGNORECASE)

Choose = Callable[[Collection[str]], Collection[str]]


def is_fits_table(path: Path) -> bool:
    """Return whether the first data of a FITS file are a table with columns, not an image.

    Only headers are read, at most 576 kB each. A damaged file is not a table.
    """
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == _GZIP
            stream.seek(0)
            content = cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if packed else stream
            primary = _read_header(content)
            if primary.get("SIMPLE") != "T" or primary.get("NAXIS") != "0":
                return False
            first = _read_header(content)
    except (OSError, EOFError, zlib.error, ValueError):
        return False
    columns = first.get("TFIELDS") != "0"
    return columns and first.get("XTENSION") in _TABLES and first.get("ZIMAGE") != "T"


def read_with_astropy(
    path: Path, suffix: str, choose: Choose, budget: Budget
) -> dict[str, NDArray[Any]]:
    """Read the columns that `choose` returns; see `galfeat.data.catalogue.read_table`."""
    kind = FORMATS[suffix]
    require_package("astropy.table", "fits", f"reading {suffix}")
    size = _size_in_memory(path, budget)
    budget.check(size if kind == "fits" else size * _BYTES_PER_CHARACTER, f"the table {path}")
    read = _read_fits if kind == "fits" else _read_text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # units and deviations from the standard
            return read(path, kind, choose, budget)
    except (DataError, MemoryError):
        raise
    except Exception as error:  # a damaged file raises many kinds of errors inside astropy
        raise DataError(
            f"{path} cannot be read as {kind} ({error}); expected a file with a table"
        ) from error


def plain_column(column: Any) -> NDArray[Any]:  # noqa: ANN401
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


def _read_fits(path: Path, kind: str, choose: Choose, budget: Budget) -> dict[str, NDArray[Any]]:
    from astropy.io import fits

    with fits.open(path) as units:
        tables = (unit for unit in units if isinstance(unit, fits.BinTableHDU | fits.TableHDU))
        unit = next(tables, None)
        if unit is None:
            raise DataError(f"{path} holds no table; expected one")
        # Columns of lists are left out, among them those that repeat parts of one heap.
        scalar = {c.name: c for c in unit.columns if c.dtype.shape == () and _is_scalar(c.format)}
        chosen = set(choose(list(scalar)))
        names = [name for name in scalar if name in chosen]
        rows = max(0, int(unit.header["NAXIS2"]))
        size = rows * sum(scalar[name].dtype.itemsize for name in names)
        budget.take(size, f"the columns of {path}")
        return {name: _fits_column(unit.data, scalar[name]) for name in names}


def _is_scalar(form: str) -> bool:
    return not re.search("[PQ]", str(form))


def _fits_column(data: Any, column: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return a column of a FITS table; missing integers are NaN, or empty if stored as text."""
    null = column.null
    if isinstance(null, str):  # astropy reads missing numbers of tables in ASCII as 0
        cells = np.char.strip(np.char.decode(data.view(np.ndarray)[column.name], "latin-1"))
        return np.where(cells == null.strip(), "", cells)
    values = np.array(data[column.name])
    if null is not None and values.dtype.kind in "iu":
        return plain_column(np.ma.masked_equal(values, null))
    return plain_column(values)


def _read_text(path: Path, kind: str, choose: Choose, budget: Budget) -> dict[str, NDArray[Any]]:
    from astropy.table import Table

    if kind == "votable":
        _check_votable(path)
    table = Table.read(path, format=kind)
    names = [name for name in table.colnames if table[name].ndim == 1]
    chosen = set(choose(names))
    names = [name for name in names if name in chosen]
    size = sum(table[name].dtype.itemsize for name in names) * len(table)
    budget.take(size, f"the columns of {path}")
    return {name: plain_column(table[name]) for name in names}


def _check_votable(path: Path) -> None:
    """Raise DataError for a VOTable with data elsewhere, which astropy would fetch."""
    content = path.read_bytes()
    if _REMOTE.search(content) or b"\0" in content or content[:2] == _GZIP:
        raise DataError(
            f"{path} is compressed, not in UTF-8, or refers to data in another file; save it as a "
            "VOTable that holds its data"
        )


def _size_in_memory(path: Path, budget: Budget) -> int:
    """Return the size of a file, or what it unpacks to by gzip; 0 if it is read in parts."""
    size = 0
    try:
        with path.open("rb") as stream:
            start = stream.read(6)
        if start.startswith(_PACKED):
            raise DataError(f"{path} is compressed; unpack it, or compress it with gzip")
        if not start.startswith(_GZIP):
            return 0 if FORMATS.get(path.suffix.lower()) == "fits" else path.stat().st_size
        with gzip.open(path) as unpacked:
            while size <= budget.left and (block := unpacked.read(2**20)):
                size += len(block)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be unpacked ({error}); replace the file") from error
    return size


def _read_header(stream: BinaryIO) -> dict[str, str]:
    """Return the values of a header as text, without quotes; raise ValueError if it has no end."""
    cards: dict[str, str] = {}
    for _ in range(_MAX_BLOCKS):
        block = stream.read(_BLOCK).decode("latin-1")
        if len(block) < _BLOCK:
            break
        for start in range(0, _BLOCK, _CARD):
            card = block[start : start + _CARD]
            if card[:8] == "END     ":
                return cards
            if card[8:10] == "= ":
                cards[card[:8].strip()] = card[10:].partition("/")[0].strip().strip("'").strip()
    raise ValueError("the header has no end")
