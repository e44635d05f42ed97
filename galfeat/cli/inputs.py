"""Open a data set and compute its features, reporting skipped rows on stderr."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click
import numpy as np
from numpy.typing import NDArray

from galfeat.cli.options import opening
from galfeat.cli.terminal.progress import progress_bar
from galfeat.cli.terminal.prose import none_readable, skipped_message
from galfeat.data.limits import listed
from galfeat.errors import DataError
from galfeat.storage.cells import printable
from galfeat.storage.scratch import scratch_folder

if TYPE_CHECKING:
    from galfeat.data import DataSet
    from galfeat.features import FeatureExtractor, FeatureTable


Inputs: TypeAlias = "str | Sequence[str]"


def open_images(
    data: Inputs,
    *,
    label: str | None = None,
    images: str | None = None,
    split: Sequence[str] = (),
) -> DataSet:
    """Open images with the options of the running command; print what was chosen or left out.

    Parameters
    ----------
    data : str or sequence of str
    label, images
        As for `galfeat.open_dataset`.
    split : sequence of str
        Splits that the command prefers, if the images are divided and --split is not given.
    """
    from galfeat.data import open_dataset

    options = opening()
    open_with = partial(open_dataset, data, label=label, images=images)
    dataset = open_with(**options._asdict())
    notes = list(dataset.notes)
    if dataset.splits is not None and options.split is None:
        total, present = len(dataset), sorted(set(dataset.splits.tolist()) - {""})
        chosen = next((name for name in split if name in present), None)
        if chosen is not None:
            dataset = open_with(**options._replace(split=chosen)._asdict())
        if len(present) > 1 or len(dataset) < total or (split and chosen is None):
            taken = f"the {len(dataset)} images of {chosen}" if chosen else f"all {total} images"
            notes.append(f"taking {taken} (splits: {', '.join(present)}); see --split")
    for note in notes:
        click.echo(printable(note), err=True)
    return dataset


def open_for_model(
    data: Inputs,
    model_column: str | None,
    *,
    label: str | None,
    images: str | None,
    split: Sequence[str] = (),
) -> DataSet:
    """Open images with labels of the named column, or that of the model, or one of a usual name."""
    if label is None and model_column is not None:
        with contextlib.suppress(DataError):
            return open_images(data, label=model_column, images=images, split=split)
    return open_images(data, label=label, images=images, split=split)


def open_labelled(
    data: str,
    *,
    label: str | None,
    images: str | None,
    model_column: str | None = None,
    split: Sequence[str] = (),
) -> DataSet:
    """Open the labelled rows of a data set; see `open_for_model`.

    Raises
    ------
    DataError
        If no row has a label.
    """
    opened = open_for_model(data, model_column, label=label, images=images, split=split)
    dataset = opened.labelled()
    if not len(dataset):
        raise _unlabelled(data, opened)
    if dataset.skipped:
        click.echo(
            f"{dataset.skipped} of {len(opened)} rows have no "
            f"{dataset.label_column!r} and are skipped",
            err=True,
        )
    return dataset


def _unlabelled(data: str, opened: DataSet) -> DataError:
    """Return the error for a data set without labels."""
    if opened.label_column is not None:
        return DataError(
            f"no row of {data} has a label: the column {opened.label_column!r} is empty; fill "
            "it, or specify another column of classes with --label"
        )
    if opened.catalogue.columns:
        return DataError(
            f"no row of {data} has a label: specify the column of classes with --label; the "
            f"columns are: {listed(opened.catalogue.columns)}"
        )
    folders = {parts[0] for name in opened.ids if len(parts := _relative_parts(data, name)) > 1}
    found = f" (all are in one folder, {folders.pop()!r})" if len(folders) == 1 else ""
    return DataError(
        f"no image of {data} has a label{found}; expected a table of labels such as labels.csv, "
        "or at least two folders named by classes"
    )


def _relative_parts(data: str, name: str) -> tuple[str, ...]:
    path = Path(name)
    return path.relative_to(data).parts if path.is_relative_to(data) else ()


def note_stretched(dataset: DataSet) -> None:
    """Print a note if a data set contains FITS files, which are measured as pictures."""
    from galfeat.data.readers.fits.display import FITS_SUFFIXES

    if any(str(name).lower().endswith(FITS_SUFFIXES) for name in dataset.ids):
        click.echo(
            "FITS images are measured as stretched display images; `galfeat measure` gives "
            "statistics of their flux",
            err=True,
        )


def measure(
    extractor: FeatureExtractor,
    dataset: DataSet,
    *,
    label: str = "features",
    sketches: bool = False,
) -> tuple[DataSet, FeatureTable]:
    """Compute features; return the readable rows and their table.

    `label` is the label of the progress bar; `sketches` as for `FeatureExtractor.extract`.

    Raises
    ------
    DataError
        If no image could be read.
    """
    table = measure_all(extractor, dataset, label=label, sketches=sketches)
    if not table.errors:
        return dataset, table
    readable = table.usable_rows()
    return dataset.select(readable), table.select(readable)


def measure_all(
    extractor: FeatureExtractor,
    dataset: DataSet,
    *,
    label: str = "features",
    sketches: bool = False,
) -> FeatureTable:
    """Compute features of all rows, and print how many are unreadable.

    For the parameters and the error see `measure`.
    """
    with progress_bar(label) as progress:
        table = extractor.extract(dataset, progress=progress, sketches=sketches)
    if table.errors:
        failures = [error.naming(dataset.ids[row]) for row, error in sorted(table.errors.items())]
        if len(failures) == len(dataset):
            raise none_readable(failures[0], len(dataset))
        skipped_message(failures, len(dataset))
    return table


def leave_out_learned(
    families: Sequence[str],
    dataset: DataSet,
    digests: NDArray[np.uint8],
    copies: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    """Return the rows that were not used to train any of the feature families.

    Rows that show the same galaxy as one that was, by `Grouping.copies`, count as used.

    Raises
    ------
    DataError
        If all rows were used.
    """
    from galfeat.features.registry import trained_on

    learned = trained_on(families, digests)
    if copies is not None:
        learned = np.isin(copies, copies[learned])
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
    readable, table = sketch_all(dataset, jobs)
    return readable, table.digests


def sketch_all(dataset: DataSet, jobs: int) -> tuple[DataSet, FeatureTable]:
    """Read each image once; return the readable rows, and a table of digests and sketches.

    Raises
    ------
    DataError
        If no image could be read.
    """
    from galfeat.features import FeatureExtractor

    extractor = FeatureExtractor((), frame=False, n_jobs=jobs)
    return measure(extractor, dataset, label="reading", sketches=True)


def scratch_beside(*outputs: Path | None) -> AbstractContextManager[None]:
    """Keep large tables on the disk of the first given output, or among temporary files."""
    for output in outputs:
        if output is not None:
            parents = output.resolve().parents
            return scratch_folder(next(folder for folder in parents if folder.is_dir()))
    return scratch_folder(tempfile.gettempdir())
