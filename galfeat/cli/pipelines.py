"""``galfeat pipelines``: the pipelines that come with galfeat."""

from __future__ import annotations

import click


@click.command()
@click.argument("pipeline", metavar="[NAME|FILE]", required=False)
def pipelines(pipeline: str | None) -> None:
    """List the pipelines, or print one as TOML.

    A pipeline says what is extracted, how the classes are balanced, what is fitted,
    how probabilities are calibrated and which class is named. Save one to a file,
    change it, and give the file to `galfeat fit --pipeline`.
    """
    from galfeat.pipeline import available_pipelines, load_pipeline

    if pipeline is not None:
        click.echo(load_pipeline(pipeline).to_toml().rstrip("\n"))
        return
    available = available_pipelines()
    width = max(len(one.name) for one in available)
    for one in available:
        click.echo(f"{one.name:<{width}}  {one.description}")
