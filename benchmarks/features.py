"""What each step of the features costs, beside scikit-image doing the same, in one run.

    python benchmarks/features.py [--images 100] [--size 256] [--seed 0]

Prints medians over rounds of processor time, in microseconds per image on one thread, and ratios.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2gray, rgb2hsv
from skimage.feature import hog
from skimage.measure import label, regionprops

from galfeat.data.simulate import simulate
from galfeat.features import DEFAULT_FAMILIES, FeatureExtractor, warmup
from galfeat.features.hog import CELLS, cell_histograms
from galfeat.features.registry import family_module
from galfeat.frame import Frame, measure_frame


def per_image(work: Callable[[Any], object], items: Sequence[Any], rounds: int = 5) -> float:
    """Return the median over rounds of the processor time per item, in microseconds."""
    times = []
    work(items[0])
    for _ in range(rounds):
        start = time.process_time()
        for item in items:
            work(item)
        times.append((time.process_time() - start) / len(items))
    return 1e6 * float(np.median(times))


def reference_source(rgb: NDArray[np.uint8]) -> object:
    """Segment and measure the central source with scikit-image."""
    grey = rgb.mean(axis=2)
    labels = label(grey > np.median(grey) + 5.0)
    return [(r.area, r.orientation, r.axis_major_length) for r in regionprops(labels, grey)[:3]]


def reference_histograms(rgb: NDArray[np.uint8]) -> object:
    """Histogram hue, saturation and value with scikit-image and numpy."""
    hsv = rgb2hsv(rgb)
    return [np.histogram(hsv[..., k], 10, (0.0, 1.0))[0] for k in range(3)]


def frames_of(images: Sequence[NDArray[np.uint8]]) -> list[Frame]:
    """Return the frames of the images in which a galaxy is found."""
    return [frame for frame in map(measure_frame, images) if frame is not None]


def print_pair(name: str, own: float, reference: str, other: float) -> None:
    """Print one comparison."""
    click.echo(f"{name:34} {own:9.0f} µs   {reference:38} {other:9.0f} µs   {other / own:6.1f}×")


@click.command(help=__doc__)
@click.option("--images", "number", default=100, show_default=True)
@click.option("--size", default=256, show_default=True, help="Side in pixels; cropped or tiled.")
@click.option("--seed", default=0, show_default=True)
def main(number: int, size: int, seed: int) -> None:
    """Measure and print."""
    warmup()
    simulated = simulate(number, seed=seed).images
    images = list(np.pad(simulated, _padding(size), mode="reflect")[:, :size, :size])
    frames = frames_of(images)
    extractor = FeatureExtractor()
    whole = per_image(lambda batch: extractor.extract(batch), [images]) / len(images)
    click.echo(f"{len(images)} simulated images of {size}×{size} pixels, one thread")
    click.echo(f"{'all default features':34} {whole:9.0f} µs   {1e6 / whole:.0f} images/s")
    click.echo(f"{'frame':34} {per_image(measure_frame, images):9.0f} µs")
    for name in DEFAULT_FAMILIES:
        click.echo(f"{name:34} {per_image(family_module(name).measure, frames):9.0f} µs")
    views = [frame.aligned[0].equalised for frame in frames]
    large = [np.ascontiguousarray(image.mean(axis=2), dtype=np.float32) for image in images]
    print_pair(
        "HOG cells, one 64×64 view",
        per_image(lambda v: cell_histograms(v, CELLS), views),
        "skimage hog, the same view",
        per_image(lambda v: hog(v, 9, (8, 8), (1, 1), block_norm="L2"), views[:30]),
    )
    print_pair(
        f"HOG cells, {size}×{size} grey",
        per_image(lambda v: cell_histograms(v, size // 16), large),
        "skimage hog, the same image",
        per_image(lambda v: hog(v, 9, (16, 16), (1, 1), block_norm="L2"), large[:30]),
    )
    hog_of = family_module("hog").measure
    print_pair(
        "frame and hog family",
        per_image(lambda image: hog_of(measure_frame(image)), images),
        "skimage grey and hog, whole image",
        per_image(lambda image: hog(rgb2gray(image), 9, (16, 16), (2, 2)), images[:30]),
    )
    print_pair(
        "frame",
        per_image(measure_frame, images),
        "skimage label and regionprops",
        per_image(reference_source, images[:30]),
    )
    print_pair(
        "colour family",
        per_image(family_module("colour").measure, frames),
        "skimage HSV, numpy histograms",
        per_image(reference_histograms, images[:30]),
    )


def _padding(size: int) -> tuple[tuple[int, int], ...]:
    extra = max(size - 256, 0)
    return ((0, 0), (0, extra), (0, extra), (0, 0))


if __name__ == "__main__":
    main()
