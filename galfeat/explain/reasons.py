"""The reasons for a prediction: contributions grouped by concepts of astronomy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.explain.concepts import CONCEPTS, Concept, concept_of
from galfeat.explain.contributions import ISOTONIC, UNNAMED, Contributions
from galfeat.features.table import column_positions

#: Values within this share at either end of the training galaxies count as large or small.
_TAIL = 0.35


@dataclass(frozen=True)
class Reason:
    """Contribution of one concept to the score of a class.

    Attributes
    ----------
    concept : str
        Name of the concept, or of a member without contributions by feature.
    words : str
        Description of this galaxy.
    added : float
        Contribution to the natural logarithm of the class's probability relative to the other
        classes; negative values count against the class.
    feature : str
        The column behind the description, or else the one with the largest contribution; empty
        for a member without contributions by feature.
    value : float or None
        Value of that column.
    share_below : float or None
        Share of the training galaxies with a smaller value.

    Examples
    --------
    >>> from galfeat.explain import Reason
    >>> reason = Reason("bar", "a strong bar", 1.2, "fourier.deprojected.bar.strength", 0.4, 0.95)
    >>> reason.to_json()["words"]
    'a strong bar'
    """

    concept: str
    words: str
    added: float
    feature: str = ""
    value: float | None = None
    share_below: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON."""
        return asdict(self)


def reasons(
    contributions: Contributions, row: int, code: int, shares: NDArray[np.float64]
) -> list[Reason]:
    """Return all reasons for and against a class, largest contribution first.

    Parameters
    ----------
    contributions : Contributions
    row, code : int
        Index of the galaxy and of the class.
    shares : ndarray of float, shape (n, d)
        From `galfeat.features.quantiles.share_below`.
    """
    concepts = concept_of(contributions.names)
    added = contributions.features[row, code]
    measured = ~np.isnan(contributions.values[row])
    listed = []
    for index in np.unique(concepts):
        columns = np.flatnonzero(concepts == index)
        description, column = _describe(CONCEPTS[index], contributions.names, shares[row])
        if not measured[columns].any() and measured.any():
            description = CONCEPTS[index].missing or f"{CONCEPTS[index].name}: not measured"
        if column is None:
            column = columns[np.abs(added[columns]).argmax()]
        value, share = float(contributions.values[row, column]), float(shares[row, column])
        listed.append(
            Reason(
                CONCEPTS[index].name,
                description,
                float(added[columns].sum()),
                contributions.names[column],
                None if np.isnan(value) else value,
                None if np.isnan(share) else share,
            )
        )
    listed += [
        _without_features(kind, float(parts[row, code]))
        for kind, parts in contributions.others.items()
    ]
    return sorted(listed, key=lambda reason: -abs(reason.added))


def _without_features(kind: str, added: float) -> Reason:
    """Return the contribution of a kind of member, or of an isotonic calibration."""
    if kind == ISOTONIC:
        return Reason(ISOTONIC, "correction of the probability by isotonic calibration", added)
    return Reason(UNNAMED[kind], f"{UNNAMED[kind]} (no reasons available)", added)


def _describe(
    concept: Concept, names: tuple[str, ...], shares: NDArray[np.float64]
) -> tuple[str, int | None]:
    """Describe a concept for a galaxy, and return the column used, if any."""
    for column in column_positions(concept.leads, names).tolist():
        if column < 0 or np.isnan(shares[column]):
            continue
        if shares[column] > 1.0 - _TAIL:
            return concept.much, column
        return concept.little if shares[column] < _TAIL else concept.some, column
    return concept.some if not concept.leads else concept.name, None
