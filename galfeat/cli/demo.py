"""``galfeat demo``: the whole workflow on simulated galaxies."""

from __future__ import annotations

import csv
import json
import shlex
import time
from pathlib import Path

import click

from galfeat.cli.options import jobs_option, seed_option
from galfeat.errors import OutputError

TRAINING, NEW, PER_CLASS = 1000, 300, 5


@click.command()
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder for all files of the demo.",
)
@jobs_option
@seed_option
@click.pass_context
def demo(ctx: click.Context, output: Path, jobs: int, seed: int) -> None:
    """Run the whole workflow on simulated galaxies.

    Simulates galaxies, fits and evaluates a model, writes a report and classifies new
    galaxies, all offline. Each step is an ordinary command, printed before it runs.
    """
    start = time.perf_counter()
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot create the folder {output}: {error.strerror}; specify another with -o"
        ) from error
    training, new, model = (str(output / name) for name in ("galaxies.h5", "new.h5", "model"))
    sample, scores, report = (output / name for name in ("sample.csv", "scores.json", "report"))
    threads, seeded = ["--jobs", str(jobs)], ["--seed", str(seed)]
    both = [*threads, *seeded]

    _run(ctx, "warmup")
    _run(ctx, "data", "simulate", "-n", str(TRAINING), "-o", training, *both)
    _run(ctx, "fit", training, "--test-size", "0.3", "-o", model, *both)
    evaluated = ["--json", str(scores), "--report", str(report)]
    _run(ctx, "evaluate", model, training, *evaluated, *both)
    other = ["--seed", str(seed + 1)]
    _run(ctx, "data", "simulate", "-n", str(NEW), "-o", new, *threads, *other)
    chosen = ["--per-class", str(PER_CLASS), "-o", str(sample)]
    _run(ctx, "classify", model, new, *chosen, *both)
    _summarise(scores, sample)
    click.echo(f"{'time':<18}{time.perf_counter() - start:.0f} s")
    click.echo(f"{'report':<18}{(report / 'index.html').resolve()}")


def _run(ctx: click.Context, *arguments: str) -> None:
    """Print a command line, run it and print how long it took."""
    click.secho(f"$ galfeat {shlex.join(arguments)}", bold=True)
    start = time.perf_counter()
    group = ctx.find_root().command
    assert isinstance(group, click.Group)
    command = group.get_command(ctx, arguments[0])
    assert command is not None
    root = ctx.find_root()
    with command.make_context(arguments[0], list(arguments[1:]), parent=root) as context:
        command.invoke(context)
    click.echo(f"[{time.perf_counter() - start:.1f} s]\n")


def _summarise(scores: Path, sample: Path) -> None:
    from galfeat.evaluate.metrics import METRIC_NAMES

    metrics = json.loads(scores.read_text())
    for metric, name in METRIC_NAMES.items():
        score = metrics[metric]
        click.echo(f"{name:<18}{score['value']:.3f}  ({score['low']:.3f} to {score['high']:.3f})")
    with sample.open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = sum(row["class"] == row["true_class"] for row in rows)
    click.echo(f"{'sample':<18}{right} of {len(rows)} new galaxies correct: {sample}")
