"""One stratified test split that keeps groups together, identified by a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import DataError
from galfeat.evaluate.learning_curve import MIN_ROWS
from galfeat.evaluate.splits import holdout

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Split:
    """Training and test rows of n rows.

    Attributes
    ----------
    train, test : ndarray of int
        Row numbers in ascending order.
    left_out : dict of str to ndarray of int
        Rows in neither part, by reason.
    digest : str
        SHA-256 of the sorted pixel digests of the test images, among them those that networks
        were trained on.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.experiments.benchmark import Split
    >>> split = Split(np.array([0, 1, 2]), np.array([3]), {"blank": np.array([4])}, "0f" * 32)
    >>> split.part_of_row(5).tolist()
    ['train', 'train', 'train', 'test', 'blank']
    """

    train: Rows
    test: Rows
    left_out: dict[str, Rows]
    digest: str

    def part_of_row(self, n: int) -> NDArray[np.str_]:
        """Return ``train``, ``test`` or the reason for leaving a row out, shape (n,)."""
        parts = np.full(n, "", dtype=object)
        parts[self.train], parts[self.test] = "train", "test"
        for reason, rows in self.left_out.items():
            parts[rows] = reason
        return parts.astype(np.str_)


def make_split(
    y: NDArray[np.integer],
    groups: NDArray[np.str_],
    digests: NDArray[np.uint8],
    *,
    unusable: Mapping[str, Mask],
    learned: Mask,
    test_size: float = 0.2,
    seed: int = 0,
    class_names: Sequence[str],
) -> Split:
    """Divide rows into training and test rows.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
        Class of each row.
    groups : ndarray of str, shape (n,)
        Rows of one group are in one part.
    digests : ndarray of uint8, shape (n, 16)
        `galfeat.data.pixel_digest` of each image.
    unusable : mapping of str to ndarray of bool, shape (n,)
        Rows in neither part, by reason; the first reason counts.
    learned : ndarray of bool, shape (n,)
        Rows that a network was trained on. They are left out after the split, which therefore
        does not depend on the networks.
    test_size, seed, class_names
        As for `galfeat.evaluate.holdout`.

    Raises
    ------
    DataError
        If a class has too few groups, or too few rows in a part.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.experiments.benchmark import make_split
    >>> y, groups = np.array([0, 1] * 8), np.arange(16).astype(str)
    >>> digests = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> blank = np.arange(16) == 3
    >>> split = make_split(
    ...     y, groups, digests, unusable={"blank": blank}, learned=np.zeros(16, bool),
    ...     test_size=0.25, class_names=["smooth", "disc"],
    ... )
    >>> len(split.train), len(split.test), split.left_out["blank"]
    (11, 4, array([3]))
    """
    taken = np.zeros(len(y), np.bool_)
    left_out = {}
    for reason, mask in unusable.items():
        left_out[reason] = np.flatnonzero(mask & ~taken)
        taken |= mask
    usable = np.flatnonzero(~taken)
    train, test = (
        usable[part]
        for part in holdout(y[usable], groups[usable], test_size, seed, class_names=class_names)
    )
    digest = hashlib.sha256(b"".join(sorted(row.tobytes() for row in digests[test])))
    left_out["used to train a network"] = usable[learned[usable]]
    train, test = train[~learned[train]], test[~learned[test]]
    for rows, part, needed in ((train, "training", MIN_ROWS), (test, "test", 1)):
        counts = np.bincount(y[rows], minlength=len(class_names))
        if counts.min() < needed:
            raise DataError(
                f"class {class_names[int(counts.argmin())]!r} has {counts.min()} {part} galaxies; "
                f"it needs at least {needed}: give more galaxies, or another --test-size"
            )
    named = {reason: rows for reason, rows in left_out.items() if len(rows)}
    return Split(train, test, named, digest.hexdigest())
