"""``galfeat evaluate``: score a model on labelled galaxies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from galfeat.cli.options import (
    images_option,
    jobs_option,
    label_option,
    model_argument,
    seed_option,
    trust_option,
)
from galfeat.cli.progress import running_clock
from galfeat.storage.atomic import atomic_file, ensure_folder_writable, ensure_writable

if TYPE_CHECKING:
    from galfeat.data import DataSet
    from galfeat.evaluate.comparison.left_out import Ablation
    from galfeat.experiments.scoring import Scored
    from galfeat.model_io.rows import ModelRows


@click.command()
@model_argument
@click.argument("data")
@click.option(
    "--json",
    "json_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every number to this file.",
)
@click.option(
    "--report",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write an HTML report with pictures into this folder.",
)
@click.option(
    "--include-training",
    is_flag=True,
    help="Score images the model was fitted to as well. Such scores are too good.",
)
@click.option(
    "--ablation",
    is_flag=True,
    help="Also fit again without each family of features, to the training images in DATA, and "
    "say what the scores lose. Takes as many fits as there are families, and one.",
)
@trust_option
@label_option
@images_option
@jobs_option
@seed_option
@click.pass_context
def evaluate(
    ctx: click.Context,
    model: Path,
    data: str,
    json_file: Path | None,
    report: Path | None,
    include_training: bool,
    ablation: bool,
    trust: bool,
    label: str | None,
    images: str | None,
    jobs: int,
    seed: int,
) -> None:
    """Score MODEL on the labelled images in DATA.

    Where `galfeat fit --test-size` held some of these images out, just those are
    scored. Data that hold images the model was fitted to are refused otherwise. Each
    score has a 95 % bootstrap interval. The labels come from the column the model
    learned, unless --label names another.

    With --ablation, DATA is the data set that `galfeat fit --test-size` was given.
    """
    if ablation and include_training:
        raise click.UsageError(
            "--ablation compares scores on images that were held out; leave --include-training out"
        )
    _check_places(json_file, report)
    from galfeat.cli.measure import measure, open_labelled
    from galfeat.evaluate.text import evaluation_text
    from galfeat.experiments.scoring import score, true_classes
    from galfeat.model_io.folder import load_model
    from galfeat.model_io.manifest import read_manifest
    from galfeat.model_io.rows import read_rows

    classifier = load_model(model, trust=trust).set_params(n_jobs=jobs)
    known = read_rows(model)
    families = tuple(classifier.extractor_.families)
    label = label or read_manifest(model)["label_column"]
    opened = open_labelled(data, label=label, images=images)
    true_classes(opened, classifier.classes_)  # a foreign class is found before the long work
    rows = _choose(opened, known, families, include_training, jobs)
    if ablation:
        from galfeat.experiments.ablation import check_ablation

        check_ablation(classifier, rows.training, len(known.training))
    facts = {"Model": str(model), "Data": data, "Seed": str(seed)} | rows.facts
    dataset, table = measure(classifier.extractor_.set_params(n_jobs=jobs), rows.scored)
    with running_clock("scores"):
        scored = score(classifier, dataset, table, seed=seed)
    click.echo(evaluation_text(scored.evaluation))
    lost = _ablate(scored, rows.training, seed) if ablation else None
    if json_file is not None:
        _write_json(json_file, scored, lost)
    if report is not None:
        _write_report(report, scored, lost, len(known.training), facts, seed)
    if rows.failed:
        ctx.exit(3)


class _Rows(NamedTuple):
    """Rows of the data: which are scored, and which the model was fitted to.

    `facts` are words about them for the report, `failed` is how many cannot be read.
    """

    scored: DataSet
    training: DataSet
    facts: dict[str, str]
    failed: int


def _check_places(json_file: Path | None, report: Path | None) -> None:
    """Find out before the work is done that its results cannot be written."""
    if json_file is not None:
        ensure_writable(json_file)
    if report is not None:
        ensure_folder_writable(report)


def _choose(
    opened: DataSet,
    known: ModelRows,
    families: tuple[str, ...],
    include_training: bool,
    jobs: int,
) -> _Rows:
    """Choose the rows to score.

    Rows are told apart by their pixels, so that none is measured that is not scored.
    """
    import numpy as np

    from galfeat.cli.measure import read_all
    from galfeat.data.digest import among
    from galfeat.experiments.scoring import rows_to_score
    from galfeat.features.registry import trained_on

    readable, digests = read_all(opened, jobs)
    failed = len(opened) - len(readable)
    learned = known.learned(digests, readable.groups)
    by_features = trained_on(families, digests) & ~learned
    if by_features.any():
        words = "some of its features were themselves learned from"
        click.echo(
            f"{by_features.sum():,} of {len(readable):,} galaxies are ones {words}", err=True
        )
    training = readable.select(np.flatnonzero(learned))
    if include_training:
        trained = int(learned.sum())
        words = f"{trained:,} of {len(readable):,} galaxies are ones the model was fitted to"
        click.echo(words)
        return _Rows(readable, training, {"Rows": words}, failed)
    rows = rows_to_score(learned | by_features, among(digests, known.held_out))
    if len(rows) == len(readable):
        return _Rows(readable, training, {}, failed)
    words = f"the {len(rows)} of {len(readable)} galaxies that were held out"
    click.echo(f"scoring {words}")
    return _Rows(readable.select(rows), training, {"Rows": words}, failed)


def _ablate(scored: Scored, training: DataSet, seed: int) -> Ablation:
    from galfeat.cli.measure import measure
    from galfeat.cli.progress import progress_bar
    from galfeat.evaluate.text import ablation_text
    from galfeat.experiments.ablation import ablate

    dataset, table = measure(scored.classifier.extractor_, training, label="training features")
    with progress_bar("fits without a family") as progress:
        lost = ablate(scored, dataset, table, seed=seed, progress=progress)
    click.echo("\n" + ablation_text(lost))
    return lost


def _write_json(path: Path, scored: Scored, lost: Ablation | None) -> None:
    values = scored.evaluation.to_json()
    if lost is not None:
        values["ablation"] = lost.to_json()
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2) + "\n")


def _write_report(
    folder: Path,
    scored: Scored,
    lost: Ablation | None,
    n_training: int,
    facts: dict[str, str],
    seed: int,
) -> None:
    from galfeat.experiments.scoring import report

    with running_clock("report"):
        page = report(folder, scored, n_training=n_training, ablation=lost, facts=facts, seed=seed)
    click.echo(f"report: {page}")
