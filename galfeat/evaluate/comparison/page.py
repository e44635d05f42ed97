"""The HTML page of a comparison of pipelines, which stands alone."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np

from galfeat.evaluate.comparison import figures as figures
from galfeat.evaluate.comparison.cells import row_head, signed, table
from galfeat.evaluate.comparison.figures import Line
from galfeat.evaluate.comparison.paired import CHOSEN, LOWER_IS_BETTER, Comparison
from galfeat.evaluate.comparison.text import COST_NAMES, Costs
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.metrics import METRICS
from galfeat.evaluate.report.figures import number
from galfeat.evaluate.report.page import page
from galfeat.evaluate.report.sections import Section, facts_section
from galfeat.evaluate.text import METRIC_NAMES

_FOOTER = (
    "Intervals hold 95 % of 1,000 draws with replacement: of galaxies for a score; of galaxies "
    "and of repeats, the same for both pipelines, for a difference."
)


def comparison_page(
    comparison: Comparison,
    costs: Costs,
    *,
    curve: Mapping[float, Comparison] | None = None,
    rows_of_share: Mapping[float, int] | None = None,
    shift: Mapping[str, Comparison] | None = None,
    facts: Mapping[str, str] | None = None,
    descriptions: Mapping[str, str] | None = None,
    title: str = "Comparison of pipelines",
) -> str:
    """Write a comparison as a web page with pictures that needs nothing else.

    Parameters
    ----------
    comparison : Comparison
    costs : mapping of str to mapping of str to float
        `COST_NAMES`, and the parts of ``ms_per_galaxy``, of each pipeline.
    curve : mapping of float to Comparison, optional
        By share of the training rows.
    rows_of_share : mapping of float to int, optional
        How many training rows a share is.
    shift : mapping of str to Comparison, optional
        Of each pipeline, of its galaxies as they are and as another survey shows them.
    facts : mapping of str to str, optional
        Facts of data and run, shown in this order.
    descriptions : mapping of str to str, optional
        One line about each pipeline.
    title : str
        Heading of the page.
    """
    times = "once" if comparison.repeats == 1 else f"{comparison.repeats} times"
    pipelines = (
        "1 pipeline" if len(comparison.scores) == 1 else f"{len(comparison.scores)} pipelines"
    )
    return page(
        "galfeat comparison",
        title,
        f"{comparison.n:,} galaxies in {len(comparison.classes)} classes, each predicted out of "
        f"fold {times} by {pipelines}",
        [
            _scores(comparison),
            _differences(comparison),
            _costs(comparison, costs),
            _curve(comparison, curve, rows_of_share or {}),
            _shift(comparison, shift),
            _classes(comparison),
            _pipelines(comparison, descriptions),
            facts_section(facts),
        ],
        _FOOTER,
    )


#: The columns of the table of scores: what pipelines are ranked by comes first.
_ORDER = (CHOSEN, *(metric for metric in METRICS if metric != CHOSEN))


def _scores(comparison: Comparison) -> Section:
    head = "".join(
        f'<th scope="col">{METRIC_NAMES[metric]}'
        f"<br><small>{'less' if metric in LOWER_IS_BETTER else 'more'} is better</small></th>"
        for metric in _ORDER
    )
    rows = [
        row_head(name, place)
        + "".join(_score_cell(comparison, name, metric, place) for metric in _ORDER)
        for place, name in enumerate(comparison.ranked())
    ]
    caption = (
        "Means over the repeats with 95&nbsp;% intervals over galaxies; each line spans the range "
        "of its column. In heavy type: the best of a column."
    )
    return Section(
        "scores",
        "Scores",
        f'<p class="lead">{_verdict(comparison)}</p>' + table("ranks", caption, head, rows),
    )


def _verdict(comparison: Comparison) -> str:
    best = comparison.ranked()[0]
    score = comparison.scores[best][CHOSEN]
    words = (
        f"<b>{escape(best)}</b> has the best {METRIC_NAMES[CHOSEN]}, "
        f"<b>{number(score.mean, 3)}</b> ({number(score.low, 3)} to {number(score.high, 3)})."
    )
    level = comparison.tied_with_best()
    if level:
        names = " or ".join(f"<b>{escape(name)}</b>" for name in level)
        return f"{words} These galaxies can’t tell it apart from {names}."
    if len(comparison.scores) > 1:
        words += " The difference to every other pipeline here is larger than chance explains."
    return words


def _score_cell(comparison: Comparison, name: str, metric: str, place: int) -> str:
    score = comparison.scores[name][metric]
    every = [one[metric] for one in comparison.scores.values()]
    low, high = min(one.low for one in every), max(one.high for one in every)
    best = ' class="best"' if comparison.ranked(metric)[0] == name else ""
    interval = Interval(score.mean, score.low, score.high)
    return (
        f"<td{best}>{number(score.mean, 3)}"
        f"{figures.zoomed_strip(interval, low, max(high, low + 1e-9), place)}"
        f"<small>{number(score.low, 3)} to {number(score.high, 3)}</small></td>"
    )


def _differences(comparison: Comparison) -> Section | None:
    if len(comparison.scores) < 2:
        return None
    best, *others = comparison.ranked()
    lines = []
    for name in others:
        difference = comparison.difference(best, name)
        better = difference.better()
        words = f"{better} is better" if better else "can’t tell these apart"
        lines.append(Line(name, difference.scores[CHOSEN], words, better is not None))
    chart = figures.forest(lines, f"{METRIC_NAMES[CHOSEN]} of {best} less that of the other")
    spread = (
        "the repeats are drawn again too, so the luck of the split is in the interval"
        if comparison.repeats > 1
        else "there is one repeat only, so the luck of the split is not in the interval"
    )
    words = (
        "<p>Both pipelines are scored on the same galaxies in the same folds, so their scores rise "
        f"and fall together and are compared galaxy by galaxy; {spread}. Where an interval holds "
        "zero, these galaxies can’t tell the two apart; that does not say that they are equal."
        "</p>"
    )
    pairs = _pairs(comparison) if len(others) > 1 else ""
    return Section("differences", "Which differences are real", words + chart + pairs)


def _pairs(comparison: Comparison) -> str:
    names = comparison.ranked()
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = []
    for name in names:
        cells = [
            '<td class="level">·</td>' if other == name else _pair_cell(comparison, name, other)
            for other in names
        ]
        rows.append(f'<th scope="row">{escape(name)}</th>{"".join(cells)}')
    caption = (
        f"{METRIC_NAMES[CHOSEN]} of the row less that of the column, in points of 0.01; grey with "
        "≈ where the two can’t be told apart. Each interval stands for its own pair: of twenty "
        "pairs that are equal, one will look different."
    )
    return table("pairs", caption, head, rows)


def _pair_cell(comparison: Comparison, name: str, other: str) -> str:
    difference = comparison.difference(name, other)
    value, low, high = (100 * end for end in difference.scores[CHOSEN])
    better = difference.better()
    kind = "level" if better is None else "more" if better == name else "less"
    title = f"95 % interval {number(low, 1)} to {number(high, 1)}"
    sign = "≈ " if better is None else "+" if value > 0 else ""
    return f'<td class="{kind}" title="{title}">{sign}{number(value, 1)}</td>'


def _costs(comparison: Comparison, costs: Costs) -> Section:
    ranked = comparison.ranked()
    points = {name: (costs[name]["ms_per_galaxy"], _interval(comparison, name)) for name in ranked}
    chart = figures.scatter(points, "milliseconds per galaxy", METRIC_NAMES[CHOSEN])
    head = "".join(f'<th scope="col">{title}</th>' for title in COST_NAMES.values())
    rows = [
        row_head(name, place)
        + "".join(
            figures.cost_cell(costs[name][cost], max(costs[other][cost] for other in ranked), place)
            for cost in COST_NAMES
        )
        for place, name in enumerate(ranked)
    ]
    caption = (
        "Times are processor times. Fit: mean over all folds. Milliseconds per galaxy: features "
        "of a decoded image and prediction, everything compiled. Memory: the most that a process "
        "held which measures, fits one fold and predicts; Python and all libraries included. "
        "Model: the fitted model on disk."
    )
    return Section("cost", "What it costs", chart + table("ranks", caption, head, rows))


def _curve(
    comparison: Comparison,
    curve: Mapping[float, Comparison] | None,
    rows_of_share: Mapping[float, int],
) -> Section | None:
    if not curve:
        return None
    lines = {
        name: [(rows_of_share[share], _interval(found, name)) for share, found in curve.items()]
        for name in comparison.ranked()
    }
    shares = ", ".join(f"{100 * share:g}" for share in curve)
    words = (
        f"<p>Every pipeline fitted to {shares}&nbsp;% of the training labels, stratified by class "
        "(two galaxies of each at least), each part inside the next, and scored on the same "
        "galaxies as before; first repeat. A line that still rises at its end would gain from "
        "more labels.</p>"
    )
    chart = figures.curves(lines, "training galaxies", METRIC_NAMES[CHOSEN])
    return Section("learning", "How many labels it takes", words + chart)


def _shift(comparison: Comparison, shift: Mapping[str, Comparison] | None) -> Section | None:
    if not shift:
        return None
    pairs, rows = {}, []
    for place, name in enumerate(comparison.ranked()):
        before, after = shift[name].scores
        pairs[name] = (_interval(shift[name], before), _interval(shift[name], after))
        change = shift[name].difference(after, before).scores
        rows.append(
            row_head(name, place)
            + "".join(
                f"<td>{number(shift[name].scores[after][metric].mean, 3)} "
                f"<small>change {signed(change[metric].value)}<br>"
                f"({signed(change[metric].low)} to {signed(change[metric].high)})</small></td>"
                for metric in _ORDER
            )
        )
    words = (
        "<p>Trained on the images as they are and tested on the same galaxies re-rendered: half "
        "the resolution, another size, PSF, stretch and band balance, a brighter sky and more "
        "noise; first repeat. Hollow: as they are. Full: re-rendered. At the end of each line: "
        "the change.</p>"
    )
    head = "".join(f'<th scope="col">{METRIC_NAMES[metric]}</th>' for metric in _ORDER)
    caption = (
        "Scores on the re-rendered galaxies, and the paired change with its 95&nbsp;% interval"
    )
    return Section(
        "survey",
        "Shown by another survey",
        words + figures.slopes(pairs, METRIC_NAMES[CHOSEN]) + table("ranks", caption, head, rows),
    )


def _classes(comparison: Comparison) -> Section:
    ranked = comparison.ranked()
    f1 = np.array([comparison.per_class(name).f1 for name in ranked])
    support = comparison.per_class(ranked[0]).support
    head = '<th scope="col">Galaxies</th>' + "".join(
        f'<th scope="col">{escape(name)}</th>' for name in ranked
    )
    rows = []
    for index, name in enumerate(comparison.classes):
        best = np.nanmax(f1[:, index]) if np.isfinite(f1[:, index]).any() else np.nan
        cells = "".join(
            f"<td{' class=best' if value == best else ''} "
            f'style="--share:{value if np.isfinite(value) else 0:.3f}">{number(value)}</td>'
            for value in f1[:, index]
        )
        rows.append(f'<th scope="row">{escape(name)}</th><td>{support[index]:,.0f}</td>{cells}')
    caption = "F1 of each class; the best of a row is underlined"
    return Section("classes", "Class by class", table("heat", caption, head, rows, "Class"))


def _pipelines(comparison: Comparison, descriptions: Mapping[str, str] | None) -> Section | None:
    if not descriptions:
        return None
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(descriptions[name])}</dd></div>"
        for name in comparison.ranked()
    )
    return Section("pipelines", "The pipelines", f'<dl class="facts single">{rows}</dl>')


def _interval(comparison: Comparison, name: str) -> Interval:
    score = comparison.scores[name][CHOSEN]
    return Interval(score.mean, score.low, score.high)
