"""A comparison of pipelines for a terminal and for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from galfeat.evaluate.comparison.paired import CHOSEN, Comparison
from galfeat.evaluate.metrics import METRICS
from galfeat.evaluate.text import METRIC_NAMES, table

#: Of each pipeline: number by name of what was measured.
Costs = Mapping[str, Mapping[str, float]]
COST_NAMES = {
    "fit_seconds": "fit, s",
    "ms_per_galaxy": "ms per galaxy",
    "peak_memory_mb": "memory, MB",
    "model_mb": "model, MB",
}


def comparison_text(comparison: Comparison, costs: Costs) -> str:
    """Write a comparison out for a terminal.

    Parameters
    ----------
    comparison : Comparison
    costs : mapping of str to mapping of str to float
        `COST_NAMES` of each pipeline.

    Returns
    -------
    str
        Scores with intervals, costs, and which pipelines can be told apart; no newline at
        the end.
    """
    ranked = comparison.ranked()
    times = "once" if comparison.repeats == 1 else f"{comparison.repeats} times"
    scores = [
        [name, *(f"{comparison.scores[name][metric].mean:.3f}" for metric in METRICS)]
        for name in ranked
    ]
    spent = [[name, *(brief(costs[name][cost]) for cost in COST_NAMES)] for name in ranked]
    parts = [
        f"{comparison.n:,} galaxies of {len(comparison.classes)} classes, each predicted out of "
        f"fold {times}; the best {METRIC_NAMES[CHOSEN]} first",
        table(["pipeline", *(METRIC_NAMES[metric] for metric in METRICS)], scores),
        table(["pipeline", *COST_NAMES.values()], spent),
    ]
    if len(ranked) > 1:
        parts += [_differences_table(comparison), verdict(comparison)]
    return "\n\n".join(parts)


def _differences_table(comparison: Comparison) -> str:
    best, *others = comparison.ranked()
    rows = []
    for name in others:
        difference = comparison.difference(best, name)
        value, low, high = difference.scores[CHOSEN]
        better = difference.better()
        rows.append(
            [
                name,
                f"{value:+.3f}",
                f"{low:+.3f} to {high:+.3f}",
                f"{better} is better" if better else "can't tell these apart",
            ]
        )
    return table([f"{best} less", METRIC_NAMES[CHOSEN], "95 % interval", ""], rows)


def verdict(comparison: Comparison) -> str:
    """Say which pipeline is best, and which can't be told apart from it."""
    best = comparison.ranked()[0]
    level = comparison.tied_with_best()
    if not level:
        return f"{best} is the best of these by {METRIC_NAMES[CHOSEN]}."
    return (
        f"{best} has the best {METRIC_NAMES[CHOSEN]}, but these galaxies can't tell it apart "
        f"from {' or '.join(level)}."
    )


def comparison_csv(
    comparison: Comparison, costs: Costs, shift: Mapping[str, Comparison] | None = None
) -> str:
    """Write a comparison as CSV, a row for each pipeline, the best first.

    Parameters
    ----------
    comparison : Comparison
    costs : mapping of str to mapping of str to float
        Numbers of each pipeline that become columns.
    shift : mapping of str to Comparison, optional
        Of each pipeline, on its galaxies as they are and re-rendered, in this order.
    """
    rows = []
    for name in comparison.ranked():
        row: dict[str, str | float] = {"pipeline": name, "galaxies": comparison.n}
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
    """Write a number with two or three significant figures."""
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"
