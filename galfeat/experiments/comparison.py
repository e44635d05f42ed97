"""Compare pipelines on the same folds of labelled galaxies; resumes after interruption."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.classifier import GalaxyClassifier
from galfeat.data import DataSet
from galfeat.data.dataset import Progress
from galfeat.data.simulation.rerender import RerenderedDataSet
from galfeat.errors import DataError
from galfeat.evaluate.comparison.paired import Comparison, OutOfFold, compare_predictions
from galfeat.evaluate.learning_curve import SHARES
from galfeat.experiments.costs import Costs
from galfeat.experiments.fits import (
    ORIGINAL,
    RERENDERED,
    LabelledRows,
    PipelineFits,
    PredictionsByPart,
)
from galfeat.experiments.plan import Plan
from galfeat.features import FeatureExtractor, FeatureTable
from galfeat.storage.checkpoint import CheckpointStore
from galfeat.storage.versions import library_versions

#: Takes the name of a stage of work; returns a context manager that yields a progress callback.
Stage = Callable[[str], AbstractContextManager[Progress]]


@dataclass(frozen=True)
class Results:
    """Results of a comparison.

    Attributes
    ----------
    comparison : Comparison
        All pipelines, fitted to all training rows, all repeats.
    costs : dict of str to Costs
        Costs of each pipeline.
    fit_seconds : dict of str to float
        Processor time of a fit, mean over all folds.
    curve : dict of float to Comparison
        All pipelines by share of the training rows, first repeat; empty if not requested.
    rows_of_share : dict of float to int
        Mean number of training rows for each share.
    shift : dict of str to Comparison
        For each pipeline, its scores on the same galaxies `ORIGINAL` and `RERENDERED`, first
        repeat; empty if not requested.

    Examples
    --------
    >>> import numpy as np
    >>> from tempfile import TemporaryDirectory
    >>> from galfeat.data import ArrayDataSet
    >>> from galfeat.experiments import Plan, compare
    >>> from galfeat.features import measure_images
    >>> from galfeat.pipeline import load_pipeline
    >>> y, x = np.mgrid[-32:32, -32:32]
    >>> radii = [np.hypot(x, q * y) / size for size in range(4, 10) for q in (1, 4)]
    >>> images = [(20 + 200 * np.exp(-radius)).astype(np.uint8) for radius in radii]
    >>> data = ArrayDataSet(images, labels=["round", "edge-on"] * 6)
    >>> plan = Plan([load_pipeline("hog-svm")], folds=2, repeats=1)
    >>> digests = measure_images(data, ("skimage-hog",), frame=False).digests
    >>> with TemporaryDirectory() as folder:
    ...     results = compare(plan, data, digests, folder)
    >>> results.comparison.n, sorted(results.costs)
    (12, ['hog-svm'])
    """

    comparison: Comparison
    costs: dict[str, Costs]
    fit_seconds: dict[str, float]
    curve: dict[float, Comparison] = field(default_factory=dict)
    rows_of_share: dict[float, int] = field(default_factory=dict)
    shift: dict[str, Comparison] = field(default_factory=dict)

    def costs_by_pipeline(self) -> dict[str, dict[str, float]]:
        """Return the costs of each pipeline as plain numbers."""
        return {
            name: {"fit_seconds": self.fit_seconds[name], **costs.to_json()}
            for name, costs in self.costs.items()
        }

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON, with None in place of non-finite numbers."""
        plain = self.comparison.to_json()
        for name, costs in self.costs_by_pipeline().items():
            plain["pipelines"][name]["costs"] = costs
        if self.curve:
            plain["learning_curve"] = [
                {"share": share, "rows": self.rows_of_share[share], **comparison.to_json()}
                for share, comparison in self.curve.items()
            ]
        if self.shift:
            plain["survey_shift"] = {
                name: comparison.to_json() for name, comparison in self.shift.items()
            }
        return plain


def compare(
    plan: Plan,
    dataset: DataSet,
    digests: NDArray[np.uint8],
    folder: str | Path,
    *,
    stage: Stage | None = None,
) -> Results:
    """Fit and score every pipeline on the same group-aware stratified folds.

    Parameters
    ----------
    plan : Plan
    dataset : DataSet
        n galaxies, all with a label and a readable image.
    digests : ndarray of uint8, shape (n, 16)
        `galfeat.data.pixel_digest` of each image: equal images form a group.
    folder : str or Path
        Completed fits are stored in its subfolder ``checkpoints`` and features in
        ``features``, so the same call resumes after interruption.
    stage : callable, optional
        Takes the name of a stage of work and returns a context manager that yields a progress
        callback.

    Returns
    -------
    Results

    Raises
    ------
    PipelineError, DataError, MissingDependencyError
        As for `Plan.check`.
    OutputError
        If the folder cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> from tempfile import TemporaryDirectory
    >>> from galfeat.data import ArrayDataSet
    >>> from galfeat.experiments import Plan, compare
    >>> from galfeat.features import measure_images
    >>> from galfeat.pipeline import load_pipeline
    >>> y, x = np.mgrid[-32:32, -32:32]
    >>> radii = [np.hypot(x, q * y) / size for size in range(4, 10) for q in (1, 4)]
    >>> images = [(20 + 200 * np.exp(-radius)).astype(np.uint8) for radius in radii]
    >>> data = ArrayDataSet(images, labels=["round", "edge-on"] * 6)
    >>> plan = Plan([load_pipeline("hog-svm"), load_pipeline("pixels-forest")], folds=2, repeats=1)
    >>> digests = measure_images(data, ("skimage-hog",), frame=False).digests
    >>> with TemporaryDirectory() as folder:
    ...     results = compare(plan, data, digests, folder)
    >>> results.comparison.scores["hog-svm"]["accuracy"].mean
    1.0
    """
    plan.check(dataset)
    labelled = LabelledRows.of(dataset, digests, plan.folds, plan.repeats, plan.seed)
    common = {"data": labelled.digest, "seed": plan.seed, "folds": plan.folds}
    checkpoints = CheckpointStore(
        Path(folder) / "checkpoints", {**common, "libraries": library_versions()}
    )
    stage = stage or silence
    shares = SHARES if plan.learning_curve else (1.0,)
    predictions: dict[str, PredictionsByPart] = {}
    seconds: dict[str, float] = {}
    costs: dict[str, Costs] = {}
    for families, frame in dict.fromkeys(
        (pipeline.measured_families(), pipeline.frame) for pipeline in plan.pipelines
    ):
        extractor = FeatureExtractor(
            families, frame=frame, n_jobs=plan.jobs, cache=Path(folder) / "features"
        )
        tables = _tables(extractor, dataset, plan, stage)
        for pipeline in plan.pipelines:
            if (pipeline.measured_families(), pipeline.frame) == (families, frame):
                classifier = GalaxyClassifier(pipeline, n_jobs=plan.jobs, random_state=plan.seed)
                fits = PipelineFits(classifier, labelled, tables, checkpoints)
                with stage(pipeline.name) as progress:
                    predictions[pipeline.name] = fits.run(shares, progress)
                seconds[pipeline.name] = float(np.mean(fits.seconds))
                with stage(f"{pipeline.name}, cost"):
                    costs[pipeline.name] = fits.costs(dataset)
    with stage("scores") as progress:
        return _results(plan, labelled, predictions, seconds, costs, progress)


@contextlib.contextmanager
def silence(name: str) -> Iterator[Progress]:
    """Yield a progress callback that shows nothing."""
    yield lambda done, total: None


def _tables(
    extractor: FeatureExtractor, dataset: DataSet, plan: Plan, stage: Stage
) -> dict[str, FeatureTable]:
    """Extract features of the original images and, if requested, of re-rendered ones."""
    views: dict[str, DataSet] = {ORIGINAL: dataset}
    if plan.survey_shift:
        views[RERENDERED] = RerenderedDataSet(dataset, plan.seed)
    tables = {}
    for view, images in views.items():
        name = f"features {', '.join(map(str, extractor.families))}"
        with stage(name if view == ORIGINAL else f"{name}, {view}") as progress:
            tables[view] = extractor.extract(images, progress=progress)
        for row, error in sorted(tables[view].errors.items()):
            raise DataError(
                f"{dataset.ids[row]}: {error}; it was readable before: do not change the data "
                "during a comparison"
            )
    return tables


def _results(
    plan: Plan,
    labelled: LabelledRows,
    predictions: Mapping[str, PredictionsByPart],
    seconds: Mapping[str, float],
    costs: Mapping[str, Costs],
    progress: Progress,
) -> Results:
    """Score the predictions."""
    names = [pipeline.name for pipeline in plan.pipelines]
    shares = SHARES if plan.learning_curve else ()
    steps = 1 + len(shares) + len(names) * plan.survey_shift
    step = itertools.count()

    def scored(out_of_fold: Mapping[str, OutOfFold]) -> Comparison:
        progress(next(step), steps)
        return compare_predictions(
            labelled.y, out_of_fold, labelled.names, groups=labelled.groups, seed=plan.seed
        )

    results = Results(
        comparison=scored({name: predictions[name][1.0, ORIGINAL] for name in names}),
        costs={name: costs[name] for name in names},
        fit_seconds={name: seconds[name] for name in names},
        curve={
            share: scored({name: predictions[name][share, ORIGINAL].first() for name in names})
            for share in shares
        },
        rows_of_share={share: labelled.mean_rows(share, plan.seed) for share in shares},
        shift={
            name: scored(
                {
                    ORIGINAL: predictions[name][1.0, ORIGINAL].first(),
                    RERENDERED: predictions[name][1.0, RERENDERED],
                }
            )
            for name in names
            if plan.survey_shift
        },
    )
    progress(steps, steps)
    return results
