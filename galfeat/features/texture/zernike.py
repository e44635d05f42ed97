"""Zernike moments: expansion of an image on a disc in orthogonal polynomials (Teague 1980)."""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Highest order of the polynomials.
ORDER = 8
#: Order and repetition of each moment.
MOMENTS = tuple((n, m) for n in range(ORDER + 1) for m in range(n % 2, n + 1, 2))


def _coefficients() -> NDArray[np.float64]:
    """Return the polynomials in powers of y and x, shape (25, real and imaginary, 9, 9)."""
    coefficients = np.zeros((len(MOMENTS), 2, ORDER + 1, ORDER + 1))
    for row, (n, m) in enumerate(MOMENTS):
        # (x + i y)^m times the powers of x² + y² of the radial polynomial.
        winding = {(0, 0): 1 + 0j}
        for _ in range(m):
            winding = _times(winding, {(0, 1): 1 + 0j, (1, 0): 1j})
        for k in range((n - m) // 2 + 1):
            radial = (
                (-1) ** k
                * factorial(n - k)
                / (factorial(k) * factorial((n + m) // 2 - k) * factorial((n - m) // 2 - k))
            )
            term = winding
            for _ in range((n - m) // 2 - k):
                term = _times(term, {(0, 2): 1 + 0j, (2, 0): 1 + 0j})
            for (q, p), c in term.items():
                coefficients[row, 0, q, p] += radial * c.real
                coefficients[row, 1, q, p] += radial * c.imag
        coefficients[row] *= (n + 1) / np.pi
    return coefficients


def _times(
    a: dict[tuple[int, int], complex], b: dict[tuple[int, int], complex]
) -> dict[tuple[int, int], complex]:
    product: dict[tuple[int, int], complex] = {}
    for (qa, pa), ca in a.items():
        for (qb, pb), cb in b.items():
            key = (qa + qb, pa + pb)
            product[key] = product.get(key, 0j) + ca * cb
    return product


_COEFFICIENTS = _coefficients()


@kernel
def zernike_moments(
    image: NDArray[np.float32], radius: float, yc: float, xc: float
) -> NDArray[np.float64]:
    """Return the magnitudes of the Zernike moments up to order 8 on a disc.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
        Pixels that are not positive are ignored.
    radius : float
        Radius of the disc, in pixels; a pixel belongs to it if its centre does.
    yc, xc : float
        Centre of the disc, in pixels.

    Returns
    -------
    ndarray of float64, shape (25,)
        In the order of `MOMENTS`, for the image scaled to a sum of one; 0 to about 3. They are
        invariant when the image is rotated or mirrored about the centre. The first is always
        1 / pi. Zeros if no pixel in the disc is positive.

    References
    ----------
    Teague 1980, J. Opt. Soc. Am. 70, 920.
    """
    height, width = image.shape
    powers = np.ones((ORDER + 1, width), np.float64)
    for x in range(width):
        for p in range(1, ORDER + 1):
            powers[p, x] = powers[p - 1, x] * ((x - xc) / radius)
    moments = np.zeros((ORDER + 1, ORDER + 1), np.float64)
    line = np.zeros(width, np.float64)
    for y in range(height):
        reach = radius * radius - (y - yc) * (y - yc)
        if reach < 0.0:
            continue
        for x in range(width):
            inside = ((x - xc) * (x - xc) <= reach) & (image[y, x] > 0.0)
            line[x] = image[y, x] if inside else 0.0
        v = (y - yc) / radius
        for p in range(ORDER + 1):
            total = 0.0
            for x in range(width):
                total += powers[p, x] * line[x]
            for q in range(ORDER + 1 - p):
                moments[q, p] += total
                total *= v
    result = np.zeros(len(MOMENTS), np.float64)
    if moments[0, 0] <= 0.0:
        return result
    for k in range(len(MOMENTS)):
        real, imaginary = 0.0, 0.0
        for q in range(ORDER + 1):
            for p in range(ORDER + 1 - q):
                real += _COEFFICIENTS[k, 0, q, p] * moments[q, p]
                imaginary += _COEFFICIENTS[k, 1, q, p] * moments[q, p]
        result[k] = np.sqrt(real * real + imaginary * imaginary) / moments[0, 0]
    return result
