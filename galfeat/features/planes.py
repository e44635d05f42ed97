"""The planes that the small network is shown, for networks that are trained inside a fold.

They are pixels: 20,480 columns, and whether the galaxy is round.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.embedding.views import PLANES, planes
from galfeat.features.registry import Column
from galfeat.frame import Flag, Frame
from galfeat.frame.views import VIEW_SIZE

COLUMNS = (
    *(
        Column(
            f"planes.p{plane}y{y}x{x}", "1", f"pixel {y}, {x} of plane {plane}", "galfeat",
            invariant=False,
        )
        for plane in range(len(PLANES))
        for y in range(VIEW_SIZE)
        for x in range(VIEW_SIZE)
    ),
    Column("planes.round", "1", "1 if it has no position angle, else 0", "galfeat", False),
)  # fmt: skip


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the planes, row by row, and whether the galaxy is round; shape (20481,)."""
    return np.append(planes(frame), np.float32(Flag.ROUND in frame.flags))
