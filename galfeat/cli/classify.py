"""``galfeat classify``: predict class probabilities of galaxies."""

from __future__ import annotations

import contextlib
import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from galfeat.cli.options import (
    classifier_and_inputs,
    classifier_options,
    label_option,
    seed_option,
)
from galfeat.cli.progress import progress_bar
from galfeat.cli.prose import counted
from galfeat.errors import DataError
from galfeat.storage.atomic import atomic_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from galfeat.data import DataSet
    from galfeat.predictions import Cell


@click.command()
@click.option(
    "--per-class",
    metavar="K",
    type=click.IntRange(min=1),
    help="Classify only a random sample of K galaxies per true class.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Output file, .csv or .jsonl. [default: CSV on standard output]",
)
@label_option
@seed_option
@classifier_options
@click.pass_context
def classify(
    ctx: click.Context,
    inputs: tuple[str, ...],
    per_class: int | None,
    output: Path | None,
    trust: bool,
    label: str | None,
    images: str | None,
    jobs: int,
    seed: int,
) -> None:
    """Classify galaxies with MODEL.

    MODEL is by default the first of `galfeat models`. INPUT is a data set as for `galfeat
    fit`, or image files, folders and patterns. The output has one row per galaxy: its id,
    the class predicted by the decision rule of the model's pipeline and its probability,
    the most probable class, the probability of each class, the true class if known,
    quality flags (unlike_training: probably not a galaxy), and the error if the image
    could not be read.

    The true class is read from the column the model was fitted to, or else from a common
    label column if all its classes are classes of the model; --label names another column.
    """
    if output is not None and output.suffix.lower() not in (".csv", ".jsonl"):
        raise click.UsageError(f"{output}: unknown format; use .csv or .jsonl")
    from galfeat.data import open_dataset
    from galfeat.model_io.manifest import read_manifest
    from galfeat.predictions import no_galaxy

    classifier, model, inputs = classifier_and_inputs(inputs, trust=trust, jobs=jobs)
    if label is None:
        model_column = read_manifest(model)["label_column"]
        dataset = _open_with_classes(inputs, model_column, classifier.classes_, images)
    else:
        dataset = open_dataset(inputs, label=label, images=images)
    if per_class is not None:
        from galfeat.data import stratified_sample

        names = dataset.class_names
        dataset = dataset.select(stratified_sample(dataset.labels, per_class, seed, names))
    with _open_output(output) as file:
        with progress_bar("galaxies") as progress:
            predictions = classifier.classify(dataset, progress=progress)
        rows = predictions.rows()
        if output is not None and output.suffix.lower() == ".jsonl":
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        else:
            _write_csv(file, rows)
    if output is not None:
        click.echo(f"{counted(len(dataset))} in {output}")
    empty = sum(no_galaxy(flags) is not None for flags in predictions.flags)
    if empty:
        click.echo(
            f"{empty} of {len(dataset)} images may show no galaxy; see the column flags",
            err=True,
        )
    if predictions.errors:
        first, error = next(iter(predictions.errors.items()))
        click.echo(
            f"{len(predictions.errors)} of {len(dataset)} images failed; the first: "
            f"{dataset.ids[first]}: {error}",
            err=True,
        )
        ctx.exit(3)


def _open_with_classes(
    inputs: tuple[str, ...], model_column: str | None, classes: NDArray[Any], images: str | None
) -> DataSet:
    """Open the input; drop labels from other columns unless the model has all their classes."""
    from galfeat.data import open_dataset

    if model_column is not None:
        with contextlib.suppress(DataError):
            return open_dataset(inputs, label=model_column, images=images)
    dataset = open_dataset(inputs, images=images)
    present = {dataset.class_names[label] for label in set(dataset.labels.tolist()) - {-1}}
    unknown = sorted(present - {str(name) for name in classes})
    if not unknown:
        return dataset
    click.echo(
        f"true_class is left empty: {dataset.label_column!r} holds {unknown[0]!r}, which is not a "
        "class of the model; specify the column of true classes with --label",
        err=True,
    )
    return dataset.unlabelled()


@contextlib.contextmanager
def _open_output(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        sys.stdout.flush()  # raise for a full disk here rather than at interpreter exit
        return
    with (
        atomic_file(output) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        yield file


def _write_csv(file: TextIO, rows: Iterator[dict[str, Cell]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow(row)
        writer.writerow("" if cell is None else cell for cell in row.values())
