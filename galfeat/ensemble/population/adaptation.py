"""Classifiers for galaxies of another mix of classes, or of another survey, than those of a fit."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from galfeat.data import as_dataset
from galfeat.ensemble.population.prediction_sets import (
    CalibrationRows,
    SetThresholds,
    set_thresholds,
)
from galfeat.ensemble.population.priors import checked_priors
from galfeat.errors import DataError
from galfeat.features.selection import check_lengths
from galfeat.pipeline.toml_table import nearest

if TYPE_CHECKING:
    from galfeat.data.dataset import Progress
    from galfeat.data.readers.images import Images
    from galfeat.ensemble import Ensemble


class AdaptationMixin:
    """The methods of `galfeat.GalaxyClassifier` for other class frequencies and other surveys."""

    classes_: NDArray[Any]
    priors_: NDArray[np.float64]
    ensemble_: Ensemble
    _assumed_priors: NDArray[np.float64]
    _calibration: CalibrationRows

    if TYPE_CHECKING:

        def classify_batches(self, X: Images, *, progress: Progress | None = None) -> Iterator[Any]:
            """Classify images in batches."""
            ...

    @property
    def assumed_priors_(self) -> NDArray[np.float64]:
        """The class frequencies that probabilities assume, shape (k,)."""
        return getattr(self, "_assumed_priors", self.priors_)

    @property
    def calibration_rows_(self) -> CalibrationRows | None:
        """The labelled galaxies that calibrate prediction sets; None if there are none."""
        of_fit: CalibrationRows | None = getattr(self.ensemble_, "calibration_rows_", None)
        return getattr(self, "_calibration", of_fit)

    def with_priors(self, priors: Mapping[Any, float] | ArrayLike) -> Self:
        """Return a classifier for galaxies with other class frequencies; this one is not changed.

        Its probabilities, decisions and prediction sets are those of
        `galfeat.predictions.Predictions.with_priors`. A refit of it assumes the frequencies of its
        training galaxies again.

        Parameters
        ----------
        priors : mapping of class to float, or array_like of float, shape (k,)
            Frequency or number of galaxies of each class, at least 0; divided by their sum.

        Raises
        ------
        DataError
            If a class is unknown or missing, or a frequency is not a number of at least 0.

        Examples
        --------
        >>> from galfeat import load_model
        >>> model = load_model("coarse").with_priors(
        ...     {"edge-on": 15, "merger": 1, "smooth": 60, "spiral": 24}
        ... )
        >>> model.assumed_priors_.tolist()
        [0.15, 0.01, 0.6, 0.24]
        """
        check_is_fitted(self)
        changed = copy.copy(self)
        changed._assumed_priors = checked_priors(priors, self.classes_)
        return changed

    def with_calibration(
        self, X: Images, y: ArrayLike | None = None, *, progress: Progress | None = None
    ) -> Self:
        """Return a classifier whose prediction sets are calibrated on other labelled galaxies.

        Split-conformal prediction: sets have the stated coverage for galaxies like these, whatever
        the model was fitted to. Probabilities do not change.

        Parameters
        ----------
        X : path, PIL image, array, list of these, or DataSet
            A few hundred galaxies the model was not fitted to, as they occur in the survey at
            hand. Images without a class are left out.
        y : array_like, shape (n,), optional
            Their classes; by default the labels of the data set. Rows without a label are skipped.
        progress : callable, optional
            Called with the number of images measured and the total.

        Raises
        ------
        DataError
            If X is not images, or labels are missing or unknown to the model.

        Examples
        --------
        >>> from galfeat import load_model
        >>> from galfeat.data import ArrayDataSet
        >>> from galfeat.data.simulation import simulate
        >>> mine = simulate(40, seed=5)
        >>> mine = ArrayDataSet(mine.images, mine.labels, class_names=mine.class_names)
        >>> model = load_model("simulated").with_calibration(mine)
        >>> predictions = model.classify(simulate(2, seed=1).images).with_sets(0.8)
        >>> predictions.set_of(0)
        ('Round Smooth',)
        """
        check_is_fitted(self)
        data = as_dataset(X)
        if y is None:
            data = data.labelled()
            labels = np.array([data.class_names[code] for code in data.labels])
        else:
            labels = np.asarray(y)
        check_lengths(len(data), labels, None)
        codes = _class_codes(labels, self.classes_)
        changed = copy.copy(self)
        changed._assumed_priors = self.priors_
        batches = changed.classify_batches(data, progress=progress)
        probabilities = np.concatenate([batch.probabilities for batch in batches])
        changed._assumed_priors = self.assumed_priors_
        rows = np.isfinite(probabilities).all(axis=1)
        changed._calibration = CalibrationRows.of(probabilities[rows], codes[rows], self.priors_)
        return changed

    def set_thresholds(self, coverage: float) -> SetThresholds:
        """Return the thresholds of this classifier's prediction sets.

        `galfeat.predictions.Predictions.with_sets` applies them; they state which classes share
        a threshold.

        Parameters
        ----------
        coverage : float
            Above 0 and below 1.

        Raises
        ------
        DataError
            If the coverage is out of range, or there are too few calibration rows for it.
        ModelError
            If there are none.
        """
        check_is_fitted(self)
        return set_thresholds(self.calibration_rows_, coverage, priors=self.assumed_priors_)

    def _forget_adaptation(self) -> None:
        """Drop class frequencies and calibration rows that were set after an earlier fit."""
        for name in ("_assumed_priors", "_calibration"):
            vars(self).pop(name, None)


def _class_codes(labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp]:
    """Return the index of each label among the classes of a model.

    Raises
    ------
    DataError
        If a label is no class.
    """
    names = [str(name) for name in classes]
    codes = {name: code for code, name in enumerate(names)}
    for label in labels.tolist():
        if str(label) not in codes:
            raise DataError(
                f"a galaxy has the class {str(label)!r}{nearest(str(label), names)}, which the "
                f"model does not have; its classes are {', '.join(names)}"
            )
    return np.array([codes[str(label)] for label in labels.tolist()], dtype=np.intp)
