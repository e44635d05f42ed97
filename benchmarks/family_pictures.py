"""The figures of `feature_families.py`: cost and scores of families, and separation of classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from family_fits import ALL, Ablation, name_of, without
from family_pairs import EVERYTHING, Pair

from galfeat.evaluate.comparison.paired import RANKING
from galfeat.experiments.fits import ORIGINAL, RERENDERED

BLUE, ORANGE, GREY = "#2563a8", "#e07b1f", "#8a8f98"
COLOURS = {ORIGINAL: BLUE, RERENDERED: ORANGE}
LABELS = {ORIGINAL: "original", RERENDERED: "re-rendered"}
STYLE: dict[str, Any] = {
    "font.size": 9.5, "font.family": "DejaVu Sans", "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": "#8a8f98", "axes.labelcolor": "#3a3f47",
    "xtick.color": "#5a5f68", "ytick.color": "#5a5f68", "axes.linewidth": 0.8,
}  # fmt: skip


@contextmanager
def _figure(rows: int, columns: int, width: float, height: float, path: Path) -> Iterator[Any]:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(
            rows, columns, figsize=(width, height), layout="constrained", squeeze=False
        )
        yield figure, axes
        figure.savefig(path, dpi=110)
        pyplot.close(figure)


def draw_families(ablations: dict[str, Ablation], costs: dict[str, float], path: Path) -> None:
    """Draw macro-F1 for families added by cost, without each family, and for each alone."""
    with _figure(len(ablations), 3, 13.0, 4.1 * len(ablations), path) as (figure, axes):
        for row, (title, ablation) in zip(axes, ablations.items(), strict=True):
            _draw_added(row[0], title, ablation, costs)
            _draw_without(row[1], title, ablation)
            _draw_alone(row[2], title, ablation, costs)
        handles = [
            axes[0, 1].plot([], [], "o", color=colour, label=f"{LABELS[view]} test images")[0]
            for view, colour in COLOURS.items()
        ]
        figure.legend(handles=handles, loc="outside upper right", ncols=2, frameon=False)


def _draw_added(axis: Any, title: str, ablation: Ablation, costs: dict[str, float]) -> None:  # noqa: ANN401
    order = ablation.cheapest
    spent = np.cumsum([costs[name] for name in order])
    for view, colour in COLOURS.items():
        scores = [
            ablation.comparisons[view].scores[name_of(order[:number])][RANKING]
            for number in range(1, len(ALL) + 1)
        ]
        means = np.array([score.mean for score in scores])
        axis.fill_between(
            spent, [s.low for s in scores], [s.high for s in scores], color=colour, alpha=0.13,
            linewidth=0,
        )  # fmt: skip
        axis.plot(spent, means, "o-", color=colour, markersize=5)
    low, high = axis.get_ylim()
    floor = low - 0.25 * (high - low)
    for x, name in zip(spent, order, strict=True):
        axis.text(
            x, floor, f" {name}", rotation=90, ha="center", va="bottom", fontsize=8.5,
            color="#3a3f47",
        )  # fmt: skip
    axis.set_ylim(floor, high)
    axis.set_xscale("log")
    ticks = [value for value in (20, 50, 100, 200, 500, 1000, 2000, 5000)
             if 0.8 * spent[0] < value < 1.2 * spent[-1]]  # fmt: skip
    axis.set_xticks(ticks, [str(value) for value in ticks])
    axis.minorticks_off()
    axis.set(xlabel="cumulative µs per galaxy, without the frame", ylabel="macro-F1")
    _finish(axis, f"{title}: cheapest first")


def _draw_without(axis: Any, title: str, ablation: Ablation) -> None:  # noqa: ANN401
    for shift, (view, colour) in zip((-0.14, 0.14), COLOURS.items(), strict=True):
        comparison = ablation.comparisons[view]
        for row, family in enumerate(ALL):
            value, low, high = comparison.difference(
                name_of(without(family)), name_of(ALL)
            ).scores[RANKING]  # fmt: skip
            axis.plot([low, high], [row + shift] * 2, color=colour, linewidth=1.6)
            axis.plot(value, row + shift, "o", color=colour, markersize=5.5)
    axis.axvline(0.0, color=GREY, linewidth=0.9, zorder=0)
    axis.set(yticks=range(len(ALL)), yticklabels=ALL, xlabel="change in macro-F1, 95 % interval")
    axis.invert_yaxis()
    _finish(axis, f"{title}: without each family")


def _draw_alone(axis: Any, title: str, ablation: Ablation, costs: dict[str, float]) -> None:  # noqa: ANN401
    for shift, (view, colour) in zip((-0.14, 0.14), COLOURS.items(), strict=True):
        for row, family in enumerate(ALL):
            score = ablation.comparisons[view].scores[family][RANKING]
            axis.plot([score.low, score.high], [row + shift] * 2, color=colour, linewidth=1.6)
            axis.plot(score.mean, row + shift, "o", color=colour, markersize=5.5)
    whole = ablation.comparisons[ORIGINAL].scores[name_of(ALL)][RANKING].mean
    axis.axvline(whole, color=GREY, linewidth=0.9, zorder=0)
    axis.annotate(
        "all", (whole, 0.0), (-4, 0), textcoords="offset points", ha="right", va="center",
        color="#3a3f47",
    )  # fmt: skip
    axis.set(
        yticks=range(len(ALL)), yticklabels=[f"{name}\n{costs[name]:.0f} µs" for name in ALL],
        xlabel="macro-F1, 95 % interval",
    )  # fmt: skip
    axis.invert_yaxis()
    _finish(axis, f"{title}: alone")


def _finish(axis: Any, title: str) -> None:  # noqa: ANN401
    axis.set_title(title, loc="left", fontsize=11, color="#1d2127")
    axis.grid(color="#eceef1", linewidth=0.8)
    axis.set_axisbelow(True)


def draw_pairs(pairs: Sequence[Pair], names: Sequence[str], path: Path) -> None:
    """Draw how well each family alone separates each pair of classes."""
    shown = (*ALL, EVERYTHING)
    k = len(names)
    with _figure(2, 4, 16.5, 8.6, path) as (figure, axes):
        for number, (axis, family) in enumerate(zip(axes.flat, shown, strict=False)):
            grid = np.full((k, k), np.nan)
            for pair in pairs:
                grid[pair.second, pair.first] = pair.areas[family]
            image = axis.imshow(grid[1:, :-1], cmap="viridis", vmin=0.5, vmax=1.0)
            for pair in pairs:
                value = pair.areas[family]
                axis.text(
                    pair.first, pair.second - 1, f"{100 * value:.0f}", ha="center", va="center",
                    fontsize=8, color="white" if value < 0.8 else "#1d2127",
                    fontweight="bold" if family == pair.best else "normal",
                )  # fmt: skip
            left = number % 4 == 0
            axis.set(
                xticks=range(k - 1), xticklabels=range(k - 1), yticks=range(k - 1),
                yticklabels=[f"{names[i]} {i}" if left else f"{i}" for i in range(1, k)],
            )  # fmt: skip
            axis.spines[:].set_visible(False)
            axis.tick_params(length=0)
            title = "all together" if family == EVERYTHING else f"{family} alone"
            axis.set_title(title, loc="left", fontsize=12, color="#1d2127")
            if number == 0:
                axis.text(
                    0.99, 0.99, f"0 {names[0]}", transform=axis.transAxes, ha="right", va="top",
                    color="#5a5f68",
                )  # fmt: skip
        for axis in axes.flat[len(shown) :]:
            axis.axis("off")
        bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=36, pad=0.01)
        bar.outline.set_visible(False)
        bar.set_label("area under the ROC curve; 0.5 is chance")
