"""Charts of the report as inline SVG and HTML tables, coloured by the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from galfeat.evaluate.intervals import Interval, class_intervals, wilson
from galfeat.evaluate.metrics import Floats, Reliability

DASH = "–"


def number(value: float, digits: int = 2) -> str:
    """Format a number, or a dash if it is not finite."""
    return f"{value:.{digits}f}".replace("-", "−") if math.isfinite(value) else DASH


def percent(share: float) -> str:
    """Format a share in whole per cent, or a dash if it is not finite."""
    return f"{100 * share:.0f}&nbsp;%" if math.isfinite(share) else DASH


def interval_strip(interval: Interval, largest: float) -> str:
    """Draw a value and its interval on a line from zero.

    Parameters
    ----------
    interval : Interval
        Value and ends; drawn only if finite.
    largest : float
        Value at the right end of the line.
    """
    value, low, high = (_position(end, largest) for end in interval)
    drawn = '<line class="track" x1="0" x2="100" y1="5" y2="5"/>'
    if math.isfinite(low) and math.isfinite(high):
        drawn += f'<line class="range" x1="{low:.1f}" x2="{high:.1f}" y1="5" y2="5"/>'
    if math.isfinite(value):
        drawn += f'<line class="mark" x1="{value:.1f}" x2="{value:.1f}" y1="0" y2="10"/>'
    return (
        '<svg class="strip" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f"{drawn}</svg>"
    )


def bar(share: float, interval: Interval | None = None, largest: float = 1.0) -> str:
    """Draw a bar from zero, optionally with an interval as whisker."""
    width = _position(share, largest)
    drawn = '<rect class="track" x="0" y="0" width="100" height="10"/>'
    if math.isfinite(width):
        drawn += f'<rect class="fill" x="0" y="0" width="{width:.1f}" height="10"/>'
    if interval is not None and math.isfinite(width):
        low, high = _position(interval.low, largest), _position(interval.high, largest)
        drawn += f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="5" y2="5"/>'
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f"{drawn}</svg>"
    )


def confusion_table(classes: Sequence[str], confusion: Floats) -> str:
    """Return a confusion matrix as a shaded table.

    Parameters
    ----------
    classes : sequence of str, length k
        Class names.
    confusion : ndarray, shape (k, k)
        True class by row, predicted class by column. Each cell shows its share of the row
        and, smaller, its count; darker shades mean larger shares.
    """
    head = "".join(
        f'<th scope="col" class="turned"><span>{escape(name)}</span></th>' for name in classes
    )
    body = []
    for row, (name, counts) in enumerate(zip(classes, confusion, strict=True)):
        cells = "".join(
            _confusion_cell(count, counts.sum(), right=row == column)
            for column, count in enumerate(counts)
        )
        body.append(
            f'<tr><th scope="row">{escape(name)}</th>{cells}'
            f'<td class="total">{counts.sum():,.0f}</td></tr>'
        )
    totals = "".join(f"<td>{count:,.0f}</td>" for count in confusion.sum(axis=0))
    return (
        '<table class="confusion"><caption class="visually-hidden">Confusion matrix</caption>'
        f'<thead><tr><td></td>{head}<th scope="col" class="turned"><span>all</span></th></tr>'
        f"</thead><tbody>{''.join(body)}</tbody>"
        f'<tfoot><tr><th scope="row">all</th>{totals}<td>{confusion.sum():,.0f}</td></tr></tfoot>'
        "</table>"
    )


def _confusion_cell(count: float, row_total: float, *, right: bool) -> str:
    share = count / row_total if row_total else 0.0
    attributes = ' class="right"' if right else ""
    if not count:
        return f'<td{attributes}><span class="none">·</span></td>'
    return (
        f'<td{attributes} style="--share:{share:.3f}"><b>{100 * share:.0f}</b>'
        f"<small>{count:,.0f}</small></td>"
    )


def class_table(classes: Sequence[str], confusion: Floats) -> str:
    """Return a table of recall, precision and F1 of each class with bars and intervals.

    Parameters
    ----------
    classes : sequence of str, length k
        Class names.
    confusion : ndarray, shape (k, k)
        True class by row, predicted class by column.
    """
    rows = [
        f'<tr><th scope="row">{escape(name)}</th><td class="count">{support:,.0f}</td>'
        f"{_score_cell('Recall', scores.recall)}{_score_cell('Precision', scores.precision)}"
        f"{_score_cell('F1', scores.f1)}</tr>"
        for name, support, scores in zip(
            classes, confusion.sum(axis=1), class_intervals(confusion), strict=True
        )
    ]
    return (
        '<table class="classes"><caption>Recall: the share of the galaxies of this class that the '
        "model assigns to it. Precision: the share of the galaxies assigned to this class that "
        "belong to it. F1: the harmonic mean of both. Thin lines: 95&nbsp;% intervals, wide for "
        "classes with few galaxies.</caption>"
        '<thead><tr><th scope="col">Class</th><th scope="col" class="count">Galaxies</th>'
        '<th scope="col">Recall</th><th scope="col">Precision</th>'
        f'<th scope="col">F1</th></tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def _score_cell(label: str, interval: Interval) -> str:
    title = f"95&nbsp;% interval {number(interval.low)} to {number(interval.high)}"
    return (
        f'<td data-label="{label}" title="{title}">'
        f'<span class="figure">{number(interval.value)}</span>{bar(interval.value, interval)}</td>'
    )


def reliability_chart(curve: Reliability) -> str:
    """Draw a reliability curve: accuracy against the probability of the predicted class.

    Parameters
    ----------
    curve : Reliability
        Bins, each array of shape (bins,). Each point is a bin, with the 95 % Wilson
        interval of its accuracy.
    """
    size, left, bottom = 300, 44, 40
    parts = [_axes(size, left, bottom)]

    def x(share: float) -> float:
        return left + size * share

    def y(share: float) -> float:
        return 8 + size * (1 - share)

    parts.append(f'<line class="ideal" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>')
    points = []
    for rows, confidence, accuracy in zip(*curve, strict=True):
        if not rows:
            continue
        ends = wilson(round(float(rows * accuracy)), round(float(rows)))
        here = x(float(confidence))
        parts.append(
            f'<line class="whisker" x1="{here:.1f}" x2="{here:.1f}" '
            f'y1="{y(ends.low):.1f}" y2="{y(ends.high):.1f}"/>'
        )
        points.append((here, y(float(accuracy))))
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    parts.append(f'<polyline class="curve" points="{path}"/>')
    parts += [f'<circle class="point" cx="{px:.1f}" cy="{py:.1f}" r="4"/>' for px, py in points]
    return (
        f'<svg class="reliability" viewBox="0 0 {left + size + 10} {size + bottom + 8}" role="img" '
        'aria-label="Reliability curve: accuracy against predicted probability">'
        f"{''.join(parts)}</svg>"
    )


def _axes(size: int, left: int, bottom: int) -> str:
    """Draw grid, ticks and titles of a square chart of shares."""
    parts = []
    for step in range(6):
        share = step / 5
        across, up = left + size * share, 8 + size * (1 - share)
        parts.append(
            f'<line class="grid" x1="{left}" x2="{left + size}" y1="{up}" y2="{up}"/>'
            f'<line class="grid" x1="{across}" x2="{across}" y1="8" y2="{8 + size}"/>'
            f'<text x="{left - 6}" y="{up + 4}" text-anchor="end">{100 * share:.0f}</text>'
            f'<text x="{across}" y="{size + 24}" text-anchor="middle">{100 * share:.0f}</text>'
        )
    middle = 8 + size / 2
    parts.append(
        f'<text class="title" x="{left + size / 2}" y="{size + bottom + 2}" text-anchor="middle">'
        "predicted probability, %</text>"
        f'<text class="title" x="11" y="{middle}" text-anchor="middle" '
        f'transform="rotate(-90 11 {middle})">accuracy, %</text>'
    )
    return "".join(parts)


def balancing_table(
    classes: Sequence[str],
    before: Sequence[int],
    after: Sequence[int] | None,
    simulated: Sequence[int] | None = None,
) -> str:
    """Return a table of the training rows of each class before and after balancing.

    Parameters
    ----------
    classes : sequence of str, length k
        Class names.
    before, after : sequence of int, length k
        Rows of each class; the second column is omitted if `after` is None.
    simulated : sequence of int, length k, optional
        Simulated galaxies added, which `after` counts with their weights.
    """
    columns = {"As collected": before}
    if simulated is not None:
        columns["Simulated"] = simulated
    if after is None:
        columns = {"Training galaxies": before}
    else:
        columns["After balancing" if simulated is None else "Weight of both"] = after
    largest = float(max([*before, *(after or [])], default=1))
    rows = []
    for index, name in enumerate(classes):
        counts = [column[index] for column in columns.values()]
        cells = "".join(
            f'<td><span class="figure">{count:,}</span>{bar(count, None, largest)}</td>'
            for count in counts
        )
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{title}</th>' for title in columns)
    return (
        '<table class="families rows"><caption>Training rows of each class</caption><thead><tr>'
        f'<th scope="col">Class</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def _position(value: float, largest: float) -> float:
    """Return the position from 0 to 100 on a scale that ends at `largest`; NaN stays NaN."""
    return float(np.clip(100 * value / largest, 0, 100))
