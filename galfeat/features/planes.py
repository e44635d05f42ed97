"""What the small network is shown of a galaxy: planes of its canonical views.

As a family they are pixels, for networks that are trained inside a fold: 20,480 columns, and
whether the galaxy is round.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import Column
from galfeat.frame import Flag, Frame
from galfeat.frame.views import VIEW_SIZE

#: The planes, in order. Equalised brightness knows no stretch; the light brings the colours.
PLANES = ("equalised aligned", "equalised context", "red", "green", "blue")
#: How many of them, from the first on, are equalised.
EQUALISED = 2
#: Equalised brightness is divided by its peak.
_PEAK = 30.0
#: The light is divided by this percentile of its mean over the bands, and cut to this range.
_PERCENTILE, _RANGE = 99.5, (-2.0, 4.0)
SHAPE = (len(PLANES), VIEW_SIZE, VIEW_SIZE)


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


def planes(frame: Frame) -> NDArray[np.float32]:
    """Return the planes of a galaxy, shape (5, 64, 64).

    Of a galaxy too round to have a position angle, those of its first turn.
    """
    aligned = frame.aligned[0]
    scale = max(float(np.percentile(aligned.light.mean(axis=0), _PERCENTILE)), 1.0)
    shown = np.empty(SHAPE, np.float32)
    shown[0] = aligned.equalised / _PEAK
    shown[1] = frame.context[0].equalised / _PEAK
    shown[2:] = np.clip(aligned.light / scale, *_RANGE)
    return shown


def mirrored(shown: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the planes as they are, mirrored either way, and turned by half, (4, 5, 64, 64).

    A galaxy in its own frame may still be mirrored or turned by half; what is the mean over
    all four does not depend on it.
    """
    across = shown[:, :, ::-1]
    return np.stack([shown, across, shown[:, ::-1], across[:, ::-1]])


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the planes, row by row, and whether the galaxy is round; shape (20481,)."""
    return np.append(planes(frame), np.float32(Flag.ROUND in frame.flags))
