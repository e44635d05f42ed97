"""``galfeat embedder``: train the small network whose activations are features."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from galfeat.cli.options import jobs_option, seed_option
from galfeat.cli.progress import progress_bar


@click.group()
def embedder() -> None:
    """Train a small network whose activations are features."""


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
    help="Column of classes to learn; may be given several times.",
)
@click.option(
    "--unless",
    metavar="COLUMN",
    help="Leave out rows that have a value in this column: they are for the classifiers.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Part of the rows to train on, chosen by their pixels; the rest is for the classifiers.",
)
@click.option(
    "--simulated",
    "n_simulated",
    metavar="N",
    type=click.IntRange(min=0),
    default=24_000,
    show_default=True,
    help="Simulated galaxies to learn from as well, whose parameters are known.",
)
@click.option(
    "--epochs", type=click.IntRange(min=1), default=40, show_default=True, help="At most so many."
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Threads of torch. The result depends on it.",
)
@click.option("--credit", metavar="TEXT", default="", help="Whose images these are, for the card.")
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
    """Train a network on labelled images, DATA, and on simulated galaxies.

    A training that was stopped goes on where it was when the same command is run again. The
    folder holds embedder.onnx, seen.npy (digests of the images it has seen), curve.svg and
    README.md, the card. Needs PyTorch: pip install 'galfeat[cnn]'.
    """
    from galfeat.embedding.making import is_embedder, make_embedder, require_training_packages

    require_training_packages()
    from galfeat.embedding.sources import gather
    from galfeat.embedding.tasks import Plan
    from galfeat.errors import OutputError
    from galfeat.storage.atomic import can_replace, ensure_folder_writable

    ensure_folder_writable(output.parent)
    if not can_replace(output, is_embedder):
        raise OutputError(f"{output} holds other things; name another folder, or remove it first")
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
                f"{source.left_out:,} images of {source.name} cannot be read or show no galaxy, "
                "and are left out",
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
        f"loss {best['held_back']:.3f} on galaxies held back"
    )
