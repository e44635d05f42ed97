"""How often a class is assigned to images without a galaxy, and refused for galaxies.

``python benchmarks/not_galaxies.py [--model MODEL] [GALAXIES ...]`` classifies stars, noise,
simple shapes, parts of the photographs in scikit-image, simulated galaxies, and the images in the
given folders.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from galfeat import GalaxyClassifier, load_model, open_dataset
from galfeat.data.simulation.simulator import simulate
from galfeat.features.quantiles import UNLIKE
from galfeat.model_io.shipped import DEFAULT

Image = NDArray[np.uint8]
SIDE, NUMBER = 256, 80
#: Sky levels in images of different surveys.
_SKIES = (3.0, 17.0, 33.0)


def _as_image(values: NDArray[np.float64]) -> Image:
    grey = values if values.ndim == 3 else values[..., None].repeat(3, axis=2)
    return np.clip(np.round(grey), 0, 255).astype(np.uint8)


def noise(rng: np.random.Generator) -> Iterator[Image]:
    """Yield white noise of different strengths, in colour or grey."""
    for number in range(NUMBER):
        level, strength = rng.choice([*_SKIES, 120.0]), 2.0 ** rng.uniform(0, 6)
        channels = 1 if number % 2 else 3
        yield _as_image(rng.normal(level, strength, (SIDE, SIDE, channels)).repeat(4 - channels, 2))


def stars(rng: np.random.Generator) -> Iterator[Image]:
    """Yield single stars: Moffat profiles, the bright ones saturated and with spikes."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    for number in range(NUMBER):
        x0, y0 = 0.5 * (SIDE - 1) + rng.normal(0, 1.5, 2)
        width, beta, peak = rng.uniform(3, 9), rng.uniform(2.5, 4.5), 10 ** rng.uniform(1.5, 4.5)
        scale = 0.5 * width / np.sqrt(2 ** (1 / beta) - 1)
        light = peak * (1 + np.hypot(x - x0, y - y0) ** 2 / scale**2) ** -beta
        if peak > 1000:
            angle, length = rng.uniform(0, np.pi), np.sqrt(peak)
            along = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
            across = (y - y0) * np.cos(angle) - (x - x0) * np.sin(angle)
            for u, v in ((along, across), (across, along)):
                light += 0.02 * peak * np.exp(-np.abs(u) / length - v**2 / 4)
        coloured = light[..., None] * rng.uniform(0.6, 1.4, 3)
        if number % 2:
            coloured = 60 * np.arcsinh(coloured / 30)
        yield _as_image(
            coloured + rng.normal(rng.choice(_SKIES), rng.uniform(1, 5), (SIDE, SIDE, 3))
        )


def shapes(rng: np.random.Generator) -> Iterator[Image]:
    """Yield discs, boxes, ramps, waves and chequerboards."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    half = SIDE / 2
    for number in range(NUMBER):
        size, shade = rng.uniform(20, 100), rng.uniform(60, 255)
        drawn = (
            np.where(np.hypot(x - half, y - half) < size, shade, 0.0),
            np.where((np.abs(x - half) < size) & (np.abs(y - half) < size / 2), shade, 0.0),
            x * shade / SIDE,
            127 + 120 * np.sin(x / (size / 6)),
            ((x // (size / 3) + y // (size / 3)) % 2) * shade,
        )[number % 5]
        yield _as_image(drawn + rng.normal(0, 2, drawn.shape))


def photographs(rng: np.random.Generator) -> Iterator[Image]:
    """Yield parts of the photographs and drawings in scikit-image, except those of the sky."""
    import skimage.data

    folder = Path(str(skimage.data.__file__)).parent
    for path in sorted([*folder.glob("*.png"), *folder.glob("*.jpg")]):
        whole = Pillow.open(path, formats=("PNG", "JPEG")).convert("RGB")
        if "hubble" in path.name or min(whole.size) < 150:
            continue
        for _ in range(4):
            side = int(rng.integers(120, min(whole.size) + 1))
            left, top = (int(rng.integers(0, length - side + 1)) for length in whole.size)
            part = whole.crop((left, top, left + side, top + side))
            yield np.asarray(part.resize((SIDE, SIDE)))


def line(name: str, images: Sequence[Image], classifier: GalaxyClassifier) -> str:
    """Return a table row with the share of images refused, by reason."""
    flags = classifier.classify(list(images)).flags
    empty = np.mean(["no_source" in text for text in flags])
    unlike = np.mean([UNLIKE in text for text in flags])
    return f"| {name} | {len(images)} | {empty:.3f} | {unlike:.3f} | {1 - empty - unlike:.3f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("galaxies", nargs="*", help="folders of galaxy images")
    parser.add_argument("--model", default=DEFAULT)
    arguments = parser.parse_args()
    classifier = load_model(arguments.model).set_params(n_jobs=2)
    print("| images | number | no source found | unlike training | class assigned |")
    print("|---|---|---|---|---|")
    for make in (stars, noise, shapes, photographs):
        images = list(make(np.random.default_rng(0)))
        print(line(make.__name__, images, classifier), flush=True)
    print(line("simulated galaxies", list(simulate(300, seed=11).images), classifier), flush=True)
    for folder in arguments.galaxies:
        dataset = open_dataset(folder)
        images = [i for i in dataset.read(range(len(dataset))) if isinstance(i, np.ndarray)]
        print(line(Path(folder).name, images, classifier), flush=True)


if __name__ == "__main__":
    main()
