"""List the galaxies a model was fitted to: ``python benchmarks/training_list.py TABLE MODEL``.

TABLE is the ``labels.csv`` of the training folder, with columns ``filename``, ``group_id`` (name
of the object in its survey), ``survey``, ``label_source``, and ``class_name``, ``coarse`` or
both. The output, ``training.csv``, contains objects and labels but no files; it is the input of
``galfeat data fetch training``.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from galfeat.data import open_dataset, pixel_digest
from galfeat.data.catalogue.csv_table import read_csv
from galfeat.data.digest import among
from galfeat.data.fetch.training import LABEL_COLUMNS, read_training
from galfeat.data.readers.folder import TRAINING_FILE
from galfeat.errors import DataError, ImageError
from galfeat.model_io.rows import read_rows
from galfeat.storage.atomic import atomic_file

REQUIRED = ("group_id", "survey", "label_source")


def training_rows(table: Path, learned: NDArray[np.uint8]) -> list[dict[str, str]]:
    """Return the rows of ``training.csv``, one per image that a model was fitted to.

    Parameters
    ----------
    table : Path
    learned : ndarray of uint8, shape (m, 16)
        Pixel digests of the training images.

    Raises
    ------
    DataError
        If the table lacks a column or a training image.
    """
    columns = read_csv(table)
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise DataError(
            f"{table} has no column {missing[0]!r}; name a table with {', '.join(REQUIRED)}"
        )
    digests = _digests(table)
    rows = np.flatnonzero(among(digests, learned))
    found = len(np.unique(digests[rows], axis=0))
    if found != len(np.unique(learned, axis=0)):
        raise DataError(
            f"{table} has {found} of the {len(np.unique(learned, axis=0))} images the model was "
            "fitted to; name the table of its training folder"
        )
    names = {"object": "group_id", "survey": "survey"}
    names |= {name: name for name in LABEL_COLUMNS if name in columns}
    return [{name: str(columns[of][row]) for name, of in names.items()} for row in rows]


def _digests(table: Path) -> NDArray[np.uint8]:
    """Return the pixel digest of each image, shape (n, 16); zeros if unreadable."""
    dataset = open_dataset(table)
    digests = np.zeros((len(dataset), 16), np.uint8)
    for rows, images in dataset.batches():
        for row, image in zip(rows, images, strict=True):
            if not isinstance(image, ImageError):
                digests[row] = np.frombuffer(pixel_digest(image), np.uint8)
    return digests


def write_rows(rows: Sequence[dict[str, str]], target: Path) -> None:
    """Write ``training.csv`` sorted by object, and check that it can be read."""
    with (
        atomic_file(target) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(sorted(rows, key=lambda row: row["object"]))
        stream.flush()
        read_training(temporary)


@click.command()
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("model", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path(TRAINING_FILE))
def main(table: Path, model: Path, output: Path) -> None:
    """Write training.csv."""
    rows = training_rows(table, read_rows(model).training)
    write_rows(rows, output)
    click.echo(f"{len(rows)} objects in {output}")


if __name__ == "__main__":
    main()
