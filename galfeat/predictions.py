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
from galfeat.frame import Flag, describe_flags

if TYPE_CHECKING:
    import pandas as pd

    from galfeat.features import FeatureTable

Cell: TypeAlias = str | float | None
_Item = TypeVar("_Item")

_NO_GALAXY = {
    describe_flags(Flag.NO_SOURCE): "No galaxy stands out near the middle of this image.",
    UNLIKE: "The measurements are unlike those of any galaxy the model was trained on: a star, "
    "noise, or a picture of something else.",
}
_ROWS_SHOWN = 10


def no_galaxy(flags: str) -> str | None:
    """Return why an image seems to show no galaxy, from its flags; None if it shows one."""
    raised = flags.split(";")
    return next((reason for flag, reason in _NO_GALAXY.items() if flag in raised), None)


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
        Calibrated to natural priors; NaN for an image that could not be measured.
    member_log_probabilities : ndarray of float, shape (n, members, k)
        Logarithms of the probabilities of each member of the ensemble, before they are combined;
        NaN for an image that could not be measured.
    predicted : ndarray of int, shape (n,)
        The class named by the decision rule, as an index into `classes`; -1 for a failed image.
    most_probable : ndarray of int, shape (n,)
        The class with the largest probability; -1 for a failed image.
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
            class), ``most_probable``, ``p_CLASS`` for each class, ``true_class``, ``flags`` and
            ``error``.
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
            yield {
                "id": identity,
                "class": None if error else classes[predicted],
                "probability": None if error else probabilities[predicted],
                "most_probable": None if error else classes[likely],
                **{
                    f"p_{name}": None if error else probability
                    for name, probability in zip(classes, probabilities, strict=True)
                },
                "true_class": true_class,
                "flags": None if error else self.flags[row],
                "error": str(error) if error else None,
            }

    def to_frame(self) -> pd.DataFrame:
        """Return the table that ``galfeat classify`` writes as a pandas DataFrame.

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
        columns += ["true_class", "flags", "error"]
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


def _chained(parts: Sequence[Sequence[_Item] | None]) -> list[_Item] | None:
    """Return the items of all parts; None unless all parts have items."""
    present = [part for part in parts if part is not None]
    return list(chain.from_iterable(present)) if len(present) == len(parts) else None


def _text(cell: Cell) -> str:
    if cell is None:
        return "–"
    return f"{cell:.3f}" if isinstance(cell, float) else cell
