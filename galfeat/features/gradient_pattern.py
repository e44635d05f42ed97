"""Gradient pattern analysis: how much of the gradient field has no partner opposite."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel


@kernel
def gradient_pattern_asymmetry(
    image: NDArray[np.float32], radius: float, modulus_tolerance: float, phase_tolerance: float
) -> float:
    """Return the second gradient moment G2 of an image about its middle.

    The gradient at a pixel is symmetric if it is the reverse of the one opposite the middle,
    or too small to tell. The others are counted, and how far they cancel:
    G2 = V_A / V (2 - abs(sum v) / sum abs(v)), the sums over the V_A asymmetric ones.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
    radius : float
        Of the disc whose V pixels are looked at, in pixels; the outermost rows and columns
        of the image, which have no central differences, are left out.
    modulus_tolerance : float
        Differences in modulus, and moduli, up to this part of the largest are none.
    phase_tolerance : float
        Differences in direction up to this many radians are none.

    Returns
    -------
    float
        0 for a field that is its own reverse or has no gradients, 2 if all gradients are
        asymmetric and cancel.

    References
    ----------
    Rosa et al. 2018, MNRAS 477, L101.
    """
    height, width = image.shape
    yc, xc = 0.5 * (height - 1), 0.5 * (width - 1)
    down = np.zeros((height, width), np.float32)
    across = np.zeros((height, width), np.float32)
    modulus = np.full((height, width), np.float32(-1.0))
    largest = np.float32(0.0)
    for y in range(1, height - 1):
        reach = radius * radius - (y - yc) * (y - yc)
        row, upper, lower = image[y], image[y - 1], image[y + 1]
        for x in range(1, width - 1):
            if (x - xc) * (x - xc) <= reach:
                gx, gy = row[x + 1] - row[x - 1], lower[x] - upper[x]
                across[y, x], down[y, x] = gx, gy
                modulus[y, x] = np.sqrt(gx * gx + gy * gy)
                largest = max(largest, modulus[y, x])
    least = np.float32(modulus_tolerance * largest)
    cosine = np.float32(np.cos(phase_tolerance))
    vectors, asymmetric = 0, 0
    sum_x, sum_y, sum_modulus = 0.0, 0.0, 0.0
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            own = modulus[y, x]
            if own < 0.0:
                continue
            vectors += 1
            if own <= least:
                continue
            j, i = height - 1 - y, width - 1 - x
            other = modulus[j, i]
            reverse = -(across[y, x] * across[j, i] + down[y, x] * down[j, i])
            if abs(own - other) <= least and reverse >= cosine * own * other:
                continue
            asymmetric += 1
            sum_x += across[y, x]
            sum_y += down[y, x]
            sum_modulus += own
    if asymmetric == 0:
        return 0.0
    confluence = np.sqrt(sum_x * sum_x + sum_y * sum_y) / sum_modulus
    return asymmetric / vectors * (2.0 - confluence)
