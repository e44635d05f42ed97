"""Draw the pictures of docs/reference/features.md, one for each family, from simulated galaxies.

    python docs/_scripts/feature_pictures.py [FAMILY ...]

Needs matplotlib: ``pip install -e .``. Captions are in `feature_page.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from feature_panels import (
    BLUE,
    GREEN,
    GREY,
    HALF,
    LIGHT,
    MIDDLE,
    ORANGE,
    STYLE,
    crop,
    draw_bars,
    ellipse,
    present,
    show,
    show_equalised,
    show_light,
    show_native,
    show_signed,
    values_of,
)
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, maximum_filter, uniform_filter

from galfeat.data.simulation.simulator import simulate
from galfeat.explain.overlay import arm_lines, bar_ends, spiral
from galfeat.features import colour as colours
from galfeat.features import hog
from galfeat.features.band_balance import balanced
from galfeat.features.fourier import family as fourier
from galfeat.features.fourier import pitch, polar
from galfeat.features.morphology.sersic import sersic_b
from galfeat.features.texture.gabor import DIRECTIONS, WAVELENGTH, gabor_energies
from galfeat.features.texture.lbp import binary_patterns
from galfeat.features.texture.starlet import starlet
from galfeat.frame import Frame, measure_frame
from galfeat.frame.equalise import elliptical_model
from galfeat.frame.views import VIEW_SIZE, halve

FOLDER = Path(__file__).parents[1] / "reference" / "features"
#: Rows of the simulation below: four arms, a bar and a ring, blue knots, a pair with tails.
ARMS, BAR, KNOTS, PAIR = 15, 4, 2, 1
Axes = NDArray[np.object_]


def draw_hog(axes: Axes, frames: dict[int, Frame]) -> None:
    """Draw cells and rings of gradients."""
    frame = frames[ARMS]
    image = frame.aligned[0].equalised
    show_equalised(axes[0], image, "equalised view and rings")
    for ring in range(1, hog.RINGS + 1):
        ellipse(axes[0], ring / hog.RINGS * HALF, 1.0, color="#ffffff", alpha=0.5)
    cells = hog.cell_histograms(image, hog.CELLS)
    folded = np.zeros_like(cells)
    folded[: hog.CELLS // 2, : hog.CELLS // 2] = hog.fold_quadrants(cells)
    for axis, values, title in (
        (axes[1], cells, "gradients by cell"), (axes[2], folded, "averaged over mirrors"),
    ):  # fmt: skip
        show(axis, np.sqrt(image), title, cmap="gray_r", alpha=0.3)
        draw_bars(axis, values / cells.max())
    deprojected = present(frame.deprojected)
    rings = hog.ring_histograms(deprojected.equalised, HALF)[:, :-1]
    axes[3].imshow(rings / rings.sum(axis=1, keepdims=True), cmap="Blues", aspect="auto",
                   origin="lower", vmin=0, vmax=0.4, extent=(0, 90, 0.5, 6.5))  # fmt: skip
    axes[3].set(title="gradients by ring", xlabel="angle to the radius [°]", ylabel="ring")
    axes[3].set(xticks=[0, 30, 60, 90], yticks=range(1, hog.RINGS + 1))


def draw_colour(axes: Axes, frames: dict[int, Frame]) -> None:
    """Draw colour relative to the mean, its histogram and the zones'."""
    frame = frames[KNOTS]
    view = frame.aligned[0]
    show_light(axes[0], view, frame, "core, disc, outskirts")
    for bound in colours.BOUNDS:
        ellipse(axes[0], bound * HALF, frame.q, color="#ffffff")
    relative = balanced(view.light, frame.q)
    red, green, blue = (uniform_filter(channel, 3) for channel in relative)
    light = red + green + blue
    y, x = np.indices(light.shape) - MIDDLE
    counted = np.hypot(y / frame.q, x) < colours.BOUNDS[-1] * HALF
    floor = 3.0 * colours.FAINT
    colour = np.where(counted & (light > floor), (red - blue) / (light + floor), np.nan)
    reach = colours.RANGE
    show(axes[1], colour, "red minus blue", cmap="RdBu_r", vmin=-reach, vmax=reach)
    ellipse(axes[1], colours.BOUNDS[-1] * HALF, frame.q, color=GREY)
    values = values_of("colour", frame)
    places = reach * (2.0 * (np.arange(colours.BINS) + 0.5) / colours.BINS - 1.0)
    shares = [values[f"relative.b{b}"] for b in range(colours.BINS)]
    from matplotlib import colormaps

    axes[2].bar(places, shares, 0.9 * (places[1] - places[0]), edgecolor=GREY, linewidth=0.6,
                color=colormaps["RdBu_r"](0.5 + 0.5 * places / reach))  # fmt: skip
    axes[2].set(title="histogram", xlabel="red minus blue", ylabel="part of the light")
    for pair, drawn, label in (
        ("red_green", ORANGE, "red − green"), ("green_blue", BLUE, "green − blue"),
    ):  # fmt: skip
        zones = [values[f"{pair}.{zone}"] for zone in colours.ZONES]
        axes[3].plot(colours.ZONES, zones, "o-", color=drawn, label=label)
    axes[3].set(title="colours of the zones", ylabel="over the mean light")
    axes[3].margins(x=0.15)
    axes[3].legend()


def draw_radial(axes: Axes, frames: dict[int, Frame]) -> None:
    """Draw rings and profiles."""
    frame = frames[BAR]
    show_equalised(axes[0], frame.aligned[0].equalised, "equalised view and rings")
    for ring in range(2, 17, 2):
        ellipse(axes[0], ring / 16 * HALF, frame.q, color="#ffffff", alpha=0.6)
    values = values_of("radial", frame)
    radius = (np.arange(16) + 0.5) / 16
    wide = 0.2 + 0.6 * (np.arange(6) + 0.5) / 6
    steps = (np.arange(8) + 0.5) / 8
    panels = (
        (radius, "r", (("brightness", "brightness"), ("scatter", "scatter")), "equalised light"),
        (wide, "r", (("red_blue", "ln(R/B) less the core's"), ("colour_scatter", "scatter")),
         "colour"),
        (steps, "x", (("major", "major axis"), ("minor", "minor axis")), "cuts"),
    )  # fmt: skip
    for axis, (places, index, lines, title) in zip(axes[1:], panels, strict=True):
        for (name, label), drawn in zip(lines, (BLUE, ORANGE), strict=True):
            heights = [values[f"{name}.{index}{i}"] for i in range(len(places))]
            axis.plot(places, heights, "o-", markersize=4, color=drawn, label=label)
        axis.set(title=title, xlabel="frame radii", xlim=(0, 1))
        axis.legend()


def draw_shape(axes: Axes, frames: dict[int, Frame]) -> None:
    """Draw radii, summits and asymmetries of two galaxies."""
    for row, frame in zip(axes, (frames[ARMS], frames[PAIR]), strict=True):
        values = values_of("shape", frame)
        image = frame.aligned[0].equalised
        show_native(row[0], frame, f"axis ratio {frame.q:.2f}")
        for radius, line in ((frame.radii[4], "-"), (frame.radii[2], "--")):
            ellipse(row[0], radius, frame.q, (frame.yc, frame.xc), frame.pa, LIGHT, line)
        show_equalised(row[1], image, f"{values['summits.number']:.0f} summits")
        y, x = summits(image)
        row[1].plot(x, y, "o", color=ORANGE, markersize=9, fillstyle="none")
        turned, mirrored = image - image[::-1, ::-1], image - image[:, ::-1]
        turn, mirror = values["aligned.asymmetry_centre"], values["aligned.mirror_along"]
        show_signed(row[2], turned, f"half a turn: {turn:.2f}")
        show_signed(row[3], mirrored, f"mirror: {mirror:.2f}")


def summits(image: NDArray[np.float32]) -> tuple[NDArray[np.intp], ...]:
    """Return the highest of 5×5 pixels, near the middle and not much lower than the highest."""
    y, x = np.indices(image.shape)
    near = np.hypot(y - MIDDLE, x - MIDDLE) <= 0.4 * VIEW_SIZE
    tops = (image == maximum_filter(image, 5)) & near
    return np.nonzero(tops & (image > image[tops].max() / 7.0))


def draw_fourier(axes: Axes, frames: dict[int, Frame]) -> None:
    """Draw a bar and arms, the contrast in polar coordinates, amplitudes and phases."""
    frame = frames[BAR]
    view = present(frame.deprojected)
    image = view.equalised
    values = values_of("fourier", frame)
    show_light(axes[0], view, frame, "bar and strongest spiral")
    length = values["deprojected.bar.length"] * HALF
    ends = MIDDLE + HALF * bar_ends(image, values["deprojected.bar.length"])
    axes[0].plot(*ends.T, color=ORANGE, linewidth=2.5)
    for arm in arm_lines(image, values):
        axes[0].plot(*(MIDDLE + HALF * arm).T, color=LIGHT, linewidth=1.6)
    _, rate, phase = spiral(image, values)
    radii = np.geomspace(pitch.ARM_RADII[0], pitch.ARM_RADII[-1], 100)
    reach = 30.0 * fourier.LINEAR
    parts = polar.transform(polar.circles(image, reach))
    contrast = polar.contrast(polar.circles(image, np.arange(1.0, 30.5, 0.5)))
    axes[1].imshow(contrast, cmap="gray", origin="lower", aspect="auto", vmin=-0.8, vmax=1.2,
                   extent=(0, 360, 1 / HALF, 30 / HALF))  # fmt: skip
    phases = np.unwrap(np.arctan2(parts[:, 2, 1], parts[:, 2, 0]))
    for turn in (0.0, 180.0):
        axes[1].plot((np.degrees(0.5 * phases) + turn) % 360.0, reach / HALF, "o",
                     color=ORANGE, markersize=4)  # fmt: skip
    axes[1].set(title="contrast, phase of m = 2", xlabel="angle [°]", ylabel="frame radii")
    axes[1].set(xticks=range(0, 361, 90), ylim=(1 / HALF, 30 / HALF))
    sizes = fourier.amplitudes(parts).reshape(polar.ORDERS, polar.RINGS)
    rings = (np.arange(polar.RINGS) + 0.5) / polar.RINGS * 30.0 / HALF
    for m, drawn in ((1, GREEN), (2, ORANGE), (3, GREY), (4, BLUE)):
        axes[2].plot(rings, sizes[m - 1], "o-", markersize=4, color=drawn, label=f"m = {m}")
    axes[2].set(title="amplitude", xlabel="frame radii", ylim=(0, None))
    axes[2].legend()
    axes[3].semilogx(reach / HALF, np.degrees(phases), "o", color=ORANGE, markersize=4)
    line = rate * np.log(radii) + phase
    apart = phases[8] - np.interp(reach[8], radii, line)
    line += 2.0 * np.pi * np.round(apart / (2.0 * np.pi))
    axes[3].plot(radii / HALF, np.degrees(line), color=GREEN)
    axes[3].axvspan(reach[0] / HALF, length / HALF, color=ORANGE, alpha=0.12, linewidth=0)
    axes[3].text(length / HALF, 0.98, "bar ", transform=axes[3].get_xaxis_transform(),
                 ha="right", va="top", color=ORANGE)  # fmt: skip
    axes[3].set(title="phase of m = 2 [°]", xlabel="frame radii")
    axes[3].set_xticks([0.05, 0.1, 0.2, 0.5, 1.0], ["0.05", "0.1", "0.2", "0.5", "1"])
    axes[3].minorticks_off()


def draw_morphology(axes: Axes, frames: dict[int, Frame]) -> None:
    """Draw segment, Petrosian ellipse, asymmetry and the Sérsic profile."""
    frame = frames[PAIR]
    values = values_of("morphology", frame)
    yc, xc, pa, q = (values[n] for n in ("centre_y", "centre_x", "position_angle", "axis_ratio"))
    petrosian = values["petrosian_elliptical"]
    effective, index = values["sersic_radius"] * petrosian, values["sersic_index"]
    show_native(axes[0], frame, "segment")
    axes[0].contour(frame.labels == frame.galaxy + 1, [0.5], colors=[ORANGE], linewidths=1.4)
    show_native(axes[1], frame, "Petrosian ellipse")
    for radius, line in ((petrosian, "-"), (effective, "--")):
        ellipse(axes[1], radius, q, (yc, xc), pa, LIGHT, line)
    y, x = np.indices(frame.grey.shape)
    turned = map_coordinates(frame.grey, [2.0 * yc - y, 2.0 * xc - x], order=1)
    hidden = (frame.labels > 0) & (frame.labels != frame.galaxy + 1)
    hidden |= map_coordinates(hidden.astype(float), [2.0 * yc - y, 2.0 * xc - x], order=1) > 0.0
    title = f"half a turn: asymmetry {values['asymmetry']:.2f}"
    show_signed(axes[2], np.where(hidden, 0.0, frame.grey - turned), title, 60.0)
    crop(axes[2], frame)
    u = (x - xc) * np.cos(pa) + (y - yc) * np.sin(pa)
    v = (y - yc) * np.cos(pa) - (x - xc) * np.sin(pa)
    radius = np.hypot(u, v / q)
    rings = np.arange(int(1.5 * petrosian))
    own = (frame.labels == 0) | (frame.labels == frame.galaxy + 1)
    mean = np.array([frame.grey[own & (radius >= r) & (radius < r + 1)].mean() for r in rings])
    model = np.exp(-sersic_b(index) * (((rings + 0.5) / effective) ** (1 / index) - 1))
    model *= (mean * model).sum() / (model * model).sum()
    axes[3].semilogy(rings + 0.5, mean, "o", markersize=4, color=BLUE, label="measured")
    axes[3].plot(rings + 0.5, model, color=ORANGE, label=f"Sérsic, n = {index:.2f}")
    axes[3].set(title="profile [counts]", xlabel="semi-major axis [px]", ylim=(0.3, None))
    axes[3].legend()


def draw_texture(axes: Axes, frames: dict[int, Frame]) -> None:
    """Draw residual, binary patterns, wavelets and Gabor energies."""
    frame = frames[ARMS]
    image = frame.aligned[0].equalised
    residual = image - elliptical_model(frame.q, 0.0)
    planes = starlet(residual, 5)
    show_signed(axes[0, 0], residual, "residual", 6.0)
    for axis, radius, smoothings, tolerance in (
        (axes[0, 1], 1, 1, 0.2), (axes[0, 2], 3, 2, 0.3),
    ):  # fmt: skip
        codes = binary_patterns(residual - planes[:smoothings].sum(axis=0), radius, tolerance)
        show(axis, codes, f"binary patterns, {radius} px", cmap="viridis", interpolation="nearest")
    for scale in range(4):
        show_signed(axes[1, scale], planes[scale], f"starlet, {2**scale} px", 2.5)
    small, reach = image[:, :, None], 0.85 * HALF
    axis = axes[0, 3]
    for halvings, drawn in ((1, GREEN), (2, ORANGE), (3, BLUE)):
        small, reach = halve(small), 0.5 * reach
        energies = gabor_energies(small[:, :, 0], reach)
        axis.plot(45 * np.arange(DIRECTIONS), energies, "o-", color=drawn, markersize=4,
                  label=f"{WAVELENGTH * 2**halvings:.0f} px")  # fmt: skip
    axis.set(title="Gabor energy", xlabel="direction [°]", yscale="log", ylim=(0.03, 3.0))
    axis.set_yticks([0.03, 0.1, 0.3, 1.0, 3.0], ["0.03", "0.1", "0.3", "1", "3"])
    axis.minorticks_off()
    axis.set(xticks=45 * np.arange(DIRECTIONS))
    axis.legend(ncols=3, columnspacing=0.8, handlelength=1.0, loc="upper right")


DRAWN: dict[str, tuple[Callable[[Axes, dict[int, Frame]], None], tuple[int, int]]] = {
    "hog": (draw_hog, (1, 4)),
    "colour": (draw_colour, (1, 4)),
    "radial": (draw_radial, (1, 4)),
    "shape": (draw_shape, (2, 4)),
    "fourier": (draw_fourier, (1, 4)),
    "morphology": (draw_morphology, (1, 4)),
    "texture": (draw_texture, (2, 4)),
}


def main(families: list[str]) -> None:
    """Draw the pictures of some families, or of all."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    images = simulate(20, seed=5, class_counts=[0, 2, 0, 0, 0, 5, 5, 6, 0, 2]).images
    frames = {row: measure_frame(images[row]) for row in (ARMS, BAR, KNOTS, PAIR)}
    FOLDER.mkdir(exist_ok=True)
    for name in families or DRAWN:
        draw, (rows, panels) = DRAWN[name]
        with pyplot.rc_context(STYLE):  # type: ignore[arg-type,unused-ignore]
            size = (12.4, rows * 12.4 / panels + 0.3)
            figure, axes = pyplot.subplots(rows, panels, figsize=size, layout="constrained")
            draw(axes, {row: frame for row, frame in frames.items() if frame is not None})
            for axis in axes.flat:
                axis.set_box_aspect(1)
            figure.savefig(
                FOLDER / f"{name}.jpg", dpi=96 if rows == 1 else 84,
                bbox_inches="tight", pad_inches=0.06,
                pil_kwargs={"quality": 80, "subsampling": 0, "optimize": True},
            )  # fmt: skip
            pyplot.close(figure)


if __name__ == "__main__":
    main(sys.argv[1:])
