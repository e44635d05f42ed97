"""How views and images are shown in the pictures of docs/reference/features.md."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.features.hog import CELLS
from galfeat.features.registry import family_module
from galfeat.frame import Frame, View
from galfeat.frame.views import VIEW_SIZE

BLUE, ORANGE, GREEN, GREY = "#2563a8", "#e07b1f", "#3c9d5d", "#8a8f98"
#: On images.
LIGHT = "#7be495"
HALF = 0.5 * VIEW_SIZE
MIDDLE = HALF - 0.5
STYLE: dict[str, Any] = {
    "font.size": 9.5, "font.family": "DejaVu Sans", "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": GREY, "axes.labelcolor": "#3a3f47",
    "xtick.color": "#5a5f68", "ytick.color": "#5a5f68", "axes.linewidth": 0.8,
    "axes.titlesize": 11, "axes.titlelocation": "left", "axes.titlecolor": "#1d2127",
    "axes.grid.axis": "both", "grid.color": "#eceef1", "grid.linewidth": 0.8,
    "axes.axisbelow": True, "legend.frameon": False, "legend.fontsize": 9,
}  # fmt: skip


def values_of(family: str, frame: Frame) -> dict[str, float]:
    """Return what a family measures, by name without the family's."""
    module = family_module(family)
    names = [column.name.split(".", 1)[1] for column in module.COLUMNS]
    return dict(zip(names, module.measure(frame).tolist(), strict=True))


def present(view: View | None) -> View:
    """Return a view that is there."""
    assert view is not None
    return view


def show(axis: Any, image: NDArray[Any], title: str, **options: Any) -> None:  # noqa: ANN401
    """Show an image without ticks."""
    axis.imshow(image, **({"cmap": "gray", "interpolation": "bicubic"} | options))
    axis.set(title=title, xticks=[], yticks=[])
    axis.set_xlim(-0.5, image.shape[1] - 0.5)
    axis.set_ylim(image.shape[0] - 0.5, -0.5)
    for spine in axis.spines.values():
        spine.set_visible(False)


def show_equalised(axis: Any, image: NDArray[np.float32], title: str) -> None:  # noqa: ANN401
    """Show an equalised view, faint light lifted."""
    show(axis, np.sqrt(np.maximum(image, 0.0)), title)


def show_signed(axis: Any, image: NDArray[Any], title: str, most: float = 10.0) -> None:  # noqa: ANN401
    """Show what may be above or below zero, which is white."""
    show(axis, image, title, cmap="PuOr_r", vmin=-most, vmax=most)


def show_light(axis: Any, view: View, frame: Frame, title: str) -> None:  # noqa: ANN401
    """Show a view in colour, on its sky, faint light lifted a little."""
    light = view.light.transpose(1, 2, 0) + frame.sky[0]
    show(axis, np.clip(light / np.percentile(light, 99.8), 0.0, 1.0) ** 0.75, title)


def show_native(axis: Any, frame: Frame, title: str) -> None:  # noqa: ANN401
    """Show the galaxy's surroundings in the image."""
    show(axis, frame.rgb, title)
    crop(axis, frame)


def crop(axis: Any, frame: Frame) -> None:  # noqa: ANN401
    """Show no more than the frame radius."""
    axis.set_xlim(frame.xc - 1.1 * frame.radius, frame.xc + 1.1 * frame.radius)
    axis.set_ylim(frame.yc + 1.1 * frame.radius, frame.yc - 1.1 * frame.radius)


def ellipse(
    axis: Any,  # noqa: ANN401
    radius: float,
    q: float,
    centre: tuple[float, float] = (MIDDLE, MIDDLE),
    pa: float = 0.0,
    color: str = "#ffffff",
    line: str = "-",
    alpha: float = 1.0,
) -> None:
    """Draw an ellipse about (row, column)."""
    angle = np.linspace(0.0, 2.0 * np.pi, 181)
    u, v = radius * np.cos(angle), radius * q * np.sin(angle)
    x, y = u * np.cos(pa) - v * np.sin(pa), u * np.sin(pa) + v * np.cos(pa)
    axis.plot(centre[1] + x, centre[0] + y, line, color=color, linewidth=1.1, alpha=alpha)


def draw_bars(axis: Any, values: NDArray[np.float32]) -> None:  # noqa: ANN401
    """Draw a bar for each orientation of each cell, along the gradient."""
    side = VIEW_SIZE / CELLS
    for (y, x, o), value in np.ndenumerate(values):
        angle = np.radians(20.0 * o + 10.0)
        dx, dy = 0.48 * side * value * np.array([np.cos(angle), np.sin(angle)])
        yc, xc = (y + 0.5) * side - 0.5, (x + 0.5) * side - 0.5
        axis.plot([xc - dx, xc + dx], [yc - dy, yc + dy], color=BLUE, linewidth=1.8)
    for edge in np.arange(1, CELLS) * side - 0.5:
        axis.axhline(edge, color=GREY, linewidth=0.6)
        axis.axvline(edge, color=GREY, linewidth=0.6)
