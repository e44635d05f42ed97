"""``galfeat compare``: cross-validate several pipelines on the same folds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from galfeat import __version__
from galfeat.cli.options import (
    WholeRange,
    images_option,
    jobs_option,
    keep_conflicts_option,
    label_option,
    seed_option,
)
from galfeat.storage.atomic import atomic_file, ensure_folder_writable, ensure_writable
from galfeat.storage.cells import valid_json

if TYPE_CHECKING:
    from galfeat.experiments.comparison import Results
    from galfeat.experiments.plan import Plan

CSV, JSON, PAGE = "compare.csv", "compare.json", "compare.html"


@click.command()
@click.argument("data")
@click.option(
    "--pipelines",
    "pipeline_names",
    metavar="A,B,...",
    required=True,
    help="Pipelines to compare: names from `galfeat pipelines` or TOML files. Append + and a "
    "balancing method to change how classes are balanced, e.g. hog-svm+smote.",
)
@click.option(
    "--folds", metavar="K", type=WholeRange(min=2), default=5, show_default=True,
    help="Number of cross-validation folds.",
)  # fmt: skip
@click.option(
    "--repeats", metavar="R", type=WholeRange(min=1), default=3, show_default=True,
    help="Number of repeats, each with different folds.",
)  # fmt: skip
@click.option(
    "--learning-curve",
    is_flag=True,
    help="Also fit to 5, 10, 20 and 50 % of the training labels, in the first repeat only.",
)
@click.option(
    "--survey-shift",
    is_flag=True,
    help="Also score test images re-rendered as another survey, in the first repeat only.",
)
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("comparison"),
    show_default=True,
    help="Folder for the results. An interrupted comparison resumes from its contents.",
)
@keep_conflicts_option
@label_option
@images_option
@jobs_option
@seed_option
@click.pass_context
def compare(
    ctx: click.Context,
    data: str,
    pipeline_names: str,
    folds: int,
    repeats: int,
    learning_curve: bool,
    survey_shift: bool,
    output: Path,
    keep_conflicts: bool,
    label: str | None,
    images: str | None,
    jobs: int,
    seed: int,
) -> None:
    """Compare pipelines by cross-validation on the same folds.

    Writes scores, paired differences, times, memory and model sizes to compare.csv and
    compare.json, and a page with figures to compare.html. Completed fits are kept in
    FOLDER/checkpoints and features in FOLDER/features; a further run, with the same or with more
    pipelines or repeats, computes only what is missing.

    Copies of one image and rows of one position are in one fold; if their classes differ, they
    are left out, unless --keep-conflicts is given.
    """
    ensure_folder_writable(output)
    for name in (CSV, JSON, PAGE):
        if output.is_dir():
            ensure_writable(output / name)
    from galfeat.cli.duplicates import find_duplicates
    from galfeat.cli.inputs import open_labelled, scratch_beside, sketch_all
    from galfeat.cli.terminal.progress import progress_bar
    from galfeat.evaluate.comparison.text import comparison_text
    from galfeat.experiments import Plan, compare
    from galfeat.pipeline import load_pipeline

    pipelines = [load_pipeline(name.strip()) for name in pipeline_names.split(",") if name.strip()]
    if not pipelines:
        raise click.UsageError("no pipeline given; specify at least one pipeline with --pipelines")
    plan = Plan(pipelines, folds, repeats, seed, jobs, learning_curve, survey_shift)
    opened = open_labelled(data, label=label, images=images)
    plan.check(opened)
    readable, table = sketch_all(opened, jobs)
    grouped = find_duplicates(readable, table, keep_conflicts=keep_conflicts)
    families = {family: None for pipeline in pipelines for family in pipeline.measured_families()}
    rows = grouped.rows_to_use(list(families), table.digests)
    dataset, digests = grouped.dataset.select(rows), table.digests[rows]
    ctx.with_resource(scratch_beside(output))
    results = compare(plan, dataset, digests, output, stage=progress_bar)
    click.echo(comparison_text(results.comparison, results.costs_by_pipeline()))
    facts = {
        "Data": data,
        "Classes from": str(dataset.label_column),
        "Folds": f"{folds}, groups kept together",
        "Repeats": str(repeats),
        "Seed": str(seed),
        "galfeat": __version__,
        **grouped.facts(),
    }
    _write(output, results, plan, facts, grouped.to_json(data))
    if len(readable) < len(opened):
        ctx.exit(3)


def _write(
    folder: Path, results: Results, plan: Plan, facts: dict[str, str], duplicates: dict[str, Any]
) -> None:
    from galfeat.evaluate.comparison.page import comparison_page
    from galfeat.evaluate.comparison.text import comparison_csv

    comparison, spent = results.comparison, results.costs_by_pipeline()
    page = comparison_page(
        comparison,
        spent,
        curve=results.curve,
        rows_of_share=results.rows_of_share,
        shift=results.shift,
        facts=facts,
        descriptions={pipeline.name: pipeline.description for pipeline in plan.pipelines},
    )
    plain = {"facts": facts, **results.to_json(), "duplicates": duplicates}
    texts = {
        CSV: comparison_csv(comparison, spent, results.shift),
        JSON: json.dumps(valid_json(plain), indent=2) + "\n",
        PAGE: page,
    }
    for name, text in texts.items():
        with atomic_file(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    click.echo(f"\nnumbers: {folder / CSV}, {folder / JSON}\npage: {folder / PAGE}")
