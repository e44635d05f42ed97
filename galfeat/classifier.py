"""A scikit-learn classifier from galaxy images to calibrated class probabilities."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from galfeat.data import as_dataset
from galfeat.data.dataset import DataSet, Progress
from galfeat.data.readers.images import Images
from galfeat.ensemble import Ensemble, decide
from galfeat.ensemble.population.adaptation import AdaptationMixin
from galfeat.ensemble.simulated import SimulatedRows, simulated_rows
from galfeat.ensemble.soft_labels import MIN_FRACTION
from galfeat.errors import DataError, GalfeatWarning
from galfeat.features import selection
from galfeat.features.doubt import doubt_scores, survey_quantiles
from galfeat.features.extractor import FeatureExtractor, ImageInputMixin
from galfeat.features.quantiles import quantiles
from galfeat.features.registry import classifier_columns
from galfeat.features.table import FeatureTable
from galfeat.pipeline import Pipeline, load_pipeline
from galfeat.predictions import (
    Predictions,
    classified_rows,
    describe_unclassified,
    flag_texts,
)
from galfeat.storage.scratch import take

__all__ = ["GalaxyClassifier", "Predictions"]

#: Galaxies classified at a time. Probabilities do not depend on it.
_BATCH = 512


class GalaxyClassifier(AdaptationMixin, ClassifierMixin, ImageInputMixin, BaseEstimator):
    """Classify galaxy images with features and an ensemble.

    Parameters
    ----------
    pipeline : str, Path or Pipeline
        Name of a pipeline that comes with galfeat, path of a pipeline file, or a pipeline.
    n_jobs : int
        Threads over images and inner folds. The result does not depend on it.
    random_state : int
        Seed of the folds, the resampling and the members.
    cache : str, Path or None
        Folder in which features are cached by image content; None disables the cache.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
        Class labels: names in the order of the data set if it was fitted on one, otherwise
        the sorted labels.
    priors_ : ndarray of float, shape (k,)
        Frequency of each class in the training rows.
    assumed_priors_ : ndarray of float, shape (k,)
        Frequency of each class that probabilities assume: `priors_`, or those of `with_priors`.
    calibration_rows_ : CalibrationRows or None
        Labelled galaxies that calibrate prediction sets: the training galaxies, with out-of-fold
        probabilities, or those of `with_calibration`. None if the ensemble keeps none; see
        `galfeat.ensemble.Ensemble`.
    pipeline_ : Pipeline
    extractor_ : FeatureExtractor
    ensemble_ : Ensemble
    feature_names_ : tuple of str
        Columns the ensemble was fitted to: invariant to rotation and mirroring of the image,
        and stable between surveys.
    quantiles_ : dict of str to ndarray of float32, shape (23,)
        Quantiles of the named features of the training galaxies; see
        `galfeat.features.quantiles`.
    survey_quantiles_ : dict of str to ndarray of float32, shape (23,)
        Those of sky, noise and colours, properties of the training survey; see
        `galfeat.features.doubt`. Absent from models fitted before they were introduced.

    Notes
    -----
    Images are paths, PIL images, arrays, lists of these, or a data set; see
    `galfeat.data.as_dataset`. scikit-learn's cross-validation needs an array or a list.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat import GalaxyClassifier
    >>> y, x = np.mgrid[-32:32, -32:32]
    >>> radius = [np.hypot(x, ratio * y) / size for size in range(4, 9) for ratio in (1, 4)]
    >>> images = [(20 + 200 * np.exp(-r)).astype(np.uint8) for r in radius]
    >>> classifier = GalaxyClassifier("hog-svm").fit(images, ["round", "edge-on"] * 5)
    >>> classifier.predict(images[:2]).tolist()
    ['round', 'edge-on']
    >>> classifier.classify(images)
    <Predictions: 10 galaxies, 2 classes>
    """

    def __init__(
        self,
        pipeline: str | Path | Pipeline = "lightgbm",
        *,
        n_jobs: int = 1,
        random_state: int = 0,
        cache: str | Path | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.cache = cache

    def fit(
        self,
        X: Images,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        *,
        progress: Progress | None = None,
    ) -> GalaxyClassifier:
        """Extract features and fit the ensemble.

        Parameters
        ----------
        X : path, PIL image, array, list of these, or DataSet
            Galaxies; see `galfeat.data.as_dataset`. An image that cannot be measured is left
            out, with a `GalfeatWarning`.
        y : array_like, shape (n,) or (n, k), optional
            Labels of any kind, or fractions of k classes; see `fit_table`. By default the labels
            and groups of the data set, joined where images are near-identical or at one position.
            Rows without a label are skipped; copies of one image and rows of one position whose
            labels differ are left out, with a `GalfeatWarning`.
        groups : array_like, shape (n,), optional
            Rows with the same value are never on both sides of an inner split.
        progress : callable, optional
            Called with the number of images measured and the total.

        Raises
        ------
        DataError
            If X is not images, labels are missing, y or groups have another length, there is
            only one class, or a class has a single row.
        PipelineError
            If the pipeline is not valid.
        """
        data = as_dataset(X)
        class_names = None
        if y is None:
            data = data.labelled()
            y, groups, class_names = data.labels, data.groups, data.class_names
            if not len(data):
                raise DataError("images without labels; give y, or a data set with labels")
        selection.check_lengths(len(data), y, groups)
        self._set_up()
        table = self.extractor_.extract(data, progress=progress, sketches=class_names is not None)
        if class_names is not None:
            rows, groups = selection.consistent_rows(data, table)
            table, y = table.select(rows), data.labels[rows]
        return self.fit_table(table, y, groups, class_names)

    def fit_table(
        self,
        table: FeatureTable,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
    ) -> GalaxyClassifier:
        """Fit the ensemble to features that are already extracted.

        Parameters
        ----------
        table : FeatureTable
            From the extractor of the same pipeline. Rows of failed images, and of images a
            family was itself trained on, are left out, with a `GalfeatWarning`.
        y : array_like, shape (n,) or (n, k)
            Labels of any kind, or indices into `class_names` if these are given. Or soft labels:
            the fraction of each of k classes, such as fractions of volunteers' votes, each row
            summing to one; see `galfeat.ensemble.Ensemble.fit_soft`.
        groups : array_like, shape (n,), optional
            Rows with the same value are never on both sides of an inner split.
        class_names : sequence of str, optional
            Names in the order of `classes_`. Classes without rows are left out, with a
            `GalfeatWarning`.

        Raises
        ------
        DataError
            If y or groups have another length, no row remains, there is only one class, a class
            has a single row, or fractions do not sum to one.
        PipelineError
            If y are fractions and the pipeline balances classes by drawing rows.
        """
        self._set_up()
        labels = np.asarray(y)
        selection.check_lengths(len(table.values), labels, groups)
        usable = selection.training_rows(table, self.extractor_.families)
        columns = classifier_columns(table.names)
        self.feature_names_ = tuple(table.names[column] for column in columns)
        features = take(table.values, usable, columns)
        self.quantiles_ = quantiles(features, self.feature_names_)
        self.survey_quantiles_ = survey_quantiles(table, usable)
        self._fill_colours(features, table, usable)
        ensemble = Ensemble(
            members=self.pipeline_.members,
            combine=self.pipeline_.combine,
            balance=self.pipeline_.balance,
            calibration=self.pipeline_.calibration,
            decision=self.pipeline_.decision,
            folds=self.pipeline_.folds,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )
        fit = ensemble.fit_soft if labels.ndim == 2 else ensemble.fit
        self.ensemble_ = fit(
            features,
            labels[usable],
            None if groups is None else np.asarray(groups)[usable],
            class_names,
            columns=[member.columns(self.feature_names_) for member in self.pipeline_.members],
            simulated=self._simulated(labels[usable], class_names),
        )
        self.classes_ = self.ensemble_.classes_
        if class_names is not None:
            self.classes_ = selection.named_classes(class_names, self.ensemble_.classes_)
        self.priors_ = self.ensemble_.priors_
        self._forget_adaptation()
        return self

    def _simulated(
        self, labels: NDArray[Any], class_names: Sequence[str] | None
    ) -> SimulatedRows | None:
        """Return the simulated galaxies that the pipeline adds to training rows, if any."""
        if self.pipeline_.balance != "simulate":
            return None
        if labels.ndim == 2:
            present = np.flatnonzero((labels >= MIN_FRACTION).any(axis=0)).tolist()
        else:
            present = np.unique(labels).tolist()
        names = present if class_names is None else [class_names[code] for code in present]
        return simulated_rows(
            self.pipeline_.simulated,
            list(map(str, names)),
            self.extractor_,
            self.feature_names_,
            self.pipeline_.members,
            seed=self.random_state,
        )

    def _set_up(self) -> None:
        """Load the pipeline and build its extractor."""
        self.pipeline_ = (
            self.pipeline if isinstance(self.pipeline, Pipeline) else load_pipeline(self.pipeline)
        )
        self.extractor_ = FeatureExtractor(
            families=self.pipeline_.measured_families(),
            frame=self.pipeline_.frame,
            n_jobs=self.n_jobs,
            cache=self.cache,
        )

    def classify(self, X: Images, *, progress: Progress | None = None) -> Predictions:
        """Classify images.

        Those that cannot be measured get NaN and an entry in `errors`, those without a source NaN
        and the flag ``no_source``.

        Parameters
        ----------
        X, progress
            As in `fit`.

        Returns
        -------
        Predictions
            With the ids of the data set, and its labels as true classes.

        Raises
        ------
        DataError
            If X is not images.
        sklearn.exceptions.NotFittedError
            If the classifier is not fitted.
        """
        return Predictions.concatenate(list(self.classify_batches(X, progress=progress)))

    def classify_batches(
        self, X: Images, *, progress: Progress | None = None
    ) -> Iterator[Predictions]:
        """Classify images in batches, in memory that does not grow with their number.

        Parameters
        ----------
        X, progress
            As in `fit`.

        Yields
        ------
        Predictions
            Of consecutive images, a few hundred at a time, as from `classify`; a single empty
            batch for an empty data set.

        Raises
        ------
        DataError
            If X is not images.
        sklearn.exceptions.NotFittedError
            If the classifier is not fitted.
        """
        check_is_fitted(self)
        data = as_dataset(X)
        names = (*data.class_names, None)  # -1 means unlabelled
        start = 0
        for table in self.feature_batches(data, progress=progress):
            rows = slice(start, start + len(table.values))
            yield dataclasses.replace(
                self.classify_table(table),
                ids=data.ids[rows].tolist(),
                true_classes=[names[k] for k in data.labels[rows]] if data.class_names else None,
            )
            start = rows.stop

    def feature_batches(
        self, data: DataSet, *, progress: Progress | None = None
    ) -> Iterator[FeatureTable]:
        """Yield the features of consecutive images, as tables of a few hundred rows."""
        self.extractor_.n_jobs, self.extractor_.cache = self.n_jobs, self.cache
        return self.extractor_.extract_batches(data, rows=_BATCH, progress=progress)

    def classify_table(self, table: FeatureTable, *, without_source: bool = False) -> Predictions:
        """Classify galaxies whose features are already extracted.

        Parameters
        ----------
        table : FeatureTable
            From the extractor of the same pipeline.
        without_source : bool
            Whether images without a source get a class, too: that of such images among the
            training galaxies. Experiments use this, because all pipelines must be scored on the
            same images and those without a frame classify all of them.

        Raises
        ------
        DataError
            If the table lacks columns this classifier was fitted to.
        """
        check_is_fitted(self)
        return Predictions.concatenate(
            [
                self._classify(
                    part, part.usable_rows() if without_source else classified_rows(part)
                )
                for part in table.batches(_BATCH)
            ]
        )

    def _classify(self, table: FeatureTable, usable: NDArray[np.intp]) -> Predictions:
        """Classify a few galaxies: those in the usable rows."""
        columns = selection.fitted_columns(table, self.feature_names_)
        n, k = len(table.values), len(self.classes_)
        member_log_p = np.full((n, len(self.ensemble_.members), k), np.nan)
        probabilities = np.full((n, k), np.nan)
        if len(usable):
            self.ensemble_.n_jobs = self.n_jobs
            features = take(table.values, usable, columns)
            self._fill_colours(features, table, usable)
            member_log_p[usable] = self.ensemble_.member_log_probabilities(features)
            probabilities[usable] = self.ensemble_.combined(member_log_p[usable])
        survey = getattr(self, "survey_quantiles_", {})
        scores = doubt_scores(table.values, table.names, self.quantiles_, survey)
        predictions = Predictions(
            classes=self.classes_,
            probabilities=probabilities,
            member_log_probabilities=member_log_p,
            predicted=decide(probabilities, self.priors_, self.pipeline_.decision),
            most_probable=decide(probabilities, self.priors_, "probable"),
            flags=flag_texts(table, scores),
            errors=dict(table.errors),
            digests=table.digests,
            decision=self.pipeline_.decision,
            priors=self.priors_,
            calibration=self.calibration_rows_,
            scores=scores,
        )
        assumed = self.assumed_priors_
        same = np.array_equal(assumed, self.priors_)
        return predictions if same else predictions.with_priors(assumed)

    def _fill_colours(
        self, features: NDArray[np.float32], table: FeatureTable, rows: NDArray[np.intp]
    ) -> None:
        selection.fill_colours(features, self.feature_names_, table, rows, self.quantiles_)

    def classifier_features(
        self, table: FeatureTable, *, filled: bool = False
    ) -> NDArray[np.float32]:
        """Return the columns of a table that the ensemble was fitted to, shape (n, d).

        Parameters
        ----------
        table : FeatureTable, n rows
        filled : bool
            Whether missing colours of images of one band are replaced as for the ensemble, by
            the median of the training galaxies.

        Raises
        ------
        DataError
            If the table lacks columns this classifier was fitted to.
        """
        check_is_fitted(self)
        features = table.values[:, selection.fitted_columns(table, self.feature_names_)]
        if filled:
            self._fill_colours(features, table, np.arange(len(features)))
        return features

    def predict_proba(self, X: Images) -> NDArray[np.float64]:
        """Return calibrated probabilities, shape (n, k).

        Rows of images that cannot be measured, or contain no source, are NaN, with a
        `GalfeatWarning`; `classify` returns their errors and flags.
        """
        predictions = self.classify(X)
        missing = describe_unclassified(predictions)
        if missing:
            warnings.warn(f"{missing}; their probabilities are NaN", GalfeatWarning, stacklevel=2)
        return predictions.probabilities

    def predict(self, X: Images) -> NDArray[Any]:
        """Return the class chosen by the decision rule for each image, shape (n,).

        Raises
        ------
        DataError
            If an image cannot be measured or contains no source, because there is no label for
            it. Use `classify`.
        """
        predictions = self.classify(X)
        missing = describe_unclassified(predictions)
        if missing:
            raise DataError(f"{missing}; use classify, which returns their errors and flags")
        labels: NDArray[Any] = self.classes_[predictions.predicted]
        return labels

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether the ensemble is fitted."""
        return hasattr(self, "priors_")
