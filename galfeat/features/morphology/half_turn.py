"""A square cut-out of a galaxy and its half-turned copy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel


@kernel
def padded_box(
    image: NDArray[np.float32], mask: NDArray[np.bool_], y: int, x: int, half: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], bool]:
    """Return the square of ``2 half + 1`` pixels about (y, x), its weights, and if all are one.

    Pixels outside the image are zero with a weight of one, masked pixels zero with a weight of
    zero.
    """
    height, width = image.shape
    size = 2 * half + 1
    box = np.zeros((size, size), np.float32)
    seen = np.ones((size, size), np.float32)
    whole = True
    low, high = max(0, half - x), min(size, width - x + half)
    for j in range(max(0, half - y), min(size, height - y + half)):
        if high <= low:
            break
        row = image[y - half + j, x - half + low : x - half + high]
        hidden = mask[y - half + j, x - half + low : x - half + high]
        target, kept = box[j, low:high], seen[j, low:high]
        any_hidden = np.uint8(0)
        for i in range(high - low):
            target[i] = row[i]
            any_hidden |= np.uint8(hidden[i])
        if any_hidden:
            whole = False
            for i in range(high - low):
                known = np.float32(not hidden[i])
                target[i] = known * row[i]
                kept[i] = known
    return box, seen, whole


@kernel
def turned_copy(box: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the half-turned box."""
    size = box.shape[0]
    turned = np.empty_like(box)
    for y in range(size):
        row, target = box[size - 1 - y], turned[y]
        for x in range(size):
            target[x] = row[size - 1 - x]
    return turned


@kernel
def blended_copy(turned: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the means of 2×2 pixels of a turned box, each stored at its last pixel."""
    size = turned.shape[0]
    blend = np.zeros_like(turned)
    quarter = np.float32(0.25)
    for y in range(1, size):
        above, row, target = turned[y - 1], turned[y], blend[y]
        for x in range(1, size):
            target[x] = quarter * (above[x - 1] + above[x] + row[x - 1] + row[x])
    return blend
