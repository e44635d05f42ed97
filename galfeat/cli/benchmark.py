"""``galfeat benchmark``: score pipelines on one test split of a published data set."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from galfeat import __version__
from galfeat.cli.options import (
    FiniteRange,
    images_option,
    jobs_option,
    label_option,
    seed_option,
)
from galfeat.storage.atomic import atomic_file, ensure_folder_writable, ensure_writable
from galfeat.storage.cells import ORIGINAL_BYTES, csv_cells, valid_json

if TYPE_CHECKING:
    from galfeat.data import DataSet
    from galfeat.evaluate.benchmark import Benchmark
    from galfeat.experiments.benchmark import BenchmarkPlan
    from galfeat.experiments.benchmark.run import Finished
    from galfeat.pipeline import Pipeline

TEXT, JSON, PAGE, SPLIT = "benchmark.txt", "benchmark.json", "benchmark.html", "split.csv"
AUDIT, AUDIT_PAGE = "audit.csv", "audit.html"
DEFAULT = "lightgbm,stacking,lightgbm+simulate"


@click.command()
@click.argument("name", metavar="galaxy10", type=click.Choice(["galaxy10"]))
@click.option(
    "--data",
    metavar="FILE",
    help="Galaxy10 DECaLS, or other data with its ten classes, as for `galfeat fit`. "
    "[default: Galaxy10_DECals.h5 in the current folder, downloaded if necessary]",
)
@click.option(
    "--pipelines",
    "pipeline_names",
    metavar="A,B,...",
    default=DEFAULT,
    show_default=True,
    help="Pipelines to score: names from `galfeat pipelines` or TOML files, with + and a "
    "balancing method as for `galfeat compare`.",
)
@click.option(
    "--weights",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Network trained on ImageNet, for the pipeline transfer, which is then scored too: an "
    "ONNX file, or weights of the network that transfer names.",
)
@click.option(
    "--test-size",
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    default=0.2,
    show_default=True,
    help="Fraction of the galaxies to score.",
)
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("benchmark"),
    show_default=True,
    help="Folder for the results. An interrupted benchmark resumes from its contents.",
)
@label_option
@images_option
@jobs_option
@seed_option
@click.pass_context
def benchmark(
    ctx: click.Context,
    name: str,
    data: str | None,
    pipeline_names: str,
    weights: Path | None,
    test_size: float,
    output: Path,
    label: str | None,
    images: str | None,
    jobs: int,
    seed: int,
) -> None:
    """Score pipelines on one test split of Galaxy10 DECaLS, beside published numbers.

    Downloads the data set, audits it, divides it once into training and test galaxies, fits each
    pipeline to the first and scores it on the second. Copies of an image, images of one position
    and overlapping images are on one side of the split; blank images, and rows that show one
    galaxy with different labels, are on neither. Others obtain the same split with the same data,
    --test-size and --seed, and recognise it by its digest.

    Writes benchmark.txt, benchmark.json, benchmark.html, split.csv, and the audit as audit.csv
    and audit.html. Completed fits are kept in FOLDER/checkpoints and features in FOLDER/features.
    """
    ensure_folder_writable(output)
    for file in (TEXT, JSON, PAGE, SPLIT, AUDIT, AUDIT_PAGE):
        if output.is_dir():
            ensure_writable(output / file)
    from galfeat.cli.inputs import open_labelled, scratch_beside
    from galfeat.cli.terminal.progress import progress_bar
    from galfeat.cli.terminal.prose import skipped_message
    from galfeat.experiments.benchmark import BenchmarkPlan, run_benchmark

    plan = BenchmarkPlan(_pipelines(pipeline_names, weights), test_size, seed, jobs)
    caution = "" if data is None else _caution(Path(data))
    data = data or str(_download())
    dataset = open_labelled(data, label=label, images=images)
    plan.check(dataset)
    ctx.with_resource(scratch_beside(output))
    finished = run_benchmark(plan, dataset, output, stage=progress_bar)
    results = dataclasses.replace(finished.benchmark, caution=caution)
    facts = {
        "Data": data,
        "Classes from": str(dataset.label_column),
        "Split": finished.split.digest,
        "Test size": f"{test_size:g}",
        "Seed": str(seed),
        "galfeat": __version__,
    }
    _write(output, results, dataset, plan, facts)
    _write_split(output / SPLIT, finished, dataset)
    click.echo(f"split {finished.split.digest}: {output / SPLIT}")
    if unreadable := results.audit.unreadable:
        failures = [error.naming(dataset.ids[row]) for row, error in sorted(unreadable.items())]
        skipped_message(failures, len(dataset))
        ctx.exit(3)


def _pipelines(names: str, weights: Path | None) -> list[Pipeline]:
    """Load the pipelines; `transfer` is added, or gets the weights, if these are given."""
    from galfeat.experiments.benchmark.plan import transfer_pipeline
    from galfeat.pipeline import load_pipeline

    chosen = [name.strip() for name in names.split(",") if name.strip()]
    if not chosen:
        raise click.UsageError("no pipeline given; specify at least one pipeline with --pipelines")
    if weights is None:
        return [load_pipeline(name) for name in chosen]
    if "transfer" not in chosen:
        chosen.append("transfer")
    return [
        transfer_pipeline(weights) if name == "transfer" else load_pipeline(name) for name in chosen
    ]


def _download() -> Path:
    """Return the published file in the current folder, downloaded if necessary."""
    from galfeat.cli.data.fetch import fetch_file
    from galfeat.data.catalogue.galaxy10 import PUBLISHED
    from galfeat.errors import FetchError

    published = PUBLISHED["galaxy10-decals"]
    try:
        return fetch_file(published, None)
    except FetchError as error:
        raise FetchError(
            f"{error}; or download {published.file} by hand from {published.urls[0]} (SHA-256 "
            f"{published.sha256}) and give it with --data"
        ) from error


def _caution(data: Path) -> str:
    """Return why scores cannot be compared with published ones; empty for the published file."""
    from galfeat.data.catalogue.galaxy10 import PUBLISHED
    from galfeat.data.fetch.download import file_sha256

    published = PUBLISHED["galaxy10-decals"]
    if data.is_file() and file_sha256(data) == published.sha256:
        return ""
    return (
        f"{data} is not the published file {published.file}: its scores cannot be compared with "
        "published ones, unless it has the same images and classes."
    )


def _write(
    folder: Path,
    results: Benchmark,
    dataset: DataSet,
    plan: BenchmarkPlan,
    facts: dict[str, str],
) -> None:
    from galfeat.cli.audit import write_audit
    from galfeat.evaluate.benchmark import benchmark_page, benchmark_text

    text = benchmark_text(results)
    click.echo(text)
    page = benchmark_page(
        results,
        facts=facts,
        descriptions={pipeline.name: pipeline.description for pipeline in plan.pipelines},
    )
    texts = {
        TEXT: f"{text}\n",
        JSON: json.dumps(valid_json({"facts": facts, **results.to_json()}), indent=2) + "\n",
        PAGE: page,
    }
    for name, content in texts.items():
        with atomic_file(folder / name) as temporary:
            temporary.write_text(content, encoding="utf-8", errors="backslashreplace")
    write_audit(folder / AUDIT, folder / AUDIT_PAGE, results.audit, dataset, facts)
    click.echo(f"numbers: {folder / TEXT}, {folder / JSON}\npage: {folder / PAGE}")


def _write_split(path: Path, finished: Finished, dataset: DataSet) -> None:
    """Write the class and the part of each row."""
    names = [dataset.class_names[label] for label in dataset.labels]
    with (
        atomic_file(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors=ORIGINAL_BYTES) as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "class", "part"])
        rows = zip(
            dataset.ids.tolist(), names, finished.split.part_of_row(len(dataset)), strict=True
        )
        writer.writerows(csv_cells(cells, raw=False) for cells in rows)
