"""Azimuthal Fourier analysis: bars, arms, lopsidedness and pitch.

A view is sampled on circles and each circle transformed: order m = 1 is lopsidedness, m = 2 a
bar or two arms, m = 4 a boxy bar or four arms. How the phase of an order moves with radius
tells a bar (it stays) from arms (it winds steadily in the logarithm of the radius).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import Column
from galfeat.frame import Frame, View
from galfeat.kernels import kernel

#: Circles and samples on each.
RADII, ANGLES = 16, 64
#: Azimuthal orders from 1; amplitudes are averaged over pairs of circles.
ORDERS, RINGS = 6, RADII // 2
#: Orders whose winding is measured, and the steps of winding from open to tight.
WINDING_ORDERS, WINDINGS = 4, 6
#: Innermost of the logarithmically spaced circles, in outer radii.
_INNERMOST = 0.12
#: Cycles of winding: radians of phase per unit of ln r in the first step, and per step.
_FIRST_WINDING, _WINDING_STEP = 0.75, 1.5
#: How far each view is sampled, in pixels of the view: inside its edge, and for the context
#: view out to two frame radii.
_REACH = {"deprojected": 30.0, "aligned": 30.0, "context": 21.0}
#: Phases within this many radians of the bar's belong to the bar: 10 degrees on the sky.
_SAME_PHASE = 0.35

_AMPLITUDES = "Elmegreen & Elmegreen 1985"
_SPIRALS = "Considère & Athanassoula 1982"
_BAR = (
    ("strength", "1", "largest amplitude of m = 2 within 0.7 of the radius", "Aguerri et al. 2000"),
    ("radius", "radii", "where m = 2 is strongest", "Aguerri et al. 2000"),
    ("extent", "radii", "length over which the phase of m = 2 stays", "Aguerri et al. 2000"),
    ("end", "radii", "outermost circle of that stretch", "Aguerri et al. 2000"),
    ("boxiness", "1", "amplitude of m = 4 in phase with the bar", "Athanassoula et al. 1990"),
    ("alignment", "1", "cosine of the angle between bar and major axis", "galfeat"),
    ("outer_alignment", "1", "cosine of twice the angle between bar and outskirts", "galfeat"),
)


def _columns() -> tuple[Column, ...]:
    listed = []
    for view in _REACH:
        for m in range(1, ORDERS + 1):
            for ring in range(RINGS):
                listed.append(
                    Column(
                        f"fourier.{view}.a{m}.r{ring}", "1",
                        f"amplitude of m = {m} over m = 0 in ring {ring} of {RINGS} "
                        f"of the {view} view", _AMPLITUDES,
                    )
                )  # fmt: skip
        for m in range(1, WINDING_ORDERS + 1):
            listed.append(
                Column(
                    f"fourier.{view}.a{m}.coherence", "1",
                    f"how steadily the phase of m = {m} moves with radius in the {view} view",
                    "galfeat",
                )
            )  # fmt: skip
            listed.append(
                Column(
                    f"fourier.{view}.a{m}.drift", "rad",
                    f"how far the phase of m = {m} moves per circle in the {view} view", "galfeat",
                )
            )  # fmt: skip
        for name, unit, meaning, paper in _BAR:
            listed.append(Column(f"fourier.{view}.bar.{name}", unit, meaning, paper))
        for m in range(1, WINDING_ORDERS + 1):
            for step in range(WINDINGS):
                for sense in ("strong", "weak"):
                    listed.append(
                        Column(
                            f"fourier.{view}.w{m}.s{step}.{sense}", "1",
                            f"amplitude of {m}-armed logarithmic spirals of winding step {step} "
                            f"in the {view} view, in the {sense}er of the two senses", _SPIRALS,
                        )
                    )  # fmt: skip
    return tuple(listed)


COLUMNS = _columns()
_WIDTH = len(COLUMNS) // len(_REACH)


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`; NaN for the deprojected view where there is none."""
    parts = []
    for name, reach in _REACH.items():
        turns: View | tuple[View, ...] | None = getattr(frame, name)
        view = turns[0] if isinstance(turns, tuple) else turns
        if view is None:
            parts.append(np.full(_WIDTH, np.nan, np.float32))
        else:
            parts.append(_one_view(view.equalised, reach))
    return np.concatenate(parts)


def _one_view(image: NDArray[np.float32], reach: float) -> NDArray[np.float32]:
    rings = transform(circles(image, reach, False))
    spirals = transform(contrast(circles(image, reach, True)))
    return np.concatenate(
        [amplitudes(rings), phase_drift(rings), bar(rings), windings(spirals)], dtype=np.float32
    )


@kernel
def circles(image: NDArray[np.float32], reach: float, logarithmic: bool) -> NDArray[np.float32]:
    """Sample an image on circles around its middle, shape (16, 64).

    Parameters
    ----------
    image : ndarray of float32, shape (n, n)
    reach : float
        The outer radius, in pixels.
    logarithmic : bool
        Radii evenly spaced in the logarithm from 0.12 of `reach` to `reach`; else the
        middles of 16 rings of equal width.
    """
    height, width = image.shape
    yc, xc = 0.5 * (height - 1), 0.5 * (width - 1)
    samples = np.zeros((RADII, ANGLES), np.float32)
    for j in range(ANGLES):
        theta = 2.0 * np.pi * j / ANGLES
        c, s = np.cos(theta), np.sin(theta)
        for i in range(RADII):
            if logarithmic:
                r = reach * _INNERMOST ** (1.0 - i / (RADII - 1.0))
            else:
                r = reach * (i + 0.5) / RADII
            y = min(max(yc + r * s, 0.0), height - 1.001)
            x = min(max(xc + r * c, 0.0), width - 1.001)
            y0, x0 = int(y), int(x)
            fy, fx = np.float32(y - y0), np.float32(x - x0)
            upper = image[y0, x0] + fx * (image[y0, x0 + 1] - image[y0, x0])
            lower = image[y0 + 1, x0] + fx * (image[y0 + 1, x0 + 1] - image[y0 + 1, x0])
            samples[i, j] = upper + fy * (lower - upper)
    return samples


@kernel
def contrast(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each circle's departure from its mean over the mean; zero without light."""
    result = np.zeros(samples.shape, np.float32)
    for i in range(samples.shape[0]):
        mean = samples[i].mean()
        if mean > 0.0:
            for j in range(samples.shape[1]):
                result[i, j] = (samples[i, j] - mean) / mean
    return result


@kernel
def transform(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the Fourier coefficients of each circle, shape (16, 7, 2): cosine and sine parts.

    Order 0 is the mean; orders m from 1 to 6 are means of the samples times cos(m theta) and
    sin(m theta), so a wave a cos(m theta - p) has the parts a / 2 cos(p) and a / 2 sin(p).
    """
    number, angles = samples.shape
    parts = np.zeros((number, ORDERS + 1, 2), np.float64)
    cosines = np.empty(angles, np.float32)
    sines = np.empty(angles, np.float32)
    for m in range(ORDERS + 1):
        for j in range(angles):
            cosines[j] = np.cos(2.0 * np.pi * m * j / angles)
            sines[j] = np.sin(2.0 * np.pi * m * j / angles)
        for i in range(number):
            row = samples[i]
            a, b = np.float32(0.0), np.float32(0.0)
            for j in range(angles):
                a += row[j] * cosines[j]
                b += row[j] * sines[j]
            parts[i, m, 0], parts[i, m, 1] = a / angles, b / angles
    return parts


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
    """Return for m = 1 to 4 how steadily and how fast the phase moves with radius, shape (8,).

    Steps of phase between neighbouring circles are added as vectors weighted by their
    amplitudes: the length of the sum over the sum of lengths is 1 for a bar or for arms that
    wind evenly, near 0 for noise; its angle is the drift, in radians per circle. Both are 0
    where the order has no amplitude.
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
        if size > 1e-9:  # else the phase is that of rounding errors
            result[2 * m - 1] = abs(np.arctan2(imaginary, real))
    return result


@kernel
def bar(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seven numbers of the bar, shape (7,), in the order of the registry."""
    floor = 0.02 * abs(parts[0, 0, 0]) + 1e-3
    strength, where = 0.0, 1
    for i in range(1, 11):
        size = 2.0 * np.hypot(parts[i, 2, 0], parts[i, 2, 1]) / max(parts[i, 0, 0], floor)
        if size > strength:
            strength, where = size, i
    phase = np.arctan2(parts[where, 2, 1], parts[where, 2, 0])
    first, last = where, where
    while first > 0 and abs(_phase_from(parts[first - 1, 2], phase)) < _SAME_PHASE:
        first -= 1
    while last < RADII - 1 and abs(_phase_from(parts[last + 1, 2], phase)) < _SAME_PHASE:
        last += 1
    four = parts[where, 4]
    result = np.empty(7, np.float64)
    result[0] = strength
    result[1] = (where + 0.5) / RADII
    result[2] = (last - first + 1.0) / RADII
    result[3] = (last + 1.0) / RADII
    in_phase = four[0] * np.cos(2.0 * phase) + four[1] * np.sin(2.0 * phase)
    result[4] = 2.0 * in_phase / max(parts[where, 0, 0], floor)
    result[5] = abs(np.cos(0.5 * phase))
    result[6] = np.cos(_phase_from(parts[RADII - 4, 2], phase))
    return result


@kernel
def _phase_from(part: NDArray[np.float64], phase: float) -> float:
    """Return a coefficient's phase less another, in (-pi, pi]."""
    c, s = np.cos(phase), np.sin(phase)
    return np.arctan2(part[1] * c - part[0] * s, part[0] * c + part[1] * s)


@kernel
def windings(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return amplitudes of logarithmic spirals, shape (48,).

    For m = 1 to 4 arms and six windings from open to tight: the larger and the smaller of
    the two senses. `parts` are the coefficients of the contrast on circles evenly spaced in
    ln r; an m-armed spiral of pitch angle p winds its phase by m / tan(p) per unit of ln r.
    """
    result = np.zeros((WINDING_ORDERS, WINDINGS, 2), np.float64)
    per_circle = -np.log(_INNERMOST) / (RADII - 1)
    for m in range(1, WINDING_ORDERS + 1):
        for step in range(WINDINGS):
            rate = (_FIRST_WINDING + _WINDING_STEP * step) * per_circle
            forth_re, forth_im, back_re, back_im = 0.0, 0.0, 0.0, 0.0
            for i in range(2, RADII):
                weight = np.sin(np.pi * (i - 1.5) / (RADII - 2))  # fades out at both ends
                a, b = weight * parts[i, m, 0], weight * parts[i, m, 1]
                c, s = np.cos(rate * i), np.sin(rate * i)
                forth_re += a * c + b * s
                forth_im += b * c - a * s
                back_re += a * c - b * s
                back_im += b * c + a * s
            forth = np.hypot(forth_re, forth_im) / RADII
            back = np.hypot(back_re, back_im) / RADII
            result[m - 1, step, 0] = max(forth, back)
            result[m - 1, step, 1] = min(forth, back)
    return result.reshape(-1)
