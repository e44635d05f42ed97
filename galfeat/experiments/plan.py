"""Settings of a comparison of pipelines, checked before the first fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from galfeat.data import DataSet
from galfeat.ensemble.simulated import simulated_classes
from galfeat.errors import PipelineError
from galfeat.evaluate.splits import outer_folds
from galfeat.features.registry import require_dependencies
from galfeat.pipeline import Pipeline


@dataclass(frozen=True)
class Plan:
    """Settings of a comparison.

    Attributes
    ----------
    pipelines : sequence of Pipeline
        Their names must be unique.
    folds, repeats, seed : int
        As for `galfeat.evaluate.outer_folds`; the seed is also used everywhere else.
    jobs : int
        Threads. Only the measured times depend on it.
    learning_curve : bool
        Also fit to 5, 10, 20 and 50 % of the training rows, in the first repeat.
    survey_shift : bool
        Also predict re-rendered test images, in the first repeat.

    Examples
    --------
    >>> from galfeat.experiments import Plan
    >>> from galfeat.pipeline import load_pipeline
    >>> plan = Plan([load_pipeline("lightgbm"), load_pipeline("xgboost")], repeats=2)
    >>> plan.folds, plan.repeats
    (5, 2)
    """

    pipelines: Sequence[Pipeline]
    folds: int = 5
    repeats: int = 3
    seed: int = 0
    jobs: int = 1
    learning_curve: bool = False
    survey_shift: bool = False

    def check(self, dataset: DataSet) -> None:
        """Check early that the comparison can be carried out.

        Parameters
        ----------
        dataset : DataSet
            All rows are labelled.

        Raises
        ------
        PipelineError
            If two pipelines have the same name, or one adds simulated galaxies and none of the
            classes can be simulated.
        DataError
            If a class has fewer rows or groups than folds, or a feature family cannot measure
            this many images.
        MissingDependencyError
            If a feature family or a member needs a package that is not installed.
        """
        names = [pipeline.name for pipeline in self.pipelines]
        duplicates = {name for name in names if names.count(name) > 1}
        if duplicates:
            raise PipelineError(
                f"two pipelines are called {sorted(duplicates)[0]!r}; list each one once and give "
                "pipeline files unique names"
            )
        for pipeline in self.pipelines:
            require_dependencies(pipeline.measured_families(), len(dataset))
            for member in pipeline.members:
                member.require_dependencies()
            if pipeline.balance == "simulate":
                simulated_classes(dataset.class_names)
        labels, groups = dataset.labels, dataset.groups
        outer_folds(labels, groups, self.folds, class_names=dataset.class_names)
