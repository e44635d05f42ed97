"""``galfeat audit``: find labels that are probably wrong."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import click

from galfeat import __version__
from galfeat.cli.options import (
    WholeRange,
    images_option,
    jobs_option,
    label_option,
    raw_cells_option,
    seed_option,
)
from galfeat.storage.atomic import atomic_file, ensure_writable
from galfeat.storage.cells import ORIGINAL_BYTES, csv_cells, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from galfeat.data import DataSet
    from galfeat.evaluate.audit import Audit

PRINTED = 10
"""Labels printed."""

READ_AT_ONCE, LARGEST = 16, 352
"""Images read at a time, and the longest side kept, in pixels."""


@click.command()
@click.argument("data")
@click.option(
    "--pipeline",
    "pipeline_name",
    metavar="NAME|FILE",
    default="lightgbm",
    show_default=True,
    help="Pipeline that predicts the labels: a name from `galfeat pipelines` or a TOML file.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV file to write, with all probabilities. A page with pictures is written beside it, "
    "with the suffix .html.",
)
@click.option(
    "--folds", metavar="K", type=WholeRange(min=2), default=5, show_default=True,
    help="Number of cross-validation folds.",
)  # fmt: skip
@click.option(
    "--repeats", metavar="R", type=WholeRange(min=1), default=1, show_default=True,
    help="Number of repeats, each with different folds; probabilities are averaged.",
)  # fmt: skip
@raw_cells_option
@label_option
@images_option
@jobs_option
@seed_option
@click.pass_context
def audit(
    ctx: click.Context,
    data: str,
    pipeline_name: str,
    output: Path | None,
    folds: int,
    repeats: int,
    raw_cells: bool,
    label: str | None,
    images: str | None,
    jobs: int,
    seed: int,
) -> None:
    """Find labels in DATA that are probably wrong.

    Each galaxy is predicted by models that were fitted without it, its copies and its group.
    Labels are ranked by how strongly these predictions contradict them. The page also shows
    duplicates, galaxies with several labels, and images that may show no galaxy.

    DATA is as for `galfeat fit`. Rows without a label are skipped.
    """
    page = None if output is None else output.with_suffix(".html")
    if output is not None and page is not None:
        if page == output:
            raise click.UsageError(f"{output} would be the page; name the CSV file with -o")
        ensure_writable(output)
        ensure_writable(page)
    from galfeat.classifier import GalaxyClassifier
    from galfeat.cli.inputs import leave_out_learned, measure_all, open_labelled, scratch_beside
    from galfeat.cli.terminal.progress import progress_bar
    from galfeat.data.duplicates import find_groups_in
    from galfeat.experiments.label_audit import audit, check_audit
    from galfeat.features import FeatureExtractor
    from galfeat.pipeline import load_pipeline

    pipeline = load_pipeline(pipeline_name)
    opened = open_labelled(data, label=label, images=images)
    for member in pipeline.members:
        member.require_dependencies()
    check_audit(opened, folds)
    ctx.with_resource(scratch_beside(output))
    extractor = FeatureExtractor(pipeline.measured_families(), frame=pipeline.frame, n_jobs=jobs)
    measured = measure_all(extractor, opened, sketches=True)
    rows = leave_out_learned(extractor.families, opened, measured.digests)
    dataset, table = opened.select(rows), measured.select(rows)
    grouping = find_groups_in(dataset, table.digests, table.sketches, dataset.labels)
    classifier = GalaxyClassifier(pipeline, n_jobs=jobs, random_state=seed)
    with progress_bar("folds") as progress:
        result = audit(
            classifier,
            dataset,
            table,
            grouping,
            folds=folds,
            repeats=repeats,
            seed=seed,
            progress=progress,
        )
    _print(result)
    if output is not None and page is not None:
        facts = {
            "Data": data,
            "Labels from": str(dataset.label_column),
            "Pipeline": pipeline.name,
            "Folds": f"{folds}, groups kept together",
            "Repeats": str(repeats),
            "Seed": str(seed),
            "galfeat": __version__,
        }
        write_audit(output, page, result, dataset, facts, raw_cells=raw_cells)
    if table.errors:
        ctx.exit(3)


def _print(result: Audit) -> None:
    """Print the counts, and the most doubtful labels."""
    from galfeat.cli.duplicates import grouped_text

    ranked, probable = result.ranked, int(result.probable.sum())
    click.echo(f"{probable:,} of {len(ranked):,} labels are probably wrong")
    counts = {
        "rows show a galaxy that other rows label differently": result.grouping.conflicting.sum(),
        "images may show no galaxy": len(result.not_galaxies),
    }
    for text, count in counts.items():
        if count:
            click.echo(f"{count:,} {text}")
    if text := grouped_text(result.grouping):
        click.echo(f"kept on one side of every split: {text}")
    for name, number in (result.unranked or {}).items():
        click.echo(f"class {printable(name)} has too few galaxies to be ranked ({number:,})")
    if len(ranked):
        click.echo("\nthe most doubtful labels, with their probabilities:")
    for rank, row in enumerate(ranked[:PRINTED].tolist(), start=1):
        label, suggested = int(result.given[row]), result.suggested(row)
        line = f"{rank:3}. {result.ids[row]}: {_probable(result, row, label)}"
        if suggested != label:
            line += f", rather {_probable(result, row, suggested)}"
        click.echo(printable(line))


def _probable(result: Audit, row: int, index: int) -> str:
    """Return a class and its probability."""
    return f"{result.classes[index]} ({result.probabilities[row, index]:.2f})"


def write_audit(
    output: Path,
    page: Path,
    result: Audit,
    dataset: DataSet,
    facts: dict[str, str],
    *,
    raw_cells: bool = False,
) -> None:
    """Write the table and the page, and print their names."""
    from galfeat.cli.terminal.progress import running_clock
    from galfeat.evaluate.audit import audit_page

    with (
        atomic_file(output) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors=ORIGINAL_BYTES) as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        for number, cells in enumerate(result.rows()):
            if number == 0:
                writer.writerow(csv_cells(cells, raw=raw_cells))
            writer.writerow(csv_cells(cells.values(), raw=raw_cells))
    with running_clock("page"):
        text = audit_page(result, _pictures(dataset, result).get, facts=facts)
    with atomic_file(page) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    click.echo(f"\ntable: {output}\npage: {page}")


def _pictures(dataset: DataSet, result: Audit) -> dict[int, NDArray[np.uint8]]:
    """Return the images shown, reduced; they are read in order, which compressed files need."""
    import numpy as np
    from PIL import Image

    from galfeat.evaluate.audit.page import rows_shown

    pictures = {}
    rows = rows_shown(result)
    for start in range(0, len(rows), READ_AT_ONCE):
        part = rows[start : start + READ_AT_ONCE]
        for row, pixels in zip(part.tolist(), dataset.read(part), strict=True):
            if isinstance(pixels, np.ndarray):
                picture = Image.fromarray(pixels)
                picture.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
                pictures[row] = np.asarray(picture)
    return pictures
