"""How many copies of images are found, and how alike different galaxies are.

``python benchmarks/duplicates.py [GALAXIES ...]`` plants changed copies of simulated galaxies, and
of the images in the given folders, and prints the share found, the pairs of different galaxies
that are joined, the largest correlation among all pairs of them, and the time for 17,736 images.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from galfeat import open_dataset
from galfeat.data import DataSet
from galfeat.data.duplicates import copies_among, fingerprints, near_identical, sketch
from galfeat.data.duplicates.sketches import structure
from galfeat.data.simulation.simulator import simulate

Image = NDArray[np.uint8]
N_COPIED, N_SIMULATED, N_TIMED, BLOCK = 100, 1500, 17_736, 250


def encoded(image: Image, quality: int) -> Image:
    """Return an image after compression as JPEG."""
    file = io.BytesIO()
    Pillow.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Pillow.open(file, formats=("JPEG",)))


def scaled(image: Image, side: int) -> Image:
    """Return an image resampled to a side in pixels."""
    return np.asarray(Pillow.fromarray(image).resize((side, side), Pillow.Resampling.LANCZOS))


def rotated(image: Image, degrees: float) -> Image:
    """Return an image rotated about its centre."""
    return np.asarray(Pillow.fromarray(image).rotate(degrees, Pillow.Resampling.BICUBIC))


def cropped(image: Image, share: float) -> Image:
    """Return an image without a share of its width on each side."""
    margin = round(share * image.shape[0])
    return image[margin:-margin, margin:-margin]


CHANGES: dict[str, Callable[[Image], Image]] = {
    "JPEG, quality 75": lambda image: encoded(image, 75),
    "JPEG, quality 30": lambda image: encoded(image, 30),
    "JPEG, quality 10": lambda image: encoded(image, 10),
    "256 px, quality 85": lambda image: encoded(scaled(image, 256), 85),
    "128 px, quality 75": lambda image: encoded(scaled(image, 128), 75),
    "69 px, quality 75": lambda image: encoded(scaled(image, 69), 75),
    "turned by 90°": lambda image: np.rot90(image),
    "transposed, 256 px, quality 60": lambda image: encoded(
        scaled(image.transpose(1, 0, 2), 256), 60
    ),
    "rotated by 2°": lambda image: rotated(image, 2),
    "rotated by 5°": lambda image: rotated(image, 5),
    "cropped by 2 %": lambda image: cropped(image, 0.02),
    "cropped by 5 %": lambda image: cropped(image, 0.05),
}


def sketched(images: Iterator[Image]) -> NDArray[np.uint8]:
    """Return the sketches of images."""
    return np.stack([sketch(np.ascontiguousarray(image)) for image in images])


def largest_correlation(sketches: NDArray[np.uint8]) -> float:
    """Return the largest correlation of the structure of two images, in any orientation."""
    maps = structure(sketches)
    maps -= maps.mean(axis=(1, 2), keepdims=True)
    maps /= np.maximum(np.linalg.norm(maps, axis=(1, 2), keepdims=True), 1e-9)
    flat, largest = maps.reshape(len(maps), -1), -1.0
    for turns in range(4):
        turned = np.rot90(maps, turns, axes=(1, 2))
        for oriented in (turned, turned[:, :, ::-1]):
            for start in range(0, len(maps), BLOCK):
                part = oriented[start : start + BLOCK].reshape(-1, flat.shape[1])
                products = part @ flat.T
                rows = np.arange(len(part))
                products[rows, start + rows] = -1
                largest = max(largest, float(products.max()))
    return largest


def read(dataset: DataSet, rows: NDArray[np.intp]) -> list[Image]:
    """Return images of a data set; all are readable."""
    return [image for image in dataset.read(rows) if isinstance(image, np.ndarray)]


def report(name: str, images: list[Image], sketches: NDArray[np.uint8]) -> None:
    """Print what is found among different galaxies, and among planted copies."""
    n = len(sketches)
    pairs, _ = near_identical(sketches)
    print(f"\n{name}: {n:,} galaxies; {len(pairs)} pairs joined")
    for pair in pairs.tolist():
        print(f"  rows {pair[0]} and {pair[1]}")
    print(f"largest correlation of {n * (n - 1) // 2:,} pairs: {largest_correlation(sketches):.2f}")
    known = fingerprints(sketches)
    half = n // 2
    wrong = copies_among(known[half:], known[:half]).sum()
    print(f"{wrong} of {n - half:,} different galaxies recognised among {half:,} by fingerprint")
    copied = np.linspace(0, n - 1, len(images)).astype(int)
    for change, function in CHANGES.items():
        copies = sketched(map(function, images))
        found = {tuple(pair) for pair in near_identical(np.concatenate([sketches, copies]))[0]}
        found -= {tuple(pair) for pair in pairs}
        right = {(row, n + number) for number, row in enumerate(copied.tolist())}
        recognised = copies_among(fingerprints(copies), known).sum()
        print(
            f"  {change:32} {len(found & right):3} of {len(images)} found, "
            f"{len(found - right)} wrong pairs; {recognised:3} recognised by fingerprint"
        )


def main() -> None:
    """Print the figures of simulated galaxies and of folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("galaxies", nargs="*", type=Path)
    for rendering in ("legacy", "sdss"):
        images = list(simulate(N_SIMULATED, seed=3, rendering=rendering).images)
        chosen = np.linspace(0, len(images) - 1, N_COPIED).astype(int)
        sketches = sketched(iter(images))
        report(f"simulated, {rendering}", [images[row] for row in chosen], sketches)
    for folder in parser.parse_args().galaxies:
        dataset = open_dataset(folder)
        everything = np.arange(len(dataset))
        parts = np.array_split(everything, len(dataset) // BLOCK + 1)
        sketches = np.concatenate([sketched(iter(read(dataset, rows))) for rows in parts])
        chosen = np.linspace(0, len(dataset) - 1, N_COPIED).astype(int)
        report(folder.name, read(dataset, chosen), sketches)
    rng = np.random.default_rng(0)
    many = sketches[rng.integers(0, len(sketches), N_TIMED)]
    many[:, :1024] = rng.permuted(many[:, :1024], axis=1)
    for name, rows in (("different", many), ("equal", np.repeat(many[:1], N_TIMED, axis=0))):
        start = time.process_time()
        near_identical(rows)
        print(f"\n{N_TIMED:,} {name} images: {time.process_time() - start:.1f} s of processor time")


if __name__ == "__main__":
    main()
