"""Methods of calibration compared on labelled images: log loss and calibration errors.

    python benchmarks/calibration.py DATA [--seed 0] [--repeats 3] [--jobs 1] [--kept FOLDER]

The members of the pipeline `stacking-features` are fitted once to each training part of five
folds. Combination and calibration, by each method, are then fitted to the out-of-fold predictions
for four folds and scored on the fifth; `lightgbm` is the first member alone. DATA must have the
label columns `class_id` (ten classes) and `coarse` (four). With --kept, features and out-of-fold
predictions are stored there and read by the next run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from galfeat.data import open_dataset
from galfeat.ensemble.combination import Combination
from galfeat.ensemble.member_fits import predict_fold
from galfeat.evaluate.class_reliability import class_reliability
from galfeat.evaluate.intervals import Interval, bootstrap, percentile_interval
from galfeat.evaluate.metrics import log_loss
from galfeat.evaluate.scored_rows import ScoredRows, mean_intervals
from galfeat.evaluate.splits import group_numbers
from galfeat.experiments.fits import LabelledRows
from galfeat.features import FeatureExtractor, FeatureTable, classifier_columns
from galfeat.pipeline import load_pipeline

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Label columns and the number of repeats: one suffices for the larger set.
LABELS = {"class_id": "Ten classes", "coarse": "Four classes"}
PIPELINE = load_pipeline("stacking-features")
FOLDS = 5


@dataclass(frozen=True)
class MemberPredictions:
    """Out-of-fold predictions of the members for one label column.

    Attributes
    ----------
    y : ndarray of int, shape (n,)
    names : list of str, length k
    groups : ndarray of int, shape (n,)
    folds : ndarray of int, shape (repeats, n)
        The fold of each row.
    log_probabilities : ndarray of float, shape (repeats, n, members, k)
    """

    y: Rows
    names: list[str]
    groups: Rows
    folds: Rows
    log_probabilities: Floats


def member_predictions(
    data: str, label: str, *, repeats: int, seed: int, jobs: int, folder: Path
) -> MemberPredictions:
    """Fit each member to each training part once and predict the test part."""
    dataset = open_dataset(data, label=label).labelled()
    table = FeatureExtractor(PIPELINE.families, n_jobs=jobs, cache=folder / "features").extract(
        dataset
    )
    for error in table.errors.values():
        raise error
    galaxies = LabelledRows.of(dataset, table.digests, FOLDS, repeats, seed)
    kept = folder / f"{label}-{repeats}-{seed}.npz"
    shape = (repeats, len(galaxies.y), len(PIPELINE.members), len(galaxies.names))
    folds, predicted = np.empty(shape[:2], np.intp), np.empty(shape)
    if kept.exists():
        with np.load(kept) as arrays:
            folds, predicted = arrays["folds"], arrays["predicted"]
    else:
        for repeat, fold, test, parts in _fits(galaxies, table, seed):
            folds[repeat, test] = fold
            predicted[repeat, test] = parts
            click.echo(f"{label}: repeat {repeat + 1}, fold {fold + 1} of {FOLDS}", err=True)
        np.savez(kept, folds=folds, predicted=predicted)
    numbers = group_numbers(galaxies.groups, len(galaxies.y))
    return MemberPredictions(galaxies.y, galaxies.names, numbers, folds, predicted)


def _fits(
    galaxies: LabelledRows, table: FeatureTable, seed: int
) -> Iterator[tuple[int, int, Rows, Floats]]:
    """Yield repeat, fold, test rows and the members' log-probabilities for them."""
    used = classifier_columns(table.names)
    names = tuple(table.names[column] for column in used)
    features = table.values[:, used]
    for repeat, fold, _, test in galaxies.splits:
        held_out = np.isin(np.arange(len(galaxies.y)), test)
        parts = [
            predict_fold(
                member, features, member.columns(names), galaxies.y, held_out, "none", seed
            )
            for member in PIPELINE.members
        ]
        yield repeat, fold, test, np.stack(parts, axis=1)


#: Member kinds and combination of each pipeline; the first member is that of `lightgbm`.
PIPELINES = {"lightgbm": (1, "none"), "stacking-features": (len(PIPELINE.members), "stack")}
METHODS = ("none", "temperature", "vector", "isotonic", "auto")


def calibrated(
    predictions: MemberPredictions, n_members: int, combine: str, method: str
) -> tuple[Floats, list[str]]:
    """Return probabilities, shape (repeats, n, k), and the method used in each fold."""
    shape = (*predictions.folds.shape, len(predictions.names))
    probabilities, used = np.empty(shape), []
    shifts = [np.zeros(shape[2])] * n_members
    for repeat, folds in enumerate(predictions.folds):
        log_p = predictions.log_probabilities[repeat][:, :n_members]
        for fold in range(FOLDS):
            test = folds == fold
            combination = Combination(combine, shifts, calibration=method)
            combination.fit(log_p[~test], predictions.y[~test], folds[~test])
            probabilities[repeat, test] = np.exp(combination.apply(log_p[test]))
            used.append(combination.method)
    return probabilities, used


def table_lines(predictions: MemberPredictions, seed: int) -> Iterator[str]:
    """Yield a line for each pipeline and method."""
    yield (
        f"{'pipeline':18} {'method':12} log loss   minus none (95 %)           "
        "calibration error (95 %)  chance   by class  chance   chosen"
    )
    for name, (n_members, combine) in PIPELINES.items():
        none: list[ScoredRows] = []
        for method in METHODS:
            probabilities, used = calibrated(predictions, n_members, combine, method)
            repeats = [_rows(predictions.y, part, predictions.groups) for part in probabilities]
            none = none or repeats
            loss, error = _log_loss(repeats), _calibration_error(repeats, seed)
            change, low, high = _change(repeats, none, seed)
            chance = np.mean([rows.by_chance(seed).mean() for rows in repeats])
            by_class, class_chance = _by_class(repeats, predictions.names, seed)
            chosen = ", ".join(f"{key} {used.count(key)}" for key in dict.fromkeys(used))
            yield (
                f"{name:18} {method:12} {loss:.4f}   {change:+.4f} ({low:+.4f} to {high:+.4f})"
                f"   {error.value:.4f} ({error.low:.4f} to {error.high:.4f})  {chance:.4f}"
                f"   {by_class:.4f}    {class_chance:.4f}   {chosen if method == 'auto' else ''}"
            )


def _rows(y: Rows, probabilities: Floats, groups: Rows) -> ScoredRows:
    most = probabilities.argmax(axis=1)
    return ScoredRows(y, most, most, probabilities, groups)


def _log_loss(repeats: list[ScoredRows]) -> float:
    return float(np.mean([log_loss(rows.truth, rows.probabilities) for rows in repeats]))


def _calibration_error(repeats: list[ScoredRows], seed: int) -> Interval:
    return mean_intervals(repeats, ScoredRows.measure, seed)[0]["ece"]


def _change(
    repeats: list[ScoredRows], none: list[ScoredRows], seed: int
) -> tuple[float, float, float]:
    """Return the log loss minus that of `none`, with its 95 % interval."""
    truth, rows = none[0].truth, np.arange(len(none[0].truth))
    excess = np.mean(
        [
            np.log(before.probabilities[rows, truth] / after.probabilities[rows, truth])
            for before, after in zip(none, repeats, strict=True)
        ],
        axis=0,
    )
    value, samples = bootstrap(
        lambda counts: {"excess": counts @ excess / counts.sum(axis=1)},
        len(truth),
        groups=none[0].groups,
        seed=seed,
    )
    return percentile_interval(value["excess"], samples["excess"])


def _by_class(repeats: list[ScoredRows], names: list[str], seed: int) -> tuple[float, float]:
    """Return the mean calibration error over classes, and that expected by chance."""
    parts = [part for rows in repeats for part in class_reliability(rows, names, seed).values()]
    return (
        float(np.mean([part.error.value for part in parts])),
        float(np.mean([part.chance for part in parts])),
    )


@click.command(help=__doc__)
@click.argument("data")
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--repeats", default=3, show_default=True, help="Repeats for class_id; coarse has one."
)
@click.option("--jobs", default=1, show_default=True)
@click.option(
    "--kept",
    type=click.Path(path_type=Path),
    help="Folder for features and out-of-fold predictions; empty it after a change of either.",
)
def main(data: str, seed: int, repeats: int, jobs: int, kept: Path | None) -> None:
    """Fit and print a table for each label column."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as temporary:
        for label, title in LABELS.items():
            number = repeats if label == "class_id" else 1
            predictions = member_predictions(
                data, label, repeats=number, seed=seed, jobs=jobs, folder=kept or Path(temporary)
            )
            click.echo(f"\n{title}, {len(predictions.y):,} galaxies, {number} repeat(s)")
            for line in table_lines(predictions, seed):
                click.echo(line)


if __name__ == "__main__":
    main()
