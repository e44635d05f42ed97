"""Open a data set and compute its features, reporting skipped rows on stderr."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from galfeat.cli.progress import progress_bar
from galfeat.cli.prose import none_readable, skipped_message
from galfeat.errors import DataError
from galfeat.storage.scratch import scratch_folder

if TYPE_CHECKING:
    from galfeat.data import DataSet
    from galfeat.features import FeatureExtractor, FeatureTable


def open_labelled(data: str, *, label: str | None, images: str | None) -> DataSet:
    """Open the labelled rows of a data set.

    Raises
    ------
    DataError
        If no row has a label.
    """
    from galfeat.data import open_dataset

    opened = open_dataset(data, label=label, images=images)
    dataset = opened.labelled()
    if not len(dataset):
        raise DataError(f"no row of {data} has a label; specify the column of classes with --label")
    if dataset.skipped:
        click.echo(
            f"{dataset.skipped} of {len(opened)} rows have no "
            f"{dataset.label_column!r} and are skipped",
            err=True,
        )
    return dataset


def note_stretched(dataset: DataSet) -> None:
    """Print a note if a data set contains FITS files, which are measured as pictures."""
    from galfeat.data.readers.fits import FITS_SUFFIXES

    if any(str(name).lower().endswith(FITS_SUFFIXES) for name in dataset.ids):
        click.echo(
            "FITS images are measured as stretched display images; `galfeat measure` gives "
            "statistics of their flux",
            err=True,
        )


def measure(
    extractor: FeatureExtractor, dataset: DataSet, *, label: str = "features"
) -> tuple[DataSet, FeatureTable]:
    """Compute features; return the readable rows and their table.

    `label` is the label of the progress bar.

    Raises
    ------
    DataError
        If no image could be read.
    """
    with progress_bar(label) as progress:
        table = extractor.extract(dataset, progress=progress)
    if not table.errors:
        return dataset, table
    failures = [f"{dataset.ids[row]}: {error}" for row, error in sorted(table.errors.items())]
    if len(failures) == len(dataset):
        raise none_readable(failures[0], len(dataset))
    skipped_message(failures, len(dataset))
    readable = np.setdiff1d(np.arange(len(dataset)), list(table.errors))
    return dataset.select(readable), table.select(readable)


def leave_out_learned(
    families: Sequence[str], dataset: DataSet, digests: NDArray[np.uint8]
) -> NDArray[np.intp]:
    """Return the rows that were not used to train any of the feature families.

    Raises
    ------
    DataError
        If all rows were used.
    """
    from galfeat.features.registry import trained_on

    learned = trained_on(families, digests)
    if learned.all():
        raise DataError(
            f"all {len(dataset)} images were used to train some of the features, so none can be "
            "used to fit or score a model; use other images, or remove the family from the "
            "pipeline"
        )
    if learned.any():
        click.echo(
            f"{learned.sum():,} of {len(dataset):,} galaxies were used to train some of the "
            "features, and are skipped",
            err=True,
        )
    return np.flatnonzero(~learned)


def read_all(dataset: DataSet, jobs: int) -> tuple[DataSet, NDArray[np.uint8]]:
    """Read each image once; return the readable rows and their pixel digests.

    Raises
    ------
    DataError
        If no image could be read.
    """
    from galfeat.features import FeatureExtractor

    extractor = FeatureExtractor((), frame=False, n_jobs=jobs)
    readable, table = measure(extractor, dataset, label="reading")
    return readable, table.digests


def scratch_beside(*outputs: Path | None) -> AbstractContextManager[None]:
    """Keep large tables on the disk of the first given output, or among temporary files."""
    for output in outputs:
        if output is not None:
            parents = output.resolve().parents
            return scratch_folder(next(folder for folder in parents if folder.is_dir()))
    return scratch_folder(tempfile.gettempdir())
