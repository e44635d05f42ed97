"""The HTML report of an evaluation: one page that stands alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import OutputError
from galfeat.evaluate.comparison.left_out import Ablation
from galfeat.evaluate.evaluation import Evaluation
from galfeat.evaluate.importances import Importances
from galfeat.evaluate.report import sections as sections
from galfeat.evaluate.report.page import page
from galfeat.evaluate.report.pictures import Gallery, Images
from galfeat.evaluate.resampling import Resampling
from galfeat.storage.atomic import atomic_file

_KIND = "galfeat evaluation"
_FOOTER = (
    "Intervals are 95 % bootstrap intervals from 1,000 draws of galaxies with replacement, and "
    "Wilson intervals for single classes and bins."
)


class HasPredictions(Protocol):
    """Probabilities, shape (n, k), and named classes, shape (n,), of n galaxies."""

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Class probabilities; NaN for failed images."""

    @property
    def predicted(self) -> NDArray[np.intp]:
        """Class indices; -1 for failed images."""


def write_report(
    folder: str | Path,
    *,
    evaluation: Evaluation,
    images: Images,
    ids: Sequence[str],
    predictions: HasPredictions,
    truth: ArrayLike,
    importances: Importances | None = None,
    ablation: Ablation | None = None,
    resampling: Resampling | None = None,
    facts: Mapping[str, str] | None = None,
    title: str = "Galaxy classification",
    seed: int = 0,
) -> Path:
    """Write an evaluation as a web page with pictures that needs nothing else.

    Parameters
    ----------
    folder : str or Path
        Made if it is missing; a page that is there already is replaced, other files
        are left alone.
    evaluation : Evaluation
        The scores to show.
    images : callable
        Takes a row number, gives the uint8 RGB image of shape (H, W, 3), or None where it
        cannot be read. Called only for the rows that are shown.
    ids : sequence of str, length n
        Name of each galaxy.
    predictions : HasPredictions
        Probabilities and named classes of the n galaxies.
    truth : array_like of int, shape (n,)
        True classes.
    importances : Importances, optional
        What the families of features are worth to the model.
    ablation : Ablation, optional
        What models that were fitted without each family lose; shown with `importances`.
    resampling : Resampling, optional
        How the classes were balanced in training.
    facts : mapping of str to str, optional
        Facts of model, data and run, shown in this order.
    title : str
        Heading of the page.
    seed : int
        Seed of the choice of galaxies that are shown.

    Returns
    -------
    Path
        The file ``index.html`` in `folder`.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.
    """
    gallery = Gallery(
        images,
        ids,
        evaluation.classes,
        np.asarray(truth),
        np.asarray(predictions.predicted),
        np.asarray(predictions.probabilities),
    )
    every = [
        sections.scores_section(evaluation),
        sections.confusion_section(evaluation),
        sections.classes_section(evaluation),
        sections.calibration_section(evaluation),
        sections.importances_section(importances, ablation),
        sections.galaxies_section(gallery, evaluation.decision, seed),
        sections.mistakes_section(gallery),
        sections.resampling_section(resampling, evaluation),
        sections.sources_section(evaluation),
        sections.facts_section(facts),
    ]
    return _write(Path(folder), page(_KIND, title, _subtitle(evaluation), every, _FOOTER))


def _subtitle(evaluation: Evaluation) -> str:
    failed = f", {evaluation.n_failed:,} could not be measured" if evaluation.n_failed else ""
    return f"{evaluation.n:,} galaxies in {len(evaluation.classes)} classes{failed}"


def _write(folder: Path, text: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder}: {error.strerror}; name one that can be written"
        ) from error
    with atomic_file(folder / "index.html") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return folder / "index.html"
