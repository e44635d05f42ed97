"""The self-contained HTML report of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import OutputError
from galfeat.evaluate.balancing import Balancing
from galfeat.evaluate.comparison.left_out import Ablation
from galfeat.evaluate.evaluation import Evaluation
from galfeat.evaluate.importances import Importances
from galfeat.evaluate.report import sections as sections
from galfeat.evaluate.report.page import page
from galfeat.evaluate.report.pictures import Gallery, Images
from galfeat.evaluate.soft import SoftEvaluation
from galfeat.storage.atomic import atomic_file

_KIND = "galfeat evaluation"
_FOOTER = (
    "Intervals are 95 % bootstrap intervals from 1,000 resamples of the galaxies, and Wilson "
    "intervals for individual classes and bins."
)


class HasPredictions(Protocol):
    """Probabilities, shape (n, k), and predicted classes, shape (n,), of n galaxies."""

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
    votes: SoftEvaluation | None = None,
    balancing: Balancing | None = None,
    facts: Mapping[str, str] | None = None,
    caution: str = "",
    title: str = "Galaxy classification",
    seed: int = 0,
) -> Path:
    """Write an evaluation as a self-contained HTML page with pictures.

    Parameters
    ----------
    folder : str or Path
        Created if necessary; an existing report is replaced, other files are kept.
    evaluation : Evaluation
        The scores to show.
    images : callable
        Takes a row number and returns the uint8 RGB image of shape (H, W, 3), or None if it
        is not readable. Called only for the rows shown.
    ids : sequence of str, length n
        Name of each galaxy.
    predictions : HasPredictions
        Probabilities and predicted classes of the n galaxies.
    truth : array_like of int, shape (n,)
        True classes.
    importances : Importances, optional
        Importance of the feature families.
    ablation : Ablation, optional
        Losses of models fitted without each family; shown only with `importances`.
    votes : SoftEvaluation, optional
        Scores against fractions of votes.
    balancing : Balancing, optional
        How the classes were balanced in training.
    facts : mapping of str to str, optional
        Facts about model, data and run, shown in this order.
    caution : str
        Shown at the top, such as a note that training galaxies were scored.
    title : str
        Heading of the page.
    seed : int
        Seed of the selection of galaxies shown.

    Returns
    -------
    Path
        The file ``index.html`` in `folder`.

    Raises
    ------
    OutputError
        If the folder cannot be created or written to.

    Examples
    --------
    >>> import tempfile
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> from galfeat.evaluate import evaluate_predictions
    >>> from galfeat.evaluate.report import write_report
    >>> truth, predicted = [0, 0, 1, 1], np.array([0, 1, 1, 1])
    >>> probabilities = np.where(np.eye(2)[predicted] > 0, 0.8, 0.2)
    >>> evaluation = evaluate_predictions(
    ...     truth, probabilities, predicted, predicted, ["smooth", "disc"]
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_report(
    ...         folder,
    ...         evaluation=evaluation,
    ...         images=lambda row: np.zeros((16, 16, 3), np.uint8),
    ...         ids=["a", "b", "c", "d"],
    ...         predictions=SimpleNamespace(probabilities=probabilities, predicted=predicted),
    ...         truth=truth,
    ...     )
    ...     print(path.name)
    index.html
    """
    gallery = Gallery(
        images,
        ids,
        evaluation.classes,
        np.asarray(truth),
        np.asarray(predictions.predicted),
        np.asarray(predictions.probabilities),
    )
    parts = [
        sections.scores_section(evaluation, caution),
        sections.confusion_section(evaluation),
        sections.classes_section(evaluation),
        sections.calibration_section(evaluation, votes),
        sections.votes_section(votes),
        sections.importances_section(importances, ablation),
        sections.galaxies_section(gallery, evaluation.decision, seed),
        sections.mistakes_section(gallery, evaluation.decision),
        sections.balancing_section(balancing, evaluation),
        sections.sources_section(evaluation),
        sections.facts_section(facts),
    ]
    return _write(Path(folder), page(_KIND, title, _subtitle(evaluation), parts, _FOOTER))


def _subtitle(evaluation: Evaluation) -> str:
    n, k = evaluation.n, len(evaluation.classes)
    return f"{n:,} galaxies in {k} classes{evaluation.unscored_text('could not be measured')}"


def _write(folder: Path, text: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot create the folder {folder}: {error.strerror}; choose a writable one"
        ) from error
    with atomic_file(folder / "index.html") as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    return folder / "index.html"
