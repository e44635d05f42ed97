"""``galfeat data``: fetch data sets, look at them, sample and simulate them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from galfeat.cli.data_simulate import simulate
from galfeat.cli.options import images_option, jobs_option, label_option, seed_option
from galfeat.cli.progress import progress_bar, running_clock

if TYPE_CHECKING:
    from galfeat.data.galaxy10 import Published


@click.group()
def data() -> None:
    """Fetch, simulate, look at and sample data sets."""


@data.command()
@click.argument("name", required=False)
@click.option("--url", help="Where to fetch from: your own file, or another mirror of NAME.")
@click.option("--sha256", metavar="DIGEST", help="What the file's SHA-256 must be, with --url.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to put the file; by default in the current folder, under its own name.",
)
def fetch(name: str | None, url: str | None, sha256: str | None, output: Path | None) -> None:
    """Download a published data set, or a file of your own.

    NAME is galaxy10-decals (17,736 images, 2.7 GB) or galaxy10-sdss (21,785 images, 0.2 GB).
    A broken download is resumed when the command is run again. The file gets its name
    only after its SHA-256 was found right.
    """
    from galfeat.data.download import download

    wanted = _wanted(name, url, sha256)
    target = output or Path(wanted.file)
    with progress_bar(target.name) as progress:
        download(wanted.urls, target, wanted.sha256, progress=progress)
    click.echo(target)


def _wanted(name: str | None, url: str | None, sha256: str | None) -> Published:
    from galfeat.data.galaxy10 import PUBLISHED, Published

    if name is not None:
        if name not in PUBLISHED:
            raise click.UsageError(f"{name!r} is none of {', '.join(PUBLISHED)}")
        if sha256 is not None:
            raise click.UsageError(f"the SHA-256 of {name} is known; leave out NAME or --sha256")
        known = PUBLISHED[name]
        return known if url is None else known._replace(urls=(url, *known.urls))
    if url is None or sha256 is None:
        raise click.UsageError(f"give NAME ({', '.join(PUBLISHED)}), or both --url and --sha256")
    return Published(Path(urlsplit(url).path).name or "download", sha256, (url,))


@data.command()
@click.argument("path")
@label_option
@images_option
@jobs_option
@seed_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every row that is named.")
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
    """Count the classes and sizes in PATH and find its defects.

    Defects are images that cannot be read, blank images, exact duplicates, and rows with
    the same position and different labels. Nothing in it is random: every seed gives the same.
    """
    from galfeat.data import open_dataset, summarise

    with progress_bar("images") as progress:
        summary = summarise(
            open_dataset(path, label=label, images=images), jobs=jobs, progress=progress
        )
    if as_json:
        click.echo(json.dumps(summary.to_json(), indent=2, ensure_ascii=False))
    else:
        click.echo(summary.to_text())
    if summary.unreadable:
        ctx.exit(3)


@data.command()
@click.argument("path")
@click.option(
    "--per-class", type=click.IntRange(min=1), required=True, help="Images of each class."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A file in .h5 or .npz for images of one size, or a folder.",
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
    """Write a random sample of PATH with the same number of images of each class.

    A class with fewer images is taken whole, and named on stderr.
    """
    from galfeat.data import open_dataset, stratified_sample, write_dataset

    dataset = open_dataset(path, label=label, images=images)
    rows = stratified_sample(dataset.labels, per_class, seed, dataset.class_names)
    with running_clock("images"):
        errors = write_dataset(dataset.select(rows), output, jobs=jobs)
    click.echo(f"{len(rows) - len(errors)} images in {output}")
    for error in errors.values():
        click.echo(f"left out: {error}", err=True)
    if errors:
        ctx.exit(3)


data.add_command(simulate)
