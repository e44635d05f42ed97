"""What a pipeline costs: time, memory and disk, measured in a process of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import resource
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from galfeat.classifier import GalaxyClassifier
from galfeat.errors import GalfeatError
from galfeat.features import FeatureTable

#: Images that are measured, one after the other, or as many as this many seconds allow.
IMAGES, SECONDS = 32, 20.0
_REPEATS = 3
_MEGABYTE = 1e6


@dataclass(frozen=True)
class Costs:
    """What a pipeline costs on this machine.

    Attributes
    ----------
    features_ms : float
        Median processor milliseconds to measure one decoded image, kernels compiled.
    prediction_ms : float
        Processor milliseconds per galaxy to predict from features, many at once.
    peak_memory_mb : float
        Most memory (resident, 10⁶ bytes) of a process that measures these images, fits the
        pipeline to the features it is given and predicts; Python and all libraries included.
    model_mb : float
        Size of the fitted model on disk, in 10⁶ bytes.
    """

    features_ms: float
    prediction_ms: float
    peak_memory_mb: float
    model_mb: float

    @property
    def ms_per_galaxy(self) -> float:
        """Processor milliseconds from a decoded image to its probabilities."""
        return self.features_ms + self.prediction_ms

    def to_json(self) -> dict[str, float]:
        """Return the four numbers and `ms_per_galaxy`."""
        return {**asdict(self), "ms_per_galaxy": self.ms_per_galaxy}


def measure_costs(
    classifier: GalaxyClassifier,
    images: list[NDArray[np.uint8]],
    training: FeatureTable,
    y: NDArray[np.integer],
    test: FeatureTable,
) -> Costs:
    """Measure what a pipeline costs, in a new process, so that its memory is its own.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Not fitted; its threads are used for the fit alone.
    images : list of ndarray of uint8, shape (H, W, 3)
        At least one.
    training : FeatureTable
        Features to fit to.
    y : ndarray of int, shape (n,)
        Their classes.
    test : FeatureTable
        Features to predict from.

    Raises
    ------
    GalfeatError
        If the pipeline cannot be fitted, or the process ends without an answer, as when memory
        runs out.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(
        target=_report, args=(sender, classifier, images, training, y, test), daemon=True
    )
    # An interrupt from the keyboard is for this process, which then ends the other.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    sender.close()
    try:
        answer: Costs | Exception = receiver.recv()
    except EOFError as error:
        process.join()
        raise GalfeatError(
            f"the process that fits the pipeline to measure its cost ended with exit code "
            f"{process.exitcode}; free some memory, or compare without this pipeline"
        ) from error
    process.join()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _report(
    sender: Connection,
    classifier: GalaxyClassifier,
    images: list[NDArray[np.uint8]],
    training: FeatureTable,
    y: NDArray[np.integer],
    test: FeatureTable,
) -> None:
    """Send the costs, or what went wrong, to the process that asked, if it is still there."""
    answer: Costs | Exception
    try:
        answer = _measure(classifier, images, training, y, test)
    except Exception as error:
        answer = error
    with contextlib.suppress(BrokenPipeError), sender:
        sender.send(answer)


def _measure(
    classifier: GalaxyClassifier,
    images: list[NDArray[np.uint8]],
    training: FeatureTable,
    y: NDArray[np.integer],
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
        peak_memory_mb=_peak_memory() / _MEGABYTE,
        model_mb=size / _MEGABYTE,
    )


def _milliseconds(work: Callable[[], Any]) -> float:
    start = time.process_time()  # of the clock's time others may have taken their share
    work()
    return 1000.0 * (time.process_time() - start)


def _size_on_disk(fitted: GalaxyClassifier, file: Path) -> int:
    joblib.dump(fitted, file, compress=3)
    return file.stat().st_size


def _peak_memory() -> int:
    """Return the most memory this process has held, in bytes."""
    try:  # getrusage of a new process begins with what its parent held
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
