"""``galfeat evaluate``: score a model on labelled galaxies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from galfeat.atomic import atomic_file, check_file, check_folder
from galfeat.cli.options import (
    images_option,
    jobs_option,
    label_option,
    model_argument,
    seed_option,
    trust_option,
)
from galfeat.cli.progress import running_clock

if TYPE_CHECKING:
    from galfeat.data import DataSet
    from galfeat.persist import ModelRows
    from galfeat.scoring import Scored


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
    """
    _check_places(json_file, report)
    from galfeat.cli.measure import measure, open_labelled
    from galfeat.evaluate.text import evaluation_text
    from galfeat.manifest import read_manifest
    from galfeat.persist import load_model, read_rows
    from galfeat.scoring import score, true_classes

    classifier = load_model(model, trust=trust).set_params(n_jobs=jobs)
    known = read_rows(model)
    families = tuple(classifier.extractor_.families)
    label = label or read_manifest(model)["label_column"]
    opened = open_labelled(data, label=label, images=images)
    true_classes(opened, classifier.classes_)  # a foreign class is found before the long work
    chosen, rows, failed = _choose(opened, known, families, include_training, jobs)
    facts = {"Model": str(model), "Data": data, "Seed": str(seed)} | rows
    dataset, table = measure(classifier.extractor_.set_params(n_jobs=jobs), chosen)
    with running_clock("scores"):
        scored = score(classifier, dataset, table, seed=seed)
    click.echo(evaluation_text(scored.evaluation))
    if json_file is not None:
        with atomic_file(json_file) as temporary:
            temporary.write_text(json.dumps(scored.evaluation.to_json(), indent=2) + "\n")
    if report is not None:
        _write_report(report, scored, len(known.training), facts, seed)
    if failed:
        ctx.exit(3)


def _check_places(json_file: Path | None, report: Path | None) -> None:
    """Find out before the work is done that its results cannot be written."""
    if json_file is not None:
        check_file(json_file)
    if report is not None:
        check_folder(report)


def _choose(
    opened: DataSet,
    known: ModelRows,
    families: tuple[str, ...],
    include_training: bool,
    jobs: int,
) -> tuple[DataSet, dict[str, str], int]:
    """Return the rows to score, words about them, and how many cannot be read.

    Rows are told apart by their pixels, so that none is measured that is not scored.
    """
    from galfeat.cli.measure import read_all
    from galfeat.data.digest import among
    from galfeat.features.registry import trained_on
    from galfeat.scoring import rows_to_score

    readable, digests = read_all(opened, jobs)
    failed = len(opened) - len(readable)
    learned = among(digests, known.training)
    by_features = trained_on(families, digests) & ~learned
    if by_features.any():
        words = "some of its features were themselves learned from"
        click.echo(
            f"{by_features.sum():,} of {len(readable):,} galaxies are ones {words}", err=True
        )
    if include_training:
        trained = int(learned.sum())
        words = f"{trained:,} of {len(readable):,} galaxies are ones the model was fitted to"
        click.echo(words)
        return readable, {"Rows": words}, failed
    rows = rows_to_score(learned | by_features, among(digests, known.held_out))
    if len(rows) == len(readable):
        return readable, {}, failed
    words = f"the {len(rows)} of {len(readable)} galaxies that were held out"
    click.echo(f"scoring {words}")
    return readable.select(rows), {"Rows": words}, failed


def _write_report(
    folder: Path, scored: Scored, n_training: int, facts: dict[str, str], seed: int
) -> None:
    from galfeat.scoring import report

    with running_clock("report"):
        page = report(folder, scored, n_training=n_training, facts=facts, seed=seed)
    click.echo(f"report: {page}")
