"""``galfeat data fetch``: download published data sets and survey cut-outs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from galfeat.cli.data.cutouts import CutoutOptions, cutout_options, fetch_catalogue
from galfeat.cli.terminal.progress import progress_bar

if TYPE_CHECKING:
    from galfeat.data.catalogue.galaxy10 import Published

CUTOUTS = ("samples", "training", "cutouts")
#: The data set in whose file one image touches hundreds of chunks.
_SHARES_CHUNKS = "galaxy10-decals"
_WITHOUT_DUPLICATES = "Galaxy10_DECals_NoDuplicated.h5"


@click.command()
@click.argument("name", required=False)
@click.argument("source", metavar="[MODEL|CATALOGUE]", required=False)
@click.option(
    "--url",
    help="URL of a file of your own, of another mirror of NAME, or of a server that provides "
    "cut-outs under the same paths as the surveys.",
)
@click.option("--sha256", metavar="DIGEST", help="Expected SHA-256 of the file, with --url.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Output file, or folder for cut-outs. [default: the name of the file or of the cut-outs, "
    "in the current folder]",
)
@cutout_options
@click.pass_context
def fetch(
    ctx: click.Context,
    /,
    name: str | None,
    source: str | None,
    url: str | None,
    sha256: str | None,
    output: Path | None,
    **options: Any,  # noqa: ANN401
) -> None:
    """Download a published data set, survey cut-outs, or a file of your own.

    NAME is galaxy10-decals (17,736 images, 2.7 GB), galaxy10-sdss (21,785 images, 0.2 GB),
    samples, training or cutouts. A file is renamed to its final name only after its SHA-256 has
    been verified. `samples` downloads 50 cut-outs from the Legacy Surveys, five of each Galaxy10
    DECaLS class, into a folder for `galfeat serve --samples`. `training` downloads the cut-outs
    that MODEL (or the list in its training.csv) was fitted to, from SDSS and the Legacy Surveys.
    `cutouts` downloads cut-outs at the positions of CATALOGUE (CSV, Parquet, FITS table, VOTable
    or ECSV), or cuts them out of your own FITS image, with a labels.csv that keeps its labels.
    Run the command again to resume an interrupted download.
    """
    chosen = CutoutOptions(**options)
    if name != "cutouts" and chosen.given():
        raise click.UsageError(f"{chosen.given()[0]} is used only with cutouts")
    if name in CUTOUTS:
        if sha256 is not None:
            raise click.UsageError("cut-outs have no known SHA-256; omit --sha256")
        folder = output or Path(name)
        if name == "cutouts":
            failures = fetch_catalogue(source, folder, url, chosen)
        else:
            failures = _fetch_cutouts(name, source, url, folder)
        click.echo(folder)
        for left_out, reason in failures.items():
            click.echo(f"left out: {left_out}: {reason}", err=True)
        if failures:
            ctx.exit(3)
    elif source is not None:
        raise click.UsageError(
            f"unexpected argument {source!r}; only training and cutouts take another argument"
        )
    else:
        file = fetch_file(_published(name, url, sha256), output)
        click.echo(file)
        if name == _SHARES_CHUNKS:
            packed = file.with_name(f"{file.stem}-packed.h5")
            click.echo(
                f"to read single images fast, lay the file out anew: {_pack_command(file, packed)}",
                err=True,
            )


def _pack_command(file: Path, packed: Path) -> str:
    return shlex.join(["galfeat", "data", "pack", str(file), str(packed)])


def fetch_file(published: Published, output: Path | None) -> Path:
    """Download a published file, by default to its own name in the current folder."""
    from galfeat.data.fetch.download import download

    target = output or Path(published.file)
    if target.is_dir():
        raise click.UsageError(f"{target} is a folder; specify a file with -o")
    with progress_bar(target.name) as progress:
        return download(published.urls, target, published.sha256, progress=progress)


def _fetch_cutouts(name: str, source: str | None, url: str | None, folder: Path) -> dict[str, str]:
    from galfeat.data.fetch import cutouts, surveys, training

    with progress_bar("cut-outs") as progress:
        if name == "samples":
            if source is not None:
                raise click.UsageError(f"unexpected argument {source!r}; samples takes no model")
            return cutouts.fetch_cutouts(
                cutouts.sample_cutouts(url or surveys.LEGACY),
                folder,
                cutouts.SAMPLES,
                pause=cutouts.PAUSE,
                progress=progress,
            )
        if source is None:
            raise click.UsageError("no model given; give a model, its folder or its training.csv")
        objects = training.read_training(_training_file(source))
        return training.fetch_training(
            objects, folder, root=url, pause=cutouts.PAUSE, progress=progress
        )


def _training_file(source: str) -> Path:
    """Return the path of the training list: `source` itself, or the one in its model folder."""
    from galfeat.data.readers.folder import TRAINING_FILE
    from galfeat.errors import DataError
    from galfeat.model_io.shipped import model_folder

    for path in (Path(source), model_folder(source) / TRAINING_FILE):
        if path.is_file():
            return path
    raise DataError(
        f"found no {TRAINING_FILE} at {source}; choose a model that ships with galfeat, a model "
        "folder, or the file itself"
    )


def _published(name: str | None, url: str | None, sha256: str | None) -> Published:
    from galfeat.data.catalogue.galaxy10 import PUBLISHED, Published

    if name is not None:
        if "noduplicated" in name.lower():
            raise click.UsageError(
                f"the SHA-256 of {_WITHOUT_DUPLICATES} is not known to galfeat; download it by "
                f"hand and use it like Galaxy10_DECals.h5, as in `galfeat fit "
                f"{_WITHOUT_DUPLICATES}`, or give both --url and --sha256 without a name"
            )
        if name not in PUBLISHED:
            raise click.UsageError(
                f"unknown data set {name!r}; expected one of {', '.join([*PUBLISHED, *CUTOUTS])}"
            )
        if sha256 is not None:
            raise click.UsageError(f"the SHA-256 of {name} is already known; omit NAME or --sha256")
        published = PUBLISHED[name]
        return published if url is None else published._replace(urls=(url, *published.urls))
    if url is None or sha256 is None:
        names = ", ".join([*PUBLISHED, *CUTOUTS])
        raise click.UsageError(f"nothing to fetch; give NAME ({names}), or both --url and --sha256")
    try:
        file = Path(urlsplit(url).path).name
    except ValueError as error:
        raise click.UsageError(f"--url {url}: {error}; expected the address of a file") from error
    return Published(file or "download", sha256, (url,))
