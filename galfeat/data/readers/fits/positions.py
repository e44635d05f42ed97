"""Positions of sources on FITS images from a catalogue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.data.catalogue.tables import as_names, column_named, read_table
from galfeat.errors import DataError

_NAMES = ("id", "name", "source", "objid", "object_id", "source_id", "number")
_SKY = (
    ("ra", "dec"),
    ("raj2000", "dej2000"),
    ("ra_deg", "dec_deg"),
    ("alpha_j2000", "delta_j2000"),
)
_PIXELS = (("x", "y"),)
_MISSING = ("", "nan", "null", "none", "--")


@dataclass(frozen=True)
class _Axes:
    """Two columns of numbers; NaN, with the reason, where a cell is not a number."""

    points: NDArray[np.float64]
    problems: list[str]


@dataclass(frozen=True)
class PositionTable:
    """The rows of a catalogue.

    Attributes
    ----------
    path : Path
    names : list of str
        Identity of each row; its number, from 0, without a column of identities.
    """

    path: Path
    names: list[str]
    _sky: _Axes | None
    _pixels: _Axes | None

    def on_image(self, wcs: Any) -> tuple[NDArray[np.float64], list[str]]:  # noqa: ANN401
        """Return columns and rows on an image (from 0), and what is wrong with each row.

        Parameters
        ----------
        wcs : astropy.wcs.WCS or None
            Without one, columns ``x`` and ``y`` are needed.

        Returns
        -------
        points : ndarray of float64, shape (n, 2)
            NaN for rows with a problem. Positions may be outside the image.
        problems : list of str
            Empty text for rows without.

        Raises
        ------
        DataError
            If the catalogue has sky coordinates alone and the image has none.
        """
        if self._sky is not None and wcs is not None:
            known = np.isfinite(self._sky.points).all(axis=1)
            points = np.full(self._sky.points.shape, np.nan)
            if known.any():
                points[known] = wcs.wcs_world2pix(self._sky.points[known], 0)
                # On the other side of the sky there are no pixels: far outside.
                lost = known & ~np.isfinite(points).all(axis=1)
                points[lost] = -1e9
            return points, self._sky.problems
        if self._pixels is None:
            raise DataError(
                f"{self.path} has sky coordinates and the image has none; give columns x and y"
            )
        return self._pixels.points, self._pixels.problems


def read_position_table(path: str | Path) -> PositionTable:
    """Read the positions of a catalogue; see `galfeat.data.catalogue.read_table`.

    Parameters
    ----------
    path : str or Path
        A table with columns ``ra`` and ``dec`` in degrees (or ``RAJ2000`` and ``DEJ2000`` and the
        like), or ``x`` and ``y`` in pixels from 0. With both, ``x`` and ``y`` are for images
        without celestial coordinates.

    Raises
    ------
    DataError
        If the file is not a table, or no row has a position.
    """
    path = Path(path)
    columns = read_table(path)
    sky = _axes(columns, _SKY, (360.0, 90.0))
    pixels = _axes(columns, _PIXELS, (math.inf, math.inf))
    given = [axes for axes in (sky, pixels) if axes is not None]
    if not given:
        raise DataError(
            f"{path} has no positions; expected columns ra and dec, or x and y (its columns: "
            f"{', '.join(list(columns)[:20]) or 'none'})"
        )
    if all(all(axes.problems) for axes in given):
        problem = f"row 1: {given[0].problems[0]}" if given[0].problems else "it has no rows"
        raise DataError(f"{path} has no valid position ({problem}); expected numbers")
    name = column_named(columns, _NAMES)
    number = len(given[0].problems)
    names = as_names(columns[name]) if name is not None else [str(row) for row in range(number)]
    return PositionTable(path, names, sky, pixels)


def _axes(
    columns: Mapping[str, NDArray[Any]],
    spellings: tuple[tuple[str, str], ...],
    limits: tuple[float, float],
) -> _Axes | None:
    """Return the first pair of columns that exists, or None."""
    for pair in spellings:
        names = [name for axis in pair if (name := column_named(columns, [axis])) is not None]
        if len(names) == 2:
            break
    else:
        return None
    problems = [""] * len(columns[names[0]])
    points = np.full((len(problems), 2), np.nan)
    for axis, (name, limit) in enumerate(zip(names, limits, strict=True)):
        for row, value in enumerate(columns[name].tolist()):
            number = _number(value)
            points[row, axis] = number
            if not math.isfinite(number) or abs(number) > limit:
                shown = "missing" if _is_missing(value) else repr(str(value)[:40])
                expected = "a number" if limit == math.inf else f"{limit:.0f} degrees at most"
                problems[row] = problems[row] or f"{name} is {shown}; expected {expected}"
    points[[bool(problem) for problem in problems]] = np.nan
    return _Axes(points, problems)


def _is_missing(value: object) -> bool:
    return value is None or str(value).strip().lower() in _MISSING


def _number(value: object) -> float:
    """Return a cell as a number; NaN if it is not one."""
    try:
        return float(str(value))
    except ValueError:
        return math.nan
