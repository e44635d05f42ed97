"""Agreement of the morphology family with statmorph on real galaxies, and the cost of both.

    python benchmarks/statmorph_parity.py DATA [--number 250] [--cache FILE] \
        -o docs/background/statmorph.md

Both use the same image (the mean of red, green and blue above the sky, as float), the same
segments and the same gain. statmorph takes a second or two per galaxy; its results are stored in
the cache file, from which an interrupted run resumes.
"""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from galfeat.data import DataSet, open_dataset
from galfeat.errors import ImageError
from galfeat.features.morphology.family import measure, morphology
from galfeat.features.morphology.sky import sky_statistics
from galfeat.frame import Frame, measure_frame
from galfeat.storage.atomic import atomic_file

GAIN = 1.0
#: Column of galfeat, attribute of statmorph, required Spearman, and differences in definition.
PAIRS = (
    ("petrosian_circular", "rpetro_circ", 0.99,
     "A dip below 0.2 that ends within a sixteenth of the radius is ignored; statmorph samples "
     "a hundred radii along the diagonal of the stamp, about every 4 px, and may miss it."),
    ("petrosian_elliptical", "rpetro_ellip", 0.99, "As above."),
    ("r20", "r20", 0.99, "Pixels are distributed over radii rather than split by apertures."),
    ("r50", "r50", 0.99, "As above."),
    ("r80", "r80", 0.99, "As above."),
    ("concentration", "concentration", 0.99, "0 without light; statmorph: -99."),
    ("asymmetry", "asymmetry", 0.99,
     "With the sky of statmorph's box; by default galfeat uses all sky around the galaxy, see "
     "below."),
    ("outer_asymmetry", "outer_asymmetry", None,
     "Bounded by the outline of the next row, and therefore depends on its threshold."),
    ("shape_asymmetry", "shape_asymmetry", None,
     "Both use a threshold of one deviation above the mode of the sky, measured by galfeat all "
     "around the galaxy, by statmorph at two to four Petrosian radii. At one deviation noise "
     "merges with the segment, so small differences matter; at equal thresholds outlines agree."),
    ("smoothness", "smoothness", None,
     "Never negative. The clumpiness of the sky is that of a normal distribution with its "
     "deviation, and is not subtracted in masked pixels, unlike in statmorph."),
    ("gini", "gini", 0.99, "0 without light; statmorph: -99. No pixels are dropped."),
    ("m20", "m20", 0.99, "As above."),
    ("signal_to_noise", "sn_per_pixel", None, "With the sky of statmorph's box."),
    ("multimode", "multimode", None,
     "All thresholds reached by a fiftieth of the pixels; statmorph tries 50 and refines the best "
     "by a random walk."),
    ("intensity", "intensity", None, "Regions by steepest ascent; statmorph: by watershed."),
    ("deviation", "deviation", None, ""),
    ("sersic_index", "sersic_n", None,
     "Fitted to rings from 2 px to 1.5 Petrosian radii; statmorph fits the whole stamp, "
     "including centre and ellipse."),
    ("axis_ratio", "elongation_asymmetry", 0.99, ""),
)  # fmt: skip
HEAD = """# Agreement with statmorph

Made by `python benchmarks/statmorph_parity.py`; do not edit. The columns `morphology.*` compared
with statmorph {version} on {number} real SDSS galaxies without a statmorph flag{excluded}.
Both use the same float image (the mean of red, green and blue above the sky), the same segments
and a gain of {gain:g}. Where the definition subtracts the sky or its noise, both use those of
statmorph's sky box. The images are display images, so these are statistics of stretched light.

| column | statmorph | Spearman | required | median difference | differences in definition |
|---|---|---|---|---|---|
"""
TAIL = """
The centre of minimum asymmetry differs by {centre:.3f} px (median; 95th percentile
{centre95:.2f} px), the position angle of galaxies with an axis ratio below 0.8 by {angle:.3f}
degrees (median of {flat}).

## Intentional differences

- **Sky.** statmorph uses the first square of up to 32 px without a source, from the top left. By
  default galfeat uses all sky around the galaxy, so results do not change when the image is
  rotated. With that sky the Spearman of the asymmetries is {own:.3f}. The square is the limiting
  factor: the mean difference of two of its pixels scatters by {scatter:.0f} % around that of all
  sky and is multiplied by the area of the aperture, so the asymmetries differ by {term:.0f} %
  (median).
- **Missing values.** Where a quantity is undefined statmorph returns -99; galfeat returns the
  value stated in the registry, or NaN in all columns if the segment contains no light.
- **Segment.** statmorph requires a segmentation map as input; galfeat's frame provides it.
- **Bands.** statmorph uses one band; galfeat uses the mean of three.
- **Clumps.** statmorph's smoothness is negative for {negative:.0f} % of these galaxies; galfeat's
  is never negative: fewer clumps than in the sky count as none.
- **Random numbers.** Part of statmorph's multimode is a random walk; galfeat is deterministic.

## Time

Processor time per galaxy of {size} px on one thread: statmorph {slow:.0f} ms, `morphology`
{fast:.2f} ms, {ratio:.0f} times less (medians). Both exclude the segmentation.
"""


def run_statmorph(frame: Frame) -> dict[str, float]:
    """Return the statistics of statmorph, its sky and its time."""
    import statmorph

    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = statmorph.SourceMorphology(
            frame.grey.astype(float), frame.labels, frame.galaxy + 1, gain=GAIN
        )
    seconds = time.process_time() - start
    names = [theirs for _, theirs, _, _ in PAIRS]
    names += ["xc_asymmetry", "yc_asymmetry", "orientation_asymmetry", "sky_mean", "sky_sigma"]
    result = {name: float(getattr(found, name)) for name in names}
    # The sky term is not public.
    return {
        **result, "sky_difference": float(found._sky_asymmetry), "flag": float(found.flag),
        "seconds": seconds,
    }  # fmt: skip


def run_galfeat(frame: Frame, theirs: dict[str, float]) -> dict[str, float]:
    """Return the morphology with statmorph's sky, the asymmetry with galfeat's, and the time."""
    segment = frame.labels == frame.galaxy + 1
    mask = (frame.labels != 0) & ~segment
    whole = (0, segment.shape[0], 0, segment.shape[1])
    level, _, difference, _ = sky_statistics(frame.grey, segment | mask, whole)
    sky = float(level), theirs["sky_sigma"], theirs["sky_difference"]
    result = morphology(frame.grey, segment, mask=mask, sky=sky, gain=GAIN)
    result["sky_difference"] = float(difference)
    result["own_asymmetry"] = morphology(frame.grey, segment, mask=mask, gain=GAIN)["asymmetry"]
    times = []
    for _ in range(3):
        start = time.perf_counter_ns()
        measure(frame)
        times.append(time.perf_counter_ns() - start)
    result["seconds"] = 1e-9 * min(times)
    result["pixels"] = float(frame.grey.shape[0])
    return result


def read_cache(path: Path | None) -> dict[str, dict[str, float]]:
    """Return the stored statmorph results by image."""
    if path is None or not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    return {line["id"]: line["found"] for line in lines}


def compare(
    data: DataSet, number: int, seed: int, cache: Path | None
) -> tuple[list[dict[str, float]], list[dict[str, float]], int]:
    """Return the statistics of both on unflagged galaxies, and the number of flagged ones."""
    stored = read_cache(cache)
    own: list[dict[str, float]] = []
    others: list[dict[str, float]] = []
    flagged = 0
    for row in np.random.default_rng(seed).permutation(len(data)):
        if len(own) == number:
            break
        image = data.read(np.array([row]))[0]
        frame = None if isinstance(image, ImageError) else measure_frame(image)
        if frame is None:
            continue
        name = str(data.ids[row])
        if name not in stored:
            stored[name] = run_statmorph(frame)
            if cache is not None:
                with cache.open("a") as stream:
                    stream.write(json.dumps({"id": name, "found": stored[name]}) + "\n")
        if stored[name]["flag"] != 0.0:
            flagged += 1
            continue
        others.append(stored[name])
        own.append(run_galfeat(frame, stored[name]))
    return own, others, flagged


def table_of(own: list[dict[str, float]], others: list[dict[str, float]]) -> str:
    """Return the rows of the table."""
    lines = []
    for ours, theirs, required, notes in PAIRS:
        a, b = _column(own, ours), _column(others, theirs)
        if ours == "axis_ratio":
            b = 1.0 / b
        rank = spearmanr(a, b).statistic
        goal = (
            "" if required is None else f"{required:.2f}{'' if rank >= required else ' (missed)'}"
        )
        lines.append(
            f"| `{ours}` | `{theirs}` | {rank:.4f} | {goal} | {np.median(np.abs(a - b)):.4f} "
            f"(median value {np.median(b):.3f}) | {notes} |"
        )
    return "\n".join(lines) + "\n"


def tail_of(own: list[dict[str, float]], others: list[dict[str, float]]) -> str:
    """Return the text below the table."""
    distance = np.hypot(
        _column(own, "centre_x") - _column(others, "xc_asymmetry"),
        _column(own, "centre_y") - _column(others, "yc_asymmetry"),
    )
    rotation = _column(own, "position_angle") - _column(others, "orientation_asymmetry")
    rotation = np.abs((rotation + 0.5 * np.pi) % np.pi - 0.5 * np.pi)
    flat = _column(own, "axis_ratio") < 0.8
    asymmetry = _column(others, "asymmetry")
    step = np.abs(_column(own, "own_asymmetry") - _column(own, "asymmetry"))
    slow, fast = np.median(_column(others, "seconds")), np.median(_column(own, "seconds"))
    return TAIL.format(
        centre=np.median(distance), centre95=np.percentile(distance, 95),
        angle=np.degrees(np.median(rotation[flat])), flat=int(flat.sum()),
        own=spearmanr(_column(own, "own_asymmetry"), asymmetry).statistic,
        scatter=100.0 * _scatter(own, others), term=100.0 * np.median(step / np.abs(asymmetry)),
        negative=100.0 * np.mean(_column(others, "smoothness") < 0.0),
        size=int(np.median(_column(own, "pixels"))), slow=1e3 * slow, fast=1e3 * fast,
        ratio=slow / fast,
    )  # fmt: skip


def _column(rows: list[dict[str, float]], name: str) -> NDArray[np.float64]:
    return np.array([row[name] for row in rows])


def _scatter(own: list[dict[str, float]], others: list[dict[str, float]]) -> float:
    """Return the scatter of the mean difference in the box around that of all sky."""
    ratio = _column(others, "sky_difference") / _column(own, "sky_difference")
    return float(1.4826 * np.median(np.abs(ratio - np.median(ratio))))


@click.command(help=__doc__)
@click.argument("data")
@click.option("--number", default=250, show_default=True, help="Number of galaxies without a flag.")
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--cache", type=click.Path(path_type=Path), help="File to store the results of statmorph in."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
def main(data: str, number: int, seed: int, cache: Path | None, output: Path) -> None:
    """Compare and write the page."""
    import statmorph

    own, others, flagged = compare(open_dataset(data), number, seed, cache)
    excluded = f"; {flagged} with a flag are excluded" if flagged else ""
    head = HEAD.format(version=statmorph.__version__, number=len(own), excluded=excluded, gain=GAIN)
    with atomic_file(output) as path:
        path.write_text(head + table_of(own, others) + tail_of(own, others))
    click.echo(output.read_text())


if __name__ == "__main__":
    main()
