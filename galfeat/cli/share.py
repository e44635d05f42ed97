"""``galfeat share``: write a model in a form that loads without running code."""

from __future__ import annotations

from pathlib import Path

import click

from galfeat.cli.options import model_argument, trust_option


@click.command()
@model_argument
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder to write to.",
)
@trust_option
def share(model: Path, output: Path, trust: bool) -> None:
    """Write MODEL in a form that loads without running code.

    The folder works like any model and needs no --trust. It contains only numbers, text and
    a fixed list of types; a folder with any other type is refused on loading.
    """
    from galfeat.model_io.folder import share_model

    click.echo(share_model(model, output, trust=trust))
