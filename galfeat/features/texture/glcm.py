"""Grey-level co-occurrence: frequencies of pairs of levels (Haralick et al. 1973)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Properties of a co-occurrence matrix.
PROPERTIES = ("contrast", "correlation", "energy", "homogeneity", "entropy")


@kernel
def cooccurrence(levels: NDArray[np.uint8], number: int, distance: int) -> NDArray[np.int64]:
    """Count the pairs of levels of pixels a distance apart, at 0, 45, 90 and 135 degrees.

    Parameters
    ----------
    levels : ndarray of uint8, shape (H, W)
        Pixels of level `number` and above are ignored.
    number : int
        Number of levels.
    distance : int
        In pixels; on the diagonals, rounded to whole pixels along each axis.

    Returns
    -------
    ndarray of int64, shape (4, number, number)
        Symmetric: each pair is counted in both orders.
    """
    height, width = levels.shape
    slant = int(np.round(distance * np.sqrt(0.5)))
    # An additional level, also in a margin, collects ignored pixels: the loop has no branches.
    side = np.uint64(number + 1)
    padded = np.full((height + distance, width + 2 * distance), np.uint64(number))
    # Each direction has its own counts, so that no increment waits for another.
    pairs = np.zeros((4, (number + 1) * (number + 1)), np.int32)
    apart, aslant, most = np.uint64(distance), np.uint64(slant), np.uint64(number)
    for y in range(height):
        for x in range(np.uint64(width)):
            padded[y, x + apart] = min(np.uint64(levels[y, x]), most)
    for y in range(height):
        first, end = distance, width + distance
        while first < end and padded[y, first] == most:
            first += 1
        while end > first and padded[y, end - 1] == most:
            end -= 1
        for x in range(np.uint64(first), np.uint64(end)):
            row = padded[y, x] * side
            pairs[0, row + padded[y, x + apart]] += 1
            pairs[1, row + padded[y + slant, x + aslant]] += 1
            pairs[2, row + padded[y + distance, x]] += 1
            pairs[3, row + padded[y + slant, x - aslant]] += 1
    counts = np.empty((4, number, number), np.int64)
    for k in range(4):
        for i in range(number):
            for j in range(number):
                counts[k, i, j] = pairs[k, i * side + j] + pairs[k, j * side + i]
    return counts


@kernel
def haralick(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the `PROPERTIES` of co-occurrence matrices, averaged over them.

    Parameters
    ----------
    counts : ndarray of int64, shape (angles, number, number)
        Symmetric; see `cooccurrence`.

    Returns
    -------
    ndarray of float64, shape (5,)
        Contrast, 0 to (number - 1)²; correlation, -1 to 1; energy, the square root of the
        angular second moment, 0 to 1; homogeneity, 0 to 1; entropy in nats. A flat image has
        0, 1, 1, 1 and 0; without any pairs, 0, 1, 0, 0 and 0 are returned.

    References
    ----------
    Haralick, Shanmugam & Dinstein 1973, IEEE Trans. Syst. Man Cybern. 3, 610.
    """
    angles, number, _ = counts.shape
    result = np.zeros(len(PROPERTIES), np.float64)
    for k in range(angles):
        total, contrast, homogeneity, mean, square, product = 0, 0, 0.0, 0, 0, 0
        energy, entropy = 0.0, 0.0
        for i in range(number):
            for j in range(i + 1):
                count = counts[k, i, j]
                if count == 0:
                    continue
                places = 1 if i == j else 2
                both = places * count
                total += both
                contrast += both * (i - j) * (i - j)
                homogeneity += both / (1.0 + (i - j) * (i - j))
                mean += count * (i + (j if i != j else 0))
                square += count * (i * i + (j * j if i != j else 0))
                product += both * i * j
                energy += float(both) * count
                entropy += both * np.log(float(count))
        # In integers, so that the variance of a flat image is exactly zero.
        variance = total * square - mean * mean
        result[1] += (total * product - mean * mean) / variance if variance > 0 else 1.0
        if total > 0:
            result[0] += contrast / total
            result[2] += np.sqrt(energy) / total
            result[3] += homogeneity / total
            result[4] += np.log(float(total)) - entropy / total
    return result / angles
