"""Petrosian radii and radii of fractions of the light, with exact apertures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.flux.apertures import annulus_mean, ellipse_sums
from galfeat.features.morphology.petrosian import ETA, STEPS, growth_curve
from galfeat.kernels import kernel

#: Number of radii that are searched in turn for the first below the Petrosian ratio.
_RADII = 100
#: Difference from the Petrosian ratio at which the growth curve is not accurate enough.
_DOUBT = 0.02
_EXACT = 1e-6
#: Growth curves up to these semi-major axes are estimated pixel by pixel.
_SMALL = 24.0

# Flags of the search.
FOUND, SMALLER, LARGER = 0, 1, 2


@kernel
def petrosian_ratio(
    sums: NDArray[np.float64], yc: float, xc: float, axis: float, q: float, pa: float
) -> float:
    """Return the mean brightness at a semi-major axis over that inside, both without sign."""
    light, area = ellipse_sums(sums, yc, xc, axis, q, pa)
    inside = abs(light / area) if area > 1e-9 else 0.0
    edge = abs(annulus_mean(sums, yc, xc, axis, q, pa))
    if inside == 0.0:
        return np.float64(edge != 0.0)
    return edge / inside


@kernel
def _rough_ratio(curve: NDArray[np.float64], axis: float) -> float:
    """Return the ratio from a growth curve; NaN beyond its end."""
    k, half = axis * STEPS, STEPS // 2
    i = int(k)
    if i + half + 1 >= curve.shape[1] or i < half:
        return np.nan
    part = k - i
    values = np.empty((2, 3))
    for row in range(2):
        for j in range(3):
            at = i + (j - 1) * half
            values[row, j] = curve[row, at] + part * (curve[row, at + 1] - curve[row, at])
    ring = values[1, 2] - values[1, 0]
    if ring < 1e-3 or values[1, 1] < 1e-3 or values[0, 1] == 0.0:
        return np.nan
    return abs((values[0, 2] - values[0, 0]) / ring / (values[0, 1] / values[1, 1]))


@kernel
def rough_curve(
    light: NDArray[np.float32],
    hidden: NDArray[np.bool_],
    centre: tuple[float, float],
    ellipse: tuple[float, float],
    reach: float,
) -> NDArray[np.float64]:
    """Return light and area within ellipses of increasing axis, to bound the search for radii.

    As `galfeat.features.morphology.petrosian.growth_curve`, but without subpixels near the
    centre, where the exact sums of apertures correct the result.
    """
    yc, xc = centre
    q, pa = ellipse
    if reach > _SMALL:
        return growth_curve(light, hidden, yc, xc, q, pa, reach)
    height, width = light.shape
    number = int(reach * STEPS) + 1
    last = number + 4 * STEPS
    change = np.zeros((2, last + 1), np.float64)
    c, s = np.cos(pa), np.sin(pa)
    flat = 1.0 / (q * q)
    a, b, d = c * c + s * s * flat, c * s * (1.0 - flat), s * s + c * c * flat
    # Pixels that overlap the largest ellipse; wide enough along both axes.
    outer = reach + 0.75 / q
    half_height = outer * np.sqrt(s * s + q * q * c * c)
    first_row = max(int(np.ceil(yc - half_height)), 0)
    last_row = min(int(yc + half_height), height - 1)
    for y in range(first_row, last_row + 1):
        dy = y - yc
        root = np.sqrt(max(a * outer * outer - dy * dy * flat, 0.0)) / a
        low = max(int(np.ceil(xc - b * dy / a - root)), 0)
        high = min(int(xc - b * dy / a + root), width - 1)
        for x in range(low, high + 1):
            if hidden[y, x]:
                continue
            dx = x - xc
            across, down = a * dx + b * dy, b * dx + d * dy
            radius = np.sqrt(max(across * dx + down * dy, 1e-6))
            spread = 0.5 * np.sqrt(across * across + down * down) / radius
            start = int(max(radius - spread, 0.0) * STEPS + 0.5)
            end = max(int((radius + spread) * STEPS + 0.5), start + 1)
            share = 1.0 / (end - start)
            value = share * np.float64(light[y, x])
            start, end = min(start, last), min(end, last)
            change[0, start] += value
            change[0, end] -= value
            change[1, start] += share
            change[1, end] -= share
    curve = np.empty((2, number), np.float64)
    for row in range(2):
        ring, total = 0.0, 0.0
        for k in range(number):
            curve[row, k] = total
            ring += change[row, k]
            total += ring
    return curve


@kernel
def petrosian(
    light: NDArray[np.float32],
    hidden: NDArray[np.bool_],
    sums: NDArray[np.float64],
    centre: tuple[float, float],
    ellipse: tuple[float, float],
    guess: float,
) -> tuple[float, int, NDArray[np.float64]]:
    """Return the Petrosian semi-major axis, how it was found, and a growth curve.

    The first of a hundred radii, from one pixel to the diagonal of the stamp (over the axis
    ratio), with a ratio below 0.2 bounds the Petrosian radius from above, the one before it
    from below (Rodriguez-Gomez et al. 2019).
    """
    yc, xc = centre
    q, pa = ellipse
    last = np.hypot(light.shape[0], light.shape[1]) / q
    reach = min(max(guess, 6.0), last)
    curve = rough_curve(light, hidden, centre, ellipse, reach)
    before = 1.0
    for k in range(_RADII):
        axis = 1.0 + k * (last - 1.0) / (_RADII - 1)
        while axis + 1.0 > reach and reach < last:
            reach = min(1.6 * reach, last)
            curve = rough_curve(light, hidden, centre, ellipse, reach)
        ratio = _rough_ratio(curve, axis)
        if not abs(ratio - ETA) > _DOUBT:
            ratio = petrosian_ratio(sums, yc, xc, axis, q, pa)
        if ratio == ETA:
            return axis, FOUND, curve
        if ratio < ETA:
            if k == 0:
                return axis, SMALLER, curve
            return _root(sums, curve, centre, ellipse, before, axis), FOUND, curve
        before = axis
    return last, LARGER, curve


@kernel
def _position(bracket: tuple[float, float, float, float, int]) -> float:
    """Return where the line through the ends of a bracket is zero; see `_narrowed`."""
    low, f_low, high, f_high, _ = bracket
    return (high * f_low - low * f_high) / (f_low - f_high)


@kernel
def _narrowed(
    bracket: tuple[float, float, float, float, int], axis: float, value: float
) -> tuple[float, float, float, float, int]:
    """Move an end of a bracket of a root, and halve the other end's value if it stayed twice.

    A bracket holds the axis and the value at its lower end, where the value is positive, the
    same at its upper end, and which end moved last: 1 the lower, -1 the upper (the Illinois
    form of the false position method).
    """
    low, f_low, high, f_high, side = bracket
    if value > 0.0:
        return axis, value, high, f_high * (0.5 if side == 1 else 1.0), 1
    return low, f_low * (0.5 if side == -1 else 1.0), axis, value, -1


@kernel
def _root(
    sums: NDArray[np.float64],
    curve: NDArray[np.float64],
    centre: tuple[float, float],
    ellipse: tuple[float, float],
    low: float,
    high: float,
) -> float:
    """Return where the ratio falls below 0.2, between a radius above and one below it."""
    yc, xc = centre
    q, pa = ellipse
    near = low
    while near < high and _rough_ratio(curve, near) > ETA:
        near += 0.125
    near = min(near, high)
    f_low, f_high = np.nan, np.nan
    for shift in (-0.1, 0.06):
        trial = near + shift
        if low < trial < high:
            value = petrosian_ratio(sums, yc, xc, trial, q, pa) - ETA
            if value > 0.0:
                low, f_low = trial, value
            else:
                high, f_high = trial, value
    if np.isnan(f_low):
        f_low = petrosian_ratio(sums, yc, xc, low, q, pa) - ETA
    if np.isnan(f_high):
        f_high = petrosian_ratio(sums, yc, xc, high, q, pa) - ETA
    bracket = (low, f_low, high, f_high, 0)
    for _ in range(60):
        if bracket[2] - bracket[0] < _EXACT or bracket[1] - bracket[3] <= 0.0:
            break
        axis = _position(bracket)
        value = petrosian_ratio(sums, yc, xc, axis, q, pa) - ETA
        if abs(value) < 1e-6:
            return axis
        bracket = _narrowed(bracket, axis, value)
    return 0.5 * (bracket[0] + bracket[2])


@kernel
def fraction_radius(
    sums: NDArray[np.float64],
    curve: NDArray[np.float64],
    centre: tuple[float, float],
    ellipse: tuple[float, float],
    limit: float,
    fraction: float,
) -> float:
    """Return the semi-major axis that contains a fraction of the light within another.

    `limit` without light. A growth curve, where it is long enough, bounds the search.
    """
    yc, xc = centre
    q, pa = ellipse
    total = abs(ellipse_sums(sums, yc, xc, limit, q, pa)[0])
    if total == 0.0 or limit <= 0.0:
        return limit
    aim = fraction * total
    low, high, f_low, f_high = 0.0, limit, aim, aim - total
    k = 1
    while k < curve.shape[1] and k < limit * STEPS and abs(curve[0, k]) < aim:
        k += 1
    if k >= curve.shape[1]:
        step = limit / (_RADII - 1)
        for j in range(1, _RADII):
            value = aim - abs(ellipse_sums(sums, yc, xc, j * step, q, pa)[0])
            if value < 0.0:
                high, f_high = j * step, value
                break
            low, f_low = j * step, value
    else:
        for trial in ((k - 3.0) / STEPS, (k + 2.0) / STEPS):
            if low < trial < high:
                value = aim - abs(ellipse_sums(sums, yc, xc, trial, q, pa)[0])
                if value >= 0.0:
                    low, f_low = trial, value
                else:
                    high, f_high = trial, value
    bracket = (low, f_low, high, f_high, 0)
    for _ in range(60):
        if bracket[2] - bracket[0] < _EXACT or bracket[1] - bracket[3] <= 0.0:
            break
        axis = _position(bracket)
        value = aim - abs(ellipse_sums(sums, yc, xc, axis, q, pa)[0])
        if abs(value) < 1e-7 * total:
            return axis
        bracket = _narrowed(bracket, axis, value)
    return 0.5 * (bracket[0] + bracket[2])
