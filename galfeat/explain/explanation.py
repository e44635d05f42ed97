"""One galaxy, what a classifier says of it, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.classifier import GalaxyClassifier
from galfeat.errors import DataError
from galfeat.explain.contributions import Contributions, contributions_of
from galfeat.explain.reasons import Reason, reasons
from galfeat.features import FeatureTable
from galfeat.features.quantiles import share_below
from galfeat.predictions import Predictions

#: How many single features are listed.
FEATURES = 12


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a class was named, or could have been.

    Attributes
    ----------
    of : str
        The class that is explained.
    predicted : str
        The class that the decision rule names.
    probabilities : dict of str to float
        Of each class, the most probable first.
    score : float
        Natural logarithm of the class's probability over the geometric mean of all of them.
        `start` and what the reasons add come to this.
    start : float
        The score before anything was measured: how common the class is, and calibration.
    reasons : list of Reason
        The weightiest first.
    families : dict of str to float
        What each family of features adds, the weightiest first.
    features : list of (str, float, float or None)
        The features that add most: name, what it adds, value.
    """

    of: str
    predicted: str
    probabilities: dict[str, float]
    score: float
    start: float
    reasons: list[Reason]
    families: dict[str, float]
    features: list[tuple[str, float, float | None]]

    def to_json(self) -> dict[str, Any]:
        """Return a table of plain values."""
        return {
            "predicted": self.predicted,
            "explained": self.of,
            "probabilities": self.probabilities,
            "score": self.score,
            "start": self.start,
            "reasons": [reason.to_json() for reason in self.reasons],
            "families": self.families,
            "features": [
                {"feature": name, "added": added, "value": value}
                for name, added, value in self.features
            ],
        }


def explain(
    classifier: GalaxyClassifier, table: FeatureTable, said: Predictions, *, of: str | None = None
) -> list[Explanation]:
    """Explain what a classifier says of galaxies.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted.
    table : FeatureTable
        n galaxies measured by its extractor, none of them a failed image.
    said : Predictions
        What it says of them, from `GalaxyClassifier.classify_table`.
    of : str, optional
        The class to explain; that which is named for each galaxy if left out.

    Raises
    ------
    DataError
        If there is no such class, or an image could not be measured.
    """
    names = [str(name) for name in classifier.classes_]
    if of is not None and of not in names:
        raise DataError(f"the model knows no class {of!r}; it knows {', '.join(names)}")
    for error in table.errors.values():
        raise error
    found = contributions_of(classifier, table, said)
    shares = share_below(found.values, found.names, classifier.quantiles_)
    return [
        _explanation(found, row, names, int(named), names.index(of) if of else int(named), shares)
        for row, named in enumerate(said.predicted)
    ]


def _explanation(
    found: Contributions,
    row: int,
    names: Sequence[str],
    named: int,
    code: int,
    shares: NDArray[np.float64],
) -> Explanation:
    probabilities = found.probabilities[row]
    added, values = found.features[row, code], found.values[row]
    families = {family: float(each[row, code]) for family, each in found.by_family().items()}
    return Explanation(
        of=names[code],
        predicted=names[named],
        probabilities={
            names[k]: float(probabilities[k]) for k in np.argsort(-probabilities, kind="stable")
        },
        score=float(found.score[row, code]),
        start=float(found.start[row, code]),
        reasons=reasons(found, row, code, shares),
        families=dict(sorted(families.items(), key=lambda item: -abs(item[1]))),
        features=[
            (found.names[k], float(added[k]), None if np.isnan(values[k]) else float(values[k]))
            for k in np.argsort(-np.abs(added), kind="stable")[:FEATURES]
        ],
    )
