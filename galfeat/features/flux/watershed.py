"""Intensity and deviation: regions around peaks, by watershed (Freeman et al. 2013)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.flux.smoothing import gaussian
from galfeat.kernels import kernel


@kernel
def _push(
    heap: NDArray[np.int32], size: int, values: NDArray[np.float32], age: NDArray[np.int32],
    item: int,
) -> int:  # fmt: skip
    """Add a pixel to the heap; the brightest comes first, of equals the earliest."""
    k = size
    while k > 0:
        above = (k - 1) // 2
        other = heap[above]
        if values[other] > values[item] or (
            values[other] == values[item] and age[other] <= age[item]
        ):
            break
        heap[k] = other
        k = above
    heap[k] = item
    return size + 1


@kernel
def _pop(
    heap: NDArray[np.int32], size: int, values: NDArray[np.float32], age: NDArray[np.int32]
) -> int:
    """Remove the first pixel of the heap and return the new size; the pixel is at that place."""
    top = heap[0]
    size -= 1
    item = heap[size]
    k = 0
    while True:
        below = 2 * k + 1
        if below >= size:
            break
        if below + 1 < size:
            one, two = heap[below], heap[below + 1]
            if values[two] > values[one] or (values[two] == values[one] and age[two] < age[one]):
                below += 1
        other = heap[below]
        if values[item] > values[other] or (
            values[item] == values[other] and age[item] <= age[other]
        ):
            break
        heap[k] = other
        k = below
    heap[k] = item
    heap[size] = top
    return size


@kernel
def peak_regions(
    smooth: NDArray[np.float32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Return the regions of peaks by watershed, the peaks' flat indices and their number.

    Peaks are at least as bright as their eight neighbours and not on the edge. Regions grow
    from them, brightest pixel first, over all pixels with light; 0 where there is none.
    """
    height, width = smooth.shape
    wide = width + 2
    padded = np.zeros((height + 2, wide), np.float32)
    padded[1 : height + 1, 1 : width + 1] = smooth
    values, least = padded.reshape(-1), np.min(smooth)
    labels = np.zeros(values.size, np.int32)
    age = np.zeros(values.size, np.int32)
    heap = np.empty(values.size, np.int32)
    peaks = np.empty(values.size // 2 + 1, np.int32)
    number, size, time = 0, 0, 0
    steps = (-wide, -1, 1, wide, -wide - 1, -wide + 1, wide - 1, wide + 1)
    for y in range(2, height):
        for x in range(2, width):
            i = y * wide + x
            if values[i] <= least or values[i] <= np.float32(0.0):
                continue
            highest, beside = True, False
            for step in steps:
                highest &= values[i + step] <= values[i]
                # Of equal neighbours the first is the peak.
                beside |= labels[i + step] > 0
            if highest and not beside:
                peaks[number] = i
                number += 1
                labels[i], age[i] = number, time
                size = _push(heap, size, values, age, i)
    time = 1
    while size > 0:
        size = _pop(heap, size, values, age)
        i = heap[size]
        for step in steps:
            j = i + step
            if labels[j] != 0 or values[j] <= np.float32(0.0):
                continue
            labels[j] = labels[i]
            age[j] = time
            time += 1
            size = _push(heap, size, values, age, j)
    return labels, peaks[:number], wide


@kernel
def intensity_deviation(
    light: NDArray[np.float32], region: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return intensity and deviation; NaN for the latter without light or peaks.

    Intensity is the light of the second brightest region over that of the brightest, 0 if there
    is one; deviation the distance of the brightest region's peak from the centroid, over the
    radius of a circle with the area of the segment.

    Parameters
    ----------
    light : ndarray of float32, shape (H, W)
        The MID segment's light: not negative, zero outside.
    region : ndarray of bool, shape (H, W)
        The MID segment.
    """
    height, width = light.shape
    top, bottom, left, right = height, 0, width, 0
    area, total, sum_y, sum_x = 0, 0.0, 0.0, 0.0
    for y in range(height):
        for x in range(width):
            if region[y, x]:
                top, bottom, left, right = min(top, y), y + 1, min(left, x), max(right, x + 1)
                area += 1
                total += np.float64(light[y, x])
                sum_y += y * np.float64(light[y, x])
                sum_x += x * np.float64(light[y, x])
    if total <= 0.0:
        return 0.0, np.nan
    # The blur reaches four pixels.
    y0, x0 = max(top - 6, 0), max(left - 6, 0)
    box = light[y0 : min(bottom + 6, height), x0 : min(right + 6, width)].copy()
    smooth = gaussian(box, 1.0, True)
    labels, peaks, wide = peak_regions(smooth)
    if peaks.size == 0:
        return 0.0, np.nan
    lights = np.zeros(peaks.size)
    for y in range(smooth.shape[0]):
        for x in range(smooth.shape[1]):
            label = labels[(y + 1) * wide + x + 1]
            if label > 0:
                lights[label - 1] += np.float64(smooth[y, x])
    first, second, peak = 0.0, 0.0, 0
    for k in range(peaks.size):
        if lights[k] > first:
            second, first, peak = first, lights[k], k
        elif lights[k] > second:
            second = lights[k]
    py, px = peaks[peak] // wide - 1 + y0, peaks[peak] % wide - 1 + x0
    offset = np.hypot(py - sum_y / total, px - sum_x / total)
    return second / first, offset * np.sqrt(np.pi / area)
