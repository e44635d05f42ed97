"""From galaxy images to calibrated class probabilities, in one scikit-learn classifier."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from galfeat.data import DataSet
from galfeat.ensemble import Ensemble, decide
from galfeat.errors import DataError, GalfeatWarning
from galfeat.features.table import describe_errors
from galfeat.pipeline import Pipeline, load_pipeline
from galfeat.predictions import Predictions

if TYPE_CHECKING:
    from galfeat.features import FeatureTable

__all__ = ["GalaxyClassifier", "Predictions"]

Progress: TypeAlias = Callable[[int, int], None]
Images: TypeAlias = DataSet | NDArray[np.uint8] | Sequence[NDArray[np.uint8]]


class GalaxyClassifier(ClassifierMixin, BaseEstimator):
    """Classify galaxy images with what a pipeline says.

    Parameters
    ----------
    pipeline : str, Path or Pipeline
        The name of a pipeline that comes with galfeat, the path of a pipeline file, or a pipeline.
    n_jobs : int
        Threads, over images and over inner folds. The result does not depend on it.
    random_state : int
        Seed of the folds, the resampling and the members.
    cache : str, Path or None
        Folder that keeps features by image content; None keeps nothing.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
        Class labels: names in the order of the data set if it was fitted on one, else the
        sorted labels.
    priors_ : ndarray of float, shape (k,)
        Frequency of each class in the training rows.
    pipeline_ : Pipeline
    extractor_ : FeatureExtractor
    ensemble_ : Ensemble
    feature_names_ : tuple of str
        Columns the ensemble was fitted on: those that do not change when an image is
        turned or mirrored.
    quantiles_ : dict of str to ndarray of float32, shape (23,)
        Of the named features among the training galaxies; see `galfeat.features.quantiles`.
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
        X : DataSet, ndarray of uint8 of shape (n, H, W, 3), or list of such images
            Galaxies. An image that cannot be measured is left out, with a `GalfeatWarning`.
        y : array_like, shape (n,), optional
            Labels of any kind. Left out for a data set, which brings its own: rows without
            a label are then skipped.
        groups : array_like, shape (n,), optional
            Rows with the same value are never on both sides of an inner split. Left out
            for a data set, which brings its own.
        progress : callable, optional
            Called with the number of images measured and the number of all.

        Raises
        ------
        DataError
            If there are no labels, one class only, or a class with a single row.
        PipelineError
            If the pipeline is not valid.
        """
        class_names = None
        if isinstance(X, DataSet) and y is None:
            X = X.labelled()
            y, groups, class_names = X.labels, X.groups, X.class_names
        if y is None or not len(X):
            raise DataError("images came without labels; give y, or a data set with labels")
        self._read_pipeline()
        table = self.extractor_.extract(X, progress=progress)
        return self.fit_table(table, y, groups, class_names)

    def fit_table(
        self,
        table: FeatureTable,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
    ) -> GalaxyClassifier:
        """Fit the ensemble on features that are already extracted.

        Parameters
        ----------
        table : FeatureTable
            From the extractor of the same pipeline. Rows of failed images are left out, with
            a `GalfeatWarning`.
        y : array_like, shape (n,)
            Labels of any kind, or indices into `class_names` if these are given.
        groups : array_like, shape (n,), optional
            Rows with the same value are never on both sides of an inner split.
        class_names : sequence of str, optional
            Names in the order wanted for `classes_`. One that no row has is left out, with
            a `GalfeatWarning`.
        """
        from galfeat.features import classifier_columns
        from galfeat.features.quantiles import quantiles

        self._read_pipeline()
        labels = np.asarray(y)
        if labels.shape != (len(table.values),):
            raise DataError(
                f"labels have the shape {labels.shape} for {len(table.values)} galaxies; "
                "give one label per galaxy"
            )
        usable = _rows_to_fit(table, self.extractor_.families)
        columns = classifier_columns(table.names)
        self.feature_names_ = tuple(table.names[column] for column in columns)
        features = table.values[np.ix_(usable, columns)]
        self.quantiles_ = quantiles(features, self.feature_names_)
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
        self.ensemble_ = ensemble.fit(
            features,
            labels[usable],
            None if groups is None else np.asarray(groups)[usable],
            class_names,
            columns=[member.columns(self.feature_names_) for member in self.pipeline_.members],
        )
        self.classes_ = self.ensemble_.classes_
        if class_names is not None:
            self.classes_ = np.asarray(class_names)[self.ensemble_.classes_]
            _warn_of_absent(class_names, self.classes_)
        self.priors_ = self.ensemble_.priors_
        return self

    def _read_pipeline(self) -> None:
        from galfeat.features import FeatureExtractor

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
        """Classify images; one that cannot be measured gets NaN, and its error.

        Parameters
        ----------
        X, progress
            As in `fit`.
        """
        check_is_fitted(self)
        self.extractor_.n_jobs, self.extractor_.cache = self.n_jobs, self.cache
        return self.classify_table(self.extractor_.extract(X, progress=progress))

    def classify_table(self, table: FeatureTable) -> Predictions:
        """Classify galaxies whose features are already extracted.

        Raises
        ------
        DataError
            If the table lacks columns this classifier was fitted on.
        """
        features = self.classifier_features(table)
        usable = table.usable_rows()
        shape = len(table.values), len(self.ensemble_.members), len(self.classes_)
        member_log_probabilities, probabilities = (
            np.full(shape, np.nan),
            np.full(shape[::2], np.nan),
        )
        if len(usable):
            self.ensemble_.n_jobs = self.n_jobs
            member_log_probabilities[usable] = self.ensemble_.member_log_probabilities(
                features[usable]
            )
            probabilities[usable] = self.ensemble_.combined(member_log_probabilities[usable])
        return Predictions(
            classes=self.classes_,
            probabilities=probabilities,
            member_log_probabilities=member_log_probabilities,
            predicted=decide(probabilities, self.priors_, self.pipeline_.decision),
            most_probable=decide(probabilities, self.priors_, "probable"),
            flags=self._flags(table, features),
            errors=dict(table.errors),
            digests=table.digests,
        )

    def _flags(self, table: FeatureTable, features: NDArray[np.float32]) -> list[str]:
        """Return what stood in the way of each measurement, or makes it doubtful."""
        from galfeat.features.quantiles import MAX_UNUSUAL, UNLIKE, share_unusual
        from galfeat.frame import describe_flags

        values = table.values[:, table.names.index("flags")]
        flags = ["" if np.isnan(value) else describe_flags(value) for value in values]
        for row in np.flatnonzero(
            share_unusual(features, self.feature_names_, self.quantiles_) > MAX_UNUSUAL
        ):
            flags[row] = ";".join(filter(None, (flags[row], UNLIKE)))
        return flags

    def classifier_features(self, table: FeatureTable) -> NDArray[np.float32]:
        """Return the columns of a table that the ensemble is given, in its order, shape (n, d).

        Raises
        ------
        DataError
            If the table lacks columns this classifier was fitted on.
        """
        from galfeat.features.table import column_positions

        check_is_fitted(self)
        columns = column_positions(self.feature_names_, table.names)
        if (columns < 0).any():
            missing = np.flatnonzero(columns < 0)
            raise DataError(
                f"the table lacks {len(missing)} of the {len(columns)} features this classifier "
                f"was fitted on, {self.feature_names_[missing[0]]!r} among them; extract with its "
                "pipeline"
            )
        return table.values[:, columns]

    def predict_proba(self, X: Images) -> NDArray[np.float64]:
        """Return calibrated probabilities, shape (n, k).

        The rows of images that cannot be measured are NaN, with a `GalfeatWarning`;
        `classify` says why.
        """
        predictions = self.classify(X)
        if predictions.errors:
            warnings.warn(
                describe_errors(predictions.errors) + "; their probabilities are NaN",
                GalfeatWarning,
                stacklevel=2,
            )
        return predictions.probabilities

    def predict(self, X: Images) -> NDArray[Any]:
        """Return the class the decision rule names for each image, shape (n,).

        Raises
        ------
        DataError
            If an image cannot be measured: no label stands for that. Use `classify`.
        """
        predictions = self.classify(X)
        if predictions.errors:
            raise DataError(
                describe_errors(predictions.errors) + "; use classify, which goes on without them"
            )
        labels: NDArray[Any] = self.classes_[predictions.predicted]
        return labels


def _rows_to_fit(table: FeatureTable, families: Sequence[str]) -> NDArray[np.intp]:
    """Row numbers of the images that did not fail and that no family was trained on."""
    from galfeat.features.registry import trained_on

    usable = table.usable_rows()
    if not len(usable):
        raise DataError(f"{describe_errors(table.errors)}; none is left to fit")
    learned = trained_on(families, table.digests[usable])
    problems = [describe_errors(table.errors)] if table.errors else []
    if learned.any():
        problems.append(
            f"{learned.sum()} of {len(learned)} images are ones some of the features were "
            "themselves learned from"
        )
    if learned.all():
        raise DataError(f"{problems[-1]}; none is left to fit")
    for problem in problems:
        warnings.warn(f"{problem}; they are left out of the fit", GalfeatWarning, stacklevel=3)
    return usable[~learned]


def _warn_of_absent(class_names: Sequence[str], present: NDArray[Any]) -> None:
    """Warn of the classes that no training row has."""
    absent = [name for name in class_names if name not in present]
    if absent:
        warnings.warn(
            f"no training row has the class {', '.join(absent)}; the model cannot name it",
            GalfeatWarning,
            stacklevel=3,
        )
