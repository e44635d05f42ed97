"""Sections of the report: heading, text, and charts or pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from galfeat.evaluate.balancing import Balancing
from galfeat.evaluate.comparison.left_out import Ablation
from galfeat.evaluate.evaluation import Evaluation
from galfeat.evaluate.importances import Importances
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.metrics import METRICS
from galfeat.evaluate.report import class_figures, prose
from galfeat.evaluate.report import families as report_families
from galfeat.evaluate.report import figures as report_figures
from galfeat.evaluate.report.figures import number
from galfeat.evaluate.report.pictures import Gallery
from galfeat.evaluate.soft import MOST_VOTED_NOTE, SOFT_NAMES, SoftEvaluation


@dataclass(frozen=True)
class Section:
    """A section of a page.

    Attributes
    ----------
    anchor : str
        Target of links; a single word.
    heading, body : str
        Heading and contents as HTML.

    Examples
    --------
    >>> from galfeat.evaluate.report import Section
    >>> Section("notes", "Notes", "<p>None.</p>").html().startswith('<section id="notes"')
    True
    """

    anchor: str
    heading: str
    body: str

    def html(self) -> str:
        """Return the section as HTML."""
        return (
            f'<section id="{self.anchor}" aria-labelledby="{self.anchor}-heading">'
            f'<h2 id="{self.anchor}-heading">{self.heading}</h2>{self.body}</section>'
        )


def scores_section(evaluation: Evaluation, caution: str = "") -> Section:
    """Return a caution, the summary sentence and a card for each of the five scores."""
    ends = dict.fromkeys(METRICS, 1.0)
    ends["log_loss"] = math.log(max(len(evaluation.classes), 2))
    ends["ece"] = 0.25
    baselines = prose.baseline_scores(evaluation)
    cards = "".join(
        _card(*prose.SCORES[name], interval, ends[name], *baselines[name])
        for name, interval in evaluation.scores.items()
    )
    warning = f'<p class="caution" role="note">{escape(caution)}</p>' if caution else ""
    return Section(
        "scores",
        "Scores",
        f'{warning}<p class="lead">{prose.summary_text(evaluation)}</p>'
        f'<div class="cards">{cards}</div>'
        f'<p class="note">{evaluation.averages_text()} {prose.alternative_text(evaluation)}</p>',
    )


def _card(
    name: str, meaning: str, interval: Interval, largest: float, baseline: str, value: float
) -> str:
    largest = max(largest, interval.high if math.isfinite(interval.high) else 0)
    return (
        f'<div class="card"><h3>{name}</h3><p class="value">{number(interval.value, 3)}</p>'
        f"{report_figures.interval_strip(interval, largest)}"
        f'<p class="range">{number(interval.low, 3)} to {number(interval.high, 3)}</p>'
        f'<p class="meaning">{meaning}</p>'
        f'<p class="baseline">{baseline}: {number(value, 3)}</p></div>'
    )


def confusion_section(evaluation: Evaluation) -> Section:
    """Return the confusion matrix and the most frequent mistakes."""
    table = report_figures.confusion_table(evaluation.classes, evaluation.confusion)
    return Section(
        "confusion",
        "Confusion between classes",
        f"{prose.CONFUSION_TEXT}"
        f'<div class="matrix"><div class="wide" role="region" tabindex="0" '
        f'aria-label="Confusion matrix">{table}</div>'
        f"<div>{prose.confusion_text(evaluation)}</div></div>",
    )


def classes_section(evaluation: Evaluation) -> Section:
    """Return the scores of each class."""
    table = report_figures.class_table(evaluation.classes, evaluation.confusion)
    return Section("classes", "Scores by class", table)


def calibration_section(evaluation: Evaluation, votes: SoftEvaluation | None = None) -> Section:
    """Return the reliability curves, of all and of each class, and an assessment."""
    chart = report_figures.reliability_chart(evaluation.reliability)
    text = prose.calibration_text(evaluation)
    if votes is not None:
        text = f"<p>{MOST_VOTED_NOTE}</p>{text}"
    return Section(
        "calibration",
        "Are the probabilities reliable?",
        f'<div class="beside"><div>{chart}</div><div>{text}</div></div>'
        f"<h3>By class</h3>{class_figures.class_reliability_text(evaluation.by_class)}"
        f"{class_figures.class_diagrams(evaluation.by_class)}"
        f"{class_figures.class_reliability_table(evaluation.by_class)}",
    )


def votes_section(votes: SoftEvaluation | None) -> Section | None:
    """Return the scores against fractions of votes, or None if there are none."""
    if votes is None:
        return None
    rows = "".join(
        f'<tr><th scope="row">{name[0].upper()}{name[1:]}</th><td>{number(interval.value, 3)}</td>'
        f"<td>{number(interval.low, 3)}&nbsp;to&nbsp;{number(interval.high, 3)}</td></tr>"
        for name, interval in (
            (SOFT_NAMES[key], interval) for key, interval in votes.scores.items()
        )
    )
    return Section(
        "votes",
        "Agreement with the votes",
        f"<p>The probabilities of {votes.galaxies:,} galaxies, compared with the fractions of the "
        "volunteers' votes for each class. The entropy of the votes is the cross-entropy of a "
        "model that predicts the fractions exactly; the calibration error is the mean difference "
        "between predicted probability and fraction over bins of each class. Lower is better.</p>"
        '<table class="plain"><thead><tr><th scope="col">Score</th><th scope="col">Value</th>'
        f'<th scope="col">95&nbsp;% interval</th></tr></thead><tbody>{rows}</tbody></table>',
    )


def importances_section(
    importances: Importances | None, ablation: Ablation | None = None
) -> Section | None:
    """Return the importances of the feature families, or None if they are unknown."""
    if importances is None:
        return None
    text = report_families.importance_text(importances.n)
    columns = report_families.column_table(importances.columns) if importances.columns else ""
    if ablation is not None:
        table = report_families.ablation_table(importances.families, ablation)
        body = (
            f"{report_families.verdict_text(importances, ablation)}"
            '<div class="wide" role="region" tabindex="0" aria-label="Losses by family">'
            f"{table}</div>"
            f'<div class="beside even apart"><div>{text}{report_families.ablation_note(ablation)}'
            f"{report_families.chance_text(ablation)}</div><div>{columns}</div></div>"
        )
    else:
        families = report_families.family_table(importances.families)
        if columns:
            families = f'<div class="beside even"><div>{families}</div><div>{columns}</div></div>'
        body = text + families
    return Section("features", "Feature importance", body)


def galaxies_section(gallery: Gallery, decision: str, seed: int) -> Section | None:
    """Return random galaxies of each class, or None if there are no pictures."""
    strips = gallery.sample(seed)
    if not strips:
        return None
    return Section("galaxies", "A sample of galaxies", prose.gallery_text(decision) + strips)


def mistakes_section(gallery: Gallery, decision: str) -> Section | None:
    """Return the most confident mistakes, or None if none of them has a picture."""
    worst = gallery.worst()
    if not worst:
        return None
    return Section("mistakes", "Most confident mistakes", prose.mistakes_text(decision) + worst)


def balancing_section(balancing: Balancing | None, evaluation: Evaluation) -> Section | None:
    """Return how the training classes were balanced, or None if that is unknown."""
    if balancing is None:
        return None
    text = prose.balancing_text(balancing, evaluation.decision)
    table = report_figures.balancing_table(
        evaluation.classes, balancing.before, balancing.after, balancing.simulated
    )
    return Section("balancing", "How the classes were balanced, and why", text + table)


def sources_section(evaluation: Evaluation) -> Section | None:
    """Return the scores of each source of labels, or None if sources are unknown."""
    if not evaluation.sources:
        return None
    head = "".join(f'<th scope="col">{prose.SCORES[name][0]}</th>' for name in METRICS)
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
        '<table class="plain"><caption>Scores of the galaxies from each source, with 95&nbsp;% '
        'intervals</caption><thead><tr><th scope="col">Source</th>'
        f'<th scope="col">Galaxies</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>',
    )


def _source_cell(interval: Interval) -> str:
    return (
        f"<td>{number(interval.value, 3)}"
        f"<small>{number(interval.low)} to {number(interval.high)}</small></td>"
    )


def facts_section(facts: Mapping[str, str] | None) -> Section | None:
    """Return a list of facts about model, data and run, or None if there are none."""
    if not facts:
        return None
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in facts.items()
    )
    return Section("facts", "Model, data and run", f'<dl class="facts">{rows}</dl>')
