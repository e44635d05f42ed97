"""Split labelled galaxies into training and test parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import DataError

Indices = NDArray[np.intp]


def holdout(
    y: ArrayLike,
    groups: ArrayLike | None,
    test_size: float,
    seed: int,
    *,
    class_names: Sequence[str] | None = None,
) -> tuple[Indices, Indices]:
    """Split rows into stratified training and test parts, keeping groups together.

    Parameters
    ----------
    y : array_like of int, shape (n,)
        Class index of each row.
    groups : array_like, shape (n,), or None
        Rows with the same value stay together. None, or an empty string in a row, marks
        ungrouped rows.
    test_size : float
        Share of the rows to hold out, between 0 and 1 (exclusive).
    seed : int
        Seed of the split.
    class_names : sequence of str, optional
        Class names for error messages, by class index.

    Returns
    -------
    train, test : ndarray of intp
        Row numbers in ascending order. Each class is in both parts; its share in the test
        part is `test_size`, rounded to at least one row, unless large groups prevent it.

    Raises
    ------
    DataError
        If there is only one class, a class has fewer than two rows or groups, or
        `test_size` is not between 0 and 1.

    Examples
    --------
    >>> from galfeat.evaluate import holdout
    >>> y = [0] * 8 + [1] * 4
    >>> train, test = holdout(y, None, test_size=0.25, seed=0)
    >>> [y[row] for row in test]
    [0, 0, 1]
    """
    if not 0 < test_size < 1:
        raise DataError(
            f"the test size is {test_size:g}; give the share of rows to hold out, "
            "a number between 0 and 1"
        )
    table = _GroupTable(y, groups, class_names)
    table.require_rows(2, "a hold-out split")
    shares = np.array([1 - test_size, test_size])
    part = table.assign(shares, np.random.default_rng(seed))
    return np.flatnonzero(part == 0), np.flatnonzero(part == 1)


def outer_folds(
    y: ArrayLike,
    groups: ArrayLike | None,
    k: int,
    repeats: int = 1,
    seed: int = 0,
    *,
    class_names: Sequence[str] | None = None,
) -> Iterator[tuple[int, Indices, Indices]]:
    """Yield stratified folds for cross-validation, keeping each group in one fold.

    Parameters
    ----------
    y, groups, class_names
        As for `holdout`.
    k : int
        Number of folds, at least 2.
    repeats : int
        Number of repeats with new random folds, at least 1.
    seed : int
        Seed of the folds. The folds of a repeat do not depend on `repeats`.

    Yields
    ------
    repeat : int
        0 to ``repeats - 1``.
    train, test : ndarray of intp
        Row numbers in ascending order. Within a repeat, each row is in exactly one test
        part, and each class in every training part. Without groups, the number of rows of a
        class differs by at most one between folds.

    Raises
    ------
    DataError
        If there is only one class, a class has fewer rows or groups than `k`, or `k` or
        `repeats` is too small. Raised by the call, before the first fold.

    Examples
    --------
    >>> from galfeat.evaluate import outer_folds
    >>> y = [0, 0, 0, 0, 1, 1]
    >>> [(repeat, sorted(y[row] for row in test)) for repeat, _, test in outer_folds(y, None, k=2)]
    [(0, [0, 0, 1]), (0, [0, 0, 1])]
    """
    if k < 2 or repeats < 1:
        raise DataError(
            f"{k} folds and {repeats} repeats were requested; "
            "cross-validation needs at least 2 folds and 1 repeat"
        )
    table = _GroupTable(y, groups, class_names)
    table.require_rows(k, f"a {k}-fold split")
    return _generate_folds(table, k, repeats, seed)


def _generate_folds(
    table: _GroupTable, k: int, repeats: int, seed: int
) -> Iterator[tuple[int, Indices, Indices]]:
    for repeat in range(repeats):
        part = table.assign(np.full(k, 1 / k), np.random.default_rng([seed, repeat]))
        for fold in range(k):
            yield repeat, np.flatnonzero(part != fold), np.flatnonzero(part == fold)


class _GroupTable:
    """The number of rows of each class in each group."""

    def __init__(
        self, y: ArrayLike, groups: ArrayLike | None, class_names: Sequence[str] | None
    ) -> None:
        labels = np.asarray(y)
        if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
            raise DataError(
                f"labels are {labels.dtype} of shape {labels.shape}; "
                "a split needs one integer per row"
            )
        if np.any(labels < 0):
            raise DataError(
                f"{np.count_nonzero(labels < 0)} of {len(labels)} rows have no label; "
                "drop them before splitting"
            )
        classes, self.class_of_row = np.unique(labels, return_inverse=True)
        self.names = [class_names[c] if class_names else str(c) for c in classes]
        self.group_of_row = group_numbers(groups, len(labels))
        self.counts = np.zeros((self.group_of_row.max(initial=-1) + 1, len(classes)), dtype=int)
        np.add.at(self.counts, (self.group_of_row, self.class_of_row), 1)

    def require_rows(self, parts: int, purpose: str) -> None:
        """Check that each class can be represented in each of the `parts`."""
        if len(self.names) < 2:
            content = f"only one class, {self.names[0]!r}" if self.names else "no labelled rows"
            raise DataError(f"the data have {content}; {purpose} needs at least two classes")
        rows, groups = self.counts.sum(axis=0), np.count_nonzero(self.counts, axis=0)
        for name, n_rows, n_groups in zip(self.names, rows, groups, strict=True):
            if n_groups < parts:
                units = _counted(n_rows, "row")
                if n_groups < n_rows:
                    units += f" in {_counted(n_groups, 'group')}"
                raise DataError(
                    f"class {name!r} has {units}; {purpose} needs at least {parts} "
                    f"{'groups' if n_groups < n_rows else 'rows'} of each class: "
                    "add rows, drop the class or use fewer parts"
                )

    def assign(self, shares: NDArray[np.float64], rng: np.random.Generator) -> Indices:
        """Assign groups to parts of the given shares; return the part of each row, shape (n,).

        Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, ECML PKDD): the
        class with the fewest remaining rows is assigned first, its largest groups first, each
        to the part that lacks the most rows of that class.
        """
        totals = self.counts.sum(axis=0)
        lacking = np.maximum(np.outer(shares, totals), 1)
        part_of_group = np.full(len(self.counts), -1, dtype=np.intp)
        left = totals.copy()
        order = rng.permutation(len(self.counts))
        for _ in totals:
            rarest = np.argmin(np.where(left > 0, left, np.iinfo(int).max))
            waiting = order[(part_of_group[order] < 0) & (self.counts[order, rarest] > 0)]
            waiting = waiting[np.argsort(-self.counts[waiting, rarest], kind="stable")]
            for group in waiting:
                part = _neediest(lacking, self.counts[group], rarest, rng)
                part_of_group[group] = part
                lacking[part] -= self.counts[group]
            left -= self.counts[waiting].sum(axis=0)
        self._check_training_parts(part_of_group, len(shares))
        return part_of_group[self.group_of_row]

    def _check_training_parts(self, part_of_group: Indices, parts: int) -> None:
        for part in range(parts):
            seen = self.counts[part_of_group != part].sum(axis=0)
            if not seen.all():
                name = self.names[int(np.argmin(seen))]
                raise DataError(
                    f"all rows of class {name!r} fall into one part because of their groups; "
                    "use another number of folds or smaller groups"
                )


def _neediest(
    lacking: NDArray[np.float64],
    counts: NDArray[np.int_],
    rarest: np.intp,
    rng: np.random.Generator,
) -> int:
    """Return the part lacking most of the rarest class, then of the group's classes, then rows."""
    best = np.arange(len(lacking))
    for need in (lacking[:, rarest], lacking @ (counts > 0), lacking.sum(axis=1)):
        best = best[need[best] >= need[best].max() - 1e-9]
        if len(best) == 1:
            return int(best[0])
    return int(rng.choice(best))


def group_numbers(groups: ArrayLike | None, n_rows: int) -> Indices:
    """Return consecutive group numbers, starting at 0.

    Parameters
    ----------
    groups : array_like, shape (n,), or None
        Rows with the same value form a group. None, or an empty string in a row, marks
        ungrouped rows, each of which gets its own number.
    n_rows : int
        Number of rows, n.

    Returns
    -------
    ndarray of intp, shape (n,)
        Group number of each row.

    Raises
    ------
    DataError
        If there is not one group per row.
    """
    if groups is None:
        return np.arange(n_rows)
    values = np.asarray(groups)
    if values.shape != (n_rows,):
        raise DataError(
            f"groups have shape {values.shape} for {n_rows} labels; give one group per row"
        )
    names, numbers = np.unique(values, return_inverse=True)
    if values.dtype.kind in "US" and len(names) and not names[0]:
        alone = values == names[0]
        numbers[alone] = len(names) + np.arange(np.count_nonzero(alone))
        numbers = np.unique(numbers, return_inverse=True)[1]
    return numbers.astype(np.intp)


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
