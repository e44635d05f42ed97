"""Reliability of each class: small diagrams, a table, and an assessment."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from galfeat.evaluate.class_reliability import ClassReliability
from galfeat.evaluate.intervals import wilson
from galfeat.evaluate.metrics import Reliability
from galfeat.evaluate.report.figures import number

_SIZE, _LEFT, _TOP, _BOTTOM = 120, 24, 6, 18


def class_diagrams(by_class: Mapping[str, ClassReliability]) -> str:
    """Draw a reliability diagram for each class: frequency against its probability."""
    figures = "".join(
        f"<div>{_diagram(name, of_class)}<p>{escape(name)}</p></div>"
        for name, of_class in by_class.items()
    )
    return f'<div class="diagrams">{figures}</div>'


def _diagram(name: str, of_class: ClassReliability) -> str:
    corner = _y(0)
    parts = [
        f'<rect class="frame" x="{_LEFT}" y="{_TOP}" width="{_SIZE}" height="{_SIZE}"/>'
        f'<line class="ideal" x1="{_LEFT}" y1="{corner}" x2="{_LEFT + _SIZE}" y2="{_TOP}"/>'
    ]
    for share in (0.0, 0.5, 1.0):
        label = f"{100 * share:.0f}"
        parts.append(
            f'<text x="{_LEFT - 4}" y="{_y(share) + 4}" text-anchor="end">{label}</text>'
            f'<text x="{_x(share)}" y="{corner + 13}" text-anchor="middle">{label}</text>'
        )
    parts.append(_points(of_class.curve))
    description = (
        f"{name}: mean probability {of_class.mean_probability:.3f}, "
        f"frequency {of_class.frequency:.3f}, calibration error {of_class.error.value:.3f}"
    )
    width, height = _LEFT + _SIZE + 10, _TOP + _SIZE + _BOTTOM
    return (
        f'<svg class="reliability" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(description)}">{"".join(parts)}</svg>'
    )


def _points(curve: Reliability) -> str:
    """Draw the filled bins, with the 95 % Wilson intervals of their frequencies."""
    whiskers, points = [], []
    for rows, probability, frequency in zip(*(part.tolist() for part in curve), strict=True):
        if not rows:
            continue
        across = _x(probability)
        ends = wilson(round(rows * frequency), rows)
        whiskers.append(
            f'<line class="whisker" x1="{across:.1f}" x2="{across:.1f}" '
            f'y1="{_y(ends.low):.1f}" y2="{_y(ends.high):.1f}"/>'
        )
        points.append(f'<circle class="point" cx="{across:.1f}" cy="{_y(frequency):.1f}" r="2.6"/>')
    return "".join([*whiskers, *points])


def class_reliability_table(by_class: Mapping[str, ClassReliability]) -> str:
    """Return a table of probability, frequency and calibration error of each class."""
    titles = ("Galaxies", "Mean probability", "Frequency", "Calibration error", "By chance")
    rows = []
    for name, part in by_class.items():
        error = part.error
        cells = (
            f"{part.galaxies:,}",
            _per_cent(part.mean_probability),
            _per_cent(part.frequency),
            f"{_per_cent(error.value)}"
            f"<small>{_per_cent(error.low)} to {_per_cent(error.high)}</small>",
            _per_cent(part.chance),
        )
        labelled = "".join(
            f'<td data-label="{title}"><span>{cell}</span></td>'
            for title, cell in zip(titles, cells, strict=True)
        )
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{labelled}</tr>')
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    return (
        '<div class="wide" role="region" tabindex="0" aria-label="Reliability by class">'
        '<table class="plain stacked"><caption>In per cent. Mean probability of a class and its '
        "share of the galaxies; their mean difference over ten bins of the probability, with its "
        "95&nbsp;% interval; and the difference that chance alone would give a perfectly "
        f'calibrated model.</caption><thead><tr><th scope="col">Class</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def class_reliability_text(by_class: Mapping[str, ClassReliability]) -> str:
    """Explain the diagrams and list the classes whose error exceeds chance."""
    listed = [
        f"<em>{escape(name)}</em> (on average "
        f"{_per_cent(part.mean_probability)}&nbsp;% instead of {_per_cent(part.frequency)}&nbsp;%)"
        for name, part in by_class.items()
        if part.error.low > 0
    ]
    verdict = (
        f"The error exceeds chance for {', '.join(listed)}."
        if listed
        else "For no class is a miscalibration detectable."
    )
    return (
        "<p>Each point is a tenth of the range of a class's probability: across, the mean "
        "probability; up, the share of these galaxies that belong to the class, in per cent. "
        "Points below the diagonal: the probability of the class is too high; above: too low. "
        f"Thin lines are 95&nbsp;% intervals. {verdict}</p>"
    )


def _per_cent(share: float) -> str:
    return number(100 * share, 1)


def _x(share: float) -> float:
    return _LEFT + _SIZE * share


def _y(share: float) -> float:
    return _TOP + _SIZE * (1 - share)
