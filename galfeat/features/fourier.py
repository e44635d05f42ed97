"""Azimuthal Fourier analysis: amplitudes and phases, lopsidedness, bars and spiral arms.

A view is sampled on circles and each circle transformed: order m = 1 is lopsidedness, m = 2 a
bar or two arms, m = 4 a boxy bar or four arms. How the phase of an order moves with radius
tells a bar (it stays) from arms (it winds steadily in the logarithm of the radius).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.bar import BAR_RADII, bar
from galfeat.features.pitch import ARM_RADII, arms
from galfeat.features.polar import ORDERS, circles, contrast, transform
from galfeat.features.registry import Column
from galfeat.features.spirality import spirality
from galfeat.frame import Frame, View
from galfeat.kernels import kernel

#: Circles for amplitudes and phases, and for windings.
RADII = 16
#: Amplitudes are averaged over pairs of circles, phases over four.
RINGS, PHASE_RINGS = RADII // 2, RADII // 4
#: Orders whose winding is measured, and the steps of winding from open to tight.
WINDING_ORDERS, WINDINGS = 4, 6
#: Radii over the outermost: the middles of rings of equal width, and evenly in the logarithm.
LINEAR = (np.arange(RADII) + 0.5) / RADII
LOGARITHMIC = 0.12 ** (1.0 - np.arange(RADII) / (RADII - 1.0))
#: Cycles of winding: radians of phase per unit of ln r in the first step, and per step.
_FIRST_WINDING, _WINDING_STEP = 0.75, 1.5
#: How far each view is sampled, in pixels of the view: inside its edge, and for the context
#: view out to two frame radii.
_REACH = {"deprojected": 30.0, "aligned": 30.0, "context": 21.0}
#: The linear circles between 1.5 and 2.5 scale lengths of the equalised profile, which has
#: three of them in a frame radius.
_LOPSIDED = slice(8, 14)

_AMPLITUDES = "Elmegreen & Elmegreen 1985"
_SPIRALS = "Considère & Athanassoula 1982"
_LOPSIDEDNESS = "Rix & Zaritsky 1995"
_BAR = (
    ("strength", "1", "largest amplitude of m = 2 in phase with the bar", "Aguerri et al. 2000"),
    ("length", "frame radii", "how far out the phase of m = 2 stays", "Aguerri et al. 2000"),
    ("share", "1", "light of m = 2 over all light within the bar's length", "Ohta et al. 1990"),
    ("boxiness", "1", "largest amplitude of m = 4 in phase with the bar", "Ohta et al. 1990"),
    ("alignment", "1", "cosine of twice the angle between bar and major axis", "galfeat"),
)
_ARMS = (
    ("number", "1", "order m = 2 to 6 of the strongest logarithmic spiral", "0 without contrast"),
    ("pitch", "deg", "pitch angle of the strongest logarithmic spiral", "90 without contrast"),
    ("strength", "1", "amplitude of the strongest logarithmic spiral over the mean light", ""),
    ("coherence", "1", "part of the variance of its order that the spiral explains", ""),
    ("sense", "1", "amplitude less that of the other sense, over the sum; positive if the angle "
     "from x towards rising rows grows outwards along an arm", ""),
)  # fmt: skip


def _columns(view: str) -> list[Column]:
    def column(
        name: str,
        unit: str,
        meaning: str,
        paper: str,
        invariant: bool = True,
        degenerate: str = "0 without light",
    ) -> Column:
        text = f"{meaning}, in the {view} view"
        if view == "deprojected":
            degenerate += "; NaN without a deprojected view"
        return Column(f"fourier.{view}.{name}", unit, text, paper, invariant, degenerate)

    orders = range(1, ORDERS + 1)
    listed = [
        column(f"a{m}.r{ring}", "1", f"amplitude of m = {m} over m = 0 in ring {ring} of {RINGS}",
               _AMPLITUDES)
        for m in orders for ring in range(RINGS)
    ]  # fmt: skip
    for m in range(1, WINDING_ORDERS + 1):
        listed += [
            column(f"a{m}.coherence", "1", f"how steadily the phase of m = {m} moves with radius",
                   "galfeat"),
            column(f"a{m}.drift", "rad", f"how far the phase of m = {m} moves per circle",
                   "galfeat"),
        ]  # fmt: skip
    listed += [
        column(f"w{m}.s{step}.{sense}", "1",
               f"amplitude of {m}-armed logarithmic spirals of winding step {step}, in the "
               f"{sense}er of the two senses", _SPIRALS)
        for m in range(1, WINDING_ORDERS + 1) for step in range(WINDINGS)
        for sense in ("strong", "weak")
    ]  # fmt: skip
    if view == "context":
        return listed
    listed += [
        column(f"bar.{name}", unit, meaning, paper,
               degenerate="1 without m = 2" if name == "alignment" else "0 without m = 2")
        for name, unit, meaning, paper in _BAR
    ]  # fmt: skip
    listed.append(
        column("lopsidedness", "1", "mean amplitude of m = 1 over m = 0 between 1.5 and 2.5 scale "
               "lengths of the equalised profile", _LOPSIDEDNESS)
    )  # fmt: skip
    if view == "aligned":
        return listed
    listed += [
        column(f"arms.{name}", unit, meaning, "Davis et al. 2012", name != "sense",
               degenerate or "0 without contrast")
        for name, unit, meaning, degenerate in _ARMS
    ]  # fmt: skip
    listed.append(
        column("spirality", "rad", "spread of the gradient's direction about the radial one",
               "Ferrari et al. 2015")
    )  # fmt: skip
    listed += [
        column(f"p{m}.r{ring}", "rad", f"phase of m = {m}, from the major axis towards rising "
               f"rows, in ring {ring} of {PHASE_RINGS}", _AMPLITUDES, False)
        for m in orders for ring in range(PHASE_RINGS)
    ]  # fmt: skip
    return listed


_OF_VIEW = {view: _columns(view) for view in _REACH}
COLUMNS = tuple(column for view in _REACH for column in _OF_VIEW[view])


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`; NaN for the deprojected view where there is none."""
    values = np.full(len(COLUMNS), np.nan, np.float32)
    first = 0
    for name, reach in _REACH.items():
        last = first + len(_OF_VIEW[name])
        turns: View | tuple[View, ...] | None = getattr(frame, name)
        view = turns[0] if isinstance(turns, tuple) else turns
        if view is not None:
            values[first:last] = _one_view(view.equalised, reach, name)
        first = last
    return values


def _one_view(image: NDArray[np.float32], reach: float, name: str) -> NDArray[np.float64]:
    rings = transform(circles(image, reach * LINEAR))
    spirals = transform(contrast(circles(image, reach * LOGARITHMIC)))
    values = [amplitudes(rings), phase_drift(rings), windings(spirals)]
    if name != "context":
        values += [bar(transform(circles(image, BAR_RADII))), np.array([lopsidedness(rings)])]
    if name == "deprojected":
        samples = circles(image, ARM_RADII)
        values += [arms(transform(contrast(samples))), np.array([spirality(samples)])]
        values.append(phases(rings))
    return np.concatenate(values)


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
def phases(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the phases of m = 1 to 6 in four rings, shape (24,), in radians, -pi to pi.

    A wave a cos(m theta - p) has the phase p; 0 where there is none.
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


def lopsidedness(parts: NDArray[np.float64]) -> float:
    """Return the mean amplitude of m = 1 over m = 0 (Rix & Zaritsky 1995), 0 to 2.

    Over the circles between 1.5 and 2.5 scale lengths of the equalised profile, 0.5 to 0.83
    frame radii. A disc whose outer isophotes are shifted by a part d of a scale length has
    about d. 0 without light.
    """
    circle = parts[_LOPSIDED]
    floor = 0.02 * abs(parts[0, 0, 0]) + 1e-3
    sizes = np.hypot(circle[:, 1, 0], circle[:, 1, 1])
    return float(np.mean(2.0 * sizes / np.maximum(circle[:, 0, 0], floor)))


@kernel
def windings(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return amplitudes of logarithmic spirals, shape (48,).

    For m = 1 to 4 arms and six windings from open to tight: the larger and the smaller of
    the two senses. `parts` are the coefficients of the contrast on circles evenly spaced in
    ln r; an m-armed spiral of pitch angle p winds its phase by m / tan(p) per unit of ln r.
    """
    result = np.zeros((WINDING_ORDERS, WINDINGS, 2), np.float64)
    per_circle = np.log(LOGARITHMIC[1] / LOGARITHMIC[0])
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
