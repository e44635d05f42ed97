"""Score a fitted model on a data set: select rows, match classes, evaluate and report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from galfeat.ensemble import decide
from galfeat.errors import DataError, ImageError
from galfeat.evaluate.evaluation import Evaluation, evaluate_predictions
from galfeat.evaluate.importances import importance_rows
from galfeat.evaluate.score_summary import OTHER_DECISION
from galfeat.features.table import joined
from galfeat.predictions import Predictions, classified_rows

if TYPE_CHECKING:
    from galfeat.classifier import GalaxyClassifier
    from galfeat.data import DataSet
    from galfeat.data.dataset import Progress
    from galfeat.evaluate.comparison.left_out import Ablation
    from galfeat.evaluate.importances import Importances
    from galfeat.evaluate.soft import SoftEvaluation
    from galfeat.features import FeatureTable


def true_classes(dataset: DataSet, classes: NDArray[np.str_]) -> NDArray[np.intp]:
    """Return the true class of each row as an index into a model's classes.

    Parameters
    ----------
    dataset : DataSet
        All rows are labelled.
    classes : ndarray of str, shape (k,)
        The classes of the model.

    Raises
    ------
    DataError
        If the model does not have the class of a row.
    """
    index = {str(name): position for position, name in enumerate(classes)}
    names = [dataset.class_names[label] for label in dataset.labels]
    unknown = sorted(set(names) - index.keys())
    if unknown:
        raise DataError(
            f"the data have the class {unknown[0]!r} in {dataset.label_column!r}, which the model "
            f"does not have; its classes are {', '.join(index)}: give another column with --label"
        )
    return np.array([index[name] for name in names], dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Scored:
    """A fitted model, its predictions for n labelled galaxies, and their evaluation.

    Attributes
    ----------
    classifier : GalaxyClassifier
    dataset : DataSet
    table : FeatureTable
        Features of the galaxies in `table_rows`.
    table_rows : ndarray of int
        All galaxies, or those that importances are measured on.
    truth : ndarray of int, shape (n,)
        True class of each galaxy, as an index into the model's classes.
    predictions : Predictions
    evaluation : Evaluation

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat import GalaxyClassifier
    >>> from galfeat.data import ArrayDataSet
    >>> from galfeat.experiments import score
    >>> from galfeat.features import measure_images
    >>> y, x = np.mgrid[-32:32, -32:32]
    >>> radii = [np.hypot(x, q * y) / size for size in range(4, 10) for q in (1, 4)]
    >>> images = [(20 + 200 * np.exp(-radius)).astype(np.uint8) for radius in radii]
    >>> data = ArrayDataSet(images, labels=["round", "edge-on"] * 6)
    >>> table = measure_images(data, ("skimage-hog",), frame=False)
    >>> scored = score(GalaxyClassifier("hog-svm").fit(data), data, table)
    >>> scored.truth.tolist() == scored.predictions.predicted.tolist()
    True
    """

    classifier: GalaxyClassifier
    dataset: DataSet
    table: FeatureTable
    table_rows: NDArray[np.intp]
    truth: NDArray[np.intp]
    predictions: Predictions
    evaluation: Evaluation


def score(
    classifier: GalaxyClassifier, dataset: DataSet, table: FeatureTable, *, seed: int = 0
) -> Scored:
    """Score a fitted classifier on labelled galaxies.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted.
    dataset : DataSet
        n galaxies, all labelled, with their sources and groups, which are resampled together.
    table : FeatureTable
        Their features.
    seed : int
        Seed of the bootstrap.

    Raises
    ------
    DataError
        If the model does not have the class of a galaxy.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat import GalaxyClassifier
    >>> from galfeat.data import ArrayDataSet
    >>> from galfeat.experiments import score
    >>> from galfeat.features import measure_images
    >>> y, x = np.mgrid[-32:32, -32:32]
    >>> radii = [np.hypot(x, q * y) / size for size in range(4, 10) for q in (1, 4)]
    >>> images = [(20 + 200 * np.exp(-radius)).astype(np.uint8) for radius in radii]
    >>> data = ArrayDataSet(images, labels=["round", "edge-on"] * 6)
    >>> table = measure_images(data, ("skimage-hog",), frame=False)
    >>> train, test = np.arange(8), np.arange(8, 12)
    >>> classifier = GalaxyClassifier("hog-svm").fit(data.select(train))
    >>> score(classifier, data.select(test), table.select(test)).evaluation.scores["accuracy"].value
    1.0
    """
    true_classes(dataset, classifier.classes_)
    predictions = classifier.classify_table(table)
    return _scored(classifier, dataset, predictions, table, np.arange(len(dataset)), seed)


def score_images(
    classifier: GalaxyClassifier,
    dataset: DataSet,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Scored:
    """Measure and score labelled galaxies in batches.

    Unlike `score`, keeps the features of at most 1,000 galaxies, for importances with the same
    seed, and about 1 kB for each of the others.

    Parameters
    ----------
    classifier, dataset, seed
        As for `score`. Images that cannot be read or contain no source are counted and not scored.
    progress : callable, optional
        Called with the number of galaxies measured and the total.

    Raises
    ------
    DataError
        If the model does not have the class of a galaxy, or no image can be read.
    """
    true_classes(dataset, classifier.classes_)
    rows = importance_rows(len(dataset), seed)
    kept, parts, start = [], [], 0
    for table in classifier.feature_batches(dataset, progress=progress):
        stop = start + len(table.values)
        kept.append(table.select(rows[(rows >= start) & (rows < stop)] - start))
        parts.append(classifier.classify_table(table))
        start = stop
    sample, predictions = joined(kept), Predictions.concatenate(parts)
    usable = sample.usable_rows()
    return _scored(classifier, dataset, predictions, sample.select(usable), rows[usable], seed)


def _scored(
    classifier: GalaxyClassifier,
    dataset: DataSet,
    predictions: Predictions,
    table: FeatureTable,
    table_rows: NDArray[np.intp],
    seed: int,
) -> Scored:
    truth = true_classes(dataset, classifier.classes_)
    rule = classifier.pipeline_.decision
    evaluation = evaluate_predictions(
        truth,
        predictions.probabilities,
        predictions.predicted,
        decide(predictions.probabilities, classifier.assumed_priors_, OTHER_DECISION[rule]),
        [str(name) for name in predictions.classes],
        sources=dataset.sources,
        groups=dataset.groups,
        seed=seed,
        rule=rule,
        without_source=predictions.without_source,
    )
    return Scored(classifier, dataset, table, table_rows, truth, predictions, evaluation)


def report(
    folder: str | Path,
    scored: Scored,
    *,
    n_training: int,
    ablation: Ablation | None = None,
    votes: SoftEvaluation | None = None,
    facts: Mapping[str, str] | None = None,
    caution: str = "",
    soft: bool = False,
    seed: int = 0,
) -> Path:
    """Write the HTML report of a scored model.

    Parameters
    ----------
    folder : str or Path
        Output folder; created if necessary.
    scored : Scored
        The results to report.
    n_training : int
        Number of galaxies the classifier was fitted to.
    ablation : Ablation, optional
        Losses without each family, from `ablate`.
    votes : SoftEvaluation, optional
        Scores against fractions of votes.
    facts : mapping of str to str, optional
        Facts about model, data and run.
    caution : str
        Shown at the top of the report.
    soft : bool
        Whether the classifier was fitted to fractions of votes.
    seed : int
        Seed of the selection of galaxies shown.

    Returns
    -------
    Path
        The HTML file.
    """
    from galfeat.evaluate.balancing import Balancing
    from galfeat.evaluate.report.report import write_report

    pipeline = scored.classifier.pipeline_
    counts = np.rint(scored.classifier.priors_ * n_training).astype(int)

    def image(row: int) -> NDArray[np.uint8] | None:
        (result,) = scored.dataset.read([row])
        return None if isinstance(result, ImageError) else result

    return write_report(
        folder,
        evaluation=scored.evaluation,
        images=image,
        ids=scored.dataset.ids.tolist(),
        predictions=scored.predictions,
        truth=scored.truth,
        importances=_importances(scored, seed),
        ablation=ablation,
        votes=votes,
        balancing=Balancing.of(
            pipeline, list(map(str, scored.classifier.classes_)), counts.tolist(), soft=soft
        ),
        facts=facts,
        caution=caution,
        title=f"galfeat: {pipeline.name}",
        seed=seed,
    )


def _importances(scored: Scored, seed: int) -> Importances:
    from galfeat.evaluate.importances import measure_importances

    classifier, drawn = scored.classifier, scored.table_rows
    names = classifier.feature_names_
    classified = classified_rows(scored.table)
    return measure_importances(
        classifier.ensemble_,
        classifier.classifier_features(scored.table.select(classified), filled=True),
        classifier.ensemble_.classes_[scored.truth[drawn[classified]]],
        names,
        [name.split(".", 1)[0] for name in names],
        seed=seed,
        drawn_from=None if len(drawn) == len(scored.truth) else len(scored.truth),
    )


def rows_to_score(learned: NDArray[np.bool_], held_out: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the rows of a data set that a model may be scored on.

    Parameters
    ----------
    learned, held_out : ndarray of bool, shape (n,)
        Whether the model or its features were fitted to a row, and whether it was held out.

    Returns
    -------
    ndarray of intp
        All rows if none is a training row; the held-out rows if the data set consists of
        training and held-out rows.

    Raises
    ------
    DataError
        If there are training rows and rows that are neither.
    """
    if not learned.any():
        return np.arange(len(learned))
    if held_out.any() and (learned | held_out).all():
        return np.flatnonzero(held_out & ~learned)
    raise DataError(
        f"{np.count_nonzero(learned)} of {len(learned)} images were used to fit this model, or "
        "show the same galaxy as one that was; scores would be too optimistic: give other images, "
        "or --include-training to score all"
    )
