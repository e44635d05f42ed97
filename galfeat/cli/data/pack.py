"""``galfeat data pack``: write a data set to a file from which single images are read fast."""

from __future__ import annotations

from pathlib import Path

import click

from galfeat.cli.options import WholeRange, images_option, jobs_option, label_option
from galfeat.cli.terminal.progress import progress_bar
from galfeat.cli.terminal.prose import counted


@click.command()
@click.argument("path")
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--size",
    metavar="PIXELS",
    type=WholeRange(min=1, max=4096),
    help="Cut images to a square around their centre and scale them to this width and height. "
    "[default: all images must have one size]",
)
@label_option
@images_option
@jobs_option
@click.pass_context
def pack(
    ctx: click.Context,
    path: str,
    output: Path,
    size: int | None,
    label: str | None,
    images: str | None,
    jobs: int,
) -> None:
    """Write the data set PATH to the HDF5 file OUTPUT, one image per chunk.

    Single images of a packed file are read fast, unlike those of the published Galaxy10 file,
    in which an image touches hundreds of chunks. Pixels, labels and positions are kept.
    Unreadable images are left out and listed on stderr.
    """
    from galfeat.cli.inputs import open_images
    from galfeat.data.packing import pack as write_packed

    dataset = open_images(path, label=label, images=images)
    with progress_bar("images") as progress:
        errors = write_packed(dataset, output, size=size, jobs=jobs, progress=progress)
    click.echo(f"{counted(len(dataset) - len(errors))} in {output}")
    for error in errors.values():
        click.echo(f"left out: {error}", err=True)
    if errors:
        ctx.exit(3)
