"""Equalised brightness: levels replaced by their rank in area, which no stretch changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.frame.views import VIEW_SIZE
from galfeat.kernels import kernel

#: Levels of the table that equalises brightness.
_LEVELS = 4096
#: Peak of the equalised profile, and its scale lengths out to the frame radius.
_PEAK, _SCALE_LENGTHS = 30.0, 3.0


@kernel
def equalising_table(
    light: NDArray[np.float32], q: float
) -> tuple[float, float, NDArray[np.float32]]:
    """Return the map from brightness to equalised brightness, derived from the aligned view.

    Parameters
    ----------
    light : ndarray of float32, shape (3, 64, 64)
        The aligned view.
    q : float
        The axis ratio of the ellipse whose pixels are ranked.

    Returns
    -------
    low, scale : float
        A brightness b has the level ``(b - low) * scale``, clipped to the table's range.
    table : ndarray of float32, shape (4096,)
        Equalised brightness by level, increasing.
    """
    middle = 0.5 * (VIEW_SIZE - 1)
    radius2 = (0.5 * VIEW_SIZE - 1.0) ** 2
    values = np.empty(VIEW_SIZE * VIEW_SIZE, np.float32)
    number = 0
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for row in range(VIEW_SIZE):
        v = (row - middle) / q
        for column in range(VIEW_SIZE):
            u = column - middle
            if u * u + v * v < radius2:
                value = light[0, row, column] + light[1, row, column] + light[2, row, column]
                low, high = min(low, value), max(high, value)
                values[number] = value
                number += 1
    scale = (_LEVELS - 1) / max(float(high) - float(low), 1e-3)
    counts = np.zeros(_LEVELS, np.int32)
    for i in range(number):
        counts[int((values[i] - low) * scale)] += 1
    table = np.empty(_LEVELS, np.float32)
    brighter = 0.0
    equal = np.float32(_PEAK)
    for level in range(_LEVELS - 1, -1, -1):
        if counts[level] > 0:
            share = (brighter + 0.5 * counts[level]) / number
            equal = np.float32(_PEAK * np.exp(-_SCALE_LENGTHS * np.sqrt(share)))
            brighter += counts[level]
        table[level] = equal
    return float(low), scale, table


@kernel
def equalise(
    light: NDArray[np.float32],
    low: float,
    scale: float,
    table: NDArray[np.float32],
    equalised: NDArray[np.float32],
) -> None:
    """Write a view's brightness with the stretch removed to `equalised`; see `View`."""
    for row in range(VIEW_SIZE):
        for column in range(VIEW_SIZE):
            brightness = light[0, row, column] + light[1, row, column] + light[2, row, column]
            level = int((brightness - low) * scale)
            equalised[row, column] = table[min(max(level, 0), _LEVELS - 1)]


@kernel
def elliptical_model(q: float, turn: float) -> NDArray[np.float32]:
    """Return the equalised view of a galaxy with elliptical isophotes.

    Subtracted from an equalised view, it leaves the departures from ellipses.

    Parameters
    ----------
    q : float
        The axis ratio passed to `equalising_table`, or 1 for a deprojected view.
    turn : float
        Rotation of the view from the major axis, in radians.

    Returns
    -------
    ndarray of float32, shape (64, 64)
    """
    model = np.empty((VIEW_SIZE, VIEW_SIZE), np.float32)
    last = VIEW_SIZE - 1
    middle, outermost = 0.5 * last, 0.5 * VIEW_SIZE - 1.0
    c, s = np.cos(turn), np.sin(turn)
    for row in range(VIEW_SIZE // 2):
        for column in range(VIEW_SIZE):
            y, x = row - middle, column - middle
            along, across = x * c - y * s, (x * s + y * c) / q
            share = min(np.sqrt(along * along + across * across) / outermost, 1.0)
            value = np.float32(_PEAK * np.exp(-_SCALE_LENGTHS * share))
            model[row, column] = value
            model[last - row, last - column] = value
    return model
