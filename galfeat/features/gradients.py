"""Gradients of an image and their sums by cell and orientation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Bins of orientation, from 0 to 180 degrees.
ORIENTATIONS = 9
#: Number of columns summed side by side. As a constant it proves to the compiler that the sums of
#: different orientations do not overlap.
_STRIP = 64


@kernel
def gradients(image: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the central differences along x and y, zero at the edges."""
    height, width = image.shape
    across, down = np.empty_like(image), np.empty_like(image)
    one, two = np.uint64(1), np.uint64(2)
    for y in range(height):
        across[y, 0] = across[y, width - 1] = image.dtype.type(0.0)
        for x in range(np.uint64(max(width - 2, 0))):
            across[y, x + one] = image[y, x + two] - image[y, x]
    for x in range(width):
        down[0, x] = down[height - 1, x] = image.dtype.type(0.0)
    for y in range(1, height - 1):
        for x in range(width):
            down[y, x] = image[y + 1, x] - image[y - 1, x]
    return across, down


@kernel
def strongest_gradients(
    image: NDArray[np.floating],
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the central differences of the channel with the largest gradient at each pixel."""
    across, down = gradients(np.ascontiguousarray(image[:, :, 0]))
    for channel in range(1, image.shape[2]):
        gx, gy = gradients(np.ascontiguousarray(image[:, :, channel]))
        for y in range(image.shape[0]):
            for x in range(image.shape[1]):
                size = gx[y, x] * gx[y, x] + gy[y, x] * gy[y, x]
                if size > across[y, x] * across[y, x] + down[y, x] * down[y, x]:
                    across[y, x], down[y, x] = gx[y, x], gy[y, x]
    return across, down


@kernel
def orientation_histograms(
    across: NDArray[np.floating], down: NDArray[np.floating], cells: int
) -> NDArray[np.floating]:
    """Return the mean gradient magnitude by cell and orientation; see `cell_histograms`."""
    height, width = across.shape
    tall, wide = height // cells, width // cells
    histograms = np.zeros((cells, cells, ORIENTATIONS), across.dtype)
    sums = np.empty(ORIENTATIONS * _STRIP, across.dtype)
    for row_of_cells in range(cells):
        top, bottom = row_of_cells * tall, (row_of_cells + 1) * tall
        for left in range(0, wide * cells, _STRIP):
            right = min(left + _STRIP, wide * cells)
            _sum_columns(across[top:bottom], down[top:bottom], left, right, sums)
            for cell in range(left // wide, (right - 1) // wide + 1):
                first, end = max(cell * wide, left) - left, min((cell + 1) * wide, right) - left
                for o in range(ORIENTATIONS):
                    total = across.dtype.type(0.0)
                    for i in range(first + o * _STRIP, end + o * _STRIP):
                        total += sums[i]
                    histograms[row_of_cells, cell, o] += total
    return histograms / across.dtype.type(tall * wide)


@kernel
def _sum_columns(
    across: NDArray[np.floating],
    down: NDArray[np.floating],
    left: int,
    right: int,
    sums: NDArray[np.floating],
) -> None:
    """Sum gradient magnitudes by orientation over each column of a strip, shape (9 * 64,).

    Without arc tangents and branches, the loop vectorises.
    """
    number = across.dtype.type
    none, half, one = number(0.0), number(0.5), number(1.0)
    # The bin edges are multiples of 20 degrees; beyond 90 they are mirror images.
    tan20, tan40 = number(np.tan(np.pi / 9)), number(np.tan(2 * np.pi / 9))
    tan60, tan80 = number(np.tan(3 * np.pi / 9)), number(np.tan(4 * np.pi / 9))
    sums[:] = none
    for y in range(across.shape[0]):
        gx, gy = across[y, left:right], down[y, left:right]
        for x in range(right - left):
            u, v = abs(gx[x]), abs(gy[x])
            size = np.sqrt(u * u + v * v)
            # Below 90 degrees, beyond, or along x, which is divided between both.
            part = one if (gx[x] > none) == (gy[x] > none) else none
            part = half if v == none else part
            rising = size * part
            falling = size - rising
            past20, past40 = v >= tan20 * u, v >= tan40 * u
            past60, past80 = v >= tan60 * u, v >= tan80 * u
            second, third, fourth = past20 > past40, past40 > past60, past60 > past80
            sums[x] += none if past20 else rising
            sums[x + _STRIP] += rising if second else none
            sums[x + 2 * _STRIP] += rising if third else none
            sums[x + 3 * _STRIP] += rising if fourth else none
            sums[x + 4 * _STRIP] += size if past80 else none
            sums[x + 5 * _STRIP] += falling if fourth else none
            sums[x + 6 * _STRIP] += falling if third else none
            sums[x + 7 * _STRIP] += falling if second else none
            sums[x + 8 * _STRIP] += none if past20 else falling
