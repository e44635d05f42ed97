"""Options of commands that predict: class frequencies, and prediction sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from galfeat.cli.options import FiniteRange
from galfeat.cli.terminal.progress import progress_bar
from galfeat.cli.terminal.prose import counted
from galfeat.errors import DataError
from galfeat.storage.cells import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from galfeat.classifier import GalaxyClassifier
    from galfeat.data import DataSet
    from galfeat.data.dataset import Progress
    from galfeat.ensemble.population import SetThresholds
    from galfeat.predictions import Predictions

GALAXY10, ESTIMATE = "galaxy10", "estimate"

_TABLE = "a table of class and frequency (.csv, .json or .toml)"
_PUBLISHED = f"{GALAXY10} for those of the published Galaxy10 DECaLS"
_FOLLOW = "Probabilities and decisions follow. [default: those of the training galaxies]"

priors_option = click.option(
    "--priors",
    metavar=f"FILE|{GALAXY10}",
    help=f"Class frequencies of these galaxies: {_TABLE}, or {_PUBLISHED}. {_FOLLOW}",
)

estimated_priors_option = click.option(
    "--priors",
    metavar=f"FILE|{GALAXY10}|{ESTIMATE}",
    help=f"Class frequencies of these galaxies: {_TABLE}, {_PUBLISHED}, or {ESTIMATE} to estimate "
    f"them from the images given. {_FOLLOW}",
)


def set_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of prediction sets."""
    for option in (
        click.option(
            "--calibrate",
            metavar="DATA",
            help="Calibrate the prediction sets on these labelled galaxies, except those the model "
            "was fitted to. [default: on out-of-fold predictions of the fit]",
        ),
        click.option(
            "--coverage",
            metavar="P",
            type=FiniteRange(min=0, max=1, min_open=True, max_open=True),
            help="Also predict a set of classes for each galaxy, which contains its class with "
            "this probability, such as 0.9.",
        ),
    ):
        command = option(command)
    return command


def check_set_options(coverage: float | None, calibrate: str | None) -> None:
    """Raise a usage error for calibration data without a coverage."""
    if calibrate is not None and coverage is None:
        raise click.UsageError("--calibrate is for prediction sets; add --coverage, such as 0.9")


def with_class_frequencies(classifier: GalaxyClassifier, priors: str | None) -> GalaxyClassifier:
    """Return a classifier with the class frequencies of `--priors`; print them on stderr.

    Raises
    ------
    click.UsageError
        If they are to be estimated, which needs all predictions.
    DataError
        If the table cannot be read or does not fit the classes.
    """
    from galfeat.data.catalogue import galaxy10_frequencies, read_frequencies

    if priors is None:
        return classifier
    if priors == ESTIMATE:
        raise click.UsageError(
            f"--priors {ESTIMATE} is an option of galfeat classify; give the frequencies it prints "
            "as a table"
        )
    if priors == GALAXY10:
        frequencies = galaxy10_frequencies([str(name) for name in classifier.classes_])
    else:
        frequencies = read_frequencies(priors)
    try:
        changed = classifier.with_priors(frequencies)
    except DataError as error:
        raise DataError(f"{priors}: {error}") from error
    total = sum(frequencies.values())
    divided = "" if abs(total - 1) < 1e-6 else f", divided by their sum, {total:,.6g}"
    print_frequencies(changed.classes_, changed.assumed_priors_, f"of {priors}{divided}")
    return changed


def print_frequencies(classes: NDArray[Any], priors: NDArray[np.float64], source: str) -> None:
    """Print one line on stderr with the class frequencies in use."""
    shown = ", ".join(f"{name} {prior:.3g}" for name, prior in zip(classes, priors, strict=True))
    click.echo(printable(f"class frequencies {source}: {shown}"), err=True)


def adapted(
    classifier: GalaxyClassifier,
    model: Path,
    *,
    priors: str | None,
    coverage: float | None,
    calibrate: str | None,
    label: str | None = None,
) -> GalaxyClassifier:
    """Return a classifier with the class frequencies and the calibration of the options.

    Prints what was chosen on stderr, and fails before any image is measured that the model
    is to classify.

    Raises
    ------
    DataError
        If the frequencies do not fit the classes, or the calibration galaxies are too few, are all
        training galaxies, or have other classes.
    ModelError
        If there is a coverage, and the model keeps no calibration rows.
    """
    classifier = with_class_frequencies(classifier, priors)
    if calibrate is not None:
        classifier = _calibrated(classifier, model, calibrate, label)
    if coverage is not None:
        _print_sets(classifier, coverage)
    return classifier


def assumptions(classifier: GalaxyClassifier, coverage: float | None) -> dict[str, Any]:
    """Return class frequencies and the calibration of prediction sets, for JSON."""
    names = [str(name) for name in classifier.classes_]
    values: dict[str, Any] = {
        "priors": dict(zip(names, classifier.assumed_priors_.tolist(), strict=True))
    }
    rows = classifier.calibration_rows_
    if coverage is not None and rows is not None:
        pooled = classifier.set_thresholds(coverage).pooled
        values["set_calibration"] = {
            "galaxies": len(rows),
            "out_of_fold": rows.out_of_fold,
            "shared_threshold": [name for name, of in zip(names, pooled, strict=True) if of],
        }
    return values


def _calibrated(
    classifier: GalaxyClassifier, model: Path, data: str, label: str | None
) -> GalaxyClassifier:
    """Return a classifier whose prediction sets are calibrated on labelled galaxies.

    Prints how many galaxies are left out: training galaxies, and images without a class.
    """
    from galfeat.cli.inputs import open_labelled, read_all
    from galfeat.experiments.scoring import true_classes
    from galfeat.model_io.manifest import read_manifest
    from galfeat.model_io.rows import read_rows

    model_column = read_manifest(model)["label_column"]
    dataset = open_labelled(data, label=label, images=None, model_column=model_column)
    true_classes(dataset, classifier.classes_)  # fail early on classes unknown to the model
    dataset, digests = read_all(dataset, classifier.n_jobs)
    learned = read_rows(model).learned(digests, dataset.groups)
    if learned.any():
        click.echo(
            f"{learned.sum()} of {len(dataset)} calibration images are training rows "
            "of this model and are left out",
            err=True,
        )
    if learned.all():
        raise DataError(
            f"all {len(dataset)} images in {data} are training rows of this model; calibrate on "
            "galaxies it was not fitted to"
        )
    remaining = dataset.select(~learned)
    with progress_bar("calibration") as progress:
        changed = classifier.with_calibration(remaining, progress=progress)
    without = len(remaining) - len(changed.calibration_rows_ or ())
    if without:
        click.echo(f"{without} of {len(remaining)} calibration images have no class", err=True)
    return changed


def _print_sets(classifier: GalaxyClassifier, coverage: float) -> None:
    """Print one line on stderr on the prediction sets of a classifier."""
    thresholds = classifier.set_thresholds(coverage)
    rows = classifier.calibration_rows_
    assert rows is not None
    source = "training galaxies, out of fold" if rows.out_of_fold else "labelled galaxies"
    names = [str(name) for name in classifier.classes_]
    text = f"prediction sets of {100 * coverage:g} %, calibrated on {len(rows):,} {source}"
    click.echo(printable(text + shared_text(names, thresholds)), err=True)


def shared_text(names: Sequence[str], thresholds: SetThresholds) -> str:
    """Return a clause on the classes that share a threshold; empty if none does."""
    shared = [
        f"{name} ({count})"
        for name, count, pooled in zip(names, thresholds.counts, thresholds.pooled, strict=True)
        if pooled
    ]
    if not shared:
        return "; each class has its own threshold"
    if len(shared) == len(names):
        return "; all classes share a threshold, so coverage by class may differ"
    return f"; too few for thresholds of their own, these share one: {', '.join(shared)}"


def predicted_batches(
    classifier: GalaxyClassifier,
    dataset: DataSet,
    *,
    priors: str | None,
    coverage: float | None,
    progress: Progress,
) -> Iterator[Predictions]:
    """Yield predictions batch by batch, with sets if there is a coverage.

    To estimate class frequencies, all predictions are kept, about 1 kB for each image.
    """
    batches = classifier.classify_batches(dataset, progress=progress)
    if priors == ESTIMATE:
        batches = _with_estimated_frequencies(batches)
    for batch in batches:
        yield batch if coverage is None else batch.with_sets(coverage)


def _with_estimated_frequencies(batches: Iterator[Predictions]) -> Iterator[Predictions]:
    import numpy as np

    from galfeat.ensemble.population import estimated_priors

    parts = list(batches)
    training = parts[0].priors
    assert training is not None
    estimate = estimated_priors(np.concatenate([part.probabilities for part in parts]), training)
    number = sum(int((part.predicted >= 0).sum()) for part in parts)
    print_frequencies(parts[0].classes, estimate, f"estimated from {counted(number)}")
    for part in parts:
        yield part.with_priors(estimate)
