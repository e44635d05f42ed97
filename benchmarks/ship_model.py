"""Make a fitted model ready to come with galfeat: its card, its list of objects, its digest.

``python benchmarks/ship_model.py models/galaxy10 IMAGES`` after

``galfeat fit IMAGES --label class_id --pipeline stacking-light --cv 5 --repeats 2 -o
models/galaxy10``. The digest it prints goes into `galfeat.model_io.shipped.SHIPPED`.
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

Images of the Sloan Digital Sky Survey, and a few of the DESI Legacy Imaging Surveys (Dey et al.
2019), each cut out to its galaxy's size; classes of Galaxy Zoo (Lintott et al. 2008, 2011; Willett
et al. 2013; Walmsley et al. 2021) and Galaxy10 (Leung & Bovy). Classes by origin: {sources}.
`training.csv` lists every galaxy by its number in the survey, with its class;
`galfeat data fetch training {name} -o FOLDER` gets cut-outs of the same galaxies from the surveys.

The scores below are of cross-validation: each galaxy was predicted by models that had not been
fitted to it. The model itself was then fitted to all of them. Pipeline and features were chosen on
these galaxies too, so the scores are a little kind.

## Known failures

- How well the probabilities hold for another survey is not known: calibrate them on some hundred
  labelled galaxies of your own, or lean on the order of the classes.
- What is learned from few galaxies is known badly: see precision and recall of the thin classes.
- The frequencies below are those of these collections of images, not of the sky.

"""
_SIMULATED = """## Data

No real galaxy: simulated ones of the ten Galaxy10 DECaLS classes
(`galfeat data simulate -n {n} --seed 1 -o simulated.h5`). It stands behind the web page where no
data are at hand. Of real galaxies it has seen none, and should be asked of none.

"""


def main() -> None:
    """Write card and list of objects into a model folder, seal it, and print its digest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="the folder that galfeat fit has written")
    parser.add_argument("data", type=Path, nargs="?", help="real images; left out if simulated")
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
