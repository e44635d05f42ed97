"""Detect light above the sky, estimate its noise, and choose the galaxy among the objects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.frame.deblend import AREA, FLUX, NEIGHBOUR, PASS, PEAK, PEAK_X, PEAK_Y
from galfeat.kernels import kernel

#: Detection threshold above the sky, in units of the noise of the smoothed image ...
DETECTION = 3.0
#: ... and its minimum in counts, below which 8-bit and JPEG artefacts dominate.
FAINTEST = 1.5


@kernel
def grey_above_sky(rgb: NDArray[np.uint8], sky: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the mean of the channels above the sky, shape (H, W), in counts."""
    height, width, _ = rgb.shape
    grey = np.empty((height, width), np.float32)
    level = np.float32((sky[0, 0] + sky[0, 1] + sky[0, 2]) / 3.0)
    third = np.float32(1.0 / 3.0)
    for y in range(height):
        row = rgb[y].reshape(-1)
        for x in range(width):
            total = np.int32(row[3 * x]) + np.int32(row[3 * x + 1]) + np.int32(row[3 * x + 2])
            grey[y, x] = np.float32(total) * third - level
    return grey


@kernel
def smooth(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smooth with a binomial kernel of sigma = 1.4 px; edge pixels are repeated."""
    height, width = image.shape
    last = height - 1
    result = np.empty((height, width), np.float32)
    padded = np.empty(width + 8, np.float32)
    line = padded[4 : width + 4]
    norm = np.float32(1.0 / 256.0)
    w0, w1, w2, w3 = (
        np.float32(70.0) * norm,
        np.float32(56.0) * norm,
        np.float32(28.0) * norm,
        np.float32(8.0) * norm,
    )
    for y in range(height):
        a, b = image[max(y - 4, 0)], image[max(y - 3, 0)]
        c, d, e = image[max(y - 2, 0)], image[max(y - 1, 0)], image[y]
        f, g = image[min(y + 1, last)], image[min(y + 2, last)]
        h, i = image[min(y + 3, last)], image[min(y + 4, last)]
        for x in range(width):
            near = w0 * e[x] + w1 * (d[x] + f[x]) + w2 * (c[x] + g[x])
            line[x] = near + w3 * (b[x] + h[x]) + norm * (a[x] + i[x])
        padded[:4], padded[width + 4 :] = line[0], line[width - 1]
        out = result[y]
        for x in range(width):
            near = (
                w0 * padded[x + 4]
                + w1 * (padded[x + 3] + padded[x + 5])
                + w2 * (padded[x + 2] + padded[x + 6])
            )
            far = w3 * (padded[x + 1] + padded[x + 7]) + norm * (padded[x] + padded[x + 8])
            out[x] = near + far
    return result


@kernel
def noise_of(smoothed: NDArray[np.float32]) -> float:
    """Return the noise of the smoothed image from the values below the sky, in counts.

    The root mean square of the negative values: light only adds, so they are noise.
    """
    flat = smoothed.reshape(-1)
    total = np.float32(0.0)
    number = np.float32(0.0)
    for i in range(flat.size):
        below = min(flat[i], np.float32(0.0))
        total += below * below
        number += np.float32(below < 0.0)
    return float(np.sqrt(total / max(number, np.float32(1.0))))


@kernel
def choose(
    labels: NDArray[np.uint8], objects: NDArray[np.float64], centre: tuple[float, float]
) -> int:
    """Return the row of the galaxy in the table of objects, or -1 if none is near the centre.

    The centre is that of the original image, padding included.

    An object's light is weighted down with the distance of its peak from the image's centre,
    on the scale of the object's own radius plus a few pixels: a galaxy's nucleus outranks a
    foreground star on its disc, and a large galaxy whose nucleus is slightly off-centre
    outranks a knot at the centre.
    """
    height, width = labels.shape
    cy, cx = centre
    reach = 0.2 * min(height, width)
    best, best_score = -1, 0.0
    for row in range(objects.shape[0]):
        distance = np.hypot(objects[row, PEAK_Y] - cy, objects[row, PEAK_X] - cx)
        radius = np.sqrt(objects[row, AREA] / np.pi)
        if distance > reach + radius:
            continue
        scale = 0.35 * radius + 4.0
        score = objects[row, FLUX] * np.exp(-0.5 * (distance / scale) ** 2)
        if score > best_score:
            best, best_score = row, score
    return best


@kernel
def is_blended(objects: NDArray[np.float64], galaxy: int, radius: float) -> bool:
    """Return whether an object with at least a fifth of the galaxy's light touches it.

    Its peak must be within `radius` of the galaxy's, and the pass between them at least a
    fifth as bright as the galaxy's peak.
    """
    own = objects[galaxy]
    for row in range(objects.shape[0]):
        other = objects[row]
        touching = other[NEIGHBOUR] == galaxy or own[NEIGHBOUR] == row
        near = np.hypot(other[PEAK_Y] - own[PEAK_Y], other[PEAK_X] - own[PEAK_X]) < radius
        bright = other[FLUX] > 0.2 * own[FLUX] and other[PASS] > 0.2 * own[PEAK]
        if row != galaxy and touching and near and bright:
            return True
    return False


@kernel
def outside_fraction(
    shape: tuple[int, int], yc: float, xc: float, q: float, pa: float, radius: float
) -> float:
    """Return the fraction of an ellipse's area that is outside the image."""
    height, width = shape
    c, s = np.cos(pa), np.sin(pa)
    outside, number = 0, 0
    for i in range(-10, 11):
        for j in range(-10, 11):
            if i * i + j * j > 100:
                continue
            u, v = 0.1 * radius * i, 0.1 * radius * q * j
            y, x = yc + u * s + v * c, xc + u * c - v * s
            number += 1
            if y < -0.5 or x < -0.5 or y > height - 0.5 or x > width - 0.5:
                outside += 1
    return outside / number
