"""``galfeat data fetch``: published data sets, and cut-outs from the surveys' own services."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from galfeat.cli.progress import progress_bar

if TYPE_CHECKING:
    from galfeat.data.catalogue.galaxy10 import Published

CUTOUTS = ("samples", "training")


@click.command()
@click.argument("name", required=False)
@click.argument("source", metavar="[MODEL]", required=False)
@click.option(
    "--url",
    help="Where to fetch from: your own file, another mirror of NAME, or another server that "
    "gives cut-outs under the paths of the surveys'.",
)
@click.option("--sha256", metavar="DIGEST", help="What the file's SHA-256 must be, with --url.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where to put the file, or the folder of cut-outs; by default in the current folder, "
    "under its own name.",
)
@click.pass_context
def fetch(
    ctx: click.Context,
    name: str | None,
    source: str | None,
    url: str | None,
    sha256: str | None,
    output: Path | None,
) -> None:
    """Download a published data set, real galaxies for the page, or a file of your own.

    NAME is galaxy10-decals (17,736 images, 2.7 GB) or galaxy10-sdss (21,785 images, 0.2 GB).
    The file gets its name only after its SHA-256 was found right. With samples, it is 50
    cut-outs, five of each Galaxy10 DECaLS class, one after another from the Legacy Surveys, in
    a folder for `galfeat serve --samples`. With training and a MODEL, or its training.csv, it is
    the cut-outs that model was fitted to, from SDSS and the Legacy Surveys. What broke off goes
    on when the command is run again.
    """
    if name in CUTOUTS:
        if sha256 is not None:
            raise click.UsageError("no SHA-256 is known of cut-outs; leave out --sha256")
        folder = output or Path(name)
        failures = _fetch_cutouts(name, source, url, folder)
        click.echo(folder)
        for left_out, reason in failures.items():
            click.echo(f"left out: {left_out}: {reason}", err=True)
        if failures:
            ctx.exit(3)
    elif source is not None:
        raise click.UsageError(f"{source!r} is one too many; a model goes with training alone")
    else:
        click.echo(_fetch_file(_wanted(name, url, sha256), output))


def _fetch_file(wanted: Published, output: Path | None) -> Path:
    from galfeat.data.fetch.download import download

    target = output or Path(wanted.file)
    if target.is_dir():
        raise click.UsageError(f"{target} is a folder; name the file with -o")
    with progress_bar(target.name) as progress:
        return download(wanted.urls, target, wanted.sha256, progress=progress)


def _fetch_cutouts(name: str, source: str | None, url: str | None, folder: Path) -> dict[str, str]:
    from galfeat.data.fetch import cutouts, surveys, training

    with progress_bar("cut-outs") as progress:
        if name == "samples":
            if source is not None:
                raise click.UsageError(f"{source!r} is one too many; samples need no model")
            return cutouts.fetch_cutouts(
                cutouts.sample_cutouts(url or surveys.LEGACY),
                folder,
                cutouts.SAMPLES,
                pause=cutouts.PAUSE,
                progress=progress,
            )
        if source is None:
            raise click.UsageError("name a model, its folder or its training.csv")
        objects = training.read_training(_training_file(source))
        return training.fetch_training(
            objects, folder, root=url, pause=cutouts.PAUSE, progress=progress
        )


def _training_file(source: str) -> Path:
    """Return the list of a model's training objects: a file, or in a folder of a model."""
    from galfeat.data.readers.folder import TRAINING_FILE
    from galfeat.errors import DataError
    from galfeat.model_io.shipped import model_folder

    for path in (Path(source), model_folder(source) / TRAINING_FILE):
        if path.is_file():
            return path
    raise DataError(
        f"found no {TRAINING_FILE} at {source}; name a model that ships with galfeat, a model's "
        "folder, or the file itself"
    )


def _wanted(name: str | None, url: str | None, sha256: str | None) -> Published:
    from galfeat.data.catalogue.galaxy10 import PUBLISHED, Published

    if name is not None:
        if name not in PUBLISHED:
            raise click.UsageError(f"{name!r} is none of {', '.join([*PUBLISHED, *CUTOUTS])}")
        if sha256 is not None:
            raise click.UsageError(f"the SHA-256 of {name} is known; leave out NAME or --sha256")
        known = PUBLISHED[name]
        return known if url is None else known._replace(urls=(url, *known.urls))
    if url is None or sha256 is None:
        names = ", ".join([*PUBLISHED, *CUTOUTS])
        raise click.UsageError(f"give NAME ({names}), or both --url and --sha256")
    return Published(Path(urlsplit(url).path).name or "download", sha256, (url,))
