"""The self-contained HTML page of a comparison of pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from galfeat.evaluate.comparison import figures as figures
from galfeat.evaluate.comparison.cells import Cell, Column, Row, pipeline_head, signed, table
from galfeat.evaluate.comparison.figures import Line
from galfeat.evaluate.comparison.paired import LOWER_IS_BETTER, RANKING, Comparison
from galfeat.evaluate.comparison.text import COST_NAMES, Costs
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.metrics import METRIC_NAMES, METRICS
from galfeat.evaluate.report.figures import number
from galfeat.evaluate.report.page import page
from galfeat.evaluate.report.sections import Section, facts_section

_FOOTER = (
    "Intervals are 95 % bootstrap intervals from 1,000 resamples: of galaxies for a score; of "
    "galaxies and repeats, the same for both pipelines, for a difference."
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
    """Return a comparison as a self-contained HTML page with charts.

    Parameters
    ----------
    comparison : Comparison
    costs : mapping of str to mapping of str to float
        For each pipeline, the costs in `COST_NAMES` and the parts of ``ms_per_galaxy``.
    curve : mapping of float to Comparison, optional
        Comparisons by share of the training rows, for learning curves.
    rows_of_share : mapping of float to int, optional
        Number of training rows for each share.
    shift : mapping of str to Comparison, optional
        For each pipeline, a comparison of its scores on the original images and on images
        re-rendered as by another survey.
    facts : mapping of str to str, optional
        Facts about data and run, shown in this order.
    descriptions : mapping of str to str, optional
        One-line description of each pipeline.
    title : str
        Heading of the page.

    Returns
    -------
    str
        The page, without external resources.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.comparison import OutOfFold, compare_predictions, comparison_page
    >>> y_true = np.array([0, 1] * 20)
    >>> perfect = OutOfFold(np.eye(2)[y_true][None], y_true[None])
    >>> comparison = compare_predictions(y_true, {"trees": perfect}, ["smooth", "disc"])
    >>> costs = dict.fromkeys(("fit_seconds", "ms_per_galaxy", "peak_memory_mb", "model_mb"), 1.0)
    >>> comparison_page(comparison, {"trees": costs}).startswith("<!DOCTYPE html>")
    True
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
            classes_section(comparison),
            pipelines_section(comparison, descriptions),
            facts_section(facts),
        ],
        _FOOTER,
    )


#: Columns of the table of scores, starting with the score that ranks the pipelines.
_ORDER = (RANKING, *(metric for metric in METRICS if metric != RANKING))


def _scores(comparison: Comparison) -> Section:
    caption = (
        "Means over repeats with 95&nbsp;% intervals over galaxies; each line spans the range of "
        "its column. Bold: best of the column."
    )
    lead = f'<p class="lead">{verdict_html(comparison)}</p>'
    return Section("scores", "Scores", lead + scores_table(comparison, caption))


def scores_table(comparison: Comparison, caption: str) -> str:
    """Return the scores of each pipeline with their intervals as a table.

    Parameters
    ----------
    comparison : Comparison
    caption : str
        HTML.
    """
    columns = [
        Column(
            METRIC_NAMES[metric],
            "lower is better" if metric in LOWER_IS_BETTER else "higher is better",
        )
        for metric in _ORDER
    ]
    rows = [
        Row(
            pipeline_head(name, rank),
            [_score_cell(comparison, name, metric, rank) for metric in _ORDER],
        )
        for rank, name in enumerate(comparison.ranked())
    ]
    return table("ranks", caption, columns, rows)


def verdict_html(comparison: Comparison) -> str:
    """Return sentences about the best pipeline and those not significantly different, as HTML."""
    best = comparison.ranked()[0]
    score = comparison.scores[best][RANKING]
    text = (
        f"<b>{escape(best)}</b> has the best {METRIC_NAMES[RANKING]}, "
        f"<b>{number(score.mean, 3)}</b> ({number(score.low, 3)} to {number(score.high, 3)})."
    )
    tied = comparison.tied_with_best()
    if tied:
        names = " or ".join(f"<b>{escape(name)}</b>" for name in tied)
        return f"{text} It is not significantly different from {names}."
    if len(comparison.scores) > 1:
        text += " It is significantly better than every other pipeline here."
    return text


def _score_cell(comparison: Comparison, name: str, metric: str, rank: int) -> Cell:
    score = comparison.scores[name][metric]
    column = [scores[metric] for scores in comparison.scores.values()]
    low, high = min(score.low for score in column), max(score.high for score in column)
    best = 'class="best"' if comparison.ranked(metric)[0] == name else ""
    content = (
        f"{number(score.mean, 3)}"
        f"{figures.zoomed_strip(score.interval, low, max(high, low + 1e-9), rank)}"
        f"<small>{number(score.low, 3)} to {number(score.high, 3)}</small>"
    )
    return Cell(content, best)


def _differences(comparison: Comparison) -> Section | None:
    if len(comparison.scores) < 2:
        return None
    chart = differences_chart(comparison)
    spread = (
        "repeats are resampled too, so the intervals include the variation between splits"
        if comparison.repeats > 1
        else "with a single repeat, the intervals do not include the variation between splits"
    )
    text = (
        "<p>All pipelines are scored on the same galaxies in the same folds, so their scores are "
        f"correlated and compared pairwise, galaxy by galaxy; {spread}. If an interval includes "
        "zero, the difference is not significant; this does not prove that the pipelines are "
        "equal.</p>"
    )
    pairs = pairs_table(comparison) if len(comparison.scores) > 2 else ""
    return Section("differences", "Significance of differences", text + chart + pairs)


def differences_chart(comparison: Comparison) -> str:
    """Draw the differences of the best pipeline from each other one, of at least two."""
    best, *others = comparison.ranked()
    lines = []
    for name in others:
        difference = comparison.difference(best, name)
        better = difference.better()
        named = figures.shortened(better or "", figures.LONGEST_BEFORE_TEXT)
        text = f"{named} is better" if better else "not significant"
        lines.append(Line(name, difference.scores[RANKING], text, better is not None))
    return figures.forest(lines, f"{METRIC_NAMES[RANKING]} of {best} minus that of the other")


def pairs_table(comparison: Comparison) -> str:
    """Return the difference of each pair of pipelines as a table."""
    names = comparison.ranked()
    rows = []
    for name in names:
        cells = [
            Cell("·", 'class="ns same"') if other == name else _pair_cell(comparison, name, other)
            for other in names
        ]
        rows.append(Row(escape(name), cells))
    caption = (
        f"{METRIC_NAMES[RANKING]} of the row minus that of the column, in units of 0.01; grey with "
        "≈ if not significant. Intervals are not corrected for multiple comparisons: about one in "
        "twenty pairs of equal pipelines will appear different."
    )
    return table("pairs", caption, [Column(name) for name in names], rows)


def _pair_cell(comparison: Comparison, name: str, other: str) -> Cell:
    difference = comparison.difference(name, other)
    value, low, high = (100 * end for end in difference.scores[RANKING])
    better = difference.better()
    kind = "ns" if better is None else "more" if better == name else "less"
    title = f"95 % interval {number(low, 1)} to {number(high, 1)}"
    sign = "≈ " if better is None else "+" if value > 0 else ""
    return Cell(f"{sign}{number(value, 1)}", f'class="{kind}" title="{title}"')


def _costs(comparison: Comparison, costs: Costs) -> Section:
    ranked = comparison.ranked()
    points = {name: (costs[name]["ms_per_galaxy"], _interval(comparison, name)) for name in ranked}
    chart = figures.scatter(points, "milliseconds per galaxy", METRIC_NAMES[RANKING])
    caption = (
        "Times are processor times. Fit: mean over all folds. Milliseconds per galaxy: features "
        "of a decoded image and prediction, after compilation. Memory: peak of a process that "
        "extracts features, fits one fold and predicts, including Python and all libraries. "
        "Model: size of the fitted model on disk."
    )
    return Section("cost", "Cost", chart + costs_table(ranked, costs, COST_NAMES, caption))


def costs_table(ranked: Sequence[str], costs: Costs, names: Mapping[str, str], caption: str) -> str:
    """Return costs of each pipeline as a table of bars.

    Parameters
    ----------
    ranked : sequence of str
        Pipelines, the best first.
    costs : mapping of str to mapping of str to float
        For each pipeline, the costs in `names`.
    names : mapping of str to str
        Heading of each cost.
    caption : str
        HTML.
    """
    largest = {cost: max(costs[name][cost] for name in ranked) for cost in names}
    rows = [
        Row(
            pipeline_head(name, rank),
            [Cell(figures.cost(costs[name][cost], largest[cost], rank)) for cost in names],
        )
        for rank, name in enumerate(ranked)
    ]
    return table("ranks", caption, [Column(title) for title in names.values()], rows)


def _curve(
    comparison: Comparison,
    curve: Mapping[float, Comparison] | None,
    rows_of_share: Mapping[float, int],
) -> Section | None:
    if not curve:
        return None
    lines = {
        name: [(rows_of_share[share], _interval(result, name)) for share, result in curve.items()]
        for name in comparison.ranked()
    }
    shares = ", ".join(f"{100 * share:g}" for share in curve)
    text = (
        f"<p>Each pipeline was fitted to nested subsets with {shares}&nbsp;% of the training "
        "labels, stratified by class (at least two galaxies per class), and scored on the same "
        "galaxies as above; first repeat only. A curve that still rises at its end would benefit "
        "from more labels.</p>"
    )
    chart = figures.curves(lines, "training galaxies", METRIC_NAMES[RANKING])
    return Section("learning", "Learning curves", text + chart)


def _shift(comparison: Comparison, shift: Mapping[str, Comparison] | None) -> Section | None:
    if not shift:
        return None
    pairs, rows = {}, []
    for rank, name in enumerate(comparison.ranked()):
        before, after = shift[name].scores
        pairs[name] = (_interval(shift[name], before), _interval(shift[name], after))
        change = shift[name].difference(after, before).scores
        cells = [
            Cell(
                f"{number(shift[name].scores[after][metric].mean, 3)} "
                f"<small>change {signed(change[metric].value)}<br>"
                f"({signed(change[metric].low)} to {signed(change[metric].high)})</small>"
            )
            for metric in _ORDER
        ]
        rows.append(Row(pipeline_head(name, rank), cells))
    text = (
        "<p>Trained on the original images and tested on the same galaxies re-rendered: half the "
        "resolution, another size, PSF, stretch and band balance, a brighter sky and more noise; "
        "first repeat only. Hollow: original images. Filled: re-rendered. At the end of each "
        "line: the change.</p>"
    )
    columns = [Column(METRIC_NAMES[metric]) for metric in _ORDER]
    caption = (
        "Scores on the re-rendered galaxies, and the paired change with its 95&nbsp;% interval"
    )
    chart = figures.slopes(pairs, METRIC_NAMES[RANKING])
    scores = table("ranks", caption, columns, rows)
    return Section("survey", "Simulated change of survey", text + chart + scores)


def classes_section(comparison: Comparison) -> Section:
    """Return the F1 of each class and pipeline."""
    ranked = comparison.ranked()
    f1 = np.array([comparison.per_class(name).f1 for name in ranked])
    support = comparison.per_class(ranked[0]).support
    columns = [Column("Galaxies"), *(Column(name) for name in ranked)]
    rows = []
    for index, name in enumerate(comparison.classes):
        best = np.nanmax(f1[:, index]) if np.isfinite(f1[:, index]).any() else np.nan
        cells = [
            Cell(
                number(value),
                f"{'class=best ' if value == best else ''}"
                f'style="--share:{value if np.isfinite(value) else 0:.3f}"',
            )
            for value in f1[:, index]
        ]
        rows.append(Row(escape(name), [Cell(f"{support[index]:,.0f}"), *cells]))
    caption = "F1 of each class; the best in each row is underlined"
    return Section("classes", "Scores by class", table("heat", caption, columns, rows, "Class"))


def pipelines_section(
    comparison: Comparison, descriptions: Mapping[str, str] | None
) -> Section | None:
    """Return the description of each pipeline, or None if there are none."""
    if not descriptions:
        return None
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(descriptions[name])}</dd></div>"
        for name in comparison.ranked()
    )
    return Section("pipelines", "Pipelines", f'<dl class="facts single">{rows}</dl>')


def _interval(comparison: Comparison, name: str) -> Interval:
    return comparison.scores[name][RANKING].interval
