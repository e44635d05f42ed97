"""Audit, split, fit and score; resumes after interruption."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from galfeat.classifier import GalaxyClassifier
from galfeat.data import DataSet
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.duplicates import Grouping, find_groups_in
from galfeat.evaluate.audit import Audit
from galfeat.evaluate.benchmark import Benchmark, CurvePoint, SplitSummary
from galfeat.evaluate.comparison.paired import Comparison, OutOfFold, compare_predictions
from galfeat.evaluate.learning_curve import rows_per_class
from galfeat.experiments.benchmark.fits import Fit, SplitFits
from galfeat.experiments.benchmark.plan import BenchmarkPlan, audit_pipeline, galaxy10_classes
from galfeat.experiments.benchmark.split import Mask, Rows, Split, make_split
from galfeat.experiments.benchmark.tables import Tables, blank_images, measure_tables
from galfeat.experiments.comparison import Stage, silence
from galfeat.experiments.label_audit import audit
from galfeat.features import FeatureTable
from galfeat.features.registry import column_names, trained_on
from galfeat.storage.checkpoint import CheckpointStore
from galfeat.storage.versions import library_versions

#: Labels per class of the learning curves, before all.
LABELS = (20, 70, 200)
_AUDIT_FOLDS = 3


class Finished(NamedTuple):
    """Results of a benchmark, and the part of each row.

    Attributes
    ----------
    benchmark : Benchmark
    split : Split
    """

    benchmark: Benchmark
    split: Split


def run_benchmark(
    plan: BenchmarkPlan, dataset: DataSet, folder: str | Path, *, stage: Stage | None = None
) -> Finished:
    """Audit a data set, divide it once, and fit and score every pipeline.

    Parameters
    ----------
    plan : BenchmarkPlan
    dataset : DataSet
        n galaxies of the ten classes of Galaxy10 DECaLS, all with a label. Images that cannot be
        read, blank images, and rows that show one galaxy with different labels are in neither
        part, nor are those that networks of the pipelines were trained on.
    folder : str or Path
        Completed fits are stored in its subfolder ``checkpoints`` and features in ``features``,
        so the same call resumes after interruption.
    stage : callable, optional
        As for `galfeat.experiments.compare`.

    Returns
    -------
    Finished

    Raises
    ------
    PipelineError, DataError, MissingDependencyError
        As for `BenchmarkPlan.check`.
    OutputError
        If the folder cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from galfeat.data import ArrayDataSet
    >>> from galfeat.data.simulation import simulate
    >>> from galfeat.experiments.benchmark import BenchmarkPlan, run_benchmark
    >>> from galfeat.pipeline import load_pipeline
    >>> drawn = simulate(100, seed=1, class_counts=[10] * 10)
    >>> names = [drawn.class_names[label] for label in drawn.labels]
    >>> plan = BenchmarkPlan([load_pipeline("hog-svm")])
    >>> with TemporaryDirectory() as folder:
    ...     finished = run_benchmark(plan, ArrayDataSet(drawn.images, labels=names), folder)
    >>> finished.benchmark.split.n_test
    20
    """
    plan.check(dataset)
    folder, stage = Path(folder), stage or silence
    tables = measure_tables(plan, dataset, folder, stage)
    y = galaxy10_classes(dataset)
    table = tables.table_of(audit_pipeline())
    grouping = find_groups_in(dataset, table.digests, table.sketches, y)
    split = make_split(
        y,
        grouping.groups,
        table.digests,
        unusable={
            "unreadable": tables.unreadable(),
            "with conflicting labels": grouping.conflicting,
            "blank": blank_images(dataset, table),
        },
        learned=_learned(plan, table, grouping),
        test_size=plan.test_size,
        seed=plan.seed,
        class_names=GALAXY10_DECALS,
    )
    data = hashlib.sha256(table.digests.tobytes() + y.tobytes() + grouping.groups.tobytes())
    common = {"data": data.hexdigest(), "seed": plan.seed, "libraries": library_versions()}
    checkpoints = CheckpointStore(folder / "checkpoints", common)
    with stage("audit"):
        audited = _audited(plan, dataset, tables, grouping, checkpoints)
    fits = SplitFits(
        y, grouping.groups, GALAXY10_DECALS, split.test, checkpoints, folder / "features"
    )
    results = _fitted(plan, fits, tables, split, stage)
    with stage("scores"):
        benchmark = _scored(plan, fits, results, split, audited)
    return Finished(benchmark, split)


def _learned(plan: BenchmarkPlan, table: FeatureTable, grouping: Grouping) -> Mask:
    """Return which rows show a galaxy that a network was trained on, shape (n,)."""
    families = {
        family: None for pipeline in plan.pipelines for family in pipeline.measured_families()
    }
    learned = trained_on(list(families), table.digests)
    result: Mask = np.isin(grouping.copies, grouping.copies[learned])
    return result


def _audited(
    plan: BenchmarkPlan,
    dataset: DataSet,
    tables: Tables,
    grouping: Grouping,
    checkpoints: CheckpointStore,
) -> Audit:
    """Return an audit, whose predictions are a checkpoint."""
    pipeline = audit_pipeline()
    _, columns, digest = tables.of(pipeline)
    key = {"audit": pipeline.to_dict(), "features": digest, "folds": _AUDIT_FOLDS}
    table = tables.table_of(pipeline)
    stored = checkpoints.get(key)
    if stored is None:
        classifier = GalaxyClassifier(pipeline, n_jobs=plan.jobs, random_state=plan.seed)
        part = FeatureTable(
            table.values[:, columns], column_names(pipeline.families), table.digests, table.errors
        )
        result = audit(classifier, dataset, part, grouping, folds=_AUDIT_FOLDS, seed=plan.seed)
        stored = {
            "probabilities": result.probabilities,
            "flags": np.array(result.flags, dtype=np.str_),
            "not_galaxies": np.array(list(result.not_galaxies), dtype=np.intp),
            "reasons": np.array(list(result.not_galaxies.values()), dtype=np.str_),
        }
        checkpoints.put(key, stored)
    return Audit(
        ids=dataset.ids.tolist(),
        classes=dataset.class_names,
        given=dataset.labels,
        probabilities=stored["probabilities"],
        flags=stored["flags"].tolist(),
        not_galaxies=dict(
            zip(stored["not_galaxies"].tolist(), stored["reasons"].tolist(), strict=True)
        ),
        grouping=grouping,
        unreadable=table.errors,
    )


def _fitted(
    plan: BenchmarkPlan, fits: SplitFits, tables: Tables, split: Split, stage: Stage
) -> dict[str, dict[int | None, tuple[Fit, int]]]:
    """Return the fits of each pipeline by labels per class, with their numbers of rows."""
    parts = training_parts(fits.y, split.train, plan.seed)
    results = {}
    for pipeline in plan.pipelines:
        classifier = GalaxyClassifier(
            pipeline,
            n_jobs=plan.jobs,
            random_state=plan.seed,
            cache=fits.folder,
        )
        inputs = tables.of(pipeline)
        of_pipeline: dict[int | None, tuple[Fit, int]] = {}
        with stage(pipeline.name) as progress:
            for done, (labels, rows) in enumerate(parts.items()):
                progress(done, len(parts))
                of_pipeline[labels] = fits.fit(classifier, *inputs, rows), len(rows)
            progress(len(parts), len(parts))
        results[pipeline.name] = of_pipeline
    return results


def training_parts(y: Rows, train: Rows, seed: int) -> dict[int | None, Rows]:
    """Return nested parts of the training rows by labels per class, ending with all, None.

    Numbers of labels that no class exceeds are left out.
    """
    largest = np.bincount(y[train]).max()
    numbers = [number for number in LABELS if number < largest]
    drawn = rows_per_class(y[train], numbers, np.random.default_rng([seed, *LABELS]))
    parts: dict[int | None, Rows] = {
        number: train[rows] for number, rows in zip(numbers, drawn, strict=True)
    }
    return parts | {None: train}


def _scored(
    plan: BenchmarkPlan,
    fits: SplitFits,
    results: dict[str, dict[int | None, tuple[Fit, int]]],
    split: Split,
    audited: Audit,
) -> Benchmark:
    """Score the predictions."""
    truth, groups = fits.y[split.test], fits.groups[split.test]

    def scored(predictions: dict[str, OutOfFold]) -> Comparison:
        return compare_predictions(truth, predictions, fits.names, groups=groups, seed=plan.seed)

    points = []
    for labels in next(iter(results.values())):
        at_labels = {name: parts[labels] for name, parts in results.items()}
        comparison = scored({name: fit.predictions for name, (fit, _) in at_labels.items()})
        points.append(CurvePoint(labels, next(iter(at_labels.values()))[1], comparison))
    whole = {name: parts[None][0] for name, parts in results.items()}
    messages = {f"{name}: {text}": None for name, fit in whole.items() for text in fit.warnings}
    return Benchmark(
        comparison=points[-1].comparison,
        costs={
            name: {"fit_seconds": fit.seconds, "peak_memory_mb": fit.memory_mb}
            for name, fit in whole.items()
        },
        curve=tuple(points) if len(points) > 1 else (),
        split=SplitSummary(
            digest=split.digest,
            test_size=plan.test_size,
            seed=plan.seed,
            training=_counts(fits.y[split.train], fits.names),
            test=_counts(truth, fits.names),
            left_out={reason: len(rows) for reason, rows in split.left_out.items()},
        ),
        audit=audited,
        warnings=tuple(messages),
    )


def _counts(y: NDArray[np.integer], names: Sequence[str]) -> dict[str, int]:
    counts = np.bincount(y, minlength=len(names)).tolist()
    return dict(zip(names, counts, strict=True))
