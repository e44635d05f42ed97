"""Radial profiles: brightness, its scatter and colour in rings, and cuts along the axes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import Column
from galfeat.frame import Frame, View
from galfeat.kernels import kernel

#: Rings out to the frame radius.
RINGS = 16
#: Steps from the centre to the frame radius along an axis.
STEPS = 8
#: Brightness below this part of the mean within half the frame radius is not divided by.
_FLOOR = 0.1

_PER_RING = (
    ("brightness", "equalised brightness over its mean within half the frame radius"),
    ("scatter", "standard deviation of the equalised brightness around the ring, over its mean"),
    ("red_green", "difference of the red and the green light over the mean of the channels"),
    ("green_blue", "difference of the green and the blue light over the mean of the channels"),
    ("colour_scatter", "standard deviation of red minus blue around the ring, over the mean"),
)
_PER_STEP = (
    ("major", "equalised brightness on the major axis, over the mean"),
    ("minor", "equalised brightness on the minor axis, over the mean"),
    ("height", "mean distance of the light from the major axis at this distance along it"),
    ("width", "mean distance of the light from the minor axis at this distance along it"),
)

COLUMNS = tuple(
    Column(
        f"radial.{name}.r{ring}", "1", f"{meaning}, in elliptical ring {ring} of {RINGS}", "galfeat"
    )
    for name, meaning in _PER_RING
    for ring in range(RINGS)
) + tuple(
    Column(
        f"radial.{name}.x{step}",
        "1" if name in ("major", "minor") else "frame radii",
        f"{meaning}, in step {step} of {STEPS}",
        "galfeat",
    )
    for name, meaning in _PER_STEP
    for step in range(STEPS)
)


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`; a mean over turns for a round galaxy."""
    q = max(frame.q, 1.0 / 3.0)  # as far as the deprojected view stretches
    rings = ring_profiles(frame.aligned[0].light, frame.aligned[0].equalised, q)
    cuts = np.mean([_cuts(view) for view in frame.aligned], axis=0, dtype=np.float32)
    return np.concatenate([rings.ravel(), cuts.ravel()])


def _cuts(view: View) -> NDArray[np.float32]:
    cuts: NDArray[np.float32] = axis_cuts(view.equalised)
    return cuts


@kernel
def ring_profiles(
    light: NDArray[np.float32], equalised: NDArray[np.float32], q: float
) -> NDArray[np.float32]:
    """Return profiles in elliptical rings of the aligned view, shape (5, 16).

    Parameters
    ----------
    light : ndarray of float32, shape (3, n, n)
        Red, green and blue above the sky.
    equalised : ndarray of float32, shape (n, n)
        Equalised brightness.
    q : float
        Axis ratio of the rings.

    Returns
    -------
    ndarray of float32
        The five profiles named in the registry, from the centre outwards. Zero in a ring
        without pixels, and colours are zero where there is no light to divide by.
    """
    size = equalised.shape[0]
    middle = 0.5 * (size - 1)
    sums = np.zeros((RINGS, 7), np.float64)
    for y in range(size):
        v = (y - middle) / q
        for x in range(size):
            u = x - middle
            ring = int(np.sqrt(u * u + v * v) * (2.0 * RINGS / size))
            if ring < RINGS:
                red, green, blue = light[0, y, x], light[1, y, x], light[2, y, x]
                brightness = equalised[y, x]
                row = sums[ring]
                row[0] += 1.0
                row[1] += brightness
                row[2] += brightness * brightness
                row[3] += red
                row[4] += green
                row[5] += blue
                row[6] += (red - blue) * (red - blue)
    inner, number, counts = 0.0, 0.0, 0.0
    for ring in range(RINGS // 2):
        inner += sums[ring, 1]
        number += sums[ring, 0]
        counts += sums[ring, 3] + sums[ring, 4] + sums[ring, 5]
    scale = max(inner / number, 1e-6)
    floor = max(_FLOOR * counts / (3.0 * number), 1e-6)
    result = np.zeros((5, RINGS), np.float32)
    for ring in range(RINGS):
        row = sums[ring]
        pixels = max(row[0], 1.0)
        mean = row[1] / pixels
        grey = max((row[3] + row[4] + row[5]) / (3.0 * pixels), floor)
        difference = (row[3] - row[5]) / pixels
        result[0, ring] = mean / scale
        result[1, ring] = np.sqrt(max(row[2] / pixels - mean * mean, 0.0)) / max(mean, 0.05 * scale)
        result[2, ring] = (row[3] - row[4]) / pixels / grey
        result[3, ring] = (row[4] - row[5]) / pixels / grey
        result[4, ring] = np.sqrt(max(row[6] / pixels - difference * difference, 0.0)) / grey
    return result


@kernel
def axis_cuts(equalised: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return cuts along the axes of an aligned view, folded about both, shape (4, 8).

    Edge-on discs with and without a bulge differ in the height of the light over the disc.
    """
    size = equalised.shape[0]
    middle = 0.5 * (size - 1)
    wide = size // (2 * STEPS)
    sums = np.zeros((STEPS, 6), np.float64)
    total = 0.0
    for y in range(size):
        v = abs(y - middle)
        row = sums[int(v) // wide]
        for x in range(size):
            u = abs(x - middle)
            column = sums[int(u) // wide]
            brightness = equalised[y, x]
            total += brightness
            if v < 2.0:
                column[0] += brightness
            if u < 2.0:
                row[1] += brightness
            column[2] += brightness
            column[3] += brightness * v
            row[4] += brightness
            row[5] += brightness * u
    mean = max(total / (size * size), 1e-6)
    result = np.zeros((4, STEPS), np.float32)
    for step in range(STEPS):
        row = sums[step]
        result[0, step] = row[0] / (8 * wide) / mean
        result[1, step] = row[1] / (8 * wide) / mean
        result[2, step] = row[3] / max(row[2], 1e-6) / (0.5 * size)
        result[3, step] = row[5] / max(row[4], 1e-6) / (0.5 * size)
    return result
