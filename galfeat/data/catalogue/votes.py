"""Labels from the votes of Galaxy Zoo volunteers: classes, coarse classes and fractions."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.data.catalogue.files import FILE_COLUMNS
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.catalogue.tables import as_names, column_named, read_table
from galfeat.data.catalogue.vote_schemes import Floats, Fractions, VoteScheme, vote_scheme
from galfeat.data.limits import listed
from galfeat.errors import DataError, GalfeatWarning

THRESHOLD = 0.55
"""Share of the votes of the Galaxy10 data sets."""
COARSE = ("smooth", "spiral", "edge-on", "merger")

#: Least share of the votes for the ten classes together for fractions to be kept.
MIN_COVERED = 0.5


@dataclass(frozen=True, eq=False)
class VoteLabels:
    """Labels of n galaxies from votes.

    Attributes
    ----------
    ids : list of str, length n
        From the table.
    class_ids : ndarray of int, shape (n,)
        Index into the classes of Galaxy10 DECaLS; -1 if no class has enough votes.
    coarse : list of str, length n
        Coarse class; empty if none has enough votes.
    fractions : dict of str to ndarray, shape (n,)
        Fraction of the votes for each class that the table can tell, normalised over these
        classes; NaN where it is unknown. Empty if the table can tell fewer than two classes.
    unreachable : list of str
        Classes and coarse classes whose questions the table lacks.
    positions : dict of str to list of str
        Columns ``ra`` and ``dec``, if the table has them.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.catalogue import VoteLabels
    >>> labels = VoteLabels(["m87", "m51"], np.array([2, -1]), ["smooth", ""], {}, [], {})
    >>> labels.counts()["Round Smooth"]
    1
    """

    ids: list[str]
    class_ids: NDArray[np.int64]
    coarse: list[str]
    fractions: Mapping[str, Floats]
    unreachable: list[str]
    positions: Mapping[str, list[str]]

    def counts(self) -> dict[str, int]:
        """Return the number of galaxies of each class of Galaxy10 DECaLS."""
        numbers = np.bincount(self.class_ids[self.class_ids >= 0], minlength=len(GALAXY10_DECALS))
        return dict(zip(GALAXY10_DECALS, numbers.tolist(), strict=True))

    def coarse_counts(self) -> dict[str, int]:
        """Return the number of galaxies of each coarse class."""
        return {name: self.coarse.count(name) for name in COARSE}

    def labelled(self) -> NDArray[np.bool_]:
        """Return a mask of the galaxies with a class, a coarse class or fractions, shape (n,)."""
        soft = np.zeros(len(self.ids), dtype=bool)
        for values in self.fractions.values():
            soft |= np.isfinite(values)
        labelled: NDArray[np.bool_] = (self.class_ids >= 0) | soft
        labelled |= np.array([name != "" for name in self.coarse], dtype=bool)
        return labelled


def label_votes(
    columns: Mapping[str, NDArray[Any]],
    scheme: str | VoteScheme,
    *,
    threshold: float = THRESHOLD,
    id_column: str | None = None,
) -> VoteLabels:
    """Derive labels from votes.

    The share of a class is the product of the fractions of its answers along the decision tree.
    A galaxy gets the class whose share exceeds the threshold, as in the Galaxy10 data sets. See
    the guide on votes for the questions of each class.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n,)
        The table of votes, or its columns of `vote_columns`. Fractions, debiased fractions,
        counts and fractions multiplied along the tree are recognised by the names of the
        columns, in any case.
    scheme : str or VoteScheme
        ``"gz2"`` or ``"gz-decals"``.
    threshold : float
        At least 0 and below 1. Below 0.5, ties have no class.
    id_column : str, optional
        Column that names the galaxies. By default the first of
        `galfeat.data.catalogue.files.FILE_COLUMNS`.

    Returns
    -------
    VoteLabels

    Warns
    -----
    GalfeatWarning
        If the table lacks the questions of some classes.

    Raises
    ------
    DataError
        If the table has no column of names or no votes for any class, a vote is not a number of
        at least 0, or the threshold is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.catalogue import label_votes
    >>> table = {"iauname": np.array(["J1", "J2"])}
    >>> table |= {"smooth-or-featured_smooth": np.array([38, 20])}
    >>> table |= {"smooth-or-featured_featured-or-disk": np.array([2, 20])}
    >>> table |= {"smooth-or-featured_artifact": np.array([0, 0])}
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     label_votes(table, "gz-decals").coarse
    ['smooth', '']
    """
    if not 0 <= threshold < 1:
        raise DataError(f"the threshold is {threshold}; expected at least 0 and below 1")
    tree = vote_scheme(scheme) if isinstance(scheme, str) else scheme
    name = _id_column(list(columns), id_column)
    fractions = tree.fractions(columns)
    coarse = tree.shares(tree.coarse, fractions)
    if not coarse:
        question = tree.questions["smooth"].columns[-1]["smooth"][0]
        raise DataError(
            f"the table has no votes of {tree.title}: it lacks columns such as {question!r}; "
            "choose another scheme or table"
        )
    shares = tree.shares(tree.classes, fractions)
    unreachable = [rule.name for rule in tree.classes if rule.name not in shares]
    if unreachable:
        _warn_of_unreachable(tree, fractions, unreachable)
    winners = _exceeding(shares, threshold, len(columns[name]))
    return VoteLabels(
        ids=as_names(columns[name]),
        class_ids=np.array(
            [GALAXY10_DECALS.index(w) if w else -1 for w in winners], dtype=np.int64
        ),
        coarse=_exceeding(coarse, threshold, len(columns[name])),
        fractions=_soft_labels(tree.shares(tree.classes, fractions, soft=True)),
        unreachable=unreachable + [rule.name for rule in tree.coarse if rule.name not in coarse],
        positions=_positions(columns),
    )


def vote_columns(scheme: str, id_column: str | None, names: Collection[str]) -> list[str]:
    """Return the columns of a table that `label_votes` reads."""
    located = [
        column
        for question in vote_scheme(scheme).questions.values()
        for columns in question.located(names)
        for spelled in columns.values()
        for column in spelled
    ]
    axes = [column_named(names, [axis]) for axis in ("ra", "dec")]
    positions = [name for name in axes if name is not None]
    return [*located, _id_column(names, id_column), *positions]


def read_votes(
    path: str | Path, scheme: str, *, threshold: float = THRESHOLD, id_column: str | None = None
) -> VoteLabels:
    """Read a table of votes and derive labels; see `read_table` and `label_votes`."""
    columns = read_table(path, lambda names: vote_columns(scheme, id_column, names))
    return label_votes(columns, scheme, threshold=threshold, id_column=id_column)


def _id_column(names: Collection[str], id_column: str | None) -> str:
    name = id_column or column_named(names, FILE_COLUMNS)
    if name is None or name not in names:
        wanted = repr(id_column) if id_column else "that names the galaxies, such as 'id'"
        raise DataError(
            f"the table has no column {wanted} (columns: {listed(names)}); "
            "name the column with --id"
        )
    return name


def _exceeding(shares: Mapping[str, Floats], threshold: float, length: int) -> list[str]:
    """Return the class whose share exceeds the threshold and all others; empty if none does."""
    if not shares:
        return [""] * length
    names = list(shares)
    table = np.nan_to_num(np.stack([shares[name] for name in names], axis=1))
    best = table.max(axis=1)
    unique = (table == best[:, None]).sum(axis=1) == 1
    winners = np.where(unique & (best > threshold), table.argmax(axis=1), -1)
    return [names[winner] if winner >= 0 else "" for winner in winners]


def _soft_labels(shares: Mapping[str, Floats]) -> dict[str, Floats]:
    if len(shares) < 2:
        return {}
    covered = np.sum(list(shares.values()), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        kept = covered > MIN_COVERED
        in_order = [name for name in GALAXY10_DECALS if name in shares]
        return {name: np.where(kept, shares[name] / covered, np.nan) for name in in_order}


def _warn_of_unreachable(tree: VoteScheme, fractions: Fractions, unreachable: list[str]) -> None:
    missing = [name for name in tree.questions if name not in fractions]
    questions = ", ".join(f"{tree.questions[name].asks!r}" for name in missing)
    names = f"the class {' or '.join(unreachable)}"
    warnings.warn(
        f"the table has no columns for {questions} of {tree.title}, so no galaxy gets "
        f"{'any of the ten classes' if len(unreachable) == len(tree.classes) else names}",
        GalfeatWarning,
        stacklevel=3,
    )


def _positions(columns: Mapping[str, NDArray[Any]]) -> dict[str, list[str]]:
    found = {axis: column_named(columns, [axis]) for axis in ("ra", "dec")}
    if None in found.values():
        return {}
    return {
        axis: [str(value).strip() for value in columns[str(name)].tolist()]
        for axis, name in found.items()
    }
