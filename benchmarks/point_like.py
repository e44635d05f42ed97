"""Fit the weights with which `galfeat.features.doubt` tells stars from galaxies.

``python benchmarks/point_like.py [GALAXIES ...]`` fits a logistic regression to simulated stars
and simulated galaxies, half of them reduced to a few pixels, and prints its weights and rates,
also for the images in the given folders, as they are and reduced.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from other_images import moffat, stars
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from galfeat import open_dataset
from galfeat.data.simulation.simulator import simulate
from galfeat.features import FeatureTable, measure_images
from galfeat.features.doubt import STAR_FEATURES, THRESHOLDS, UNLIKE, point_likeness
from galfeat.features.quantiles import quantiles, share_unusual
from galfeat.features.registry import classifier_columns
from galfeat.frame import measure_frame

Image = NDArray[np.uint8]
#: Side of small images and ranges of half-light radius and full width of the PSF, in pixels.
SIDE, RADII, SEEING = 128, (3.5, 9.0), (2.5, 4.5)
#: Half-light radius of a Gaussian over its full width at half maximum.
_HALF_LIGHT = 0.5
#: Galaxies with larger half-light radii, in pixels, are resolved ...
RESOLVED = 5.5
#: ... and this fraction of them may be taken for stars.
FALSE_ALARMS = 0.01


def reduced(images: Iterable[Image], seed: int) -> Iterator[Image]:
    """Yield galaxies reduced to a few pixels, blurred by a new PSF and with new noise.

    Images without a source are skipped.
    """
    random = np.random.default_rng(seed)
    for image in images:
        frame = measure_frame(image)
        if frame is not None:
            yield _reduced(image, float(frame.radii[2]), random)


def _reduced(image: Image, radius: float, random: np.random.Generator) -> Image:
    seeing = random.uniform(*SEEING)
    unblurred = np.sqrt(max(random.uniform(*RADII) ** 2 - (_HALF_LIGHT * seeing) ** 2, 1.0))
    factor = min(1.0, unblurred / radius)
    height, width = (max(round(side * factor), 24) for side in image.shape[:2])
    small = np.asarray(Pillow.fromarray(image).resize((width, height), Pillow.Resampling.BOX))
    light = gaussian_filter(small.astype(float), (seeing / 2.355, seeing / 2.355, 0))
    canvas = np.empty((SIDE, SIDE, 3))
    canvas[:] = np.median(image.reshape(-1, 3), axis=0)
    top, left = max((height - SIDE) // 2, 0), max((width - SIDE) // 2, 0)
    part = light[top : top + SIDE, left : left + SIDE]
    y, x = (SIDE - part.shape[0]) // 2, (SIDE - part.shape[1]) // 2
    canvas[y : y + part.shape[0], x : x + part.shape[1]] = part
    return _with_noise(canvas, random.uniform(0.5, 4.0), 0.5, random)


def point_sources(number: int, seed: int) -> Iterator[Image]:
    """Yield stars as surveys show them: not quite round, with correlated noise, compressed."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    for index in range(number):
        x0, y0 = 0.5 * (SIDE - 1) + random.normal(0, 1.0, 2)
        width, beta, peak = (
            random.uniform(2.5, 9), random.uniform(2.5, 4.5), 10 ** random.uniform(1.4, 3.5),
        )  # fmt: skip
        q, angle = 1 - abs(random.normal(0, 0.07)), random.uniform(0, np.pi)
        along = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
        across = ((y - y0) * np.cos(angle) - (x - x0) * np.sin(angle)) / q
        light = peak * moffat(np.hypot(along, across), width, beta)
        coloured = light[..., None] * random.uniform(0.5, 1.5, 3)
        if index % 2:
            coloured = 60 * np.arcsinh(coloured / 30)
        coloured += random.choice([3.0, 17.0, 33.0])
        correlation = float(random.choice([0.0, 0.5, 1.0]))
        image = _with_noise(coloured, random.uniform(0.7, 5), correlation, random)
        yield _compressed(image, int(random.integers(75, 96))) if random.random() < 0.6 else image


def _with_noise(
    light: NDArray[np.float64], strength: float, correlation: float, random: np.random.Generator
) -> Image:
    noise = gaussian_filter(random.normal(size=light.shape), (correlation, correlation, 0))
    image: Image = np.clip(np.rint(light + noise * (strength / noise.std())), 0, 255).astype(
        np.uint8
    )
    return image


def _compressed(image: Image, quality: int) -> Image:
    file = io.BytesIO()
    Pillow.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Pillow.open(file, formats=("JPEG",)))


def star_features(table: FeatureTable) -> NDArray[np.float64]:
    """Return the features of the score, the half-light radius as its logarithm."""
    values = table.values[:, [table.names.index(name) for name in STAR_FEATURES]].astype(float)
    values[:, 0] = np.log(values[:, 0])
    return values


def fitted(
    tables: dict[str, FeatureTable],
) -> tuple[NDArray[np.float64], float]:
    """Return the weights and the constant of the score.

    Stars that another flag marks already count a tenth, because these need no second one. The
    constant puts `FALSE_ALARMS` of the resolved reduced galaxies above one half.
    """
    galaxies = tables["galaxies"]
    columns = classifier_columns(galaxies.names)
    names = [galaxies.names[column] for column in columns]
    known = quantiles(galaxies.values[:, columns], names)
    unlike = share_unusual(tables["stars"].values, tables["stars"].names, known)
    marked = unlike > THRESHOLDS[UNLIKE]
    parts = [star_features(tables[name]) for name in ("stars", "galaxies", "reduced galaxies")]
    weights = np.concatenate([
        np.where(marked, 0.1 / max(marked.sum(), 1), 1.0 / max((~marked).sum(), 1)),
        np.full(len(parts[1]), 0.3 / len(parts[1])),
        np.full(len(parts[2]), 0.8 / len(parts[2])),
    ])  # fmt: skip
    features, is_star = np.concatenate(parts), np.arange(len(weights)) < len(parts[0])
    usable = np.isfinite(features).all(axis=1)
    scaler = StandardScaler().fit(features[usable])
    model = LogisticRegression(max_iter=1000).fit(
        scaler.transform(features[usable]), is_star[usable],
        sample_weight=weights[usable] * usable.sum() / weights[usable].sum(),
    )  # fmt: skip
    slopes = model.coef_[0] / scaler.scale_
    small = parts[2][np.exp(parts[2][:, 0]) > RESOLVED]
    return slopes, -float(np.nanquantile(small @ slopes, 1.0 - FALSE_ALARMS))


def main() -> None:
    """Fit the score and print its weights and rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("galaxies", nargs="*", help="folders of galaxy images")
    folders = parser.parse_args().galaxies
    counts = [30, 30, 210, 150, 30, 30, 30, 30, 30, 30]
    simulated = [
        image
        for seed, rendering in ((41, "legacy"), (42, "sdss"))
        for image in simulate(600, seed=seed, rendering=rendering, class_counts=counts).images
    ]
    drawn = [image for seed in range(1, 7) for image in stars(np.random.default_rng(seed))]
    tables = {
        "stars": measure_images([*drawn, *point_sources(900, seed=101)], n_jobs=2),
        "galaxies": measure_images(simulated, n_jobs=2),
        "reduced galaxies": measure_images(list(reduced(simulated, seed=41)), n_jobs=2),
    }
    slopes, constant = fitted(tables)
    for name, slope in zip(STAR_FEATURES, slopes, strict=True):
        print(f"{name:28} {slope:+.1f}")
    print(f"{'constant':28} {constant:+.1f}")
    for folder in folders:
        dataset = open_dataset(folder)
        images = [i for i in dataset.read(range(len(dataset))) if isinstance(i, np.ndarray)]
        name = Path(folder).name
        tables[name] = measure_images(images, n_jobs=2)
        tables[f"{name}, reduced"] = measure_images(list(reduced(images, seed=0)), n_jobs=2)
    print("\n| images | number | point-like | of those with r50 > 5.5 px |\n|---|---|---|---|")
    for name, table in tables.items():
        scores = point_likeness(table.values, table.names)
        resolved = table.values[:, table.names.index("shape.r50")] > RESOLVED
        above = scores > 0.5
        print(f"| {name} | {len(above)} | {above.mean():.3f} | {above[resolved].mean():.3f} |")


if __name__ == "__main__":
    main()
