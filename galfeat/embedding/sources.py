"""Which galaxies a network is trained on, and a note of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from galfeat.data import DataSet, open_dataset
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.embedding.samples import Progress, Samples, joined, observed, simulated
from galfeat.errors import DataError


@dataclass(frozen=True)
class Source:
    """What a card says of one source of galaxies.

    Attributes
    ----------
    name : str
        What it was called on the command line.
    galaxies : int
    kinds : dict of str to dict of str to int
        For each kind of label the galaxies of each class.
    sha256 : str
        Of the digests of the pixels and the classes, in their order.
    left_out : int
        Images that cannot be read, or show no galaxy.
    """

    name: str
    galaxies: int
    kinds: dict[str, dict[str, int]]
    sha256: str
    left_out: int = 0


def _silent(name: str) -> AbstractContextManager[Progress]:
    return nullcontext(lambda done, total: None)


def gather(
    data: Sequence[str],
    *,
    labels: Sequence[str],
    unless: str | None = None,
    share: float = 1.0,
    n_simulated: int = 0,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[str], AbstractContextManager[Progress]] = _silent,
) -> tuple[Samples, list[Source]]:
    """Measure the galaxies to train on.

    Parameters
    ----------
    data : sequence of str
        Labelled data sets, as `galfeat.data.open_dataset` takes them.
    labels : sequence of str
        Columns of labels: each is a task. A galaxy needs only one of them.
    unless : str, optional
        Rows with a value in this column are left out: they are for others to learn from.
    share : float
        Part of the rows, chosen by their pixels, so that the choice does not change when
        others are added.
    n_simulated, seed, jobs
        See `galfeat.embedding.samples.simulated`.
    progress : callable
        Given the name of a source, the context of what is called while it is measured.

    Raises
    ------
    DataError
        If nothing is left to train on.
    """
    parts, sources = [], []
    for name in data:
        dataset, classes, names = _labelled(name, labels, unless)
        with progress(name) as update:
            found = observed(dataset, classes, jobs=jobs, progress=update)
        left_out = len(dataset) - len(found)
        found = found.select(np.flatnonzero(_draw(found.digests) < share))
        if not len(found):
            raise DataError(
                f"no row of {name} is left to train on; give another label column, "
                "a larger share, or leave out fewer rows"
            )
        parts.append(found)
        sources.append(_source(Path(name).name, found, names, left_out))
    if n_simulated:
        with progress("simulated") as update:
            drawn = simulated(n_simulated, seed=seed, jobs=jobs, progress=update)
        parts.append(drawn)
        sources.append(_source(f"simulated, seed {seed}", drawn, {}))
    if not parts:
        raise DataError("there is nothing to train on; name a data set, or ask for simulated ones")
    return joined(parts), sources


def _labelled(
    source: str, labels: Sequence[str], unless: str | None
) -> tuple[DataSet, dict[str, NDArray[np.int64]], dict[str, tuple[str, ...]]]:
    opened = {label: open_dataset(source, label=label) for label in labels}
    if not opened:
        raise DataError(f"{source}: name the columns of classes to learn with --label")
    known = np.any([one.labels >= 0 for one in opened.values()], axis=0)
    if unless is not None:
        known &= open_dataset(source, label=unless).labels < 0
    rows = np.flatnonzero(known)
    classes = {label: one.labels[rows] for label, one in opened.items()}
    names = {label: one.class_names for label, one in opened.items()}
    return next(iter(opened.values())).select(rows), classes, names


def _draw(digests: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return a number from 0 to 1 for each image that only its pixels decide."""
    leading = np.ascontiguousarray(digests[:, :4]).view(">u4").ravel()
    numbers: NDArray[np.float64] = leading / 2.0**32
    return numbers


def _source(
    name: str, found: Samples, names: dict[str, tuple[str, ...]], left_out: int = 0
) -> Source:
    digest = hashlib.sha256(found.digests.tobytes())
    kinds = {}
    for kind, labels in found.classes.items():
        digest.update(kind.encode() + labels.tobytes())
        called = names.get(kind, GALAXY10_DECALS)
        counts = np.bincount(labels[labels >= 0], minlength=len(called))
        kinds[kind] = dict(zip(called, counts.tolist(), strict=True))
    return Source(name, len(found), kinds, digest.hexdigest(), left_out)
