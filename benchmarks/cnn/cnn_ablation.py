"""A plain CNN and single changes commonly said to improve it, on the same folds.

    python benchmarks/cnn/cnn_ablation.py DATA --label class_id -o docs/background/cnn.md [--jobs 1]

Fits the pipeline `cnn-baseline` and each variant, and writes a table of scores with intervals.
Completed fits are stored (--kept), so an interrupted run resumes. Needs the extra `cnn`, and 4 GB
of memory for 700 images of 256×256 pixels.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from cnn_text import page

from galfeat.classifier import GalaxyClassifier
from galfeat.cli.inputs import leave_out_learned, read_all
from galfeat.cli.terminal.progress import progress_bar
from galfeat.data import DataSet, open_dataset
from galfeat.evaluate.comparison.paired import Comparison, OutOfFold, compare_predictions
from galfeat.experiments.fits import ORIGINAL, LabelledRows, PipelineFits
from galfeat.features import FeatureExtractor, FeatureTable
from galfeat.pipeline import Member, Pipeline, load_pipeline
from galfeat.storage.atomic import atomic_file
from galfeat.storage.checkpoint import CheckpointStore
from galfeat.storage.versions import library_versions

FOLDS = 5
BASELINE = load_pipeline("cnn-baseline")
#: Training settings of astroNN, except that the learning rate is not reduced on plateaus.
ASTRONN = {"architecture": "astronn", "learning_rate": 0.005, "epochs": 30, "batch_size": 64}


def variant(name: str, **params: Any) -> Pipeline:  # noqa: ANN401
    """Return the baseline with different parameters and a new name."""
    (member,) = BASELINE.members
    merged = {**member.params, **params}
    families = (f"pixels-{merged['side']}",)
    return replace(BASELINE, name=name, families=families, members=(Member("cnn", merged),))


def transferred(name: str, pipeline: str, member: int) -> Pipeline:
    """Return one member of a shipped pipeline as a pipeline, calibrated like the baseline."""
    source = load_pipeline(pipeline)
    single = source.members[member]
    return replace(
        BASELINE, name=name, frame=source.frame, families=single.families or source.families,
        members=(Member(single.kind, single.params),),
    )  # fmt: skip


#: Variants with the same families are adjacent, with increasing image size.
VARIANTS = (
    variant("baseline"),
    variant("grey", colour=False),
    variant("64 filters", filters=64),
    variant("45 epochs", epochs=45),
    variant("120 epochs", epochs=120),
    variant("SGD", optimiser="sgd", learning_rate=0.01),
    variant("sigmoid", activation="sigmoid"),
    variant("boosting on top", boosting=True),
    variant("astroNN's network", **ASTRONN),
    transferred("transfer learning", "network", 0),
    transferred("transfer, boosting on top", "stacking-embedding", 0),
    variant("128×128 pixels", side=128),
    variant("256×256 pixels", side=256),
)


@dataclass(frozen=True)
class Ablation:
    """Results of the ablation.

    Attributes
    ----------
    comparison : Comparison
        Comparison of all variants by name.
    seconds : dict of str to float
        Processor time of a fit including calibration; mean over the folds.
    """

    comparison: Comparison
    seconds: dict[str, float]


def ablate(
    dataset: DataSet,
    variants: Sequence[Pipeline],
    folder: Path,
    *,
    repeats: int = 1,
    jobs: int = 1,
    seed: int = 0,
) -> Ablation:
    """Fit and score variants on the same folds.

    Galaxies used to pretrain a transferred network are excluded for all variants.

    Parameters
    ----------
    dataset : DataSet
        All rows labelled.
    variants : sequence of Pipeline
        With unique names; variants with the same families must be adjacent.
    folder : Path
        Folder for completed fits.
    repeats, jobs, seed : int
        As in `galfeat.experiments.comparison.Plan`.
    """
    families = {family: None for pipeline in variants for family in pipeline.families}
    readable, digests = read_all(dataset, jobs)
    dataset = readable.select(leave_out_learned(list(families), readable, digests))
    predictions: dict[str, OutOfFold] = {}
    seconds: dict[str, float] = {}
    measured: tuple[str, ...] = ()
    for pipeline in variants:
        if pipeline.families != measured:
            measured, table = pipeline.families, measured_table(pipeline, dataset, jobs)
            galaxies = LabelledRows.of(dataset, table.digests, FOLDS, repeats, seed)
            common = {"data": galaxies.digest, "seed": seed, "folds": FOLDS}
            pieces = CheckpointStore(folder, {**common, "libraries": library_versions()})
        classifier = GalaxyClassifier(pipeline, n_jobs=jobs, random_state=seed)
        fits = PipelineFits(classifier, galaxies, {ORIGINAL: table}, pieces)
        with progress_bar(pipeline.name) as progress:
            predictions[pipeline.name] = fits.run((1.0,), progress)[1.0, ORIGINAL]
        seconds[pipeline.name] = float(np.mean(fits.seconds))
        click.echo(f"{pipeline.name}: {seconds[pipeline.name]:.0f} s per fit", err=True)
    comparison = compare_predictions(
        galaxies.y, predictions, galaxies.names, groups=galaxies.groups, seed=seed
    )
    return Ablation(comparison, seconds)


def measured_table(pipeline: Pipeline, dataset: DataSet, jobs: int) -> FeatureTable:
    """Return the pixels of all images; reading them again is cheaper than storing them."""
    extractor = FeatureExtractor(pipeline.families, frame=pipeline.frame, n_jobs=jobs)
    with progress_bar(", ".join(pipeline.families)) as progress:
        table = extractor.extract(dataset, progress=progress)
    for error in table.errors.values():
        raise error
    return table


def image_size(dataset: DataSet) -> str:
    """Return the most common image size."""
    shapes = [image.shape for image in dataset.read(np.arange(min(len(dataset), 50)))
              if isinstance(image, np.ndarray)]  # fmt: skip
    height, width, _ = max(set(shapes), key=shapes.count)
    return f"{height}×{width}"


@click.command(help=__doc__)
@click.argument("data")
@click.option("--label", required=True, help="Column of classes.")
@click.option("--repeats", default=1, show_default=True, type=click.IntRange(min=1))
@click.option("--jobs", default=1, show_default=True, help="Number of parallel trainings.")
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--kept", type=click.Path(path_type=Path), default=Path("build/cnn-ablation"),
    show_default=True, help="Folder for completed fits.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write a page to this file.")
def main(
    data: str, label: str, repeats: int, jobs: int, seed: int, kept: Path, output: Path | None
) -> None:
    """Fit all variants, print and write the page."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    dataset = open_dataset(data, label=label).labelled()
    ablation = ablate(dataset, VARIANTS, kept, repeats=repeats, jobs=jobs, seed=seed)
    text = page(ablation.comparison, ablation.seconds, label, image_size(dataset), FOLDS, seed)
    click.echo(text)
    if output is not None:
        with atomic_file(output) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
