"""Gradient pattern analysis: the asymmetric part of the gradient field."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.gradients import gradients
from galfeat.features.texture.disc import chord
from galfeat.kernels import kernel


@kernel
def gradient_pattern_asymmetry(
    image: NDArray[np.float32], radius: float, modulus_tolerance: float, phase_tolerance: float
) -> float:
    """Return the second gradient moment G2 of an image about its centre.

    The gradient at a pixel is symmetric if it is the reverse of the gradient opposite the centre,
    or negligible. G2 depends on the number of the others and on their cancellation:
    G2 = V_A / V (2 - abs(sum v) / sum abs(v)), with sums over the V_A asymmetric gradients.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
    radius : float
        Radius of the disc of V pixels, in pixels; the outermost rows and columns of the image
        have no central differences and are ignored.
    modulus_tolerance : float
        Maximum negligible modulus, and difference of moduli, as a fraction of the largest.
    phase_tolerance : float
        Maximum negligible difference in direction, in radians.

    Returns
    -------
    float
        0 for a symmetric field or without gradients, 2 if all gradients are asymmetric and
        cancel.

    References
    ----------
    Rosa et al. 2018, MNRAS 477, L101.
    """
    height, width = image.shape
    across, down = gradients(image)
    one, last = np.uint64(1), np.uint64(width - 1)
    largest = np.float32(0.0)
    for y in range(1, height - 1):
        first, end = chord(radius, y, height, width)
        for x in range(max(first, one), min(end, last)):
            square = across[y, x] * across[y, x] + down[y, x] * down[y, x]
            largest = max(largest, square)
    least = np.float32(modulus_tolerance * np.sqrt(largest))
    cosine = np.float32(np.cos(phase_tolerance))
    vectors, asymmetric = 0, 0
    sum_x, sum_y, sum_modulus = 0.0, 0.0, 0.0
    none = np.float32(0.0)
    for y in range(1, height - 1):
        first, end = chord(radius, y, height, width)
        first, end = max(first, one), min(end, last)
        if end <= first:
            continue
        vectors += int(end - first)
        opposite = height - 1 - y
        count, line_x, line_y, line_modulus = none, none, none, none
        for x in range(first, end):
            gx, gy = across[y, x], down[y, x]
            hx, hy = across[opposite, last - x], down[opposite, last - x]
            own, other = np.sqrt(gx * gx + gy * gy), np.sqrt(hx * hx + hy * hy)
            reverse = -(gx * hx + gy * hy)
            partner = (abs(own - other) <= least) & (reverse >= cosine * own * other)
            alone = np.float32((own > least) & (not partner))
            count += alone
            line_x += alone * gx
            line_y += alone * gy
            line_modulus += alone * own
        asymmetric += int(count)
        sum_x += float(line_x)
        sum_y += float(line_y)
        sum_modulus += float(line_modulus)
    if asymmetric == 0:
        return 0.0
    confluence = np.sqrt(sum_x * sum_x + sum_y * sum_y) / sum_modulus
    return asymmetric / vectors * (2.0 - confluence)
