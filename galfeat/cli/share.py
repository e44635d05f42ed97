"""``galfeat share``: a model in a form that others can load without running code."""

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
    help="Folder to write.",
)
@trust_option
def share(model: Path, output: Path, trust: bool) -> None:
    """Write MODEL for others: whoever loads it runs no code that is in it.

    The folder is used like any model, and needs no --trust. It holds numbers, texts and a
    fixed list of types; one that names anything else is not opened.
    """
    from galfeat.model_io.folder import share_model

    click.echo(share_model(model, output, trust=trust))
