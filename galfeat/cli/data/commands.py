"""``galfeat data``: fetch, label, inspect, sample and simulate data sets."""

from __future__ import annotations

import json
from pathlib import Path

import click

from galfeat.cli.data.fetch import fetch
from galfeat.cli.data.pack import pack
from galfeat.cli.data.simulate import simulate
from galfeat.cli.data.votes import label_votes
from galfeat.cli.options import (
    WholeRange,
    images_option,
    jobs_option,
    label_option,
    seed_option,
)
from galfeat.cli.terminal.progress import progress_bar, running_clock
from galfeat.storage.cells import valid_json


@click.group()
def data() -> None:
    """Fetch, simulate, label, inspect and sample data sets."""


@data.command()
@click.argument("path")
@label_option
@images_option
@jobs_option
@seed_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all rows listed.")
@click.pass_context
def info(
    ctx: click.Context,
    path: str,
    label: str | None,
    images: str | None,
    jobs: int,
    seed: int,
    as_json: bool,
) -> None:
    """Summarise the classes, image sizes and defects of the data set PATH.

    Defects are unreadable images, blank images, exact duplicates, and rows with the same
    position but different labels. The result does not depend on the seed.
    """
    from galfeat.cli.inputs import open_images
    from galfeat.data import summarise

    dataset = open_images(path, label=label, images=images)
    with progress_bar("images") as progress:
        summary = summarise(dataset, jobs=jobs, progress=progress)
    if as_json:
        click.echo(json.dumps(valid_json(summary.to_json()), indent=2, ensure_ascii=False))
    else:
        click.echo(summary.to_text())
    if summary.unreadable:
        ctx.exit(3)


@data.command()
@click.argument("path")
@click.option(
    "--per-class", type=WholeRange(min=1), required=True, help="Number of images per class."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Output: an .h5 or .npz file if all images have the same size, or a folder.",
)
@seed_option
@label_option
@images_option
@jobs_option
@click.pass_context
def sample(
    ctx: click.Context,
    path: str,
    per_class: int,
    output: Path,
    seed: int,
    label: str | None,
    images: str | None,
    jobs: int,
) -> None:
    """Write a random sample of PATH with the same number of images per class.

    Classes with fewer images are included whole and listed on stderr.
    """
    from galfeat.cli.inputs import open_images
    from galfeat.data import stratified_sample, write_dataset

    dataset = open_images(path, label=label, images=images)
    rows = stratified_sample(dataset.labels, per_class, seed, dataset.class_names)
    with running_clock("images"):
        errors = write_dataset(dataset.select(rows), output, jobs=jobs)
    click.echo(f"{len(rows) - len(errors)} images in {output}")
    for error in errors.values():
        click.echo(f"left out: {error}", err=True)
    if errors:
        ctx.exit(3)


data.add_command(fetch)
data.add_command(pack)
data.add_command(simulate)
data.add_command(label_votes)
