"""Short fingerprints of images that do not depend on turns by 90° and mirroring."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from galfeat.data.duplicates.sketches import COARSE, SIDE, coarse, structure

BITS = 128
"""Bits of a perceptual digest."""

COLOURS = 48
"""Length of the average colours: a quadrant of the coarse image."""

_FOLDED = (SIDE // 2) * (SIDE // 2 + 1) // 2
"""Length of a map of structure averaged over the orientations, each value once."""

LENGTH = _FOLDED + COLOURS
"""Bytes of a fingerprint."""

MIN_STRUCTURE = 0.2
"""Minimum mean square of a map of structure; below it, only equal pixels identify an image."""

MAX_DIFFERENCE = 1.75
"""Maximum difference of the coarse images of copies, as a root mean square, in grey levels."""

_MIN_CORRELATION = 0.65
"""Minimum correlation of the folded maps of copies.

Of 18 million pairs of different galaxies, one is above it, with other colours.
"""

_LEVELS = 64
"""Levels of a folded map per standard deviation of the structure."""

_BLOCK = 512


def fingerprints(sketches: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return fingerprints of images, by which copies are recognised without their sketches.

    Parameters
    ----------
    sketches : ndarray of uint8, shape (n, 1216)
        `galfeat.data.duplicates.sketch` of each image.

    Returns
    -------
    ndarray of uint8, shape (n, 184)
        The structure and the colours, both averaged over the eight orientations; zeros for images
        with too little structure.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.duplicates import copies_among, fingerprints, sketch
    >>> images = np.random.default_rng(0).integers(0, 99, (3, 64, 64, 3), dtype=np.uint8)
    >>> known = fingerprints(np.stack([sketch(image) for image in images[:2]]))
    >>> turned = np.stack([sketch(np.rot90(images[row])) for row in (1, 2)])
    >>> copies_among(fingerprints(turned), known).tolist()
    [True, False]
    """
    result = np.zeros((len(sketches), LENGTH), np.uint8)
    rows = np.flatnonzero(amounts(sketches) >= MIN_STRUCTURE)
    for block in blocks(rows):
        quadrants = _average(structure(sketches[block]))[:, : SIDE // 2, : SIDE // 2]
        levels = quadrants[:, *np.triu_indices(SIDE // 2)] * _LEVELS
        result[block, :_FOLDED] = _as_bytes(levels)
    result[rows, _FOLDED:] = np.rint(average_colours(sketches, rows))
    return result


def copies_among(unknown: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each fingerprint whether one in `known` is of a copy of the image.

    Parameters
    ----------
    unknown, known : ndarray of uint8, shape (n, 184) and (m, 184)
        From `fingerprints`.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for copies that are encoded anew, reduced, turned or mirrored. Time grows as n m:
        seconds for 18,000 and 18,000 images.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.duplicates import copies_among, fingerprints, sketch
    >>> images = np.random.default_rng(0).integers(0, 99, (3, 64, 64, 3), dtype=np.uint8)
    >>> marks = fingerprints(np.stack([sketch(image) for image in [*images, images[2][:, ::-1]]]))
    >>> copies_among(marks[2:], marks[:3]).tolist()
    [True, True]
    """
    result = np.zeros(len(unknown), np.bool_)
    known = known[known.any(axis=1)]
    maps, colours = _normalised(known), known[:, _FOLDED:].astype(np.float32)
    for rows in blocks(np.flatnonzero(unknown.any(axis=1)), size=256):
        near, others = np.nonzero(_normalised(unknown[rows]) @ maps.T >= _MIN_CORRELATION)
        difference = colours[others] - unknown[rows[near], _FOLDED:]
        agrees = (difference**2).mean(axis=1) <= MAX_DIFFERENCE**2
        result[rows[near[agrees]]] = True
    return result


def _as_bytes(levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(np.rint(levels), -127, 127).astype(np.int8).view(np.uint8)


def _normalised(marks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return folded maps of zero mean and unit sum of squares, with each value once."""
    row, column = np.triu_indices(SIDE // 2)
    weights = np.where(row == column, 1, 2).astype(np.float32)
    maps = np.ascontiguousarray(marks[:, :_FOLDED]).view(np.int8).astype(np.float32)
    maps -= (maps @ weights / weights.sum())[:, None]
    maps *= np.sqrt(weights)
    norms = np.linalg.norm(maps, axis=1, keepdims=True)
    return np.asarray(maps / np.maximum(norms, 1), np.float32)


def blocks(rows: NDArray[np.intp], size: int = _BLOCK) -> Iterator[NDArray[np.intp]]:
    """Yield rows, `size` at a time."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def amounts(sketches: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean square of the structure of each image, shape (n,)."""
    parts = [np.empty(0, np.float32)]
    for rows in blocks(np.arange(len(sketches))):
        parts.append((structure(sketches[rows]) ** 2).mean(axis=(1, 2)))
    return np.concatenate(parts)


def perceptual_bits(sketches: NDArray[np.uint8], rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return perceptual digests, one bit per element, shape (len(rows), 128).

    The signs of random projections of the map of structure, averaged over the eight orientations.
    """
    bits = np.empty((len(rows), BITS), np.bool_)
    start = 0
    for block in blocks(rows):
        mean = _average(structure(sketches[block]))
        mean -= mean.mean(axis=(1, 2), keepdims=True)
        bits[start : start + len(block)] = mean.reshape(len(block), -1) @ _projections() > 0
        start += len(block)
    return bits


def average_colours(sketches: NDArray[np.uint8], rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return coarse images averaged over the eight orientations, shape (len(rows), 48).

    Averaging over orientations never increases a difference. One quadrant is enough.
    """
    averages = [np.empty((0, COLOURS), np.float32)]
    for block in blocks(rows):
        quadrants = _average(coarse(sketches[block]))[:, : COARSE // 2, : COARSE // 2]
        averages.append(quadrants.reshape(len(block), -1))
    return np.concatenate(averages)


@lru_cache(maxsize=1)
def _projections() -> NDArray[np.float32]:
    """Return projections of ±1, shape (1024, 128), the same for all versions of all libraries."""
    stream = hashlib.shake_128(b"galfeat perceptual digest").digest(SIDE * SIDE * BITS // 8)
    signs = np.unpackbits(np.frombuffer(stream, np.uint8)).reshape(SIDE * SIDE, BITS)
    return 2 * signs.astype(np.float32) - 1


def _average(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of images over the eight orientations."""
    across = images + images[:, :, ::-1]
    square = across + across[:, ::-1]
    return np.asarray((square + np.swapaxes(square, 1, 2)) / 8, np.float32)
