"""List the galaxies a model was fitted to: ``python benchmarks/training_list.py TABLE MODEL``.

TABLE is the ``labels.csv`` of the folder the model was fitted to, with columns ``filename``,
``group_id`` (the object's name in its survey), ``survey``, ``label_source``, and ``class_name``,
``coarse`` or both. What is written, ``training.csv``, names objects and labels, but no file; it
is what ``galfeat data fetch training`` takes.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from galfeat.data import open_dataset, pixel_digest
from galfeat.data.digest import among
from galfeat.data.fetch.training import LABEL_COLUMNS, read_training
from galfeat.data.readers.folder import TRAINING_FILE, read_csv
from galfeat.errors import DataError, ImageError
from galfeat.model_io.rows import read_rows
from galfeat.storage.atomic import atomic_file


def training_rows(table: Path, learned: NDArray[np.uint8]) -> list[dict[str, str]]:
    """Return what ``training.csv`` says of each image whose pixels a model was fitted to.

    Parameters
    ----------
    table : Path
    learned : ndarray of uint8, shape (m, 16)
        Digests of the images it was fitted to.

    Raises
    ------
    DataError
        If an image it was fitted to is not in the table, or an object has no name.
    """
    columns = read_csv(table)
    missing = [name for name in ("group_id", "survey", "label_source") if name not in columns]
    if missing:
        raise DataError(f"{table} has no column {missing[0]!r}; it cannot be listed")
    digests = _digests(table)
    rows = np.flatnonzero(among(digests, learned))
    found = len(np.unique(digests[rows], axis=0))
    if found != len(np.unique(learned, axis=0)):
        raise DataError(
            f"{table} has {found} of the {len(np.unique(learned, axis=0))} images the model was "
            "fitted to; name the table it was fitted to"
        )
    names = {"object": "group_id", "survey": "survey"}
    names |= {name: name for name in LABEL_COLUMNS if name in columns}
    return [{name: str(columns[of][row]) for name, of in names.items()} for row in rows]


def _digests(table: Path) -> NDArray[np.uint8]:
    """Digests of the pixels of every image, shape (n, 16); zeros where one cannot be read."""
    dataset = open_dataset(table)
    digests = np.zeros((len(dataset), 16), np.uint8)
    for rows, images in dataset.batches():
        for row, image in zip(rows, images, strict=True):
            if not isinstance(image, ImageError):
                digests[row] = np.frombuffer(pixel_digest(image), np.uint8)
    return digests


def write_rows(rows: Sequence[dict[str, str]], target: Path) -> None:
    """Write ``training.csv`` in order of object, and see that it can be read."""
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
