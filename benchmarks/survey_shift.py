"""Loss in score of a pipeline on images re-rendered as another survey.

Test images are re-rendered with a coarser, fixed pixel scale, a wider PSF, a different stretch
and band balance, a higher sky and more noise (see `galfeat.data.simulation.rerender`); training
images are unchanged. `galfeat compare --survey-shift` does the same for several pipelines.

    python benchmarks/survey_shift.py DATA --label coarse [--pipeline lightgbm] [--folds 5]
"""

from __future__ import annotations

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from galfeat.classifier import GalaxyClassifier
from galfeat.cli.inputs import leave_out_learned, read_all
from galfeat.data import open_dataset
from galfeat.data.simulation.rerender import RerenderedDataSet
from galfeat.evaluate.evaluation import evaluate_predictions
from galfeat.evaluate.splits import outer_folds
from galfeat.features import FeatureExtractor, FeatureTable
from galfeat.pipeline import load_pipeline


def _rows(table: FeatureTable, values: NDArray[np.float32], rows: NDArray[np.intp]) -> FeatureTable:
    return FeatureTable(values[rows], table.names, table.digests[rows], {})


@click.command(help=__doc__)
@click.argument("data")
@click.option("--label", default="coarse", show_default=True)
@click.option("--pipeline", "name", default="lightgbm", show_default=True)
@click.option("--folds", default=5, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--jobs", default=2, show_default=True)
def main(data: str, label: str, name: str, folds: int, seed: int, jobs: int) -> None:
    """Print the scores on original and re-rendered images, and the loss."""
    pipeline = load_pipeline(name)
    dataset, digests = read_all(open_dataset(data, label=label).labelled(), jobs)
    dataset = dataset.select(leave_out_learned(pipeline.families, dataset, digests))
    extractor = FeatureExtractor(pipeline.families, frame=pipeline.frame, n_jobs=jobs)
    table = extractor.extract(dataset)
    rerendered = extractor.extract(RerenderedDataSet(dataset, seed)).values
    classifier = GalaxyClassifier(pipeline, n_jobs=jobs, random_state=seed)
    pooled = {
        name: (np.empty((len(dataset), len(dataset.class_names))), np.empty(len(dataset), np.intp))
        for name in ("original", "re-rendered")
    }
    for _, train, test in outer_folds(dataset.labels, dataset.groups, folds, 1, seed):
        fitted = clone(classifier).fit_table(
            _rows(table, table.values, train), dataset.labels[train], class_names=None
        )
        for out, values in zip(pooled.values(), (table.values, rerendered), strict=True):
            predictions = fitted.classify_table(_rows(table, values, test))
            out[0][test], out[1][test] = predictions.probabilities, predictions.predicted
    scores = {}
    for name, (probabilities, predicted) in pooled.items():
        result = evaluate_predictions(
            dataset.labels, probabilities, predicted, predicted, dataset.class_names, seed=seed
        ).to_json()
        scores[name] = result
        click.echo(f"{name:12} " + _line(result))
    loss = {key: scores["original"][key]["value"] - scores["re-rendered"][key]["value"]
            for key in ("macro_f1", "balanced_accuracy")}  # fmt: skip
    click.echo("loss         " + ", ".join(f"{k} {v:.3f}" for k, v in loss.items()))


def _line(result: dict[str, dict[str, float]]) -> str:
    return ", ".join(
        f"{key} {result[key]['value']:.3f} ({result[key]['low']:.3f} to {result[key]['high']:.3f})"
        for key in ("macro_f1", "balanced_accuracy")
    )


if __name__ == "__main__":
    main()
