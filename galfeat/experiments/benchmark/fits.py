"""The fits of a benchmark, each in its own process and stored as a checkpoint."""

from __future__ import annotations

import hashlib
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from galfeat.classifier import GalaxyClassifier
from galfeat.errors import GalfeatWarning
from galfeat.evaluate.comparison.paired import OutOfFold
from galfeat.experiments.new_process import StoredTable, peak_memory, run_in_new_process
from galfeat.pipeline import Pipeline
from galfeat.storage.checkpoint import CheckpointStore

Rows = NDArray[np.intp]
_MEGABYTE = 1e6


class Fit(NamedTuple):
    """Predictions for the test rows after a fit, and its costs.

    Attributes
    ----------
    predictions : OutOfFold
        A single repeat.
    seconds : float
        Processor time of the fit, summed over threads.
    memory_mb : float
        Peak resident memory of the process, in 10⁶ bytes.
    warnings : list of str
    """

    predictions: OutOfFold
    seconds: float
    memory_mb: float
    warnings: list[str]


@dataclass(frozen=True, eq=False)
class SplitFits:
    """Fits to parts of the training rows, scored on all test rows.

    Attributes
    ----------
    y : ndarray of int, shape (n,)
        Class of each row.
    groups : ndarray of str, shape (n,)
    names : sequence of str
        The class names.
    test : ndarray of int
        Test rows.
    checkpoints : CheckpointStore
    folder : Path
        For large arrays.
    """

    y: Rows
    groups: NDArray[np.str_]
    names: tuple[str, ...]
    test: Rows
    checkpoints: CheckpointStore
    folder: Path

    def fit(
        self,
        classifier: GalaxyClassifier,
        table: StoredTable,
        columns: Rows,
        features: str,
        rows: Rows,
    ) -> Fit:
        """Return the results of a fit, carrying it out if its checkpoint is missing.

        Parameters
        ----------
        classifier : GalaxyClassifier
            With a `Pipeline`.
        table : StoredTable
            Features of all n rows.
        columns : ndarray of int
            The columns of the pipeline.
        features : str
            Digest of the features.
        rows : ndarray of int
            Training rows.
        """
        assert isinstance(classifier.pipeline, Pipeline)
        pipeline = classifier.pipeline.to_dict()
        key = {
            "pipeline": {
                name: pipeline[name] for name in pipeline.keys() - {"name", "description"}
            },
            "features": features,
            "train": hashlib.sha256(rows.tobytes()).hexdigest(),
            "test": hashlib.sha256(self.test.tobytes()).hexdigest(),
        }
        result = self.checkpoints.get(key)
        if result is None:
            result = run_in_new_process(
                _fit,
                *(classifier, table, columns, rows, self.y[rows], self.groups[rows]),
                *(self.names, self.test),
                scratch=self.folder,
                name=f"the process that fits {classifier.pipeline.name}",
                advice="free some memory, or choose other --pipelines, and run the command again: "
                "it resumes",
            )
            self.checkpoints.put(key, result)
        predictions = OutOfFold(result["probabilities"][None], result["predicted"][None])
        costs = float(result["seconds"]), float(result["memory_mb"])
        return Fit(predictions, *costs, result["warnings"].tolist())


def _fit(
    classifier: GalaxyClassifier,
    table: StoredTable,
    columns: Rows,
    rows: Rows,
    y: Rows,
    groups: NDArray[np.str_],
    names: tuple[str, ...],
    test: Rows,
) -> dict[str, NDArray[Any]]:
    """Fit to training rows and predict test rows."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", GalfeatWarning)
        start = time.process_time()
        classifier.fit_table(table.part(rows, columns), y, groups, class_names=names)
        seconds = time.process_time() - start
        predictions = classifier.classify_table(table.part(test, columns), without_source=True)
    messages = dict.fromkeys(
        str(warning.message) for warning in caught if issubclass(warning.category, GalfeatWarning)
    )
    return {
        "probabilities": predictions.probabilities,
        "predicted": predictions.predicted,
        "seconds": np.array(seconds),
        "memory_mb": np.array(peak_memory() / _MEGABYTE),
        "warnings": np.array(list(messages), dtype=np.str_),
    }
