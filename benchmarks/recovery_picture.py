"""The figure of measured against true values; see `recovery.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

Floats = NDArray[np.float64]
#: True and measured values by quantity.
Pairs = dict[str, tuple[Floats, Floats]]

#: Names of the renderings and their colours in the figure.
RENDERINGS = {"legacy": ("Legacy Surveys", "#2563a8"), "sdss": ("SDSS", "#e07b1f")}


@dataclass(frozen=True)
class Quantity:
    """A quantity with its name, unit and plot range."""

    name: str
    unit: str
    low: float
    high: float
    same_scale: bool = True


QUANTITIES = (
    Quantity("axis ratio", "", 0.0, 1.0),
    Quantity("position angle", "°", 0.0, 180.0),
    Quantity("Sérsic index", "", 0.0, 6.0),
    Quantity("bar length", "″", 0.0, 12.0),
    Quantity("bar strength", "", 0.0, 0.8, same_scale=False),
    Quantity("pitch angle", "°", 0.0, 50.0),
    Quantity("number of arms", "", 1.5, 4.5, same_scale=False),
    Quantity("separation of nuclei", "″", 0.0, 14.0),
)


def draw_picture(results: dict[str, Pairs], path: Path) -> None:
    """Draw measured against true values, one panel per quantity."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.lines import Line2D

    style: dict[str, Any] = {
        "font.size": 9.5, "font.family": "DejaVu Sans", "axes.spines.top": False,
        "axes.spines.right": False, "axes.edgecolor": "#8a8f98", "axes.labelcolor": "#3a3f47",
        "xtick.color": "#5a5f68", "ytick.color": "#5a5f68", "axes.linewidth": 0.8,
    }  # fmt: skip
    shown = [q for q in QUANTITIES if any(q.name in pairs for pairs in results.values())]
    with pyplot.rc_context(style):  # type: ignore[arg-type,unused-ignore]
        figure, axes = pyplot.subplots(2, 4, figsize=(12.4, 6.9), layout="constrained")
        for axis in axes.flat[len(shown) :]:
            axis.axis("off")
        for axis, quantity in zip(axes.flat, shown, strict=False):
            _draw_panel(axis, quantity, results)
        handles = [
            Line2D([], [], marker="o", linestyle="", color=colour, label=f"rendered as {name}")
            for name, colour in RENDERINGS.values()
        ]
        figure.legend(
            handles=handles, loc="outside upper right", ncols=2, frameon=False, fontsize=10.5
        )
        figure.suptitle(
            "Measured against true values", x=0.012, ha="left", fontsize=14, fontweight="bold"
        )
        figure.savefig(path, dpi=110)
        pyplot.close(figure)


def _draw_panel(axis: Any, quantity: Quantity, results: dict[str, Pairs]) -> None:  # noqa: ANN401
    low, high = quantity.low, quantity.high
    unit = f" [{quantity.unit}]" if quantity.unit else ""
    axis.set_title(quantity.name + unit, loc="left", fontsize=11, color="#1d2127")
    if quantity.name != "bar strength":
        axis.plot([low, high], [low, high], color="#b9bec6", linewidth=1.2, zorder=0)
    for index, (rendering, (_, colour)) in enumerate(RENDERINGS.items()):
        if quantity.name not in results[rendering]:
            continue
        true, measured = results[rendering][quantity.name]
        rank = float(spearmanr(true, measured).statistic)
        if quantity.name == "number of arms":
            _draw_shares(axis, true, measured, 0.22 * index - 0.11, colour)
        else:
            if quantity.name == "bar strength":  # spread out galaxies without a bar
                true = true + np.random.default_rng(index).uniform(-0.012, 0.012, len(true))
            if quantity.name == "position angle":
                measured = measured % 180.0
            axis.scatter(
                true, np.clip(measured, low, high), s=10, color=colour, alpha=0.45,
                linewidths=0, clip_on=False, zorder=2 + index,
            )  # fmt: skip
        axis.text(
            0.03, 0.97 - 0.085 * index, f"ρ = {rank:.2f}", color=colour, transform=axis.transAxes,
            va="top", fontsize=9.5, fontweight="bold",
        )  # fmt: skip
    axis.set(xlim=(low, high), ylim=(low, high), xlabel="true", ylabel="measured")
    if quantity.name == "bar strength":
        axis.set(xlim=(-0.02, 0.46), xlabel="true: light of bar over disc")
        axis.set_ylabel("measured: amplitude of m = 2")
    if quantity.name == "number of arms":
        axis.set(xticks=[2, 3, 4], yticks=[2, 3, 4])
    if quantity.name == "position angle":
        axis.set(xticks=range(0, 181, 45), yticks=range(0, 181, 45))
    if quantity.unit == "″":
        axis.set(xticks=range(0, int(high) + 1, 2), yticks=range(0, int(high) + 1, 2))
    axis.grid(color="#eceef1", linewidth=0.8)
    axis.set_axisbelow(True)


def _draw_shares(axis: Any, true: Floats, measured: Floats, shift: float, colour: str) -> None:  # noqa: ANN401
    """Draw discs with an area proportional to the share of galaxies with that number of arms."""
    for number in np.unique(true):
        same = measured[true == number]
        for value in np.unique(same):
            share = float(np.mean(same == value))
            axis.scatter(
                number + shift, value, s=420 * share, color=colour, alpha=0.8, linewidths=0
            )
