"""``galfeat evaluate``: score a model on labelled galaxies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from galfeat.cli.options import (
    images_option,
    jobs_option,
    label_option,
    model_argument,
    seed_option,
    trust_option,
)
from galfeat.cli.probabilities import assumptions, priors_option, with_class_frequencies
from galfeat.cli.terminal.progress import running_clock
from galfeat.cli.terminal.prose import skipped_message
from galfeat.storage.atomic import atomic_file, ensure_folder_writable, ensure_writable
from galfeat.storage.cells import valid_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from galfeat.classifier import GalaxyClassifier
    from galfeat.data import DataSet
    from galfeat.evaluate.comparison.left_out import Ablation
    from galfeat.evaluate.soft import SoftEvaluation
    from galfeat.experiments.scoring import Scored
    from galfeat.model_io.rows import ModelRows


_LABELS = (
    "The model predicts fractions of votes, but is scored against single labels, by which it looks "
    "underconfident: use --soft to score it against fractions."
)


@click.command()
@model_argument
@click.argument("data")
@click.option(
    "--json",
    "json_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all scores to this file.",
)
@click.option(
    "--report",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write an HTML report with figures to this folder.",
)
@click.option(
    "--include-training",
    is_flag=True,
    help="Also score images the model was fitted to. Such scores are too high, and are marked.",
)
@click.option(
    "--ablation",
    is_flag=True,
    help="Also refit to the training images in DATA without each feature family, and report "
    "the loss in score. Takes one fit more than there are families.",
)
@click.option(
    "--soft",
    is_flag=True,
    help="Score against fractions of votes, in the columns p_CLASS of the table; the true class is "
    "the one with the most votes.",
)
@priors_option
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
    soft: bool,
    priors: str | None,
    trust: bool,
    label: str | None,
    images: str | None,
    jobs: int,
    seed: int,
) -> None:
    """Score MODEL on the labelled images in DATA.

    If `galfeat fit --test-size` held out some of these images, only those are scored.
    Otherwise data that contain images the model was fitted to are refused. Each score has
    a 95 % bootstrap interval. Labels are read from the column the model was fitted to,
    or else from a common label column, unless --label names another. Of images that are
    divided into train and test, only the second are scored. Copies of training images among
    the images in DATA (re-encoded, rescaled, turned, mirrored) count as training images.

    With --ablation, DATA must be the data set given to `galfeat fit --test-size`. With --soft,
    the probabilities are also compared with the fractions of votes for each class.

    Images without a source have no class; they are counted and not scored. With --priors,
    probabilities and decisions assume these class frequencies, which should be those of DATA.
    """
    if soft and (ablation or label is not None):
        option = "--ablation" if ablation else "--label"
        raise click.UsageError(f"--soft and {option} are mutually exclusive; use one of them")
    if ablation and include_training:
        raise click.UsageError(
            "--ablation compares scores on held-out images; omit --include-training"
        )
    if ablation and priors is not None:
        raise click.UsageError(
            "--ablation refits with the class frequencies of the training images; omit --priors"
        )
    _check_outputs(json_file, report)
    from galfeat.cli.inputs import open_labelled, scratch_beside
    from galfeat.cli.voted import open_voted, read_votes
    from galfeat.evaluate.soft import MOST_VOTED_NOTE
    from galfeat.evaluate.text import evaluation_text
    from galfeat.experiments.scoring import true_classes
    from galfeat.experiments.votes import score_votes
    from galfeat.model_io.folder import load_model
    from galfeat.model_io.manifest import read_manifest
    from galfeat.model_io.rows import read_rows

    classifier = load_model(model, trust=trust).set_params(n_jobs=jobs)
    classifier = with_class_frequencies(classifier, priors)
    model_rows = read_rows(model)
    families = tuple(classifier.extractor_.families)
    manifest = read_manifest(model)
    fitted_to_votes = manifest.get("soft_labels", False)
    if fitted_to_votes and ablation:
        raise click.UsageError(
            f"{model} was fitted to fractions of votes, and --ablation refits to labels; omit it"
        )
    # Held-out images may be in any split.
    split = () if len(model_rows.held_out) else ("test", "val")
    if soft:
        opened = open_voted(data, images=images, split=split)
    else:
        model_column = manifest["label_column"]
        opened = open_labelled(
            data, label=label, images=images, model_column=model_column, split=split
        )
    true_classes(opened, classifier.classes_)  # fail early on classes unknown to the model
    rows = _choose(data, opened, model_rows, families, include_training, jobs, labelled=not soft)
    if ablation:
        from galfeat.experiments.ablation import check_ablation

        check_ablation(classifier, rows.training, len(model_rows.training))
    facts = {"Model": str(model), "Data": data, "Seed": str(seed)} | rows.facts
    if priors is not None:
        facts["Class frequencies"] = priors
    if soft:
        facts["True classes"] = "the class with the most votes"
    ctx.with_resource(scratch_beside(report, json_file))
    scored = _score(classifier, rows.scored, ablation, seed)
    caution = " ".join(filter(None, [rows.caution, "" if soft else _LABELS * fitted_to_votes]))
    if caution:
        click.echo(f"caution: {caution}\n")
    if soft:
        click.echo(f"{MOST_VOTED_NOTE}\n")
    click.echo(evaluation_text(scored.evaluation))
    votes: SoftEvaluation | None = None
    if soft:
        fractions = read_votes(data, scored.dataset)
        votes = score_votes(scored.predictions, fractions, groups=scored.dataset.groups, seed=seed)
        click.echo(f"\n{votes.to_text()}")
    ablated = _ablate(scored, rows.training, seed) if ablation else None
    results = _Results(
        scored, ablated, votes, caution, fitted_to_votes, priors is not None, rows.duplicates
    )
    if json_file is not None:
        _write_json(json_file, results)
    if report is not None:
        _write_report(report, results, len(model_rows.training), facts, seed)
    if rows.failed or scored.predictions.errors:
        ctx.exit(3)


class _Rows(NamedTuple):
    """Rows to score, and rows the model was fitted to.

    `facts` are descriptions for the report, `failed` is the number of unreadable images,
    `duplicates` what was grouped and left out, and `caution` is empty unless training images are
    scored.
    """

    scored: DataSet
    training: DataSet
    facts: dict[str, str]
    failed: int
    duplicates: dict[str, Any]
    caution: str = ""


class _Results(NamedTuple):
    """What is written as JSON and as a report."""

    scored: Scored
    ablated: Ablation | None
    votes: SoftEvaluation | None
    caution: str
    fitted_to_votes: bool
    other_priors: bool
    duplicates: dict[str, Any]


def _check_outputs(json_file: Path | None, report: Path | None) -> None:
    """Check early that the results can be written."""
    if json_file is not None:
        ensure_writable(json_file)
    if report is not None:
        ensure_folder_writable(report)


def _choose(
    data: str,
    opened: DataSet,
    model_rows: ModelRows,
    families: tuple[str, ...],
    include_training: bool,
    jobs: int,
    *,
    labelled: bool,
) -> _Rows:
    """Choose the rows to score.

    Rows are identified by their pixels, so only the rows to score need to be measured. Copies of
    training images are not scored.
    """
    import numpy as np

    from galfeat.cli.duplicates import find_duplicates
    from galfeat.cli.inputs import sketch_all
    from galfeat.data.digest import among
    from galfeat.experiments.scoring import rows_to_score
    from galfeat.features.registry import trained_on

    readable, table = sketch_all(opened, jobs)
    failed = len(opened) - len(readable)
    learned = model_rows.learned(table.digests, readable.groups)
    held_out = among(table.digests, model_rows.held_out)
    # Conflicts that `galfeat fit` left out are neither training nor held-out rows.
    kept = learned | held_out if learned.any() and not include_training else True
    grouped = find_duplicates(readable, table, keep_conflicts=kept, labelled=labelled)
    dataset, duplicates = grouped.dataset, grouped.to_json(data)
    by_features = trained_on(families, table.digests) & ~learned
    assert table.sketches is not None
    copied = model_rows.copied(table.sketches) & ~learned & ~held_out
    if by_features.any():
        click.echo(
            f"{by_features.sum():,} of {len(dataset):,} galaxies were used to train some of the "
            "model's features",
            err=True,
        )
    training = dataset.select(np.flatnonzero(learned))
    if include_training:
        description = f"{learned.sum():,} of {len(dataset):,} galaxies are training galaxies"
        facts = {"Rows": description, **grouped.facts()}
        caution = _caution(learned | by_features | copied)
        return _Rows(dataset, training, facts, failed, duplicates, caution)
    usable = np.flatnonzero(grouped.usable)
    used = grouped.with_copies(learned | by_features | copied)
    rows = usable[rows_to_score(used[usable], held_out[usable])]
    if len(rows) == len(dataset):
        return _Rows(dataset, training, grouped.facts(), failed, duplicates)
    description = f"the {len(rows)} of {len(dataset)} galaxies that were held out"
    click.echo(f"scoring {description}")
    facts = {"Rows": description, **grouped.facts()}
    return _Rows(dataset.select(rows), training, facts, failed, duplicates)


def _caution(used: NDArray[np.bool_]) -> str:
    """Return a warning if the model or its features were fitted to rows that are scored."""
    if not used.any():
        return ""
    return (
        f"{used.sum():,} of these {len(used):,} galaxies are training galaxies of the model: the "
        "scores are higher than they would be on other galaxies."
    )


def _score(classifier: GalaxyClassifier, dataset: DataSet, ablation: bool, seed: int) -> Scored:
    """Score galaxies, and keep the features of all of them only for an ablation."""
    from galfeat.cli.inputs import measure
    from galfeat.cli.terminal.progress import progress_bar
    from galfeat.experiments.scoring import score, score_images

    if ablation:
        classifier.extractor_.set_params(n_jobs=classifier.n_jobs)
        dataset, table = measure(classifier.extractor_, dataset)
        with running_clock("scores"):
            return score(classifier, dataset, table, seed=seed)
    with progress_bar("features and scores") as progress:
        scored = score_images(classifier, dataset, seed=seed, progress=progress)
    errors = scored.predictions.errors
    if errors:
        skipped_message([f"{dataset.ids[row]}: {errors[row]}" for row in errors], len(dataset))
    return scored


def _ablate(scored: Scored, training: DataSet, seed: int) -> Ablation:
    from galfeat.cli.inputs import measure
    from galfeat.cli.terminal.progress import progress_bar
    from galfeat.evaluate.text import ablation_text
    from galfeat.experiments.ablation import ablate

    dataset, table = measure(scored.classifier.extractor_, training, label="training features")
    with progress_bar("ablation fits") as progress:
        ablated = ablate(scored, dataset, table, seed=seed, progress=progress)
    click.echo("\n" + ablation_text(ablated))
    return ablated


def _write_json(path: Path, results: _Results) -> None:
    values = {**results.scored.evaluation.to_json(), "duplicates": results.duplicates}
    if results.other_priors:
        values |= assumptions(results.scored.classifier, coverage=None)
    if results.votes is not None:
        values["vote_fractions"] = results.votes.to_json()
    if results.caution:
        values["caution"] = results.caution
    if results.ablated is not None:
        values["ablation"] = results.ablated.to_json()
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(valid_json(values), indent=2) + "\n", encoding="utf-8")


def _write_report(
    folder: Path, results: _Results, n_training: int, facts: dict[str, str], seed: int
) -> None:
    from galfeat.experiments.scoring import report

    with running_clock("report"):
        page = report(
            folder,
            results.scored,
            n_training=n_training,
            ablation=results.ablated,
            votes=results.votes,
            facts=facts,
            caution=results.caution,
            soft=results.fitted_to_votes,
            seed=seed,
        )
    click.echo(f"report: {page}")
