"""Collect the galaxies a network is trained on, and describe their sources."""

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
from galfeat.data.dataset import Progress
from galfeat.embedding.samples import Samples, joined, observed, simulated
from galfeat.errors import DataError


@dataclass(frozen=True)
class Source:
    """Description of one source of galaxies for the card.

    Attributes
    ----------
    name : str
        Name given on the command line.
    galaxies : int
        Number of galaxies.
    kinds : dict of str to dict of str to int
        For each kind of label, the number of galaxies per class.
    sha256 : str
        SHA-256 of the pixel digests and the classes, in order.
    left_out : int
        Number of images that are unreadable or show no galaxy.

    Examples
    --------
    >>> from galfeat.embedding import Source
    >>> source = Source("labels", 3, {"form": {"round": 2, "flat": 1}}, sha256="0" * 64)
    >>> sum(source.kinds["form"].values())
    3
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
        Labelled data sets, as for `galfeat.data.open_dataset`.
    labels : sequence of str
        Label columns, each a separate task. A galaxy needs a label in at least one of them.
    unless : str, optional
        Rows with a value in this column are excluded, to be kept for fitting classifiers.
    share : float
        Share of the rows to use, selected by their pixels so that adding rows does not change
        the selection.
    n_simulated, seed, jobs
        See `galfeat.embedding.samples.simulated`.
    progress : callable
        Takes the name of a source and returns a context manager that yields a progress
        callback.

    Raises
    ------
    DataError
        If there are no galaxies to train on.
    """
    parts, sources = [], []
    for name in data:
        dataset, classes, names = _labelled(name, labels, unless)
        with progress(name) as update:
            samples = observed(dataset, classes, jobs=jobs, progress=update)
        left_out = len(dataset) - len(samples)
        samples = samples.select(np.flatnonzero(_draw(samples.digests) < share))
        if not len(samples):
            raise DataError(
                f"{name} has no rows to train on; give another label column or a larger share, "
                "or exclude fewer rows"
            )
        parts.append(samples)
        sources.append(_source(Path(name).name, samples, names, left_out))
    if n_simulated:
        with progress("simulated") as update:
            drawn = simulated(n_simulated, seed=seed, jobs=jobs, progress=update)
        parts.append(drawn)
        sources.append(_source(f"simulated, seed {seed}", drawn, {}))
    if not parts:
        raise DataError("no training data given; specify a data set or request simulated galaxies")
    return joined(parts), sources


def _labelled(
    source: str, labels: Sequence[str], unless: str | None
) -> tuple[DataSet, dict[str, NDArray[np.int64]], dict[str, tuple[str, ...]]]:
    opened = {label: open_dataset(source, label=label) for label in labels}
    if not opened:
        raise DataError(f"{source}: no label columns given; specify them with --label")
    usable = np.any([dataset.labels >= 0 for dataset in opened.values()], axis=0)
    if unless is not None:
        usable &= open_dataset(source, label=unless).labels < 0
    rows = np.flatnonzero(usable)
    classes = {label: dataset.labels[rows] for label, dataset in opened.items()}
    names = {label: dataset.class_names for label, dataset in opened.items()}
    return next(iter(opened.values())).select(rows), classes, names


def _draw(digests: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return a pseudo-random number from 0 to 1 for each image, determined by its pixels."""
    leading = np.ascontiguousarray(digests[:, :4]).view(">u4").ravel()
    numbers: NDArray[np.float64] = leading / 2.0**32
    return numbers


def _source(
    name: str, samples: Samples, names: dict[str, tuple[str, ...]], left_out: int = 0
) -> Source:
    digest = hashlib.sha256(samples.digests.tobytes())
    kinds = {}
    for kind, labels in samples.classes.items():
        digest.update(kind.encode() + labels.tobytes())
        class_names = names.get(kind, GALAXY10_DECALS)
        counts = np.bincount(labels[labels >= 0], minlength=len(class_names))
        kinds[kind] = dict(zip(class_names, counts.tolist(), strict=True))
    return Source(name, len(samples), kinds, digest.hexdigest(), left_out)
