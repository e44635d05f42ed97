"""``galfeat models``: the fitted models that come with galfeat."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", required=False)
def models(name: str | None) -> None:
    """List the models that come with galfeat, or print the card of one.

    NAME stands for the folder of a model in every command; `galfeat classify`, `galfeat
    explain` and `galfeat serve` use the first one where none is named.
    """
    from galfeat.model_io.card import headline_scores
    from galfeat.model_io.manifest import CARD
    from galfeat.model_io.shipped import SHIPPED, shipped_folder

    if name is None:
        for one in SHIPPED:
            click.echo(f"{one:<10}  {headline_scores(shipped_folder(one))}")
        return
    if name not in SHIPPED:
        raise click.UsageError(f"{name!r} is none of {', '.join(SHIPPED)}")
    click.echo((shipped_folder(name) / CARD).read_text(encoding="utf-8").rstrip("\n"))
