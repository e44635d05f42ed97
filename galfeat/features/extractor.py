"""From images to a table of named features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from galfeat.errors import ImageError
from galfeat.features.measuring import Images, measure_images
from galfeat.features.registry import DEFAULT_FAMILIES, column_names
from galfeat.features.table import FeatureTable


class FeatureExtractor(TransformerMixin, BaseEstimator):
    """Measure galaxy images; a scikit-learn transformer.

    Parameters
    ----------
    families : sequence of str
        Families of features, in the order of the columns; see `galfeat.features.FAMILIES`.
        None at all: images are read, checked and digested, and nothing is measured.
    frame : bool
        Whether each galaxy is brought into its canonical frame. Without it the whole image
        takes the place of every view.
    n_jobs : int
        Threads over images. The result does not depend on it.
    cache : str, Path or None
        Folder that keeps features by image content; None keeps nothing.
    batch_size : int
        Images held in memory at a time.
    """

    def __init__(
        self,
        families: Sequence[str] = DEFAULT_FAMILIES,
        *,
        frame: bool = True,
        n_jobs: int = 1,
        cache: str | Path | None = None,
        batch_size: int = 128,
    ) -> None:
        self.families = families
        self.frame = frame
        self.n_jobs = n_jobs
        self.cache = cache
        self.batch_size = batch_size

    def fit(self, X: Images | None = None, y: object = None) -> FeatureExtractor:
        """Check the families; nothing is learned from the images.

        Raises
        ------
        PipelineError
            If a family is not known.
        """
        self.n_features_out_ = len(column_names(tuple(self.families)))
        return self

    def transform(self, X: Images) -> NDArray[np.float32]:
        """Measure images.

        Parameters
        ----------
        X : DataSet, ndarray of uint8 of shape (n, H, W, 3), or list of such images

        Returns
        -------
        ndarray of float32, shape (n, d)

        Raises
        ------
        ImageError
            If an image cannot be read or is none; `extract` goes on instead.
        """
        table = self.extract(X)
        if table.errors:
            row, error = next(iter(sorted(table.errors.items())))
            raise ImageError(f"{len(table.errors)} of the images failed, first row {row}: {error}")
        return table.values

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the columns, ``flags`` last."""
        return np.array(column_names(tuple(self.families)), dtype=object)

    def extract(
        self, X: Images, *, progress: Callable[[int, int], None] | None = None
    ) -> FeatureTable:
        """Measure images one batch at a time; an image that fails becomes a row of NaN.

        Parameters
        ----------
        X : DataSet, ndarray of uint8 of shape (n, H, W, 3), or list of such images
        progress : callable, optional
            Called with the number of images done and the number of all.

        Returns
        -------
        FeatureTable

        Raises
        ------
        MissingDependencyError, DataError
            If a family needs a package that is not installed, or there are more images than
            it can measure; see `galfeat.features.registry.require_dependencies`.
        """
        return measure_images(
            X,
            self.families,
            frame=self.frame,
            n_jobs=self.n_jobs,
            cache=self.cache,
            batch_size=self.batch_size,
            progress=progress,
        )
