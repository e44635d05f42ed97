"""Predictions of a classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.ensemble.decision import decide, decision_note
from galfeat.ensemble.population.prediction_sets import CalibrationRows, set_thresholds
from galfeat.ensemble.population.priors import checked_priors, reweighted
from galfeat.ensemble.prediction_table import Cell, PredictionTable
from galfeat.errors import DataError, ImageError
from galfeat.features.doubt import OTHER_SURVEY, POINT_LIKE, UNLIKE, raised
from galfeat.features.table import describe_errors
from galfeat.frame import Flag, describe_flags

if TYPE_CHECKING:
    from galfeat.features import FeatureTable

_Item = TypeVar("_Item")

#: Flag of images without a class.
NO_SOURCE = describe_flags(Flag.NO_SOURCE)
_NO_GALAXY = "No galaxy stands out near the middle of this image."
#: What a flag means for the class; all but the last doubt that the image shows a galaxy.
_DOUBTS = {
    UNLIKE: "Possibly not a galaxy: the measurements are unlike those of any galaxy the model was "
    "trained on, as of noise, an artefact or a picture of something else.",
    POINT_LIKE: "Possibly a star: the source is as small, round and concentrated as the image of "
    "a point.",
    OTHER_SURVEY: "The sky, its noise or the colours are unlike those of the images the model was "
    "trained on; its probabilities may not hold for another survey.",
}
_ROWS_SHOWN = 10


def no_galaxy(flags: str) -> str | None:
    """Return why an image has no class, from its flags; None if it has one."""
    return _NO_GALAXY if NO_SOURCE in flags.split(";") else None


def doubts(flags: str) -> list[str]:
    """Return a sentence for each flag that casts doubt on an image's class.

    Parameters
    ----------
    flags : str
        Names of flags, separated by semicolons.

    Examples
    --------
    >>> from galfeat.predictions import doubts
    >>> doubts("round;point_like")[0][:16]
    'Possibly a star:'
    """
    return [text for flag, text in _DOUBTS.items() if flag in flags.split(";")]


def may_show_no_galaxy(flags: str) -> bool:
    """Return whether an image with these flags has a class although it may show no galaxy."""
    return not {UNLIKE, POINT_LIKE}.isdisjoint(flags.split(";"))


def classified_rows(table: FeatureTable) -> NDArray[np.intp]:
    """Return the rows of images that get a class: those that were read and contain a source.

    An image with the flag ``no_source`` shows no light above the sky near its centre, so its
    features are missing and its probabilities would merely be those of such images among the
    training galaxies. It has no class and no probabilities, in Python, on the command line and on
    the web page. Pipelines that do not look for a source (``frame = false``) classify all images.

    Parameters
    ----------
    table : FeatureTable
    """
    usable = table.usable_rows()
    flags = np.nan_to_num(table.values[usable, table.names.index("flags")]).astype(np.int64)
    rows: NDArray[np.intp] = usable[flags & Flag.NO_SOURCE == 0]
    return rows


def flag_texts(table: FeatureTable, scores: NDArray[np.float64]) -> list[str]:
    """Return the problems of each measurement as text, separated by semicolons.

    Parameters
    ----------
    table : FeatureTable, n rows
    scores : ndarray of float, shape (n, 3)
        From `galfeat.features.doubt.doubt_scores`.
    """
    values = table.values[:, table.names.index("flags")]
    flags = ["" if np.isnan(value) else describe_flags(value) for value in values]
    return [
        ";".join(filter(None, (text, *names)))
        for text, names in zip(flags, raised(scores), strict=True)
    ]


@dataclass(frozen=True, eq=False, repr=False)
class Predictions(PredictionTable):
    """Predicted classes and probabilities of n galaxies.

    Attributes
    ----------
    classes : ndarray, shape (k,)
        Class labels, in the order of the columns of `probabilities`.
    probabilities : ndarray of float, shape (n, k)
        Calibrated to `priors`; NaN for a failed image and for one without a source.
    member_log_probabilities : ndarray of float, shape (n, members, k)
        Logarithms of the probabilities of each member of the ensemble, before they are combined;
        NaN for a failed image and for one without a source.
    predicted : ndarray of int, shape (n,)
        The class predicted by the decision rule, as an index into `classes`; -1 for a failed
        image and for one without a source.
    most_probable : ndarray of int, shape (n,)
        The class with the largest probability; -1 where `predicted` is.
    flags : list of str
        Problems of each measurement, see `galfeat.frame.describe_flags`, and of the image:
        ``unlike_training``, ``other_survey`` and ``point_like``, where `scores` are high.
    errors : dict of int to ImageError
        Errors of the images that failed, by row.
    digests : ndarray of uint8, shape (n, 16)
        Digest of each image's decoded pixels.
    ids : sequence of str, length n, or None
        Ids of the galaxies in their data set; None for row numbers.
    true_classes : sequence of str or None, length n, or None
        Labels of the data set, None for a galaxy without one; None if no label is known.
    decision : {"balanced", "tempered", "probable"}
        The decision rule behind `predicted`; see `galfeat.ensemble.decide`.
    seen : ndarray of bool, shape (n,), or None
        Whether the model was fitted to the image, or to another one of the same galaxy, from
        `galfeat.model_io.ModelRows.learned`; None if unknown.
    priors : ndarray of float, shape (k,), or None
        The class frequencies the probabilities assume; see `with_priors`. None if unknown.
    calibration : CalibrationRows or None
        Labelled galaxies that calibrate prediction sets; None if the model keeps none.
    in_set : ndarray of bool, shape (n, k), or None
        Whether each class is in the prediction set of each galaxy, from `with_sets`; False for a
        failed image and for one without a source. `set_of` returns the names.
    coverage : float or None
        Coverage of the prediction sets.
    scores : ndarray of float, shape (n, 3), or None
        How unlike the training galaxies an image is, how unlike their survey, and how like a
        star, each from 0 to 1; NaN where not measured. See `galfeat.features.doubt.doubt_scores`.

    Notes
    -----
    A galaxy has two classes: `predicted` follows the decision rule of the model's pipeline, which
    may favour rare classes; `most_probable` has the largest probability. `differs` marks the
    galaxies where they are not the same, and `note` gives the reason as a sentence. A table has
    both, in the columns ``class`` and ``most_probable``.

    An image without a source has neither: see `classified_rows`.

    Examples
    --------
    >>> from galfeat import load_model
    >>> from galfeat.data.simulation import simulate
    >>> predictions = load_model("simulated").classify(simulate(12, seed=34).images)
    >>> predictions.differs.nonzero()[0].tolist()
    [0]
    >>> predictions.classes[predictions.predicted[[0]]].tolist()
    ['Disturbed']
    >>> predictions.classes[predictions.most_probable[[0]]].tolist()
    ['Merging']

    A survey with few disturbed galaxies:

    >>> frequencies = dict.fromkeys(predictions.classes, 1.0) | {"Disturbed": 0.1}
    >>> moved = predictions.with_priors(frequencies)
    >>> moved.classes[moved.predicted[[0]]].tolist()
    ['Merging']
    """

    classes: NDArray[Any]
    probabilities: NDArray[np.float64]
    member_log_probabilities: NDArray[np.float64]
    predicted: NDArray[np.intp]
    most_probable: NDArray[np.intp]
    flags: list[str]
    errors: dict[int, ImageError]
    digests: NDArray[np.uint8]
    ids: Sequence[str] | None = None
    true_classes: Sequence[str | None] | None = None
    decision: str = "probable"
    seen: NDArray[np.bool_] | None = None
    priors: NDArray[np.float64] | None = None
    calibration: CalibrationRows | None = None
    in_set: NDArray[np.bool_] | None = None
    coverage: float | None = None
    scores: NDArray[np.float64] | None = None

    @property
    def differs(self) -> NDArray[np.bool_]:
        """Whether the predicted class is not the most probable one, shape (n,)."""
        return np.asarray(self.predicted != self.most_probable)

    @property
    def without_source(self) -> NDArray[np.bool_]:
        """Whether an image was read but has no class, as it contains no source, shape (n,)."""
        mask = np.asarray(self.predicted < 0)
        mask[list(self.errors)] = False
        return mask

    def note(self, row: int) -> str | None:
        """Return why a galaxy's predicted class is not the most probable one; None if it is."""
        if not self.differs[row]:
            return None
        predicted, likely = self.predicted[row], self.most_probable[row]
        return decision_note(str(self.classes[predicted]), str(self.classes[likely]), self.decision)

    def __repr__(self) -> str:
        """Return the numbers of galaxies, classes and failed images."""
        return f"<Predictions: {self._counts()}>"

    def with_priors(self, priors: Mapping[Any, float] | ArrayLike) -> Predictions:
        """Return the predictions for galaxies with other class frequencies.

        Probabilities become ``p * new / old``, normalised, which is exact where galaxies of one
        class look like those the model was fitted to and only the mix of classes differs. The
        decision rule and prediction sets follow. See also `GalaxyClassifier.with_priors`.

        Parameters
        ----------
        priors : mapping of class to float, or array_like of float, shape (k,)
            See `galfeat.ensemble.population.checked_priors`.

        Raises
        ------
        DataError
            If a class is unknown or missing, a frequency is not a number of at least 0, the
            present frequencies are unknown, or one of 0 would increase.
        """
        if self.priors is None:
            raise DataError("the class frequencies of these predictions are unknown; set priors")
        new = checked_priors(priors, self.classes)
        lost = self.classes[(self.priors == 0) & (new > 0)]
        if len(lost):
            raise DataError(
                f"the frequency of class {str(lost[0])!r} was set to 0, which cannot be undone; "
                "start from the original predictions"
            )
        probabilities = reweighted(self.probabilities, self.priors, new)
        moved = replace(
            self,
            probabilities=probabilities,
            predicted=decide(probabilities, new, self.decision),
            most_probable=decide(probabilities, new, "probable"),
            priors=new,
        )
        return moved if self.coverage is None else moved.with_sets(self.coverage)

    def with_sets(self, coverage: float) -> Predictions:
        """Return the predictions with a prediction set for each galaxy.

        A set contains the galaxy's class with a probability of `coverage`, for galaxies like the
        calibration rows. The class predicted by the decision rule and the most probable one are in
        every set, even where the thresholds alone would leave them out, which can only raise the
        coverage.

        Parameters
        ----------
        coverage : float
            Above 0 and below 1.

        Raises
        ------
        DataError
            If the coverage is out of range, or there are too few calibration rows for it.
        ModelError
            If the model keeps no calibration rows; see `GalaxyClassifier.with_calibration`.
        """
        thresholds = set_thresholds(self.calibration, coverage, priors=self.priors)
        in_set = thresholds.contain(self.probabilities)
        (classified,) = np.nonzero(self.predicted >= 0)
        for codes in (self.predicted, self.most_probable):
            in_set[classified, codes[classified]] = True
        return replace(self, in_set=in_set, coverage=coverage)

    @classmethod
    def concatenate(cls, parts: Sequence[Predictions]) -> Predictions:
        """Return the predictions of consecutive batches as one; at least one batch.

        Parameters
        ----------
        parts : sequence of Predictions
            Of one classifier, as from `GalaxyClassifier.classify_batches`.
        """
        if len(parts) == 1:
            return parts[0]
        starts = np.cumsum([0, *map(len, parts)])

        def stacked(name: str) -> NDArray[Any]:
            return np.concatenate([getattr(part, name) for part in parts])

        return cls(
            classes=parts[0].classes,
            probabilities=stacked("probabilities"),
            member_log_probabilities=stacked("member_log_probabilities"),
            predicted=stacked("predicted"),
            most_probable=stacked("most_probable"),
            flags=[text for part in parts for text in part.flags],
            errors={
                int(start) + row: error
                for start, part in zip(starts, parts, strict=False)
                for row, error in part.errors.items()
            },
            digests=stacked("digests"),
            ids=_chained([part.ids for part in parts]),
            true_classes=_chained([part.true_classes for part in parts]),
            decision=parts[0].decision,
            seen=None if any(part.seen is None for part in parts) else stacked("seen"),
            priors=parts[0].priors,
            calibration=parts[0].calibration,
            in_set=None if any(part.in_set is None for part in parts) else stacked("in_set"),
            coverage=parts[0].coverage,
            scores=None if any(part.scores is None for part in parts) else stacked("scores"),
        )

    def _counts(self) -> str:
        failed = f", {len(self.errors):,} failed" if self.errors else ""
        return f"{len(self):,} galaxies, {len(self.classes)} classes{failed}"

    def _repr_html_(self) -> str:
        """Return the first rows, for notebooks."""
        from galfeat.evaluate.html import html_table, notebook_html

        rows = list(islice(self.rows(), _ROWS_SHOWN))
        columns = ["id", "class", "probability"]
        if self.true_classes is not None:
            columns.append("true_class")
        header = [*(name.replace("_", " ") for name in columns), "flags"]
        cells = [
            [*(_text(row[name]) for name in columns), _text(row["error"] or row["flags"])]
            for row in rows
        ]
        rest = len(self) - len(rows)
        more = f"; the first {len(rows)} rows" if rest else ""
        table = html_table(header, cells, text=["class", "true class", "flags"])
        return notebook_html("Predictions", self._counts() + more, table)


def describe_unclassified(predictions: Predictions) -> str:
    """Describe the images without a class: how many, and the first; empty if all have one."""
    parts = [describe_errors(predictions.errors)] if predictions.errors else []
    empty = np.flatnonzero(predictions.without_source)
    if len(empty):
        parts.append(f"{len(empty)} of the images contain no source, the first in row {empty[0]}")
    return "; ".join(parts)


def _chained(parts: Sequence[Sequence[_Item] | None]) -> list[_Item] | None:
    """Return the items of all parts; None unless all parts have items."""
    present = [part for part in parts if part is not None]
    return list(chain.from_iterable(present)) if len(present) == len(parts) else None


def _text(cell: Cell) -> str:
    if cell is None:
        return "–"
    return f"{cell:.3f}" if isinstance(cell, float) else cell
