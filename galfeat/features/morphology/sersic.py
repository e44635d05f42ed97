"""Fit a Sérsic profile to the mean brightness in elliptical rings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.morphology.petrosian import STEPS, value_at
from galfeat.kernels import kernel

_RINGS = 32
_FIRST = 2.0
#: Bounds of the index.
LEAST, MOST = 0.1, 8.0


@kernel
def sersic_b(n: float) -> float:
    """Return the constant for which r_e contains half of the light (Ciotti & Bertin 1999)."""
    if n < 0.36:  # MacArthur et al. 2003
        return max(0.01945 + n * (-0.8902 + n * (10.95 + n * (-19.67 + n * 13.43))), 1e-4)
    return 2.0 * n - 1.0 / 3.0 + 4.0 / (405.0 * n) + 46.0 / (25515.0 * n * n)


@kernel
def rings(curve: NDArray[np.float64], limit: float) -> NDArray[np.float64]:
    """Return radius, mean brightness and area of rings from 2 px to a limit, shape (3, 32).

    Rings are at least one pixel wide. The innermost pixels, dominated by the point spread
    function, are excluded. Unused rings have zero area.
    """
    result = np.zeros((3, _RINGS), np.float64)
    width = max(1.0, (limit - _FIRST) / _RINGS)
    for k in range(_RINGS):
        low, high = _FIRST + k * width, _FIRST + (k + 1) * width
        if high > limit + 1e-9 or high * STEPS > curve.shape[1] - 2:
            break
        area = value_at(curve[1], high) - value_at(curve[1], low)
        if area > 1e-3:
            result[0, k] = 0.5 * (low + high)
            result[1, k] = (value_at(curve[0], high) - value_at(curve[0], low)) / area
            result[2, k] = area
    return result


@kernel
def fit_sersic(
    profile: NDArray[np.float64], r50: float, variance: float, gain: float
) -> NDArray[np.float64]:
    """Return the brightness at r_e, r_e in pixels and the index n, shape (3,).

    Least squares by the Levenberg-Marquardt method; a pixel's variance is that of the sky plus
    photon noise. The profile is not corrected for the point spread function. Zeros if the rings
    contain no light.
    """
    result = np.zeros(3, np.float64)
    weights = np.zeros(_RINGS, np.float64)
    start = 0.0
    for k in range(_RINGS):
        if profile[2, k] > 0.0:
            weights[k] = profile[2, k] / (variance + abs(profile[1, k]) / gain + 1e-6)
            if profile[0, k] <= r50 or start == 0.0:
                start = profile[1, k]
    if start <= 0.0 or r50 <= 0.0:
        return result
    # Logarithms of the three parameters.
    p = np.array((np.log(start), np.log(r50), 0.3))
    damping, error = 1e-2, _squares(profile, weights, p)
    slopes, normal, trial = np.empty(3), np.empty((3, 3)), np.empty(3)
    for _ in range(40):
        normal[:] = 0.0
        vector = np.zeros(3)
        n = np.exp(p[2])
        b = sersic_b(n)
        for k in range(_RINGS):
            if weights[k] > 0.0:
                log_r = np.log(profile[0, k]) - p[1]
                power = np.exp(log_r / n)
                model = np.exp(p[0] - b * (power - 1.0))
                slopes[0] = model
                slopes[1] = model * b * power / n
                # b increases as 2n.
                slopes[2] = model * (b * power * log_r / n - 2.0 * n * (power - 1.0))
                rest = profile[1, k] - model
                for i in range(3):
                    vector[i] += weights[k] * slopes[i] * rest
                    for j in range(3):
                        normal[i, j] += weights[k] * slopes[i] * slopes[j]
        improved = False
        for _ in range(6):
            step = _solve(normal, vector, damping)
            for i in range(3):
                trial[i] = p[i] + min(max(step[i], -0.7), 0.7)
            trial[1] = min(max(trial[1], np.log(0.05)), np.log(30.0 * r50))
            trial[2] = min(max(trial[2], np.log(LEAST)), np.log(MOST))
            after = _squares(profile, weights, trial)
            if after < error:
                improved = True
                break
            damping *= 6.0
        if not improved:
            break
        gained = (error - after) / max(error, 1e-30)
        p[:] = trial
        error = after
        damping *= 0.15
        if gained < 1e-7:
            break
    result[:] = np.exp(p)
    return result


@kernel
def _squares(
    profile: NDArray[np.float64], weights: NDArray[np.float64], p: NDArray[np.float64]
) -> float:
    n = np.exp(p[2])
    b = sersic_b(n)
    total = 0.0
    for k in range(_RINGS):
        if weights[k] > 0.0:
            power = np.exp((np.log(profile[0, k]) - p[1]) / n)
            total += weights[k] * (profile[1, k] - np.exp(p[0] - b * (power - 1.0))) ** 2
    return total


@kernel
def _solve(
    matrix: NDArray[np.float64], vector: NDArray[np.float64], damping: float
) -> NDArray[np.float64]:
    """Solve the damped normal equations by Cramer's rule; zero if they are singular."""
    a = matrix.copy()
    for i in range(3):
        a[i, i] *= 1.0 + damping
        a[i, i] += 1e-30
    c0 = a[1, 1] * a[2, 2] - a[1, 2] * a[2, 1]
    c1 = a[1, 2] * a[2, 0] - a[1, 0] * a[2, 2]
    c2 = a[1, 0] * a[2, 1] - a[1, 1] * a[2, 0]
    determinant = a[0, 0] * c0 + a[0, 1] * c1 + a[0, 2] * c2
    result = np.zeros(3, np.float64)
    if abs(determinant) < 1e-300:
        return result
    for k in range(3):
        b = a.copy()
        b[:, k] = vector
        result[k] = (
            b[0, 0] * (b[1, 1] * b[2, 2] - b[1, 2] * b[2, 1])
            + b[0, 1] * (b[1, 2] * b[2, 0] - b[1, 0] * b[2, 2])
            + b[0, 2] * (b[1, 0] * b[2, 1] - b[1, 1] * b[2, 0])
        ) / determinant
    return result


@kernel
def bulge_strength(curve: NDArray[np.float64], r50: float, petrosian: float) -> float:
    """Return the fraction of the Petrosian light above an exponential disc.

    The disc is fitted to the logarithm of the ring means between r50 and the Petrosian radius
    and extrapolated to the centre. Between 0 and 1; 0 without such rings or if the fit increases
    outwards.
    """
    step = max(0.5, (petrosian - r50) / 16.0)
    n, sx, sy, sxx, sxy = 0.0, 0.0, 0.0, 0.0, 0.0
    low = r50
    while low + step <= petrosian + 1e-9:
        area = value_at(curve[1], low + step) - value_at(curve[1], low)
        light = value_at(curve[0], low + step) - value_at(curve[0], low)
        if area > 1e-3 and light > 0.0:
            x, y = low + 0.5 * step, np.log(light / area)
            # The error of the logarithm is the relative error of the light.
            w = light * light / area
            n += w
            sx += w * x
            sy += w * y
            sxx += w * x * x
            sxy += w * x * y
        low += step
    spread = n * sxx - sx * sx
    total = value_at(curve[0], petrosian)
    if n <= 0.0 or spread <= 1e-9 * n * n or total <= 0.0:
        return 0.0
    slope = (n * sxy - sx * sy) / spread
    if slope >= 0.0:
        return 0.0
    offset = (sy - slope * sx) / n
    excess = 0.0
    step = max(r50 / 16.0, 1.0 / STEPS)
    low = 0.0
    while low < r50:
        high = min(low + step, r50)
        light = value_at(curve[0], high) - value_at(curve[0], low)
        area = value_at(curve[1], high) - value_at(curve[1], low)
        excess += light - area * np.exp(offset + slope * 0.5 * (low + high))
        low = high
    return min(max(excess / total, 0.0), 1.0)


@kernel
def sersic_table(amplitude: float, effective: float, n: float, limit: float) -> NDArray[np.float64]:
    """Return the model's brightness in steps of half a pixel in radius; zeros if the index is 0."""
    table = np.zeros(int(2.0 * limit) + 3, np.float64)
    if n == 0.0:
        return table
    b = sersic_b(n)
    for k in range(table.size):
        # The mean over the central pixel is about the brightness at a third of a pixel's radius.
        reduced = (max(0.5 * k, 0.33) / effective) ** (1.0 / n)
        table[k] = amplitude * np.exp(-b * (reduced - 1.0))
    return table
