"""Fits of `feature_families.py`: out-of-fold predictions with subsets of the families."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from galfeat.classifier import GalaxyClassifier
from galfeat.data import DataSet
from galfeat.data.simulation.rerender import RerenderedDataSet
from galfeat.ensemble import decide
from galfeat.ensemble.calibration import Calibrator
from galfeat.evaluate.comparison.paired import Comparison, OutOfFold, compare_predictions
from galfeat.evaluate.importances import measure_importances
from galfeat.evaluate.learning_curve import SHARES
from galfeat.evaluate.metrics import log_loss
from galfeat.experiments.fits import (
    ORIGINAL,
    RERENDERED,
    LabelledRows,
    PipelineFits,
    PredictionsByPart,
)
from galfeat.features import FeatureExtractor, FeatureTable, classifier_columns
from galfeat.features.registry import FLAGS, OWN_FAMILIES
from galfeat.pipeline import load_pipeline
from galfeat.storage.checkpoint import CheckpointStore
from galfeat.storage.versions import library_versions

Families = tuple[str, ...]
Floats = NDArray[np.float64]
Item = TypeVar("Item")
Result = TypeVar("Result")

ALL: Families = tuple(OWN_FAMILIES)
PIPELINE = load_pipeline("lightgbm")
FOLDS = 5


def family_of(name: str) -> str:
    """Return the family a column belongs to."""
    return name.split(".", 1)[0]


def without(family: str) -> Families:
    """Return all families except one."""
    return tuple(name for name in ALL if name != family)


def columns_of(table: FeatureTable, families: Sequence[str]) -> FeatureTable:
    """Return the columns of some families, and the flags."""
    positions = [i for i, name in enumerate(table.names) if family_of(name) in (*families, FLAGS)]
    names = tuple(table.names[i] for i in positions)
    return FeatureTable(table.values[:, positions], names, table.digests, table.errors)


@dataclass(frozen=True)
class Ablation:
    """Scores of sets of families for one label column.

    Attributes
    ----------
    greedy : Families
        The families in the order of greedy forward selection.
    cheapest : Families
        The families, the cheapest first.
    comparisons : dict of str to Comparison
        All sets by `name_of`, for the test images `ORIGINAL` and `RERENDERED`.
    """

    greedy: Families
    cheapest: Families
    comparisons: dict[str, Comparison]


def name_of(families: Families) -> str:
    """Return a name for a set of families, independent of their order."""
    return "+".join(name for name in ALL if name in families)


class LabelledFits:
    """All fits for one label column of a data set; each is done only once.

    Parameters
    ----------
    dataset : DataSet
        n labelled galaxies.
    tables : dict of str to FeatureTable
        All families, for the images `ORIGINAL` and `RERENDERED`.
    repeats, seed, jobs : int
        As in `galfeat.experiments.comparison.Plan`.
    folder : Path
        Folder for completed fits.
    """

    def __init__(
        self,
        dataset: DataSet,
        tables: dict[str, FeatureTable],
        *,
        repeats: int,
        seed: int,
        jobs: int,
        folder: Path,
    ) -> None:
        self.dataset, self.tables, self.seed, self.jobs = dataset, tables, seed, jobs
        self.galaxies = LabelledRows.of(dataset, tables[ORIGINAL].digests, FOLDS, repeats, seed)
        self.once = replace(self.galaxies, splits=self.galaxies.splits[:FOLDS])
        common = {"data": self.galaxies.digest, "seed": seed, "folds": FOLDS}
        self._pieces = CheckpointStore(
            folder / "pieces", {**common, "libraries": library_versions()}
        )
        self._predictions: dict[str, PredictionsByPart] = {}

    def predictions(self, families: Families) -> PredictionsByPart:
        """Return the calibrated out-of-fold predictions with some families."""
        name = name_of(families)
        if name not in self._predictions:
            shares = SHARES if name == name_of(ALL) else (1.0,)
            raw = self._fits(families, self.galaxies).run(shares, _silent)
            self._predictions[name] = calibrated(self.galaxies, raw)
        return self._predictions[name]

    def _fits(self, families: Families, galaxies: LabelledRows) -> PipelineFits:
        ordered = tuple(name for name in ALL if name in families)
        pipeline = replace(PIPELINE, families=ordered, calibration="none")
        classifier = GalaxyClassifier(pipeline, random_state=self.seed)
        tables = {view: columns_of(table, ordered) for view, table in self.tables.items()}
        return PipelineFits(classifier, galaxies, tables, self._pieces)

    def loss_once(self, families: Families) -> float:
        """Return the log loss of the first repeat."""
        raw = self._fits(families, self.once).run((1.0,), _silent)
        (probabilities,) = calibrated(self.once, raw)[1.0, ORIGINAL].probabilities
        return float(log_loss(self.once.y, probabilities))

    def greedy_order(self) -> Families:
        """Return the families in the order of greedy forward selection by `loss_once`."""
        order: Families = ()
        while len(order) < len(ALL):
            rest = [name for name in ALL if name not in order]
            losses = self.each([(*order, name) for name in rest], self.loss_once)
            order = (*order, rest[int(np.argmin(losses))])
        return order

    def ablate(self, costs: Mapping[str, float]) -> Ablation:
        """Fit each family alone, all but each, and growing sets of families in two orders."""
        orders = self.greedy_order(), tuple(sorted(ALL, key=lambda name: costs[name]))
        sets = [(name,) for name in ALL] + [without(name) for name in ALL]
        sets += [order[:number] for order in orders for number in range(1, len(ALL) + 1)]
        distinct = {name_of(families): families for families in sets}
        self.each(list(distinct.values()), self.predictions)
        comparisons = {view: self._compared(list(distinct), view) for view in self.tables}
        return Ablation(*orders, comparisons)

    def _compared(self, names: list[str], view: str) -> Comparison:
        return self.compared({name: self._predictions[name][1.0, view] for name in names})

    def compared(self, predictions: dict[str, OutOfFold]) -> Comparison:
        """Score predictions and the differences between them."""
        galaxies = self.galaxies
        return compare_predictions(
            galaxies.y, predictions, galaxies.names, groups=galaxies.groups, seed=self.seed
        )

    def fitted(
        self,
        rows: NDArray[np.intp],
        y: NDArray[np.intp] | None = None,
        calibration: str = PIPELINE.calibration,
    ) -> GalaxyClassifier:
        """Fit the pipeline with all families to some rows, with given classes or their own."""
        labels = self.galaxies.y if y is None else y
        pipeline = replace(PIPELINE, families=ALL, calibration=calibration)
        return GalaxyClassifier(pipeline, random_state=self.seed).fit_table(
            self.tables[ORIGINAL].select(rows),
            labels[rows],
            self.galaxies.groups[rows],
            class_names=self.galaxies.names,
        )

    def each(self, items: Iterable[Item], work: Callable[[Item], Result]) -> list[Result]:
        """Apply a function to each item, in parallel."""
        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(work, items))

    def importances(self) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
        """Return the score lost by shuffling each family, and the gain of each column.

        Returns
        -------
        families : dict of str to (float, float)
            Balanced accuracy lost on the test rows of a fold; mean and standard deviation
            over the folds of the first repeat.
        columns : dict of str to float
            Share of the gain, mean over the folds.
        """
        table, y = self.tables[ORIGINAL], self.galaxies.y
        used = classifier_columns(table.names)
        names = [table.names[column] for column in used]
        owners = [family_of(name) for name in names]

        def measure(split: int) -> tuple[dict[str, float], dict[str, float]]:
            _, _, train, test = self.galaxies.splits[split]
            importances = measure_importances(
                self.fitted(train).ensemble_, table.values[np.ix_(test, used)], y[test],
                names, owners, top=len(names), seed=self.seed,
            )  # fmt: skip
            return {
                name: mean for name, (mean, _) in importances.families.items()
            }, importances.columns

        folds = self.each(range(FOLDS), measure)
        lost = {name: np.array([families[name] for families, _ in folds]) for name in ALL}
        gains = {name: float(np.mean([columns[name] for _, columns in folds])) for name in names}
        return {name: (float(v.mean()), float(v.std(ddof=1))) for name, v in lost.items()}, gains


def measured_tables(
    dataset: DataSet, seed: int, jobs: int, folder: Path
) -> dict[str, FeatureTable]:
    """Measure all families on the original images and re-rendered as another survey."""
    extractor = FeatureExtractor(ALL, n_jobs=jobs, cache=folder / "features")
    tables = {
        ORIGINAL: extractor.extract(dataset),
        RERENDERED: extractor.extract(RerenderedDataSet(dataset, seed)),
    }
    for table in tables.values():
        for error in table.errors.values():
            raise error
    return tables


def calibrated(galaxies: LabelledRows, raw: PredictionsByPart) -> PredictionsByPart:
    """Calibrate and decide like the pipeline, but without inner folds.

    Predictions on a test fold are calibrated by those on the other folds with original images.
    """
    y, k = galaxies.y, len(galaxies.names)
    result = {}
    for (share, view), part in raw.items():
        probabilities = np.empty_like(part.probabilities)
        predicted = np.empty_like(part.predicted)
        for repeat, _, train, test in galaxies.splits:
            if repeat < len(probabilities):
                others = raw[share, ORIGINAL].probabilities[repeat, train]
                calibrator = Calibrator(np.zeros(k)).fit(_logarithm(others), y[train])
                own = np.exp(calibrator.apply(_logarithm(part.probabilities[repeat, test])))
                probabilities[repeat, test] = own
                priors = np.bincount(y[train], minlength=k) / len(train)
                predicted[repeat, test] = decide(own, priors, PIPELINE.decision)
        result[share, view] = OutOfFold(probabilities, predicted)
    return result


def _logarithm(probabilities: Floats) -> Floats:
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))


def _silent(done: int, total: int) -> None:
    """Report no progress."""
