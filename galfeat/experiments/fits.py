"""The fits of one pipeline in a comparison, each made once and stored as a checkpoint."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from galfeat.classifier import GalaxyClassifier
from galfeat.data import DataSet
from galfeat.data.dataset import Progress
from galfeat.data.duplicates import find_groups
from galfeat.evaluate.comparison.paired import OutOfFold
from galfeat.evaluate.learning_curve import SHARES, nested_rows
from galfeat.evaluate.splits import outer_folds
from galfeat.experiments.costs import IMAGES, Costs, measure_costs
from galfeat.features import FeatureTable
from galfeat.pipeline import Pipeline
from galfeat.storage.checkpoint import CheckpointStore

#: Views of the test images. Training always uses the original images.
ORIGINAL, RERENDERED = "original", "re-rendered"

# Rows of features digested at a time.
_DIGESTED_ROWS = 512

Rows = NDArray[np.intp]
#: Predictions by share of the training rows and by view: all repeats for all training rows and
#: original images, otherwise only the first repeat.
PredictionsByPart = dict[tuple[float, str], OutOfFold]


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """The labelled rows of a comparison and their folds.

    Attributes
    ----------
    y : ndarray of int, shape (n,)
        Class of each row.
    names : list of str
        The k class names.
    groups : ndarray of str, shape (n,)
        Rows of one group are in one fold.
    splits : list of (repeat, fold, training rows, test rows)
    digest : str
        SHA-256 of pixels, classes and groups.
    """

    y: Rows
    names: list[str]
    groups: NDArray[np.str_]
    splits: list[tuple[int, int, Rows, Rows]]
    digest: str

    @classmethod
    def of(
        cls, dataset: DataSet, digests: NDArray[np.uint8], folds: int, repeats: int, seed: int
    ) -> LabelledRows:
        """Assign the rows of a data set to folds, as `cross_validate` does."""
        present, y = np.unique(dataset.labels, return_inverse=True)
        names = [dataset.class_names[index] for index in present]
        groups = find_groups(digests, groups=dataset.groups).groups
        splits = outer_folds(y, groups, folds, repeats, seed, class_names=names)
        digest = hashlib.sha256(digests.tobytes() + y.tobytes() + groups.tobytes())
        digest.update("\0".join(names).encode())
        numbered = [
            (repeat, number % folds, train, test)
            for number, (repeat, train, test) in enumerate(splits)
        ]
        return cls(y, names, groups, numbered, digest.hexdigest())

    def training_rows(self, split: int, seed: int) -> dict[float, Rows]:
        """Return nested subsets of a training part, one for each of `SHARES`."""
        repeat, fold, train, _ = self.splits[split]
        rng = np.random.default_rng([seed, repeat, fold])
        parts = nested_rows(self.y[train], SHARES, rng)
        return {share: train[part] for share, part in zip(SHARES, parts, strict=True)}

    def mean_rows(self, share: float, seed: int) -> int:
        """Return the mean number of training rows of a share over the folds."""
        folds = [number for number, (repeat, *_) in enumerate(self.splits) if repeat == 0]
        return round(np.mean([len(self.training_rows(fold, seed)[share]) for fold in folds]))


class PipelineFits:
    """All fits of one pipeline.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Classifier with a `Pipeline`; cloned for every fit.
    labelled : LabelledRows
        n rows.
    tables : mapping of str to FeatureTable
        Features of the n rows `ORIGINAL` and, optionally, `RERENDERED`.
    checkpoints : CheckpointStore
        Stores completed fits.

    Attributes
    ----------
    predictions : PredictionsByPart
        Predictions collected so far.
    seconds : list of float
        Processor time of each fit to all training rows, summed over threads.
    """

    def __init__(
        self,
        classifier: GalaxyClassifier,
        labelled: LabelledRows,
        tables: Mapping[str, FeatureTable],
        checkpoints: CheckpointStore,
    ) -> None:
        self._classifier, self._labelled, self._tables = classifier, labelled, tables
        self._checkpoints = checkpoints
        self._seed = int(classifier.random_state)
        assert isinstance(classifier.pipeline, Pipeline)
        pipeline = classifier.pipeline.to_dict()
        digests = {view: table_digest(table) for view, table in tables.items()}
        self._key: dict[str, Any] = {
            "pipeline": {name: pipeline[name] for name in pipeline.keys() - {"name", "description"}}
        }
        self._features = {view: [digests[ORIGINAL], digest] for view, digest in digests.items()}
        self.predictions: PredictionsByPart = {}
        self.seconds: list[float] = []

    def run(self, shares: Sequence[float], progress: Progress) -> PredictionsByPart:
        """Carry out all fits without a checkpoint, and return the predictions of all fits."""
        fits = list(self._planned_fits(shares))
        for done, (split, share) in enumerate(fits):
            progress(done, len(fits))
            self._fit(split, share)
        progress(len(fits), len(fits))
        return self.predictions

    def _planned_fits(self, shares: Sequence[float]) -> Iterator[tuple[int, float]]:
        for split, (repeat, *_) in enumerate(self._labelled.splits):
            yield from ((split, share) for share in shares if repeat == 0 or share == 1.0)

    def _fit(self, split: int, share: float) -> None:
        """Collect the predictions of one fit, carrying it out if a checkpoint is missing."""
        repeat, fold, _, test = self._labelled.splits[split]
        views = list(self._tables) if repeat == 0 and share == 1.0 else [ORIGINAL]
        fitted: GalaxyClassifier | None = None
        for view in views:
            key = {**self._key, "repeat": repeat, "fold": fold, "share": share}
            key |= {"view": view, "features": self._features[view]}
            result = self._checkpoints.get(key)
            if result is None:
                if fitted is None:
                    start = time.process_time()
                    fitted = self._fitted(split, share)
                    seconds = time.process_time() - start
                table = self._tables[view].select(test)
                predictions = fitted.classify_table(table, without_source=True)
                result = {
                    "probabilities": predictions.probabilities,
                    "predicted": predictions.predicted,
                    "seconds": np.array(seconds),
                }
                self._checkpoints.put(key, result)
            self._collect(repeat, share, view, test, result)

    def _fitted(self, split: int, share: float) -> GalaxyClassifier:
        labelled = self._labelled
        rows = labelled.splits[split][2]
        if share < 1.0:
            rows = labelled.training_rows(split, self._seed)[share]
        classifier: GalaxyClassifier = clone(self._classifier)
        return classifier.fit_table(
            self._tables[ORIGINAL].select(rows),
            labelled.y[rows],
            labelled.groups[rows],
            class_names=labelled.names,
        )

    def _collect(
        self, repeat: int, share: float, view: str, test: Rows, result: Mapping[str, NDArray[Any]]
    ) -> None:
        n, k = len(self._labelled.y), len(self._labelled.names)
        all_repeats = share == 1.0 and view == ORIGINAL
        if (share, view) not in self.predictions:
            repeats = 1 + self._labelled.splits[-1][0] if all_repeats else 1
            self.predictions[share, view] = OutOfFold(
                np.full((repeats, n, k), np.nan), np.full((repeats, n), -1)
            )
        predictions = self.predictions[share, view]
        predictions.probabilities[repeat, test] = result["probabilities"]
        predictions.predicted[repeat, test] = result["predicted"]
        if all_repeats:
            self.seconds.append(float(result["seconds"]))

    def costs(self, dataset: DataSet) -> Costs:
        """Return the costs of the pipeline, measured on the first fold unless stored."""
        key = {**self._key, "costs": True, "features": self._features[ORIGINAL]}
        result = self._checkpoints.get(key)
        if result is None:
            _, _, train, test = self._labelled.splits[0]
            rows = np.unique(np.linspace(0, len(dataset) - 1, IMAGES).astype(np.intp))
            images = [image for image in dataset.read(rows) if isinstance(image, np.ndarray)]
            table = self._tables[ORIGINAL]
            costs = measure_costs(
                self._classifier,
                images,
                table.select(train),
                np.array(self._labelled.names)[self._labelled.y[train]],
                table.select(test),
            )
            result = {"costs": np.array(astuple(costs))}
            self._checkpoints.put(key, result)
        return Costs(*result["costs"].tolist())


def table_digest(table: FeatureTable) -> str:
    """Return the SHA-256 of the columns and values of a table."""
    digest = hashlib.sha256("\0".join(table.names).encode())
    for part in table.batches(_DIGESTED_ROWS):
        digest.update(np.ascontiguousarray(part.values).tobytes())
    return digest.hexdigest()
