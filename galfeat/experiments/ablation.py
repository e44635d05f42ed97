"""Refit a model without each feature family and score it on the same galaxies."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import clone

from galfeat.data.duplicates import find_groups
from galfeat.errors import DataError, PipelineError
from galfeat.evaluate.comparison.left_out import Ablation, measure_ablation
from galfeat.evaluate.comparison.paired import OutOfFold
from galfeat.experiments.scoring import Scored, true_classes
from galfeat.features import FeatureTable
from galfeat.storage.scratch import take

if TYPE_CHECKING:
    from galfeat.classifier import GalaxyClassifier, Predictions
    from galfeat.data import DataSet
    from galfeat.data.dataset import Progress
    from galfeat.pipeline import Pipeline


def check_ablation(classifier: GalaxyClassifier, training: DataSet, n_training: int) -> None:
    """Check early that a model can be refitted for an ablation.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted.
    training : DataSet
        The available galaxies it was fitted to, all labelled.
    n_training : int
        Number of galaxies it was fitted to.

    Raises
    ------
    PipelineError
        If no family of its pipeline can be left out.
    DataError
        If galaxies are missing or their labels have changed.
    MissingDependencyError
        If a member needs a package that is not installed.
    """
    pipeline = classifier.pipeline_
    if not any(without(pipeline, family) for family in pipeline.families):
        raise PipelineError(
            f"the pipeline {pipeline.name!r} cannot be fitted without "
            f"{' or '.join(pipeline.families)}, so no family can be left out; skip the ablation"
        )
    if len(training) < n_training:
        raise DataError(
            f"the data have {len(training):,} of the {n_training:,} galaxies the model was fitted "
            "to, and refitting needs all of them: use the data set that was given to "
            "`galfeat fit`, or skip the ablation"
        )
    expected = np.rint(classifier.priors_ * n_training)
    truth = true_classes(training, classifier.classes_)
    if not np.array_equal(np.bincount(truth, minlength=len(expected)), expected):
        raise DataError(
            "the labels of the galaxies the model was fitted to have changed; use the data set "
            "and the label column that were given to `galfeat fit`"
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
    """Measure the loss in a model's scores without each feature family.

    The pipeline is refitted without the columns of one family at a time; members that use no
    other family are dropped with it. It is also refitted with all families and another seed,
    to measure the variation between fits.

    Parameters
    ----------
    scored : Scored
        The fitted classifier and its scores on galaxies it was not fitted to.
    training : DataSet
        The galaxies it was fitted to; see `galfeat.experiments.ablation.check_ablation`.
    table : FeatureTable
        Their features.
    seed : int
        Seed of the bootstrap.
    progress : callable, optional
        Called with the number of completed fits and the total number.

    Returns
    -------
    Ablation
        Independent of the number of threads.

    Examples
    --------
    A pipeline with three feature families:

    >>> import numpy as np
    >>> from galfeat import GalaxyClassifier
    >>> from galfeat.data import ArrayDataSet
    >>> from galfeat.experiments import ablate, score
    >>> from galfeat.features import measure_images
    >>> y, x = np.mgrid[-32:32, -32:32]
    >>> radii = [np.hypot(x, q * y) / size for size in range(4, 16) for q in (1, 4)]
    >>> images = [(20 + 200 * np.exp(-radius)).astype(np.uint8) for radius in radii]
    >>> data = ArrayDataSet(images, labels=["round", "edge-on"] * 12)
    >>> train, test = np.arange(16), np.arange(16, 24)
    >>> classifier = GalaxyClassifier("raw-features").fit(data.select(train))
    >>> table = measure_images(data, classifier.pipeline_.families, frame=False)
    >>> scored = score(classifier, data.select(test), table.select(test))
    >>> ablation = ablate(scored, data.select(train), table.select(train))
    >>> sorted(ablation.families)
    ['colour', 'hog', 'radial']
    """
    classifier, pipeline = scored.classifier, scored.classifier.pipeline_
    reduced = {family: without(pipeline, family) for family in pipeline.families}
    fits: list[tuple[str, Pipeline, int]] = [("", pipeline, int(classifier.random_state) + 1)]
    fits += [
        (family, rest, int(classifier.random_state)) for family, rest in reduced.items() if rest
    ]
    names = [str(name) for name in classifier.classes_]
    y = true_classes(training, classifier.classes_)
    groups = find_groups(table.digests, groups=training.groups).groups
    predictions = {}
    for done, (family, rest, random_state) in enumerate(fits):
        progress(done, len(fits))
        fitted: GalaxyClassifier = clone(classifier).set_params(
            pipeline=rest, random_state=random_state
        )
        fitted.fit_table(_table_without(table, family), y, groups, class_names=names)
        predictions[family] = _predictions(
            fitted.classify_table(_table_without(scored.table, family))
        )
    progress(len(fits), len(fits))
    return measure_ablation(
        scored.truth,
        _predictions(scored.predictions),
        predictions.pop(""),
        predictions,
        names,
        groups=scored.dataset.groups,
        indispensable=[family for family, rest in reduced.items() if rest is None],
        n_training=len(y),
        seed=seed,
    )


def _predictions(predictions: Predictions) -> OutOfFold:
    """Return predictions as a single repeat."""
    return OutOfFold(predictions.probabilities[None], predictions.predicted[None])


def without(pipeline: Pipeline, family: str) -> Pipeline | None:
    """Return a pipeline without a family, or None if no member would remain.

    Members that use no other family are dropped.
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
    """Return a table without the columns of a family; no copy if it has none."""
    kept = [k for k, name in enumerate(table.names) if name.split(".", 1)[0] != family]
    if len(kept) == len(table.names):
        return table
    names = tuple(table.names[k] for k in kept)
    values = take(table.values, np.arange(len(table.values)), np.array(kept))
    return FeatureTable(values, names, table.digests, table.errors)
