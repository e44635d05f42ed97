"""Prepare a fitted model for shipping with galfeat: model card, list of objects and digest.

``python benchmarks/ship_model.py models/galaxy10 IMAGES`` after

``galfeat fit IMAGES --label class_id --pipeline stacking-light+simulate --cv 5 --repeats 2 -o
models/galaxy10`` with the oldest supported libraries. The digest it prints goes into
`galfeat.model_io.shipped.SHIPPED`.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from training_list import training_rows, write_rows

from galfeat.data.readers.folder import TRAINING_FILE
from galfeat.model_io.card import model_card
from galfeat.model_io.manifest import CARD, MANIFEST, METRICS, read_manifest, sealed
from galfeat.model_io.rows import read_rows
from galfeat.storage.atomic import atomic_file

_REAL = """## Data

Images from the Sloan Digital Sky Survey, and a few from the DESI Legacy Imaging Surveys (Dey et al.
2019), cut out to the size of each galaxy; classes from Galaxy Zoo (Lintott et al. 2008, 2011;
Willett et al. 2013; Walmsley et al. 2021) and Galaxy10 (Leung & Bovy). Classes by source:
{sources}. `training.csv` lists every galaxy with its identifier in the survey and its class;
`galfeat data fetch training {name} -o FOLDER` downloads cut-outs of the same galaxies.

The scores below are from cross-validation: each galaxy was predicted by models not fitted to it.
The model itself was then fitted to all galaxies. Pipeline and features were selected on the same
galaxies, so the scores are slightly optimistic.

## Known failures

- The calibration on other surveys is unknown: recalibrate on a few hundred labelled galaxies of
  your own, or rely only on the ranking of the classes.
- Rare classes have few training galaxies and uncertain scores: see their precision and recall.
- The class frequencies below are those of these image collections, not of the sky.

"""
_SIMULATED = """## Data

Simulated galaxies of the ten Galaxy10 DECaLS classes
(`galfeat data simulate -n {n} --seed 1 -o simulated.h5`). The web page uses this model for its
simulated examples. It was not trained on real galaxies and should not be used for them.

"""


def main() -> None:
    """Write the card and the list of objects to a model folder, seal it and print its digest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="a folder written by galfeat fit")
    parser.add_argument("data", type=Path, nargs="?", help="real images; omit if simulated")
    arguments = parser.parse_args()
    folder, manifest = arguments.model, read_manifest(arguments.model)
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    names = {*manifest["files"], CARD}
    about = _SIMULATED.format(n=manifest["n_training"])
    if arguments.data is not None:
        rows = training_rows(arguments.data / "labels.csv", read_rows(folder).training)
        write_rows(rows, folder / TRAINING_FILE)
        names.add(TRAINING_FILE)
        counted = Counter(row["label_source"] for row in rows).most_common()
        sources = ", ".join(f"{source} {n:,}" for source, n in counted)
        about = _REAL.format(sources=sources, name=folder.resolve().name)
    card = model_card(manifest, metrics, about, folder.resolve().name)
    (folder / CARD).write_text(card, encoding="utf-8")
    manifest = sealed(manifest, folder, sorted(names))
    with atomic_file(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    print(f'"{folder.resolve().name}": "{manifest["sha256"]}",')


if __name__ == "__main__":
    main()
