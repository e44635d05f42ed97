"""Predictions as a table, one row for each galaxy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import ImageError, MissingDependencyError
from galfeat.features.doubt import SCORES

if TYPE_CHECKING:
    import pandas as pd

Cell: TypeAlias = str | float | None

SEPARATOR = ";"
"""Separates the classes of a prediction set in a table."""


def set_note(names: Sequence[str], n_classes: int, coverage: float) -> str | None:
    """Return a sentence on a prediction set, or None if it is empty.

    Examples
    --------
    >>> from galfeat.ensemble.prediction_table import set_note
    >>> set_note(["Merging", "Disturbed"], 10, 0.9)
    'The 90 % prediction set is Merging or Disturbed.'
    """
    if not names:
        return None
    which = f"The {100 * coverage:g} % prediction set"
    if len(names) == n_classes:
        return f"{which} holds all {n_classes} classes."
    if len(names) == 1:
        return f"{which} is {names[0]} alone."
    return f"{which} is {', '.join(names[:-1])} or {names[-1]}."


class PredictionTable:
    """The methods of `galfeat.predictions.Predictions` that return its table."""

    classes: NDArray[Any]
    probabilities: NDArray[np.float64]
    predicted: NDArray[np.intp]
    most_probable: NDArray[np.intp]
    flags: list[str]
    errors: dict[int, ImageError]
    ids: Sequence[str] | None
    true_classes: Sequence[str | None] | None
    seen: NDArray[np.bool_] | None
    in_set: NDArray[np.bool_] | None
    coverage: float | None
    scores: NDArray[np.float64] | None

    def __len__(self) -> int:
        """Return the number of galaxies."""
        return len(self.probabilities)

    def set_of(self, row: int) -> tuple[str, ...]:
        """Return the classes in a galaxy's prediction set, the most probable first.

        Empty for an image without a class, and without sets.
        """
        if self.in_set is None:
            return ()
        order = np.argsort(-self.probabilities[row], kind="stable")
        return tuple(str(self.classes[code]) for code in order if self.in_set[row, code])

    def set_note(self, row: int) -> str | None:
        """Return a galaxy's prediction set as a sentence; None if it has none."""
        names = self.set_of(row)
        return set_note(names, len(self.classes), self.coverage) if self.coverage else None

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
            class), ``most_probable``, ``set`` (the classes of the prediction set, the most
            probable first, separated by semicolons) and ``set_size`` (only with sets),
            ``p_CLASS`` for each class, ``true_class``, ``seen`` (``training`` for images the
            model was fitted to; only if `seen` is known), ``unlike_training``,
            ``other_survey`` and ``point_like`` (only with `scores`), ``flags`` and ``error``. An
            image without a source has ``no_source`` among its flags, and no class, set and
            probabilities.
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
                **self._set_cells(row),
                **{
                    f"p_{name}": None if empty else probability
                    for name, probability in zip(classes, probabilities, strict=True)
                },
                "true_class": true_class,
                **({} if self.seen is None else {"seen": "training" if self.seen[row] else None}),
                **self._score_cells(row),
                "flags": None if error else self.flags[row],
                "error": str(error) if error else None,
            }

    def _set_cells(self, row: int) -> Mapping[str, Cell]:
        if self.in_set is None:
            return {}
        names = self.set_of(row)
        return {"set": SEPARATOR.join(names) or None, "set_size": len(names) or None}

    def _score_cells(self, row: int) -> Mapping[str, Cell]:
        if self.scores is None:
            return {}
        values = self.scores[row].tolist()
        return {
            name: None if np.isnan(value) else value
            for name, value in zip(SCORES, values, strict=True)
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the table that ``galfeat classify`` writes as a pandas DataFrame.

        The column ``seen`` is missing unless `seen` is known, ``set`` and ``set_size`` unless
        sets are, and scores without `scores`.

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
        sets = [] if self.in_set is None else ["set", "set_size"]
        columns = ["id", "class", numbers[0], "most_probable", *sets, *numbers[1:]]
        scores = [] if self.scores is None else list(SCORES)
        columns += ["true_class", *(["seen"] if self.seen is not None else []), *scores]
        frame = pd.DataFrame(list(self.rows()), columns=[*columns, "flags", "error"])
        types = dict.fromkeys([*numbers, *scores], "float64")
        return frame.astype(types | dict.fromkeys(sets[1:], "Int64"))
