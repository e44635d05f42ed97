"""``galfeat data simulate``: simulate galaxy images with known parameters."""

from __future__ import annotations

import time
from pathlib import Path

import click

from galfeat.cli.options import WholeRange, jobs_option, seed_option
from galfeat.cli.terminal.progress import progress_bar
from galfeat.cli.terminal.prose import counted


@click.command()
@click.option("-n", "--number", type=WholeRange(min=1), required=True, help="Number of galaxies.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="HDF5 file to write.",
)
@click.option(
    "--rendering",
    type=click.Choice(["legacy", "sdss"]),
    default="legacy",
    show_default=True,
    help="Survey to imitate: the Legacy Surveys as in Galaxy10 DECaLS, or SDSS.",
)
@click.option(
    "--layout",
    type=click.Choice(["contiguous", "published"]),
    default="contiguous",
    show_default=True,
    help="published: compressed in the chunks of the published Galaxy10 DECaLS file.",
)
@seed_option
@jobs_option
def simulate(number: int, output: Path, rendering: str, layout: str, seed: int, jobs: int) -> None:
    """Simulate galaxies of the ten Galaxy10 DECaLS classes, in the format of that data set.

    The true parameters are stored with the images as truth/*.
    """
    from galfeat.data.simulation.simulator import simulate_file

    start = time.perf_counter()
    with progress_bar(output.name) as progress:
        simulate_file(
            output, number, seed=seed, rendering=rendering, jobs=jobs, layout=layout,
            progress=progress,
        )  # fmt: skip
    seconds = time.perf_counter() - start
    click.echo(f"{counted(number)} in {output}")
    click.echo(f"{number / seconds:.0f} images/s ({seconds:.1f} s, {jobs} threads)", err=True)
