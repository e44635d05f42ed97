"""The command line: one module per command, imported only when the command is used."""

from __future__ import annotations

import importlib
from typing import Any

import click

from galfeat.cli.terminal.failures import one_line_failures

__all__ = ["main"]

VERBS = (
    "data",
    "features",
    "pipelines",
    "extract",
    "measure",
    "fit",
    "evaluate",
    "compare",
    "audit",
    "benchmark",
    "drift",
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
    """A click group that imports each command from its module on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order of the help page."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return the command."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(
            importlib.import_module(f"galfeat.cli.{cmd_name}"), cmd_name
        )
        return command

    def make_context(self, *arguments: Any, **settings: Any) -> click.Context:  # noqa: ANN401
        """Parse the options; report an interrupt in one line here too."""
        with one_line_failures(debug=False):
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; report any error in one line and set the exit code."""
        with one_line_failures(debug=ctx.params["debug"]):
            return super().invoke(ctx)


@click.group(
    cls=VerbGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--debug", is_flag=True, envvar="GALFEAT_DEBUG", help="Show the full traceback on errors."
)
@click.option("--version", is_flag=True, help="Show the version and exit.")
@click.option(
    "--verbose", is_flag=True, help="With --version: show dependency versions and file locations."
)
@click.pass_context
def main(ctx: click.Context, debug: bool, version: bool, verbose: bool) -> None:
    """Classify galaxy images with named features and calibrated ensembles."""
    if version:
        from galfeat.cli.version import describe

        click.echo(describe(verbose=verbose))
        ctx.exit()
    if verbose:
        raise click.UsageError("--verbose requires --version")
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
