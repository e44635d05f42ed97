"""Load the models and samples that the application serves."""

from __future__ import annotations

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
from galfeat.model_io.manifest import read_manifest, read_metrics
from galfeat.model_io.rows import read_rows
from galfeat.model_io.shipped import (
    DEFAULT,
    OF_SIMULATED,
    SHIPPED,
    model_folder,
    shipped_folder,
)
from galfeat.web.app import Content
from galfeat.web.model_info import model_info
from galfeat.web.results import classify_images
from galfeat.web.samples import PER_CLASS, draw_samples

_SIMULATED = "The sample galaxies are simulated."
_FITTED_TO_SIMULATED = "The model was fitted to simulated galaxies only."


def prepare(
    model: str | Path | None,
    samples: str | None,
    *,
    seed: int = 0,
    trust: bool = False,
    threads: int = 2,
) -> Content:
    """Load a model and draw and classify samples, which also compiles all kernels.

    Parameters
    ----------
    model : str, Path or None
        A model folder or the name of a shipped model. If None, the default model, and for
        simulated samples the model fitted to simulated galaxies.
    samples : str or None
        A labelled data set with classes of the model; if None, galaxies are simulated.
    seed : int
        Seed of the sampling and the simulation.
    trust : bool
        As in `galfeat.load_model`.
    threads : int
        Number of threads that simulate and measure the samples.

    Raises
    ------
    ModelError, DataError
        If the model or the samples cannot be used.

    Examples
    --------
    >>> from galfeat.web import prepare
    >>> content = prepare("simulated", samples=None)
    >>> content.notice
    'The sample galaxies are simulated. The model was fitted to simulated galaxies only.'
    """
    folder = model_folder(DEFAULT if model is None else model)
    simulated = model is None and samples is None
    sample_folder = shipped_folder(OF_SIMULATED) if simulated else folder
    manifest = read_manifest(folder)
    info, sample_info = _model_info(folder), _model_info(sample_folder)
    rows = read_rows(sample_folder)
    with ThreadPoolExecutor(1) as loader:  # load the models meanwhile, on another core
        loading = loader.submit(_load, {folder, sample_folder}, trust)
        if samples is None:
            dataset = _simulated(seed, threads)
        else:
            dataset = _open_samples(samples, manifest["label_column"])
        classifiers = loading.result()
    _check_classes(dataset, classifiers[sample_folder], samples)
    drawn = draw_samples(classifiers[sample_folder], dataset, rows, seed, threads=threads)
    if sample_folder != folder:
        _warm_up(classifiers[folder], dataset)
    return Content(
        classifiers[folder],
        info,
        drawn,
        sample_info,
        _notice(samples, sample_folder, folder),
    )


def _check_classes(dataset: DataSet, classifier: GalaxyClassifier, samples: str | None) -> None:
    """Raise if the samples have classes that are not classes of the model."""
    try:
        true_classes(dataset, classifier.classes_)
    except DataError as error:
        if samples is not None:
            raise
        raise DataError(
            "the simulated galaxies have classes that are not classes of the model; name labelled "
            "galaxies of its classes with --samples"
        ) from error


def _load(folders: set[Path], trust: bool) -> dict[Path, GalaxyClassifier]:
    return {folder: load_model(folder, trust=trust) for folder in folders}


def _warm_up(classifier: GalaxyClassifier, dataset: DataSet) -> None:
    """Classify one image: the first prediction of a model is slower."""
    images = [image for image in dataset.read([0]) if isinstance(image, np.ndarray)]
    classify_images(classifier, images, ["first"], [None])


def _model_info(folder: Path) -> dict[str, Any]:
    return model_info(folder.resolve().name, read_manifest(folder), read_metrics(folder))


def _notice(samples: str | None, sample_folder: Path, folder: Path) -> str:
    """Return the note for visitors on samples and models; may be empty."""
    fitted_to_simulated = read_manifest(sample_folder)["sha256"] == SHIPPED[OF_SIMULATED]
    if samples is not None:
        return _FITTED_TO_SIMULATED if fitted_to_simulated else ""
    if sample_folder != folder:
        return (
            "The sample galaxies are simulated and classified by a model fitted to simulated "
            f"galaxies. Your own images are classified by the model {folder.name}, which was "
            "fitted to real galaxies."
        )
    return f"{_SIMULATED} {_FITTED_TO_SIMULATED}" if fitted_to_simulated else _SIMULATED


def _open_samples(samples: str, label: str | None) -> DataSet:
    """Open the samples with labels from the model's column, or else from a common one."""
    from galfeat.data import open_dataset

    with suppress(DataError):
        return open_dataset(samples, label=label).labelled()
    return open_dataset(samples).labelled()


def _simulated(seed: int, threads: int) -> DataSet:
    from galfeat.data import ArrayDataSet
    from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
    from galfeat.data.simulation.simulator import simulate

    counts = [PER_CLASS] * len(GALAXY10_DECALS)
    simulation = simulate(sum(counts), seed=seed, class_counts=counts, jobs=threads)
    return ArrayDataSet(simulation.images, simulation.labels, class_names=GALAXY10_DECALS)
