"""``galfeat classify``: predict class probabilities of galaxies."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

import click

from galfeat.cli.options import (
    WholeRange,
    classifier_and_inputs,
    classifier_options,
    label_option,
    raw_cells_option,
    seed_option,
)
from galfeat.cli.probabilities import (
    ESTIMATE,
    adapted,
    check_set_options,
    estimated_priors_option,
    predicted_batches,
    set_options,
)
from galfeat.cli.terminal.progress import progress_bar
from galfeat.cli.terminal.prose import counted
from galfeat.cli.terminal.streams import reader_left, standard_output
from galfeat.errors import DataError
from galfeat.storage.atomic import atomic_file
from galfeat.storage.cells import ORIGINAL_BYTES, csv_cells, printable, valid_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from galfeat.data import DataSet
    from galfeat.ensemble.prediction_table import Cell
    from galfeat.model_io.rows import ModelRows
    from galfeat.predictions import Predictions

    Rows: TypeAlias = Iterable[dict[str, Cell]]


@click.command()
@click.option(
    "--per-class",
    metavar="K",
    type=WholeRange(min=1),
    help="Classify only a random sample of K galaxies per true class.",
)
@click.option(
    "--held-out",
    is_flag=True,
    help="Leave out images the model was fitted to, and other images of their galaxies.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Output file, .csv or .jsonl. [default: CSV on standard output]",
)
@set_options
@estimated_priors_option
@raw_cells_option
@label_option
@seed_option
@classifier_options
@click.pass_context
def classify(
    ctx: click.Context,
    inputs: tuple[str, ...],
    per_class: int | None,
    held_out: bool,
    output: Path | None,
    coverage: float | None,
    calibrate: str | None,
    priors: str | None,
    raw_cells: bool,
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
    the most probable class, which may be another one, the probability of each class, the true
    class if known, scores from 0 to 1 (unlike_training: possibly not a galaxy; other_survey:
    unlike the training survey; point_like: possibly a star), quality flags (these three where
    a score is high; no_source: no galaxy found, so no class), and the error if the image could
    not be read. The column seen holds "training" for images the model was fitted to, whose
    predictions are too good.

    With --coverage, the column set has the classes that a galaxy may have, the most probable
    first, separated by semicolons, and set_size their number. Of ten sets with a coverage of
    0.9, nine contain the true class, for galaxies like those that calibrate the sets.

    The true class is read from the column the model was fitted to, or else from a common
    label column if all its classes are classes of the model; --label names another column.
    """
    if output is not None and output.suffix.lower() not in (".csv", ".jsonl"):
        raise click.UsageError(f"{output}: unknown format; use .csv or .jsonl")
    check_set_options(coverage, calibrate)
    if output is None:
        standard_output()  # fail early if it is closed
    from galfeat.cli.inputs import note_stretched, open_images
    from galfeat.model_io.manifest import read_manifest
    from galfeat.model_io.rows import read_rows

    classifier, model, inputs = classifier_and_inputs(inputs, trust=trust, jobs=jobs)
    given = None if priors == ESTIMATE else priors
    classifier = adapted(
        classifier, model, priors=given, coverage=coverage, calibrate=calibrate, label=label
    )
    if label is None:
        model_column = read_manifest(model)["label_column"]
        dataset = _open_with_classes(inputs, model_column, classifier.classes_, images)
    else:
        dataset = open_images(inputs, label=label, images=images)
    model_rows = read_rows(model)
    if held_out:
        dataset = _leave_out_training(dataset, model_rows, jobs)
    if per_class is not None:
        from galfeat.data import stratified_sample

        names = dataset.class_names
        dataset = dataset.select(stratified_sample(dataset.labels, per_class, seed, names))
    note_stretched(dataset)
    with _open_output(output) as file:
        if output is not None and output.suffix.lower() == ".jsonl":
            write = _json_writer(file)
        else:
            write = _csv_writer(file, raw_cells)
        with progress_bar("galaxies", shown=not file.isatty()) as progress:
            batches = predicted_batches(
                classifier, dataset, priors=priors, coverage=coverage, progress=progress
            )
            tally = _classify(batches, model_rows, dataset, write)
    if output is not None:
        click.echo(f"{counted(len(dataset))} in {output}")
    tally.report(len(dataset), classifier.pipeline_.decision)
    if tally.failed:
        ctx.exit(3)


@dataclass
class _Tally:
    """Counts of images.

    Those the model was fitted to, those without a class, those that may show no galaxy, those
    unlike the training survey, those whose class is not the most probable one, and those that
    failed, with the first failure.
    """

    seen: int = 0
    empty: int = 0
    doubtful: int = 0
    other_survey: int = 0
    differs: int = 0
    failed: int = 0
    first: str = ""

    def add(self, predictions: Predictions, ids: Sequence[str]) -> None:
        """Count the images of a batch."""
        from galfeat.features.doubt import OTHER_SURVEY
        from galfeat.predictions import may_show_no_galaxy

        if predictions.errors and not self.failed:
            row, error = next(iter(predictions.errors.items()))
            self.first = error.naming(ids[row])
        if predictions.seen is not None:
            self.seen += int(predictions.seen.sum())
        self.failed += len(predictions.errors)
        self.empty += int(predictions.without_source.sum())
        self.doubtful += sum(map(may_show_no_galaxy, predictions.flags))
        self.other_survey += sum(OTHER_SURVEY in text.split(";") for text in predictions.flags)
        self.differs += int(predictions.differs.sum())

    def report(self, total: int, decision: str) -> None:
        """Print the counts on stderr, out of `total` images."""
        lines = {
            "are training rows of this model; --held-out leaves them out": self.seen,
            "have a class that is not the most probable one, because the decision rule "
            f"({decision}) favours rarer classes; see the column most_probable": self.differs,
            "have no class, because no galaxy stands out near the middle": self.empty,
            "may show no galaxy; see the column flags": self.doubtful,
            "have a sky or colours unlike those of the training survey; `galfeat drift` compares "
            "the two": self.other_survey,
            f"failed; the first: {printable(self.first)}": self.failed,
        }
        for text, count in lines.items():
            if count:
                click.echo(f"{count} of {total} images {text}", err=True)


def _leave_out_training(dataset: DataSet, model_rows: ModelRows, jobs: int) -> DataSet:
    """Return the rows the model was not fitted to, and unreadable ones; reads every image.

    Copies of images it was fitted to are left out, too, if these are in the data set.
    """
    import numpy as np

    from galfeat.data.duplicates import find_groups
    from galfeat.features import FeatureExtractor

    with progress_bar("reading") as progress:
        extractor = FeatureExtractor((), frame=False, n_jobs=jobs)
        table = extractor.extract(dataset, progress=progress, sketches=True)
    copies = find_groups(table.digests, table.sketches, ra=dataset.ra, dec=dataset.dec).copies
    learned = model_rows.learned(table.digests, dataset.groups)
    learned = np.isin(copies, copies[learned])
    if not learned.any():
        return dataset
    if learned.all():
        raise DataError(
            f"all {len(dataset)} images are training rows of this model, so none is held out; "
            "give other images, or omit --held-out"
        )
    click.echo(
        f"{np.count_nonzero(learned)} of {len(dataset)} images are training rows of this model "
        "and are left out",
        err=True,
    )
    return dataset.select(~learned)


def _classify(
    batches: Iterable[Predictions],
    model_rows: ModelRows,
    dataset: DataSet,
    write: Callable[[Rows], None],
) -> _Tally:
    """Classify galaxies and write their rows batch by batch, until nobody reads them."""
    tally, done = _Tally(), 0
    for batch in batches:
        rows = slice(done, done + len(batch))
        groups = None if dataset.groups is None else dataset.groups[rows]
        predictions = replace(batch, seen=model_rows.learned(batch.digests, groups))
        write(predictions.rows())
        if reader_left():
            return _Tally()
        tally.add(predictions, dataset.ids[rows].tolist())
        done = rows.stop
    return tally


def _open_with_classes(
    inputs: tuple[str, ...], model_column: str | None, classes: NDArray[Any], images: str | None
) -> DataSet:
    """Open the input; drop labels from other columns unless the model has all their classes."""
    from galfeat.cli.inputs import open_for_model
    from galfeat.data.readers.folder import FOLDER_LABEL

    dataset = open_for_model(inputs, model_column, label=None, images=images)
    present = {dataset.class_names[label] for label in set(dataset.labels.tolist()) - {-1}}
    unknown = sorted(present - {str(name) for name in classes})
    if not unknown:
        return dataset
    if dataset.label_column == FOLDER_LABEL:
        problem = f"the folder {unknown[0]!r} is not a class of the model"
    else:
        problem = (
            f"{dataset.label_column!r} holds {unknown[0]!r}, which is not a class of the model; "
            "specify the column of true classes with --label"
        )
    click.echo(f"true_class is left empty: {problem}", err=True)
    return dataset.unlabelled()


@contextlib.contextmanager
def _open_output(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield standard_output()
        return
    with (
        atomic_file(output) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors=ORIGINAL_BYTES) as file,
    ):
        yield file


def _json_writer(file: TextIO) -> Callable[[Rows], None]:
    def write(rows: Rows) -> None:
        for row in rows:
            file.write(json.dumps(valid_json(row), ensure_ascii=False) + "\n")
        file.flush()

    return write


def _csv_writer(file: TextIO, raw_cells: bool) -> Callable[[Rows], None]:
    writer = csv.writer(file, lineterminator="\n")
    header: list[str] = []

    def write(rows: Rows) -> None:
        for row in rows:
            if not header:
                header.extend(row)
                writer.writerow(header)
            writer.writerow(csv_cells(row.values(), raw=raw_cells))
        file.flush()  # raise for a full disk here rather than at interpreter exit

    return write
