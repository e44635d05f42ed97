"""The self-contained HTML page of a benchmark."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

from galfeat.evaluate.benchmark.published import NOTE, PUBLISHED
from galfeat.evaluate.benchmark.result import Benchmark
from galfeat.evaluate.benchmark.text import COST_NAMES, audit_text, left_out_text
from galfeat.evaluate.comparison import figures as figures
from galfeat.evaluate.comparison.cells import Cell, Column, Row, pipeline_head, table
from galfeat.evaluate.comparison.page import (
    classes_section,
    costs_table,
    differences_chart,
    pairs_table,
    pipelines_section,
    scores_table,
    verdict_html,
)
from galfeat.evaluate.comparison.paired import RANKING
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.metrics import METRIC_NAMES, METRICS
from galfeat.evaluate.report.figures import bar, number
from galfeat.evaluate.report.page import page
from galfeat.evaluate.report.sections import Section, facts_section

_FOOTER = (
    "Intervals are 95 % bootstrap intervals from 1,000 resamples of the test galaxies, the same "
    "for all pipelines. They do not include the variation between splits and between fits."
)


def benchmark_page(
    benchmark: Benchmark,
    *,
    facts: Mapping[str, str] | None = None,
    descriptions: Mapping[str, str] | None = None,
    title: str = "Benchmark on Galaxy10 DECaLS",
) -> str:
    """Return a benchmark as a self-contained HTML page with charts.

    Parameters
    ----------
    benchmark : Benchmark
    facts : mapping of str to str, optional
        Facts about data and run, shown in this order.
    descriptions : mapping of str to str, optional
        One-line description of each pipeline.
    title : str
        Heading of the page.

    Returns
    -------
    str
        The page, without external resources; published scores link to their sources.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.duplicates import find_groups
    >>> from galfeat.evaluate.audit import Audit
    >>> from galfeat.evaluate.benchmark import Benchmark, SplitSummary, benchmark_page
    >>> from galfeat.evaluate.comparison import OutOfFold, compare_predictions
    >>> y_true = np.array([0, 1] * 20)
    >>> perfect = OutOfFold(np.eye(2)[y_true][None], y_true[None])
    >>> halves = {"smooth": 20, "disc": 20}
    >>> audit = Audit(
    ...     ["a", "b"], ["smooth", "disc"], np.array([0, 1]), np.eye(2), ["", ""], {},
    ...     find_groups(np.arange(32, dtype=np.uint8).reshape(2, 16)),
    ... )
    >>> benchmark = Benchmark(
    ...     compare_predictions(y_true, {"trees": perfect}, ["smooth", "disc"]),
    ...     {"trees": {"fit_seconds": 1.0, "peak_memory_mb": 200.0}}, (),
    ...     SplitSummary("0f" * 32, 0.5, 0, halves, halves), audit,
    ... )
    >>> benchmark_page(benchmark).startswith("<!DOCTYPE html>")
    True
    """
    split = benchmark.split
    return page(
        "galfeat benchmark",
        title,
        f"{split.n_training:,} training and {split.n_test:,} test galaxies in "
        f"{len(benchmark.comparison.classes)} classes",
        [
            _scores(benchmark),
            _published(benchmark),
            _differences(benchmark),
            _costs(benchmark),
            _curve(benchmark),
            classes_section(benchmark.comparison),
            _split(benchmark),
            pipelines_section(benchmark.comparison, descriptions),
            facts_section(facts),
        ],
        _FOOTER,
    )


def _scores(benchmark: Benchmark) -> Section:
    caption = (
        "Scores on the test galaxies with 95&nbsp;% intervals; each line spans the range of its "
        "column. Bold: best of the column."
    )
    lead = f'<p class="lead">{verdict_html(benchmark.comparison)}</p>'
    warnings = "".join(
        f'<p class="caution" role="note">{escape(text)}</p>' for text in benchmark.warnings
    )
    return Section(
        "scores", "Scores", lead + warnings + scores_table(benchmark.comparison, caption)
    )


def _published(benchmark: Benchmark) -> Section:
    """Return the accuracies of the pipelines among published ones, highest first."""
    comparison = benchmark.comparison
    rows = []
    for rank, name in enumerate(comparison.ranked()):
        score = comparison.scores[name]["accuracy"]
        cells = [_accuracy(score.interval), Cell("this page")]
        rows.append((score.mean, Row(f"<b>{pipeline_head(name, rank)}</b>", cells)))
    for method, accuracy, source, url in PUBLISHED:
        text = f'<a href="{escape(url)}">{escape(source)}</a>' if url else escape(source)
        cells = [_accuracy(Interval(accuracy, math.nan, math.nan)), Cell(text)]
        rows.append((accuracy, Row(escape(method), cells)))
    ordered = [row for _, row in sorted(rows, key=lambda pair: -pair[0])]
    columns = [Column("Accuracy"), Column("Source")]
    summary = "Accuracies on this test split, bold and with 95&nbsp;% intervals, and published ones"
    caution = (
        f'<p class="caution" role="note">{escape(benchmark.caution)}</p>'
        if benchmark.caution
        else ""
    )
    text = (
        f"{caution}<p>{escape(NOTE)} Published numbers above 0.9 have not been reproduced on a "
        "split that can be checked.</p>"
    )
    scores = table("ranks rows", summary, columns, ordered, "Method")
    return Section("published", "Beside published numbers", text + scores)


def _accuracy(interval: Interval) -> Cell:
    """Return an accuracy as a bar, and its interval if it is known."""
    value = f'<span class="figure">{number(interval.value, 3)}</span>'
    if not math.isfinite(interval.low):
        return Cell(f"{value}{bar(interval.value)}")
    ends = f"<small>{number(interval.low, 3)} to {number(interval.high, 3)}</small>"
    return Cell(f"{value}{bar(interval.value, interval)}{ends}")


def _differences(benchmark: Benchmark) -> Section | None:
    comparison = benchmark.comparison
    if len(comparison.scores) < 2:
        return None
    text = (
        "<p>All pipelines are scored on the same test galaxies, so they are compared galaxy by "
        "galaxy. If an interval includes zero, the difference is not significant; this does not "
        "prove that the pipelines are equal.</p>"
    )
    pairs = pairs_table(comparison) if len(comparison.scores) > 2 else ""
    return Section(
        "differences", "Significance of differences", text + differences_chart(comparison) + pairs
    )


def _costs(benchmark: Benchmark) -> Section:
    caption = (
        "Fit: processor time, summed over threads, from features that were measured before, with "
        "all inner folds. Memory: peak of the process that fits and predicts, including Python "
        "and all libraries."
    )
    costs = costs_table(benchmark.comparison.ranked(), benchmark.costs, COST_NAMES, caption)
    return Section("cost", "Cost", costs)


def _curve(benchmark: Benchmark) -> Section | None:
    if not benchmark.curve:
        return None
    names = [
        name
        for name in benchmark.comparison.ranked()
        if name in benchmark.curve[0].comparison.scores
    ]
    charts = {
        metric: figures.curves(
            {
                name: [
                    (point.rows, point.comparison.scores[name][metric].interval)
                    for point in benchmark.curve
                ]
                for name in names
            },
            "training galaxies",
            METRIC_NAMES[metric],
        )
        for metric in (RANKING, "log_loss")
    }
    rows = [
        Row(
            f"{escape(name)}, {point.name}",
            [Cell(f"{point.rows:,}")]
            + [Cell(number(point.comparison.scores[name][metric].mean, 3)) for metric in METRICS],
        )
        for name in names
        for point in benchmark.curve
    ]
    labels = ", ".join(point.name for point in benchmark.curve)
    columns = [Column("Galaxies"), *(Column(METRIC_NAMES[metric]) for metric in METRICS)]
    text = (
        f"<p>Fitted to nested subsets with {labels} labels per class, at most, and scored on the "
        "same test galaxies. A curve that still rises at its end would benefit from more "
        "labels.</p>"
    )
    scores = table("ranks", "Scores by labels per class", columns, rows, "Pipeline, labels")
    return Section("learning", "Learning curves", text + "".join(charts.values()) + scores)


def _split(benchmark: Benchmark) -> Section:
    split = benchmark.split
    rows = [
        Row(escape(name), [Cell(f"{split.training[name]:,}"), Cell(f"{number:,}")])
        for name, number in split.test.items()
    ]
    lines = [audit_text(benchmark), *([left_out_text(benchmark)] if split.left_out else [])]
    text = (
        "<p>The split is stratified and keeps groups together: copies of an image, images of one "
        "position and overlapping images. Rows that show one galaxy with different labels, and "
        "blank images, are in neither part.</p>"
        f"<p>Digest of the test images: <code>{escape(split.digest)}</code></p>"
        + "".join(f"<p>{escape(line[:1].upper() + line[1:])}.</p>" for line in lines)
    )
    columns = [Column("Training galaxies"), Column("Test galaxies")]
    counts = table("ranks", "Galaxies of each class", columns, rows, "Class")
    return Section("split", "Split and audit", text + counts)
