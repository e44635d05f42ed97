"""Fit a model again without each family of features, and score it on the same galaxies."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import clone

from galfeat.errors import DataError, PipelineError
from galfeat.evaluate.comparison.left_out import Ablation, measure_ablation
from galfeat.evaluate.comparison.paired import OutOfFold
from galfeat.experiments.cross_validation import group_duplicates
from galfeat.experiments.scoring import Scored, true_classes
from galfeat.features import FeatureTable

if TYPE_CHECKING:
    from galfeat.classifier import GalaxyClassifier, Progress
    from galfeat.data import DataSet
    from galfeat.pipeline import Pipeline


def check_ablation(classifier: GalaxyClassifier, training: DataSet, n_training: int) -> None:
    """Find out before the work is done that a model cannot be fitted again.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted.
    training : DataSet
        The galaxies at hand that it was fitted to, all with a label.
    n_training : int
        How many it was fitted to.

    Raises
    ------
    PipelineError
        If no family of its pipeline can be left out.
    DataError
        If galaxies are missing, or have other labels now.
    MissingDependencyError
        If a member needs a package that is not installed.
    """
    pipeline = classifier.pipeline_
    if not any(without(pipeline, family) for family in pipeline.families):
        raise PipelineError(
            f"the pipeline {pipeline.name!r} cannot do without {' or '.join(pipeline.families)}: "
            "no member would be left to fit; leave the ablation out"
        )
    if len(training) < n_training:
        raise DataError(
            f"the data hold {len(training):,} of the {n_training:,} galaxies the model was fitted "
            "to, and fitting again needs all of them: give the data set that `galfeat fit` was "
            "given, or leave the ablation out"
        )
    wanted = np.rint(classifier.priors_ * n_training)
    truth = true_classes(training, classifier.classes_)
    if not np.array_equal(np.bincount(truth, minlength=len(wanted)), wanted):
        raise DataError(
            "the galaxies the model was fitted to do not have the labels they were fitted with; "
            "give the data set, and the column of labels, that `galfeat fit` was given"
        )
    for member in pipeline.members:
        member.require_dependencies()


def ablate(
    scored: Scored,
    training: DataSet,
    table: FeatureTable,
    *,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> Ablation:
    """Measure what a model's scores lose without each family of features.

    Each time the pipeline is fitted again without the columns of one family. A member that
    was given no other family is left out with it. Once more it is fitted with nothing left
    out and with another seed, which shows how much is luck of the fit.

    Parameters
    ----------
    scored : Scored
        The fitted classifier and its scores on galaxies it was not fitted to.
    training : DataSet
        The galaxies it was fitted to; see `check_ablation`.
    table : FeatureTable
        Their features.
    seed : int
        Seed of the bootstrap.
    progress : callable, optional
        Called with the number of fits done and of all fits.

    Returns
    -------
    Ablation
        The same for any number of threads.
    """
    classifier, pipeline = scored.classifier, scored.classifier.pipeline_
    lesser = {family: without(pipeline, family) for family in pipeline.families}
    todo: list[tuple[str, Pipeline, int]] = [("", pipeline, int(classifier.random_state) + 1)]
    todo += [
        (family, rest, int(classifier.random_state)) for family, rest in lesser.items() if rest
    ]
    names = [str(name) for name in classifier.classes_]
    y = true_classes(training, classifier.classes_)
    groups = group_duplicates(training.groups, table.digests)
    answers = {}
    for done, (family, rest, random_state) in enumerate(todo):
        progress(done, len(todo))
        fitted: GalaxyClassifier = clone(classifier).set_params(
            pipeline=rest, random_state=random_state
        )
        fitted.fit_table(_table_without(table, family), y, groups, class_names=names)
        said = fitted.classify_table(_table_without(scored.table, family))
        answers[family] = OutOfFold(said.probabilities[None], said.predicted[None])
    progress(len(todo), len(todo))
    said = scored.predictions
    return measure_ablation(
        scored.truth,
        OutOfFold(said.probabilities[None], said.predicted[None]),
        answers.pop(""),
        answers,
        names,
        groups=scored.dataset.groups,
        only=[family for family, rest in lesser.items() if rest is None],
        n_training=len(y),
        seed=seed,
    )


def without(pipeline: Pipeline, family: str) -> Pipeline | None:
    """Return a pipeline with a family left out; None if no member would be left.

    A member that is given no other family is left out with it.
    """
    families = tuple(name for name in pipeline.families if name != family)
    members = tuple(
        dataclasses.replace(
            member, families=tuple(name for name in member.families if name != family)
        )
        for member in pipeline.members
        if set(member.families) != {family}
    )
    if not families or not members:
        return None
    embedding = None if family == "embedding" else pipeline.embedding
    return dataclasses.replace(pipeline, families=families, members=members, embedding=embedding)


def _table_without(table: FeatureTable, family: str) -> FeatureTable:
    """Return a table without the columns of a family; the table itself without one."""
    kept = [k for k, name in enumerate(table.names) if name.split(".", 1)[0] != family]
    if len(kept) == len(table.names):
        return table
    names = tuple(table.names[k] for k in kept)
    return FeatureTable(table.values[:, kept], names, table.digests, table.errors)
