"""Measured against simulated values: axis ratios, bars, arms, nuclei.

Galaxies of all classes are rendered as in the Legacy Surveys and as in SDSS.

    python benchmarks/recovery.py [--number 1000] [--seed 7] [--page docs/background/recovery.md]

Prints bias, scatter, rank correlation and number of galaxies for each quantity. With --page, writes
them to a page with a figure (needs matplotlib).
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

#: Families measured, where available.
MEASURED = ("shape", "fourier", "morphology")
SPIRALS = (5, 6, 7)

PAGE = """# Recovery of simulated parameters

{number} simulated galaxies, a tenth of each class, each rendered twice: as in the Legacy Surveys
(grz, 0.262″ per pixel) and as in SDSS (gri, scaled to the galaxy). Bias is the median of measured
minus true, scatter is 1.48 times the median absolute deviation; ρ in the figure is Spearman's rank
correlation.

![Measured against true values]({picture})

{table}

{shares}

Definitions and limits:

- Axis ratio and position angle (for a true axis ratio below 0.8) are measured by `shape`, on
  galaxies that are neither blended nor cut off by the edge. The true values are those of the disc;
  bulges, haloes and the seeing make flat galaxies appear rounder.
- The Sérsic index, for galaxies simulated as a single spheroid, is that of the *displayed* light:
  the stretch of the images flattens the centre, so at best the order is recovered.
- Bar length is the radius to which the m = 2 phase stays that of the bar, times the frame radius.
  Bar strength is measured as an amplitude but simulated as a share of light, so only the order is
  compared, with unbarred spirals at 0. Among barred galaxies the order is hardly recovered: the
  contrast of a bar depends as much on its length, its gap and the bulge.
- Pitch angle and number of arms are those of the strongest logarithmic spiral with 2 to 6 arms
  beyond a quarter of the radius. Arms are simulated with irregularities and unequal strengths. Open
  arms are measured too tight: beyond 30° they wind too little to be distinguished from a bar or an
  inclined disc.
- Nuclei are the peak of the galaxy and the brightest object with at least a tenth of its light
  within the frame radius. Pairs closer than the seeing are one object, and are excluded.

Made by `python benchmarks/recovery.py --number {number} --seed {seed} \
--page docs/background/recovery.md`.
"""


def measured_columns(frames: list[Frame | None]) -> dict[str, Floats]:
    """Return the columns of the families by name, NaN if no galaxy is found."""
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
    """Return the distance in pixels to the brightest other object in the galaxy, NaN if none.

    It must have at least a tenth of the light of the galaxy and lie within the frame radius.
    """
    own = frame.objects[frame.galaxy]
    others = np.delete(frame.objects, frame.galaxy, axis=0)
    distance = np.hypot(others[:, PEAK_Y] - own[PEAK_Y], others[:, PEAK_X] - own[PEAK_X])
    candidates = (distance < frame.radius) & (others[:, FLUX] > 0.1 * own[FLUX])
    if not candidates.any():
        return float("nan")
    return float(distance[candidates][others[candidates, FLUX].argmax()])


def pairs_of(simulation: Simulation) -> Pairs:
    """Return true and measured values of each quantity, for the galaxies that have it."""
    frames = [measure_frame(image) for image in simulation.images]
    columns = measured_columns(frames)
    truth = {name.removeprefix("truth/"): v for name, v in simulation.columns.items()}
    flags = np.array([Flag.NO_SOURCE if f is None else f.flags for f in frames], dtype=int)
    whole = (flags & (Flag.NO_SOURCE | Flag.BLENDED | Flag.OFF_EDGE)) == 0
    arcsec = np.array([np.nan if f is None else f.radius for f in frames]) * truth["pxscale"]
    spiral = whole & np.isin(simulation.labels, SPIRALS)
    flat = whole & (truth["q"] < 0.8)
    elliptical = whole & np.isnan(truth["disc_scale_length"])
    barred = spiral & (truth["bar_strength"] > 0.0)
    turned = np.degrees(columns["shape.position_angle"]) - truth["position_angle"]
    nearest = np.array([np.nan if f is None else second_nucleus(f) for f in frames])
    bar, arms = "fourier.deprojected.bar", "fourier.deprojected.arms"
    unmeasured = np.full(len(frames), np.nan)
    quantities = {
        "axis ratio": (whole, truth["q"], columns["shape.axis_ratio"]),
        "position angle": (
            flat, truth["position_angle"], truth["position_angle"] + (turned + 90.0) % 180.0 - 90.0
        ),
        "Sérsic index": (
            elliptical, truth["sersic_n"], columns.get("morphology.sersic_index", unmeasured)
        ),
        "bar length": (barred, truth["bar_length"], columns[f"{bar}.length"] * arcsec),
        "bar strength": (spiral, truth["bar_strength"], columns[f"{bar}.strength"]),
        "pitch angle": (spiral, truth["pitch_angle"], columns[f"{arms}.pitch"]),
        "number of arms": (spiral, truth["arm_number"], columns[f"{arms}.number"]),
        "separation of nuclei": (
            truth["nuclei"] == 2, truth["nuclei_separation"], nearest * truth["pxscale"]
        ),
    }  # fmt: skip
    pairs = {}
    for name, (rows, true, measured) in quantities.items():
        valid = rows & np.isfinite(true) & np.isfinite(measured)
        if valid.any():
            pairs[name] = true[valid], measured[valid]
    correct = np.sign(columns[f"{arms}.sense"]) == truth["winding"]
    rows = spiral & np.isfinite(columns[f"{arms}.sense"]) & (truth["winding"] != 0.0)
    pairs["sense"] = np.ones(rows.sum()), correct[rows].astype(float)
    return pairs


def summary(true: Floats, measured: Floats) -> tuple[float, float, float, int]:
    """Return bias (median), scatter (1.48 times the MAD), Spearman's ρ and number of galaxies."""
    difference = measured - true
    bias = float(np.median(difference))
    scatter = 1.4826 * float(np.median(np.abs(difference - bias)))
    return bias, scatter, float(spearmanr(true, measured).statistic), len(true)


def table(results: dict[str, Pairs]) -> list[str]:
    """Return the rows of a Markdown table."""
    rows = [
        "| quantity | rendering | bias | scatter | Spearman | galaxies |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for quantity in QUANTITIES:
        for rendering, pairs in results.items():
            if quantity.name not in pairs:
                continue
            bias, scatter, rank, number = summary(*pairs[quantity.name])
            unit = quantity.unit
            offset = f"{bias:+.2f}{unit} | {scatter:.2f}{unit}" if quantity.same_scale else "– | –"
            survey = RENDERINGS[rendering][0]
            rows.append(f"| {quantity.name} | {survey} | {offset} | {rank:.2f} | {number} |")
    return rows


def shares(results: dict[str, Pairs]) -> list[str]:
    """Return sentences on quantities that are either right or wrong."""
    lines = []
    for rendering, pairs in results.items():
        true_strength, strength = pairs["bar strength"]
        above = np.mean(strength[true_strength > 0.0][:, None] > strength[true_strength == 0.0])
        true_arms, arms = pairs["number of arms"]
        true_pitch, pitch = pairs["pitch angle"]
        lines.append(
            f"- {RENDERINGS[rendering][0]}: of a barred and an unbarred spiral, the barred one has "
            f"the larger bar strength in {100 * above:.0f} % of pairs; the number of arms is "
            f"correct for {100 * np.mean(true_arms == arms):.0f} %, the sense of winding for "
            f"{100 * pairs['sense'][1].mean():.0f} %; the pitch angle is within 5° for "
            f"{100 * np.mean(np.abs(pitch - true_pitch) < 5.0):.0f} %."
        )
    return lines


@click.command(help=__doc__)
@click.option("--number", default=1000, show_default=True, help="Number of galaxies, at least 100.")
@click.option("--seed", default=7, show_default=True)
@click.option("--jobs", default=2, show_default=True)
@click.option(
    "--page", "target", type=click.Path(path_type=Path), help="Write a page to this file."
)
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
