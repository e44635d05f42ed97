"""Small HTML summaries for notebooks, without scripts or outside resources."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.metrics import METRIC_NAMES, METRICS
from galfeat.evaluate.report.figures import interval_strip, number

# Inherited colours suit light and dark notebooks.
_STYLE = (
    ".galfeat{line-height:1.45;overflow-x:auto}"
    ".galfeat table{border-collapse:collapse;color:inherit;margin:.5rem 0 .9rem;font-size:.92em}"
    ".galfeat th,.galfeat td{padding:.2rem .8rem .2rem 0;text-align:right;white-space:nowrap;"
    "border:0;border-bottom:1px solid #8884;background:none}"
    ".galfeat th{font-weight:500}.galfeat thead th{opacity:.7}"
    ".galfeat th:first-child,.galfeat .text{text-align:left}"
    ".galfeat p{margin:.3rem 0}"
    ".galfeat .strip{width:8rem;height:.6rem;display:inline-block;vertical-align:middle}"
    ".galfeat .track{stroke:currentColor;stroke-width:1;opacity:.25}"
    ".galfeat .range{stroke:#3f7fd0;stroke-width:4;opacity:.65}"
    ".galfeat .mark{stroke:currentColor;stroke-width:2;vector-effect:non-scaling-stroke}"
)


class Markup(str):
    """A cell that is HTML already, as opposed to text to be escaped."""

    __slots__ = ()


def notebook_html(title: str, details: str, *parts: str) -> str:
    """Return a titled block of HTML with its own style.

    Parameters
    ----------
    title, details : str
        Text, escaped here.
    *parts : str
        HTML, from `html_table`.
    """
    heading = f"<p><b>{escape(title)}</b> {escape(details)}</p>"
    return f'<div class="galfeat"><style>{_STYLE}</style>{heading}{"".join(parts)}</div>'


def html_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, text: Collection[str] = ()
) -> str:
    """Return an HTML table; cells are escaped unless they are `Markup`.

    Parameters
    ----------
    header : sequence of str
    rows : iterable of sequence of str
        Each with the cells of one row, the first of which is its name.
    text : collection of str
        Columns of `header` that are text and aligned to the left, as the first one is.
    """
    kinds = [' class="text"' if name in text else "" for name in header]
    head = "".join(
        f'<th scope="col"{kind}>{_cell(name)}</th>'
        for kind, name in zip(kinds, header, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{_cell(name)}</th>'
        + "".join(
            f"<td{kind}>{_cell(cell)}</td>" for kind, cell in zip(kinds[1:], cells, strict=True)
        )
        + "</tr>"
        for name, *cells in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def scores_html(title: str, summary: Mapping[str, Any]) -> str:
    """Return the scores of an evaluation or a cross-validation, over all and by class.

    Parameters
    ----------
    title : str
    summary : mapping
        From `galfeat.evaluate.score_summary.ScoreSummary.to_json`.
    """
    scores = [
        [METRIC_NAMES[metric], number(interval.value, 3), _range(interval),
         "" if metric == "log_loss" else Markup(interval_strip(interval, 1.0))]
        for metric, interval in ((metric, _interval(summary[metric])) for metric in METRICS)
    ]  # fmt: skip
    classes = [
        [name, *(number(_finite(of_class[score]), 3) for score in ("precision", "recall", "f1")),
         f"{of_class['support']:,}"]
        for name, of_class in summary["per_class"].items()
    ]  # fmt: skip
    counts = {
        "failed": summary.get("n_failed"),
        "without a source": summary.get("n_without_source"),
    }
    unscored = "".join(f", {count:,} {text}" for text, count in counts.items() if count)
    repeats = f", {summary['repeats']} repeats" if summary.get("repeats", 1) > 1 else ""
    return notebook_html(
        title,
        f"{summary['n']:,} galaxies{unscored}{repeats}; decision: {summary['decision']}",
        html_table(["score", "value", "95 % interval", "0 to 1"], scores),
        html_table(["class", "precision", "recall", "F1", "galaxies"], classes),
    )


def comparison_html(
    summary: Mapping[str, Any],
    ranked: Sequence[str],
    from_best: Mapping[str, tuple[Interval, bool]],
    metric: str,
) -> str:
    """Return the scores of pipelines and their differences from the best one.

    Parameters
    ----------
    summary : mapping
        From `galfeat.evaluate.comparison.Comparison.to_json`.
    ranked : sequence of str
        Names of the pipelines, the best first.
    from_best : mapping of str to (Interval, bool)
        Score of the best pipeline minus that of each other one, and whether the difference is
        significant.
    metric : str
        The score that pipelines are ranked by.
    """
    scores = [
        [name, *(_score(_interval(summary["pipelines"][name][score])) for score in METRICS)]
        for name in ranked
    ]
    parts = [html_table(["pipeline", *(METRIC_NAMES[score] for score in METRICS)], scores)]
    if from_best:
        differences = [
            [name, _signed(interval.value), _range(interval, signed=True),
             "significant" if significant else "not significant"]
            for name, (interval, significant) in from_best.items()
        ]  # fmt: skip
        header = [f"{ranked[0]} minus", METRIC_NAMES[metric], "95 % interval", "difference"]
        parts.append(html_table(header, differences, text=["difference"]))
    repeats = summary["repeats"]
    return notebook_html(
        "Comparison",
        f"{len(ranked)} pipelines, {summary['n']:,} galaxies of {len(summary['classes'])} classes"
        f"{f', {repeats} repeats' if repeats > 1 else ''}; 95 % intervals in brackets",
        *parts,
    )


def _cell(cell: str) -> str:
    return cell if isinstance(cell, Markup) else escape(cell)


def _interval(score: Mapping[str, Any]) -> Interval:
    """Return a score of plain types as an interval, NaN for None."""
    value = score["value"] if "value" in score else score["mean"]
    return Interval(*(_finite(end) for end in (value, score["low"], score["high"])))


def _finite(value: float | None) -> float:
    return math.nan if value is None else value


def _score(interval: Interval) -> str:
    return f"{number(interval.value, 3)} ({_range(interval)})"


def _range(interval: Interval, *, signed: bool = False) -> str:
    write = _signed if signed else _unsigned
    return f"{write(interval.low)} to {write(interval.high)}"


def _signed(value: float) -> str:
    return f"+{_unsigned(value)}" if value > 0 else _unsigned(value)


def _unsigned(value: float) -> str:
    return number(value, 3)
