"""Open a data set and compute its features, saying aloud what had to be left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from galfeat.cli.progress import progress_bar
from galfeat.errors import DataError

if TYPE_CHECKING:
    from galfeat.data import DataSet
    from galfeat.features import FeatureExtractor, FeatureTable


def open_labelled(data: str, *, label: str | None, images: str | None) -> DataSet:
    """Open the rows of a data set that have a label.

    Raises
    ------
    DataError
        If there are none.
    """
    from galfeat.data import open_dataset

    everything = open_dataset(data, label=label, images=images)
    dataset = everything.labelled()
    if not len(dataset):
        raise DataError(f"no row of {data} has a label; name the column of classes with --label")
    if dataset.skipped:
        click.echo(
            f"{dataset.skipped} of {len(everything)} rows have no "
            f"{dataset.label_column!r} and are left out",
            err=True,
        )
    return dataset


def measure(
    extractor: FeatureExtractor, dataset: DataSet, *, label: str = "features"
) -> tuple[DataSet, FeatureTable]:
    """Compute features; return the rows whose image could be read, and their table.

    `label` stands before the progress bar.

    Raises
    ------
    DataError
        If no image could be read.
    """
    with progress_bar(label) as progress:
        table = extractor.extract(dataset, progress=progress)
    if not table.errors:
        return dataset, table
    first = min(table.errors)
    problem = f"{dataset.ids[first]}: {table.errors[first]}"
    if len(table.errors) == len(dataset):
        raise DataError(f"none of the {len(dataset)} images can be read; the first is {problem}")
    click.echo(
        f"{len(table.errors)} of {len(dataset)} images cannot be read and are left out; "
        f"the first is {problem}",
        err=True,
    )
    good = np.setdiff1d(np.arange(len(dataset)), list(table.errors))
    return dataset.select(good), table.select(good)


def leave_out_learned(
    families: Sequence[str], dataset: DataSet, digests: NDArray[np.uint8]
) -> NDArray[np.intp]:
    """Return the rows that no family of features was itself trained on.

    Raises
    ------
    DataError
        If there are none.
    """
    from galfeat.features.registry import trained_on

    learned = trained_on(families, digests)
    if learned.all():
        raise DataError(
            f"some of the features were themselves learned from all {len(dataset)} images, so "
            "nothing can be fitted to them or scored on them: give other images, or leave the "
            "family out of the pipeline"
        )
    if learned.any():
        click.echo(
            f"{learned.sum():,} of {len(dataset):,} galaxies are ones some of the features were "
            "themselves learned from, and are left out",
            err=True,
        )
    return np.flatnonzero(~learned)


def read_all(dataset: DataSet, jobs: int) -> tuple[DataSet, NDArray[np.uint8]]:
    """Read every image once; return the rows that can be read, and their pixel digests.

    Raises
    ------
    DataError
        If no image could be read.
    """
    from galfeat.features import FeatureExtractor

    extractor = FeatureExtractor((), frame=False, n_jobs=jobs)
    readable, table = measure(extractor, dataset, label="reading")
    return readable, table.digests
