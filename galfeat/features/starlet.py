"""The starlet: an isotropic undecimated wavelet transform with B3 splines (Starck et al. 2007)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel


@kernel
def mirrored(i: int, size: int) -> int:
    """Return the pixel that stands at place `i` of a line that goes on as its mirror image."""
    while i < 0 or i >= size:
        i = -1 - i if i < 0 else 2 * size - 1 - i
    return i


@kernel
def _smooth(image: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Convolve with the B3 spline (1, 4, 6, 4, 1) / 16 whose taps are `step` pixels apart."""
    height, width = image.shape
    a, b, c = np.float32(0.0625), np.float32(0.25), np.float32(0.375)
    across = np.empty((height, width), np.float32)
    padded = np.empty(width + 4 * step, np.float32)
    for y in range(height):
        row, out = image[y], across[y]
        for x in range(2 * step):
            padded[x] = row[mirrored(x - 2 * step, width)]
            padded[width + 2 * step + x] = row[mirrored(width + x, width)]
        padded[2 * step : 2 * step + width] = row
        first, second, third = padded[:width], padded[step:], padded[2 * step :]
        fourth, fifth = padded[3 * step :], padded[4 * step :]
        for x in range(width):
            out[x] = a * (first[x] + fifth[x]) + b * (second[x] + fourth[x]) + c * third[x]
    smooth = np.empty((height, width), np.float32)
    for y in range(height):
        first, fifth = (
            across[mirrored(y - 2 * step, height)],
            across[mirrored(y + 2 * step, height)],
        )
        second, fourth = across[mirrored(y - step, height)], across[mirrored(y + step, height)]
        third, out = across[y], smooth[y]
        for x in range(width):
            out[x] = a * (first[x] + fifth[x]) + b * (second[x] + fourth[x]) + c * third[x]
    return smooth


@kernel
def starlet(image: NDArray[np.float32], scales: int) -> NDArray[np.float32]:
    """Return the starlet coefficients of an image, and what is left when they are taken out.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
        Goes on beyond its edges as its mirror image.
    scales : int
        How many; each is twice as coarse as the one before.

    Returns
    -------
    ndarray of float32, shape (scales + 1, H, W)
        From the finest to the coarsest, then the smooth remainder. Their sum is the image; a
        constant image has zeros and itself as remainder.

    References
    ----------
    Starck, Fadili & Murtagh 2007, IEEE Trans. Image Process. 16, 297.
    """
    height, width = image.shape
    planes = np.empty((scales + 1, height, width), np.float32)
    current = image.astype(np.float32)
    for scale in range(scales):
        smoother = _smooth(current, 2**scale)
        for y in range(height):
            fine, coarse, plane = current[y], smoother[y], planes[scale, y]
            for x in range(width):
                plane[x] = fine[x] - coarse[x]
        current = smoother
    planes[scales] = current
    return planes
