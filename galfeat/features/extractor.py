"""From images to a table of named features."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from galfeat.data import ArrayDataSet, DataSet, pixel_digest
from galfeat.errors import ImageError
from galfeat.features.registry import DEFAULT_FAMILIES, columns, demand, family_module
from galfeat.features.store import FeatureStore
from galfeat.features.table import FeatureTable
from galfeat.frame import Flag, Frame, as_rgb, measure_frame, whole_image_frame

Images: TypeAlias = DataSet | NDArray[np.uint8] | Sequence[NDArray[np.uint8]]
_Map: TypeAlias = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


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
        batch_size: int = 64,
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
        RecipeError
            If a family is not known.
        """
        self.n_features_out_ = len(columns(self.families))
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
        return np.array([column.name for column in columns(self.families)], dtype=object)

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
            it can measure; see `galfeat.features.registry.demand`.
        """
        data = X if isinstance(X, DataSet) else ArrayDataSet(X)
        demand(self.families, len(data))
        names = tuple(self.get_feature_names_out())
        values = np.full((len(data), len(names)), np.nan, np.float32)
        digests = np.zeros((len(data), 16), np.uint8)
        errors: dict[int, ImageError] = {}
        jobs = max(int(self.n_jobs), 1)
        with _map_of_threads(jobs) as each, self._store(names) as store:
            for rows, images in data.batches(self.batch_size, jobs=jobs):
                results = self._measure_batch(images, store, each)
                for row, (vector, digest, error) in zip(rows, results, strict=True):
                    values[row] = vector
                    digests[row] = np.frombuffer(digest, np.uint8)
                    if error is not None:
                        errors[int(row)] = error
                if progress is not None:
                    progress(int(rows[-1]) + 1, len(data))
        return FeatureTable(values, names, digests, errors)

    def _store(self, names: Sequence[str]) -> FeatureStore:
        return FeatureStore(self.cache, names, frame=self.frame)

    def _measure_batch(
        self,
        images: Sequence[NDArray[np.uint8] | ImageError],
        store: FeatureStore,
        each: _Map,
    ) -> Iterator[tuple[NDArray[np.float32], bytes, ImageError | None]]:
        digests = [_digest(image) for image in images]
        known = store.get(digests)
        todo = [i for i, digest in enumerate(digests) if digest not in known]
        measured = dict(zip(todo, each(self._measure, (images[i] for i in todo)), strict=True))
        store.put({digests[i]: vector for i, (vector, error) in measured.items() if error is None})
        for i, digest in enumerate(digests):
            vector, error = measured[i] if i in measured else (known[digest], None)
            yield vector, digest or bytes(16), error

    def _measure(
        self, image: NDArray[np.uint8] | ImageError
    ) -> tuple[NDArray[np.float32], ImageError | None]:
        """Return the features of one image, or NaN and the reason."""
        try:
            if isinstance(image, ImageError):
                raise image
            rgb = as_rgb(image)
        except ImageError as error:
            return self._missing(Flag.UNREADABLE), error
        if not self.families:
            return np.zeros(1, np.float32), None
        frame = measure_frame(rgb) if self.frame else whole_image_frame(rgb)
        if frame is None:
            return self._missing(Flag.NO_SOURCE), None
        return self._vector(frame), None

    def _vector(self, frame: Frame) -> NDArray[np.float32]:
        parts: list[Any] = [family_module(name).measure(frame) for name in self.families]
        return np.concatenate([*parts, [frame.flags]], dtype=np.float32)

    def _missing(self, flag: Flag) -> NDArray[np.float32]:
        vector = np.full(len(columns(self.families)), np.nan, np.float32)
        vector[-1] = flag
        return vector


@contextmanager
def _map_of_threads(jobs: int) -> Iterator[_Map]:
    """Give a `map` over so many threads; for one the plain one, which needs no other thread."""
    if jobs == 1:
        yield map
        return
    with ThreadPoolExecutor(jobs) as pool:
        yield pool.map


def _digest(image: NDArray[np.uint8] | ImageError) -> bytes:
    return b"" if isinstance(image, ImageError) else pixel_digest(image)
