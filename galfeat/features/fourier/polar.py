"""Views in polar coordinates: samples on circles and their Fourier coefficients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Number of samples on each circle.
ANGLES = 64
#: Highest azimuthal order.
ORDERS = 6
#: Number of circles for amplitudes and phases, and for windings.
RADII = 16
#: Number of rings: amplitudes are averaged over two circles, phases over four.
RINGS, PHASE_RINGS = RADII // 2, RADII // 4
#: Number of orders for which windings are measured, and of windings from open to tight.
WINDING_ORDERS, WINDINGS = 4, 6

_TURN = 2.0 * np.pi * np.arange(ANGLES) / ANGLES
_COSINES = np.cos(np.outer(np.arange(ORDERS + 1), _TURN)).astype(np.float32)
_SINES = np.sin(np.outer(np.arange(ORDERS + 1), _TURN)).astype(np.float32)


def circles(image: NDArray[np.float32], radii: NDArray[np.float64]) -> NDArray[np.float32]:
    """Sample an image on circles around its centre, shape (number of radii, 64).

    Parameters
    ----------
    image : ndarray of float32, shape (n, n)
    radii : ndarray of float64
        In pixels. Angles are evenly spaced from x towards rising rows. Samples outside the
        image are clipped to its edge.
    """
    samples: NDArray[np.float32] = sampled(image, *circle_places(radii, image.shape[0]))
    return samples


def circle_places(
    radii: NDArray[np.float64], size: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the positions of the samples on circles in an image of a given side.

    They are the same in all views and computed once.

    Returns
    -------
    tuple of ndarray, shapes (number of radii, 64) and (number of radii, 64, 2)
        The flat index of the pixel above and to the left of a sample, and the fractional
        offsets of the sample downwards and to the right.
    """
    last = size - 1.001
    y = np.clip(0.5 * (size - 1) + np.outer(radii, _SINES[1].astype(np.float64)), 0.0, last)
    x = np.clip(0.5 * (size - 1) + np.outer(radii, _COSINES[1].astype(np.float64)), 0.0, last)
    row, column = y.astype(np.int32), x.astype(np.int32)
    parts = np.stack([y - row, x - column], axis=-1).astype(np.float32)
    return np.int32(size) * row + column, parts


@kernel
def sampled(
    image: NDArray[np.float32], pixels: NDArray[np.int32], parts: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return bilinear samples of an image at given positions (see `circle_places`)."""
    flat = image.reshape(-1)
    # Unsigned offsets need no test for negative indices.
    right, below = np.uint64(1), np.uint64(image.shape[1])
    samples = np.empty(pixels.shape, np.float32)
    for i in range(pixels.shape[0]):
        for j in range(ANGLES):
            k = np.uint64(pixels[i, j])
            n = k + below
            fy, fx = parts[i, j, 0], parts[i, j, 1]
            upper = flat[k] + fx * (flat[k + right] - flat[k])
            lower = flat[n] + fx * (flat[n + right] - flat[n])
            samples[i, j] = upper + fy * (lower - upper)
    return samples


@kernel
def contrast(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each circle's relative deviation from its mean; zero without light."""
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
    sin(m theta), so a wave a cos(m theta - p) has the coefficients a / 2 cos(p) and a / 2 sin(p).
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
