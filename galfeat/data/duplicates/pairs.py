"""Find near-identical images by their sketches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from galfeat.data.duplicates.fingerprint import (
    BITS,
    MAX_DIFFERENCE,
    MIN_STRUCTURE,
    amounts,
    average_colours,
    blocks,
    perceptual_bits,
)
from galfeat.data.duplicates.sketches import coarse, structure

MIN_CORRELATION = 0.5
"""Minimum correlation of the structure of near-identical images.

Among 18 million pairs of different galaxies, the largest is 0.32; see `benchmarks/duplicates.py`.
"""

_MAX_BITS_APART = 50
"""Maximum number of different bits of candidates; 64 for unrelated images."""

_TABLES, _NEIGHBOURS, _KEY_BITS = 64, 8, 32

Pairs = NDArray[np.intp]


def near_identical(sketches: NDArray[np.uint8]) -> tuple[Pairs, NDArray[np.float32]]:
    """Find images that are copies of each other: re-encoded, rescaled, turned or mirrored.

    Parameters
    ----------
    sketches : ndarray of uint8, shape (n, 1216)
        `galfeat.data.duplicates.sketch` of each image.

    Returns
    -------
    pairs : ndarray of int, shape (m, 2)
        Row numbers, the lower one first, in ascending order. Of several copies of one image,
        enough pairs to connect all, not all pairs.
    correlations : ndarray of float32, shape (m,)
        Correlation of the structure, 0.5 to 1.

    Notes
    -----
    Candidates are found by a digest of 128 bits: the signs of random projections (Charikar 2002,
    STOC) of the map of structure, averaged over turns by 90° and mirror images, on which it
    therefore does not depend. The digests are sorted by 64 random choices of their bits, and each
    is compared with its next neighbours (Bawa et al. 2005, WWW), so time grows as n log n,
    however many digests are equal.

    A candidate is confirmed if, in one of the eight orientations, the maps of structure correlate
    and the coarse images agree. The structure of smooth galaxies is noise and neighbours in the
    sky, so two of them are not confused. Many images rotated by 2° or cropped by 2 % are found,
    too. Images without noise, such as models of smooth galaxies, have too little structure to be
    compared.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.duplicates import near_identical, sketch
    >>> images = np.random.default_rng(0).integers(0, 99, (3, 64, 64, 3), dtype=np.uint8)
    >>> copy = np.rot90(images[1])[:, ::-1]
    >>> pairs, correlations = near_identical(np.stack([*map(sketch, images), sketch(copy)]))
    >>> pairs.tolist(), correlations.round(2).tolist()
    ([[1, 3]], [1.0])
    """
    comparable = np.flatnonzero(amounts(sketches) >= MIN_STRUCTURE)
    confirmed, correlations = [np.empty((0, 2), np.intp)], [np.empty(0, np.float32)]
    group, tried = np.arange(len(sketches)), np.empty(0, np.int64)
    averages = average_colours(sketches, comparable)
    for candidates in _candidates(perceptual_bits(sketches, comparable)):
        rows = comparable[candidates]
        candidates = candidates[group[rows[:, 0]] != group[rows[:, 1]]]
        difference = averages[candidates[:, 0]] - averages[candidates[:, 1]]
        pairs = comparable[candidates[(difference**2).mean(axis=1) <= MAX_DIFFERENCE**2]]
        if not len(pairs):
            continue
        keys = np.setdiff1d(pairs @ [len(sketches), 1], tried)
        tried = np.append(tried, keys)
        pairs = np.stack(np.divmod(keys, len(sketches)), axis=1)
        best = _best_correlations(sketches, pairs)
        kept = best >= MIN_CORRELATION
        if kept.any():
            confirmed.append(pairs[kept])
            correlations.append(best[kept])
            group = connected(len(sketches), np.concatenate(confirmed))
    found, values = np.concatenate(confirmed), np.concatenate(correlations)
    order = np.lexsort(found.T[::-1])
    return found[order], values[order]


def connected(n: int, pairs: Pairs) -> NDArray[np.intp]:
    """Return the number of the connected group of each of n rows, shape (n,)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    links = coo_matrix((np.ones(len(pairs), np.int8), pairs.T), shape=(n, n))
    group: NDArray[np.int32] = connected_components(links, directed=False)[1]
    return group.astype(np.intp)


def _candidates(bits: NDArray[np.bool_]) -> Iterator[Pairs]:
    """Yield pairs of similar digests, the lower row first; some repeatedly."""
    words = np.packbits(bits, axis=1).view(np.uint64)
    rng = np.random.default_rng(1)
    for _ in range(_TABLES):
        chosen = np.packbits(bits[:, rng.choice(BITS, _KEY_BITS, replace=False)], axis=1)
        keys = np.ascontiguousarray(chosen).view(">u4").ravel()
        order = np.argsort(keys, kind="stable")
        for step in range(1, min(_NEIGHBOURS, len(bits) - 1) + 1):
            pairs = np.stack([order[:-step], order[step:]], axis=1)
            apart = np.bitwise_count(words[pairs[:, 0]] ^ words[pairs[:, 1]]).sum(axis=1)
            yield np.sort(pairs[apart <= _MAX_BITS_APART], axis=1)


def _orientations(
    maps: NDArray[np.float32], coarse_images: NDArray[np.float32]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yield both kinds of images in the eight orientations."""
    for turns in range(4):
        turned = [np.rot90(images, turns, axes=(1, 2)) for images in (maps, coarse_images)]
        yield turned[0], turned[1]
        yield turned[0][:, :, ::-1], turned[1][:, :, ::-1]


def _best_correlations(sketches: NDArray[np.uint8], pairs: Pairs) -> NDArray[np.float32]:
    """Return the largest correlation of orientations whose coarse images agree, or -1."""
    result = [np.empty(0, np.float32)]
    for block in blocks(pairs):
        first, second = sketches[block[:, 0]], sketches[block[:, 1]]
        reference, coarse_reference = _normalised(structure(first)), coarse(first)
        best = np.full(len(first), -1, np.float32)
        for maps, images in _orientations(_normalised(structure(second)), coarse(second)):
            correlation = np.einsum("nyx,nyx->n", reference, maps)
            difference = np.sqrt(((images - coarse_reference) ** 2).mean(axis=(1, 2, 3)))
            best = np.where(difference <= MAX_DIFFERENCE, np.maximum(best, correlation), best)
        result.append(best)
    return np.concatenate(result)


def _normalised(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return maps of zero mean and unit sum of squares; the maps are not constant."""
    centred = maps - maps.mean(axis=(1, 2), keepdims=True)
    result: NDArray[np.float32] = centred / np.linalg.norm(centred, axis=(1, 2), keepdims=True)
    return result
