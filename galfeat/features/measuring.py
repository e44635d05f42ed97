"""Measure the images of a data set in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from galfeat.data import as_dataset, pixel_digest
from galfeat.data.duplicates.sketches import LENGTH, sketch
from galfeat.data.readers.images import Images
from galfeat.errors import ImageError
from galfeat.features.cache import FeatureCache
from galfeat.features.registry import (
    DEFAULT_FAMILIES,
    cache_key,
    column_names,
    family_module,
    require_dependencies,
)
from galfeat.features.table import FeatureTable
from galfeat.frame import Flag, Frame, as_rgb, measure_frame, whole_image_frame
from galfeat.storage.scratch import large_array

_Map: TypeAlias = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
_Measured: TypeAlias = tuple[NDArray[np.float32], ImageError | None]


def measure_images(
    X: Images,
    families: Sequence[str] = DEFAULT_FAMILIES,
    *,
    frame: bool = True,
    n_jobs: int = 1,
    cache: str | Path | None = None,
    batch_size: int = 128,
    progress: Callable[[int, int], None] | None = None,
    sketches: bool = False,
) -> FeatureTable:
    """Measure images in batches; an image that fails becomes a row of NaN.

    Equivalent to `galfeat.features.FeatureExtractor.extract`, but without importing
    scikit-learn, which takes longer than measuring an image.

    Parameters
    ----------
    X : path, PIL image, array, list of these, or DataSet
        One image or several; see `galfeat.data.as_dataset`.
    families, frame, n_jobs, cache, batch_size
        See `galfeat.features.FeatureExtractor`.
    progress : callable, optional
        Called with the number of images measured and the total.
    sketches : bool
        Whether to sketch the images, too, to find duplicates: half a millisecond per image.

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

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.features import measure_images
    >>> images = np.random.default_rng(0).integers(0, 99, (2, 32, 32, 3), dtype=np.uint8)
    >>> table = measure_images(images, ("skimage-hog",), frame=False)
    >>> table.values.shape == (2, len(table.names))
    True
    """
    data = as_dataset(X)
    names = column_names(tuple(families))
    values = large_array((len(data), len(names)))
    digests = np.zeros((len(data), 16), np.uint8)
    sketched = large_array((len(data), LENGTH), np.uint8) if sketches else None
    errors: dict[int, ImageError] = {}
    stop = 0
    for table in measure_batches(
        data,
        families,
        frame=frame,
        n_jobs=n_jobs,
        cache=cache,
        batch_size=batch_size,
        progress=progress,
        sketches=sketches,
    ):
        start, stop = stop, stop + len(table.values)
        values[start:stop] = table.values
        digests[start:stop] = table.digests
        if sketched is not None:
            sketched[start:stop] = table.sketches
        errors |= {start + row: error for row, error in table.errors.items()}
    return FeatureTable(values, names, digests, errors, sketched)


def measure_batches(
    X: Images,
    families: Sequence[str] = DEFAULT_FAMILIES,
    *,
    frame: bool = True,
    n_jobs: int = 1,
    cache: str | Path | None = None,
    batch_size: int = 128,
    progress: Callable[[int, int], None] | None = None,
    sketches: bool = False,
) -> Iterator[FeatureTable]:
    """Measure images and yield the table of each batch, in order.

    Memory does not grow with the number of images. For the parameters and errors see
    `measure_images`.
    """
    data = as_dataset(X)
    require_dependencies(families, len(data))
    names = column_names(tuple(families))
    jobs = max(int(n_jobs), 1)
    measure = partial(_measure_image, families=tuple(families), frame=frame)
    with (
        _map_of_threads(jobs) as each,
        FeatureCache(cache, names, frame=frame, state=cache_key(families)) as store,
    ):
        for rows, images in data.batches(batch_size, jobs=jobs):
            table = FeatureTable(
                np.empty((len(rows), len(names)), np.float32),
                names,
                np.zeros((len(rows), 16), np.uint8),
                {},
                np.stack([*each(_sketch, images)]) if sketches else None,
            )
            results = _measure_batch(images, measure, store, each)
            for row, (vector, digest, error) in enumerate(results):
                table.values[row] = vector
                table.digests[row] = np.frombuffer(digest, np.uint8)
                if error is not None:
                    table.errors[row] = error
            if progress is not None:
                progress(int(rows[-1]) + 1, len(data))
            yield table


def _measure_batch(
    images: Sequence[NDArray[np.uint8] | ImageError],
    measure: Callable[[NDArray[np.uint8] | ImageError], _Measured],
    store: FeatureCache,
    each: _Map,
) -> Iterator[tuple[NDArray[np.float32], bytes, ImageError | None]]:
    digests = [_digest(image) for image in images]
    cached = store.get(digests)
    todo = [i for i, digest in enumerate(digests) if digest not in cached]
    measured = dict(zip(todo, each(measure, (images[i] for i in todo)), strict=True))
    store.put({digests[i]: vector for i, (vector, error) in measured.items() if error is None})
    for i, digest in enumerate(digests):
        vector, error = measured[i] if i in measured else (cached[digest], None)
        yield vector, digest or bytes(16), error


def _measure_image(
    image: NDArray[np.uint8] | ImageError, *, families: tuple[str, ...], frame: bool
) -> _Measured:
    """Return the features of one image, or NaN and the error."""
    try:
        if isinstance(image, ImageError):
            raise image
        rgb = as_rgb(image)
    except ImageError as error:
        return _missing(families, Flag.UNREADABLE), error
    if not families:
        return np.zeros(1, np.float32), None
    try:
        measured = measure_frame(rgb) if frame else whole_image_frame(rgb)
        if measured is None:
            return _missing(families, Flag.NO_SOURCE), None
        return _vector(families, measured), None
    except MemoryError:
        height, width = rgb.shape[:2]
        return _missing(families, Flag.UNREADABLE), ImageError(
            f"measuring an image of {width} by {height} pixels needs more memory than is "
            "available; cut out the galaxy first"
        )


def _vector(families: tuple[str, ...], frame: Frame) -> NDArray[np.float32]:
    parts: list[Any] = [family_module(name).measure(frame) for name in families]
    return np.concatenate([*parts, [frame.flags]], dtype=np.float32)


def _missing(families: tuple[str, ...], flag: Flag) -> NDArray[np.float32]:
    vector = np.full(len(column_names(families)), np.nan, np.float32)
    vector[-1] = flag
    return vector


@contextmanager
def _map_of_threads(jobs: int) -> Iterator[_Map]:
    """Yield a `map` over `jobs` threads; the built-in one for a single thread."""
    if jobs == 1:
        yield map
        return
    with ThreadPoolExecutor(jobs) as pool:

        def each(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
            futures = [pool.submit(function, item) for item in items]
            # Waking up for each result would interrupt the threads that measure.
            wait(futures)
            return (future.result() for future in futures)

        yield each


def _sketch(image: NDArray[np.uint8] | ImageError) -> NDArray[np.uint8]:
    return np.zeros(LENGTH, np.uint8) if isinstance(image, ImageError) else sketch(image)


def _digest(image: NDArray[np.uint8] | ImageError) -> bytes:
    return b"" if isinstance(image, ImageError) else pixel_digest(image)
