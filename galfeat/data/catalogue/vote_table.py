"""Write labels from votes as ``labels.csv``."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from galfeat.data.catalogue.fractions import PREFIX
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.catalogue.votes import VoteLabels
from galfeat.data.readers.decode import is_image_name
from galfeat.data.readers.listed import split_image_name
from galfeat.errors import DataError
from galfeat.storage.atomic import atomic_file


def write_labels(
    labels: VoteLabels, path: str | Path, *, source: str, images: str | Path | None = None
) -> list[str]:
    """Write ``labels.csv`` with one row for each galaxy that has a label.

    Parameters
    ----------
    labels : VoteLabels
    path : str or Path
        The file. Its column ``filename`` is relative to its folder.
    source : str
        The column ``label_source``.
    images : str or Path, optional
        Folder of the images, named after the ids. By default names without the suffix of an
        image get ``.jpg``.

    Returns
    -------
    list of str
        Ids of galaxies without an image in `images`, which were left out.

    Raises
    ------
    DataError
        If no galaxy of the table has an image, or none has a label.
    OutputError
        If the file cannot be written.
    """
    path = Path(path)
    rows = np.flatnonzero(labels.labelled())
    if not len(rows):
        raise DataError(
            f"none of the {len(labels.ids)} galaxies has enough votes for a class; lower the "
            "threshold"
        )
    names = _filenames([labels.ids[row] for row in rows], path, images)
    missing = [labels.ids[row] for row, name in zip(rows, names, strict=True) if name is None]
    if len(missing) == len(rows):
        raise DataError(
            f"none of the {len(rows)} galaxies has an image in {images}, such as "
            f"{PurePosixPath(labels.ids[rows[0]]).name}.jpg; expected files named after their ids"
        )
    soft = {f"{PREFIX}{name}": values for name, values in labels.fractions.items()}
    with (
        atomic_file(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.writer(stream)
        table.writerow(
            [
                "filename",
                "class_id",
                "class_name",
                "coarse",
                "label_source",
                *labels.positions,
                *soft,
            ]
        )
        for row, name in zip(rows, names, strict=True):
            if name is not None:
                number = int(labels.class_ids[row])
                table.writerow(
                    [
                        name,
                        *((number, GALAXY10_DECALS[number]) if number >= 0 else ("", "")),
                        labels.coarse[row],
                        source,
                        *(values[row] for values in labels.positions.values()),
                        *(_cell(values[row]) for values in soft.values()),
                    ]
                )
    return missing


def _filenames(ids: Sequence[str], path: Path, images: str | Path | None) -> list[str | None]:
    names = [PurePosixPath(name.replace("\\", "/")) for name in ids]
    if images is None:
        return [str(n) if is_image_name(n.name) else f"{n}.jpg" for n in names]
    folder = Path(images)
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; expected the folder of the images")
    by_stem = {
        split_image_name(file.name)[0]: file
        for file in sorted(folder.iterdir())
        if is_image_name(file.name)
    }
    found = [by_stem.get(split_image_name(name.name)[0]) for name in names]
    start = path.resolve().parent
    return [
        None if file is None else Path(os.path.relpath(file.resolve(), start)).as_posix()
        for file in found
    ]


def _cell(value: np.float64) -> str:
    return "" if np.isnan(value) else f"{value:.6g}"
