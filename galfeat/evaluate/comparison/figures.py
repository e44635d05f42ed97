"""Charts of a comparison as inline SVG, coloured by the page's style sheet.

A pipeline has the same colour, ``s0``, ``s1`` ..., in every chart.
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

#: Colours there are; further pipelines begin again with the first.
COLOURS = 8
_WIDTH = 760
_LINE = 14


@dataclass(frozen=True)
class Axis:
    """A scale from values to places on the page.

    Attributes
    ----------
    low, high : float
        Values at the ends.
    start, end : float
        Their places.
    log : bool
        Whether equal steps are equal ratios.
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
        """Make an axis with some room around all values."""
        low, high = min(values), max(values)
        if log:
            return cls(low / 1.4, high * 1.4, start, end, log=True)
        room = 0.06 * (high - low) or 0.05
        return cls(low - room, high + room, start, end)

    def at(self, value: float) -> float:
        """Return the place of a value."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self) -> list[float]:
        """Return round values for four to nine ticks."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            every = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
            return [tick for tick in every if self.low <= tick <= self.high]
        raw = (self.high - self.low) / 5
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(s * size for s in (1, 2, 5, 10) if s * size >= raw)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(place * step, 10) for place in range(first, last + 1)]


class Line(NamedTuple):
    """A line of a chart of intervals."""

    name: str
    interval: Interval
    words: str
    told: bool


def colour(place: int) -> str:
    """Return the class of the colour of a pipeline by its rank."""
    return f"s{place % COLOURS}"


def zoomed_strip(interval: Interval, low: float, high: float, place: int) -> str:
    """Draw a value and its interval on a scale from `low` to `high`."""
    axis = Axis(low, high, 0, 100)
    value, start, end = (axis.at(end) for end in interval)
    return (
        f'<svg class="zoom {colour(place)}" viewBox="0 0 100 12" preserveAspectRatio="none" '
        'aria-hidden="true"><line class="track" x1="0" x2="100" y1="6" y2="6"/>'
        f'<line class="range" x1="{start:.1f}" x2="{end:.1f}" y1="6" y2="6"/>'
        f'<line class="mark" x1="{value:.1f}" x2="{value:.1f}" y1="1" y2="11"/></svg>'
    )


def forest(lines: Sequence[Line], title: str) -> str:
    """Draw differences with their intervals about a line at zero.

    Parameters
    ----------
    lines : sequence of Line
        Those not told apart from zero are drawn hollow.
    title : str
        Below the axis.
    """
    left, right, row = 205, 545, 32
    bottom = row * len(lines) + 8
    ends = [end for line in lines for end in line.interval] + [0.0]
    axis = Axis.around(ends, left, right)
    parts = _ticks_below(axis, 4, bottom, title)
    zero = axis.at(0.0)
    parts.append(f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="4" y2="{bottom}"/>')
    for place, (name, interval, words, told) in enumerate(lines):
        y = 8 + row * (place + 0.5)
        value, low, high = (axis.at(end) for end in interval)
        parts.append(
            f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
            f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="{"told" if told else "level"}" cx="{value:.1f}" cy="{y}" r="5"/>'
            f'<text class="{"verdict" if told else "soft"}" x="{right + 14}" y="{y + 4}">'
            f"{escape(words)}</text>"
        )
    return _svg(parts, bottom + 44, f"{title}: differences with 95 % intervals")


def scatter(points: Mapping[str, tuple[float, Interval]], x_title: str, y_title: str) -> str:
    """Draw scores against a cost on a logarithmic axis.

    Parameters
    ----------
    points : mapping of str to (float, Interval)
        Cost and score of each pipeline, in the order of the colours.
    x_title, y_title : str
        Of the axes.
    """
    left, right, bottom = 62, _WIDTH - 20, 300
    across = Axis.around([cost for cost, _ in points.values()], left, right, log=True)
    up = Axis.around([end for _, score in points.values() for end in score], bottom, 10)
    parts = _ticks_below(across, 10, bottom, x_title) + _ticks_left(up, left, right, y_title)
    labels = []
    for place, (name, (cost, score)) in enumerate(points.items()):
        x, y = across.at(cost), up.at(score.value)
        parts.append(
            f'<g class="{colour(place)}"><line class="whisker" x1="{x:.1f}" x2="{x:.1f}" '
            f'y1="{up.at(score.low):.1f}" y2="{up.at(score.high):.1f}"/>'
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5.5"/></g>'
        )
        beyond = x > 0.68 * _WIDTH
        labels.append((x - 11 if beyond else x + 11, y + 4, "end" if beyond else "start", name))
    parts += _labels(labels)
    return _svg(parts, bottom + 44, f"{y_title} against {x_title}")


def curves(
    lines: Mapping[str, Sequence[tuple[float, Interval]]], x_title: str, y_title: str
) -> str:
    """Draw a line for each pipeline on a logarithmic axis, named at its end.

    Parameters
    ----------
    lines : mapping of str to sequence of (float, Interval)
        Number of rows and score, in the order of the colours.
    x_title, y_title : str
        Of the axes.
    """
    left, right, bottom = 62, _WIDTH - 205, 320
    rows = [place for line in lines.values() for place, _ in line]
    across = Axis(min(rows) / 1.1, max(rows) * 1.05, left, right, log=True)
    up = Axis.around([end for line in lines.values() for _, score in line for end in score],
                     bottom, 10)  # fmt: skip
    parts = _ticks_below(across, 10, bottom, x_title, sorted(set(rows)))
    parts += _ticks_left(up, left, right, y_title)
    labels = []
    for place, (name, line) in enumerate(lines.items()):
        shift = 1.5 * (place - 0.5 * (len(lines) - 1))  # keeps whiskers from hiding each other
        points = [(across.at(n) + shift, score) for n, score in line]
        path = " ".join(f"{x:.1f},{up.at(score.value):.1f}" for x, score in points)
        marks = "".join(
            f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{up.at(score.low):.1f}" '
            f'y2="{up.at(score.high):.1f}"/>'
            f'<circle class="dot" cx="{x:.1f}" cy="{up.at(score.value):.1f}" r="3.5"/>'
            for x, score in points
        )
        parts.append(
            f'<g class="{colour(place)}"><polyline class="curve" points="{path}"/>{marks}</g>'
        )
        labels.append((right + 12, up.at(points[-1][1].value) + 4, "start", name))
    parts += _labels(labels)
    return _svg(parts, bottom + 44, f"{y_title} against {x_title}")


def slopes(lines: Mapping[str, tuple[Interval, Interval]], title: str) -> str:
    """Draw for each pipeline a score before, hollow, and after, full, and an arrow between.

    Parameters
    ----------
    lines : mapping of str to (Interval, Interval)
        In the order of the colours.
    title : str
        Below the axis.
    """
    left, right, row = 205, _WIDTH - 90, 34
    bottom = row * len(lines) + 8
    axis = Axis.around([end for pair in lines.values() for one in pair for end in one], left, right)
    parts = _ticks_below(axis, 4, bottom, title)
    for place, (name, (before, after)) in enumerate(lines.items()):
        y = 8 + row * (place + 0.5)
        start, end = axis.at(before.value), axis.at(after.value)
        parts.append(
            f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
            f'<g class="{colour(place)}">'
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
    """Write names beside their points, moved apart where they would lie on each other."""
    placed: list[tuple[float, float]] = []
    parts = []
    order = sorted(range(len(labels)), key=lambda place: labels[place][1])
    for place in order:
        x, y, anchor, name = labels[place]
        for other_x, other_y in placed:
            if abs(x - other_x) < 190 and y < other_y + _LINE:
                y = other_y + _LINE
        placed.append((x, y))
        parts.append(
            f'<text class="{colour(place)} name" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
            f"{escape(name)}</text>"
        )
    return parts


def cost_cell(value: float, largest: float, place: int) -> str:
    """Write a cost with a bar from zero."""
    width = 100 * value / largest if largest else 0
    return (
        f'<td><span class="figure">{brief(value)}</span><svg class="cost {colour(place)}" '
        'viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/>'
        f'<rect class="fill" width="{width:.1f}" height="10"/></svg></td>'
    )
