"""An explanation as a picture: the galaxy with its measurements, next to the reasons."""

from __future__ import annotations

import textwrap
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.explain.explanation import Explanation
from galfeat.explain.overlay import Mark, marks
from galfeat.frame import Frame
from galfeat.storage.atomic import atomic_file
from galfeat.storage.cells import printable

COLOURS = {
    "Petrosian radius": "#ffffff", "half of the light": "#ffffff", "bar": "#ff9d3c",
    "spiral arm": "#7be495",
}  # fmt: skip
_FOR, _AGAINST, _INK = "#2563a8", "#c2410c", "#1d2127"
#: Number of reasons shown, and half-width of the image section in frame radii.
_REASONS, _AROUND = 8, 1.6
#: Maximum characters of a line of the notes below the title, and its height in points.
_NOTE_WIDTH, _NOTE_HEIGHT = 76, 12.0


def write_picture(
    path: Path, image: NDArray[np.uint8], frame: Frame | None, explanation: Explanation, title: str
) -> None:
    """Write an explanation as a PNG file.

    Parameters
    ----------
    path : Path
    image : ndarray of uint8, shape (H, W, 3)
        The original image.
    frame : Frame or None
        None if no galaxy was found; nothing is drawn on the image then.
    explanation : Explanation
    title : str
        Name of the galaxy.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 4.6), dpi=110)
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.25))
    _draw_galaxy(left, image, frame)
    left.set_title(title, loc="left", fontsize=11, color=_INK, parse_math=False)
    _draw_reasons(right, explanation)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # in the galaxy's name
        figure.tight_layout(w_pad=2.5)
        with atomic_file(path) as temporary:
            figure.savefig(temporary, format="png")


def _draw_galaxy(axis: Any, image: NDArray[np.uint8], frame: Frame | None) -> None:  # noqa: ANN401
    from matplotlib.patheffects import withStroke

    edge = [withStroke(linewidth=2.8, foreground="#00000080")]  # visible on a bright core
    axis.imshow(image, interpolation="bicubic")
    axis.set(xticks=[], yticks=[])
    drawn = [] if frame is None else marks(frame)
    for mark in drawn:
        axis.plot(
            *mark.points.T, color=COLOURS[mark.name], linewidth=1.4, label=mark.name,
            linestyle="--" if mark.name == "half of the light" else "-", path_effects=edge,
        )  # fmt: skip
    if frame is None:
        return
    _crop(axis, image, frame)
    _draw_legend(axis, drawn)


def _crop(axis: Any, image: NDArray[np.uint8], frame: Frame) -> None:  # noqa: ANN401
    """Limit the axes to the galaxy and its surroundings, within the image."""
    row, column = frame.origin
    half = min(max(_AROUND * frame.radius, 16.0), 0.5 * max(image.shape[:2]))
    for limits, centre, size in (
        (axis.set_xlim, frame.xc + column, image.shape[1]),
        (axis.set_ylim, frame.yc + row, image.shape[0]),
    ):
        limits(max(centre - half, -0.5), min(centre + half, size - 0.5))
    axis.invert_yaxis()


def _draw_legend(axis: Any, drawn: list[Mark]) -> None:  # noqa: ANN401
    lines = dict(zip((mark.name for mark in drawn), axis.lines, strict=True))
    axis.legend(
        lines.values(), lines.keys(), loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2,
        frameon=False, fontsize=8.5, labelcolor=_INK, handlelength=1.8, columnspacing=1.2,
    ).get_frame()  # fmt: skip
    for handle in axis.get_legend().legend_handles:
        handle.set_path_effects([])
        if handle.get_color() == "#ffffff":  # invisible on the white page
            handle.set_color("#55585f")


def _draw_reasons(axis: Any, explanation: Explanation) -> None:  # noqa: ANN401
    if explanation.of is None:
        axis.set_axis_off()
        axis.set_title("no class", loc="left", fontsize=13, color=_INK, weight="bold")
        return
    shown = explanation.reasons[:_REASONS]
    rest = explanation.score - explanation.start - sum(reason.added for reason in shown)
    bars = [("class frequency", explanation.start)]
    bars += [(reason.words, reason.added) for reason in shown]
    bars.append(("all other reasons", rest))
    positions = np.arange(len(bars))[::-1]
    added = [value for _, value in bars]
    axis.barh(positions, added, color=[_FOR if value >= 0 else _AGAINST for value in added])
    axis.axvline(0.0, color="#8a8f98", linewidth=0.8)
    axis.set_yticks(positions, [label for label, _ in bars], fontsize=9, color=_INK)
    axis.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    name, probability = printable(explanation.of), explanation.probabilities[explanation.of]
    axis.set_xlabel(
        f"evidence for (+) or against (−) {name} (natural logarithm)",
        loc="right", fontsize=9, color=_INK, parse_math=False,
    )  # fmt: skip
    note = explanation.note if explanation.of == explanation.predicted else None
    notes = [printable(text) for text in (note, explanation.set_note) if text]
    lines = [line for text in notes for line in textwrap.wrap(text, _NOTE_WIDTH)]
    axis.set_title(
        f"{name}: {100 * probability:.0f} %",
        loc="left", fontsize=13, color=_INK, weight="bold", parse_math=False,
        pad=6.0 + _NOTE_HEIGHT * len(lines),
    )  # fmt: skip
    axis.text(
        0.0, 1.01, "\n".join(lines), transform=axis.transAxes, va="bottom", fontsize=8.5,
        color=_INK, parse_math=False,
    )  # fmt: skip
