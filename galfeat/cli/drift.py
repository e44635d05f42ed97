"""``galfeat drift``: compare two data sets feature by feature."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from galfeat import __version__
from galfeat.cli.options import images_option, jobs_option, seed_option, trust_option
from galfeat.cli.terminal.prose import none_readable, skipped_message
from galfeat.storage.atomic import atomic_file, ensure_writable
from galfeat.storage.cells import valid_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from galfeat.classifier import GalaxyClassifier
    from galfeat.data import DataSet
    from galfeat.evaluate.drift import Drift, DriftSet
    from galfeat.features import FeatureTable

#: Number of images of each data set shown as most easily told apart.
_SHOWN = 8


@dataclass(frozen=True)
class _Source:
    """The features of a data set, the images if these were given, and the number that failed."""

    title: str
    table: FeatureTable
    ids: list[str]
    dataset: DataSet | None = None
    failed: int = 0


@click.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write a page with histograms and pictures.",
)
@click.option(
    "--json",
    "json_path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write all numbers as JSON.",
)
@images_option
@trust_option
@jobs_option
@seed_option
@click.pass_context
def drift(
    ctx: click.Context,
    a: str,
    b: str,
    output: Path | None,
    json_path: Path | None,
    images: str | None,
    trust: bool,
    jobs: int,
    seed: int,
) -> None:
    """Compare two data sets feature by feature, the worst first.

    A and B are data sets as for `galfeat fit`, files or folders of images, or tables written by
    `galfeat extract`. A may also be a model, which keeps quantiles of its training galaxies: B is
    then compared with the features the model uses, and with its survey.

    For each feature: how far the values moved, in units of the spread in A (Wasserstein), the
    Kolmogorov-Smirnov statistic, and its p-value, corrected for the number of features. A random
    forest tells A from B, out of fold; an area of 0.5 under its ROC curve is chance.
    """
    for path in filter(None, (output, json_path)):
        ensure_writable(path)
    classifier = _model(a, trust=trust, jobs=jobs)
    facts = {"A": a, "B": b, "Seed": str(seed), "galfeat": __version__}
    if classifier is None:
        failed = _compare_sets(a, b, images, jobs, seed, output, json_path, facts)
    else:
        failed = _compare_with_model(classifier, a, b, images, jobs, output, json_path, facts)
    if failed:
        ctx.exit(3)


def _compare_sets(
    a: str,
    b: str,
    images: str | None,
    jobs: int,
    seed: int,
    output: Path | None,
    json_path: Path | None,
    facts: dict[str, str],
) -> int:
    """Compare two data sets; return the number of images that could not be read."""
    from galfeat.evaluate.drift import measure_drift
    from galfeat.evaluate.drift.statistics import with_separation
    from galfeat.experiments.separation import separate
    from galfeat.features.registry import OWN_FAMILIES

    sources = [_source(text, images, list(OWN_FAMILIES), jobs) for text in (a, b)]
    measured = measure_drift(*(source.table for source in sources), compared=_is_compared)
    names = [feature.name for feature in measured.features]
    separation = separate(*(_columns(source, names) for source in sources), seed=seed, n_jobs=jobs)
    if separation is None:
        apart: tuple[list[int], list[int]] = ([], [])
    else:
        measured = with_separation(measured, separation.area)
        apart = separation.rows_a[:_SHOWN].tolist(), separation.rows_b[:_SHOWN].tolist()
    shown = _drift_set(sources[0]), _drift_set(sources[1])
    _write(measured, shown, apart, output, json_path, facts)
    return sum(source.failed for source in sources)


def _compare_with_model(
    classifier: GalaxyClassifier,
    a: str,
    b: str,
    images: str | None,
    jobs: int,
    output: Path | None,
    json_path: Path | None,
    facts: dict[str, str],
) -> int:
    """Compare a data set with the training galaxies of a model."""
    from galfeat.evaluate.drift import DriftSet, measure_drift_from_quantiles
    from galfeat.model_io.manifest import read_manifest
    from galfeat.model_io.shipped import model_folder

    source = _source(b, images, list(classifier.extractor_.families), jobs)
    known = {**classifier.quantiles_, **getattr(classifier, "survey_quantiles_", {})}
    n_training = read_manifest(model_folder(a))["n_training"]
    measured = measure_drift_from_quantiles(known, n_training, source.table)
    shown = DriftSet(f"training galaxies of {a}", {}), _drift_set(source)
    _write(measured, shown, ([], []), output, json_path, facts)
    return source.failed


def _model(text: str, *, trust: bool, jobs: int) -> GalaxyClassifier | None:
    """Return the model of this name or folder; None if it is none."""
    from galfeat.model_io.shipped import model_folder, names_model

    if not names_model(text) or not model_folder(text).exists():
        return None
    from galfeat.model_io.folder import load_model

    classifier = load_model(model_folder(text), trust=trust)
    classifier.n_jobs = jobs
    return classifier


def _source(text: str, images: str | None, families: list[str], jobs: int) -> _Source:
    """Return the features of a data set or of a table of features.

    Raises
    ------
    DataError
        If the data set cannot be opened, or no image can be read.
    """
    from galfeat.cli.inputs import note_stretched, open_images
    from galfeat.cli.terminal.progress import progress_bar
    from galfeat.features import measure_images
    from galfeat.features.table_file import is_table_file, read_table_file

    if is_table_file(Path(text)):
        table, ids = read_table_file(Path(text))
        dataset = None
    else:
        dataset = open_images(text, images=images)
        note_stretched(dataset)
        with progress_bar(Path(text).name) as progress:
            table = measure_images(dataset, families, n_jobs=jobs, progress=progress)
        ids = [str(name) for name in dataset.ids]
    failures = [error.naming(ids[row]) for row, error in sorted(table.errors.items())]
    if failures:
        if len(failures) == len(ids):
            raise none_readable(failures[0], len(ids))
        skipped_message(failures, len(ids))
    rows = table.usable_rows()
    return _Source(
        Path(text).name or text,
        table.select(rows),
        [ids[row] for row in rows],
        None if dataset is None else dataset.select(rows),
        len(failures),
    )


def _is_compared(name: str) -> bool:
    """Return whether a column describes the galaxy or its image, and not its orientation."""
    from galfeat.features import columns
    from galfeat.features.registry import OWN_FAMILIES

    known = {column.name: column for column in columns(OWN_FAMILIES)}
    column = known.get(name)
    if column is None or column.invariant:
        return True
    return column.unit == "px" and not name.startswith("morphology.centre")


def _columns(source: _Source, names: list[str]) -> NDArray[np.float32]:
    return source.table.values[:, [source.table.names.index(name) for name in names]]


def _drift_set(source: _Source) -> DriftSet:
    from galfeat.evaluate.drift import DriftSet

    table, dataset = source.table, source.dataset
    values = {name: table.values[:, i] for i, name in enumerate(table.names)}

    def image(row: int) -> NDArray[np.uint8] | None:
        from galfeat.errors import ImageError
        from galfeat.frame import as_rgb

        if dataset is None:
            return None
        (pixels,) = dataset.read([row])
        return None if isinstance(pixels, ImageError) else as_rgb(pixels)

    return DriftSet(source.title, values, None if dataset is None else image, source.ids)


def _write(
    measured: Drift,
    shown: tuple[DriftSet, DriftSet],
    apart: tuple[list[int], list[int]],
    output: Path | None,
    json_path: Path | None,
    facts: dict[str, str],
) -> None:
    from galfeat.evaluate.drift import drift_page, drift_text
    from galfeat.features import columns
    from galfeat.features.registry import OWN_FAMILIES

    click.echo(drift_text(measured))
    if json_path is not None:
        text = json.dumps(valid_json({"facts": facts, **measured.to_json()}), indent=2) + "\n"
        with atomic_file(json_path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if output is not None:
        meanings = {column.name: column.meaning for column in columns(OWN_FAMILIES)}
        html = drift_page(measured, *shown, meanings=meanings, facts=facts, apart=apart)
        with atomic_file(output) as temporary:
            temporary.write_text(html, encoding="utf-8", errors="backslashreplace")
        click.echo(f"\npage: {output}")
