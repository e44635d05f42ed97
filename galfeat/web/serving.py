"""From a model folder and a data set to the application, ready to answer."""

from __future__ import annotations

import json
from pathlib import Path

from galfeat.data import DataSet
from galfeat.manifest import METRICS, read_manifest
from galfeat.persist import load_model, read_rows
from galfeat.shipped_models import DEFAULT, OF_SIMULATED, model_folder
from galfeat.web.app import Shown
from galfeat.web.facts import model_facts
from galfeat.web.samples import PER_CLASS, draw_samples

_SIMULATED = (
    "These galaxies are simulated. `galfeat data fetch samples` gets real ones from the sky, for "
    "`galfeat serve --samples`."
)
_FITTED_TO_SIMULATED = " The model has seen simulated galaxies alone, too."


def prepare(
    model: str | Path | None, samples: str | None, *, seed: int = 0, trust: bool = False
) -> Shown:
    """Load a model, draw the samples and measure them, so that nothing is left to compile.

    Parameters
    ----------
    model : str, Path or None
        A model folder, or the name of a model that comes with galfeat; if None the one for
        simulated galaxies, or for others the first.
    samples : str or None
        A labelled data set whose classes the model knows; simulated galaxies if None.
    seed : int
        Of the choice of samples, and of the simulation.
    trust : bool
        As in `galfeat.load_model`.

    Raises
    ------
    ModelError, DataError
        If model or samples cannot be used.
    """
    folder = model_folder(model or (OF_SIMULATED if samples is None else DEFAULT))
    classifier = load_model(folder, trust=trust)
    manifest = read_manifest(folder)
    dataset = _simulated(seed) if samples is None else _opened(samples, manifest["label_column"])
    shown = draw_samples(classifier, dataset, read_rows(folder).training, seed)
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    facts = model_facts(folder.resolve().name, manifest, metrics)
    notice = "" if samples else _SIMULATED
    if folder == model_folder(OF_SIMULATED):
        notice += _FITTED_TO_SIMULATED
    return Shown(classifier, shown, facts, notice.strip())


def _opened(samples: str, label: str | None) -> DataSet:
    from galfeat.data import open_dataset

    return open_dataset(samples, label=label).labelled()


def _simulated(seed: int) -> DataSet:
    from galfeat.data import ArrayDataSet
    from galfeat.data.simulate import CLASS_NAMES, simulate

    counts = [PER_CLASS] * len(CLASS_NAMES)
    drawn = simulate(sum(counts), seed=seed, class_counts=counts)
    return ArrayDataSet(drawn.images, drawn.labels, class_names=CLASS_NAMES)
