"""Compare simulated with real galaxies of each class, feature by feature.

``python benchmarks/simulated_classes.py IMAGES --label class_id`` prints, for each class of
Galaxy10 DECaLS, the named features that differ most between real images and simulated ones, and
the scores of a LightGBM fitted to simulated galaxies alone on the real ones.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp
from sklearn.metrics import accuracy_score, f1_score

from galfeat import FeatureExtractor
from galfeat.data import open_dataset
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.readers.images import Images
from galfeat.data.simulation import simulate
from galfeat.features import classifier_columns
from galfeat.pipeline import load_pipeline

Table = NDArray[np.float32]
SHOWN = 6
FEWEST = 8  # values of a feature in both sets


def measured(images: Images, extractor: FeatureExtractor) -> tuple[Table, list[str]]:
    """Return the columns of images that classifiers are fitted to, and their names."""
    table = extractor.extract(images)
    columns = classifier_columns(table.names)
    return table.values[:, columns], [table.names[column] for column in columns]


def distances(real: Table, simulated: Table, names: list[str]) -> dict[str, float]:
    """Return the Kolmogorov–Smirnov distance of each physical feature with enough values."""
    result = {}
    for column, name in enumerate(names):
        if name.startswith("hog"):
            continue
        sets = [part[np.isfinite(part[:, column]), column] for part in (real, simulated)]
        if min(map(len, sets)) >= FEWEST:
            result[name] = float(ks_2samp(*sets).statistic)
    return result


def main() -> None:
    """Print the table of each class and the scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", help="labelled images of the ten classes")
    parser.add_argument("--label", default="class_id")
    parser.add_argument("--rendering", default="sdss", choices=("sdss", "legacy"))
    parser.add_argument("--per-class", type=int, default=250)
    parser.add_argument("--seed", type=int, default=555)
    arguments = parser.parse_args()
    pipeline = load_pipeline("lightgbm")
    extractor = FeatureExtractor(pipeline.families, n_jobs=2)
    data = open_dataset(arguments.images, label=arguments.label).labelled()
    real, names = measured(data, extractor)
    position = {name.casefold(): code for code, name in enumerate(GALAXY10_DECALS)}
    truth = np.array([position[data.class_names[code].casefold()] for code in data.labels])
    drawn = simulate(
        10 * arguments.per_class,
        seed=arguments.seed,
        rendering=arguments.rendering,
        jobs=2,
        class_counts=[arguments.per_class] * 10,
    )
    simulated, _ = measured(list(drawn.images), extractor)
    overall = []
    print("| class | real galaxies | mean distance | most different features |")
    print("|---|---|---|---|")
    for code, name in enumerate(GALAXY10_DECALS):
        of_class = distances(real[truth == code], simulated[drawn.labels == code], names)
        overall.append(np.mean(list(of_class.values())))
        worst = sorted(of_class, key=of_class.__getitem__, reverse=True)[:SHOWN]
        text = ", ".join(f"`{feature}` {of_class[feature]:.2f}" for feature in worst)
        print(f"| {name} | {np.sum(truth == code)} | {overall[-1]:.3f} | {text} |")
    print(f"\nmean distance {np.mean(overall):.3f}")
    fitted = pipeline.members[0].build(0).fit(simulated, drawn.labels.astype(int))
    predicted = fitted.predict_proba(real).argmax(axis=1)
    print(
        f"fitted to simulated galaxies alone: accuracy {accuracy_score(truth, predicted):.3f}, "
        f"macro-F1 {f1_score(truth, predicted, average='macro'):.3f}"
    )


if __name__ == "__main__":
    main()
