"""``galfeat models``: list the shipped models."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", required=False)
def models(name: str | None) -> None:
    """List the shipped models, or show the card of one.

    All commands accept NAME in place of a model folder. The first model is the default of
    `galfeat classify`, `galfeat explain` and `galfeat serve`.
    """
    from galfeat.model_io.card import headline_scores
    from galfeat.model_io.manifest import CARD
    from galfeat.model_io.shipped import SHIPPED, shipped_folder

    if name is None:
        for shipped in SHIPPED:
            click.echo(f"{shipped:<10}  {headline_scores(shipped_folder(shipped))}")
        return
    if name not in SHIPPED:
        raise click.UsageError(f"unknown model {name!r}; expected one of {', '.join(SHIPPED)}")
    click.echo((shipped_folder(name) / CARD).read_text(encoding="utf-8").rstrip("\n"))
