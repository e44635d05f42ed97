"""``galfeat pipelines``: list the shipped pipelines."""

from __future__ import annotations

import click


@click.command()
@click.argument("pipeline", metavar="[NAME|FILE]", required=False)
def pipelines(pipeline: str | None) -> None:
    """List the pipelines, or show one as TOML.

    A pipeline specifies the features, class balancing, the ensemble, probability calibration
    and the decision rule. To customise one, save it to a file, edit it and pass the file to
    `galfeat fit --pipeline`.
    """
    from galfeat.pipeline import available_pipelines, load_pipeline

    if pipeline is not None:
        click.echo(load_pipeline(pipeline).to_toml().rstrip("\n"))
        return
    available = available_pipelines()
    width = max(len(listed.name) for listed in available)
    for listed in available:
        click.echo(f"{listed.name:<{width}}  {listed.description}")
