"""Which features are robust to the rendering of different surveys.

Simulated galaxies are rendered twice, as in the Legacy Surveys and as in SDSS, which differ in
bands, depth, stretch, pixel scale and seeing. Reported for each column: the mean absolute
difference in standard deviations of the column, and the rank correlation.

    python benchmarks/renderings.py [--number 1000] [--seed 11] [--write]

With --write, the columns that change too much are listed in galfeat/features/survey_bound.txt;
classifiers do not use these.
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

#: The families whose columns are tested.
MEASURED = (*OWN_FAMILIES, "embedding")
#: Maximum mean absolute difference of a column, in its standard deviations.
MAX_CHANGE = 0.7
#: Minimum rank correlation.
MIN_CORRELATION = 0.5


def both_renderings(number: int, seed: int, jobs: int) -> tuple[NDArray[np.float32], ...]:
    """Return the features of the same galaxies in the Legacy Surveys and in SDSS."""
    extractor = FeatureExtractor(MEASURED, n_jobs=jobs)
    per_class = [number // 10] * 10
    return tuple(
        extractor.extract(
            simulate(number, seed=seed, class_counts=per_class, rendering=rendering).images
        ).values
        for rendering in ("legacy", "sdss")
    )


def changes(
    legacy: NDArray[np.float32], sdss: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean absolute difference (in deviations) and rank correlation of each column."""
    deviation = np.nanstd(np.concatenate([legacy, sdss]), axis=0)
    difference = np.nanmean(np.abs(legacy - sdss), axis=0) / np.maximum(deviation, 1e-12)
    correlation = [
        spearmanr(legacy[:, i], sdss[:, i], nan_policy="omit").statistic
        for i in range(legacy.shape[1])
    ]
    return difference, np.array(correlation)


def print_summary(
    listed: list[Column], difference: NDArray[np.float64], correlation: NDArray[np.float64]
) -> None:
    """Print the medians of each group of columns and the number that change too much."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i, column in enumerate(listed):
        numbered = column.family == "embedding"  # column names are numbers
        groups[column.family if numbered else ".".join(column.name.split(".")[:2])].append(i)
    click.echo(f"{'columns':28} {'number':>6} {'change':>7} {'rank':>6} {'bound':>6}")
    for name, members in groups.items():
        bound = sum(too_much(difference[i], correlation[i]) for i in members)
        click.echo(
            f"{name:28} {len(members):6} {np.median(difference[members]):7.2f} "
            f"{np.median(correlation[members]):6.2f} {bound:6}"
        )


def too_much(difference: float, correlation: float) -> bool:
    """Return whether a column changes too much for a classifier."""
    return not (difference <= MAX_CHANGE and correlation >= MIN_CORRELATION)


@click.command(help=__doc__)
@click.option("--number", default=1000, show_default=True, help="Number of galaxies, at least 100.")
@click.option("--seed", default=11, show_default=True)
@click.option("--jobs", default=2, show_default=True)
@click.option("--write", is_flag=True, help="List the columns in survey_bound.txt.")
def main(number: int, seed: int, jobs: int, write: bool) -> None:
    """Print the changes and write the list."""
    legacy, sdss = both_renderings(number, seed, jobs)
    listed = columns(MEASURED)
    invariant = np.array([column.invariant for column in listed])
    listed = [column for column in listed if column.invariant]
    difference, correlation = changes(legacy[:, invariant], sdss[:, invariant])
    print_summary(listed, difference, correlation)
    bound = [
        c.name for c, d, r in zip(listed, difference, correlation, strict=True) if too_much(d, r)
    ]
    click.echo(f"{len(bound)} of {len(listed)} columns change too much")
    if write:
        path = Path(galfeat.features.__path__[0]) / "survey_bound.txt"
        head = (
            f"# Columns that differ by more than {MAX_CHANGE} standard deviations on average "
            f"between two survey\n# renderings, or whose rank correlation is below "
            f"{MIN_CORRELATION}, for {number} simulated galaxies.\n"
            "# Written by benchmarks/renderings.py --write.\n"
        )
        path.write_text(head + "".join(f"{name}\n" for name in bound), "utf-8")
        click.echo(f"wrote {path}")


if __name__ == "__main__":
    main()
