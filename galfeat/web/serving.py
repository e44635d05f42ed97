"""From a model folder and a data set to the application, ready to answer."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from galfeat.data import DataSet
from galfeat.errors import DataError
from galfeat.manifest import METRICS, read_manifest
from galfeat.persist import load_model, read_rows
from galfeat.scoring import true_classes
from galfeat.shipped_models import (
    DEFAULT,
    OF_SIMULATED,
    SHIPPED,
    model_folder,
    shipped_folder,
)
from galfeat.web.app import Shown
from galfeat.web.facts import model_facts
from galfeat.web.samples import PER_CLASS, draw_samples

_SIMULATED = (
    "These galaxies are simulated. `galfeat data fetch samples` gets real ones from the sky, for "
    "`galfeat serve --samples`."
)
_FITTED_TO_SIMULATED = "The model was fitted to simulated galaxies alone."


def prepare(
    model: str | Path | None,
    samples: str | None,
    *,
    seed: int = 0,
    trust: bool = False,
    threads: int = 2,
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
    threads : int
        That simulate and measure the samples.

    Raises
    ------
    ModelError, DataError
        If model or samples cannot be used.
    """
    folder = shipped_folder(OF_SIMULATED if samples is None else DEFAULT)
    if model is not None:
        folder = model_folder(model)
    manifest = read_manifest(folder)
    with ThreadPoolExecutor(1) as beside:  # the model: reading it leaves the other core idle
        loaded = beside.submit(load_model, folder, trust=trust)
        if samples is None:
            dataset = _simulated(seed, threads)
        else:
            dataset = _opened(samples, manifest["label_column"])
        classifier = loaded.result()
    if samples is not None:
        true_classes(dataset, classifier.classes_)  # a class the model does not know is an error
    shown = draw_samples(classifier, dataset, read_rows(folder).training, seed, threads=threads)
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    facts = model_facts(folder.resolve().name, manifest, metrics)
    notices = [] if samples else [_SIMULATED]
    if manifest["sha256"] == SHIPPED[OF_SIMULATED]:
        notices.append(_FITTED_TO_SIMULATED)
    return Shown(classifier, shown, facts, " ".join(notices))


def _opened(samples: str, label: str | None) -> DataSet:
    """Open the samples with the labels of the model's column, or else of a usual one."""
    from galfeat.data import open_dataset

    with suppress(DataError):
        return open_dataset(samples, label=label).labelled()
    return open_dataset(samples).labelled()


def _simulated(seed: int, threads: int) -> DataSet:
    from galfeat.data import ArrayDataSet
    from galfeat.data.simulate import CLASS_NAMES, simulate

    counts = [PER_CLASS] * len(CLASS_NAMES)
    drawn = simulate(sum(counts), seed=seed, class_counts=counts, jobs=threads)
    return ArrayDataSet(drawn.images, drawn.labels, class_names=CLASS_NAMES)
