"""How much of its score a recipe loses when the same galaxies are shown by another survey.

Validation images are re-rendered as a survey with a coarser and fixed pixel scale, a wider
PSF, another stretch and band balance, a higher sky and more noise would show them; training
images stay as they are.

    python benchmarks/survey_shift.py DATA --label coarse [--pipeline lightgbm] [--folds 5]
"""

from __future__ import annotations

import sys

import click
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom
from sklearn.base import clone

from galfeat.classifier import GalaxyClassifier
from galfeat.data import ArrayDataSet, DataSet, open_dataset
from galfeat.evaluate.evaluation import evaluate_predictions
from galfeat.evaluate.splits import folds as deal_folds
from galfeat.features import FeatureExtractor, FeatureTable
from galfeat.recipe import load_recipe

#: Side of the new cut-out, in pixels, and its pixels per pixel of the old one.
SIDE, RESOLUTION = 256, 0.5
#: Galaxies that filled the same part of their cut-outs now differ in size by these factors.
SIZES = (0.6, 1.2)
#: PSF added after the reduction, in new pixels.
PSF = 0.7
#: Softening of the asinh stretch laid on top of the old one.
STRETCH = 6.0
#: New bands from old: each is a mixture, then scaled.
BANDS = np.array([[0.85, 0.15, 0.0], [0.1, 0.8, 0.1], [0.0, 0.2, 0.75]], np.float32)
GAINS = np.array([0.95, 1.0, 1.1], np.float32)
#: New sky level and noise, in counts of 255.
SKY, NOISE = 33.0, 5.0


def rerender(rgb: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Show an image as another survey would have.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
    random : Generator
        Draws the galaxy's new size and the noise.

    Returns
    -------
    ndarray of uint8, shape (256, 256, 3)
    """
    edge = np.concatenate([rgb[:8].reshape(-1, 3), rgb[-8:].reshape(-1, 3)])
    light = (rgb - np.median(edge, axis=0)).astype(np.float32) / 255.0
    factor = RESOLUTION * random.uniform(*SIZES)
    sigma = 0.42 / factor  # leaves nothing finer than the new pixels
    light = zoom(gaussian_filter(light, (sigma, sigma, 0)), (factor, factor, 1), order=1)
    light = gaussian_filter(light, (PSF, PSF, 0))
    intensity = np.clip(light.mean(axis=2, keepdims=True), 1e-4, None)
    light = light * (np.arcsinh(STRETCH * intensity) / np.arcsinh(STRETCH) / intensity)
    light = (light @ BANDS.T) * GAINS
    light = _cut_out(light)
    noise = gaussian_filter(random.normal(size=light.shape), (0.5, 0.5, 0))
    shown = 255.0 * light + SKY + noise * (NOISE / noise.std())
    result: NDArray[np.uint8] = np.clip(np.rint(shown), 0, 255).astype(np.uint8)
    return result


def _cut_out(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring an image to the new side; where it is smaller its border is mirrored outwards."""
    pad = [(max(SIDE - n, 0) // 2, max(SIDE - n, 0) - max(SIDE - n, 0) // 2) for n in light.shape]
    light = np.pad(light, (pad[0], pad[1], (0, 0)), mode="symmetric")
    y, x = ((n - SIDE) // 2 for n in light.shape[:2])
    return light[y : y + SIDE, x : x + SIDE]


def rerendered_features(
    dataset: DataSet, extractor: FeatureExtractor, seed: int
) -> NDArray[np.float32]:
    """Return the features of every image after re-rendering it, a batch at a time."""
    seeds = np.random.SeedSequence(seed).spawn(len(dataset))
    parts = []
    with click.progressbar(length=len(dataset), label="re-rendering", file=sys.stderr) as progress:
        for rows, images in dataset.batches(64):
            shown = [
                rerender(image, np.random.default_rng(seeds[row]))
                for row, image in zip(rows, images, strict=True)
                if isinstance(image, np.ndarray)
            ]
            parts.append(extractor.extract(ArrayDataSet(np.stack(shown))).values)
            progress.update(len(rows))
    return np.concatenate(parts)


def _rows(table: FeatureTable, values: NDArray[np.float32], rows: NDArray[np.intp]) -> FeatureTable:
    return FeatureTable(values[rows], table.names, table.digests[rows], {})


@click.command(help=__doc__)
@click.argument("data")
@click.option("--label", default="coarse", show_default=True)
@click.option("--pipeline", default="lightgbm", show_default=True)
@click.option("--folds", default=5, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--jobs", default=2, show_default=True)
def main(data: str, label: str, pipeline: str, folds: int, seed: int, jobs: int) -> None:
    """Print the score on the images as they are, re-rendered, and what is lost."""
    dataset = open_dataset(data, label=label).labelled()
    recipe = load_recipe(pipeline)
    extractor = FeatureExtractor(recipe.families, frame=recipe.frame, n_jobs=jobs)
    table = extractor.extract(dataset)
    if table.errors:
        raise click.ClickException(f"{len(table.errors)} images cannot be read")
    shown = rerendered_features(dataset, extractor, seed)
    classifier = GalaxyClassifier(recipe, n_jobs=jobs, random_state=seed)
    pooled = {
        name: (np.empty((len(dataset), len(dataset.class_names))), np.empty(len(dataset), np.intp))
        for name in ("as they are", "re-rendered")
    }
    for _, train, test in deal_folds(dataset.labels, dataset.groups, folds, 1, seed):
        fitted = clone(classifier).fit_table(
            _rows(table, table.values, train), dataset.labels[train], class_names=None
        )
        for out, values in zip(pooled.values(), (table.values, shown), strict=True):
            said = fitted.classify_table(_rows(table, values, test))
            out[0][test], out[1][test] = said.probabilities, said.predicted
    scores = {}
    for name, (probabilities, predicted) in pooled.items():
        result = evaluate_predictions(
            dataset.labels, probabilities, predicted, predicted, dataset.class_names, seed=seed
        ).to_json()
        scores[name] = result
        click.echo(f"{name:12} " + _line(result))
    lost = {key: scores["as they are"][key]["value"] - scores["re-rendered"][key]["value"]
            for key in ("macro_f1", "balanced_accuracy")}  # fmt: skip
    click.echo("lost         " + ", ".join(f"{k} {v:.3f}" for k, v in lost.items()))


def _line(result: dict[str, dict[str, float]]) -> str:
    return ", ".join(
        f"{key} {result[key]['value']:.3f} ({result[key]['low']:.3f} to {result[key]['high']:.3f})"
        for key in ("macro_f1", "balanced_accuracy")
    )


if __name__ == "__main__":
    main()
