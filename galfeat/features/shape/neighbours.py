"""Other objects in the image: companions, stars and second nuclei."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import Column
from galfeat.frame.deblend import (
    AREA,
    FLUX,
    NEIGHBOUR,
    PASS,
    PEAK,
    PEAK_X,
    PEAK_Y,
    SHARPNESS,
)
from galfeat.kernels import kernel

#: Bounds of the three zones around the galaxy, in frame radii.
ZONES = (0.7, 1.5, 3.0)

_BETWEEN = ("within 0.7", "between 0.7 and 1.5", "between 1.5 and 3")

NEIGHBOUR_COLUMNS = (
    *(
        Column(f"shape.neighbours.number.z{z}", "1", f"objects {where} frame radii", "galfeat")
        for z, where in enumerate(_BETWEEN)
    ),
    *(
        Column(
            f"shape.neighbours.light.z{z}", "1",
            f"light of objects {where} frame radii over the galaxy's", "galfeat",
        )
        for z, where in enumerate(_BETWEEN)
    ),
    Column("shape.companion.light", "1", "main companion's light over the galaxy's", "galfeat"),
    Column(
        "shape.companion.distance", "frame radii", "distance of the main companion; 9 for none",
        "galfeat",
    ),
    Column("shape.companion.peak", "1", "main companion's peak over the galaxy's", "galfeat"),
    Column(
        "shape.companion.extent", "1", "main companion's brightness 3 px from its peak over the "
        "peak", "galfeat",
    ),
    Column(
        "shape.companion.bridge", "1", "pass between galaxy and main companion over the lower peak",
        "galfeat",
    ),
    Column(
        "shape.extent", "1", "galaxy's brightness 3 px from its peak over the peak", "galfeat"
    ),
    Column("shape.bridge", "1", "highest pass to another object over the peak", "galfeat"),
    Column("shape.filling", "1", "area of the galaxy over that of its frame's circle", "galfeat"),
)  # fmt: skip


@kernel
def neighbours(
    objects: NDArray[np.float64],
    galaxy: int,
    yc: float,
    xc: float,
    radius: float,
) -> NDArray[np.float64]:
    """Return the values of `NEIGHBOUR_COLUMNS`, shape (14,).

    The main companion is the object with the most light relative to its distance; objects that
    touch the galaxy are weighted threefold, star-like objects less.

    Parameters
    ----------
    objects : ndarray of float64, shape (n, 12)
        The objects in the image; see `galfeat.frame.deblend`.
    galaxy : int
        The galaxy's row; negative if no galaxy was detected, in which case there are no
        neighbours.
    yc, xc, radius : float
        Centre and frame radius, in pixels.
    """
    result = np.zeros(14, np.float64)
    chief, chief_score, chief_distance = -1, 0.0, 9.0
    result[7] = chief_distance
    if galaxy < 0:
        return result
    own = objects[galaxy]
    for row in range(objects.shape[0]):
        if row == galaxy:
            continue
        other = objects[row]
        distance = np.hypot(other[PEAK_Y] - yc, other[PEAK_X] - xc) / radius
        if distance >= ZONES[2]:
            continue
        ratio = other[FLUX] / max(own[FLUX], 1e-6)
        zone = 0 if distance < ZONES[0] else (1 if distance < ZONES[1] else 2)
        result[zone] += 1.0
        result[3 + zone] += ratio
        touching = other[NEIGHBOUR] == galaxy
        score = other[SHARPNESS] * ratio * (3.0 if touching else 1.0) / (0.3 + distance)
        if score > chief_score:
            chief, chief_score, chief_distance = row, score, distance
    result[7] = chief_distance
    if chief >= 0:
        other = objects[chief]
        result[6] = other[FLUX] / max(own[FLUX], 1e-6)
        result[8] = other[PEAK] / max(own[PEAK], 1e-6)
        result[9] = other[SHARPNESS]
        if other[NEIGHBOUR] == galaxy:
            result[10] = other[PASS] / max(min(other[PEAK], own[PEAK]), 1e-6)
    result[11] = own[SHARPNESS]
    result[12] = own[PASS] / max(own[PEAK], 1e-6)
    result[13] = own[AREA] / (np.pi * radius * radius)
    return result
