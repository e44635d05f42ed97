"""Costs of a pipeline: time, memory and disk space, measured in a separate process."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from galfeat.classifier import GalaxyClassifier
from galfeat.experiments.new_process import StoredTable, peak_memory, run_in_new_process
from galfeat.features import FeatureTable
from galfeat.storage.scratch import current_folder

#: Maximum number of images measured, and time limit.
IMAGES, SECONDS = 32, 20.0
_REPEATS = 3
_MEGABYTE = 1e6


@dataclass(frozen=True)
class Costs:
    """Costs of a pipeline on this machine.

    Attributes
    ----------
    features_ms : float
        Median processor time to measure one decoded image, in milliseconds, after compilation.
    prediction_ms : float
        Processor time per galaxy to predict a batch from features, in milliseconds.
    peak_memory_mb : float
        Peak resident memory (10⁶ bytes) of a process that measures images, fits the pipeline
        and predicts, including Python and all libraries.
    model_mb : float
        Size of the fitted model on disk, in 10⁶ bytes.

    Examples
    --------
    >>> from galfeat.experiments import Costs
    >>> Costs(features_ms=3.0, prediction_ms=0.5, peak_memory_mb=300.0, model_mb=2.0).ms_per_galaxy
    3.5
    """

    features_ms: float
    prediction_ms: float
    peak_memory_mb: float
    model_mb: float

    @property
    def ms_per_galaxy(self) -> float:
        """Processor time from a decoded image to its probabilities, in milliseconds."""
        return self.features_ms + self.prediction_ms

    def to_json(self) -> dict[str, float]:
        """Return the four costs and `ms_per_galaxy`."""
        return {**asdict(self), "ms_per_galaxy": self.ms_per_galaxy}


def measure_costs(
    classifier: GalaxyClassifier,
    images: list[NDArray[np.uint8]],
    training: FeatureTable,
    y: NDArray[Any],
    test: FeatureTable,
) -> Costs:
    """Measure the costs of a pipeline in a new process, whose memory it does not share.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Not fitted; its threads are used only for the fit.
    images : list of ndarray of uint8, shape (H, W, 3)
        At least one image.
    training : FeatureTable
        Features to fit to.
    y : ndarray, shape (n,)
        Their classes: numbers or names. Simulated galaxies are chosen by name.
    test : FeatureTable
        Features to predict from.

    Raises
    ------
    GalfeatError
        If the pipeline cannot be fitted, or the process ends without a result, for example
        because it ran out of memory.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat import GalaxyClassifier
    >>> from galfeat.experiments import measure_costs
    >>> from galfeat.features import measure_images
    >>> y, x = np.mgrid[-32:32, -32:32]
    >>> radii = [np.hypot(x, q * y) / size for size in range(4, 10) for q in (1, 4)]
    >>> images = [(20 + 200 * np.exp(-radius)).astype(np.uint8) for radius in radii]
    >>> table = measure_images(images, ("skimage-hog",), frame=False)
    >>> costs = measure_costs(
    ...     GalaxyClassifier("hog-svm"), images, table, np.array([0, 1] * 6), table
    ... )
    >>> costs.peak_memory_mb > costs.model_mb > 0
    True
    """
    with tempfile.TemporaryDirectory(dir=current_folder()) as name:
        folder = Path(name)
        training_file, test_file = (StoredTable.of(table, folder) for table in (training, test))
        return run_in_new_process(
            _measure_stored,
            *(classifier, images, training_file, y, test_file),
            scratch=folder,
            name="the process that measures the cost of the pipeline",
            advice="free some memory, or compare without this pipeline",
        )


def _measure_stored(
    classifier: GalaxyClassifier,
    images: list[NDArray[np.uint8]],
    training: StoredTable,
    y: NDArray[Any],
    test: StoredTable,
) -> Costs:
    return _measure(classifier, images, training.load(), y, test.load())


def _measure(
    classifier: GalaxyClassifier,
    images: list[NDArray[np.uint8]],
    training: FeatureTable,
    y: NDArray[Any],
    test: FeatureTable,
) -> Costs:
    fitted = classifier.fit_table(training, y)
    extractor = fitted.extractor_.set_params(n_jobs=1, cache=None)
    extractor.extract(images[:1])  # compiles or loads the kernels
    start, times = time.perf_counter(), []
    for image in images[:IMAGES]:
        times.append(_milliseconds(partial(extractor.extract, [image])))
        if time.perf_counter() - start > SECONDS:
            break
    fitted.set_params(n_jobs=1)
    predictions = [_milliseconds(partial(fitted.classify_table, test)) for _ in range(_REPEATS)]
    with tempfile.TemporaryDirectory() as folder:
        size = _size_on_disk(fitted, Path(folder) / "model.joblib")
    return Costs(
        features_ms=statistics.median(times),
        prediction_ms=statistics.median(predictions) / len(test.values),
        peak_memory_mb=peak_memory() / _MEGABYTE,
        model_mb=size / _MEGABYTE,
    )


def _milliseconds(work: Callable[[], Any]) -> float:
    start = time.process_time()  # unlike wall-clock time, unaffected by other processes
    work()
    return 1000.0 * (time.process_time() - start)


def _size_on_disk(fitted: GalaxyClassifier, file: Path) -> int:
    joblib.dump(fitted, file, compress=3)
    return file.stat().st_size
