"""Predictions of a classifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import ImageError, MissingDependencyError
from galfeat.features.quantiles import MAX_UNUSUAL, UNLIKE, share_unusual
from galfeat.features.table import describe_errors
from galfeat.frame import Flag, describe_flags

if TYPE_CHECKING:
    import pandas as pd

    from galfeat.features import FeatureTable

Cell: TypeAlias = str | float | None
_Item = TypeVar("_Item")

#: Flag of images without a class.
NO_SOURCE = describe_flags(Flag.NO_SOURCE)
_NO_GALAXY = {
    NO_SOURCE: "No galaxy stands out near the middle of this image.",
    UNLIKE: "The measurements are unlike those of any galaxy the model was trained on: a star, "
    "noise, or a picture of something else.",
}
_ROWS_SHOWN = 10


def no_galaxy(flags: str) -> str | None:
    """Return why an image seems to show no galaxy, from its flags; None if it shows one."""
    raised = flags.split(";")
    return next((reason for flag, reason in _NO_GALAXY.items() if flag in raised), None)


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


def decision_note(predicted: str | None, most_probable: str | None, decision: str) -> str | None:
    """Return a sentence on a predicted class that is not the most probable one, or None.

    Parameters
    ----------
    predicted, most_probable : str or None
        Names of the class predicted by the decision rule and of the class with the largest
        probability; None for an image without a class.
    decision : {"balanced", "tempered", "probable"}
        The decision rule.

    Examples
    --------
    >>> from galfeat.predictions import decision_note
    >>> decision_note("Disturbed", "Merging", "tempered")
    'The tempered rule, which favours rarer classes, predicts Disturbed.'
    """
    if predicted == most_probable:
        return None
    return f"The {decision} rule, which favours rarer classes, predicts {predicted}."


def flag_texts(table: FeatureTable, quantiles: Mapping[str, NDArray[np.float32]]) -> list[str]:
    """Return the problems of each measurement as text, separated by semicolons.

    Parameters
    ----------
    table : FeatureTable, n rows
    quantiles : mapping of str to ndarray of float32
        Of the training galaxies, from `galfeat.features.quantiles.quantiles`.
    """
    values = table.values[:, table.names.index("flags")]
    flags = ["" if np.isnan(value) else describe_flags(value) for value in values]
    unusual = share_unusual(table.values, table.names, quantiles)
    for row in np.flatnonzero(unusual > MAX_UNUSUAL):
        flags[row] = ";".join(filter(None, (flags[row], UNLIKE)))
    return flags


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """Predicted classes and probabilities of n galaxies.

    Attributes
    ----------
    classes : ndarray, shape (k,)
        Class labels, in the order of the columns of `probabilities`.
    probabilities : ndarray of float, shape (n, k)
        Calibrated to natural priors; NaN for a failed image and for one without a source.
    member_log_probabilities : ndarray of float, shape (n, members, k)
        Logarithms of the probabilities of each member of the ensemble, before they are combined;
        NaN for a failed image and for one without a source.
    predicted : ndarray of int, shape (n,)
        The class predicted by the decision rule, as an index into `classes`; -1 for a failed
        image and for one without a source.
    most_probable : ndarray of int, shape (n,)
        The class with the largest probability; -1 where `predicted` is.
    flags : list of str
        Problems of each measurement; see `galfeat.frame.describe_flags`. With
        ``unlike_training`` more than a fifth of the features have values that hardly any training
        galaxy has: a star, noise, or a picture of something else.
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
    >>> predictions = load_model("simulated").classify(simulate(12, seed=1).images)
    >>> predictions.differs.nonzero()[0].tolist()
    [1]
    >>> predictions.classes[predictions.predicted[[1]]].tolist()
    ['Disturbed']
    >>> predictions.classes[predictions.most_probable[[1]]].tolist()
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

    def __len__(self) -> int:
        """Return the number of galaxies."""
        return len(self.probabilities)

    def __repr__(self) -> str:
        """Return the numbers of galaxies, classes and failed images."""
        return f"<Predictions: {self._counts()}>"

    def rows(
        self,
        ids: Sequence[str] | None = None,
        true_classes: Sequence[str | None] | None = None,
    ) -> Iterator[dict[str, Cell]]:
        """Yield the row of each galaxy in the table that ``galfeat classify`` writes.

        Parameters
        ----------
        ids : sequence of str, length n, optional
            Instead of those of the data set.
        true_classes : sequence of str or None, length n, optional
            Instead of those of the data set; None where the class is unknown.

        Yields
        ------
        dict of str to str, float or None
            Value by column, None for a missing value: ``id``, ``class``, ``probability`` (of that
            class), ``most_probable``, ``p_CLASS`` for each class, ``true_class``, ``seen``
            (``training`` for images the model was fitted to; only if `seen` is known),
            ``flags`` and ``error``. An image without a source has ``no_source`` among its flags,
            and no class and probabilities.
        """
        ids = ids if ids is not None else self.ids
        ids = ids if ids is not None else [str(row) for row in range(len(self))]
        true_classes = true_classes if true_classes is not None else self.true_classes
        true_classes = true_classes if true_classes is not None else [None] * len(self)
        classes = [str(name) for name in self.classes]
        for row, (identity, true_class) in enumerate(zip(ids, true_classes, strict=True)):
            error = self.errors.get(row)
            predicted, likely = self.predicted[row], self.most_probable[row]
            probabilities = [float(probability) for probability in self.probabilities[row]]
            empty = predicted < 0
            yield {
                "id": identity,
                "class": None if empty else classes[predicted],
                "probability": None if empty else probabilities[predicted],
                "most_probable": None if empty else classes[likely],
                **{
                    f"p_{name}": None if empty else probability
                    for name, probability in zip(classes, probabilities, strict=True)
                },
                "true_class": true_class,
                **({} if self.seen is None else {"seen": "training" if self.seen[row] else None}),
                "flags": None if error else self.flags[row],
                "error": str(error) if error else None,
            }

    def to_frame(self) -> pd.DataFrame:
        """Return the table that ``galfeat classify`` writes as a pandas DataFrame.

        The column ``seen`` is missing unless `seen` is known.

        Returns
        -------
        pandas.DataFrame, n rows
            The columns of `rows`; missing values are missing, with an index of row numbers.

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingDependencyError(
                "Predictions.to_frame needs pandas, which is not installed; "
                "install it with: pip install 'galfeat[pandas]'"
            ) from error
        numbers = ["probability", *(f"p_{name}" for name in self.classes)]
        columns = ["id", "class", numbers[0], "most_probable", *numbers[1:]]
        columns += ["true_class", *(["seen"] if self.seen is not None else []), "flags", "error"]
        frame = pd.DataFrame(list(self.rows()), columns=columns)
        return frame.astype(dict.fromkeys(numbers, "float64"))

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
