"""Small histograms of one feature in two data sets, as inline SVG."""

from __future__ import annotations

from html import escape

import numpy as np
from numpy.typing import NDArray

from galfeat.evaluate.drift.text import decimals

BINS = 28
_WIDTH, _HEIGHT, _BELOW = 280, 92, 16
#: Share of the values at either end that is drawn in the outermost bins.
_CUT = 0.005


def histogram(name: str, a: NDArray[np.float64], b: NDArray[np.float64]) -> str:
    """Draw the distributions of a feature in A, filled, and in B, as a line.

    Parameters
    ----------
    name : str
    a, b : ndarray of float
        Values, at least one in each that is not NaN; the others are omitted.
    """
    values = [x[np.isfinite(x)] for x in (a, b)]
    ends = [np.quantile(x, [_CUT, 1.0 - _CUT]) for x in values]
    low, high = float(min(end[0] for end in ends)), float(max(end[1] for end in ends))
    if not low < high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)
    shares = [np.histogram(np.clip(x, low, high), edges)[0] / len(x) for x in values]
    largest = max(float(share.max()) for share in shares)
    outlines = [_outline(share / largest) for share in shares]
    medians = [(float(np.median(x)) - low) / (high - low) * _WIDTH for x in values]
    marks = "".join(
        f'<line class="of-{which}" x1="{x:.1f}" x2="{x:.1f}" y1="{_HEIGHT}" y2="{_HEIGHT + 5}"/>'
        for which, x in zip("ab", medians, strict=True)
    )
    label = (
        f"{name}: median {decimals(float(np.median(values[0])))} in A, "
        f"{decimals(float(np.median(values[1])))} in B"
    )
    return (
        f'<svg class="histogram" viewBox="-1 -1 {_WIDTH + 2} {_HEIGHT + _BELOW + 2}" role="img" '
        f'aria-label="{escape(label)}">'
        f'<path class="fill-a" d="{outlines[0]}V{_HEIGHT}H0Z"/>'
        f'<path class="line-b" d="{outlines[1]}"/>'
        f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{_HEIGHT}" y2="{_HEIGHT}"/>{marks}'
        f'<text x="0" y="{_HEIGHT + _BELOW - 1}">{decimals(low)}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT + _BELOW - 1}" text-anchor="end">{decimals(high)}</text>'
        "</svg>"
    )


def _outline(heights: NDArray[np.float64]) -> str:
    """Return the path of steps over the bins, from the left end of the axis."""
    step = _WIDTH / len(heights)
    tops = _HEIGHT * (1.0 - heights)
    return f"M0 {_HEIGHT}" + "".join(
        f"V{top:.1f}H{step * (index + 1):.1f}" for index, top in enumerate(tops)
    )
