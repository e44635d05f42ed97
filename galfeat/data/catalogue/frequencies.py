"""Class frequencies of a survey: from a table, or those of the published Galaxy10 DECaLS."""

from __future__ import annotations

import reprlib
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS, GALAXY10_DECALS_COARSE
from galfeat.data.catalogue.tables import (
    TEXT_SUFFIXES,
    as_names,
    as_numbers,
    column_named,
    read_table,
)
from galfeat.data.limits import listed
from galfeat.errors import DataError
from galfeat.storage.reading import parse_json, read_regular

_CLASS = ("class", "class_name", "label", "name")
_FREQUENCY = ("frequency", "prior", "fraction", "count", "number", "n")
_EXPECTED = (
    "expected a table of class and frequency: .csv with these columns, or .json or .toml with a "
    "number for each class"
)
_MAX_BYTES = 2**20


def read_frequencies(path: str | Path) -> dict[str, float]:
    r"""Read the frequency, or the number of galaxies, of each class.

    Parameters
    ----------
    path : str or Path
        A text table (``.csv``, ``.tsv``, ``.txt``) with a column ``class`` (or ``class_name``,
        ``label``, ``name``) and a column ``frequency`` (or ``prior``, ``fraction``, ``count``,
        ``number``, ``n``), or a ``.json`` or ``.toml`` file with a number for each class.

    Returns
    -------
    dict of str to float
        As in the file. Empty cells are NaN.

    Raises
    ------
    DataError
        If the file cannot be read, a column is missing, a class occurs twice, or a frequency is
        not a number.

    Examples
    --------
    >>> from pathlib import Path
    >>> from galfeat.data.catalogue import read_frequencies
    >>> _ = Path("survey.csv").write_text("class,frequency\nspiral,0.3\nsmooth,0.7\n")
    >>> read_frequencies("survey.csv")
    {'spiral': 0.3, 'smooth': 0.7}
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in TEXT_SUFFIXES:
        return _from_table(path)
    if suffix not in (".json", ".toml"):
        raise DataError(f"{path} has an unknown format; {_EXPECTED}")
    try:
        content = read_regular(path, _MAX_BYTES)
        values = parse_json(content) if suffix == ".json" else tomllib.loads(content.decode())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path} cannot be read ({reason}); {_EXPECTED}") from error
    return _checked(values, path)


def _from_table(path: Path) -> dict[str, float]:
    """Read a text table."""

    def choose(names: Collection[str]) -> list[str]:
        columns = [column_named(names, spellings) for spellings in (_CLASS, _FREQUENCY)]
        if None in columns:
            raise DataError(f"{path} has the columns {listed(names)}; {_EXPECTED}")
        return [name for name in columns if name is not None]

    columns = read_table(path, choose)
    label, frequency = choose(columns)
    names = as_names(columns[label])
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise DataError(f"{path} has the class {repeated!r} twice; give each class once")
    return dict(zip(names, as_numbers(columns[frequency], frequency).tolist(), strict=True))


def _checked(values: Any, path: Path) -> dict[str, float]:  # noqa: ANN401
    if not isinstance(values, dict) or not values:
        raise DataError(f"{path} holds {reprlib.repr(values)}; {_EXPECTED}")
    for name, value in values.items():
        if type(value) not in (int, float):
            raise DataError(f"{path} has {reprlib.repr(value)} for {name!r}; {_EXPECTED}")
    return {name: float(value) for name, value in values.items()}


def galaxy10_frequencies(classes: Collection[str]) -> dict[str, float]:
    """Return the number of galaxies of each class in the published Galaxy10 DECaLS.

    Parameters
    ----------
    classes : collection of str
        The ten classes, or the coarse ones: merger, smooth, spiral, edge-on. Disturbed galaxies
        have no coarse class and are not counted for these.

    Raises
    ------
    DataError
        If the classes are others.

    Examples
    --------
    >>> from galfeat.data.catalogue import galaxy10_frequencies
    >>> galaxy10_frequencies(["edge-on", "merger", "smooth", "spiral"])
    {'merger': 1853, 'smooth': 5006, 'spiral': 6500, 'edge-on': 3296}
    """
    from galfeat.data.simulation.simulator import GALAXY10_COUNTS

    for names in (GALAXY10_DECALS, GALAXY10_DECALS_COARSE):
        counts: dict[str, float] = {}
        for name, count in zip(names, GALAXY10_COUNTS, strict=True):
            if name:
                counts[name] = counts.get(name, 0) + count
        if counts.keys() == set(classes):
            return counts
    raise DataError(
        f"the model has the classes {listed(classes)}, and galaxy10 is for the ten classes of "
        "Galaxy10 DECaLS or their coarse ones; give the class frequencies as a table"
    )
