"""Compare pipelines on the same folds of labelled galaxies, and go on after a kill."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.classifier import GalaxyClassifier, Progress
from galfeat.data import DataSet
from galfeat.data.simulation.rerender import RerenderedDataSet
from galfeat.errors import DataError, PipelineError
from galfeat.evaluate.comparison.paired import Comparison, OutOfFold, compare_predictions
from galfeat.evaluate.learning_curve import SHARES
from galfeat.evaluate.splits import folds as deal_folds
from galfeat.experiments.costs import Costs
from galfeat.experiments.fits import AS_IT_IS, RERENDERED, Galaxies, PipelineFits, PredictionsByPart
from galfeat.features import FeatureExtractor, FeatureTable
from galfeat.features.registry import require_dependencies
from galfeat.pipeline import Pipeline
from galfeat.storage.checkpoint import CheckpointStore
from galfeat.storage.versions import library_versions

#: Gives a function to report progress to, for as long as something named takes.
Stage = Callable[[str], AbstractContextManager[Progress]]


@dataclass(frozen=True)
class Plan:
    """What is to be compared, and how.

    Attributes
    ----------
    pipelines : sequence of Pipeline
        Each with a name of its own.
    folds, repeats, seed : int
        As in `galfeat.evaluate.splits.folds`; the seed also draws everything else.
    jobs : int
        Threads. The result does not depend on it, but for the times.
    learning_curve : bool
        Also fit to 5, 10, 20 and 50 % of the training rows, in the first repeat.
    survey_shift : bool
        Also predict re-rendered test images, in the first repeat.
    """

    pipelines: Sequence[Pipeline]
    folds: int = 5
    repeats: int = 3
    seed: int = 0
    jobs: int = 1
    learning_curve: bool = False
    survey_shift: bool = False

    def check(self, dataset: DataSet) -> None:
        """Find out before the work is done that it cannot be.

        Parameters
        ----------
        dataset : DataSet
            All rows have a label.

        Raises
        ------
        PipelineError
            If two pipelines have the same name.
        DataError
            If a class has fewer rows or groups than there are folds, or there are more
            images than a family of features can measure.
        MissingDependencyError
            If a family of features or a member needs a package that is not installed.
        """
        names = [pipeline.name for pipeline in self.pipelines]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise PipelineError(
                f"two pipelines are called {sorted(twice)[0]!r}; name each once, and give those "
                "in files names of their own"
            )
        for pipeline in self.pipelines:
            require_dependencies(pipeline.measured_families(), len(dataset))
            for member in pipeline.members:
                member.require_dependencies()
        labels, groups = dataset.labels, dataset.groups
        deal_folds(labels, groups, self.folds, class_names=dataset.class_names)


@dataclass(frozen=True)
class Results:
    """What came out of a comparison.

    Attributes
    ----------
    comparison : Comparison
        All pipelines, trained on all training rows, all repeats.
    costs : dict of str to Costs
        Of each pipeline.
    fit_seconds : dict of str to float
        Processor time of a fit, mean over all folds.
    curve : dict of float to Comparison
        All pipelines by share of the training rows, first repeat; empty if not asked for.
    rows_of_share : dict of float to int
        Mean number of training rows of each share.
    shift : dict of str to Comparison
        Of each pipeline, on the same galaxies `AS_IT_IS` and `RERENDERED`, first repeat;
        empty if not asked for.
    """

    comparison: Comparison
    costs: dict[str, Costs]
    fit_seconds: dict[str, float]
    curve: dict[float, Comparison] = field(default_factory=dict)
    rows_of_share: dict[float, int] = field(default_factory=dict)
    shift: dict[str, Comparison] = field(default_factory=dict)

    def spent(self) -> dict[str, dict[str, float]]:
        """Return what each pipeline costs, as plain numbers."""
        return {
            name: {"fit_seconds": self.fit_seconds[name], **costs.to_json()}
            for name, costs in self.costs.items()
        }

    def to_json(self) -> dict[str, Any]:
        """Return everything in plain types, None for what is not finite."""
        plain = self.comparison.to_json()
        for name, costs in self.spent().items():
            plain["pipelines"][name]["costs"] = costs
        if self.curve:
            plain["learning_curve"] = [
                {"share": share, "rows": self.rows_of_share[share], **found.to_json()}
                for share, found in self.curve.items()
            ]
        if self.shift:
            plain["survey_shift"] = {name: found.to_json() for name, found in self.shift.items()}
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
        n galaxies, all with a label and an image that can be read.
    digests : ndarray of uint8, shape (n, 16)
        `galfeat.data.pixel_digest` of each image: equal images are one group.
    folder : str or Path
        Every finished fit is kept in its ``pieces``, and features in its ``features``, so
        that the same call goes on where one before it was stopped.
    stage : callable, optional
        Called with a name at the beginning of each piece of work; gives a context in which
        progress is shown.

    Returns
    -------
    Results

    Raises
    ------
    PipelineError, DataError, MissingDependencyError
        As `Plan.check` does.
    OutputError
        If the folder cannot be written.
    """
    plan.check(dataset)
    galaxies = Galaxies.of(dataset, digests, plan.folds, plan.repeats, plan.seed)
    common = {"data": galaxies.digest, "seed": plan.seed, "folds": plan.folds}
    pieces = CheckpointStore(Path(folder) / "pieces", {**common, "libraries": library_versions()})
    stage = stage or _silence
    shares = SHARES if plan.learning_curve else (1.0,)
    answers: dict[str, PredictionsByPart] = {}
    seconds: dict[str, float] = {}
    costs: dict[str, Costs] = {}
    for families, frame in dict.fromkeys(
        (one.measured_families(), one.frame) for one in plan.pipelines
    ):
        extractor = FeatureExtractor(
            families, frame=frame, n_jobs=plan.jobs, cache=Path(folder) / "features"
        )
        tables = _tables(extractor, dataset, plan, stage)
        for pipeline in plan.pipelines:
            if (pipeline.measured_families(), pipeline.frame) == (families, frame):
                classifier = GalaxyClassifier(pipeline, n_jobs=plan.jobs, random_state=plan.seed)
                fits = PipelineFits(classifier, galaxies, tables, pieces)
                with stage(pipeline.name) as progress:
                    answers[pipeline.name] = fits.run(shares, progress)
                seconds[pipeline.name] = float(np.mean(fits.seconds))
                with stage(f"{pipeline.name}, its cost"):
                    costs[pipeline.name] = fits.costs(dataset)
    with stage("scores") as progress:
        return _results(plan, galaxies, answers, seconds, costs, progress)


@contextlib.contextmanager
def _silence(name: str) -> Iterator[Progress]:
    yield lambda done, total: None


def _tables(
    extractor: FeatureExtractor, dataset: DataSet, plan: Plan, stage: Stage
) -> dict[str, FeatureTable]:
    """Measure the images, as they are and, if asked for, re-rendered."""
    shown: dict[str, DataSet] = {AS_IT_IS: dataset}
    if plan.survey_shift:
        shown[RERENDERED] = RerenderedDataSet(dataset, plan.seed)
    tables = {}
    for view, images in shown.items():
        name = f"features {', '.join(map(str, extractor.families))}"
        with stage(name if view == AS_IT_IS else f"{name}, {view}") as progress:
            tables[view] = extractor.extract(images, progress=progress)
        for row, error in sorted(tables[view].errors.items()):
            raise DataError(f"{dataset.ids[row]}: {error}; it could be read a moment ago")
    return tables


def _results(
    plan: Plan,
    galaxies: Galaxies,
    every: Mapping[str, PredictionsByPart],
    seconds: Mapping[str, float],
    costs: Mapping[str, Costs],
    progress: Progress,
) -> Results:
    """Score what was predicted."""
    names = [pipeline.name for pipeline in plan.pipelines]
    shares = SHARES if plan.learning_curve else ()
    steps = 1 + len(shares) + len(names) * plan.survey_shift
    step = itertools.count()

    def scored(answers: Mapping[str, OutOfFold]) -> Comparison:
        progress(next(step), steps)
        return compare_predictions(
            galaxies.y, answers, galaxies.names, groups=galaxies.groups, seed=plan.seed
        )

    results = Results(
        comparison=scored({name: every[name][1.0, AS_IT_IS] for name in names}),
        costs={name: costs[name] for name in names},
        fit_seconds={name: seconds[name] for name in names},
        curve={
            share: scored({name: every[name][share, AS_IT_IS].first() for name in names})
            for share in shares
        },
        rows_of_share={share: galaxies.mean_rows(share, plan.seed) for share in shares},
        shift={
            name: scored(
                {
                    AS_IT_IS: every[name][1.0, AS_IT_IS].first(),
                    RERENDERED: every[name][1.0, RERENDERED],
                }
            )
            for name in names
            if plan.survey_shift
        },
    )
    progress(steps, steps)
    return results
