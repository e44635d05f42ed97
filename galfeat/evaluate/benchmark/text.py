"""The results of a benchmark as text."""

from __future__ import annotations

import textwrap

from galfeat.evaluate.benchmark.published import NOTE, PUBLISHED
from galfeat.evaluate.benchmark.result import Benchmark
from galfeat.evaluate.comparison.paired import RANKING
from galfeat.evaluate.comparison.text import brief, verdict
from galfeat.evaluate.metrics import METRIC_NAMES, METRICS
from galfeat.evaluate.text import table

COST_NAMES = {"fit_seconds": "fit, s", "peak_memory_mb": "memory, MB"}
"""Costs of a pipeline, and how they are printed."""


def benchmark_text(benchmark: Benchmark) -> str:
    """Format the results of a benchmark for a terminal.

    Parameters
    ----------
    benchmark : Benchmark

    Returns
    -------
    str
        Split, scores with intervals, costs, learning curves and published accuracies; without a
        final newline.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.duplicates import find_groups
    >>> from galfeat.evaluate.audit import Audit
    >>> from galfeat.evaluate.benchmark import Benchmark, SplitSummary, benchmark_text
    >>> from galfeat.evaluate.comparison import OutOfFold, compare_predictions
    >>> y_true = np.array([0, 1] * 20)
    >>> perfect = OutOfFold(np.eye(2)[y_true][None], y_true[None])
    >>> training, test = {"smooth": 2, "disc": 2}, {"smooth": 20, "disc": 20}
    >>> split = SplitSummary("0f" * 32, 0.5, 0, training, test)
    >>> audit = Audit(
    ...     ["a", "b"], ["smooth", "disc"], np.array([0, 1]), np.eye(2), ["", ""], {},
    ...     find_groups(np.arange(32, dtype=np.uint8).reshape(2, 16)),
    ... )
    >>> benchmark = Benchmark(
    ...     compare_predictions(y_true, {"trees": perfect}, ["smooth", "disc"]),
    ...     {"trees": {"fit_seconds": 1.0, "peak_memory_mb": 200.0}}, (), split, audit,
    ... )
    >>> print(benchmark_text(benchmark).splitlines()[0])
    4 training and 40 test galaxies; split 0f0f0f0f0f0f0f0f (test size 0.5, seed 0)
    """
    comparison, split = benchmark.comparison, benchmark.split
    ranked = comparison.ranked()
    scores = [
        [name, *(_with_interval(benchmark, name, metric) for metric in METRICS)] for name in ranked
    ]
    costs = [[name, *(brief(benchmark.costs[name][key]) for key in COST_NAMES)] for name in ranked]
    parts = [
        f"{split.n_training:,} training and {split.n_test:,} test galaxies; split "
        f"{split.digest[:16]} (test size {split.test_size:g}, seed {split.seed})",
        *([left_out_text(benchmark)] if split.left_out else []),
        audit_text(benchmark),
        table(["pipeline", *(METRIC_NAMES[metric] for metric in METRICS)], scores),
        "±: half of the 95 % interval from resampling test galaxies.",
        *([verdict(comparison)] if len(ranked) > 1 else []),
        table(["pipeline", *COST_NAMES.values()], costs),
    ]
    if benchmark.curve:
        parts.append(_curve_table(benchmark))
    parts += [_published(), "\n".join(textwrap.wrap(NOTE, 100))]
    if benchmark.caution:
        parts.append("\n".join(textwrap.wrap(f"caution: {benchmark.caution}", 100)))
    return "\n\n".join(parts)


def left_out_text(benchmark: Benchmark) -> str:
    """Return how many galaxies are in neither part, and why."""
    counts = (benchmark.split.left_out or {}).items()
    return "left out: " + ", ".join(f"{number:,} {reason}" for reason, number in counts)


def audit_text(benchmark: Benchmark) -> str:
    """Return what the audit found in a line."""
    counts = {name: number for name, number in benchmark.audit_counts().items() if number}
    rows = counts.pop("rows", 0)
    found = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    return f"audit of {rows:,} rows: {found or 'nothing found'}"


def _with_interval(benchmark: Benchmark, name: str, metric: str) -> str:
    score = benchmark.comparison.scores[name][metric]
    return f"{score.mean:.3f} ± {0.5 * (score.high - score.low):.3f}"


def _curve_table(benchmark: Benchmark) -> str:
    names = list(benchmark.curve[0].comparison.scores)
    rows = [
        [point.name, f"{point.rows:,}"]
        + [f"{point.comparison.scores[name][RANKING].mean:.3f}" for name in names]
        for point in benchmark.curve
    ]
    header = [
        "labels per class",
        "galaxies",
        *(f"{METRIC_NAMES[RANKING]}, {name}" for name in names),
    ]
    return table(header, rows)


def _published() -> str:
    """Format published accuracies with their sources, which are aligned to the left."""
    width = max(len(score.method) for score in PUBLISHED)
    return "\n".join(
        [f"{'published':<{width}}  accuracy  source"]
        + [f"{name:<{width}}  {value:>8.3f}  {source}" for name, value, source, _ in PUBLISHED]
    )
