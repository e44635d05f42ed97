"""Asymmetry on native pixels: the minimum half-turn difference minus that of the sky.

A half-turn about any point shifts all pixels by the same fraction of a pixel, so rotation with
bilinear interpolation is a weighted sum of four shifted copies. If that fraction is a half in both
directions, the rotated noise is smoothed most, and the minimum over all centres is at or near such
a point. The search therefore first walks a lattice of these points, half a pixel apart, for which
the copies are blended once, and finally tries steps between them, on a third of the rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.morphology.half_turn import blended_copy
from galfeat.kernels import kernel, variable


@kernel
def _less_sky(sums: tuple[float, float, float], sky: float) -> float:
    """Return the sky-subtracted asymmetry from sums of difference, light and area."""
    difference, total, area = sums
    return (difference - area * sky) / max(total, 1e-6)


@kernel
def shifted_difference(
    box: NDArray[np.float32],
    blend: NDArray[np.float32],
    seen: NDArray[np.float32],
    seen_blend: NDArray[np.float32],
    whole: bool,
    y2: int,
    x2: int,
    radius: float,
    every: int,
) -> tuple[float, float, float]:
    """Return sum |I - I180|, sum |I| and the area of a circle about (y2/2 + 1/4, x2/2 + 1/4).

    The sums are over every first, second or third row, as given by `every`. `seen_blend` is one
    where most of the blended pixels are unmasked, otherwise zero.
    """
    size = box.shape[0]
    yc, xc = 0.5 * y2 + 0.25, 0.5 * x2 + 0.25
    shift_y, shift_x = size - 1 - y2, size - 1 - x2
    one, two = box.reshape(-1), blend.reshape(-1)
    kept, kept_too = seen.reshape(-1), seen_blend.reshape(-1)
    difference, total, area = 0.0, 0.0, 0.0
    first = max(int(np.ceil(yc - radius)), 1 - shift_y, 0)
    for y in range(first, min(int(yc + radius) + 1, size, size - shift_y), every):
        other = y + shift_y
        chord = np.sqrt(max(radius * radius - (y - yc) ** 2, 0.0))
        low = max(int(np.ceil(xc - chord)), 1 - shift_x, 0)
        high = min(int(xc + chord) + 1, size, size - shift_x)
        if high <= low:
            continue
        # Unsigned offsets need no tests for negative indices, and no slices.
        at, there = np.uint64(y * size + low), np.uint64(other * size + low + shift_x)
        d, t, n = np.float32(0.0), np.float32(0.0), np.float32(high - low)
        if whole:
            for i in range(high - low):
                value = one[at + np.uint64(i)]
                d += abs(value - two[there + np.uint64(i)])
                t += abs(value)
        else:
            n = np.float32(0.0)
            for i in range(high - low):
                value = one[at + np.uint64(i)]
                weight = kept[at + np.uint64(i)] * kept_too[there + np.uint64(i)]
                d += weight * abs(value - two[there + np.uint64(i)])
                t += weight * abs(value)
                n += weight
        area += float(n)
        difference += float(d)
        total += float(t)
    return difference, total, area


@kernel
def turned_difference(
    box: NDArray[np.float32],
    turned: NDArray[np.float32],
    seen: NDArray[np.float32],
    seen_turned: NDArray[np.float32],
    whole: bool,
    yc: float,
    xc: float,
    inner: float,
    outer: float,
    q: float,
    pa: float,
    every: int,
) -> tuple[float, float, float]:
    """Return sum |I - I180|, sum |I| and the area of an elliptical ring about any point.

    `inner` and `outer` are semi-major axes in pixels; every `every`-th row is summed.
    """
    size = box.shape[0]
    y2, x2 = int(np.floor(2.0 * yc)), int(np.floor(2.0 * xc))
    fy, fx = np.float32(2.0 * yc - y2), np.float32(2.0 * xc - x2)
    one = np.float32(1.0)
    w00, w01 = (one - fy) * (one - fx), (one - fy) * fx
    w10, w11 = fy * (one - fx), fy * fx
    shift_y, shift_x = size - 1 - y2, size - 1 - x2
    c, s = np.cos(pa), np.sin(pa)
    flat = 1.0 / (q * q)
    a, b, d = c * c + s * s * flat, c * s * (1.0 - flat), s * s + c * c * flat
    half_height = outer * np.sqrt(s * s + q * q * c * c)
    here, there = box.reshape(-1), turned.reshape(-1)
    kept, kept_too = seen.reshape(-1), seen_turned.reshape(-1)
    left, above = np.uint64(1), np.uint64(size)
    difference, total, area = 0.0, 0.0, 0.0
    first = max(int(np.ceil(yc - half_height)), 1 - shift_y, 0)
    for y in range(first, min(int(yc + half_height) + 1, size, size - shift_y), every):
        dy = y - yc
        root = b * b * dy * dy - a * (d * dy * dy - outer * outer)
        if root < 0.0:
            continue
        middle, chord = xc - b * dy / a, np.sqrt(root) / a
        low = max(int(np.ceil(middle - chord)), 1 - shift_x, 0)
        high = min(int(np.floor(middle + chord)) + 1, size, size - shift_x)
        hole = b * b * dy * dy - a * (d * dy * dy - inner * inner)
        gap_low, gap_high = high, high
        if inner > 0.0 and hole > 0.0:
            chord = np.sqrt(hole) / a
            gap_low = min(max(int(np.ceil(middle - chord)), low), high)
            gap_high = min(max(int(np.floor(middle + chord)) + 1, gap_low), high)
        for part in range(2):
            start, end = (low, gap_low) if part == 0 else (gap_high, high)
            if end <= start:
                continue
            at = np.uint64(y * size + start)
            k1 = np.uint64((y + shift_y) * size + start + shift_x)
            k2, k3, k4 = k1 - left, k1 - above, k1 - above - left
            sum_d, sum_t, sum_n = np.float32(0.0), np.float32(0.0), np.float32(end - start)
            if whole:
                for k in range(end - start):
                    i = np.uint64(k)
                    value = here[at + i]
                    other = (
                        w00 * there[k1 + i] + w01 * there[k2 + i]
                        + w10 * there[k3 + i] + w11 * there[k4 + i]
                    )  # fmt: skip
                    sum_d += abs(value - other)
                    sum_t += abs(value)
            else:
                sum_n = np.float32(0.0)
                for k in range(end - start):
                    i = np.uint64(k)
                    value = here[at + i]
                    other = (
                        w00 * there[k1 + i] + w01 * there[k2 + i]
                        + w10 * there[k3 + i] + w11 * there[k4 + i]
                    )  # fmt: skip
                    known = (
                        w00 * kept_too[k1 + i] + w01 * kept_too[k2 + i]
                        + w10 * kept_too[k3 + i] + w11 * kept_too[k4 + i]
                    )  # fmt: skip
                    weight = kept[at + i] * np.float32(known > np.float32(0.5))
                    sum_d += weight * abs(value - other)
                    sum_t += weight * abs(value)
                    sum_n += weight
            difference += float(sum_d)
            total += float(sum_t)
            area += float(sum_n)
    return difference, total, area


@kernel
def least_asymmetry(
    box: NDArray[np.float32],
    turned: NDArray[np.float32],
    seen: NDArray[np.float32],
    seen_turned: NDArray[np.float32],
    whole: bool,
    yc: float,
    xc: float,
    radius: float,
    farthest: float,
    sky: float,
) -> tuple[float, float, float]:
    """Return the minimum asymmetry in a circle and its centre, found by descent from (yc, xc).

    Parameters
    ----------
    box, turned, seen, seen_turned, whole
        The image around the galaxy; see `padded_box` and `turned_copy`.
    yc, xc : float
        Start of the search, in pixels of the box.
    radius : float
        Radius of the circle, in pixels.
    farthest : float
        Maximum distance of the centre from the start, in pixels.
    sky : float
        Mean |I - I180| of a sky pixel.
    """
    third = variable(3)  # every third row
    blend = blended_copy(turned)
    seen_blend = seen_turned
    if not whole:
        seen_blend = (blended_copy(seen_turned) > np.float32(0.5)).astype(np.float32)
    start_y, start_x = int(np.rint(2.0 * yc - 0.5)), int(np.rint(2.0 * xc - 0.5))
    y2, x2 = start_y, start_x
    reach = 2.0 * farthest
    step = 1
    while step < 0.25 * reach and step < 8:
        step *= 2
    last_y, last_x = y2, x2
    best, every = np.inf, 0
    while step >= 1:
        if every != min(step, 3):
            # Longer steps make larger differences, which fewer rows suffice to detect.
            every = min(step, 3)
            sums = shifted_difference(box, blend, seen, seen_blend, whole, y2, x2, radius, every)
            best = _less_sky(sums, sky)
        from_y, from_x = y2, x2
        for dy, dx in ((-step, 0), (step, 0), (0, -step), (0, step)):
            ny, nx = from_y + dy, from_x + dx
            if (ny == last_y and nx == last_x) or np.hypot(ny - start_y, nx - start_x) > reach:
                continue
            sums = shifted_difference(box, blend, seen, seen_blend, whole, ny, nx, radius, every)
            trial = _less_sky(sums, sky)
            if trial < best:
                best, y2, x2 = trial, ny, nx
        if y2 == from_y and x2 == from_x:
            step //= 2
            last_y, last_x = y2, x2
        else:
            last_y, last_x = from_y, from_x
    lattice_y, lattice_x = 0.5 * y2 + 0.25, 0.5 * x2 + 0.25
    yc, xc = lattice_y, lattice_x
    sums = turned_difference(
        box, turned, seen, seen_turned, whole, yc, xc, 0.0, radius, 1.0, 0.0, third
    )
    rough, fine = _less_sky(sums, sky), 0.125
    last_sy, last_sx = 0.0, 0.0
    while fine > 0.05:
        origin_y, origin_x = yc, xc
        move_y, move_x = 0.0, 0.0
        for sy, sx in ((-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)):
            if sy == -last_sy and sx == -last_sx:
                continue
            ty, tx = origin_y + fine * sy, origin_x + fine * sx
            sums = turned_difference(
                box, turned, seen, seen_turned, whole, ty, tx, 0.0, radius, 1.0, 0.0, third
            )
            trial = _less_sky(sums, sky)
            if trial < rough:
                rough, yc, xc, move_y, move_x = trial, ty, tx, sy, sx
        last_sy, last_sx = move_y, move_x
        if yc == origin_y and xc == origin_x:
            fine *= 0.5
    if yc != lattice_y or xc != lattice_x:
        sums = turned_difference(
            box, turned, seen, seen_turned, whole, yc, xc, 0.0, radius, 1.0, 0.0, variable(1)
        )
        trial = _less_sky(sums, sky)
        if trial < best:
            return trial, yc, xc
    return best, lattice_y, lattice_x
