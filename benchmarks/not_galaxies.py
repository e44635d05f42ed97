"""How often doubt is cast on images without a galaxy, and on galaxies.

``python benchmarks/not_galaxies.py [--model MODEL | --fit IMAGES] [GALAXIES ...]`` classifies
stars, artefacts of the camera, noise, simple shapes, parts of the photographs in scikit-image,
simulated galaxies, the images in the given folders, and all galaxies again cropped so tightly
that they fill their frames. With --fit, the quantiles of these images replace those of the model,
whose classes do not matter here.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from other_images import KINDS

from galfeat import GalaxyClassifier, load_model, open_dataset
from galfeat.data.simulation.simulator import simulate
from galfeat.features.doubt import OTHER_SURVEY, POINT_LIKE, UNLIKE, survey_quantiles
from galfeat.features.quantiles import quantiles
from galfeat.frame import measure_frame
from galfeat.model_io.manifest import read_manifest
from galfeat.model_io.shipped import DEFAULT, model_folder
from galfeat.storage.scratch import take

Image = NDArray[np.uint8]
#: Half the side of a crop, in radii that contain nine tenths of the light.
CROPPED = (0.75, 1.15)
_EDGE_ON = [0, 0, 0, 0, 0, 0, 0, 0, 75, 75]


def cropped(images: Iterable[Image], seed: int) -> Iterator[Image]:
    """Yield galaxies cropped to about the extent of their light."""
    random = np.random.default_rng(seed)
    for image in images:
        frame = measure_frame(image)
        if frame is None:
            continue
        y, x = frame.yc + frame.origin[0], frame.xc + frame.origin[1]
        height, width = image.shape[:2]
        half = min(random.uniform(*CROPPED) * frame.radii[4], y, x, height - 1 - y, width - 1 - x)
        top, left, side = round(y - half), round(x - half), round(2 * half) + 1
        yield image[top : top + side, left : left + side]


def line(name: str, images: Sequence[Image], classifier: GalaxyClassifier) -> str:
    """Return a table row with the share of images by flag, and of those without a doubt."""
    flags = [text.split(";") for text in classifier.classify(list(images)).flags]
    shares = [
        np.mean([flag in raised for raised in flags])
        for flag in ("no_source", UNLIKE, POINT_LIKE, OTHER_SURVEY)
    ]
    named = np.mean([not {"no_source", UNLIKE, POINT_LIKE} & set(raised) for raised in flags])
    cells = " | ".join(f"{share:.3f}" for share in (*shares, named))
    return f"| {name} | {len(images)} | {cells} |"


def readable(folder: str) -> list[Image]:
    """Return the images of a folder that can be read."""
    dataset = open_dataset(folder)
    return [i for i in dataset.read(range(len(dataset))) if isinstance(i, np.ndarray)]


def use_quantiles(classifier: GalaxyClassifier, folder: str, label: str | None) -> None:
    """Replace the quantiles of a model by those of the labelled images of a folder."""
    table = classifier.extractor_.extract(open_dataset(folder, label=label).labelled())
    rows = table.usable_rows()
    columns = np.array([table.names.index(name) for name in classifier.feature_names_])
    features = take(table.values, rows, columns)
    classifier.quantiles_ = quantiles(features, classifier.feature_names_)
    classifier.survey_quantiles_ = survey_quantiles(table, rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("galaxies", nargs="*", help="folders of galaxy images")
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--fit", metavar="IMAGES", help="labelled images to take quantiles from")
    arguments = parser.parse_args()
    classifier = load_model(arguments.model).set_params(n_jobs=2)
    if arguments.fit:
        label = read_manifest(model_folder(arguments.model))["label_column"]
        use_quantiles(classifier, arguments.fit, label)
    print(
        "| images | number | no source | unlike training | point-like | other survey | no doubt |"
    )
    print("|---|---|---|---|---|---|---|")
    for make in KINDS:
        name = make.__name__.replace("_", " ")
        print(line(name, list(make(np.random.default_rng(0))), classifier), flush=True)
    galaxies = {
        "simulated, Legacy Surveys": list(simulate(300, seed=11).images),
        "simulated, SDSS": list(simulate(300, seed=11, rendering="sdss").images),
        "simulated, edge-on": list(simulate(150, seed=12, class_counts=_EDGE_ON).images),
        **{Path(folder).name: readable(folder) for folder in arguments.galaxies},
    }
    for name, images in galaxies.items():
        print(line(name, images, classifier), flush=True)
    for name, images in galaxies.items():
        print(line(f"{name}, cropped", list(cropped(images, seed=0)), classifier), flush=True)


if __name__ == "__main__":
    main()
