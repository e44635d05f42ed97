"""Rows that no split may divide, and those of them whose labels contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.catalogue.groups import groups_by_position
from galfeat.data.dataset import DataSet
from galfeat.data.duplicates.pairs import connected, near_identical

SAME_POSITION = 2.0
"""Maximum separation of positions of one galaxy, in arcsec."""

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups of n rows, and the reasons for them.

    Attributes
    ----------
    groups : ndarray of str, shape (n,)
        Number of each row's group.
    copies : ndarray of int, shape (n,)
        Number of each row's set of rows that show one galaxy: copies of one image, or images
        at one position.
    equal, same_position, same_group : int
        Number of rows with the pixels, the position or the given group of an earlier row; the
        last without rows at one position.
    pairs : ndarray of int, shape (m, 2)
        Near-identical rows without equal pixels.
    correlations : ndarray of float32, shape (m,)
        See `galfeat.data.duplicates.near_identical`.
    conflicting : ndarray of bool, shape (n,)
        Whether the rows that show the galaxy have different labels.
    joined : bool
        Whether a group has rows that the given groups divide.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.duplicates import find_groups
    >>> digests = np.array([[1], [2], [2], [3]], np.uint8).repeat(16, axis=1)
    >>> grouping = find_groups(digests, labels=np.array([0, 1, 2, -1]))
    >>> grouping.equal, grouping.conflicting.tolist()
    (1, [False, True, True, False])
    >>> grouping.to_json(["a", "b", "c", "d"])["conflicts"]
    [['b', 'c']]
    """

    groups: NDArray[np.str_]
    copies: Rows
    equal: int
    same_position: int
    same_group: int
    pairs: NDArray[np.intp]
    correlations: NDArray[np.float32]
    conflicting: NDArray[np.bool_]
    joined: bool

    def conflicts(self) -> list[Rows]:
        """Return the rows of each galaxy with different labels."""
        return _sets(np.where(self.conflicting, self.copies, -1))

    def consistent(self) -> list[Rows]:
        """Return the rows of each galaxy that several rows show, without different labels."""
        contradicted = np.isin(self.copies, self.copies[self.conflicting])
        return _sets(np.where(contradicted, -1, self.copies))

    def to_json(self, ids: Sequence[str]) -> dict[str, Any]:
        """Return counts, and the ids of grouped rows, as plain types."""

        def named(sets: Sequence[Rows]) -> list[list[str]]:
            return [[str(ids[row]) for row in rows] for rows in sets]

        groups = _sets(np.unique(self.groups, return_inverse=True)[1])
        return {
            "rows": len(self.groups),
            "rows_in_groups": sum(map(len, groups)),
            "equal_pixels": self.equal,
            "same_position": self.same_position,
            "same_group": self.same_group,
            "near_identical": [
                {"rows": [str(ids[row]) for row in pair], "correlation": round(float(value), 3)}
                for pair, value in zip(self.pairs, self.correlations, strict=True)
            ],
            "groups": named(groups),
            "conflicts": named(self.conflicts()),
        }


def find_groups_in(
    dataset: DataSet,
    digests: NDArray[np.uint8],
    sketches: NDArray[np.uint8] | None,
    labels: NDArray[np.integer] | None = None,
) -> Grouping:
    """Group the rows of a data set, with its own groups and positions.

    Parameters
    ----------
    dataset : DataSet
        n rows.
    digests, sketches, labels
        As for `find_groups`.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data import ArrayDataSet
    >>> from galfeat.data.duplicates import find_groups_in
    >>> dataset = ArrayDataSet(np.zeros((2, 32, 32, 3), np.uint8))
    >>> find_groups_in(dataset, np.ones((2, 16), np.uint8), None).equal
    1
    """
    return find_groups(
        digests, sketches, groups=dataset.groups, ra=dataset.ra, dec=dataset.dec, labels=labels
    )


def find_groups(
    digests: NDArray[np.uint8],
    sketches: NDArray[np.uint8] | None = None,
    *,
    groups: ArrayLike | None = None,
    ra: NDArray[np.float64] | None = None,
    dec: NDArray[np.float64] | None = None,
    labels: NDArray[np.integer] | None = None,
) -> Grouping:
    """Group rows that no split may divide.

    Rows are joined by equal pixels, near-identical images, the same position, and given groups.

    Parameters
    ----------
    digests : ndarray of uint8, shape (n, 16)
        `galfeat.data.pixel_digest` of each image; zeros for unreadable images.
    sketches : ndarray of uint8, shape (n, 1216), optional
        `galfeat.data.duplicates.sketch` of each image.
    groups : array_like, shape (n,), optional
        Given groups, such as `DataSet.groups`, which joins overlapping cut-outs; an empty string
        marks an ungrouped row.
    ra, dec : ndarray of float64, shape (n,), optional
        Positions in degrees, NaN where unknown. Those within 2 arcsec are one.
    labels : ndarray of int, shape (n,), optional
        -1 for rows without a label, which contradicts none.

    Returns
    -------
    Grouping

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.duplicates import find_groups
    >>> digests = np.arange(64, dtype=np.uint8).reshape(4, 16)
    >>> ra, dec = np.array([10.0, 20.0, 10.0001, 20.01]), np.zeros(4)
    >>> grouping = find_groups(digests, groups=["", "a", "", "a"], ra=ra, dec=dec)
    >>> grouping.groups.tolist(), grouping.copies.tolist()
    (['0', '1', '0', '1'], [0, 1, 0, 2])
    >>> grouping.same_position, grouping.same_group, grouping.joined
    (1, 1, True)
    """
    n = len(digests)
    first = _first_with_pixels(digests)
    pairs, correlations = np.empty((0, 2), np.intp), np.empty(0, np.float32)
    if sketches is not None:
        distinct = np.flatnonzero(first == np.arange(n))
        pairs, correlations = near_identical(sketches[distinct])
        pairs = distinct[pairs]
    place = alone = np.arange(n)
    if ra is not None and dec is not None:
        place = groups_by_position(ra, dec, SAME_POSITION).astype(np.intp)
    given = _first_of_group(groups, n)
    links = [pairs, *(np.stack([alone, rows], axis=1) for rows in (first, place))]
    copies = connected(n, np.concatenate(links))
    group = connected(n, np.concatenate([*links, np.stack([alone, given], axis=1)]))
    return Grouping(
        groups=group.astype(np.str_),
        copies=copies,
        equal=int(np.count_nonzero(first != alone)),
        same_position=int(np.count_nonzero(place != alone)),
        same_group=int(np.count_nonzero((given != alone) & (place == alone))),
        pairs=pairs,
        correlations=correlations,
        conflicting=_conflicting(copies, labels),
        joined=bool(group.max(initial=0) < len(np.unique(given)) - 1),
    )


def _first_with_pixels(digests: NDArray[np.uint8]) -> Rows:
    """Return the first row with the pixels of each row; each unreadable row has its own."""
    keys = np.ascontiguousarray(digests).view("V16").ravel()
    _, start, position = np.unique(keys, return_index=True, return_inverse=True)
    return np.where(digests.any(axis=1), start[position], np.arange(len(digests)))


def _first_of_group(groups: ArrayLike | None, n: int) -> Rows:
    """Return the first row of each row's group."""
    if groups is None:
        return np.arange(n)
    names = np.asarray(groups)
    _, start, position = np.unique(names, return_index=True, return_inverse=True)
    ungrouped = names == "" if names.dtype.kind in "UT" else np.zeros(n, np.bool_)
    return np.where(ungrouped, np.arange(n), start[position])


def _conflicting(copies: Rows, labels: NDArray[np.integer] | None) -> NDArray[np.bool_]:
    """Return which labelled rows have copies with another label."""
    if labels is None or not len(labels):
        return np.zeros(len(copies), np.bool_)
    labelled = labels >= 0
    highest = np.full(copies.max() + 1, -1)
    np.maximum.at(highest, copies, labels)
    lowest = highest.copy()
    np.minimum.at(lowest, copies[labelled], labels[labelled])
    result: NDArray[np.bool_] = labelled & (lowest != highest)[copies]
    return result


def _sets(numbers: Rows) -> list[Rows]:
    """Return the rows of each number from 0 that several have, by the first row."""
    order = np.argsort(numbers, kind="stable")
    order = order[numbers[order] >= 0]
    parts = np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1)
    return sorted((rows for rows in parts if len(rows) > 1), key=lambda rows: int(rows[0]))
