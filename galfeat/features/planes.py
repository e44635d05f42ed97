"""Planes of the canonical views: the input of the small network.

As a feature family they are pixels, for networks trained inside a fold: 20,480 columns, and
whether the galaxy is round.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import Column
from galfeat.frame import Flag, Frame
from galfeat.frame.views import VIEW_SIZE

#: The planes, in order. Equalised brightness is free of the stretch; the light adds the colours.
PLANES = ("equalised aligned", "equalised context", "red", "green", "blue")
#: Number of equalised planes, the first ones.
EQUALISED = 2
#: Equalised brightness is divided by its peak.
_PEAK = 30.0
#: The light is divided by this percentile of its mean over the bands, and clipped to this range.
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
    Column(
        "planes.round", "1", "1 if the galaxy has no position angle, else 0", "galfeat", False
    ),
)  # fmt: skip


def planes(frame: Frame) -> NDArray[np.float32]:
    """Return the planes of a galaxy, shape (5, 64, 64).

    For a galaxy too round to have a position angle, those of the first rotation.
    """
    aligned = frame.aligned[0]
    scale = max(float(np.percentile(aligned.light.mean(axis=0), _PERCENTILE)), 1.0)
    result = np.empty(SHAPE, np.float32)
    result[0] = aligned.equalised / _PEAK
    result[1] = frame.context[0].equalised / _PEAK
    result[2:] = np.clip(aligned.light / scale, *_RANGE)
    return result


def mirrored(original: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the planes unchanged, mirrored along either axis, and half-turned, (4, 5, 64, 64).

    The canonical frame is ambiguous by mirroring and half-turns; a mean over all four is not.
    """
    across = original[:, :, ::-1]
    return np.stack([original, across, original[:, ::-1], across[:, ::-1]])


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the planes, row by row, and whether the galaxy is round; shape (20481,)."""
    return np.append(planes(frame), np.float32(Flag.ROUND in frame.flags))


class PlanesTable:
    """The columns of this family as planes, converted when they are read.

    Parameters
    ----------
    table : ndarray of float32, shape (n, 20481)
        NaN, where no galaxy was found, counts as 0.
    """

    def __init__(self, table: NDArray[np.float32]) -> None:
        self._table = table

    def __len__(self) -> int:
        """Return the number of galaxies."""
        return len(self._table)

    def __getitem__(self, rows: int | slice | NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the planes of rows, shape (5, 64, 64) or (m, 5, 64, 64)."""
        values = np.nan_to_num(self._table[rows, :-1])
        return values.reshape(*values.shape[:-1], *SHAPE)

    def is_round(self) -> NDArray[np.bool_]:
        """Return whether each galaxy is round, shape (n,)."""
        return np.asarray(self._table[:, -1] > 0)
