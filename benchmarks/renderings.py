"""Which features keep their value when another survey shows the same galaxy.

Simulated galaxies are rendered twice: as the Legacy Surveys show them and as the SDSS does,
which have other bands, depth, stretch, pixels and seeing. For each column: the mean absolute
difference in standard deviations of the column, and the rank correlation.

    python benchmarks/renderings.py [--number 1000] [--seed 11] [--write]

With --write the columns that change too much are named in galfeat/features/survey_bound.txt;
classifiers are not given these.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

import galfeat.features
from galfeat.data.simulation.simulator import simulate
from galfeat.features import FeatureExtractor, columns
from galfeat.features.registry import OWN_FAMILIES, Column

#: The families whose columns are asked.
MEASURED = (*OWN_FAMILIES, "embedding")
#: A column may change by this many of its standard deviations in the mean ...
MAX_CHANGE = 0.7
#: ... and galaxies must keep at least this rank correlation.
LEAST_ORDER = 0.5


def both_renderings(number: int, seed: int, jobs: int) -> tuple[NDArray[np.float32], ...]:
    """Return the features of the same galaxies in the Legacy Surveys and in the SDSS."""
    extractor = FeatureExtractor(MEASURED, n_jobs=jobs)
    per_class = [number // 10] * 10
    return tuple(
        extractor.extract(
            simulate(number, seed=seed, class_counts=per_class, rendering=rendering).images
        ).values
        for rendering in ("legacy", "sdss")
    )


def changes(
    one: NDArray[np.float32], other: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each column's mean absolute difference, in its deviations, and rank correlation."""
    deviation = np.nanstd(np.concatenate([one, other]), axis=0)
    difference = np.nanmean(np.abs(one - other), axis=0) / np.maximum(deviation, 1e-12)
    order = [
        spearmanr(one[:, i], other[:, i], nan_policy="omit").statistic for i in range(one.shape[1])
    ]
    return difference, np.array(order)


def print_summary(
    listed: list[Column], difference: NDArray[np.float64], order: NDArray[np.float64]
) -> None:
    """Print the medians of each group of columns and how many of them change too much."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i, column in enumerate(listed):
        numbered = column.family == "embedding"  # its columns have numbers for names
        groups[column.family if numbered else ".".join(column.name.split(".")[:2])].append(i)
    click.echo(f"{'columns':28} {'number':>6} {'change':>7} {'order':>6} {'bound':>6}")
    for name, members in groups.items():
        bound = sum(too_much(difference[i], order[i]) for i in members)
        click.echo(
            f"{name:28} {len(members):6} {np.median(difference[members]):7.2f} "
            f"{np.median(order[members]):6.2f} {bound:6}"
        )


def too_much(difference: float, order: float) -> bool:
    """Tell whether a column changes too much for a classifier."""
    return not (difference <= MAX_CHANGE and order >= LEAST_ORDER)


@click.command(help=__doc__)
@click.option("--number", default=1000, show_default=True, help="Galaxies, 100 at least.")
@click.option("--seed", default=11, show_default=True)
@click.option("--jobs", default=2, show_default=True)
@click.option("--write", is_flag=True, help="Name the columns in survey_bound.txt.")
def main(number: int, seed: int, jobs: int, write: bool) -> None:
    """Print the changes, and write the list."""
    one, other = both_renderings(number, seed, jobs)
    listed = columns(MEASURED)
    invariant = np.array([column.invariant for column in listed])
    listed = [column for column in listed if column.invariant]
    difference, order = changes(one[:, invariant], other[:, invariant])
    print_summary(listed, difference, order)
    bound = [c.name for c, d, r in zip(listed, difference, order, strict=True) if too_much(d, r)]
    click.echo(f"{len(bound)} of {len(listed)} columns change too much")
    if write:
        path = Path(galfeat.features.__path__[0]) / "survey_bound.txt"
        head = (
            f"# Columns that another survey's rendering changes by more than {MAX_CHANGE} of "
            f"their standard deviations\n# in the mean, or that keep a rank correlation below "
            f"{LEAST_ORDER}, over {number} simulated galaxies.\n"
            "# Written by benchmarks/renderings.py --write.\n"
        )
        path.write_text(head + "".join(f"{name}\n" for name in bound), "utf-8")
        click.echo(f"wrote {path}")


if __name__ == "__main__":
    main()
