"""The starlet: an isotropic undecimated wavelet transform with B3 splines (Starck et al. 2007)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel


@kernel
def mirrored(i: int, size: int) -> int:
    """Return the index of pixel `i` of a line that is extended by mirroring."""
    while i < 0 or i >= size:
        i = -1 - i if i < 0 else 2 * size - 1 - i
    return i


@kernel
def _smooth(image: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Convolve with the B3 spline (1, 4, 6, 4, 1) / 16 with taps `step` pixels apart."""
    height, width = image.shape
    a, b, c = np.float32(0.0625), np.float32(0.25), np.float32(0.375)
    reach = 2 * step
    # Rows are indexed directly: slicing each of them would take longer than the sums.
    down = np.empty((height, width), np.float32)
    for y in range(height):
        first, second = mirrored(y - reach, height), mirrored(y - step, height)
        fourth, fifth = mirrored(y + step, height), mirrored(y + reach, height)
        for x in range(width):
            outer, inner = image[first, x] + image[fifth, x], image[second, x] + image[fourth, x]
            down[y, x] = a * outer + b * inner + c * image[y, x]
    smooth = np.empty((height, width), np.float32)
    padded = np.empty(width + 2 * reach, np.float32)
    before, middle, after = padded[step:], padded[reach:], padded[reach + step :]
    end = padded[2 * reach :]
    for y in range(height):
        for x in range(width):
            middle[x] = down[y, x]
        if reach <= width:
            for x in range(reach):
                padded[x] = down[y, reach - 1 - x]
            for x in range(reach):
                end[width - reach + x] = down[y, width - 1 - x]
        else:
            for x in range(reach):
                padded[x] = down[y, mirrored(x - reach, width)]
                padded[width + reach + x] = down[y, mirrored(width + x, width)]
        for x in range(width):
            outer, inner = padded[x] + end[x], before[x] + after[x]
            smooth[y, x] = a * outer + b * inner + c * middle[x]
    return smooth


@kernel
def starlet(image: NDArray[np.float32], scales: int) -> NDArray[np.float32]:
    """Return the starlet coefficients of an image and the smooth remainder.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
        Extended beyond its edges by mirroring.
    scales : int
        Number of scales; each is twice as coarse as the previous one.

    Returns
    -------
    ndarray of float32, shape (scales + 1, H, W)
        From the finest to the coarsest scale, then the remainder. Their sum is the image; the
        coefficients of a constant image are zero.

    References
    ----------
    Starck, Fadili & Murtagh 2007, IEEE Trans. Image Process. 16, 297.
    """
    height, width = image.shape
    planes = np.empty((scales + 1, height, width), np.float32)
    current = image.astype(np.float32)
    for scale in range(scales):
        smoother = _smooth(current, 2**scale)
        fine, coarse, plane = current.reshape(-1), smoother.reshape(-1), planes[scale].reshape(-1)
        for i in range(plane.size):
            plane[i] = fine[i] - coarse[i]
        current = smoother
    planes[scales] = current
    return planes
