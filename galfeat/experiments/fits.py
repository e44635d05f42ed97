"""The fits of one pipeline in a comparison: each is made once, and kept."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from galfeat.classifier import GalaxyClassifier, Progress
from galfeat.data import DataSet
from galfeat.evaluate.comparison.paired import OutOfFold
from galfeat.evaluate.learning_curve import SHARES, nested_rows
from galfeat.evaluate.splits import folds as deal_folds
from galfeat.experiments.costs import IMAGES, Costs, measure_costs
from galfeat.experiments.cross_validation import group_duplicates
from galfeat.features import FeatureTable
from galfeat.pipeline import Pipeline
from galfeat.storage.checkpoint import CheckpointStore

#: How test images are shown. The training images are always as they are.
AS_IT_IS, RERENDERED = "as it is", "re-rendered"

Rows = NDArray[np.intp]
#: By share of the training rows, and by view: all repeats for all training rows and images as
#: they are, the first repeat for everything else.
PredictionsByPart = dict[tuple[float, str], OutOfFold]


@dataclass(frozen=True, eq=False)
class Galaxies:
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
        Of pixels, classes and groups.
    """

    y: Rows
    names: list[str]
    groups: NDArray[np.str_]
    splits: list[tuple[int, int, Rows, Rows]]
    digest: str

    @classmethod
    def of(
        cls, dataset: DataSet, digests: NDArray[np.uint8], folds: int, repeats: int, seed: int
    ) -> Galaxies:
        """Deal the rows of a data set to folds, as `cross_validate` does."""
        present, y = np.unique(dataset.labels, return_inverse=True)
        names = [dataset.class_names[index] for index in present]
        groups = group_duplicates(dataset.groups, digests)
        splits = deal_folds(y, groups, folds, repeats, seed, class_names=names)
        digest = hashlib.sha256(digests.tobytes() + y.tobytes() + groups.tobytes())
        digest.update("\0".join(names).encode())
        numbered = [
            (repeat, number % folds, train, test)
            for number, (repeat, train, test) in enumerate(splits)
        ]
        return cls(y, names, groups, numbered, digest.hexdigest())

    def training_rows(self, split: int, seed: int) -> dict[float, Rows]:
        """Return the rows of each of `SHARES` of a training part, each inside the next."""
        repeat, fold, train, _ = self.splits[split]
        rng = np.random.default_rng([seed, repeat, fold])
        parts = nested_rows(self.y[train], SHARES, rng)
        return {share: train[part] for share, part in zip(SHARES, parts, strict=True)}

    def mean_rows(self, share: float, seed: int) -> int:
        """Return how many training rows a share is, on average over the folds."""
        folds = [number for number, (repeat, *_) in enumerate(self.splits) if repeat == 0]
        return round(np.mean([len(self.training_rows(fold, seed)[share]) for fold in folds]))


class PipelineFits:
    """All fits of one pipeline.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Of a `Pipeline`; cloned for every fit.
    galaxies : Galaxies
        n rows.
    tables : mapping of str to FeatureTable
        Features of the n rows `AS_IT_IS` and, where that is wanted, `RERENDERED`.
    pieces : CheckpointStore
        Where finished fits are kept.

    Attributes
    ----------
    answers : PredictionsByPart
        What has been predicted so far.
    seconds : list of float
        Processor time of each fit to all training rows, of all its threads together.
    """

    def __init__(
        self,
        classifier: GalaxyClassifier,
        galaxies: Galaxies,
        tables: Mapping[str, FeatureTable],
        pieces: CheckpointStore,
    ) -> None:
        self._classifier, self._galaxies, self._pieces = classifier, galaxies, pieces
        self._tables = tables
        self._seed = int(classifier.random_state)
        assert isinstance(classifier.pipeline, Pipeline)
        pipeline = classifier.pipeline.to_dict()
        digests = {view: _digest(table) for view, table in tables.items()}
        self._key: dict[str, Any] = {
            "pipeline": {name: pipeline[name] for name in pipeline.keys() - {"name", "description"}}
        }
        self._features = {view: [digests[AS_IT_IS], digest] for view, digest in digests.items()}
        self.answers: PredictionsByPart = {}
        self.seconds: list[float] = []

    def run(self, shares: Sequence[float], progress: Progress) -> PredictionsByPart:
        """Do every fit that has not been done, and return what they predict."""
        todo = list(self._todo(shares))
        for done, (split, share) in enumerate(todo):
            progress(done, len(todo))
            self._fit(split, share)
        progress(len(todo), len(todo))
        return self.answers

    def _todo(self, shares: Sequence[float]) -> Iterator[tuple[int, float]]:
        for split, (repeat, *_) in enumerate(self._galaxies.splits):
            yield from ((split, share) for share in shares if repeat == 0 or share == 1.0)

    def _fit(self, split: int, share: float) -> None:
        """Collect the predictions of one fit, which is made where one of them is missing."""
        repeat, fold, _, test = self._galaxies.splits[split]
        views = list(self._tables) if repeat == 0 and share == 1.0 else [AS_IT_IS]
        fitted: GalaxyClassifier | None = None
        for view in views:
            key = {**self._key, "repeat": repeat, "fold": fold, "share": share}
            key |= {"view": view, "features": self._features[view]}
            piece = self._pieces.get(key)
            if piece is None:
                if fitted is None:
                    start = time.process_time()
                    fitted = self._fitted(split, share)
                    seconds = time.process_time() - start
                said = fitted.classify_table(self._tables[view].select(test))
                piece = {
                    "probabilities": said.probabilities,
                    "predicted": said.predicted,
                    "seconds": np.array(seconds),
                }
                self._pieces.put(key, piece)
            self._collect(repeat, share, view, test, piece)

    def _fitted(self, split: int, share: float) -> GalaxyClassifier:
        galaxies = self._galaxies
        rows = galaxies.splits[split][2]
        if share < 1.0:
            rows = galaxies.training_rows(split, self._seed)[share]
        classifier: GalaxyClassifier = clone(self._classifier)
        return classifier.fit_table(
            self._tables[AS_IT_IS].select(rows),
            galaxies.y[rows],
            galaxies.groups[rows],
            class_names=galaxies.names,
        )

    def _collect(
        self, repeat: int, share: float, view: str, test: Rows, piece: Mapping[str, NDArray[Any]]
    ) -> None:
        n, k = len(self._galaxies.y), len(self._galaxies.names)
        if (share, view) not in self.answers:
            whole = share == 1.0 and view == AS_IT_IS
            repeats = 1 + self._galaxies.splits[-1][0] if whole else 1
            self.answers[share, view] = OutOfFold(
                np.full((repeats, n, k), np.nan), np.full((repeats, n), -1)
            )
        answers = self.answers[share, view]
        answers.probabilities[repeat, test] = piece["probabilities"]
        answers.predicted[repeat, test] = piece["predicted"]
        if share == 1.0 and view == AS_IT_IS:
            self.seconds.append(float(piece["seconds"]))

    def costs(self, dataset: DataSet) -> Costs:
        """Return what the pipeline costs, measured on the first fold where it has not been."""
        key = {**self._key, "costs": True, "features": self._features[AS_IT_IS]}
        piece = self._pieces.get(key)
        if piece is None:
            _, _, train, test = self._galaxies.splits[0]
            rows = np.unique(np.linspace(0, len(dataset) - 1, IMAGES).astype(np.intp))
            images = [image for image in dataset.read(rows) if isinstance(image, np.ndarray)]
            table = self._tables[AS_IT_IS]
            costs = measure_costs(
                self._classifier,
                images,
                table.select(train),
                self._galaxies.y[train],
                table.select(test),
            )
            piece = {"costs": np.array(astuple(costs))}
            self._pieces.put(key, piece)
        return Costs(*piece["costs"].tolist())


def _digest(table: FeatureTable) -> str:
    digest = hashlib.sha256("\0".join(table.names).encode())
    digest.update(np.ascontiguousarray(table.values).tobytes())
    return digest.hexdigest()
