"""The HTML report of an evaluation: one page that stands alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.atomic import atomic_file
from galfeat.errors import OutputError
from galfeat.evaluate import report_figures, report_words
from galfeat.evaluate.evaluation import Evaluation
from galfeat.evaluate.importances import Importances
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.metrics import METRICS
from galfeat.evaluate.report_figures import number
from galfeat.evaluate.report_pictures import Gallery, Images


class Answers(Protocol):
    """Probabilities, shape (n, k), and named classes, shape (n,), of n galaxies."""

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Class probabilities; NaN for failed images."""

    @property
    def predicted(self) -> NDArray[np.intp]:
        """Class indices; -1 for failed images."""


@dataclass(frozen=True)
class Resampling:
    """How the classes were balanced in training.

    Attributes
    ----------
    method : str
        The recipe's word for it, such as ``"over"``.
    before, after : sequence of int, length k
        Training rows of each class as collected, and as fitted to; `after` is None
        where rows were not added or left out.
    """

    method: str
    before: Sequence[int]
    after: Sequence[int] | None = None


def write_report(
    folder: str | Path,
    *,
    evaluation: Evaluation,
    images: Images,
    ids: Sequence[str],
    predictions: Answers,
    truth: ArrayLike,
    importances: Importances | None = None,
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
    predictions : Answers
        Probabilities and named classes of the n galaxies.
    truth : array_like of int, shape (n,)
        True classes.
    importances : Importances, optional
        What the families of features are worth.
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
    sections = [
        _scores(evaluation),
        _confusion(evaluation),
        _classes(evaluation),
        _calibration(evaluation),
        _importances(importances),
        _galaxies(gallery, evaluation.decision, seed),
        _mistakes(gallery),
        _resampling(resampling, evaluation),
        _sources(evaluation),
        _facts(facts),
    ]
    shown = [section for section in sections if section is not None]
    page = Template(_resource("report.html")).substitute(
        title=escape(title),
        style=_resource("report.css"),
        subtitle=_subtitle(evaluation),
        contents="".join(
            f'<a href="#{part.anchor}">{part.anchor.capitalize()}</a>' for part in shown
        ),
        sections="".join(part.html() for part in shown),
    )
    return _write(Path(folder), page)


@dataclass(frozen=True)
class _Section:
    anchor: str
    heading: str
    body: str

    def html(self) -> str:
        return (
            f'<section id="{self.anchor}" aria-labelledby="{self.anchor}-heading">'
            f'<h2 id="{self.anchor}-heading">{self.heading}</h2>{self.body}</section>'
        )


def _subtitle(evaluation: Evaluation) -> str:
    failed = f", {evaluation.n_failed:,} could not be measured" if evaluation.n_failed else ""
    return f"{evaluation.n:,} galaxies in {len(evaluation.classes)} classes{failed}"


def _scores(evaluation: Evaluation) -> _Section:
    ends = dict.fromkeys(METRICS, 1.0)
    ends["log_loss"] = math.log(max(len(evaluation.classes), 2))
    ends["ece"] = 0.25
    blind = report_words.blind_scores(evaluation)
    cards = "".join(
        _card(*report_words.SCORES[name], interval, ends[name], *blind[name])
        for name, interval in evaluation.scores.items()
    )
    return _Section(
        "scores",
        "Scores",
        f'<p class="lead">{report_words.summary_words(evaluation)}</p>'
        f'<div class="cards">{cards}</div>'
        f'<p class="note">{report_words.alternative_words(evaluation)}</p>',
    )


def _card(
    name: str, meaning: str, interval: Interval, largest: float, blindly: str, blind: float
) -> str:
    largest = max(largest, interval.high if math.isfinite(interval.high) else 0)
    return (
        f'<div class="card"><h3>{name}</h3><p class="value">{number(interval.value, 3)}</p>'
        f"{report_figures.interval_strip(interval, largest)}"
        f'<p class="range">{number(interval.low, 3)} to {number(interval.high, 3)}</p>'
        f'<p class="meaning">{meaning}</p>'
        f'<p class="blind">{blindly}: {number(blind, 3)}</p></div>'
    )


def _confusion(evaluation: Evaluation) -> _Section:
    table = report_figures.confusion_table(evaluation.classes, evaluation.confusion)
    return _Section(
        "confusion",
        "What is taken for what",
        f"{report_words.CONFUSION_WORDS}"
        f'<div class="matrix"><div class="wide" role="region" tabindex="0" '
        f'aria-label="Confusion matrix">{table}</div>'
        f"<div>{report_words.confusion_words(evaluation)}</div></div>",
    )


def _classes(evaluation: Evaluation) -> _Section:
    table = report_figures.class_table(
        evaluation.classes, evaluation.confusion, evaluation.per_class.f1
    )
    return _Section("classes", "Class by class", table)


def _calibration(evaluation: Evaluation) -> _Section:
    chart = report_figures.reliability_chart(evaluation.reliability)
    words = report_words.calibration_words(evaluation)
    return _Section(
        "calibration",
        "Can the probabilities be believed?",
        f'<div class="beside"><div>{chart}</div><div>{words}</div></div>',
    )


def _importances(importances: Importances | None) -> _Section | None:
    if importances is None:
        return None
    tables = report_figures.family_table(importances.families)
    if importances.columns:
        tables = (
            f'<div class="beside even"><div>{tables}</div>'
            f"<div>{report_figures.column_table(importances.columns)}</div></div>"
        )
    return _Section(
        "features",
        "What the model looks at",
        f"{report_words.importance_words(importances.n)}{tables}",
    )


def _galaxies(gallery: Gallery, decision: str, seed: int) -> _Section | None:
    strips = gallery.sample(seed)
    if not strips:
        return None
    words = report_words.gallery_words(decision)
    return _Section("galaxies", "A sample of galaxies", words + strips)


def _mistakes(gallery: Gallery) -> _Section | None:
    worst = gallery.worst()
    if not worst:
        return None
    words = (
        "<p>The wrong answers given with the highest probability. Some of them may be wrong "
        "labels.</p>"
    )
    return _Section("mistakes", "The worst mistakes", words + worst)


def _resampling(resampling: Resampling | None, evaluation: Evaluation) -> _Section | None:
    if resampling is None:
        return None
    words = report_words.resampling_words(resampling.method, evaluation.decision)
    table = report_figures.resampling_table(evaluation.classes, resampling.before, resampling.after)
    return _Section("balancing", "How the classes were balanced, and why", words + table)


def _sources(evaluation: Evaluation) -> _Section | None:
    if not evaluation.sources:
        return None
    head = "".join(f'<th scope="col">{report_words.SCORES[name][0]}</th>' for name in METRICS)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{n:,}</td>'
        + "".join(_source_cell(scores[metric]) for metric in METRICS)
        + "</tr>"
        for name, (n, scores) in evaluation.sources.items()
    )
    return _Section(
        "sources",
        "By source of the labels",
        '<div class="wide"><table class="plain"><caption>The same scores for the galaxies of '
        'each source, with 95&nbsp;% intervals</caption><thead><tr><th scope="col">Source</th>'
        f'<th scope="col">Galaxies</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>',
    )


def _source_cell(interval: Interval) -> str:
    return (
        f"<td>{number(interval.value, 3)}"
        f"<small>{number(interval.low)} to {number(interval.high)}</small></td>"
    )


def _facts(facts: Mapping[str, str] | None) -> _Section | None:
    if not facts:
        return None
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in facts.items()
    )
    return _Section("facts", "Model, data and run", f'<dl class="facts">{rows}</dl>')


def _resource(name: str) -> str:
    return files("galfeat.evaluate").joinpath(name).read_text(encoding="utf-8")


def _write(folder: Path, page: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder}: {error.strerror}; name one that can be written"
        ) from error
    with atomic_file(folder / "index.html") as temporary:
        temporary.write_text(page, encoding="utf-8")
    return folder / "index.html"
