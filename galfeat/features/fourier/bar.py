"""Bars: the region around the centre where the phase of m = 2 is constant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Radii of the circles for bars, in pixels of a 64×64 view: up to 0.6 of the frame radius.
BAR_RADII = np.arange(1.0, 21.0)
#: Half-width of a view in pixels: one frame radius.
_RADIUS = 32.0
#: Number of innermost circles on which a bar may start.
_INNERMOST = 4
#: Maximum deviation of the phase of m = 2 within a bar, in radians: 7 degrees on the sky.
_SAME_PHASE = 0.25


@kernel
def bar(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the strength, length, share, boxiness and alignment of a bar, shape (5,).

    The bar is the range of circles, starting near the centre, in which the phase of m = 2
    differs from that of their sum by at most 0.25 rad, 7 degrees on the sky (Aguerri et al.
    2000 allow 10). Of the ranges that start on the four innermost circles, the one with the
    largest sum of amplitudes is used.

    Parameters
    ----------
    parts : ndarray of float64, shape (20, 7, 2)
        Fourier coefficients on the circles of `BAR_RADII`.

    Returns
    -------
    ndarray of float64
        Strength: the largest amplitude of m = 2 over m = 0 in phase with the bar, 0 to 2.
        Length: the radius where the phase departs from the bar's, in view radii. Share: the
        light of m = 2 over all light within the length. Boxiness: the largest amplitude of
        m = 4 in phase with the bar; negative for pointed ends. Alignment: the cosine of twice
        the angle between bar and major axis. All are finite; without m = 2 the strength is 0
        and the alignment 1.
    """
    number = parts.shape[0]
    floor = 0.02 * abs(parts[0, 0, 0]) + 1e-3
    most, first, last, phase = -1.0, 0, 0, 0.0
    for start in range(_INNERMOST):
        real, imaginary, end = 0.0, 0.0, start
        for i in range(start, number):
            mean = max(parts[i, 0, 0], floor)
            a, b = parts[i, 2, 0] / mean, parts[i, 2, 1] / mean
            real, imaginary = real + a, imaginary + b
            if _departure(parts[i, 2], np.arctan2(imaginary, real)) > _SAME_PHASE:
                real, imaginary = real - a, imaginary - b
                break
            end = i
        if np.hypot(real, imaginary) > most:
            most, first, last = np.hypot(real, imaginary), start, end
            phase = np.arctan2(imaginary, real)

    c, s = np.cos(phase), np.sin(phase)
    c4, s4 = np.cos(2.0 * phase), np.sin(2.0 * phase)
    strength, boxiness, barred, light = 0.0, 0.0, 0.0, 0.0
    for i in range(last + 1):
        mean = max(parts[i, 0, 0], floor)
        two = 2.0 * (parts[i, 2, 0] * c + parts[i, 2, 1] * s)
        four = 2.0 * (parts[i, 4, 0] * c4 + parts[i, 4, 1] * s4) / mean
        if i >= first:
            strength = max(strength, two / mean)
            boxiness = four if abs(four) > abs(boxiness) else boxiness
        barred += two * BAR_RADII[i]
        light += mean * BAR_RADII[i]
    result = np.empty(5, np.float64)
    result[0] = strength
    result[1] = _end(parts, last, phase) / _RADIUS
    result[2] = barred / light
    result[3] = boxiness
    result[4] = c
    return result


@kernel
def _departure(part: NDArray[np.float64], phase: float) -> float:
    """Return the absolute difference between a coefficient's phase and another, 0 to pi."""
    c, s = np.cos(phase), np.sin(phase)
    return abs(np.arctan2(part[1] * c - part[0] * s, part[0] * c + part[1] * s))


@kernel
def _end(parts: NDArray[np.float64], last: int, phase: float) -> float:
    """Return the interpolated radius at which the phase departs from the bar's."""
    if last + 1 == parts.shape[0]:
        return BAR_RADII[last]
    inner = min(_departure(parts[last, 2], phase), _SAME_PHASE)
    outer = _departure(parts[last + 1, 2], phase)
    between = (_SAME_PHASE - inner) / max(outer - inner, 1e-9)
    return BAR_RADII[last] + min(max(between, 0.0), 1.0)
