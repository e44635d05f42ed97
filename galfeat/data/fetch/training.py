"""Fetch the training images of a shipped model from its list of objects."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from galfeat.data.catalogue.csv_table import read_csv
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.dataset import Progress
from galfeat.data.fetch.cutouts import CREDIT, PAUSE, Cutout, claim_folder, fetch_cutouts
from galfeat.data.fetch.surveys import (
    BATCH,
    LEGACY,
    LEGACY_SIZE,
    SDSS,
    SDSS_SIZE,
    SkyPosition,
    legacy_address,
    named_position,
    query_positions,
    sdss_address,
)
from galfeat.data.fetch.transfer import ServerRefusedError, TransferBrokenError
from galfeat.errors import DataError, FetchError
from galfeat.storage.atomic import atomic_file

LABEL_COLUMNS = ("class_name", "coarse", "label_source")
POSITIONS_FILE = "positions.csv"
ATTRIBUTION = f"The training images of a galfeat model, fetched by galfeat.\n\n{CREDIT}"


@dataclass(frozen=True)
class TrainingObject:
    """A galaxy in a model's training set.

    Attributes
    ----------
    name : str
        The object number (objID) of SDSS DR7, or a name such as ``J160345.60+094222.1``.
    survey : {"SDSS", "DECaLS"}
    labels : mapping of str to str
        By column: ``class_name``, ``coarse``, ``label_source``; empty if missing.
    """

    name: str
    survey: str
    labels: Mapping[str, str]


def read_training(file: str | Path) -> list[TrainingObject]:
    r"""Read the list of the objects in a model's training set.

    Parameters
    ----------
    file : str or Path
        A CSV file with columns ``object``, ``survey``, ``label_source``, and ``class_name``,
        ``coarse`` or both.

    Raises
    ------
    DataError
        If it cannot be read, a column is missing, or a row has an invalid object.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from galfeat.data.fetch import read_training
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "training.csv")
    ...     _ = file.write_text(
    ...         "object,survey,label_source,coarse\nJ160345.60+094222.1,DECaLS,gz1,spiral\n"
    ...     )
    ...     read_training(file)[0].survey
    'DECaLS'
    """
    file = Path(file)
    columns = read_csv(file)
    missing = [name for name in ("object", "survey", "label_source") if name not in columns]
    if not missing and not {"class_name", "coarse"} & set(columns):
        missing = ["class_name"]
    if missing:
        raise DataError(
            f"{file} has no column {missing[0]!r}; expected object, survey, label_source, and "
            "class_name or coarse"
        )
    named = [name for name in LABEL_COLUMNS if name in columns]
    rows = [
        TrainingObject(
            str(columns["object"][row]),
            str(columns["survey"][row]),
            {name: str(columns[name][row]) for name in named},
        )
        for row in range(len(columns["object"]))
    ]
    _check_objects(rows, file)
    return rows


def _check_objects(rows: list[TrainingObject], file: Path) -> None:
    if not rows:
        raise DataError(f"{file} lists no objects; add one row per object")
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        valid = {
            "SDSS": re.fullmatch(r"[1-9]\d{16,18}", row.name) is not None,
            "DECaLS": named_position(row.name) is not None,
        }
        if not valid.get(row.survey, False):
            raise DataError(
                f"{file}, row {number}: object {row.name!r} of survey {row.survey!r}; expected an "
                "objID of SDSS, or a name such as J160345.60+094222.1 of DECaLS"
            )
        if row.name in seen:
            raise DataError(f"{file}, row {number}: object {row.name} is listed twice")
        seen.add(row.name)


def fetch_training(
    objects: list[TrainingObject],
    folder: str | Path,
    *,
    root: str | None = None,
    pause: float = PAUSE,
    progress: Progress | None = None,
) -> dict[str, str]:
    """Fetch the cut-outs of training objects; see `galfeat.data.fetch.cutouts.fetch_cutouts`.

    SDSS objects are looked up in the SkyServer first, `BATCH` at a time; their positions are
    stored in ``positions.csv`` in the folder.

    Parameters
    ----------
    objects : list of TrainingObject
    folder : str or Path
    root : str, optional
        A server to use instead of those of the surveys, with the same paths.
    pause : float
        Seconds between requests.
    progress : callable, optional
        Called with the number of cut-outs processed and the total.

    Returns
    -------
    dict
        Reasons of the failures, by name of the object.

    Raises
    ------
    FetchError
        If no cut-out could be fetched, or a service does not respond.
    OutputError
        If the folder contains other files or is not writable.

    Examples
    --------
    No server listens at this address:

    >>> import tempfile
    >>> from galfeat.data.fetch import fetch_training
    >>> from galfeat.data.fetch.training import TrainingObject
    >>> galaxy = TrainingObject("J160345.60+094222.1", "DECaLS", {"coarse": "spiral"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fetch_training([galaxy], folder, root="http://127.0.0.1:1", pause=0)
    Traceback (most recent call last):
    ...
    galfeat.errors.FetchError: none could be fetched ...
    """
    folder = claim_folder(folder, ATTRIBUTION)
    sdss_names = [row.name for row in objects if row.survey == "SDSS"]
    positions = _look_up(sdss_names, folder / POSITIONS_FILE, root or SDSS, pause)
    unknown = {
        name: "the SkyServer has no position or radius for it"
        for name in sdss_names
        if name not in positions
    }
    cutouts = [_cutout(row, positions, root) for row in objects if row.name not in unknown]
    return unknown | fetch_cutouts(cutouts, folder, ATTRIBUTION, pause=pause, progress=progress)


def _cutout(row: TrainingObject, positions: Mapping[str, SkyPosition], root: str | None) -> Cutout:
    if row.survey == "SDSS":
        position = positions[row.name]
        ra, dec = position.ra, position.dec
        url, size = sdss_address(position, root or SDSS), SDSS_SIZE
    else:
        coordinates = named_position(row.name)
        assert coordinates is not None  # checked by `read_training`
        ra, dec = coordinates
        url, size = legacy_address(ra, dec, root or LEGACY), LEGACY_SIZE
    class_name = row.labels.get("class_name", "")
    number = str(GALAXY10_DECALS.index(class_name)) if class_name in GALAXY10_DECALS else ""
    cells = {
        "class_id": number,
        "class_name": class_name,
        "coarse": row.labels.get("coarse", ""),
        "survey": row.survey,
        "ra": f"{ra:.7f}",
        "dec": f"{dec:.7f}",
        "label_source": row.labels.get("label_source", ""),
        "group_id": row.name,
    }
    return Cutout(row.name, url, size, cells)


def _look_up(names: list[str], file: Path, root: str, pause: float) -> dict[str, SkyPosition]:
    """Return the positions of SDSS objects, from an earlier run or the SkyServer."""
    positions = _read_positions(file)
    missing = [name for name in names if name not in positions]
    for start in range(0, len(missing), BATCH):
        time.sleep(2 * pause if start else 0)
        try:
            positions |= query_positions(missing[start : start + BATCH], root, pause=2 * pause)
        except (TransferBrokenError, ServerRefusedError) as error:
            raise FetchError(
                f"the SkyServer returned no positions ({error}); run the command again later: it "
                "resumes with the missing ones"
            ) from error
        _write_positions(positions, file)
    return positions


def _read_positions(file: Path) -> dict[str, SkyPosition]:
    """Read the positions stored by an earlier run; empty if the file is missing or damaged."""
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream))[1:]
        return {name: SkyPosition(float(ra), float(dec), float(r)) for name, ra, dec, r in rows}
    except (OSError, ValueError, csv.Error):
        return {}


def _write_positions(positions: Mapping[str, SkyPosition], file: Path) -> None:
    with (
        atomic_file(file) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.writer(stream)
        table.writerow(["object", "ra", "dec", "petroR90_r"])
        table.writerows([name, *position] for name, position in positions.items())
