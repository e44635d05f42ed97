"""scikit-image's HOG of the whole grey image: the baseline of the plain pipelines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import Column
from galfeat.frame import Frame

#: Sides of the resized image and of a cell, in pixels.
SIDE, CELL = 128, 16
#: Number of cells per side of a block, and of orientations.
BLOCK, ORIENTATIONS = 2, 9

_BLOCKS = SIDE // CELL - BLOCK + 1

COLUMNS = tuple(
    Column(
        f"skimage-hog.b{i}x{j}.c{k}x{m}.o{o}", "1",
        f"HOG of block {i}, {j}, cell {k}, {m}, orientation {o}", "Dalal & Triggs 2005", False,
    )
    for i in range(_BLOCKS)
    for j in range(_BLOCKS)
    for k in range(BLOCK)
    for m in range(BLOCK)
    for o in range(ORIENTATIONS)
)  # fmt: skip


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return scikit-image's HOG of the original image, resized to 128×128 pixels."""
    from skimage.color import rgb2gray
    from skimage.feature import hog
    from skimage.transform import resize

    grey = resize(rgb2gray(frame.rgb), (SIDE, SIDE), anti_aliasing=True)
    vector = hog(grey, ORIENTATIONS, (CELL, CELL), (BLOCK, BLOCK), block_norm="L2-Hys")
    return np.asarray(vector, dtype=np.float32)
