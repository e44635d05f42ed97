"""The pixels of a disc about the centre of an image, row by row."""

from __future__ import annotations

import numpy as np

from galfeat.kernels import kernel


@kernel
def chord(radius: float, y: int, height: int, width: int) -> tuple[np.uint64, np.uint64]:
    """Return the first column of row `y` in the disc, and the column after the last.

    A pixel belongs to the disc if its centre does; without such pixels both are 0. They are
    unsigned because numba tests every signed index for negative values, pixel by pixel.
    """
    down, middle = y - 0.5 * (height - 1), 0.5 * (width - 1)
    reach = radius * radius - down * down
    if reach < 0.0:
        return np.uint64(0), np.uint64(0)
    half = np.sqrt(reach)
    first = max(int(np.ceil(middle - half)), 0)
    end = min(int(np.floor(middle + half)) + 1, width)
    return np.uint64(first), np.uint64(max(first, end))
