"""Simulate galaxy images in the format of Galaxy10 DECaLS, with their true parameters."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.packing import (
    BLOCK,
    PUBLISHED,
    PUBLISHED_CHUNKS,
    ChunkedWriter,
    ContiguousWriter,
    hdf5_file,
)
from galfeat.data.simulation.draw import draw, find_rendering
from galfeat.data.simulation.sampling import sample_scene
from galfeat.data.simulation.scene import Scene
from galfeat.data.simulation.truth import truth
from galfeat.errors import DataError

__all__ = ["SIZE", "Simulation", "draw", "sample_scene", "simulate", "simulate_file"]

SIZE = 256
CUTOUT = 6.2  # typical width over R90 of the cut-outs in Galaxy Zoo
LAYOUTS = ("contiguous", "published")
# Class counts of Galaxy10 DECaLS, classes 0 to 9.
GALAXY10_COUNTS = (1081, 1853, 2645, 2027, 334, 2043, 1829, 2628, 1423, 1873)


@dataclass(frozen=True)
class Simulation:
    """Simulated images and their true parameters; rows are sorted by class.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.simulation import Simulation
    >>> simulation = Simulation(np.zeros((1, 256, 256, 3), np.uint8), np.zeros(1, np.uint8), {}, [])
    >>> simulation.class_names[0]
    'Disturbed'
    """

    images: NDArray[np.uint8]  # (n, 256, 256, 3)
    labels: NDArray[np.uint8]
    columns: dict[str, NDArray[np.float64]]  # ra, dec, redshift, pxscale and truth/*
    scenes: list[Scene]
    class_names: tuple[str, ...] = GALAXY10_DECALS


@dataclass(frozen=True, slots=True)
class _Drawing:
    """An image, its scene and its position."""

    image: NDArray[np.uint8]
    scene: Scene
    pixel_scale: float
    ra: float
    dec: float


def simulate(
    n: int,
    *,
    seed: int = 0,
    rendering: str = "legacy",
    jobs: int = 1,
    class_counts: Sequence[int] | None = None,
) -> Simulation:
    """Simulate galaxies in memory.

    Parameters
    ----------
    n : int
        Number of images.
    seed : int
        The same seed yields the same images for any number of jobs.
    rendering : {"legacy", "sdss"}
        "legacy" has the fixed 0.262 arcseconds per pixel of Galaxy10 DECaLS; "sdss" scales
        each cut-out to its galaxy, as in Galaxy Zoo.
    jobs : int
        Number of threads.
    class_counts : sequence of 10 int, optional
        Number of images per class, with a sum of `n`. By default the proportions of Galaxy10
        DECaLS, with at least a tenth of an equal share for each class.

    Returns
    -------
    Simulation

    Raises
    ------
    DataError
        If `n`, the counts or the rendering are invalid.

    Examples
    --------
    >>> from galfeat.data.simulation import simulate
    >>> simulation = simulate(2, class_counts=[0, 0, 1, 0, 0, 1, 0, 0, 0, 0])
    >>> simulation.images.shape, simulation.labels.tolist()
    ((2, 256, 256, 3), [2, 5])
    """
    labels = class_labels(n, class_counts)
    images = np.empty((n, SIZE, SIZE, 3), dtype=np.uint8)
    table = _Table(n)
    scenes = []
    for row, drawing in enumerate(_drawings(labels, seed, rendering, jobs)):
        images[row] = drawing.image
        table.fill(row, drawing)
        scenes.append(drawing.scene)
    return Simulation(images, labels, table.columns(), scenes)


def simulate_file(
    path: str | Path,
    n: int,
    *,
    seed: int = 0,
    rendering: str = "legacy",
    jobs: int = 1,
    class_counts: Sequence[int] | None = None,
    layout: str = "contiguous",
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Simulate galaxies and write them to an HDF5 file in the format of Galaxy10 DECaLS.

    The file contains `images` uint8 (n, 256, 256, 3), `ans` uint8, `ra`, `dec`, `redshift` and
    `pxscale` float64, and the true parameters `truth/*` (see `galfeat.data.simulation.truth`).
    The attribute `class_names` contains the names of the classes. Images are written in blocks
    while drawing.

    Parameters
    ----------
    path : str or Path
        The file, written atomically.
    n, seed, rendering, jobs, class_counts
        As for `simulate`.
    layout : {"contiguous", "published"}
        "published" stores `images` as the published Galaxy10 DECaLS file does, compressed in
        chunks of (555, 16, 16, 1) and without `class_names`.
    progress : callable, optional
        Called with the number of images done and `n`.

    Raises
    ------
    DataError
        If `n`, the counts, the rendering or the layout are invalid.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from galfeat.data import open_dataset
    >>> from galfeat.data.simulation import simulate_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     simulate_file(f"{folder}/spiral.h5", 1, class_counts=[0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
    ...     data = open_dataset(f"{folder}/spiral.h5")
    >>> data.class_names[data.labels[0]]
    'Barred Spiral'
    """
    labels = class_labels(n, class_counts)
    find_rendering(rendering)
    published = _is_published(layout)
    size = PUBLISHED_CHUNKS[0] if published else BLOCK
    with hdf5_file(path) as (file, check):
        shape = (n, SIZE, SIZE, 3)
        images = (
            ChunkedWriter(file, shape, PUBLISHED_CHUNKS, PUBLISHED, jobs)
            if published
            else ContiguousWriter(file, shape)
        )
        block = np.empty((size, SIZE, SIZE, 3), dtype=np.uint8)
        table = _Table(n)
        for row, drawing in enumerate(_drawings(labels, seed, rendering, jobs)):
            block[row % size] = drawing.image
            table.fill(row, drawing)
            if (row + 1) % size == 0 or row + 1 == n:
                images.write(row - row % size, block[: row % size + 1])
                check()
            if progress is not None:
                progress(row + 1, n)
        file["ans"] = labels
        for name, column in table.columns().items():
            file[name] = column
        if not published:  # the published file has none
            file.attrs["class_names"] = list(GALAXY10_DECALS)
        file.attrs["rendering"] = rendering
        file.attrs["seed"] = seed


def _is_published(layout: str) -> bool:
    if layout not in LAYOUTS:
        raise DataError(f"unknown layout {layout!r}; choose {' or '.join(LAYOUTS)}")
    return layout == "published"


def class_labels(n: int, class_counts: Sequence[int] | None = None) -> NDArray[np.uint8]:
    """Return the sorted labels of `n` images; see `simulate` for the counts.

    Raises
    ------
    DataError
        If `n` is not positive, or the counts are not ten numbers with a sum of `n`.
    """
    if n < 1:
        raise DataError(f"cannot simulate {n} galaxies; ask for at least 1")
    if class_counts is None:
        minimum = n // (10 * len(GALAXY10_DECALS))
        shares = (
            np.array(GALAXY10_COUNTS) / sum(GALAXY10_COUNTS) * (n - minimum * len(GALAXY10_DECALS))
        )
        counts = np.floor(shares).astype(int)
        # The classes with the largest remainders get the images lost to rounding.
        counts[np.argsort(counts - shares, kind="stable")[: n - minimum * 10 - counts.sum()]] += 1
        counts += minimum
    else:
        counts = np.array(class_counts)
        if counts.shape != (len(GALAXY10_DECALS),) or counts.min() < 0 or counts.sum() != n:
            raise DataError(
                f"class counts {list(class_counts)} do not fit {n} galaxies; "
                f"pass {len(GALAXY10_DECALS)} whole numbers with a sum of {n}"
            )
    return np.repeat(np.arange(len(GALAXY10_DECALS), dtype=np.uint8), counts)


def _drawings(
    labels: NDArray[np.uint8], seed: int, rendering: str, jobs: int
) -> Iterator[_Drawing]:
    """Draw an image for each label, in order, a few in advance."""
    seeds = np.random.SeedSequence(seed).spawn(len(labels))
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        waiting: deque[Future[_Drawing]] = deque()
        try:
            for label, own_seed in zip(labels.tolist(), seeds, strict=True):
                waiting.append(pool.submit(_draw_class, label, own_seed, rendering))
                if len(waiting) >= 4 * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _draw_class(class_id: int, seed: np.random.SeedSequence, rendering: str) -> _Drawing:
    """Draw a galaxy of a class. Its scene does not depend on the rendering."""
    scene_seed, noise_seed = seed.spawn(2)
    rng = np.random.Generator(np.random.SFC64(scene_seed))
    ra = rng.uniform(0, 360)
    dec = float(np.degrees(np.arcsin(rng.uniform(-0.3, 0.55))))
    cutout = CUTOUT * rng.uniform(0.85, 1.25)
    scene = sample_scene(class_id, rng)
    if rendering == "sdss":
        pixel_scale = cutout * scene.radius90 / SIZE
    else:
        pixel_scale = find_rendering(rendering).pixel_scale
    image = draw(scene, size=SIZE, pixel_scale=pixel_scale, rendering=rendering, seed=noise_seed)
    return _Drawing(image, scene, pixel_scale, ra, dec)


class _Table:
    """The columns of a file, filled row by row so that scenes need not be stored."""

    def __init__(self, n: int) -> None:
        self._names: list[str] = []
        self._rows: list[NDArray[np.float64]] = [np.empty(0)] * n

    def fill(self, row: int, drawing: _Drawing) -> None:
        """Store the parameters of an image."""
        values = {
            "ra": drawing.ra,
            "dec": drawing.dec,
            "redshift": drawing.scene.redshift,
            "pxscale": drawing.pixel_scale,
        }
        parameters = truth(drawing.scene, drawing.pixel_scale, SIZE)
        values |= {f"truth/{name}": value for name, value in parameters.items()}
        self._names = list(values)
        self._rows[row] = np.array(list(values.values()))

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Return the columns by their names in the file."""
        return dict(zip(self._names, np.array(self._rows).T.copy(), strict=True))
