"""Sections of the report: a heading, words, and charts or pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from galfeat.evaluate.comparison.left_out import Ablation
from galfeat.evaluate.evaluation import Evaluation
from galfeat.evaluate.importances import Importances
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.metrics import METRICS
from galfeat.evaluate.report import families as report_families
from galfeat.evaluate.report import figures as report_figures
from galfeat.evaluate.report import prose as report_words
from galfeat.evaluate.report.figures import number
from galfeat.evaluate.report.pictures import Gallery
from galfeat.evaluate.resampling import Resampling


@dataclass(frozen=True)
class Section:
    """A part of the page: its link, heading and body in HTML."""

    anchor: str
    heading: str
    body: str

    def html(self) -> str:
        """Return the section as HTML."""
        return (
            f'<section id="{self.anchor}" aria-labelledby="{self.anchor}-heading">'
            f'<h2 id="{self.anchor}-heading">{self.heading}</h2>{self.body}</section>'
        )


def scores_section(evaluation: Evaluation) -> Section:
    """Say how good the model is, in a sentence and in five cards."""
    ends = dict.fromkeys(METRICS, 1.0)
    ends["log_loss"] = math.log(max(len(evaluation.classes), 2))
    ends["ece"] = 0.25
    blind = report_words.baseline_scores(evaluation)
    cards = "".join(
        _card(*report_words.SCORES[name], interval, ends[name], *blind[name])
        for name, interval in evaluation.scores.items()
    )
    return Section(
        "scores",
        "Scores",
        f'<p class="lead">{report_words.summary_text(evaluation)}</p>'
        f'<div class="cards">{cards}</div>'
        f'<p class="note">{report_words.alternative_text(evaluation)}</p>',
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


def confusion_section(evaluation: Evaluation) -> Section:
    """Show which classes are taken for which."""
    table = report_figures.confusion_table(evaluation.classes, evaluation.confusion)
    return Section(
        "confusion",
        "What is taken for what",
        f"{report_words.CONFUSION_TEXT}"
        f'<div class="matrix"><div class="wide" role="region" tabindex="0" '
        f'aria-label="Confusion matrix">{table}</div>'
        f"<div>{report_words.confusion_text(evaluation)}</div></div>",
    )


def classes_section(evaluation: Evaluation) -> Section:
    """Show the scores of each class."""
    table = report_figures.class_table(evaluation.classes, evaluation.confusion)
    return Section("classes", "Class by class", table)


def calibration_section(evaluation: Evaluation) -> Section:
    """Show whether the probabilities can be believed."""
    chart = report_figures.reliability_chart(evaluation.reliability)
    words = report_words.calibration_text(evaluation)
    return Section(
        "calibration",
        "Can the probabilities be believed?",
        f'<div class="beside"><div>{chart}</div><div>{words}</div></div>',
    )


def importances_section(
    importances: Importances | None, ablation: Ablation | None = None
) -> Section | None:
    """Show what each family of features is worth; None where that is not known."""
    if importances is None:
        return None
    words = report_families.importance_text(importances.n)
    columns = report_families.column_table(importances.columns) if importances.columns else ""
    if ablation is not None:
        table = report_families.ablation_table(importances.families, ablation)
        body = (
            f"{report_families.verdict_text(importances, ablation)}"
            '<div class="wide" role="region" tabindex="0" aria-label="Losses by family">'
            f"{table}</div>"
            f'<div class="beside even apart"><div>{words}{report_families.ablation_note(ablation)}'
            f"{report_families.chance_text(ablation)}</div><div>{columns}</div></div>"
        )
    else:
        families = report_families.family_table(importances.families)
        if columns:
            families = f'<div class="beside even"><div>{families}</div><div>{columns}</div></div>'
        body = words + families
    return Section("features", "What the model looks at", body)


def galaxies_section(gallery: Gallery, decision: str, seed: int) -> Section | None:
    """Show random galaxies of each class; None where there are no pictures."""
    strips = gallery.sample(seed)
    if not strips:
        return None
    words = report_words.gallery_text(decision)
    return Section("galaxies", "A sample of galaxies", words + strips)


def mistakes_section(gallery: Gallery) -> Section | None:
    """Show the most confident mistakes; None where there are none with pictures."""
    worst = gallery.worst()
    if not worst:
        return None
    words = (
        "<p>The wrong answers given with the highest probability. Some of them may be wrong "
        "labels.</p>"
    )
    return Section("mistakes", "The worst mistakes", words + worst)


def resampling_section(resampling: Resampling | None, evaluation: Evaluation) -> Section | None:
    """Say how the training classes were balanced; None where that is not known."""
    if resampling is None:
        return None
    words = report_words.resampling_text(resampling, evaluation.decision)
    table = report_figures.resampling_table(evaluation.classes, resampling.before, resampling.after)
    return Section("balancing", "How the classes were balanced, and why", words + table)


def sources_section(evaluation: Evaluation) -> Section | None:
    """Show the scores of each source of labels; None where sources are not known."""
    if not evaluation.sources:
        return None
    head = "".join(f'<th scope="col">{report_words.SCORES[name][0]}</th>' for name in METRICS)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{n:,}</td>'
        + "".join(_source_cell(scores[metric]) for metric in METRICS)
        + "</tr>"
        for name, (n, scores) in evaluation.sources.items()
    )
    return Section(
        "sources",
        "By source of the labels",
        '<div class="wide" role="region" tabindex="0" aria-label="Scores by source">'
        '<table class="plain"><caption>The same scores for the galaxies of '
        'each source, with 95&nbsp;% intervals</caption><thead><tr><th scope="col">Source</th>'
        f'<th scope="col">Galaxies</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>',
    )


def _source_cell(interval: Interval) -> str:
    return (
        f"<td>{number(interval.value, 3)}"
        f"<small>{number(interval.low)} to {number(interval.high)}</small></td>"
    )


def facts_section(facts: Mapping[str, str] | None) -> Section | None:
    """List facts of model, data and run; None where there are none."""
    if not facts:
        return None
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in facts.items()
    )
    return Section("facts", "Model, data and run", f'<dl class="facts">{rows}</dl>')
