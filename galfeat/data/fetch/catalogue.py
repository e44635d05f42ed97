"""Positions and labels of a user's own catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.data.catalogue.fractions import PREFIX
from galfeat.data.catalogue.labels import DEFAULT_COLUMNS
from galfeat.data.catalogue.tables import as_names, column_named, read_table
from galfeat.errors import DataError
from galfeat.storage.versions import require_package

#: Spellings of right ascension and declination, each pair from one convention.
POSITION_COLUMNS = (
    *(("ra", "dec"), ("raj2000", "dej2000"), ("raj2000", "decj2000"), ("_raj2000", "_dej2000")),
    *(("ra_icrs", "de_icrs"), ("ra_icrs", "dec_icrs"), ("_ra", "_de"), ("ramean", "decmean")),
    *(("ra_deg", "dec_deg"), ("radeg", "decdeg"), ("radeg", "dedeg"), ("ra_j2000", "dec_j2000")),
    *(("alpha_j2000", "delta_j2000"), ("alphawin_j2000", "deltawin_j2000")),
    *(("right_ascension", "declination"), ("rightascension", "declination")),
    *(("target_ra", "target_dec"), ("s_ra", "s_dec"), ("ra", "decl"), ("ra", "de")),
)
#: Columns that name a galaxy, the preferred first.
ID_COLUMNS = (
    *("id", "name", "object", "objid", "obj_id", "object_id", "source_id", "galaxyid", "iauname"),
    *("dr7objid", "dr8objid", "specobjid", "targetid", "id_str", "designation", "nsa_id"),
)
#: Columns that are copied to ``labels.csv`` besides those of labels.
_COPIED = (
    *("coarse", "class_name", "group_id", "source", "source_repo", "label_source", "survey"),
    *("redshift", "z"),
)
_LONGEST_NAME = 100


@dataclass(frozen=True, eq=False)
class SkyCatalogue:
    r"""Galaxies with positions.

    Attributes
    ----------
    ids : list of str, length n
        From the catalogue, or row numbers from 1.
    names : list of str, length n
        Distinct names of files: the ids, with other characters than letters, digits and ``._+-``
        replaced.
    ra, dec : ndarray of float, shape (n,)
        Degrees, J2000.
    cells : list of dict
        The row of each galaxy in ``labels.csv``: ``id``, ``ra``, ``dec`` and labels.
    invalid : dict of str to str
        Why rows without a valid position were left out, by id.

    Examples
    --------
    >>> from pathlib import Path
    >>> from galfeat.data.fetch import read_positions
    >>> _ = Path("mine.csv").write_text("Name,RAJ2000,DEJ2000,class\nM 51,202.47,47.195,spiral")
    >>> catalogue = read_positions("mine.csv")
    >>> catalogue.names, catalogue.cells[0]["class"]
    (['M_51'], 'spiral')
    """

    ids: list[str]
    names: list[str]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    cells: list[dict[str, str]]
    invalid: Mapping[str, str]


def read_positions(
    path: str | Path,
    *,
    id_column: str | None = None,
    label: str | None = None,
    limit: int | None = None,
) -> SkyCatalogue:
    r"""Read the positions and labels of a catalogue.

    Parameters
    ----------
    path : str or Path
        CSV, Parquet, FITS table, VOTable or ECSV; see `galfeat.data.catalogue.read_table`.
        Positions are in degrees, or sexagesimal: right ascension in hours, as ``13:29:52.7``,
        ``13h29m52.7s`` or ``13 29 52.7``. Columns may have any usual name, such as ``RA`` and
        ``Dec``, ``RAJ2000`` and ``DEJ2000``, ``raMean`` and ``decMean``.
    id_column : str, optional
        Column that names the galaxies. By default the first of `ID_COLUMNS`, or the row number.
    label : str, optional
        A column of labels, besides those with a usual name.
    limit : int, optional
        Read only this many rows.

    Returns
    -------
    SkyCatalogue

    Raises
    ------
    DataError
        If the file is not a table, a column does not exist, or no row has a valid position.
    MissingDependencyError
        If positions are sexagesimal and astropy is not installed.

    Examples
    --------
    >>> from pathlib import Path
    >>> from galfeat.data.fetch import read_positions
    >>> _ = Path("mine.csv").write_text("objID,ra,dec\n1,202.47,47.195\n2,10.68,91\n")
    >>> read_positions("mine.csv").invalid
    {'2': 'dec is 91; expected -90 to 90 degrees'}
    """
    columns = read_table(path)
    for name in (id_column, label):
        if name is not None and name not in columns:
            raise DataError(
                f"{path} has no column {name!r}; its columns are {', '.join(list(columns)[:20])}"
            )
    axes = _position_columns(path, columns)
    first = {name: values[:limit] for name, values in columns.items()}
    ra, dec = (_degrees(first[name], name, hours=number == 0) for number, name in enumerate(axes))
    name = id_column or column_named(columns, ID_COLUMNS)
    ids = [str(row) for row in range(1, len(ra) + 1)] if name is None else as_names(first[name])
    ids = [identity or f"row {row}" for row, identity in enumerate(ids, start=1)]
    reasons = [_problem(*position) for position in zip(ra, dec, strict=True)]
    rows = [row for row, reason in enumerate(reasons) if not reason]
    if not rows:
        problem = f"row 1: {reasons[0]}" if reasons else "it has no rows"
        raise DataError(f"{path} has no valid position ({problem}); expected degrees, J2000")
    ra = np.where(ra < 0, ra + 360, ra)
    copied = {
        column: as_names(first[column])
        for column in _label_columns(columns, label)
        if column not in (name, *axes)
    }
    cells = [
        {
            "id": ids[row],
            "ra": f"{ra[row]:.7f}",
            "dec": f"{dec[row]:.7f}",
            **{column: values[row] for column, values in copied.items()},
        }
        for row in rows
    ]
    return SkyCatalogue(
        [ids[row] for row in rows],
        file_names([ids[row] for row in rows]),
        ra[rows],
        dec[rows],
        cells,
        {ids[row]: reason for row, reason in enumerate(reasons) if reason},
    )


def file_names(ids: Sequence[str]) -> list[str]:
    """Return distinct names of files for ids, safe on any system.

    Examples
    --------
    >>> from galfeat.data.fetch.catalogue import file_names
    >>> file_names(["NGC 1", "../ngc 1", "NGC 1"])
    ['NGC_1', '_ngc_1', 'NGC_1-2']
    """
    names: list[str] = []
    taken: dict[str, int] = {}
    for identity in ids:
        name = re.sub(r"[^\w.+-]+", "_", identity, flags=re.ASCII).lstrip(".")[:_LONGEST_NAME]
        name = name or "_"
        key = name.lower()
        while key in taken:
            taken[key] += 1
            candidate = f"{name}-{taken[key]}"
            if candidate.lower() not in taken:
                name, key = candidate, candidate.lower()
        taken[key] = 1
        names.append(name)
    return names


def _position_columns(path: str | Path, columns: Mapping[str, Any]) -> tuple[str, str]:
    for spellings in POSITION_COLUMNS:
        ra, dec = (column_named(columns, [name]) for name in spellings)
        if ra is not None and dec is not None:
            return ra, dec
    raise DataError(
        f"{path} has no columns of positions such as 'ra' and 'dec' (columns: "
        f"{', '.join(list(columns)[:20]) or 'none'}); rename them"
    )


def _label_columns(columns: Mapping[str, Any], label: str | None) -> list[str]:
    known = {*DEFAULT_COLUMNS, *_COPIED}
    names = [name for name in columns if name.lower() in known or name.startswith(PREFIX)]
    return names if label is None or label in names else [label, *names]


def _degrees(values: NDArray[Any], column: str, *, hours: bool) -> NDArray[np.float64]:
    """Return degrees; NaN where a cell is empty or not an angle."""
    if values.dtype.kind in "iuf":
        return values.astype(np.float64)
    degrees = np.full(len(values), np.nan)
    sexagesimal = {}
    for row, text in enumerate(as_names(values)):
        try:
            degrees[row] = float(text)
        except ValueError:
            if re.search(r"\d[\s:hdm°]+\d", text):
                sexagesimal[row] = text
    if sexagesimal:
        _parse_sexagesimal(sexagesimal, degrees, column, hours=hours)
    return degrees


def _parse_sexagesimal(
    texts: Mapping[int, str], degrees: NDArray[np.float64], column: str, *, hours: bool
) -> None:
    require_package("astropy.coordinates", "fits", f"the sexagesimal column {column!r}")
    from astropy import units
    from astropy.coordinates import Angle

    unit = units.hourangle if hours else units.deg
    for row, text in texts.items():
        try:
            degrees[row] = Angle(text[:50], unit=unit).degree
        except Exception:  # astropy raises many kinds of errors for what is no angle
            degrees[row] = np.nan


def _problem(ra: float, dec: float) -> str:
    """Return what is wrong with a position; empty if nothing is."""
    for name, value, low, high in (("ra", ra, -180, 360), ("dec", dec, -90, 90)):
        if np.isnan(value):
            return f"{name} is missing or not an angle"
        if not low <= value <= high:
            return f"{name} is {value:g}; expected {0 if name == 'ra' else low} to {high} degrees"
    return ""
