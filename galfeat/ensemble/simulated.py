"""Simulated galaxies among the training rows: draw, measure, store and label them."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from galfeat.data import ArrayDataSet, simulation
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS, GALAXY10_DECALS_COARSE
from galfeat.data.simulation import simulate
from galfeat.errors import OutputError, PipelineError
from galfeat.features.extractor import FeatureExtractor
from galfeat.features.registry import FLAGS, cache_key, column_names
from galfeat.features.table import column_positions
from galfeat.frame import Flag
from galfeat.kernels import cache_folder, source_digest
from galfeat.pipeline import Member, SimulatedGalaxies
from galfeat.storage.atomic import atomic_file

# Galaxies drawn at a time.
_BLOCK = 500
# First part of the seeds. The networks that come with galfeat learned from simulated galaxies of
# other seeds, so features never depend on the very galaxies they are measured on.
_STREAM = 0x5AB0


class SimulatedRows(NamedTuple):
    """Simulated galaxies as rows of a feature table.

    Attributes
    ----------
    features : ndarray of float32, shape (m, d)
    columns : ndarray of int, shape (d,)
        Their positions in the table of the training rows, ascending.
    codes : ndarray of int, shape (m,)
        Class index of each row.
    weight : float
        Total weight of a class, in units of the training rows divided by the number of classes.
    """

    features: NDArray[np.float32]
    columns: NDArray[np.intp]
    codes: NDArray[np.intp]
    weight: float

    def restricted(self, columns: NDArray[np.intp]) -> SimulatedRows:
        """Return the rows with these columns of the training table only."""
        features = self.features[:, np.searchsorted(self.columns, columns)]
        return self._replace(features=features, columns=columns)

    def shares(self, n_classes: int) -> NDArray[np.float64]:
        """Return the total weight of each class relative to that of all training rows."""
        present = np.bincount(self.codes, minlength=n_classes) > 0
        return np.where(present, self.weight / n_classes, 0.0)

    def row_weights(self, total: float, n_classes: int) -> NDArray[np.float64]:
        """Return the weight of each row beside training rows of this total weight."""
        counts = np.bincount(self.codes, minlength=n_classes)
        per_class = total * self.shares(n_classes) / np.maximum(counts, 1)
        weights: NDArray[np.float64] = per_class[self.codes]
        return weights


def simulated_rows(
    galaxies: SimulatedGalaxies,
    class_names: Sequence[str],
    extractor: FeatureExtractor,
    names: Sequence[str],
    members: Sequence[Member],
    *,
    seed: int,
) -> SimulatedRows:
    """Draw and measure simulated galaxies of the given classes.

    Features are stored in the cache of the extractor, by default in the user's cache folder, and
    in memory.

    Parameters
    ----------
    galaxies : SimulatedGalaxies
    class_names : sequence of str, length k
        Of the ten classes of Galaxy10 DECaLS, or of their coarse classes. Others get no
        simulated galaxies.
    extractor : FeatureExtractor
        With the families of the classifier. Those that no member needs are not measured.
    names : sequence of str
        Columns of the training table.
    members : sequence of Member
        Members of the ensemble.
    seed : int
        Seed of the simulation.

    Raises
    ------
    PipelineError
        If none of the classes can be simulated, or no member takes simulated galaxies.
    """
    code_of_class = simulated_classes(class_names)
    used_columns = [member.columns(names) for member in members if member.adds_simulated]
    if not used_columns:
        raise PipelineError(
            "balance is 'simulate', but no member takes simulated galaxies: networks and balanced "
            "forests are fitted to real ones; choose another method"
        )
    columns = np.unique(np.concatenate(used_columns))
    needed = {names[column] for column in columns}
    families = tuple(
        family for family in extractor.families if needed.intersection(column_names((family,)))
    )
    folder = str(extractor.cache) if extractor.cache is not None else None
    stored = _stored_rows(galaxies, families, extractor.frame, seed, folder, extractor.n_jobs)
    measured = column_positions(tuple(names[column] for column in columns), stored.names)
    codes = code_of_class[stored.classes]
    used = np.flatnonzero(codes >= 0)
    features = stored.features[np.ix_(used, measured)]
    return SimulatedRows(features, columns, codes[used], galaxies.weight)


def simulated_classes(class_names: Sequence[str]) -> NDArray[np.intp]:
    """Return the position in `class_names` of each class that can be simulated.

    Parameters
    ----------
    class_names : sequence of str
        Upper and lower case do not matter.

    Returns
    -------
    ndarray of int, shape (10,)
        For each class of Galaxy10 DECaLS, the position of its own name or else of its coarse
        class; -1 if there is neither.

    Raises
    ------
    PipelineError
        If there is none at all.
    """
    position = {name.casefold(): number for number, name in enumerate(map(str, class_names))}
    codes = [
        position.get(fine.casefold(), position.get(coarse, -1))
        for fine, coarse in zip(GALAXY10_DECALS, GALAXY10_DECALS_COARSE, strict=True)
    ]
    if max(codes) < 0:
        raise PipelineError(
            f"classes {', '.join(map(str, class_names))} cannot be simulated, as balance = "
            f"'simulate' requires; it knows {', '.join(GALAXY10_DECALS)} and the coarse classes "
            "smooth, spiral, edge-on and merger: choose another method"
        )
    return np.array(codes, dtype=np.intp)


def simulated_counts(galaxies: SimulatedGalaxies, class_names: Sequence[str]) -> NDArray[np.intp]:
    """Return the number of simulated galaxies drawn for each of the given classes, shape (k,)."""
    codes = simulated_classes(class_names)
    each = _per_class(galaxies) * len(galaxies.renderings)
    return each * np.bincount(codes[codes >= 0], minlength=len(class_names))


def _per_class(galaxies: SimulatedGalaxies) -> int:
    """Return the number of galaxies of each class in each rendering."""
    return galaxies.number // (len(GALAXY10_DECALS) * len(galaxies.renderings))


class _Stored(NamedTuple):
    names: tuple[str, ...]
    features: NDArray[np.float32]
    classes: NDArray[np.intp]


@lru_cache(maxsize=2)
def _stored_rows(
    galaxies: SimulatedGalaxies,
    families: tuple[str, ...],
    frame: bool,
    seed: int,
    folder: str | None,
    jobs: int,
) -> _Stored:
    """Return the features of simulated galaxies from the cache, or measure and store them."""
    path = _path(galaxies, families, frame, seed, folder)
    stored = _load(path) if path is not None else None
    if stored is None:
        stored = _measure(galaxies, FeatureExtractor(families, frame=frame, n_jobs=jobs), seed)
        if path is not None:
            _store(path, stored)
    return stored


def _measure(galaxies: SimulatedGalaxies, extractor: FeatureExtractor, seed: int) -> _Stored:
    features, classes = [], []
    for images, labels in _drawn(galaxies, seed, extractor.n_jobs):
        table = extractor.extract(ArrayDataSet(images))
        flags = np.nan_to_num(table.values[:, table.names.index(FLAGS)]).astype(np.int64)
        kept = np.setdiff1d(np.flatnonzero(flags & Flag.NO_SOURCE == 0), list(table.errors))
        features.append(table.values[kept])
        classes.append(labels[kept].astype(np.intp))
    return _Stored(tuple(table.names), np.concatenate(features), np.concatenate(classes))


def _drawn(
    galaxies: SimulatedGalaxies, seed: int, jobs: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Yield images and classes of simulated galaxies, in blocks of one rendering."""
    per_class = _per_class(galaxies)
    for rendering in galaxies.renderings:
        number = ("legacy", "sdss").index(rendering)
        for block, done in enumerate(range(0, per_class, _BLOCK // len(GALAXY10_DECALS))):
            count = min(per_class - done, _BLOCK // len(GALAXY10_DECALS))
            own = np.random.SeedSequence([_STREAM, seed, number, block]).generate_state(2)
            drawn = simulate(
                count * len(GALAXY10_DECALS),
                seed=int(own[0]) << 32 | int(own[1]),
                rendering=rendering,
                jobs=jobs,
                class_counts=[count] * len(GALAXY10_DECALS),
            )
            yield drawn.images, drawn.labels


def _path(
    galaxies: SimulatedGalaxies,
    families: tuple[str, ...],
    frame: bool,
    seed: int,
    folder: str | None,
) -> Path | None:
    """Return the file of these features; its name depends on all that they depend on."""
    from galfeat import __version__

    parent = Path(folder) if folder is not None else None
    if parent is None and (kernels := cache_folder()) is not None:
        parent = kernels.parent
    if parent is None:
        return None
    simulator = hashlib.sha256()
    for source in sorted(Path(os.fspath(simulation.__file__ or "")).parent.glob("*.py")):
        simulator.update(source.read_bytes())
    key = "\n".join(
        [
            *(__version__, source_digest(), simulator.hexdigest(), cache_key(families)),
            *(repr(list(map(str, families))), repr(frame), repr(seed)),
            *(repr(galaxies.number), repr(galaxies.renderings)),
        ]
    )
    return parent / f"simulated-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"


def _load(path: Path) -> _Stored | None:
    """Read stored features; None if there are none, or the file is damaged."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            stored = _Stored(tuple(map(str, file["names"])), file["features"], file["classes"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    shape = (len(stored.classes), len(stored.names))
    return stored if stored.features.shape == shape else None


def _store(path: Path, stored: _Stored) -> None:
    """Write features to the cache; without a writable cache they are kept in memory only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as temporary, temporary.open("wb") as stream:
            np.savez(
                stream,
                names=np.array(stored.names),
                features=stored.features,
                classes=stored.classes,
            )
    except (OSError, OutputError):
        return
