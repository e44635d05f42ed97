"""A scikit-learn transformer from images to named features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags

from galfeat.data import as_dataset
from galfeat.data.readers.images import Images
from galfeat.errors import ImageError
from galfeat.features.measuring import measure_batches, measure_images
from galfeat.features.registry import DEFAULT_FAMILIES, column_names
from galfeat.features.table import FeatureTable, joined


class ImageInputMixin:
    """Tag an estimator for scikit-learn as one that takes images or paths, not tables."""

    def __sklearn_tags__(self) -> Tags:
        """Return scikit-learn's tags."""
        tags: Tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags


class FeatureExtractor(TransformerMixin, ImageInputMixin, BaseEstimator):
    """Measure named features of galaxy images.

    Parameters
    ----------
    families : sequence of str
        Families of features, in the order of the columns; see `galfeat.features.FAMILIES`.
        With an empty sequence images are only read, checked and digested.
    frame : bool
        Whether to resample each galaxy to its canonical frame. If False, the whole image
        replaces every view.
    n_jobs : int
        Threads over images. The result does not depend on it.
    cache : str, Path or None
        Folder that keeps features by image content; None keeps nothing.
    batch_size : int
        Images held in memory at a time.

    Attributes
    ----------
    n_features_out_ : int
        Number of columns, ``flags`` included.

    Notes
    -----
    Nothing is learned from images, so `transform` works without `fit`. Images may be given in
    any form that `galfeat.data.as_dataset` takes.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat import FeatureExtractor
    >>> y, x = np.mgrid[-32:32, -32:32]
    >>> galaxy = (20 + 200 * np.exp(-np.hypot(x, 2 * y) / 6)).astype(np.uint8)
    >>> extractor = FeatureExtractor(["colour"], frame=False)
    >>> features = extractor.fit_transform([galaxy])
    >>> features.shape == (1, extractor.n_features_out_)
    True
    >>> extractor.get_feature_names_out()[-1]
    'flags'
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
        """Check the families and the images; nothing is learned from the images.

        Parameters
        ----------
        X : path, PIL image, array, list of these, or DataSet, optional
            See `galfeat.data.as_dataset`. The pixels are not read.
        y : object
            Ignored.

        Raises
        ------
        DataError
            If X is not images.
        PipelineError
            If a family does not exist.
        """
        if X is not None:
            as_dataset(X)
        self.n_features_out_ = len(column_names(tuple(self.families)))
        return self

    def transform(self, X: Images) -> NDArray[np.float32]:
        """Measure images.

        Parameters
        ----------
        X : path, PIL image, array, list of these, or DataSet
            One image or several; see `galfeat.data.as_dataset`.

        Returns
        -------
        ndarray of float32, shape (n, d)
            Or a DataFrame, after ``set_output(transform="pandas")`` or ``"polars"``.

        Raises
        ------
        ImageError
            If an image cannot be read or measured; `extract` returns NaN for it instead.
        DataError
            If X is not images.
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
        self,
        X: Images,
        *,
        progress: Callable[[int, int], None] | None = None,
        sketches: bool = False,
    ) -> FeatureTable:
        """Measure images in batches; an image that fails becomes a row of NaN.

        Parameters
        ----------
        X : path, PIL image, array, list of these, or DataSet
            One image or several; see `galfeat.data.as_dataset`.
        progress : callable, optional
            Called with the number of images measured and the total.
        sketches : bool
            Whether to sketch the images, too, to find duplicates.

        Returns
        -------
        FeatureTable

        Raises
        ------
        DataError
            If X is not images, or there are more images than a family can measure.
        MissingDependencyError
            If a family needs a package that is not installed; see
            `galfeat.features.registry.require_dependencies`.
        """
        settings = self._settings()
        return measure_images(X, self.families, progress=progress, sketches=sketches, **settings)

    def extract_batches(
        self,
        X: Images,
        *,
        rows: int = 512,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[FeatureTable]:
        """Measure images and yield their features in parts; memory depends on a part only.

        Parameters
        ----------
        X, progress
            As for `extract`, with the same errors.
        rows : int
            Minimum number of images in a part, except the last.

        Yields
        ------
        FeatureTable
            A single empty one for an empty data set.
        """
        data = as_dataset(X)
        if not len(data):
            yield self.extract(data)
        waiting: list[FeatureTable] = []
        for table in measure_batches(data, self.families, progress=progress, **self._settings()):
            waiting.append(table)
            if sum(len(part.values) for part in waiting) >= rows:
                part, waiting = joined(waiting), []
                yield part
        if waiting:
            yield joined(waiting)

    def _settings(self) -> dict[str, Any]:
        names = ("frame", "n_jobs", "cache", "batch_size")
        return {name: getattr(self, name) for name in names}

    def __sklearn_tags__(self) -> Tags:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags
