"""The two-dimensional Sérsic model with its derivatives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Number of parameters.
SIZE = 7
#: Pixels closer to the centre than these are divided into squares of this many subpixels.
_NEAR, _NEAR_PARTS = 1.5, 15
_FAR, _FAR_PARTS = 6.0, 3


@kernel
def _parts(distance: float, oversample: bool) -> int:
    """Return the number of subpixels along a side of a pixel."""
    if not oversample or distance >= _FAR:
        return 1
    return _NEAR_PARTS if distance < _NEAR else _FAR_PARTS


@kernel
def _shape_terms(e1: float, e2: float) -> tuple[float, float, float, float, float]:
    """Return ellipticity and the coefficients h, k of the squared radius, and their derivatives.

    The squared radius is ``(1 + h) r² - k (e1 (dx² - dy²) + 2 e2 dx dy)``.
    """
    e = np.hypot(e1, e2)
    q = 1.0 - e
    h, dh = 0.5 * (1.0 / (q * q) - 1.0), 1.0 / (q * q * q)
    if e < 1e-4:
        return e, h, 1.0 + 1.5 * e, dh, 1.5 + 4.0 * e
    k = h / e
    return e, h, k, dh, (dh - k) / e


@kernel
def sersic_row(
    target: NDArray[np.floating],
    y: int,
    parameters: NDArray[np.float64],
    b: float,
    db: float,
    oversample: bool,
) -> None:
    """Write the model and its derivatives along a row of pixels, shape (8, width).

    Parameters
    ----------
    parameters : ndarray of float64, shape (7,)
        Brightness at the half-light ellipse, logarithms of its semi-major axis and of the Sérsic
        index, column and row of the centre, and the ellipticity times the cosine and the sine of
        twice the position angle.
    b, db : float
        The model's constant for half of the light, and its derivative to the index.
    oversample : bool
        Whether to integrate pixels near the centre instead of sampling their middles.
    """
    amplitude, index = parameters[0], np.exp(parameters[2])
    e1, e2 = parameters[5], parameters[6]
    e, h, k, dh, dk = _shape_terms(e1, e2)
    over = 1.0 / max(e, 1e-12)
    power = 0.5 / index
    offset = 2.0 * parameters[1]
    dy0 = y - parameters[4]
    near = oversample and abs(dy0) < _FAR
    for x in range(target.shape[1]):
        dx0 = x - parameters[3]
        parts = _parts(np.hypot(dx0, dy0), oversample) if near else 1
        share = 1.0 / (parts * parts)
        v0, v1, v2, v3, v4, v5, v6, v7 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(parts):
            dy = dy0 + (j + 0.5) / parts - 0.5
            for i in range(parts):
                dx = dx0 + (i + 0.5) / parts - 0.5
                r2, m1, m2 = dx * dx + dy * dy, dx * dx - dy * dy, 2.0 * dx * dy
                along = e1 * m1 + e2 * m2
                square = max((1.0 + h) * r2 - k * along, 1e-12)
                log_square = np.log(square) - offset
                t = np.exp(power * log_square)
                profile = share * np.exp(-b * (t - 1.0))
                value = amplitude * profile
                # The derivative to the logarithm of the squared radius.
                slope = -value * b * t * power
                v0 += value
                v1 += profile
                v2 -= 2.0 * slope
                v3 -= index * value * db * (t - 1.0) + slope * log_square
                slope /= square
                v4 -= 2.0 * slope * ((1.0 + h) * dx - k * (e1 * dx + e2 * dy))
                v5 -= 2.0 * slope * ((1.0 + h) * dy - k * (e2 * dx - e1 * dy))
                change = (dh * r2 - dk * along) * over
                v6 += slope * (change * e1 - k * m1)
                v7 += slope * (change * e2 - k * m2)
        target[0, x], target[1, x], target[2, x], target[3, x] = v0, v1, v2, v3
        target[4, x], target[5, x], target[6, x], target[7, x] = v4, v5, v6, v7


@kernel
def sersic_stack(
    height: int,
    width: int,
    parameters: NDArray[np.float64],
    b: float,
    db: float,
    oversample: bool,
) -> NDArray[np.float32]:
    """Return the model and its derivatives, shape (8, height, width); see `sersic_row`."""
    stack = np.empty((SIZE + 1, height, width), np.float32)
    row = np.empty((SIZE + 1, width), np.float64)
    for y in range(height):
        sersic_row(row, y, parameters, b, db, oversample)
        for k in range(SIZE + 1):
            source, target = row[k], stack[k, y]
            for x in range(width):
                target[x] = np.float32(source[x])
    return stack


@kernel
def _add_products(
    result: NDArray[np.float64],
    row: NDArray[np.float64],
    light: NDArray[np.float32],
    weight: NDArray[np.float32],
) -> None:
    """Add a row of pixels to the normal equations."""
    width = light.size
    first = row[0]
    for x in range(width):
        first[x] = np.float64(light[x]) - first[x]
    for k in range(SIZE + 1):
        line = row[k]
        for x in range(width):
            line[x] *= np.float64(weight[x])
    for i in range(SIZE + 1):
        one = row[i]
        for j in range(i, SIZE + 1):
            two = row[j]
            total = 0.0
            for x in range(width):
                total += one[x] * two[x]
            result[i, j] += total


@kernel
def plain_equations(
    light: NDArray[np.float32],
    weight: NDArray[np.float32],
    parameters: NDArray[np.float64],
    b: float,
    db: float,
    oversample: bool,
) -> NDArray[np.float64]:
    """Return the upper half of the normal equations of a fit without PSF, shape (8, 8).

    Row 0 belongs to the residual: its first element is chi squared.

    Parameters
    ----------
    light, weight : ndarray of float32, shape (H, W)
        The image and the inverse standard deviation of each pixel, zero to ignore it.
    parameters, b, db, oversample
        See `sersic_row`.
    """
    result = np.zeros((SIZE + 1, SIZE + 1))
    row = np.empty((SIZE + 1, light.shape[1]), np.float64)
    for y in range(light.shape[0]):
        sersic_row(row, y, parameters, b, db, oversample)
        _add_products(result, row, light[y], weight[y])
    return result


@kernel
def stacked_equations(
    light: NDArray[np.float32], weight: NDArray[np.float32], stack: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return those of a convolved model, shape (8, 8); see `plain_equations`."""
    result = np.zeros((SIZE + 1, SIZE + 1))
    row = np.empty((SIZE + 1, light.shape[1]), np.float64)
    for y in range(light.shape[0]):
        for k in range(SIZE + 1):
            source, target = stack[k, y], row[k]
            for x in range(row.shape[1]):
                target[x] = np.float64(source[x])
        _add_products(result, row, light[y], weight[y])
    return result
