"""Logarithmic spirals: number, pitch angle, winding sense and regularity of the arms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.fourier.polar import ORDERS
from galfeat.kernels import kernel

#: Radii of the circles for arms, evenly spaced in ln r, in pixels of a 64×64 view. Most bars and
#: bulges are inside them.
ARM_RADII = 30.0 * 0.25 ** (1.0 - np.arange(24) / 23.0)
#: Minimum number of arms: m = 1 is lopsidedness, the strongest order of most galaxies.
FEWEST = 2
#: Step of the scan, in radians of phase per unit of ln r, and number of steps; the last is the
#: rate of three arms with a pitch of 6 degrees.
_STEP, _STEPS = 0.5, 57
#: Minimum rate per arm, in radians of phase per unit of ln r, which limits the pitch angle.
_WIDEST = 0.8
#: The power of noise and smooth light falls off with the rate to about this power.
_WHITENING = 1.5

_RATES = _STEP * np.arange(_STEPS)
_LN_R = np.log(ARM_RADII)
_TAPER = np.sin(np.pi * (np.arange(24) + 0.5) / 24)
_TAPER /= _TAPER.sum()
_WAVES = np.exp(1j * np.outer(_RATES, _LN_R))
_WAVES -= (_WAVES * _TAPER).sum(axis=1)[:, None]  # bars and inclination have a constant phase
_NORMS = np.maximum((np.abs(_WAVES) ** 2 * _TAPER).sum(axis=1), 1e-3)
# Indexed by circle and rate, to sum all rates at once.
_REAL = np.ascontiguousarray((_WAVES.real * _TAPER).T)
_IMAGINARY = np.ascontiguousarray((_WAVES.imag * _TAPER).T)


@kernel
def spiral_power(parts: NDArray[np.float64], m: int) -> NDArray[np.float64]:
    """Return the power of m-armed logarithmic spirals, shape (2, 57).

    It is the variance of the coefficient of order m along ln r that is explained by a wave of a
    given rate in addition to a constant: the periodogram with a floating mean (Zechmeister &
    Kürster 2009), to which bars and residual inclination do not contribute.

    Parameters
    ----------
    parts : ndarray of float64, shape (24, 7, 2)
        Fourier coefficients of the contrast on the circles of `ARM_RADII`.
    m : int
        Number of arms, 1 to 6.

    Returns
    -------
    ndarray of float64
        Power by winding sense (the angle increases outwards along an arm, or decreases) and by
        rate, 0 to 28 rad per unit of ln r.
    """
    sums = np.zeros((4, _STEPS), np.float64)
    for i in range(parts.shape[0]):
        a, b = parts[i, m, 0], parts[i, m, 1]
        for step in range(_STEPS):
            sums[0, step] += a * _REAL[i, step]
            sums[1, step] += a * _IMAGINARY[i, step]
            sums[2, step] += b * _REAL[i, step]
            sums[3, step] += b * _IMAGINARY[i, step]
    power = np.empty((2, _STEPS), np.float64)
    for step in range(_STEPS):
        ac, as_, bc, bs = sums[0, step], sums[1, step], sums[2, step], sums[3, step]
        power[0, step] = ((ac + bs) ** 2 + (bc - as_) ** 2) / _NORMS[step]
        power[1, step] = ((ac - bs) ** 2 + (bc + as_) ** 2) / _NORMS[step]
    return power


@kernel
def arms(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the number, pitch, strength, coherence and sense of the spiral arms, shape (5,).

    The dominant logarithmic spiral is that with the largest power over orders m = 2 to 6,
    senses and rates (Davis et al. 2012). The power is weighted by the rate over m to the power
    of 1.5, because noise and smooth light have more power at slow rates; the rate is then
    moved to the nearest peak of the unweighted power.

    Parameters
    ----------
    parts : ndarray of float64, shape (24, 7, 2)
        Fourier coefficients of the contrast on the circles of `ARM_RADII`.

    Returns
    -------
    ndarray of float64
        Number of arms, 2 to 6. Pitch angle in degrees, 4 to 60. Strength: the amplitude of
        the spiral over the mean light. Coherence: the fraction of the variance of its order
        along ln r that the spiral explains, 0 to 1. Sense: the amplitude minus that of the
        opposite sense at the same rate, over their sum; positive if the angle, from x towards
        rising rows, increases outwards along an arm. Without light or contrast: 0 arms, 90
        degrees, and 0 for the others.
    """
    result = np.zeros(5, np.float64)
    result[1] = 90.0
    best, number, sense, at = 1e-12, 0, 0, 0
    powers = np.empty((ORDERS + 1, 2, _STEPS), np.float64)
    for m in range(FEWEST, ORDERS + 1):
        powers[m] = spiral_power(parts, m)
        for step in range(int(_WIDEST * m / _STEP + 1.0), _STEPS):
            weight = (_RATES[step] / m) ** _WHITENING
            for side in range(2):
                if weight * powers[m, side, step] > best:
                    best, number, sense, at = weight * powers[m, side, step], m, side, step
    if number == 0:
        return result
    power = powers[number, sense]
    while 1 < at < _STEPS - 2 and max(power[at - 1], power[at + 1]) > power[at]:
        at += -1 if power[at - 1] > power[at + 1] else 1
    rate = _RATES[at] + _STEP * _vertex(power[at - 1], power[at], power[min(at + 1, _STEPS - 1)])
    one, other = np.sqrt(power[at]), np.sqrt(powers[number, 1 - sense, at])
    result[0] = number
    result[1] = np.degrees(np.arctan(number / rate))
    result[2] = 2.0 * one / np.sqrt(_NORMS[at])
    result[3] = min(power[at] / max(_variance(parts, number), 1e-12), 1.0)
    result[4] = (1.0 - 2.0 * sense) * (one - other) / max(one + other, 1e-9)
    return result


@kernel
def _vertex(before: float, peak: float, after: float) -> float:
    """Return the offset of the peak of a parabola through three powers, -0.5 to 0.5 steps."""
    bend = before - 2.0 * peak + after
    if bend > -1e-12 or peak < before or peak < after:
        return 0.0
    return min(max(0.5 * (before - after) / bend, -0.5), 0.5)


@kernel
def _variance(parts: NDArray[np.float64], m: int) -> float:
    """Return the variance of an order's coefficient along ln r."""
    square, real, imaginary = 0.0, 0.0, 0.0
    for i in range(parts.shape[0]):
        a, b = parts[i, m, 0], parts[i, m, 1]
        square += _TAPER[i] * (a * a + b * b)
        real += _TAPER[i] * a
        imaginary += _TAPER[i] * b
    return square - real * real - imaginary * imaginary
