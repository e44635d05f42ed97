"""Training samples of a network: galaxies as planes, with their labels and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from galfeat.data import DataSet, pixel_digest
from galfeat.data.dataset import Progress
from galfeat.data.simulation.simulator import simulate
from galfeat.errors import ImageError
from galfeat.features.planes import SHAPE, planes
from galfeat.frame import Flag, as_rgb, measure_frame

#: True parameters of simulated galaxies that a network learns to predict.
DRAWN = (
    *("q", "bulge_fraction", "bar_strength", "pitch_angle", "arm_contrast", "arm_number"),
    *("nuclei", "tidal_strength"),
)
#: The class a galaxy was simulated as.
SIMULATED_CLASS = "simulated class"
#: Simulated galaxies are drawn in blocks of this size, each with one rendering.
BLOCK = 500
RENDERINGS = ("legacy", "sdss")


@dataclass(frozen=True, eq=False)
class Samples:
    """Galaxies to train on.

    Attributes
    ----------
    planes : ndarray of float16, shape (n, 5, 64, 64)
        Inputs of the network; see `galfeat.features.planes`.
    digests : ndarray of uint8, shape (n, 16)
        Pixel digest of each image.
    classes : mapping of str to ndarray of int, shape (n,)
        Class of each galaxy for each kind of label, -1 if unknown.
    numbers : mapping of str to ndarray of float, shape (n,)
        Value of each parameter, NaN if unknown.
    simulated : ndarray of bool, shape (n,)
    round : ndarray of bool, shape (n,)
        Whether a galaxy is too round to have a position angle.
    """

    planes: NDArray[np.float16]
    digests: NDArray[np.uint8]
    classes: Mapping[str, NDArray[np.int64]]
    numbers: Mapping[str, NDArray[np.float32]]
    simulated: NDArray[np.bool_]
    round: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of galaxies."""
        return len(self.planes)

    def select(self, rows: NDArray[np.intp]) -> Samples:
        """Return some of the galaxies."""
        return Samples(
            self.planes[rows],
            self.digests[rows],
            {name: values[rows] for name, values in self.classes.items()},
            {name: values[rows] for name, values in self.numbers.items()},
            self.simulated[rows],
            self.round[rows],
        )


def joined(parts: Sequence[Samples]) -> Samples:
    """Concatenate several sets; labels or parameters missing from a set are unknown there."""
    kinds = dict.fromkeys(name for part in parts for name in part.classes)
    parameters = dict.fromkeys(name for part in parts for name in part.numbers)
    return Samples(
        np.concatenate([part.planes for part in parts]),
        np.concatenate([part.digests for part in parts]),
        {
            name: np.concatenate([part.classes.get(name, np.full(len(part), -1)) for part in parts])
            for name in kinds
        },
        {
            name: np.concatenate(
                [part.numbers.get(name, np.full(len(part), np.float32(np.nan))) for part in parts]
            )
            for name in parameters
        },
        np.concatenate([part.simulated for part in parts]),
        np.concatenate([part.round for part in parts]),
    )


def observed(
    dataset: DataSet,
    classes: Mapping[str, NDArray[np.int64]],
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Samples:
    """Return the galaxies of a data set, skipping unreadable images and those without a source.

    Parameters
    ----------
    dataset : DataSet
        n images.
    classes : mapping of str to ndarray of int, shape (n,)
        As for `Samples`.
    jobs : int
        Threads. The result does not depend on it.
    progress : callable, optional
        Called with the number of images measured and the total number.
    """
    measured: list[_Galaxy] = []
    kept = []
    with ThreadPoolExecutor(jobs) as pool:
        for rows, images in dataset.batches(128, jobs=jobs):
            for row, galaxy in zip(rows, pool.map(_measure, images), strict=True):
                if galaxy is not None:
                    measured.append(galaxy)
                    kept.append(row)
            if progress is not None:
                progress(int(rows[-1]) + 1, len(dataset))
    return _stacked(measured, {name: values[kept] for name, values in classes.items()}, {}, False)


def simulated(n: int, *, seed: int = 0, jobs: int = 1, progress: Progress | None = None) -> Samples:
    """Return simulated galaxies, equally many of each class, in both renderings.

    Parameters
    ----------
    n : int
        Number of galaxies, rounded up to whole blocks of 500.
    seed : int
        Seed of the simulation.
    jobs : int
        Threads. The result does not depend on it.
    progress : callable, optional
        Called with the number of galaxies drawn and the total number.
    """
    blocks = -(-n // BLOCK)
    parts = []
    for block in range(blocks):
        parts.append(_simulated_block([seed, block], RENDERINGS[block % 2], jobs))
        if progress is not None:
            progress((block + 1) * BLOCK, blocks * BLOCK)
    return joined(parts)


def _simulated_block(seed: Sequence[int], rendering: str, jobs: int) -> Samples:
    number = int(np.random.SeedSequence(seed).generate_state(1)[0])
    counts = [BLOCK // 10] * 10
    drawn = simulate(BLOCK, seed=number, rendering=rendering, jobs=jobs, class_counts=counts)
    with ThreadPoolExecutor(jobs) as pool:
        measured = list(pool.map(_measure, drawn.images))
    kept = np.array([row for row, galaxy in enumerate(measured) if galaxy is not None])
    return _stacked(
        [galaxy for galaxy in measured if galaxy is not None],
        {SIMULATED_CLASS: drawn.labels[kept].astype(np.int64)},
        {name: drawn.columns[f"truth/{name}"][kept].astype(np.float32) for name in DRAWN},
        True,
    )


def _stacked(
    measured: Sequence[_Galaxy],
    classes: Mapping[str, NDArray[np.int64]],
    numbers: Mapping[str, NDArray[np.float32]],
    is_simulated: bool,
) -> Samples:
    n = len(measured)
    stack, digests = np.empty((n, *SHAPE), np.float16), np.empty((n, 16), np.uint8)
    for row, galaxy in enumerate(measured):
        stack[row], digests[row] = galaxy.planes, np.frombuffer(galaxy.digest, np.uint8)
    is_round = np.array([galaxy.is_round for galaxy in measured], bool)
    return Samples(stack, digests, classes, numbers, np.full(n, is_simulated), is_round)


class _Galaxy(NamedTuple):
    planes: NDArray[np.float16]
    digest: bytes
    is_round: bool


def _measure(image: NDArray[np.uint8] | ImageError) -> _Galaxy | None:
    """Return the planes and digest of one image, or None if it shows no galaxy."""
    if isinstance(image, ImageError):
        return None
    rgb = as_rgb(image)
    frame = measure_frame(rgb)
    if frame is None:
        return None
    return _Galaxy(planes(frame).astype(np.float16), pixel_digest(rgb), Flag.ROUND in frame.flags)
