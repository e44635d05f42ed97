"""Explanation of a classifier's prediction for one galaxy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.classifier import GalaxyClassifier
from galfeat.ensemble.prediction_table import set_note
from galfeat.errors import DataError
from galfeat.explain.contributions import Contributions, contributions_of
from galfeat.explain.reasons import Reason, reasons
from galfeat.features import FeatureTable
from galfeat.features.quantiles import share_below
from galfeat.predictions import Predictions

#: Number of individual features listed.
FEATURES = 12


@dataclass(frozen=True, eq=False)
class Explanation:
    """The evidence for or against one class of a galaxy.

    Without a source, an image has no class: `of` and `predicted` are None, `score` and `start`
    NaN, and the other attributes empty.

    Attributes
    ----------
    of : str or None
        The class explained.
    predicted : str or None
        The class predicted by the decision rule.
    probabilities : dict of str to float
        Probability of each class, most probable first.
    score : float
        Natural logarithm of the ratio of the class's probability to the geometric mean over
        classes; the sum of `start` and the contributions of all reasons.
    start : float
        Score before any measurement, from the class frequency and calibration.
    reasons : list of Reason
        Largest contribution first.
    families : dict of str to float
        Contribution of each feature family, largest first.
    features : list of (str, float, float or None)
        Features with the largest contributions: name, contribution, value.
    note : str or None
        Why the predicted class is not the most probable one; None if it is.
    prediction_set : tuple of str
        The classes of the prediction set, the most probable first; empty without sets.
    coverage : float or None
        Coverage of the prediction set; None without sets.

    Examples
    --------
    >>> from galfeat.explain import Explanation, Reason
    >>> explanation = Explanation(
    ...     of="barred",
    ...     predicted="barred",
    ...     probabilities={"barred": 0.8, "smooth": 0.2},
    ...     score=0.69,
    ...     start=-0.31,
    ...     reasons=[Reason("bar", "a strong bar", 1.0)],
    ...     families={"fourier": 1.0},
    ...     features=[("fourier.deprojected.bar.strength", 1.0, 0.42)],
    ... )
    >>> explanation.to_json()["explained"]
    'barred'
    """

    of: str | None
    predicted: str | None
    probabilities: dict[str, float]
    score: float
    start: float
    reasons: list[Reason]
    families: dict[str, float]
    features: list[tuple[str, float, float | None]]
    note: str | None = None
    prediction_set: tuple[str, ...] = ()
    coverage: float | None = None

    @property
    def most_probable(self) -> str | None:
        """The class with the largest probability; None without a class."""
        return next(iter(self.probabilities), None)

    @property
    def set_note(self) -> str | None:
        """The prediction set as a sentence; None without one."""
        if self.coverage is None:
            return None
        return set_note(self.prediction_set, len(self.probabilities), self.coverage)

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON; score and start are None without a class."""
        return {
            "predicted": self.predicted,
            "most_probable": self.most_probable,
            "note": self.note,
            "explained": self.of,
            "probabilities": self.probabilities,
            "set": list(self.prediction_set) or None,
            "coverage": self.coverage,
            "score": None if self.of is None else self.score,
            "start": None if self.of is None else self.start,
            "reasons": [reason.to_json() for reason in self.reasons],
            "families": self.families,
            "features": [
                {"feature": name, "added": added, "value": value}
                for name, added, value in self.features
            ],
        }


def explain(
    classifier: GalaxyClassifier,
    table: FeatureTable,
    predictions: Predictions,
    *,
    of: str | Sequence[str | None] | None = None,
) -> list[Explanation]:
    """Explain the predictions of a classifier.

    Parameters
    ----------
    classifier : GalaxyClassifier
        Fitted.
    table : FeatureTable
        n galaxies measured by its extractor, without failed images.
    predictions : Predictions
        Its predictions for them, from `GalaxyClassifier.classify_table`, with sets or without.
    of : str, or sequence of str or None, length n, optional
        The class to explain, or that of each galaxy; by default, and for None, the predicted one.

    Returns
    -------
    list of Explanation
        One for each galaxy; that of an image without a source has no class and no reasons.

    Raises
    ------
    DataError
        If there is no such class, or an image could not be measured.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat import load_model
    >>> from galfeat.data.simulation import simulate
    >>> from galfeat.explain import explain
    >>> model = load_model("simulated")
    >>> table = model.extractor_.extract(simulate(2, seed=1).images)
    >>> first, second = explain(model, table, model.classify_table(table))
    >>> added = sum(reason.added for reason in first.reasons)
    >>> bool(np.isclose(first.start + added, first.score))
    True
    """
    names = [str(name) for name in classifier.classes_]
    targets = [of] * len(predictions) if of is None or isinstance(of, str) else list(of)
    if len(targets) != len(predictions):
        raise DataError(f"{len(targets)} classes to explain for {len(predictions)} galaxies")
    for name in targets:
        if name is not None and name not in names:
            raise DataError(f"the model has no class {name!r}; choose from {', '.join(names)}")
    for error in table.errors.values():
        raise error
    contributions = contributions_of(classifier, table, predictions)
    shares = share_below(contributions.values, contributions.names, classifier.quantiles_)
    return [
        _explanation(contributions, row, predictions, names, target, shares)
        for row, target in enumerate(targets)
    ]


def _explanation(
    contributions: Contributions,
    row: int,
    predictions: Predictions,
    names: Sequence[str],
    target: str | None,
    shares: NDArray[np.float64],
) -> Explanation:
    predicted = int(predictions.predicted[row])
    if predicted < 0:
        return Explanation(None, None, {}, math.nan, math.nan, [], {}, [])
    code = predicted if target is None else names.index(target)
    probabilities = contributions.probabilities[row]
    added, values = contributions.features[row, code], contributions.values[row]
    families = {
        family: float(parts[row, code]) for family, parts in contributions.by_family().items()
    }
    return Explanation(
        of=names[code],
        predicted=names[predicted],
        probabilities={
            names[k]: float(probabilities[k]) for k in np.argsort(-probabilities, kind="stable")
        },
        score=float(contributions.score[row, code]),
        start=float(contributions.start[row, code]),
        reasons=reasons(contributions, row, code, shares),
        families=dict(sorted(families.items(), key=lambda item: -abs(item[1]))),
        features=[
            (
                contributions.names[k],
                float(added[k]),
                None if np.isnan(values[k]) else float(values[k]),
            )
            for k in np.argsort(-np.abs(added), kind="stable")[:FEATURES]
        ],
        note=predictions.note(row),
        prediction_set=predictions.set_of(row),
        coverage=predictions.coverage,
    )
