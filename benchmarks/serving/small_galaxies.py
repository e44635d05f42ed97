"""How many images keep their class when they are reduced in size, by the size of the galaxy.

    python benchmarks/serving/small_galaxies.py GALAXIES [--model MODEL]

Up to 150 images are reduced to several sizes. For each size, and for each range of the half-light
radius, prints the share that keeps the most probable class of the original image.
"""

from __future__ import annotations

import argparse
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from galfeat import GalaxyClassifier, load_model, open_dataset
from galfeat.frame import measure_frame
from galfeat.model_io.shipped import DEFAULT

NUMBER = 150
SIDES = (128, 96, 64, 48, 40, 32, 24, 20)
#: Ends of the ranges of the half-light radius, in pixels.
RADII = (0.0, 2.0, 3.0, 4.0, 5.0, 6.0, 12.0, 20.0)


def reduced(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return an image reduced to a number of pixels a side."""
    return np.asarray(Pillow.fromarray(image).resize((side, side), Pillow.Resampling.BOX))


def half_light_radius(image: NDArray[np.uint8]) -> float:
    """Return the half-light radius in pixels; NaN without a galaxy."""
    frame = measure_frame(image)
    return np.nan if frame is None else float(frame.radii[2])


def compare(
    model: GalaxyClassifier, images: list[NDArray[np.uint8]]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return half-light radii, and whether the class is kept, by size and image."""
    original = model.classify(images).most_probable
    radii, kept = [], []
    for side in SIDES:
        small = [reduced(image, side) for image in images]
        radii.append([half_light_radius(image) for image in small])
        kept.append(model.classify(small).most_probable == original)
    return np.array(radii), np.array(kept)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("galaxies", help="data set of images of at least 200 pixels a side")
    parser.add_argument("--model", default=DEFAULT)
    arguments = parser.parse_args()
    dataset = open_dataset(arguments.galaxies)
    rng = np.random.default_rng(0)
    rows = np.sort(rng.choice(len(dataset), min(NUMBER, len(dataset)), replace=False))
    images = [image for image in dataset.read(rows) if isinstance(image, np.ndarray)]
    radii, kept = compare(load_model(arguments.model), images)
    print(f"{len(images)} images\nside  median radius  class kept")
    for side, radius, same in zip(SIDES, radii, kept, strict=True):
        print(f"{side:4d}  {np.nanmedian(radius):13.1f}  {same.mean():10.2f}")
    print("radius    images  class kept")
    for low, high in pairwise(RADII):
        inside = (radii >= low) & (radii < high)
        if inside.any():
            print(f"{low:2.0f} to {high:2.0f}  {inside.sum():6d}  {kept[inside].mean():10.2f}")


if __name__ == "__main__":
    main()
