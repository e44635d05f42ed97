"""A comparison of pipelines as terminal text and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from galfeat.evaluate.comparison.paired import RANKING, Comparison
from galfeat.evaluate.metrics import METRIC_NAMES, METRICS
from galfeat.evaluate.text import table
from galfeat.storage.cells import csv_cell

#: Costs by pipeline and name.
Costs = Mapping[str, Mapping[str, float]]
COST_NAMES = {
    "fit_seconds": "fit, s",
    "ms_per_galaxy": "ms per galaxy",
    "peak_memory_mb": "memory, MB",
    "model_mb": "model, MB",
}


def comparison_text(comparison: Comparison, costs: Costs) -> str:
    """Format a comparison for a terminal.

    Parameters
    ----------
    comparison : Comparison
    costs : mapping of str to mapping of str to float
        For each pipeline, the costs in `COST_NAMES`.

    Returns
    -------
    str
        Scores, costs, and differences with intervals; without a final newline.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.comparison import OutOfFold, compare_predictions, comparison_text
    >>> y_true = np.array([0, 1] * 20)
    >>> perfect = OutOfFold(np.eye(2)[y_true][None], y_true[None])
    >>> comparison = compare_predictions(
    ...     y_true, {"trees": perfect, "forest": perfect}, ["smooth", "disc"]
    ... )
    >>> costs = dict.fromkeys(("fit_seconds", "ms_per_galaxy", "peak_memory_mb", "model_mb"), 1.0)
    >>> text = comparison_text(comparison, {"trees": costs, "forest": costs})
    >>> print(text.splitlines()[-1])
    trees has the best macro-F1, but is not significantly different from forest.
    """
    ranked = comparison.ranked()
    times = "once" if comparison.repeats == 1 else f"{comparison.repeats} times"
    scores = [
        [name, *(f"{comparison.scores[name][metric].mean:.3f}" for metric in METRICS)]
        for name in ranked
    ]
    cost_rows = [[name, *(brief(costs[name][cost]) for cost in COST_NAMES)] for name in ranked]
    parts = [
        f"{comparison.n:,} galaxies in {len(comparison.classes)} classes, each predicted out of "
        f"fold {times}; ranked by {METRIC_NAMES[RANKING]}",
        table(["pipeline", *(METRIC_NAMES[metric] for metric in METRICS)], scores),
        table(["pipeline", *COST_NAMES.values()], cost_rows),
    ]
    if len(ranked) > 1:
        parts += [_differences_table(comparison), verdict(comparison)]
    return "\n\n".join(parts)


def _differences_table(comparison: Comparison) -> str:
    best, *others = comparison.ranked()
    rows = []
    for name in others:
        difference = comparison.difference(best, name)
        value, low, high = difference.scores[RANKING]
        better = difference.better()
        rows.append(
            [
                name,
                f"{value:+.3f}",
                f"{low:+.3f} to {high:+.3f}",
                f"{better} is better" if better else "not significant",
            ]
        )
    return table([f"{best} minus", METRIC_NAMES[RANKING], "95 % interval", ""], rows)


def verdict(comparison: Comparison) -> str:
    """Return a sentence about the best pipeline and those not significantly different."""
    best = comparison.ranked()[0]
    tied = comparison.tied_with_best()
    if not tied:
        return f"{best} has the best {METRIC_NAMES[RANKING]} of these pipelines."
    return (
        f"{best} has the best {METRIC_NAMES[RANKING]}, but is not significantly different from "
        f"{' or '.join(tied)}."
    )


def comparison_csv(
    comparison: Comparison, costs: Costs, shift: Mapping[str, Comparison] | None = None
) -> str:
    """Return a comparison as CSV, with one row per pipeline, best first.

    Parameters
    ----------
    comparison : Comparison
    costs : mapping of str to mapping of str to float
        For each pipeline, costs that become columns.
    shift : mapping of str to Comparison, optional
        For each pipeline, a comparison of its scores on original and re-rendered images, in
        this order.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.comparison import OutOfFold, compare_predictions, comparison_csv
    >>> y_true = np.array([0, 1] * 20)
    >>> perfect = OutOfFold(np.eye(2)[y_true][None], y_true[None])
    >>> comparison = compare_predictions(y_true, {"trees": perfect}, ["smooth", "disc"])
    >>> header, row = comparison_csv(comparison, {"trees": {"fit_seconds": 2.5}}).splitlines()
    >>> dict(zip(header.split(","), row.split(",")))["fit_seconds"]
    '2.5'
    """
    rows = []
    for name in comparison.ranked():
        row: dict[str, str | float] = {"pipeline": csv_cell(name), "galaxies": comparison.n}
        for metric, score in comparison.scores[name].items():
            row |= {
                metric: score.mean,
                f"{metric}_low": score.low,
                f"{metric}_high": score.high,
                f"{metric}_sd": score.sd,
            }
        row |= costs[name]
        if shift:
            row |= _shift_columns(shift[name])
        rows.append(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _shift_columns(comparison: Comparison) -> dict[str, float]:
    before, after = comparison.scores
    change = comparison.difference(after, before).scores
    return {
        f"shift_{metric}{end}": value
        for metric in METRICS
        for end, value in (
            ("", comparison.scores[after][metric].mean),
            ("_change", change[metric].value),
            ("_change_low", change[metric].low),
            ("_change_high", change[metric].high),
        )
    }


def brief(number: float) -> str:
    """Format a number with two or three significant figures."""
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"
