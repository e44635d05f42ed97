"""A view in polar coordinates: samples on circles and their Fourier coefficients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Samples on each circle.
ANGLES = 64
#: Azimuthal orders from 1.
ORDERS = 6

_TURN = 2.0 * np.pi * np.arange(ANGLES) / ANGLES
_COSINES = np.cos(np.outer(np.arange(ORDERS + 1), _TURN)).astype(np.float32)
_SINES = np.sin(np.outer(np.arange(ORDERS + 1), _TURN)).astype(np.float32)


@kernel
def circles(image: NDArray[np.float32], radii: NDArray[np.float64]) -> NDArray[np.float32]:
    """Sample an image on circles around its middle, shape (number of radii, 64).

    Parameters
    ----------
    image : ndarray of float32, shape (n, n)
    radii : ndarray of float64
        In pixels. Angles run evenly from x towards rising rows. What lies outside the
        image is taken from its edge.
    """
    height, width = image.shape
    yc, xc = 0.5 * (height - 1), 0.5 * (width - 1)
    samples = np.empty((radii.size, ANGLES), np.float32)
    for i in range(radii.size):
        for j in range(ANGLES):
            y = min(max(yc + radii[i] * _SINES[1, j], 0.0), height - 1.001)
            x = min(max(xc + radii[i] * _COSINES[1, j], 0.0), width - 1.001)
            y0, x0 = int(y), int(x)
            fy, fx = np.float32(y - y0), np.float32(x - x0)
            upper = image[y0, x0] + fx * (image[y0, x0 + 1] - image[y0, x0])
            lower = image[y0 + 1, x0] + fx * (image[y0 + 1, x0 + 1] - image[y0 + 1, x0])
            samples[i, j] = upper + fy * (lower - upper)
    return samples


@kernel
def contrast(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each circle's departure from its mean over the mean; zero without light."""
    result = np.zeros(samples.shape, np.float32)
    for i in range(samples.shape[0]):
        mean = samples[i].mean()
        if mean > 0.0:
            for j in range(samples.shape[1]):
                result[i, j] = (samples[i, j] - mean) / mean
    return result


@kernel
def transform(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the Fourier coefficients of each circle, shape (n, 7, 2): cosine and sine parts.

    Order 0 is the mean; orders m from 1 to 6 are means of the samples times cos(m theta) and
    sin(m theta), so a wave a cos(m theta - p) has the parts a / 2 cos(p) and a / 2 sin(p).
    """
    number = samples.shape[0]
    parts = np.zeros((number, ORDERS + 1, 2), np.float64)
    for i in range(number):
        row = samples[i]
        for m in range(ORDERS + 1):
            a, b = np.float32(0.0), np.float32(0.0)
            for j in range(ANGLES):
                a += row[j] * _COSINES[m, j]
                b += row[j] * _SINES[m, j]
            parts[i, m, 0], parts[i, m, 1] = a / ANGLES, b / ANGLES
    return parts
