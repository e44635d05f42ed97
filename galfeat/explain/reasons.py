"""The reasons of one prediction: contributions gathered under what an astronomer would name."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.explain.concepts import CONCEPTS, Concept, concept_of
from galfeat.explain.contributions import UNNAMED, Contributions
from galfeat.features.table import column_positions

#: Values among this share of the training galaxies at either end are called large or small.
_TAIL = 0.35


@dataclass(frozen=True)
class Reason:
    """What one concept adds to the score of a class.

    Attributes
    ----------
    concept : str
        Its name, or what a member that cannot say why is called.
    words : str
        What is so of this galaxy.
    added : float
        Natural logarithm of how much more probable, against the other classes, it makes the
        class; below 0 it speaks against it.
    feature : str
        The column the words are about, or, where they are about none, the one that adds most;
        empty for a member that cannot say why.
    value : float or None
        Its value.
    share_below : float or None
        The share of the training galaxies that have less of it.
    """

    concept: str
    words: str
    added: float
    feature: str = ""
    value: float | None = None
    share_below: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a table of plain values."""
        return asdict(self)


def reasons(found: Contributions, row: int, code: int, shares: NDArray[np.float64]) -> list[Reason]:
    """Return all reasons for and against a class, the weightiest first.

    Parameters
    ----------
    found : Contributions
    row, code : int
        Which galaxy, and which class.
    shares : ndarray of float, shape (n, d)
        From `galfeat.features.quantiles.share_below`.
    """
    of = concept_of(found.names)
    added = found.features[row, code]
    listed = []
    for index in np.unique(of):
        columns = np.flatnonzero(of == index)
        words, told = _words(CONCEPTS[index], found.names, shares[row])
        if told is None:
            told = columns[np.abs(added[columns]).argmax()]
        value, share = float(found.values[row, told]), float(shares[row, told])
        listed.append(
            Reason(
                CONCEPTS[index].name,
                words,
                float(added[columns].sum()),
                found.names[told],
                None if np.isnan(value) else value,
                None if np.isnan(share) else share,
            )
        )
    listed += [
        Reason(UNNAMED[kind], f"{UNNAMED[kind]}, which cannot say why", float(each[row, code]))
        for kind, each in found.others.items()
    ]
    return sorted(listed, key=lambda reason: -abs(reason.added))


def _words(
    concept: Concept, names: tuple[str, ...], shares: NDArray[np.float64]
) -> tuple[str, int | None]:
    """Say how much of a concept there is in a galaxy, and by which column, if by one."""
    for column in column_positions(concept.leads, names).tolist():
        if column < 0 or np.isnan(shares[column]):
            continue
        if shares[column] > 1.0 - _TAIL:
            return concept.much, column
        return concept.little if shares[column] < _TAIL else concept.some, column
    return concept.some if not concept.leads else concept.name, None
