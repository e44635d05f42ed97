"""Grey-level co-occurrence: which levels stand beside which (Haralick et al. 1973)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: What is said of a co-occurrence matrix.
PROPERTIES = ("contrast", "correlation", "energy", "homogeneity", "entropy")


@kernel
def cooccurrence(levels: NDArray[np.uint8], number: int, distance: int) -> NDArray[np.int64]:
    """Count the pairs of levels of pixels a distance apart, at 0, 45, 90 and 135 degrees.

    Parameters
    ----------
    levels : ndarray of uint8, shape (H, W)
        Pixels of level `number` and above are left out.
    number : int
        How many levels there are.
    distance : int
        In pixels; on the diagonals the nearest whole number of pixels along each axis.

    Returns
    -------
    ndarray of int64, shape (4, number, number)
        Symmetric: each pair is counted forth and back.
    """
    height, width = levels.shape
    slant = int(np.round(distance * np.sqrt(0.5)))
    # One level more gathers what is left out between the first pixel of a row and the last,
    # so that the loop has no branch.
    own = np.empty((height, width), np.int32)
    first, end = np.full(height, width), np.zeros(height, np.int64)
    for y in range(height):
        row, line = levels[y], own[y]
        for x in range(width):
            line[x] = min(row[x], number)
        low, high = 0, width
        while low < width and line[low] == number:
            low += 1
        while high > low and line[high - 1] == number:
            high -= 1
        first[y], end[y] = low, high
    side = number + 1
    pairs = np.zeros((4, side * side), np.int64)
    for k in range(4):
        dy, dx = ((0, distance), (slant, slant), (distance, 0), (slant, -slant))[k]
        counted = pairs[k]
        for y in range(height - dy):
            row, other = own[y], own[y + dy]
            low, high = max(first[y], first[y + dy] - dx), min(end[y], end[y + dy] - dx)
            for x in range(low, high):
                counted[row[x] * side + other[x + dx]] += 1
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
        Contrast, 0 to (number - 1)²; correlation, -1 to 1; energy, the root of the angular
        second moment, 0 to 1; homogeneity, 0 to 1; entropy in nats. A flat image has 0, 1, 1,
        1 and 0; without any pair it is 0, 1, 0, 0 and 0.

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
        # In whole numbers, so that a flat image has exactly none.
        variance = total * square - mean * mean
        result[1] += (total * product - mean * mean) / variance if variance > 0 else 1.0
        if total > 0:
            result[0] += contrast / total
            result[2] += np.sqrt(energy) / total
            result[3] += homogeneity / total
            result[4] += np.log(float(total)) - entropy / total
    return result / angles
