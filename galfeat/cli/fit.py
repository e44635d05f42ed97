"""``galfeat fit``: fit a model to labelled galaxies."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from galfeat.cli.options import (
    FiniteRange,
    WholeRange,
    images_option,
    jobs_option,
    keep_conflicts_option,
    label_option,
    seed_option,
)
from galfeat.cli.terminal.prose import counted
from galfeat.errors import OutputError
from galfeat.storage.cells import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from galfeat.classifier import GalaxyClassifier
    from galfeat.data import DataSet
    from galfeat.data.catalogue import VoteFractions
    from galfeat.evaluate.repeats import CrossValidation
    from galfeat.features import FeatureTable


@click.command()
@click.argument("data")
@click.option(
    "--pipeline",
    "pipeline_name",
    metavar="NAME|FILE",
    default="lightgbm",
    show_default=True,
    help="Pipeline to fit: a name from `galfeat pipelines` or a TOML file. Append + and a "
    "balancing method to change how classes are balanced, e.g. hog-svm+smote.",
)
@click.option(
    "-o",
    "--output",
    metavar="MODEL",
    type=click.Path(path_type=Path),
    help="Folder to write the model to. Optional with --cv, which prints scores.",
)
@click.option(
    "--test-size",
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    help="Fraction of the rows to hold out for `galfeat evaluate`.",
)
@click.option("--cv", metavar="K", type=WholeRange(min=2), help="Cross-validate with K folds.")
@click.option(
    "--repeats",
    metavar="R",
    type=WholeRange(min=1),
    help="With --cv: number of repeats, each with different folds. [default: 1]",
)
@click.option(
    "--soft",
    is_flag=True,
    help="Fit to fractions of votes, in the columns p_CLASS of the table, instead of labels.",
)
@keep_conflicts_option
@label_option
@images_option
@jobs_option
@seed_option
@click.pass_context
def fit(
    ctx: click.Context,
    data: str,
    pipeline_name: str,
    output: Path | None,
    test_size: float | None,
    cv: int | None,
    repeats: int | None,
    soft: bool,
    keep_conflicts: bool,
    label: str | None,
    images: str | None,
    jobs: int,
    seed: int,
) -> None:
    """Fit a model to labelled images and save it.

    DATA is a Galaxy10 or other HDF5 file, an .npz file, a table that lists images, a folder
    with labels.csv, or a folder with one subfolder of images per class. Of images that are
    divided into train and test, only the first are used.

    With --soft, each galaxy counts in several classes, by the fractions of its votes: see
    `galfeat data label-votes`. Splits are stratified by the class with the most votes.

    Copies of one image (re-encoded, rescaled, turned, mirrored), rows of one position, and
    overlapping cut-outs are on one side of every split. Copies and rows of one position whose
    classes differ are left out, unless --keep-conflicts is given.
    """
    _check_usage(output, test_size, cv, repeats)
    if soft and (cv is not None or label is not None):
        option = "--cv" if cv is not None else "--label"
        raise click.UsageError(f"--soft and {option} are mutually exclusive; use one of them")
    from galfeat.classifier import GalaxyClassifier
    from galfeat.cli.duplicates import find_duplicates
    from galfeat.cli.inputs import measure, open_labelled, scratch_beside
    from galfeat.cli.voted import open_voted, read_votes
    from galfeat.data.duplicates import find_groups, fingerprints
    from galfeat.ensemble.soft_labels import check_balance
    from galfeat.evaluate.text import cross_validation_text
    from galfeat.features import FeatureExtractor
    from galfeat.pipeline import load_pipeline

    pipeline = load_pipeline(pipeline_name)
    if output is not None:
        _check_output(output)
    if soft:
        check_balance(pipeline.balance)
        opened = open_voted(data, images=images, split=("train",))
    else:
        opened = open_labelled(data, label=label, images=images, split=("train",))
    votes = read_votes(data, opened) if soft else None
    _check_splits(opened, votes, test_size, cv, seed)
    _note_replaced(output)
    for member in pipeline.members:
        member.require_dependencies()
    ctx.with_resource(scratch_beside(output))
    extractor = FeatureExtractor(pipeline.measured_families(), frame=pipeline.frame, n_jobs=jobs)
    readable, measured = measure(extractor, opened, sketches=True)
    grouped = find_duplicates(readable, measured, keep_conflicts=keep_conflicts, labelled=not soft)
    rows = grouped.rows_to_use(extractor.families, measured.digests)
    dataset = grouped.dataset.select(rows)
    table = measured.select(rows)
    assert table.sketches is not None
    marks = fingerprints(table.sketches)
    table = dataclasses.replace(table, sketches=None)
    classifier = GalaxyClassifier(pipeline, n_jobs=jobs, random_state=seed)
    groups = find_groups(table.digests, groups=dataset.groups).groups
    votes = read_votes(data, dataset) if soft else None
    training = _Training(dataset, table, groups, votes, seed, marks)
    metrics: dict[str, Any] = {"duplicates": grouped.to_json(data)}
    if cv is not None:
        scores = _cross_validate(classifier, training, cv, repeats or 1)
        metrics["cross_validation"] = scores.to_json()
        click.echo(cross_validation_text(scores))
    if output is None:
        click.echo("no model was written; specify a folder with -o to save one", err=True)
    else:
        _fit_and_save(classifier, training, output, test_size, metrics)
    if len(readable) < len(opened):
        ctx.exit(3)


class _Training(NamedTuple):
    """Labelled rows: features, groups, votes if any, seed of all splits, fingerprints."""

    dataset: DataSet
    table: FeatureTable
    groups: NDArray[np.str_]
    votes: VoteFractions | None
    seed: int
    fingerprints: NDArray[np.uint8]


def _check_usage(
    output: Path | None, test_size: float | None, cv: int | None, repeats: int | None
) -> None:
    if output is None and cv is None:
        raise click.UsageError(
            "nothing to do; specify a model folder with -o, or cross-validate with --cv"
        )
    if test_size is not None and cv is not None:
        raise click.UsageError("--test-size and --cv are mutually exclusive; use one of them")
    if repeats is not None and cv is None:
        raise click.UsageError("--repeats requires --cv")


def _check_output(output: Path) -> None:
    """Check early that a model can be written to a folder."""
    from galfeat.model_io.manifest import is_model
    from galfeat.model_io.trust import trust_list
    from galfeat.storage.atomic import can_replace

    trust_list()  # fail now if there is no home folder to keep the model's digest in
    if not can_replace(output, is_model):
        raise OutputError(
            f"{output} exists and is not a model; choose another folder, or remove it first"
        )
    try:
        tempfile.TemporaryDirectory(dir=output.parent).cleanup()
    except OSError as error:
        raise OutputError(
            f"cannot write {output}: {error.strerror}; choose an existing, writable folder"
        ) from error


def _note_replaced(output: Path | None) -> None:
    """Print which model will be replaced, if any."""
    from galfeat.errors import ModelError
    from galfeat.model_io.manifest import MANIFEST, is_model, read_manifest

    if output is None or not output.is_dir() or not is_model(output):
        return
    try:
        n_training = read_manifest(output)["n_training"]
    except ModelError:
        model = "a damaged model or one of another version"
    else:
        written = date.fromtimestamp((output / MANIFEST).stat().st_mtime)
        model = f"the model fitted on {written} to {counted(n_training)}"
    click.echo(f"{printable(str(output))} will be replaced: {model}", err=True)


def _strata(dataset: DataSet, votes: VoteFractions | None) -> NDArray[np.integer]:
    """Return the classes by which a split is stratified."""
    from galfeat.experiments.votes import largest_class

    return dataset.labels if votes is None else largest_class(votes.fractions, min_galaxies=2)


def _check_splits(
    opened: DataSet,
    votes: VoteFractions | None,
    test_size: float | None,
    cv: int | None,
    seed: int,
) -> None:
    """Check early that each class has enough rows for the splits."""
    from galfeat.evaluate.splits import holdout, outer_folds

    labels, groups, names = _strata(opened, votes), opened.groups, opened.class_names
    if cv is not None:
        outer_folds(labels, groups, cv, class_names=names)
    if test_size is not None:
        holdout(labels, groups, test_size, seed, class_names=names)


def _cross_validate(
    classifier: GalaxyClassifier, training: _Training, folds: int, repeats: int
) -> CrossValidation:
    from galfeat.cli.terminal.progress import progress_bar
    from galfeat.experiments.cross_validation import cross_validate

    with progress_bar("folds") as progress:
        return cross_validate(
            classifier,
            training.dataset,
            training.table,
            training.groups,
            folds=folds,
            repeats=repeats,
            seed=training.seed,
            progress=progress,
        )


def _fit_and_save(
    classifier: GalaxyClassifier,
    training: _Training,
    output: Path,
    test_size: float | None,
    metrics: dict[str, Any],
) -> None:
    import numpy as np

    from galfeat.cli.terminal.progress import running_clock
    from galfeat.evaluate.splits import holdout
    from galfeat.experiments.scoring import score
    from galfeat.experiments.votes import score_votes
    from galfeat.model_io.folder import save_model

    dataset, table, groups, votes, seed, marks = training
    train, held_out = np.arange(len(dataset)), np.arange(0)
    if test_size is not None:
        names = dataset.class_names
        strata = _strata(dataset, votes)
        train, held_out = holdout(strata, groups, test_size, seed, class_names=names)
    targets = dataset.labels if votes is None else votes.fractions
    with running_clock("fitting"):
        classifier.fit_table(
            table.select(train), targets[train], groups[train], dataset.class_names
        )
    if len(held_out):
        unseen, measured = dataset.select(held_out), table.select(held_out)
        scored = score(classifier, unseen, measured, seed=seed)
        metrics |= scored.evaluation.to_json()
        if votes is not None:
            unseen_votes = votes._replace(fractions=votes.fractions[held_out])
            metrics["vote_fractions"] = score_votes(
                scored.predictions, unseen_votes, groups=unseen.groups, seed=seed
            ).to_json()
    save_model(
        classifier,
        output,
        training_digests=table.digests[train],
        held_out_digests=table.digests[held_out],
        training_fingerprints=marks[train],
        data_digest=_digest(dataset, table, votes),
        seed=seed,
        metrics=metrics,
        label_column=dataset.label_column,
        soft=votes is not None,
    )
    by = "" if votes is None else " by fractions of votes"
    click.echo(f"{output}: {len(classifier.classes_)} classes, fitted to {len(train)} galaxies{by}")
    if len(held_out):
        command = "galfeat evaluate" if votes is None else "galfeat evaluate --soft"
        click.echo(f"{len(held_out)} held out; score them with `{command}` on the same data")


def _digest(dataset: DataSet, table: FeatureTable, votes: VoteFractions | None) -> str:
    """Return the SHA-256 of the pixels, classes and votes of all labelled rows, in order."""
    digest = hashlib.sha256(table.digests.tobytes())
    for label in dataset.labels:
        digest.update(dataset.class_names[label].encode("utf-8", "surrogatepass") + b"\0")
    if votes is not None:
        digest.update(votes.fractions.tobytes())
    return digest.hexdigest()
