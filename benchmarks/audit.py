"""How many planted mislabels `galfeat audit` ranks first.

``python benchmarks/audit.py [--label COLUMN] [--pipeline NAME] [--rows N] [DATA ...]`` changes a
tenth of the labels of simulated galaxies, and of the given data sets, to another class drawn at
random, and prints the share of planted ones among the first tenth of the ranking, for the quality
that `galfeat audit` ranks by and for other scores of the same probabilities.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from galfeat import GalaxyClassifier, open_dataset
from galfeat.data import DataSet
from galfeat.data.duplicates import find_groups
from galfeat.data.simulation.simulator import simulate_file
from galfeat.evaluate.audit import Audit
from galfeat.experiments import audit
from galfeat.features import FeatureExtractor
from galfeat.pipeline import load_pipeline

FOLDS, SHARE = 5, 0.1


def scores(result: Audit) -> dict[str, NDArray[np.float64]]:
    """Return scores of each label, low for doubtful ones."""
    p, given = result.probabilities, result.given
    rows, k = np.arange(len(given)), p.shape[1]
    others = p.copy()
    others[rows, given] = -1
    typical = np.array([p[given == index, index].mean() for index in range(k)])
    entropy = -(p * np.log(np.clip(p, 1e-12, 1))).sum(axis=1) / np.log(k)
    return {
        "quality": result.quality,
        "self-confidence": p[rows, given],
        "self-confidence by class": p[rows, given] / typical[given],
        "margin": p[rows, given] - others.max(axis=1),
        "confidence by entropy": p[rows, given] / np.maximum(entropy, 1e-9),
    }


def report(name: str, dataset: DataSet, pipeline_name: str, jobs: int, seed: int) -> None:
    """Plant mislabels and print how many are found."""
    pipeline, rng = load_pipeline(pipeline_name), np.random.default_rng(seed)
    extractor = FeatureExtractor(pipeline.measured_families(), frame=pipeline.frame, n_jobs=jobs)
    table = extractor.extract(dataset, sketches=True)
    present, y = np.unique(dataset.labels, return_inverse=True)
    planted = np.zeros(len(y), np.bool_)
    planted[rng.choice(len(y), round(SHARE * len(y)), replace=False)] = True
    y[planted] = (y[planted] + rng.integers(1, len(present), planted.sum())) % len(present)
    dataset = dataset.relabelled(y, [dataset.class_names[index] for index in present])
    grouping = find_groups(
        table.digests, table.sketches, groups=dataset.groups, labels=dataset.labels
    )
    classifier = GalaxyClassifier(pipeline, n_jobs=jobs, random_state=seed)
    result = audit(classifier, dataset, table, grouping, folds=FOLDS, seed=seed)
    first = round(SHARE * len(y))
    print(f"\n{name}: {len(y):,} galaxies of {len(present)} classes, {planted.sum()} planted")
    for score, values in scores(result).items():
        rows = np.argsort(values, kind="stable")[:first]
        print(f"  {score:26} {100 * planted[rows].mean():.0f} % of the first tenth are planted")
    probable = result.probable
    print(
        f"  {probable.sum()} probable mislabels: {100 * planted[probable].mean():.0f} % planted, "
        f"{100 * probable[planted].mean():.0f} % of the planted ones"
    )


def main() -> None:
    """Print the figures of simulated galaxies and of data sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="*", type=Path)
    parser.add_argument("--label")
    parser.add_argument("--pipeline", default="lightgbm")
    parser.add_argument("--rows", type=int, default=2000, help="galaxies of each data set")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings = options.pipeline, options.jobs, options.seed
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "simulated.h5"
        simulate_file(path, options.rows, seed=options.seed + 11, jobs=options.jobs)
        report("simulated", open_dataset(path), *settings)
    for data in options.data:
        dataset = open_dataset(data, label=options.label).labelled()
        rng = np.random.default_rng(options.seed)
        rows = np.sort(rng.permutation(len(dataset))[: options.rows])
        report(data.name, dataset.select(rows), *settings)


if __name__ == "__main__":
    main()
