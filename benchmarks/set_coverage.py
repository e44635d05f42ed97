"""Measured coverage and size of prediction sets, and what becomes of them on another survey.

DATA is cross-validated: each galaxy is predicted by a model fitted without it, whose sets are
calibrated on its own out-of-fold predictions. Other surveys are the test galaxies re-rendered
(`galfeat.data.simulation.rerender`). Without DATA, a model is fitted to simulated galaxies as the
Legacy Surveys show them, and predicts others of these surveys and of SDSS.

    python benchmarks/set_coverage.py DATA --label class_id --repeats 2
    python benchmarks/set_coverage.py --simulated 1500

For each kind of sets: coverage; its expected 95 % interval, from the beta-binomial distribution of
the coverage of conformal sets; mean size; share of sets with a single class; coverage of each
class, with a star where classes share a threshold. The interval is that of sets without the two
classes that are always added, takes folds as independent, and is for one repeat. Split-conformal
sets are calibrated on random galaxies and tested on the others: their coverage is a mean over
random choices, with the share of these inside the interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click
import joblib
import numpy as np
from numpy.typing import NDArray
from scipy.stats import betabinom
from sklearn.base import clone

from galfeat.classifier import GalaxyClassifier
from galfeat.data import DataSet, open_dataset
from galfeat.data.simulation import simulate
from galfeat.data.simulation.rerender import RerenderedDataSet
from galfeat.ensemble.population import CalibrationRows, SetThresholds, set_thresholds
from galfeat.evaluate.splits import outer_folds
from galfeat.features import FeatureExtractor
from galfeat.pipeline import load_pipeline
from galfeat.predictions import Predictions

HERE, ELSEWHERE = "same survey", "another survey"
#: Random choices of calibration galaxies.
CHOICES = 200
_SEEDS = (101, 102, 103)
_KINDS: dict[str, dict[str, Any]] = {
    "lac": {}, "aps": {"score": "aps"}, "lac, one threshold": {"by_class": False},
}  # fmt: skip

Make = Callable[[CalibrationRows], SetThresholds]
Codes = Sequence[NDArray[np.intp]]


class Tested(NamedTuple):
    """Predictions of a model for galaxies of one view it was not fitted to."""

    repeat: int
    view: str
    predictions: Predictions
    truth: NDArray[np.intp]


class Sets(NamedTuple):
    """Prediction sets of n galaxies, with the numbers of galaxies behind each threshold."""

    hit: NDArray[np.bool_]
    size: NDArray[np.intp]
    truth: NDArray[np.intp]
    groups: list[tuple[int, int]]
    pooled: NDArray[np.bool_]


def cross_validated(
    data: DataSet, name: str, folds: int, repeats: int, rerendered: int, seed: int
) -> list[Tested]:
    """Return the predictions of a pipeline in each fold of a data set.

    Of the test galaxies of the first repeat, `rerendered` in all are re-rendered, too.
    """
    pipeline = load_pipeline(name)
    extractor = FeatureExtractor(pipeline.families, frame=pipeline.frame)
    table, other = extractor.extract(data), RerenderedDataSet(data, seed)
    present, y = np.unique(data.labels, return_inverse=True)
    names = [data.class_names[code] for code in present]
    tested = []
    for repeat, train, test in outer_folds(y, data.groups, folds, repeats, seed):
        classifier = clone(GalaxyClassifier(pipeline, random_state=seed))
        classifier.fit_table(table.select(train), y[train], class_names=names)
        tested.append(Tested(repeat, HERE, classifier.classify_table(table.select(test)), y[test]))
        few = test[: rerendered // folds]
        if repeat == 0 and len(few):
            predictions = classifier.classify_table(extractor.extract(other.select(few)))
            tested.append(Tested(repeat, ELSEWHERE, predictions, y[few]))
        click.echo(f"repeat {repeat + 1}: {len(train)} galaxies fitted", err=True)
    return tested


def simulated(number: int, name: str, seed: int) -> list[Tested]:
    """Return the predictions of a model fitted to simulated galaxies of the Legacy Surveys."""
    pipeline = load_pipeline(name)
    extractor = FeatureExtractor(pipeline.families, frame=pipeline.frame)
    parts = [
        simulate(number, seed=part + seed, rendering=rendering)
        for part, rendering in zip(_SEEDS, ("legacy", "legacy", "sdss"), strict=True)
    ]
    tables = [extractor.extract(part.images) for part in parts]
    classes = [part.labels.astype(np.intp) for part in parts]
    classifier = GalaxyClassifier(pipeline, random_state=seed)
    classifier.fit_table(tables[0], classes[0], class_names=parts[0].class_names)
    return [
        Tested(0, view, classifier.classify_table(table), y)
        for view, table, y in zip((HERE, ELSEWHERE), tables[1:], classes[1:], strict=True)
    ]


def sets_of(
    thresholds: SetThresholds,
    probabilities: NDArray[Any],
    truth: NDArray[np.intp],
    added: Codes = (),
) -> Sets:
    """Return the sets of galaxies, with the classes `added` to each."""
    rows = np.arange(len(truth))
    in_set = thresholds.contain(probabilities)
    for codes in added:
        in_set[rows, codes] = True
    tested, own = np.bincount(truth, minlength=in_set.shape[1]), ~thresholds.pooled
    groups = list(zip(thresholds.counts[own].tolist(), tested[own].tolist(), strict=True))
    groups.append((int(thresholds.counts[~own].sum()), int(tested[~own].sum())))
    return Sets(in_set[rows, truth], in_set.sum(axis=1), truth, groups, ~own)


def calibrated_on_fits(tested: Sequence[Tested], make: Make, *, add: bool) -> Sets:
    """Return sets calibrated on the out-of-fold predictions of each fit."""
    parts = []
    for part in tested:
        predictions = part.predictions
        rows = predictions.predicted >= 0
        added = (predictions.predicted[rows], predictions.most_probable[rows]) if add else ()
        assert predictions.calibration is not None
        thresholds = make(predictions.calibration)
        parts.append(sets_of(thresholds, predictions.probabilities[rows], part.truth[rows], added))
    return joined(parts)


def calibrated_on_some(tested: Sequence[Tested], make: Make, labelled: int) -> list[Sets]:
    """Return split-conformal sets for many random choices of labelled galaxies.

    Predictions of different folds are taken together: each is from a model that was not fitted to
    the galaxy, so random choices of them are exchangeable.
    """
    predictions = Predictions.concatenate([part.predictions for part in tested])
    rows = predictions.predicted >= 0
    truth = np.concatenate([part.truth for part in tested])[rows]
    probabilities = predictions.probabilities[rows].astype(np.float32)
    equal = np.full(probabilities.shape[1], 1 / probabilities.shape[1])
    rng, result = np.random.default_rng(0), []
    for _ in range(CHOICES):
        first, rest = np.split(rng.permutation(len(truth)), [labelled])
        thresholds = make(CalibrationRows.of(probabilities[first], truth[first], equal))
        result.append(sets_of(thresholds, probabilities[rest], truth[rest]))
    return result


def joined(parts: Sequence[Sets]) -> Sets:
    """Return the sets of several folds as one."""
    return Sets(
        np.concatenate([part.hit for part in parts]),
        np.concatenate([part.size for part in parts]),
        np.concatenate([part.truth for part in parts]),
        [group for part in parts for group in part.groups],
        np.any([part.pooled for part in parts], axis=0),
    )


def interval(groups: Sequence[tuple[int, int]], coverage: float) -> tuple[float, float]:
    """Return the central 95 % interval of the coverage of conformal sets.

    Parameters
    ----------
    groups : sequence of (int, int)
        Numbers of calibration and of test galaxies that share a threshold. The number of covered
        ones has a beta-binomial distribution; groups are independent.
    coverage : float

    Examples
    --------
    >>> interval([(99, 100)], 0.9)
    (0.82, 0.97)
    """
    pmf = np.ones(1)
    for n, m in groups:
        missed, covered = math.floor((n + 1) * (1 - coverage) + 1e-9), np.arange(m + 1)
        certain = (covered == m).astype(float)
        part = betabinom.pmf(covered, m, n + 1 - missed, missed) if missed else certain
        pmf = np.convolve(pmf, part)
    low, high = np.searchsorted(np.cumsum(pmf), (0.025, 0.975))
    total = max(len(pmf) - 1, 1)
    return float(low / total), float(high / total)


def line(name: str, sets: Sets, expected: str) -> str:
    """Return a row of the table."""
    by_class = [
        f"{sets.hit[sets.truth == code].mean():.2f}{'*' if pooled else ''}"
        for code, pooled in enumerate(sets.pooled)
    ]
    return (
        f"{name:40} {sets.hit.mean():.3f}  {expected:23} {sets.size.mean():5.2f} "
        f"{(sets.size == 1).mean():5.2f}  {' '.join(by_class)}"
    )


def print_table(tested: Sequence[Tested], names: Sequence[str], coverage: float, few: int) -> None:
    """Print coverage and size of all kinds of sets."""
    click.echo(f"classes: {', '.join(names)}")
    click.echo(f"{'sets':40} cover  {'expected':23} {'size':>5} {'one':>5}  by class")
    for view in (HERE, ELSEWHERE):
        parts = [part for part in tested if part.view == view]
        if not parts:
            continue
        repeat = [part for part in parts if part.repeat == 0]
        n = sum(len(part.truth) for part in repeat)
        click.echo(f"-- {view}, {n} galaxies")
        for name, options in _KINDS.items():
            make = partial(set_thresholds, coverage=coverage, **options)
            low, high = interval(calibrated_on_fits(repeat, make, add=False).groups, coverage)
            expected = f"{low:.3f} to {high:.3f}"
            for add in (True, False):
                sets = calibrated_on_fits(parts, make, add=add)
                click.echo(line(name if add else f"{name}, without additions", sets, expected))
        for labelled in sorted({few, n // 2}):
            make = partial(set_thresholds, coverage=coverage)
            choices = calibrated_on_some(repeat, make, labelled)
            bounds = [interval(sets.groups, coverage) for sets in choices]
            inside = np.mean([
                low <= sets.hit.mean() <= high
                for sets, (low, high) in zip(choices, bounds, strict=True)
            ])  # fmt: skip
            name = f"split, {labelled} labelled"
            click.echo(line(name, joined(choices), f"inside: {100 * inside:.0f} %"))


@click.command(help=__doc__)
@click.argument("data", required=False)
@click.option("--label", default="coarse", show_default=True)
@click.option("--simulated", "number", default=1500, show_default=True, help="Galaxies per part.")
@click.option("--pipeline", "name", default="lightgbm", show_default=True)
@click.option("--coverage", default=0.9, show_default=True)
@click.option("--folds", default=5, show_default=True)
@click.option("--repeats", default=1, show_default=True)
@click.option("--rerendered", default=1000, show_default=True, help="Galaxies shown re-rendered.")
@click.option("--labelled", default=300, show_default=True, help="Galaxies that calibrate `split`.")
@click.option("--seed", default=0, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), help="File of predictions, used if there.")
def main(
    data: str | None, label: str, number: int, name: str, coverage: float, folds: int,
    repeats: int, rerendered: int, labelled: int, seed: int, keep: Path | None,
) -> None:  # fmt: skip
    """Print the table."""
    if keep is not None and keep.exists():
        tested = joblib.load(keep)
    elif data is None:
        tested = simulated(number, name, seed)
    else:
        opened = open_dataset(data, label=label).labelled()
        tested = cross_validated(opened, name, folds, repeats, rerendered, seed)
    if keep is not None:
        joblib.dump(tested, keep)
    print_table(tested, tested[0].predictions.classes.tolist(), coverage, labelled)


if __name__ == "__main__":
    main()
