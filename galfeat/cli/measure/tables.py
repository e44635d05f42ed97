"""Write the table of ``galfeat measure``."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from galfeat.errors import MissingDependencyError

if TYPE_CHECKING:
    from galfeat.features.flux import FluxTable

Writer = Callable[[Path, list[dict[str, Any]], "list[FluxTable]"], None]
#: Leading columns, their units and descriptions.
_LEADING = {
    "id": ("", "file"),
    "band": ("", "band"),
    "source": ("", "identity in the catalogue"),
    "ra": ("deg", "right ascension of the centroid"),
    "dec": ("deg", "declination of the centroid"),
    "error": ("", "why a file, band or position could not be measured"),
}


def writer(output: Path) -> Writer:
    """Return the function that writes a format; check early that its package is installed."""
    writers: dict[str, Writer] = {
        ".csv": _write_csv, ".ecsv": _write_ecsv, ".fits": _write_fits, ".parquet": _write_parquet
    }  # fmt: skip
    suffix = output.suffix.lower()
    if suffix not in writers:
        raise click.UsageError(f"{output}: unknown format; use one of {', '.join(writers)}")
    if suffix == ".parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError as error:
            raise MissingDependencyError(
                "writing .parquet requires pyarrow; pip install 'galfeat[parquet]', or use .csv"
            ) from error
    return writers[suffix]


def merged(rows: list[dict[str, Any]], tables: list[FluxTable]) -> dict[str, list[Any]]:
    """Return all columns; empty columns of the family are dropped."""
    columns: dict[str, list[Any]] = {
        name: [] for name in _LEADING if name != "error" and any(name in row for row in rows)
    }
    measured: dict[str, list[Any]] = {name: [] for table in tables for name in table.columns()}
    filled: dict[str, Any] = {"label": 0, "quality": 4, "flags": ""}
    by_table = [(table.columns(), k) for table in tables for k in range(len(table))]
    sources = iter(by_table)
    for row in rows:
        for name in columns:
            columns[name].append(row.get(name, math.nan if name in ("ra", "dec") else ""))
        values, k = ({}, 0) if "error" in row else next(sources)
        for name, column in measured.items():
            column.append(values[name][k] if name in values else filled.get(name, math.nan))
    for name, column in measured.items():
        if name in filled or not all(math.isnan(value) for value in column):
            columns[name] = column
    columns["error"] = [row.get("error", "") for row in rows]
    return columns


def _write_csv(path: Path, rows: list[dict[str, Any]], tables: list[FluxTable]) -> None:
    columns = merged(rows, tables)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            table.writerow(["" if value != value else _text(value) for value in row])


def _text(value: Any) -> str:  # noqa: ANN401
    """Return a number with the digits that round-trip."""
    return repr(float(value)) if hasattr(value, "dtype") and value.dtype.kind == "f" else str(value)


def _describe(name: str, tables: list[FluxTable]) -> tuple[str, str]:
    """Return unit and description of a column."""
    if name in _LEADING:
        return _LEADING[name]
    units = {table.unit(name) for table in tables}
    return (units.pop() if len(units) == 1 else ""), tables[0].description(name)


def _astropy(rows: list[dict[str, Any]], tables: list[FluxTable]) -> Any:  # noqa: ANN401
    """Return an astropy table with units and descriptions."""
    from astropy.table import Table
    from astropy.units import Unit

    table = Table(merged(rows, tables))
    for name in table.colnames:
        unit, description = _describe(name, tables)
        table[name].description = description
        if unit:
            # Units that astropy does not know are kept as they are.
            table[name].unit = Unit({"px": "pix"}.get(unit, unit), parse_strict="silent")
    return table


def _write_ecsv(path: Path, rows: list[dict[str, Any]], tables: list[FluxTable]) -> None:
    _astropy(rows, tables).write(path, format="ascii.ecsv", overwrite=True)


def _write_fits(path: Path, rows: list[dict[str, Any]], tables: list[FluxTable]) -> None:
    import warnings

    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about units outside the FITS standard
        unit = fits.table_to_hdu(_astropy(rows, tables), character_as_bytes=False)
    for k, name in enumerate(merged(rows, tables), start=1):
        unit.header[f"TCOMM{k}"] = _describe(name, tables)[1].encode("ascii", "replace").decode()
    unit.writeto(path, overwrite=True)


def _write_parquet(path: Path, rows: list[dict[str, Any]], tables: list[FluxTable]) -> None:
    import pyarrow
    import pyarrow.parquet

    columns = merged(rows, tables)
    arrays = [pyarrow.array(values) for values in columns.values()]
    fields = []
    for name, array in zip(columns, arrays, strict=True):
        unit, description = _describe(name, tables)
        notes = {"unit": unit, "description": description}
        fields.append(pyarrow.field(name, array.type, metadata=notes))
    table = pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields))
    pyarrow.parquet.write_table(table, path)
