"""Charts of a comparison as inline SVG, coloured by the page's style sheet.

Each pipeline has one colour, ``s0``, ``s1`` ..., in all charts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from galfeat.evaluate.comparison.text import brief
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.report.figures import number

#: Number of colours; further pipelines start again with the first.
COLOURS = 8
#: Maximum number of characters of a name beside a chart, and before another word.
LONGEST_NAME, LONGEST_BEFORE_TEXT = 25, 15
_WIDTH = 760
_LINE = 14


@dataclass(frozen=True)
class Axis:
    """A mapping from values to positions on the page.

    Attributes
    ----------
    low, high : float
        Values at the ends.
    start, end : float
        Positions of the ends.
    log : bool
        Whether the axis is logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    @classmethod
    def around(
        cls, values: Sequence[float], start: float, end: float, *, log: bool = False
    ) -> Axis:
        """Return an axis with a margin around all values."""
        low, high = min(values), max(values)
        if log:
            return cls(low / 1.4, high * 1.4, start, end, log=True)
        margin = 0.06 * (high - low) or 0.05
        return cls(low - margin, high + margin, start, end)

    def at(self, value: float) -> float:
        """Return the position of a value."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self) -> list[float]:
        """Return round values for three to nine ticks."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            candidates = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
            return [tick for tick in candidates if self.low <= tick <= self.high]
        raw = (self.high - self.low) / 5
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(s * size for s in (1, 2, 5, 10) if s * size >= raw)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(multiple * step, 10) for multiple in range(first, last + 1)]


class Line(NamedTuple):
    """A row of a forest plot."""

    name: str
    interval: Interval
    text: str
    significant: bool


def colour(rank: int) -> str:
    """Return the CSS class with the colour of a pipeline."""
    return f"s{rank % COLOURS}"


def shortened(name: str, most: int = LONGEST_NAME) -> str:
    """Return a name of a limited number of characters; an ellipsis replaces the others."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def zoomed_strip(interval: Interval, low: float, high: float, rank: int) -> str:
    """Draw a value and its interval on a scale from `low` to `high`."""
    axis = Axis(low, high, 0, 100)
    value, start, end = (axis.at(end) for end in interval)
    return (
        f'<svg class="zoom {colour(rank)}" viewBox="0 0 100 12" preserveAspectRatio="none" '
        'aria-hidden="true"><line class="track" x1="0" x2="100" y1="6" y2="6"/>'
        f'<line class="range" x1="{start:.1f}" x2="{end:.1f}" y1="6" y2="6"/>'
        f'<line class="mark" x1="{value:.1f}" x2="{value:.1f}" y1="1" y2="11"/></svg>'
    )


def forest(lines: Sequence[Line], title: str) -> str:
    """Draw a forest plot of differences with intervals and a line at zero.

    Parameters
    ----------
    lines : sequence of Line
        Differences that are not significant have hollow markers.
    title : str
        Title of the axis.
    """
    left, right, row = 205, 545, 32
    bottom = row * len(lines) + 8
    ends = [end for line in lines for end in line.interval] + [0.0]
    axis = Axis.around(ends, left, right)
    parts = _ticks_below(axis, 4, bottom, title)
    zero = axis.at(0.0)
    parts.append(f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="4" y2="{bottom}"/>')
    for rank, (name, interval, text, significant) in enumerate(lines):
        y = 8 + row * (rank + 0.5)
        value, low, high = (axis.at(end) for end in interval)
        parts.append(
            f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">'
            f"{escape(shortened(name))}</text>"
            f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="{"sig" if significant else "ns"}" cx="{value:.1f}" cy="{y}" r="5"/>'
            f'<text class="{"verdict" if significant else "soft"}" x="{right + 14}" y="{y + 4}">'
            f"{escape(text)}</text>"
        )
    return _svg(parts, bottom + 44, f"{title}: differences with 95 % intervals")


def scatter(points: Mapping[str, tuple[float, Interval]], x_title: str, y_title: str) -> str:
    """Draw scores against a cost on a logarithmic axis.

    Parameters
    ----------
    points : mapping of str to (float, Interval)
        Cost and score of each pipeline, in the order of the colours.
    x_title, y_title : str
        Titles of the axes.
    """
    left, right, bottom = 62, _WIDTH - 20, 300
    x_axis = Axis.around([cost for cost, _ in points.values()], left, right, log=True)
    y_axis = Axis.around([end for _, score in points.values() for end in score], bottom, 10)
    parts = _ticks_below(x_axis, 10, bottom, x_title) + _ticks_left(y_axis, left, right, y_title)
    labels = []
    for rank, (name, (cost, score)) in enumerate(points.items()):
        x, y = x_axis.at(cost), y_axis.at(score.value)
        parts.append(
            f'<g class="{colour(rank)}"><line class="whisker" x1="{x:.1f}" x2="{x:.1f}" '
            f'y1="{y_axis.at(score.low):.1f}" y2="{y_axis.at(score.high):.1f}"/>'
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5.5"/></g>'
        )
        on_left = x > 0.68 * _WIDTH
        labels.append((x - 11 if on_left else x + 11, y + 4, "end" if on_left else "start", name))
    parts += _labels(labels)
    return _svg(parts, bottom + 44, f"{y_title} against {x_title}")


def curves(
    lines: Mapping[str, Sequence[tuple[float, Interval]]], x_title: str, y_title: str
) -> str:
    """Draw a curve for each pipeline on a logarithmic axis, labelled at its end.

    Parameters
    ----------
    lines : mapping of str to sequence of (float, Interval)
        Number of rows and score, in the order of the colours.
    x_title, y_title : str
        Titles of the axes.
    """
    left, right, bottom = 62, _WIDTH - 205, 320
    rows = [n for line in lines.values() for n, _ in line]
    ends = [end for line in lines.values() for _, score in line for end in score]
    x_axis = Axis(min(rows) / 1.1, max(rows) * 1.05, left, right, log=True)
    y_axis = Axis.around(ends, bottom, 10)
    parts = _ticks_below(x_axis, 10, bottom, x_title, sorted(set(rows)))
    parts += _ticks_left(y_axis, left, right, y_title)
    labels = []
    for rank, (name, line) in enumerate(lines.items()):
        shift = 1.5 * (rank - 0.5 * (len(lines) - 1))  # so that whiskers do not overlap
        points = [(x_axis.at(n) + shift, score) for n, score in line]
        path = " ".join(f"{x:.1f},{y_axis.at(score.value):.1f}" for x, score in points)
        marks = "".join(
            f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{y_axis.at(score.low):.1f}" '
            f'y2="{y_axis.at(score.high):.1f}"/>'
            f'<circle class="dot" cx="{x:.1f}" cy="{y_axis.at(score.value):.1f}" r="3.5"/>'
            for x, score in points
        )
        parts.append(
            f'<g class="{colour(rank)}"><polyline class="curve" points="{path}"/>{marks}</g>'
        )
        labels.append((right + 12, y_axis.at(points[-1][1].value) + 4, "start", name))
    parts += _labels(labels)
    return _svg(parts, bottom + 44, f"{y_title} against {x_title}")


def slopes(lines: Mapping[str, tuple[Interval, Interval]], title: str) -> str:
    """Draw a score before (hollow) and after (filled) for each pipeline, joined by a line.

    Parameters
    ----------
    lines : mapping of str to (Interval, Interval)
        Scores before and after, in the order of the colours.
    title : str
        Title of the axis.
    """
    left, right, row = 205, _WIDTH - 90, 34
    bottom = row * len(lines) + 8
    ends = [end for pair in lines.values() for interval in pair for end in interval]
    axis = Axis.around(ends, left, right)
    parts = _ticks_below(axis, 4, bottom, title)
    for rank, (name, (before, after)) in enumerate(lines.items()):
        y = 8 + row * (rank + 0.5)
        start, end = axis.at(before.value), axis.at(after.value)
        parts.append(
            f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">'
            f"{escape(shortened(name))}</text>"
            f'<g class="{colour(rank)}">'
            f'<line class="whisker" x1="{axis.at(after.low):.1f}" x2="{axis.at(after.high):.1f}" '
            f'y1="{y}" y2="{y}"/>'
            f'<line class="change" x1="{start:.1f}" x2="{end:.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="hollow" cx="{start:.1f}" cy="{y}" r="5"/>'
            f'<circle class="dot" cx="{end:.1f}" cy="{y}" r="5"/></g>'
            f'<text x="{right + 14}" y="{y + 4}">{number(after.value - before.value, 3)}</text>'
        )
    return _svg(parts, bottom + 44, f"{title} before and after")


def _svg(parts: Sequence[str], height: float, label: str) -> str:
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(label)}">'
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg></div>'
    )


def _ticks_below(
    axis: Axis, top: float, bottom: float, title: str, ticks: Sequence[float] | None = None
) -> list[str]:
    parts = []
    for tick in axis.ticks() if ticks is None else ticks:
        x = axis.at(tick)
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
            f'<text class="tick" x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">'
            f"{_tick(tick)}</text>"
        )
    middle = 0.5 * (axis.start + axis.end)
    parts.append(
        f'<text class="title" x="{middle}" y="{bottom + 37}" text-anchor="middle">'
        f"{escape(title)}</text>"
    )
    return parts


def _ticks_left(axis: Axis, left: float, right: float, title: str) -> list[str]:
    parts = []
    for tick in axis.ticks():
        y = axis.at(tick)
        parts.append(
            f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{_tick(tick)}</text>"
        )
    middle = 0.5 * (axis.start + axis.end)
    parts.append(
        f'<text class="title" x="14" y="{middle}" text-anchor="middle" '
        f'transform="rotate(-90 14 {middle})">{escape(title)}</text>'
    )
    return parts


def _tick(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}".replace("-", "−")


def _labels(labels: Sequence[tuple[float, float, str, str]]) -> list[str]:
    """Write names next to their points, shifted where they would overlap."""
    placed: list[tuple[float, float]] = []
    parts = []
    order = sorted(range(len(labels)), key=lambda rank: labels[rank][1])
    for rank in order:
        x, y, anchor, name = labels[rank]
        for other_x, other_y in placed:
            if abs(x - other_x) < 190 and y < other_y + _LINE:
                y = other_y + _LINE
        placed.append((x, y))
        parts.append(
            f'<text class="{colour(rank)} name" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
            f"{escape(shortened(name))}</text>"
        )
    return parts


def cost(value: float, largest: float, rank: int) -> str:
    """Return a cost with a bar from zero."""
    width = 100 * value / largest if largest else 0
    return (
        f'<span class="figure">{brief(value)}</span><svg class="cost {colour(rank)}" '
        'viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/>'
        f'<rect class="fill" width="{width:.1f}" height="10"/></svg>'
    )
