"""The contribution of each feature family to the scores on labelled images, and its cost.

    python benchmarks/feature_families.py DATA [--seed 0] [--repeats 3] [--kept FOLDER] \
        [--page docs/background/feature_families.md]

The pipeline `lightgbm` is fitted to each family alone, to all families but one, and to growing sets
of families, on the folds of `galfeat fit --cv 5`. Importances, separation of pairs of classes, and
limits of the score follow. DATA must have the label columns `class_id` and `coarse`. With --kept,
completed fits are stored, so an interrupted run resumes. With --page, writes the page and its
figures (needs matplotlib).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click
import family_limits
import family_pairs
import family_text
import numpy as np
from family_fits import ALL, Ablation, LabelledFits, measured_tables
from family_pictures import draw_families, draw_pairs
from timing import typical_time

from galfeat.data import DataSet, open_dataset
from galfeat.features.registry import family_module
from galfeat.frame import measure_frame

#: Label columns and their titles on the page. One repeat suffices for the last, larger one.
LABELS = {"class_id": "Ten classes", "coarse": "Four classes"}
TIMED = 60


def costs_of(dataset: DataSet) -> dict[str, float]:
    """Return the time per galaxy of the frame and of each family, in microseconds."""
    rows = np.unique(np.linspace(0, len(dataset) - 1, TIMED).astype(np.intp))
    images = [image for image in dataset.read(rows) if isinstance(image, np.ndarray)]
    frames = [frame for frame in map(measure_frame, images) if frame is not None]
    costs = {name: typical_time(family_module(name).measure, frames) for name in ALL}
    return {"frame": typical_time(measure_frame, images, 5), **costs}


def limits(fits: LabelledFits, data: str) -> list[str]:
    """Return the lines on the limits of the score."""
    parts = (
        family_limits.curve_lines(fits),
        family_limits.certainty_lines(fits) + family_limits.planted_lines(fits),
        family_limits.source_lines(fits, data),
    )
    return [line for part in parts if part for line in [*part, ""]]


@click.command(help=__doc__)
@click.argument("data")
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--repeats", default=3, show_default=True, help="Repeats for class_id; coarse has one."
)
@click.option("--jobs", default=2, show_default=True)
@click.option(
    "--page", "target", type=click.Path(path_type=Path), help="Write a page to this file."
)
@click.option(
    "--kept", type=click.Path(path_type=Path), help="Folder for features and completed fits."
)
def main(
    data: str, seed: int, repeats: int, jobs: int, target: Path | None, kept: Path | None
) -> None:
    """Fit, print and write the page."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as temporary:
        folder = kept or Path(temporary)
        fits: dict[str, LabelledFits] = {}
        ablations: dict[str, Ablation] = {}
        for label, title in LABELS.items():
            dataset = open_dataset(data, label=label).labelled()
            tables = measured_tables(dataset, seed, jobs, folder)
            fits[title] = LabelledFits(
                dataset, tables, repeats=repeats if label == "class_id" else 1, seed=seed,
                jobs=jobs, folder=folder,
            )  # fmt: skip
            if not ablations:
                costs = costs_of(dataset)
            ablations[title] = fits[title].ablate(costs)
            click.echo(f"\n{title}, {len(dataset):,} images, µs: {family_text.plain(costs)}")
            click.echo(family_text.ablation(ablations[title], costs))
        sections = [
            section(title, fits[title], ablations[title], costs) for title in LABELS.values()
        ]
        ends = [
            f"### {title}\n\n" + "\n".join(limits(labelled, data))
            for title, labelled in fits.items()
        ]
    text = family_text.page(
        [(title, len(labelled.galaxies.y)) for title, labelled in fits.items()],
        repeats, seed, TIMED, family_text.overview(ablations, costs), sections, ends,
    )  # fmt: skip
    click.echo("\n" + text)
    if target is not None:
        target.write_text(text, "utf-8")
        draw_families(ablations, costs, target.with_name("feature_families.png"))
        ten = next(iter(fits.values()))
        draw_pairs(
            family_pairs.pairs_of(ten),
            ten.galaxies.names,
            target.with_name("feature_family_pairs.png"),
        )
        click.echo(f"wrote {target} and its figures")


def section(
    title: str, fits: LabelledFits, ablation: Ablation, costs: dict[str, float]
) -> tuple[str, str, str]:
    """Return the ablation, the pairs of classes and the importances of one label."""
    pairs, names = family_pairs.pairs_of(fits), fits.galaxies.names
    summary, table = family_pairs.summary(pairs, names), family_pairs.table(pairs, names)
    return (
        f"## {title}: with and without\n\n{family_text.ablation(ablation, costs)}\n",
        f"### {title}\n\n{summary}\n\n{table}\n",
        f"### {title}\n\n{family_text.importances(*fits.importances())}\n",
    )


if __name__ == "__main__":
    main()
