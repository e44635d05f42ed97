"""The pixels themselves, small: the plainest features of all, to which others are compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import Column
from galfeat.frame import Frame

#: The image is brought to this side.
SIDE = 32

COLUMNS = tuple(
    Column(f"pixels.y{y}x{x}.{channel}", "counts", f"{channel} at {y}, {x}", "galfeat", False)
    for y in range(SIDE)
    for x in range(SIDE)
    for channel in ("red", "green", "blue")
)  # fmt: skip


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the image as it came, brought to 32×32 pixels by Pillow's box filter."""
    from PIL import Image

    small = Image.fromarray(frame.rgb).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32).ravel()
