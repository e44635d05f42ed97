"""The result of an audit of labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galfeat.data.duplicates import Grouping
from galfeat.errors import ImageError
from galfeat.evaluate.audit.quality import label_quality, probable_mislabels

Cell = str | float | None


@dataclass(frozen=True, eq=False)
class Audit:
    """Labels of n galaxies, and what speaks against them.

    Attributes
    ----------
    ids : sequence of str, length n
    classes : sequence of str, length k
    given : ndarray of int, shape (n,)
        Class of each label.
    probabilities : ndarray, shape (n, k)
        Out-of-fold probabilities; NaN for rows without a prediction, such as unreadable images.
    flags : sequence of str, length n
        As in `galfeat.classifier.Predictions`.
    not_galaxies : mapping of int to str
        Why an image seems to show no galaxy, by row.
    grouping : Grouping
        Duplicates and conflicting labels.
    unreadable : mapping of int to ImageError
        Errors of images that could not be read, by row.
    unranked : mapping of str to int
        Classes with too few galaxies to be predicted, and their numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.duplicates import find_groups
    >>> from galfeat.evaluate.audit import Audit
    >>> audit = Audit(
    ...     ids=["a", "b", "c", "d"],
    ...     classes=["smooth", "disc"],
    ...     given=np.array([0, 1, 1, 0]),
    ...     probabilities=np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]]),
    ...     flags=[""] * 4,
    ...     not_galaxies={},
    ...     grouping=find_groups(np.arange(64, dtype=np.uint8).reshape(4, 16)),
    ... )
    >>> audit.ranked.tolist(), audit.probable.tolist()
    ([1, 3, 2, 0], [False, True, False, False])
    >>> next(audit.rows())["suggested"]
    'smooth'
    """

    ids: Sequence[str]
    classes: Sequence[str]
    given: NDArray[np.integer]
    probabilities: NDArray[np.float64]
    flags: Sequence[str]
    not_galaxies: Mapping[int, str]
    grouping: Grouping
    unreadable: Mapping[int, ImageError] | None = None
    unranked: Mapping[str, int] | None = None

    @property
    def quality(self) -> NDArray[np.float64]:
        """`label_quality` of each label, shape (n,)."""
        return label_quality(self.given, self.probabilities)

    @property
    def probable(self) -> NDArray[np.bool_]:
        """`probable_mislabels` of the labels, shape (n,)."""
        return probable_mislabels(self.given, self.probabilities)

    @property
    def ranked(self) -> NDArray[np.intp]:
        """The rows with a prediction, the most doubtful label first."""
        quality = self.quality
        rows = np.flatnonzero(np.isfinite(quality))
        return rows[np.argsort(quality[rows], kind="stable")]

    def suggested(self, row: int) -> int:
        """Return the most probable class of a row, as an index."""
        return int(np.argmax(self.probabilities[row]))

    def rows(self) -> Iterator[dict[str, Cell]]:
        """Yield the rows of the table of `galfeat audit`, the most doubtful label first.

        Yields
        ------
        dict of str to str, float or None
            ``rank``, from 1, missing for rows without a prediction, which come last; ``id``;
            ``label``; ``suggested``, the most probable class; ``quality``; ``mislabel``, ``yes``
            for probable mislabels; ``p_CLASS`` for each class; ``conflict`` and ``copies``, a
            number shared by rows that show one galaxy with different labels, or at all; ``flags``;
            ``error``.
        """
        ranked, quality, probable = self.ranked, self.quality, self.probable
        rest = np.setdiff1d(np.arange(len(self.ids)), ranked)
        copies, conflicting = self.grouping.copies, self.grouping.conflicting
        shared = np.bincount(copies, minlength=1)[copies] > 1
        unreadable = self.unreadable or {}
        for rank, row in enumerate([*ranked.tolist(), *rest.tolist()], start=1):
            predicted = rank <= len(ranked)
            numbers = self.probabilities[row].tolist()
            yield {
                "rank": rank if predicted else None,
                "id": self.ids[row],
                "label": self.classes[self.given[row]],
                "suggested": self.classes[self.suggested(row)] if predicted else None,
                "quality": float(quality[row]) if predicted else None,
                "mislabel": "yes" if probable[row] else None,
                **{
                    f"p_{name}": number if predicted else None
                    for name, number in zip(self.classes, numbers, strict=True)
                },
                "conflict": str(copies[row]) if conflicting[row] else None,
                "copies": str(copies[row]) if shared[row] else None,
                "flags": self.flags[row] or None,
                "error": str(unreadable[row]) if row in unreadable else None,
            }
