"""The fits behind `worth.py`: a pipeline on some families of features, predicted out of fold."""

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
    AS_IT_IS,
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
    """Return all families but one."""
    return tuple(name for name in ALL if name != family)


def columns_of(table: FeatureTable, families: Sequence[str]) -> FeatureTable:
    """Return the columns of some families, and the flags."""
    kept = [i for i, name in enumerate(table.names) if family_of(name) in (*families, FLAGS)]
    names = tuple(table.names[i] for i in kept)
    return FeatureTable(table.values[:, kept], names, table.digests, table.errors)


@dataclass(frozen=True)
class Ablation:
    """What sets of families reach on one label.

    Attributes
    ----------
    order : Families
        In which greedy forward selection adds the families.
    cheapest : Families
        The families, the cheapest first.
    shown : dict of str to Comparison
        All sets by `name_of`, on test images `AS_IT_IS` and `RERENDERED`.
    """

    order: Families
    cheapest: Families
    shown: dict[str, Comparison]


def name_of(families: Families) -> str:
    """Return one text for a set of families, in whatever order."""
    return "+".join(name for name in ALL if name in families)


class LabelledFits:
    """All fits on one label of a data set; none is made twice.

    Parameters
    ----------
    dataset : DataSet
        n galaxies, all with a label.
    tables : dict of str to FeatureTable
        All families, of the images `AS_IT_IS` and `RERENDERED`.
    repeats, seed, jobs : int
        As in `galfeat.experiments.comparison.Plan`.
    folder : Path
        Where finished fits are kept.
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
        self.galaxies = LabelledRows.of(dataset, tables[AS_IT_IS].digests, FOLDS, repeats, seed)
        self.once = replace(self.galaxies, splits=self.galaxies.splits[:FOLDS])
        common = {"data": self.galaxies.digest, "seed": seed, "folds": FOLDS}
        self._pieces = CheckpointStore(
            folder / "pieces", {**common, "libraries": library_versions()}
        )
        self._known: dict[str, PredictionsByPart] = {}

    def answers(self, families: Families) -> PredictionsByPart:
        """Return what the pipeline says when it is given some families, calibrated."""
        name = name_of(families)
        if name not in self._known:
            shares = SHARES if name == name_of(ALL) else (1.0,)
            said = self._fits(families, self.galaxies).run(shares, _silent)
            self._known[name] = calibrated(self.galaxies, said)
        return self._known[name]

    def _fits(self, families: Families, galaxies: LabelledRows) -> PipelineFits:
        ordered = tuple(name for name in ALL if name in families)
        pipeline = replace(PIPELINE, families=ordered, calibration="none")
        classifier = GalaxyClassifier(pipeline, random_state=self.seed)
        tables = {view: columns_of(table, ordered) for view, table in self.tables.items()}
        return PipelineFits(classifier, galaxies, tables, self._pieces)

    def loss_once(self, families: Families) -> float:
        """Return the log loss of the first repeat."""
        said = self._fits(families, self.once).run((1.0,), _silent)
        (chances,) = calibrated(self.once, said)[1.0, AS_IT_IS].probabilities
        return float(log_loss(self.once.y, chances))

    def greedy_order(self) -> Families:
        """Add at each step the family that lowers `loss_once` most."""
        order: Families = ()
        while len(order) < len(ALL):
            rest = [name for name in ALL if name not in order]
            losses = self.each([(*order, name) for name in rest], self.loss_once)
            order = (*order, rest[int(np.argmin(losses))])
        return order

    def ablate(self, costs: Mapping[str, float]) -> Ablation:
        """Fit each family alone, all but each, and ever more of them in two orders."""
        orders = self.greedy_order(), tuple(sorted(ALL, key=lambda name: costs[name]))
        sets = [(name,) for name in ALL] + [without(name) for name in ALL]
        sets += [order[:number] for order in orders for number in range(1, len(ALL) + 1)]
        distinct = {name_of(families): families for families in sets}
        self.each(list(distinct.values()), self.answers)
        shown = {view: self._compared(list(distinct), view) for view in self.tables}
        return Ablation(*orders, shown)

    def _compared(self, names: list[str], view: str) -> Comparison:
        known = {name: self._known[name][1.0, view] for name in names}
        return self.compared(known)

    def compared(self, answers: dict[str, OutOfFold]) -> Comparison:
        """Score answers, and the differences between them."""
        galaxies = self.galaxies
        return compare_predictions(
            galaxies.y, answers, galaxies.names, groups=galaxies.groups, seed=self.seed
        )

    def fitted(
        self,
        rows: NDArray[np.intp],
        y: NDArray[np.intp] | None = None,
        calibration: str = PIPELINE.calibration,
    ) -> GalaxyClassifier:
        """Fit the pipeline with all families to some rows, with their own classes or others."""
        labels = self.galaxies.y if y is None else y
        pipeline = replace(PIPELINE, families=ALL, calibration=calibration)
        return GalaxyClassifier(pipeline, random_state=self.seed).fit_table(
            self.tables[AS_IT_IS].select(rows),
            labels[rows],
            self.galaxies.groups[rows],
            class_names=self.galaxies.names,
        )

    def each(self, items: Iterable[Item], work: Callable[[Item], Result]) -> list[Result]:
        """Do something with each of some items, several at a time."""
        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(work, items))

    def importances(self) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
        """Measure what shuffling a family costs, and the gain of each column.

        Returns
        -------
        families : dict of str to (float, float)
            Balanced accuracy lost on the test rows of a fold; mean and standard deviation
            over the folds of the first repeat.
        columns : dict of str to float
            Share of the gain, mean over the folds.
        """
        table, y = self.tables[AS_IT_IS], self.galaxies.y
        given = classifier_columns(table.names)
        names = [table.names[column] for column in given]
        owners = [family_of(name) for name in names]

        def measure(split: int) -> tuple[dict[str, float], dict[str, float]]:
            _, _, train, test = self.galaxies.splits[split]
            found = measure_importances(
                self.fitted(train).ensemble_, table.values[np.ix_(test, given)], y[test],
                names, owners, top=len(names), seed=self.seed,
            )  # fmt: skip
            return {name: mean for name, (mean, _) in found.families.items()}, found.columns

        folds = self.each(range(FOLDS), measure)
        lost = {name: np.array([families[name] for families, _ in folds]) for name in ALL}
        gains = {name: float(np.mean([columns[name] for _, columns in folds])) for name in names}
        return {name: (float(v.mean()), float(v.std(ddof=1))) for name, v in lost.items()}, gains


def measured_tables(
    dataset: DataSet, seed: int, jobs: int, folder: Path
) -> dict[str, FeatureTable]:
    """Measure all families, on the images as they are and as another survey shows them."""
    extractor = FeatureExtractor(ALL, n_jobs=jobs, cache=folder / "features")
    tables = {
        AS_IT_IS: extractor.extract(dataset),
        RERENDERED: extractor.extract(RerenderedDataSet(dataset, seed)),
    }
    for table in tables.values():
        for error in table.errors.values():
            raise error
    return tables


def calibrated(galaxies: LabelledRows, said: PredictionsByPart) -> PredictionsByPart:
    """Calibrate and decide as the pipeline does, without its inner folds.

    The answers on one test fold are calibrated by those on the others, seen as they are.
    """
    y, k = galaxies.y, len(galaxies.names)
    result = {}
    for (share, view), answers in said.items():
        chances, named = np.empty_like(answers.probabilities), np.empty_like(answers.predicted)
        for repeat, _, train, test in galaxies.splits:
            if repeat < len(chances):
                seen = said[share, AS_IT_IS].probabilities[repeat, train]
                calibrator = Calibrator(np.zeros(k)).fit(_logarithm(seen), y[train])
                own = _logarithm(answers.probabilities[repeat, test])
                chances[repeat, test] = np.exp(calibrator.apply(own))
                priors = np.bincount(y[train], minlength=k) / len(train)
                named[repeat, test] = decide(chances[repeat, test], priors, PIPELINE.decision)
        result[share, view] = OutOfFold(chances, named)
    return result


def _logarithm(probabilities: Floats) -> Floats:
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))


def _silent(done: int, total: int) -> None:
    """Report no progress."""
