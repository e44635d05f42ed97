"""On how many simulated galaxies a bar is drawn, by the strength from which one is.

``python benchmarks/bars_drawn.py [--number 3000]`` simulates that many galaxies in each of two
renderings and measures those that are not flatter than galaxies on which a bar is drawn.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from galfeat.data.simulation.simulator import simulate
from galfeat.explain.overlay import FLATTEST
from galfeat.features import measure_images

#: Strengths that are tried, the one in use in the middle.
STRENGTHS = (0.2, 0.25, 0.3)
#: Classes whose cores pass for bars.
UNSETTLED = ("Disturbed", "Merging")


def measured(number: int, rendering: str) -> NDArray[np.float64]:
    """Return measured strength, whether there is a bar, and whether the class is unsettled."""
    drawn = simulate(number, seed=5, rendering=rendering, jobs=2)
    table = measure_images(drawn.images, ("shape", "fourier"), n_jobs=2)
    column = {name: table.values[:, place] for place, name in enumerate(table.names)}
    names = np.array(drawn.class_names)[drawn.labels]
    rows = np.stack(
        [
            column["fourier.deprojected.bar.strength"],
            drawn.columns["truth/bar_length"] > 0,
            np.isin(names, UNSETTLED),
        ],
        axis=1,
    )
    # Where a galaxy is not deprojected, or too flat, no bar is drawn.
    return rows[(column["shape.axis_ratio"] >= FLATTEST) & ~np.isnan(rows[:, 0])]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=3000)
    number = parser.parse_args().number
    rows = np.concatenate([measured(number, one) for one in ("legacy", "sdss")])
    strength, barred, settled = rows[:, 0], rows[:, 1] > 0, rows[:, 2] == 0
    print(f"{barred.sum():,} galaxies with a bar, {(~barred).sum():,} without")
    print("| drawn from | with a bar | without | of those drawn there is one | outside "
          f"{' and '.join(UNSETTLED)} |")  # fmt: skip
    print("|---|---|---|---|---|")
    for least in STRENGTHS:
        drawn = strength > least
        shares = drawn[barred], drawn[~barred], barred[drawn], barred[drawn & settled]
        print(f"| {least} | " + " | ".join(f"{100 * one.mean():.0f} %" for one in shares) + " |")


if __name__ == "__main__":
    main()
