"""Settings of a benchmark, checked before the first image is measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from galfeat.data import DataSet
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.limits import listed
from galfeat.errors import DataError
from galfeat.experiments.plan import Plan
from galfeat.features.registry import column_names
from galfeat.pipeline import Member, Pipeline, load_pipeline

#: Minimum number of galaxies of each class.
MIN_GALAXIES = 10


@dataclass(frozen=True)
class BenchmarkPlan:
    """Settings of a benchmark.

    Attributes
    ----------
    pipelines : sequence of Pipeline
        Their names must be unique.
    test_size : float
        Share of test galaxies, between 0 and 1 (exclusive).
    seed : int
        Seed of the split, and of everything else.
    jobs : int
        Threads. Only the measured times depend on it.

    Examples
    --------
    >>> from galfeat.experiments.benchmark import BenchmarkPlan
    >>> from galfeat.pipeline import load_pipeline
    >>> BenchmarkPlan([load_pipeline("lightgbm")]).test_size
    0.2
    """

    pipelines: Sequence[Pipeline]
    test_size: float = 0.2
    seed: int = 0
    jobs: int = 1

    def check(self, dataset: DataSet) -> None:
        """Check early that the benchmark can be carried out.

        Parameters
        ----------
        dataset : DataSet
            All rows are labelled.

        Raises
        ------
        PipelineError
            If two pipelines have the same name.
        DataError
            If the classes are not those of Galaxy10 DECaLS, or a class has too few galaxies.
        MissingDependencyError
            If a feature family or a member needs a package that is not installed.
        ModelError
            If an external network cannot be run.
        """
        counts = np.bincount(galaxy10_classes(dataset), minlength=len(GALAXY10_DECALS))
        for name, count in zip(GALAXY10_DECALS, counts.tolist(), strict=True):
            if count < MIN_GALAXIES:
                raise DataError(
                    f"class {name!r} has {count} galaxies; the benchmark needs at least "
                    f"{MIN_GALAXIES} of each class: add galaxies of it"
                )
        Plan(self.pipelines, folds=2, repeats=1).check(dataset)
        for pipeline in self.pipelines:
            column_names(pipeline.measured_families())  # runs an external network once


def galaxy10_classes(dataset: DataSet) -> NDArray[np.intp]:
    """Return the class of each row as an index into `GALAXY10_DECALS`, shape (n,).

    Raises
    ------
    DataError
        If a row has another class, or there are no rows of a class.
    """
    number = {name.casefold(): index for index, name in enumerate(GALAXY10_DECALS)}
    codes = np.array([number.get(name.casefold(), -1) for name in dataset.class_names], np.intp)
    present = np.unique(dataset.labels)
    unknown = [dataset.class_names[label] for label in present if codes[label] < 0]
    if unknown:
        raise DataError(
            f"the data have the class {unknown[0]!r} in {dataset.label_column!r}, which Galaxy10 "
            f"DECaLS does not have; its classes are {listed(GALAXY10_DECALS)}: give other data, "
            "or the column of these classes with --label"
        )
    missing = np.setdiff1d(np.arange(len(GALAXY10_DECALS)), codes[present])
    if len(missing):
        raise DataError(
            f"the data have no galaxies of class {GALAXY10_DECALS[missing[0]]!r}; the benchmark "
            "needs all ten classes of Galaxy10 DECaLS: give other data"
        )
    return codes[dataset.labels]


def audit_pipeline() -> Pipeline:
    """Return the pipeline that looks for wrong labels: `lightgbm` with fewer trees.

    Its probabilities are not calibrated, which takes five more fits and hardly changes the ranking.
    """
    pipeline = load_pipeline("lightgbm")
    (member,) = pipeline.members
    params = {**member.params, "n_estimators": 80, "learning_rate": 0.15}
    return dataclasses.replace(pipeline, members=(Member(member.kind, params),), calibration="none")


def transfer_pipeline(weights: Path) -> Pipeline:
    """Return the pipeline `transfer` with local weights.

    Parameters
    ----------
    weights : Path
        An ONNX file, which is the whole network, or weights of the network that the pipeline names.
    """
    pipeline = load_pipeline("transfer")
    assert pipeline.embedding is not None
    settings = pipeline.embedding
    if weights.suffix.lower() == ".onnx":
        settings = dataclasses.replace(settings, backbone=str(weights))
    else:
        settings = dataclasses.replace(settings, weights=str(weights))
    return dataclasses.replace(pipeline, embedding=settings)
