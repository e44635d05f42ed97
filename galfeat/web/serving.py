"""From a model folder and a data set to the application, ready to answer."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from galfeat.classifier import GalaxyClassifier
from galfeat.data import DataSet
from galfeat.errors import DataError
from galfeat.experiments.scoring import true_classes
from galfeat.model_io.folder import load_model
from galfeat.model_io.manifest import METRICS, read_manifest
from galfeat.model_io.rows import read_rows
from galfeat.model_io.shipped import (
    DEFAULT,
    OF_SIMULATED,
    SHIPPED,
    model_folder,
    shipped_folder,
)
from galfeat.web.app import Shown
from galfeat.web.model_info import model_info
from galfeat.web.results import classify_images
from galfeat.web.samples import PER_CLASS, draw_samples

_SIMULATED = "The galaxies behind the button are simulated"
_FITTED_TO_SIMULATED = "The model that answers was fitted to simulated galaxies alone."


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
        A model folder, or the name of a model that comes with galfeat; if None the first of these,
        and for simulated samples the one that was fitted to such.
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
    folder = model_folder(DEFAULT if model is None else model)
    of_samples = shipped_folder(OF_SIMULATED) if model is None and samples is None else folder
    manifest = read_manifest(folder)
    with ThreadPoolExecutor(1) as beside:  # the models: reading them leaves the other core idle
        loading = beside.submit(_load, {folder, of_samples}, trust)
        if samples is None:
            dataset = _simulated(seed, threads)
        else:
            dataset = _opened(samples, manifest["label_column"])
        loaded = loading.result()
    _check_classes(dataset, loaded[of_samples], samples)
    rows = read_rows(of_samples)
    shown = draw_samples(loaded[of_samples], dataset, rows, seed, threads=threads)
    if of_samples != folder:
        _warm_up(loaded[folder], dataset)
    return Shown(
        loaded[folder],
        _facts(folder),
        shown,
        _facts(of_samples),
        _notice(samples, of_samples, folder),
    )


def _check_classes(dataset: DataSet, classifier: GalaxyClassifier, samples: str | None) -> None:
    """Refuse galaxies of classes the model does not know."""
    try:
        true_classes(dataset, classifier.classes_)
    except DataError as error:
        if samples is not None:
            raise
        raise DataError(
            "the model knows other classes than the simulated galaxies are of; name labelled "
            "galaxies of its own with --samples"
        ) from error


def _load(folders: set[Path], trust: bool) -> dict[Path, GalaxyClassifier]:
    return {folder: load_model(folder, trust=trust) for folder in folders}


def _warm_up(classifier: GalaxyClassifier, dataset: DataSet) -> None:
    """Ask a model once: the first answer takes longer than others."""
    images = [image for image in dataset.read([0]) if isinstance(image, np.ndarray)]
    classify_images(classifier, images, ["first"], [None])


def _facts(folder: Path) -> dict[str, Any]:
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    return model_info(folder.resolve().name, read_manifest(folder), metrics)


def _notice(samples: str | None, of_samples: Path, folder: Path) -> str:
    """Say what a visitor has to know of the galaxies and the models."""
    fitted_to_simulated = read_manifest(of_samples)["sha256"] == SHIPPED[OF_SIMULATED]
    if samples is not None:
        return _FITTED_TO_SIMULATED if fitted_to_simulated else ""
    if of_samples != folder:
        return (
            f"{_SIMULATED}, and so were those that the model which answers for them was fitted to. "
            f"For an image of your own another model answers, {folder.name}, which knows real ones."
        )
    return f"{_SIMULATED}. {_FITTED_TO_SIMULATED}" if fitted_to_simulated else f"{_SIMULATED}."


def _opened(samples: str, label: str | None) -> DataSet:
    """Open the samples with the labels of the model's column, or else of a usual one."""
    from galfeat.data import open_dataset

    with suppress(DataError):
        return open_dataset(samples, label=label).labelled()
    return open_dataset(samples).labelled()


def _simulated(seed: int, threads: int) -> DataSet:
    from galfeat.data import ArrayDataSet
    from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
    from galfeat.data.simulation.simulator import simulate

    counts = [PER_CLASS] * len(GALAXY10_DECALS)
    drawn = simulate(sum(counts), seed=seed, class_counts=counts, jobs=threads)
    return ArrayDataSet(drawn.images, drawn.labels, class_names=GALAXY10_DECALS)
