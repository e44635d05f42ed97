"""Growth curves in circles and ellipses on native pixels, and the radii derived from them.

The light of a pixel is distributed over the radii that the pixel covers, so that overlaps of
pixels with apertures need not be computed: near the centre by sixteen subpixels, farther out
evenly over a range of the right variance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Steps of a growth curve per pixel of radius.
STEPS = 8
#: Ratio of local to mean brightness that defines the Petrosian radius.
ETA = 0.2
#: Radius that contains the total light, in Petrosian radii (Lotz et al. 2004).
EXTENT = 1.5
#: Pixels closer to the centre than this are divided into sixteen subpixels.
_FINE = 6.0


@kernel
def add_rings(
    change: NDArray[np.float64],
    image: NDArray[np.float32],
    mask: NDArray[np.bool_],
    centre: tuple[float, float],
    ellipse: tuple[float, float],
    inner: float,
    outer: float,
) -> None:
    """Add the pixels with centres between two semi-major axes to the changes of a growth curve.

    Row 0 contains the light that starts at a radius, row 1 changes of the area that is masked or
    outside the image, row 2 the light that ends.
    """
    height, width = image.shape
    yc, xc = centre
    q, pa = ellipse
    last = change.shape[1] - 1
    final = np.int32(last)
    c, s = np.cos(pa), np.sin(pa)
    flat = 1.0 / (q * q)
    a, b, d = c * c + s * s * flat, c * s * (1.0 - flat), s * s + c * c * flat
    fa, fb, fd = np.float32(a), np.float32(b), np.float32(d)
    steps, half, two = np.float32(STEPS), np.float32(0.5), np.float32(2.0)
    half_height = outer * np.sqrt(s * s + q * q * c * c)
    first_row, last_row = int(np.ceil(yc - half_height)), int(np.floor(yc + half_height))
    longest = int(2.0 * outer) + 4
    first_bin, last_bin = np.empty(longest, np.int32), np.empty(longest, np.int32)
    # Unsigned views: no tests for negative indices.
    starts, ends = first_bin.view(np.uint32), last_bin.view(np.uint32)
    shares, widths = np.empty(longest, np.float32), np.empty(longest, np.float32)
    begun, missing, ended = change[0], change[1], change[2]
    for y in range(first_row, last_row + 1):
        dy = y - yc
        root = b * b * dy * dy - a * (d * dy * dy - outer * outer)
        if root < 0.0:
            continue
        middle, chord = xc - b * dy / a, np.sqrt(root) / a
        low, high = int(np.ceil(middle - chord)), int(np.floor(middle + chord)) + 1
        gap_low, gap_high = high, high
        hole = b * b * dy * dy - a * (d * dy * dy - inner * inner)
        if inner > 0.0 and hole >= 0.0:
            chord = np.sqrt(hole) / a
            gap_low = min(max(int(np.ceil(middle - chord)), low), high)
            gap_high = min(max(int(np.floor(middle + chord)) + 1, gap_low), high)
        # Pixels near the centre are divided; those masked or outside the image are counted
        # separately.
        near = np.sqrt(max(_FINE * _FINE - dy * dy, 0.0)) + 1.0
        near_low, near_high = int(xc - near), int(xc + near) + 1
        if dy * dy > _FINE * _FINE:
            near_low, near_high = high, high
        fy = np.float32(dy)
        for part in range(6):
            start, end = (low, gap_low) if part < 3 else (gap_high, high)
            if part % 3 == 0:
                end = min(end, near_low)
            elif part % 3 == 1:
                start, end = max(start, near_low), min(end, near_high)
            else:
                start = max(start, near_high)
            if end <= start:
                continue
            for i in range(end - start):
                dx = np.float32(start + i - xc)
                square = fa * dx * dx + two * fb * dx * fy + fd * fy * fy
                radius = np.sqrt(max(square, np.float32(1e-6)))
                across, down = fa * dx + fb * fy, fb * dx + fd * fy
                spread = half * np.sqrt(across * across + down * down) / radius
                k = np.int32(max(radius - spread, np.float32(0.0)) * steps + half)
                after = np.int32((radius + spread) * steps + half)
                widths[i] = np.float32(after - k)
                first_bin[i], last_bin[i] = min(k, final), min(after, final)
            in_low, in_high = max(start, 0), min(end, width)
            if not 0 <= y < height or in_low >= in_high:
                in_low, in_high = end, end
            if part % 3 != 1:
                for i in range(in_low - start):
                    missing[starts[i]] += 1.0 / widths[i]
                    missing[ends[i]] -= 1.0 / widths[i]
                for i in range(in_high - start, end - start):
                    missing[starts[i]] += 1.0 / widths[i]
                    missing[ends[i]] -= 1.0 / widths[i]
                if in_low == in_high:
                    continue
                line, hidden = image[y, in_low:in_high], mask[y, in_low:in_high]
                from_bin, to_bin = starts[in_low - start :], ends[in_low - start :]
                breadth = widths[in_low - start :]
                any_hidden = np.uint8(0)
                for i in range(line.size):
                    any_hidden |= np.uint8(hidden[i])
                    shares[i] = np.float32(not hidden[i]) * line[i] / breadth[i]
                for i in range(line.size):
                    begun[from_bin[i]] += shares[i]
                    ended[to_bin[i]] += shares[i]
                if any_hidden:
                    for i in range(line.size):
                        if hidden[i]:
                            missing[from_bin[i]] += 1.0 / breadth[i]
                            missing[to_bin[i]] -= 1.0 / breadth[i]
                continue
            for x in range(start, end):
                value, row = 1.0, 1
                if 0 <= y < height and 0 <= x < width and not mask[y, x]:
                    value, row = float(image[y, x]), 0
                along = x - xc
                if along * along + dy * dy >= _FINE * _FINE:
                    value /= float(widths[x - start])
                    change[row, starts[x - start]] += value
                    change[row, ends[x - start]] -= value
                    continue
                for j in range(4):
                    v = dy + 0.25 * j - 0.375
                    for i in range(4):
                        u = along + 0.25 * i - 0.375
                        fine = np.sqrt(a * u * u + 2.0 * b * u * v + d * v * v) * STEPS
                        # A subpixel is two steps wide.
                        inside, beyond = int(max(fine - 0.5, 0.0)), int(fine + 1.5)
                        share = 0.0625 * value / (beyond - inside)
                        change[row, min(inside, last)] += share
                        change[row, min(beyond, last)] -= share


@kernel
def integrated(change: NDArray[np.float64], q: float, reach: float) -> NDArray[np.float64]:
    """Integrate changes to a growth curve up to a radius; see `growth_curve`."""
    number = min(int(reach * STEPS) + 1, change.shape[1])
    curve = np.empty((2, number), np.float64)
    ring_light, ring_missing, light, missing = 0.0, 0.0, 0.0, 0.0
    for k in range(number):
        curve[0, k] = light
        curve[1, k] = np.pi * q * (k / STEPS) ** 2 - missing
        ring_light += change[0, k] - change[2, k]
        ring_missing += change[1, k]
        light += ring_light
        missing += ring_missing
    return curve


@kernel
def growth_curve(
    image: NDArray[np.float32],
    mask: NDArray[np.bool_],
    yc: float,
    xc: float,
    q: float,
    pa: float,
    reach: float,
) -> NDArray[np.float64]:
    """Return the light and the area within ellipses of increasing semi-major axis.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W)
        Light above the sky.
    mask : ndarray of bool, shape (H, W)
        Pixels of other objects. Like pixels outside the image, they add neither light nor area.
    yc, xc : float
        The common centre, in pixels.
    q, pa : float
        Axis ratio and position angle (radians from x towards rising rows).
    reach : float
        The maximum semi-major axis, in pixels.

    Returns
    -------
    ndarray of float64, shape (2, n)
        Light and area within the semi-major axes 0, 1/8, 2/8 ... px.
    """
    margin = 0.75 / q + 0.5
    change = np.zeros((3, int((reach + margin) * STEPS) + 8), np.float64)
    add_rings(change, image, mask, (yc, xc), (q, pa), 0.0, reach + margin)
    return integrated(change, q, reach)


@kernel
def petrosian_radius(curve: NDArray[np.float64]) -> float:
    """Return the Petrosian radius, in pixels; negative if the curve ends before it.

    The radius where the mean brightness of a ring one pixel wide first falls below a fifth of
    the mean brightness inside and remains below it one pixel plus a sixteenth of the radius
    farther out, which excludes gaps between arms.
    """
    half = STEPS // 2
    previous = 1.0
    for k in range(STEPS, curve.shape[1] - half, half):
        ratio = _local_over_mean(curve, k)
        if ratio < ETA and previous >= ETA:
            farther = k + STEPS + k // 16
            if farther + half >= curve.shape[1]:
                return -1.0
            if _local_over_mean(curve, farther) < ETA:
                part = (previous - ETA) / max(previous - ratio, 1e-12)
                return max(k - half * (1.0 - part), float(STEPS)) / STEPS
        previous = ratio
    return -1.0


@kernel
def _local_over_mean(curve: NDArray[np.float64], k: int) -> float:
    half = STEPS // 2
    ring_light = curve[0, k + half] - curve[0, k - half]
    ring_area = curve[1, k + half] - curve[1, k - half]
    if ring_area <= 1e-3 or curve[0, k] <= 0.0:
        return 0.0
    return (ring_light / ring_area) / (curve[0, k] / curve[1, k])


@kernel
def value_at(values: NDArray[np.float64], radius: float) -> float:
    """Interpolate a curve at a radius in pixels."""
    place = min(max(radius * STEPS, 0.0), values.size - 1.001)
    k = int(place)
    return values[k] + (place - k) * (values[k + 1] - values[k])


@kernel
def radius_of_fraction(light: NDArray[np.float64], limit: float, fraction: float) -> float:
    """Return the radius that contains a fraction of the light within `limit`, in pixels.

    Zero without light.
    """
    wanted = fraction * value_at(light, limit)
    if wanted <= 0.0:
        return 0.0
    for k in range(1, light.size):
        if light[k] >= wanted:
            before = light[k - 1]
            return (k - 1 + (wanted - before) / max(light[k] - before, 1e-12)) / STEPS
    return limit


@kernel
def petrosian_curve(
    image: NDArray[np.float32],
    mask: NDArray[np.bool_],
    centre: tuple[float, float],
    ellipse: tuple[float, float],
    guess: float,
    extent: float,
) -> tuple[NDArray[np.float64], float]:
    """Return a growth curve and the Petrosian radius.

    The curve is extended from `guess` pixels until it reaches `extent` Petrosian radii. If the
    Petrosian radius would exceed the image's diagonal, the diagonal is returned.

    Parameters
    ----------
    centre, ellipse : tuple of float
        ``(yc, xc)``, and axis ratio and position angle; the rest as in `growth_curve`.
    """
    q = ellipse[0]
    last = np.hypot(image.shape[0], image.shape[1]) / q
    margin = 0.75 / q + 0.5
    change = np.zeros((3, int((last + 2.0 * margin) * STEPS) + 8), np.float64)
    before, reach = 0.0, min(max(guess, 8.0), last)
    while True:
        add_rings(change, image, mask, centre, ellipse, before, reach + margin)
        before = reach + margin
        curve = integrated(change, q, reach)
        radius = petrosian_radius(curve)
        if radius > 0.0 and extent * radius <= reach:
            return curve, radius
        if reach >= last:
            return curve, (radius if radius > 0.0 else last)
        wanted = extent * radius + 0.5 if radius > 0.0 else 1.15 * reach + 2.0
        reach = min(wanted, last)
