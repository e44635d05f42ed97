"""How reliably bars are drawn on simulated galaxies, by the threshold in bar strength.

``python benchmarks/bars_drawn.py [--number 3000]`` simulates that many galaxies in each of two
renderings and measures those that are not too flat for a bar to be drawn.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from galfeat.data.simulation.simulator import simulate
from galfeat.explain.overlay import FLATTEST, bar_ends, is_stretched_bulge
from galfeat.features import measure_images
from galfeat.frame import measure_frame

#: Thresholds to compare, the current one in the middle.
STRENGTHS = (0.2, 0.25, 0.3)
#: Classes whose cores are often mistaken for bars.
UNSETTLED = ("Disturbed", "Merging")


def measured(number: int, rendering: str) -> NDArray[np.float64]:
    """Return measured strength, whether a bar was simulated, and whether the class is unsettled."""
    simulation = simulate(number, seed=5, rendering=rendering, jobs=2)
    table = measure_images(simulation.images, ("shape", "fourier"), n_jobs=2)
    column = {name: table.values[:, index] for index, name in enumerate(table.names)}
    names = np.array(simulation.class_names)[simulation.labels]
    rows = np.stack(
        [
            column["fourier.deprojected.bar.strength"],
            simulation.columns["truth/bar_length"] > 0,
            np.isin(names, UNSETTLED),
        ],
        axis=1,
    )
    # No bar is drawn on galaxies that are too flat or not deprojected, or along a stretched bulge.
    strong = np.flatnonzero(rows[:, 0] > STRENGTHS[0])
    for row in strong:
        frame = measure_frame(simulation.images[row])
        length = column["fourier.deprojected.bar.length"][row]
        if frame is not None and frame.deprojected is not None:
            _, end = bar_ends(frame.deprojected.equalised, length)
            rows[row, 0] *= not is_stretched_bulge(end, frame.q)
    return rows[(column["shape.axis_ratio"] >= FLATTEST) & ~np.isnan(rows[:, 0])]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=3000)
    number = parser.parse_args().number
    rows = np.concatenate([measured(number, rendering) for rendering in ("legacy", "sdss")])
    strength, barred, settled = rows[:, 0], rows[:, 1] > 0, rows[:, 2] == 0
    print(f"{barred.sum():,} galaxies with a bar, {(~barred).sum():,} without")
    print("| threshold | drawn if barred | drawn if unbarred | barred if drawn | same, outside "
          f"{' and '.join(UNSETTLED)} |")  # fmt: skip
    print("|---|---|---|---|---|")
    for threshold in STRENGTHS:
        drawn = strength > threshold
        shares = drawn[barred], drawn[~barred], barred[drawn], barred[drawn & settled]
        print(f"| {threshold} | " + " | ".join(f"{100 * s.mean():.0f} %" for s in shares) + " |")


if __name__ == "__main__":
    main()
