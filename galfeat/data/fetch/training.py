"""The images a shipped model was fitted to, fetched anew from its list of objects."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.fetch.cutouts import CREDIT, PAUSE, Cutout, Progress, claim_folder, fetch_cutouts
from galfeat.data.fetch.surveys import (
    BATCH,
    LEGACY,
    LEGACY_SIZE,
    SDSS,
    SDSS_SIZE,
    SkyPosition,
    ask_positions,
    legacy_address,
    named_position,
    sdss_address,
)
from galfeat.data.fetch.transfer import ServerRefusedError, TransferBrokenError
from galfeat.data.readers.folder import read_csv
from galfeat.errors import DataError, FetchError
from galfeat.storage.atomic import atomic_file

LABEL_COLUMNS = ("class_name", "coarse", "label_source")
POSITIONS_FILE = "positions.csv"
ATTRIBUTION = f"The training images of a galfeat model, fetched by galfeat.\n\n{CREDIT}"


@dataclass(frozen=True)
class TrainingObject:
    """A galaxy that a model was fitted to.

    Attributes
    ----------
    name : str
        The object number (objID) of SDSS DR7, or a name such as ``J160345.60+094222.1``.
    survey : {"SDSS", "DECaLS"}
    labels : mapping of str to str
        By column: ``class_name``, ``coarse``, ``label_source``; empty where there is none.
    """

    name: str
    survey: str
    labels: Mapping[str, str]


def read_training(file: str | Path) -> list[TrainingObject]:
    """Read the list of objects that a model was fitted to.

    Parameters
    ----------
    file : str or Path
        A CSV file with columns ``object``, ``survey``, ``label_source``, and ``class_name``,
        ``coarse`` or both.

    Raises
    ------
    DataError
        If it cannot be read, a column is missing, or a row names no object.
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
        raise DataError(f"{file} lists no objects; give it a row for each")
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        known = {
            "SDSS": re.fullmatch(r"[1-9]\d{16,18}", row.name) is not None,
            "DECaLS": named_position(row.name) is not None,
        }
        if not known.get(row.survey, False):
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

    Objects of SDSS are looked up in the SkyServer first, `BATCH` at a time; what it says is
    kept in ``positions.csv`` in the folder.

    Parameters
    ----------
    objects : list of TrainingObject
    folder : str or Path
    root : str, optional
        A server to ask instead of those of the surveys, under the same paths.
    pause : float
        Seconds between requests.
    progress : callable, optional
        Called with the cut-outs that were dealt with and those there are.

    Returns
    -------
    dict
        Why an object's cut-out could not be had, by its name.

    Raises
    ------
    FetchError
        If no cut-out could be had, or a service does not answer.
    OutputError
        If the folder holds other things or cannot be written to.
    """
    folder = claim_folder(folder, ATTRIBUTION)
    wanted = [row.name for row in objects if row.survey == "SDSS"]
    places = _look_up(wanted, folder / POSITIONS_FILE, root or SDSS, pause)
    unknown = {
        name: "the SkyServer has no position or radius for it"
        for name in wanted
        if name not in places
    }
    cutouts = [_cutout(row, places, root) for row in objects if row.name not in unknown]
    return unknown | fetch_cutouts(cutouts, folder, ATTRIBUTION, pause=pause, progress=progress)


def _cutout(row: TrainingObject, places: Mapping[str, SkyPosition], root: str | None) -> Cutout:
    if row.survey == "SDSS":
        place = places[row.name]
        ra, dec = place.ra, place.dec
        url, size = sdss_address(place, root or SDSS), SDSS_SIZE
    else:
        position = named_position(row.name)
        assert position is not None  # `read_training` has seen to it
        ra, dec = position
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


def _look_up(wanted: list[str], kept: Path, root: str, pause: float) -> dict[str, SkyPosition]:
    """Return the positions of SDSS objects, from an earlier run or the SkyServer."""
    places = _read_positions(kept)
    missing = [name for name in wanted if name not in places]
    for start in range(0, len(missing), BATCH):
        time.sleep(2 * pause if start else 0)
        try:
            places |= ask_positions(missing[start : start + BATCH], root, pause=2 * pause)
        except (TransferBrokenError, ServerRefusedError) as error:
            raise FetchError(
                f"the SkyServer gave no positions ({error}); run the command again later: it goes "
                "on with what is missing"
            ) from error
        _write_positions(places, kept)
    return places


def _read_positions(file: Path) -> dict[str, SkyPosition]:
    """Read what an earlier run was told; nothing if it is not there or damaged."""
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream))[1:]
        return {name: SkyPosition(float(ra), float(dec), float(r)) for name, ra, dec, r in rows}
    except (OSError, ValueError):
        return {}


def _write_positions(places: Mapping[str, SkyPosition], file: Path) -> None:
    with (
        atomic_file(file) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.writer(stream)
        table.writerow(["object", "ra", "dec", "petroR90_r"])
        table.writerows([name, *place] for name, place in places.items())
