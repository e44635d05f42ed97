"""Azimuthal Fourier analysis: amplitudes and phases, lopsidedness, bars and spiral arms.

A view is sampled on circles and each circle transformed: order m = 1 is lopsidedness, m = 2 a
bar or two arms, m = 4 a boxy bar or four arms. The change of an order's phase with radius
distinguishes bars (constant) from arms (linear in the logarithm of the radius).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.fourier.bar import BAR_RADII, bar
from galfeat.features.fourier.columns import COLUMNS, PLACES
from galfeat.features.fourier.pitch import ARM_RADII, arms
from galfeat.features.fourier.polar import (
    ORDERS,
    PHASE_RINGS,
    RADII,
    RINGS,
    WINDING_ORDERS,
    WINDINGS,
    circle_places,
    contrast,
    sampled,
    transform,
)
from galfeat.features.fourier.spirality import spirality
from galfeat.features.vector import append
from galfeat.frame import Frame
from galfeat.frame.views import VIEW_SIZE
from galfeat.kernels import kernel

__all__ = [
    "COLUMNS",
    "LINEAR",
    "LOGARITHMIC",
    "amplitudes",
    "lopsidedness",
    "measure",
    "phase_drift",
    "phases",
    "windings",
]

#: Radii relative to the outermost: the centres of rings of equal width, and logarithmic.
LINEAR = (np.arange(RADII) + 0.5) / RADII
LOGARITHMIC = 0.12 ** (1.0 - np.arange(RADII) / (RADII - 1.0))
#: Maximum radius of the circles, in pixels of the view: inside its edge, and in the context view
#: two frame radii.
_REACH, _CONTEXT_REACH = 30.0, 21.0
#: The circles of a view: for amplitudes, windings, the bar and the arms. The aligned view omits
#: those of the arms, the context view also those of the bar.
_CIRCLES = circle_places(
    np.concatenate([_REACH * LINEAR, _REACH * LOGARITHMIC, BAR_RADII, ARM_RADII]), VIEW_SIZE
)
_CONTEXT_CIRCLES = circle_places(_CONTEXT_REACH * np.concatenate([LINEAR, LOGARITHMIC]), VIEW_SIZE)
_FOR_BAR, _FOR_ARMS = 2 * RADII, 2 * RADII + len(BAR_RADII)
_NO_VIEW = np.zeros((0, 0), np.float32)
#: Winding rates: radians of phase per unit of ln r in the first step, and increment per step.
_FIRST_WINDING, _WINDING_STEP = 0.75, 1.5
_PER_CIRCLE = np.log(LOGARITHMIC[1] / LOGARITHMIC[0])
_PHASE = _PER_CIRCLE * np.outer(
    _FIRST_WINDING + _WINDING_STEP * np.arange(WINDINGS), np.arange(RADII)
)
# A taper that fades out at both ends and excludes the two innermost circles.
_FADING = np.maximum(np.sin(np.pi * (np.arange(RADII) - 1.5) / (RADII - 2)), 0.0)
_COSINES, _SINES = _FADING * np.cos(_PHASE), _FADING * np.sin(_PHASE)
#: The linear circles between 1.5 and 2.5 scale lengths of the equalised profile; a frame radius
#: is three scale lengths.
_LOPSIDED_FROM, _LOPSIDED_TO = 8, 14


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`; NaN for a missing deprojected view.

    Examples
    --------
    >>> from galfeat.data.simulation import simulate
    >>> from galfeat.features.fourier import COLUMNS, measure
    >>> from galfeat.frame import measure_frame
    >>> frame = measure_frame(simulate(1, seed=1).images[0])
    >>> measure(frame).shape == (len(COLUMNS),)
    True
    """
    face_on = _NO_VIEW if frame.deprojected is None else frame.deprojected.equalised
    aligned, context = frame.aligned[0].equalised, frame.context[0].equalised
    values: NDArray[np.float32] = _measure(
        face_on, aligned, context, *_CIRCLES, *_CONTEXT_CIRCLES, PLACES
    )
    return values


@kernel
def _measure(
    face_on: NDArray[np.float32],
    aligned: NDArray[np.float32],
    context: NDArray[np.float32],
    pixels: NDArray[np.int32],
    parts: NDArray[np.float32],
    context_pixels: NDArray[np.int32],
    context_parts: NDArray[np.float32],
    places: tuple[int, ...],
) -> NDArray[np.float32]:
    """Measure the views; `places` are the index of the first value of each and the total."""
    values = np.full(places[3], np.nan, np.float32)
    images = (face_on, aligned, context)
    pixels_of = (pixels, pixels[:_FOR_ARMS], context_pixels)
    parts_of = (parts, parts[:_FOR_ARMS], context_parts)
    for view in range(3):
        if images[view].size > 0:
            samples = sampled(images[view], pixels_of[view], parts_of[view])
            _one_view(samples, values, places[view])
    return values


@kernel
def _one_view(samples: NDArray[np.float32], values: NDArray[np.float32], first: int) -> None:
    """Write the features of one view's samples, starting at index `first`."""
    rings = transform(samples[:RADII])
    spirals = transform(contrast(samples[RADII:_FOR_BAR]))
    at = append(values, first, amplitudes(rings))
    at = append(values, at, phase_drift(rings))
    at = append(values, at, windings(spirals))
    if samples.shape[0] > _FOR_BAR:
        at = append(values, at, bar(transform(samples[_FOR_BAR:_FOR_ARMS])))
        values[at] = lopsidedness(rings)
        at += 1
    if samples.shape[0] > _FOR_ARMS:
        at = append(values, at, arms(transform(contrast(samples[_FOR_ARMS:]))))
        values[at] = spirality(samples[_FOR_ARMS:])
        append(values, at + 1, phases(rings))


@kernel
def amplitudes(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 2 |c_m| / c_0 in eight rings for m = 1 to 6, shape (48,)."""
    floor = 0.02 * abs(parts[0, 0, 0]) + 1e-3
    result = np.zeros((ORDERS, RINGS), np.float64)
    for m in range(1, ORDERS + 1):
        for ring in range(RINGS):
            inner, outer = parts[2 * ring], parts[2 * ring + 1]
            size = np.hypot(inner[m, 0], inner[m, 1]) + np.hypot(outer[m, 0], outer[m, 1])
            result[m - 1, ring] = 2.0 * size / max(inner[0, 0] + outer[0, 0], 2.0 * floor)
    return result.reshape(-1)


@kernel
def phase_drift(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return coherence and drift of the phase with radius for m = 1 to 4, shape (8,).

    Phase steps between adjacent circles are added as vectors weighted by their amplitudes. The
    length of the sum over the sum of lengths, the coherence, is 1 for bars and evenly wound
    arms, near 0 for noise; the angle of the sum is the drift, in radians per circle. Both are 0
    for orders without amplitude.
    """
    floor = 0.02 * abs(parts[0, 0, 0]) + 1e-3
    result = np.zeros(2 * WINDING_ORDERS, np.float64)
    for m in range(1, WINDING_ORDERS + 1):
        real, imaginary, size = 0.0, 0.0, 0.0
        for i in range(2, 13):
            a, b = parts[i, m], parts[i + 1, m]
            weight = 1.0 / max(parts[i, 0, 0], floor) ** 2
            re = (a[0] * b[0] + a[1] * b[1]) * weight
            im = (a[0] * b[1] - a[1] * b[0]) * weight
            real += re
            imaginary += im
            size += np.hypot(re, im)
        result[2 * m - 2] = np.hypot(real, imaginary) / max(size, 1e-9)
        if size > 1e-9:  # otherwise the phase is determined by rounding errors
            result[2 * m - 1] = abs(np.arctan2(imaginary, real))
    return result


@kernel
def phases(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the phases of m = 1 to 6 in four rings, shape (24,), in radians, -pi to pi.

    A wave a cos(m theta - p) has the phase p; 0 without a wave.
    """
    result = np.zeros((ORDERS, PHASE_RINGS), np.float64)
    for m in range(1, ORDERS + 1):
        for ring in range(PHASE_RINGS):
            real, imaginary = 0.0, 0.0
            for i in range(4 * ring, 4 * ring + 4):
                real += parts[i, m, 0]
                imaginary += parts[i, m, 1]
            result[m - 1, ring] = np.arctan2(imaginary, real)
    return result.reshape(-1)


@kernel
def lopsidedness(parts: NDArray[np.float64]) -> float:
    """Return the mean amplitude of m = 1 over m = 0 (Rix & Zaritsky 1995), 0 to 2.

    The mean is over the circles between 1.5 and 2.5 scale lengths of the equalised profile, 0.5
    to 0.83 frame radii. For a disc with outer isophotes shifted by a fraction d of a scale
    length it is about d. 0 without light.
    """
    floor = 0.02 * abs(parts[0, 0, 0]) + 1e-3
    total = 0.0
    for i in range(_LOPSIDED_FROM, _LOPSIDED_TO):
        total += 2.0 * np.hypot(parts[i, 1, 0], parts[i, 1, 1]) / max(parts[i, 0, 0], floor)
    return total / (_LOPSIDED_TO - _LOPSIDED_FROM)


@kernel
def windings(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return amplitudes of logarithmic spirals, shape (48,).

    For m = 1 to 4 arms and six windings from open to tight: the larger and the smaller
    amplitude of the two senses. `parts` are the coefficients of the contrast on circles evenly
    spaced in ln r; the phase of an m-armed spiral of pitch angle p changes by m / tan(p) per
    unit of ln r.
    """
    result = np.zeros((WINDING_ORDERS, WINDINGS, 2), np.float64)
    for m in range(1, WINDING_ORDERS + 1):
        for step in range(WINDINGS):
            ac, as_, bc, bs = 0.0, 0.0, 0.0, 0.0
            for i in range(2, RADII):
                a, b = parts[i, m, 0], parts[i, m, 1]
                ac += a * _COSINES[step, i]
                as_ += a * _SINES[step, i]
                bc += b * _COSINES[step, i]
                bs += b * _SINES[step, i]
            forth = np.hypot(ac + bs, bc - as_) / RADII
            back = np.hypot(ac - bs, bc + as_) / RADII
            result[m - 1, step, 0] = max(forth, back)
            result[m - 1, step, 1] = min(forth, back)
    return result.reshape(-1)
