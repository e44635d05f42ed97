"""The command line: one file per verb, nothing heavy imported before a verb needs it."""

from __future__ import annotations

import importlib
from typing import Any

import click

from galfeat.cli.failures import one_line_failures

__all__ = ["main"]

VERBS = (
    "data",
    "features",
    "pipelines",
    "extract",
    "fit",
    "evaluate",
    "compare",
    "classify",
    "explain",
    "serve",
    "models",
    "share",
    "embedder",
    "warmup",
    "demo",
)


class VerbGroup(click.Group):
    """A group that finds each verb in the module of its own name when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the verbs in the order of the help page."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a verb and return its command."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(
            importlib.import_module(f"galfeat.cli.{cmd_name}"), cmd_name
        )
        return command

    def make_context(self, *arguments: Any, **settings: Any) -> click.Context:  # noqa: ANN401
        """Read the options, and for the help the verbs; an interrupt ends in one line too."""
        with one_line_failures(debug=False):
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; whatever goes wrong ends in one line and an exit code."""
        with one_line_failures(debug=ctx.params["debug"]):
            return super().invoke(ctx)


@click.group(
    cls=VerbGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--debug", is_flag=True, envvar="GALFEAT_DEBUG", help="Show the traceback of an error."
)
@click.option("--version", is_flag=True, help="Print the version and exit.")
@click.option(
    "--verbose", is_flag=True, help="With --version: the versions and places of everything used."
)
@click.pass_context
def main(ctx: click.Context, debug: bool, version: bool, verbose: bool) -> None:
    """Classify galaxy images with named features and calibrated ensembles."""
    if version:
        from galfeat.cli.version import describe

        click.echo(describe(verbose=verbose))
        ctx.exit()
    if verbose:
        raise click.UsageError("--verbose goes with --version")
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
