"""``galfeat embedder``: train the small network whose activations serve as features."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from galfeat.cli.options import FiniteRange, WholeRange, jobs_option, seed_option
from galfeat.cli.terminal.progress import progress_bar


@click.group()
def embedder() -> None:
    """Train a small network whose activations serve as features."""


@embedder.command()
@click.argument("data", nargs=-1)
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder to write the network and its card to.",
)
@click.option(
    "--label",
    "labels",
    metavar="COLUMN",
    multiple=True,
    help="Column of classes to train on; may be repeated.",
)
@click.option(
    "--unless",
    metavar="COLUMN",
    help="Exclude rows with a value in this column, to keep them for the classifiers.",
)
@click.option(
    "--share",
    type=FiniteRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Fraction of the rows to train on, selected by pixel digest; the rest is kept for the "
    "classifiers.",
)
@click.option(
    "--simulated",
    "n_simulated",
    metavar="N",
    type=WholeRange(0, 1_000_000),
    default=24_000,
    show_default=True,
    help="Number of simulated galaxies, with known parameters, to add to the training data.",
)
@click.option(
    "--epochs",
    type=WholeRange(1, 10_000),
    default=40,
    show_default=True,
    help="Maximum number of epochs.",
)
@click.option(
    "--threads",
    type=WholeRange(1, 1024),
    default=2,
    show_default=True,
    help="Number of PyTorch threads. Results depend on it.",
)
@click.option(
    "--credit", metavar="TEXT", default="", help="Credit for the images, shown on the card."
)
@jobs_option
@seed_option
def train(
    data: tuple[str, ...],
    output: Path,
    labels: tuple[str, ...],
    unless: str | None,
    share: float,
    n_simulated: int,
    epochs: int,
    threads: int,
    credit: str,
    jobs: int,
    seed: int,
) -> None:
    """Train a network on the labelled images in DATA and on simulated galaxies.

    Run the same command again to resume an interrupted training. The output folder contains
    embedder.onnx, seen.npy (digests of the training images), curve.svg and the card,
    README.md. Requires PyTorch: pip install 'galfeat[cnn]'.
    """
    from galfeat.embedding.making import is_embedder, make_embedder, require_training_packages

    require_training_packages()
    from galfeat.embedding.sources import gather
    from galfeat.embedding.tasks import Plan
    from galfeat.errors import OutputError
    from galfeat.storage.atomic import can_replace, ensure_folder_writable

    ensure_folder_writable(output.parent)
    if not can_replace(output, is_embedder):
        raise OutputError(
            f"{output} exists and is not an embedder; choose another folder, or remove it first"
        )
    samples, sources = gather(
        data,
        labels=labels,
        unless=unless,
        share=share,
        n_simulated=n_simulated,
        seed=seed,
        jobs=jobs,
        progress=progress_bar,
    )
    for source in sources:
        click.echo(f"{source.galaxies:,} galaxies from {source.name}")
        if source.left_out:
            click.echo(
                f"{source.left_out:,} images of {source.name} skipped: unreadable, or no galaxy "
                "found",
                err=True,
            )
    plan = Plan(epochs=epochs, threads=threads, seed=seed)
    command = shlex.join(["galfeat", *sys.argv[1:]])
    with progress_bar("epochs") as progress:
        trained = make_embedder(
            output, samples, sources, plan, command=command, credit=credit, progress=progress
        )
    best = trained.history[trained.best_epoch - 1]
    click.echo(
        f"{output}: epoch {trained.best_epoch} of {len(trained.history)}, "
        f"loss {best['held_back']:.3f} on held-out galaxies"
    )
