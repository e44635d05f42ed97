"""Draw galaxies with their canonical views: raw with ellipse, aligned, deprojected, context.

One column per class. A blank tile is a missing view: edge-on and blended galaxies are not
deprojected.

python benchmarks/frame_sheet.py DATA -o sheet.png [--per-class 1] [--seed 0] [--label COLUMN]
"""

from __future__ import annotations

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from galfeat.data import DataSet, open_dataset, stratified_sample
from galfeat.errors import ImageError
from galfeat.frame import Frame, View, measure_frame

_TILE = 112


def raw_tile(rgb: NDArray[np.uint8], frame: Frame | None) -> Image.Image:
    """Return the image at tile size, with the ellipse that contains 90 % of the light."""
    tile = Image.fromarray(rgb).resize((_TILE, _TILE), Image.Resampling.LANCZOS)
    if frame is not None:
        angle = np.linspace(0.0, 2.0 * np.pi, 73)
        u, v = frame.radii[4] * np.cos(angle), frame.radii[4] * frame.q * np.sin(angle)
        x = frame.xc + u * np.cos(frame.pa) - v * np.sin(frame.pa) + 0.5
        y = frame.yc + u * np.sin(frame.pa) + v * np.cos(frame.pa) + 0.5
        scale = np.array([_TILE / rgb.shape[1], _TILE / rgb.shape[0]])
        points = np.column_stack([x, y]) * scale
        ImageDraw.Draw(tile).line([tuple(p) for p in points], fill=(90, 230, 120))
    return tile


def view_tile(view: View | None, sky: NDArray[np.float64]) -> Image.Image:
    """Return a view with its sky, or a blank tile for a missing view."""
    if view is None:
        return Image.new("RGB", (_TILE, _TILE), (40, 40, 60))
    pixels = np.clip(view.light.transpose(1, 2, 0) + sky[0], 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((_TILE, _TILE), Image.Resampling.BICUBIC)


def rows_of(dataset: DataSet, per_class: int, seed: int) -> list[NDArray[np.intp]]:
    """Return a random sample of rows for each non-empty class."""
    chosen = stratified_sample(dataset.labels, per_class, seed)
    labels = dataset.labels[chosen]
    return [chosen[labels == label] for label in np.unique(labels)]


@click.command(help=__doc__)
@click.argument("data")
@click.option("-o", "output", required=True, type=click.Path())
@click.option("--per-class", default=1, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--label", default=None)
def main(data: str, output: str, per_class: int, seed: int, label: str | None) -> None:
    """Draw the sheet."""
    dataset = open_dataset(data, label=label).labelled()
    columns = rows_of(dataset, per_class, seed)
    sheet = Image.new("RGB", (_TILE * len(columns), 4 * _TILE * per_class))
    for column, rows in enumerate(columns):
        for row, rgb in enumerate(dataset.read(rows)):
            if isinstance(rgb, ImageError):
                continue
            frame = measure_frame(rgb)
            tiles = [raw_tile(rgb, frame)]
            if frame is not None:
                views = (frame.aligned[0], frame.deprojected, frame.context[0])
                tiles += [view_tile(view, frame.sky) for view in views]
            for k, tile in enumerate(tiles):
                sheet.paste(tile, (column * _TILE, (4 * row + k) * _TILE))
    sheet.save(output)
    click.echo(f"wrote {output}")


if __name__ == "__main__":
    main()
