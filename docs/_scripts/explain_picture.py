"""Explain one simulated galaxy for docs/guides/explain.md.

    python docs/_scripts/explain_picture.py

Fits the default pipeline to simulated galaxies, prints the explanation of a new one by
`galfeat explain`, as text and as JSON, and draws docs/guides/explain.png. Takes a minute or two.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from PIL import Image

from galfeat.cli import main
from galfeat.data.simulation.simulator import simulate, simulate_file

PICTURE = Path(__file__).parents[1] / "guides" / "explain.png"
#: The new galaxy: a row of this simulation of barred spirals.
SEED, BARRED, ROW = 3, [0, 0, 0, 0, 0, 20, 0, 0, 0, 0], 6
#: Width of the picture on the page, in pixels.
WIDTH = 900


def run(*arguments: str) -> None:
    """Run a command of galfeat."""
    main(list(arguments), standalone_mode=False)


def draw() -> None:
    """Fit, explain, and keep the picture."""
    simulate_file("galaxies.h5", 1000, seed=1)
    run("fit", "galaxies.h5", "-o", "model")
    image = simulate(sum(BARRED), seed=SEED, class_counts=BARRED).images[ROW]
    Image.fromarray(image).save("galaxy.png")
    run("explain", "model", "galaxy.png", "-o", "why")
    with Image.open("why/galaxy.png") as picture:
        small = picture.convert("RGB").resize(
            (WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.LANCZOS
        )
    small.save(PICTURE, optimize=True)
    print(Path("why/galaxy.json").read_text("utf-8"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        draw()
