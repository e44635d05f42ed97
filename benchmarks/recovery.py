"""What galfeat measures against what the simulator drew: axis ratios, bars, arms, nuclei.

Galaxies of all classes are drawn once as the Legacy Surveys show them and once as the SDSS does.

    python benchmarks/recovery.py [--number 1000] [--seed 7] [--page docs/background/recovery.md]

Prints bias, scatter, rank correlation and number for each quantity. With --page writes them as a
page, and a picture beside it (needs matplotlib).
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from recovery_picture import QUANTITIES, RENDERINGS, Floats, Pairs, draw_picture
from scipy.stats import spearmanr

from galfeat.data.simulation.simulator import Simulation, simulate
from galfeat.features import FAMILIES
from galfeat.features.registry import family_module
from galfeat.frame import Flag, Frame, measure_frame
from galfeat.frame.deblend import FLUX, PEAK_X, PEAK_Y

#: Measured for this; the last only where it exists.
MEASURED = ("shape", "fourier", "morphology")
SPIRALS = (5, 6, 7)

PAGE = """# Against what the simulator drew

{number} simulated galaxies, a tenth of each class, each rendered twice: as the Legacy Surveys show
it (grz, 0.262″ per pixel) and as the SDSS does (gri, scaled to the galaxy). Bias is the median of
measured less drawn, scatter 1.48 times the median absolute deviation from it; ρ in the picture is
Spearman's.

![Measured against drawn]({picture})

{table}

{shares}

What is compared, and what limits it:

- Axis ratio and position angle (where the drawn axis ratio is below 0.8) are those of `shape`, of
  galaxies that are neither blended nor off the edge. Drawn is the disc: bulges, haloes and the
  seeing make flat ones rounder.
- The Sérsic index, of galaxies drawn as one spheroid, is that of the *displayed* light: the stretch
  of the images flattens the centre, so that it keeps an order at best.
- Bar length is how far out the phase of m = 2 stays that of the bar, times the frame radius. Bar
  strength is an amplitude, and was drawn as a share of light: only the order is compared, with
  spirals without a bar at 0. Among barred ones alone there is hardly an order: how high a bar
  stands out is decided as much by its length, its gap and the bulge.
- Pitch angle and number of arms are those of the strongest logarithmic spiral of 2 to 6 arms beyond
  a quarter of the radius. Arms were drawn with wobble and of unequal strength. Open arms come out
  tighter: from 30° on they make too little of a turn to be told from a bar or a tilt.
- Nuclei are the galaxy's summit and the brightest object of at least a tenth of its light within
  the frame radius. Pairs closer than the seeing are one object, and not counted.

Made by `python benchmarks/recovery.py --number {number} --seed {seed} \
--page docs/background/recovery.md`.
"""


def measured_columns(frames: list[Frame | None]) -> dict[str, Floats]:
    """Return the columns of the families by name, NaN where there is no galaxy."""
    columns: dict[str, Floats] = {}
    for family in MEASURED:
        if family not in FAMILIES:
            continue
        module = family_module(family)
        empty = np.full(len(module.COLUMNS), np.nan, np.float32)
        table = np.array([empty if f is None else module.measure(f) for f in frames])
        columns |= {c.name: table[:, i].astype(float) for i, c in enumerate(module.COLUMNS)}
    return columns


def second_nucleus(frame: Frame) -> float:
    """Return the distance in pixels to the brightest other object in the galaxy, NaN for none.

    It has at least a tenth of the galaxy's light and lies within the frame radius.
    """
    own = frame.objects[frame.galaxy]
    others = np.delete(frame.objects, frame.galaxy, axis=0)
    away = np.hypot(others[:, PEAK_Y] - own[PEAK_Y], others[:, PEAK_X] - own[PEAK_X])
    likely = (away < frame.radius) & (others[:, FLUX] > 0.1 * own[FLUX])
    return float(away[likely][others[likely, FLUX].argmax()]) if likely.any() else float("nan")


def pairs_of(simulation: Simulation) -> Pairs:
    """Return what was drawn and what was measured, for each quantity the galaxies that have it."""
    frames = [measure_frame(image) for image in simulation.images]
    found = measured_columns(frames)
    truth = {name.removeprefix("truth/"): v for name, v in simulation.columns.items()}
    flags = np.array([Flag.NO_SOURCE if f is None else f.flags for f in frames], dtype=int)
    whole = (flags & (Flag.NO_SOURCE | Flag.BLENDED | Flag.OFF_EDGE)) == 0
    arcsec = np.array([np.nan if f is None else f.radius for f in frames]) * truth["pxscale"]
    spiral = whole & np.isin(simulation.labels, SPIRALS)
    flat = whole & (truth["q"] < 0.8)
    elliptical = whole & np.isnan(truth["disc_scale_length"])
    barred = spiral & (truth["bar_strength"] > 0.0)
    turned = np.degrees(found["shape.position_angle"]) - truth["position_angle"]
    nearest = np.array([np.nan if f is None else second_nucleus(f) for f in frames])
    bar, arms = "fourier.deprojected.bar", "fourier.deprojected.arms"
    unmeasured = np.full(len(frames), np.nan)
    listed = {
        "axis ratio": (whole, truth["q"], found["shape.axis_ratio"]),
        "position angle": (
            flat, truth["position_angle"], truth["position_angle"] + (turned + 90.0) % 180.0 - 90.0
        ),
        "Sérsic index": (
            elliptical, truth["sersic_n"], found.get("morphology.sersic_index", unmeasured)
        ),
        "bar length": (barred, truth["bar_length"], found[f"{bar}.length"] * arcsec),
        "bar strength": (spiral, truth["bar_strength"], found[f"{bar}.strength"]),
        "pitch angle": (spiral, truth["pitch_angle"], found[f"{arms}.pitch"]),
        "number of arms": (spiral, truth["arm_number"], found[f"{arms}.number"]),
        "separation of nuclei": (
            truth["nuclei"] == 2, truth["nuclei_separation"], nearest * truth["pxscale"]
        ),
    }  # fmt: skip
    pairs = {}
    for name, (rows, drawn, measured) in listed.items():
        kept = rows & np.isfinite(drawn) & np.isfinite(measured)
        if kept.any():
            pairs[name] = drawn[kept], measured[kept]
    right = np.sign(found[f"{arms}.sense"]) == truth["winding"]
    rows = spiral & np.isfinite(found[f"{arms}.sense"]) & (truth["winding"] != 0.0)
    pairs["sense"] = np.ones(rows.sum()), right[rows].astype(float)
    return pairs


def summary(drawn: Floats, measured: Floats) -> tuple[float, float, float, int]:
    """Return bias, scatter (median, and 1.48 median absolute deviations), Spearman and number."""
    difference = measured - drawn
    bias = float(np.median(difference))
    scatter = 1.4826 * float(np.median(np.abs(difference - bias)))
    return bias, scatter, float(spearmanr(drawn, measured).statistic), len(drawn)


def table(results: dict[str, Pairs]) -> list[str]:
    """Return the rows of a Markdown table."""
    rows = [
        "| quantity | images | bias | scatter | Spearman | galaxies |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for quantity in QUANTITIES:
        for rendering, pairs in results.items():
            if quantity.name not in pairs:
                continue
            bias, scatter, order, number = summary(*pairs[quantity.name])
            unit = quantity.unit
            moved = f"{bias:+.2f}{unit} | {scatter:.2f}{unit}" if quantity.same_scale else "– | –"
            survey = RENDERINGS[rendering][0]
            rows.append(f"| {quantity.name} | {survey} | {moved} | {order:.2f} | {number} |")
    return rows


def shares(results: dict[str, Pairs]) -> list[str]:
    """Return sentences on what is right or wrong rather than more or less."""
    lines = []
    for rendering, pairs in results.items():
        drawn, measured = pairs["bar strength"]
        above = np.mean(measured[drawn > 0.0][:, None] > measured[drawn == 0.0])
        arms_drawn, arms_measured = pairs["number of arms"]
        pitch_drawn, pitch = pairs["pitch angle"]
        lines.append(
            f"- {RENDERINGS[rendering][0]}: a barred spiral has the larger bar strength of a pair "
            f"in {100 * above:.0f} %; the number of arms is right for "
            f"{100 * np.mean(arms_drawn == arms_measured):.0f} %, the sense of winding for "
            f"{100 * pairs['sense'][1].mean():.0f} %; the pitch angle is within 5° for "
            f"{100 * np.mean(np.abs(pitch - pitch_drawn) < 5.0):.0f} %."
        )
    return lines


@click.command(help=__doc__)
@click.option("--number", default=1000, show_default=True, help="Galaxies, 100 at least.")
@click.option("--seed", default=7, show_default=True)
@click.option("--jobs", default=2, show_default=True)
@click.option("--page", "target", type=click.Path(path_type=Path), help="Write a page here.")
def main(number: int, seed: int, jobs: int, target: Path | None) -> None:
    """Measure, print and draw."""
    counts = [number // 10] * 10
    results = {}
    for rendering in RENDERINGS:
        simulation = simulate(
            sum(counts), seed=seed, class_counts=counts, rendering=rendering, jobs=jobs
        )
        results[rendering] = pairs_of(simulation)
    click.echo("\n".join([*table(results), "", *shares(results)]))
    if target is not None:
        picture = target.with_suffix(".png")
        draw_picture(results, picture)
        text = PAGE.format(
            number=sum(counts), seed=seed, picture=picture.name,
            table="\n".join(table(results)), shares="\n".join(shares(results)),
        )  # fmt: skip
        target.write_text(text, "utf-8")
        click.echo(f"wrote {target} and {picture}")


if __name__ == "__main__":
    main()
