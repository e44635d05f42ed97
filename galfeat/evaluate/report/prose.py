"""The report's sentences: what the numbers mean, for a reader who is no statistician."""

from __future__ import annotations

import math
from html import escape

import numpy as np

from galfeat.ensemble.balance import BAGS
from galfeat.evaluate.evaluation import Evaluation
from galfeat.evaluate.report.figures import number, percent
from galfeat.evaluate.resampling import Resampling

# Name and meaning, in the order of the cards.
SCORES = {
    "accuracy": ("Accuracy", "Share of all galaxies that get the right class."),
    "balanced_accuracy": (
        "Balanced accuracy",
        "The same within each class, then averaged: rare classes count as much as common ones.",
    ),
    "macro_f1": (
        "Macro-F1",
        "Also averaged over classes; galaxies wrongly put into a class count against it too.",
    ),
    "log_loss": (
        "Log loss",
        "Penalty on the probabilities, hardest on confident mistakes. Lower is better.",
    ),
    "ece": (
        "Calibration error",
        "Mean gap between stated probability and truth. Lower is better.",
    ),
}

DECISIONS = {
    "balanced": "names the class whose probability stands out most from how common the class is "
    "(probability over prior), so that rare classes are not passed over",
    "tempered": "names the most probable class with a lean towards rare ones (probability over the "
    "cube root of how common the class is), so that they are not passed over",
    "probable": "names the most probable class",
}

# A title, and what was done to the classes and why.
_RESAMPLING = {
    "none": (
        "Not balanced",
        "The model was fitted to the classes as they were collected; no galaxy was repeated, "
        "left out or weighted.",
    ),
    "class-weight": (
        "Weighted",
        "Each galaxy of a rare class was given more weight and each of a common class less, so "
        "that all classes weigh the same in training. No galaxy was repeated or left out.",
    ),
    "over": (
        "Oversampled",
        "Galaxies of the rarer classes were repeated, drawn at random, until every class had as "
        "many rows as the largest. Otherwise the model would do best by ignoring rare classes.",
    ),
    "under": (
        "Undersampled",
        "From the commoner classes only some galaxies were drawn at random, so that every class "
        "had as many rows as the smallest. Otherwise the model would do best by ignoring rare "
        "classes; the price is that many galaxies go unused.",
    ),
    "smote": (
        "Oversampled with SMOTE",
        "New rows were made for the rarer classes by mixing the measurements of similar galaxies "
        "of the same class (SMOTE), until every class had as many as the largest. Otherwise the "
        "model would do best by ignoring rare classes.",
    ),
    "bagging": (
        "Balanced bagging",
        f"{BAGS} copies of the model were fitted, each to its own balanced draw of galaxies, and "
        "their answers averaged: rare classes are not passed over, and more galaxies are used "
        "than in a single draw.",
    ),
    "balanced-forest": (
        "Balanced random forest",
        "Each tree of the forest was grown on its own draw of galaxies with as many of each class "
        "as of the smallest: rare classes are not passed over, and over many trees most galaxies "
        "are used.",
    ),
}

CONFUSION_TEXT = (
    "<p>Each row holds the galaxies of one true class, each column those the model gives one "
    "name. Large figures are per cent of the row, small ones count galaxies; the framed diagonal "
    "is what is right.</p>"
)


def summary_text(evaluation: Evaluation) -> str:
    """Say how often the model is right, and on which classes best and worst."""
    accuracy = evaluation.scores["accuracy"]
    balanced = evaluation.scores["balanced_accuracy"]
    words = (
        f"The model names the right class for <b>{100 * accuracy.value:.0f} of 100</b> galaxies "
        f"(95&nbsp;% interval {_hundredths(accuracy.low)} to {_hundredths(accuracy.high)}). "
        "Averaged over classes, so that rare ones count as much as common ones, it is right for "
        f"<b>{_hundredths(balanced.value)} of 100</b>."
    )
    recall = evaluation.per_class.recall
    present = np.flatnonzero(np.isfinite(recall))
    if len(present) > 1:
        best, worst = (present[pick(recall[present])] for pick in (np.argmax, np.argmin))
        words += (
            f" It finds {_name(evaluation, best)} best ({percent(recall[best])} of them) and "
            f"{_name(evaluation, worst)} worst ({percent(recall[worst])})."
        )
    return words


def baseline_scores(evaluation: Evaluation) -> dict[str, tuple[str, float]]:
    """Give what each score would be without looking at the images, and how."""
    shares = evaluation.confusion.sum(axis=1) / evaluation.n
    present = shares[shares > 0]
    commonest, blindly = float(present.max()), "Always naming the commonest class"
    return {
        "accuracy": (blindly, commonest),
        "balanced_accuracy": (blindly, 1 / len(present)),
        "macro_f1": (blindly, 2 * commonest / (1 + commonest) / len(present)),
        "log_loss": ("Stating how common classes are", float(-np.sum(present * np.log(present)))),
        "ece": ("By chance, if perfectly calibrated", evaluation.chance_ece),
    }


def alternative_text(evaluation: Evaluation) -> str:
    """Say what the other decision rule would give."""
    others = ", ".join(
        f"{SCORES[name][0][0].lower()}{SCORES[name][0][1:]} {number(interval.value, 3)}"
        for name, interval in evaluation.alternative.items()
    )
    return (
        f"Decision in force: <b>{evaluation.decision}</b>, which {DECISIONS[evaluation.decision]}. "
        f"The other rule, <b>{evaluation.other_decision}</b>, "
        f"{DECISIONS[evaluation.other_decision]}; it would give {others}. "
        "Log loss and calibration error do not depend on the rule."
    )


def confusion_text(evaluation: Evaluation, most: int = 4) -> str:
    """List the commonest mistakes, by the share of the true class they take away."""
    counts = evaluation.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    mistakes = [
        (shares[true, named], true, named)
        for true, named in np.argwhere(counts > 0)
        if true != named
    ]
    if not mistakes:
        return "<p>There is no mistake among these galaxies.</p>"
    mistakes.sort(key=lambda mistake: (-mistake[0], mistake[1], mistake[2]))
    items = "".join(
        f"<li>{_name(evaluation, true)} taken for {_name(evaluation, named)}: "
        f"{counts[true, named]:,.0f} of {counts[true].sum():,.0f} ({percent(share)})</li>"
        for share, true, named in mistakes[:most]
    )
    return f"<p>The mistakes that take most from a class:</p><ul>{items}</ul>"


def calibration_text(evaluation: Evaluation) -> str:
    """Say whether stated probabilities can be believed."""
    error, curve = evaluation.scores["ece"], evaluation.reliability
    filled = curve.rows > 0
    gap = np.average((curve.confidence - curve.accuracy)[filled], weights=curve.rows[filled])
    if error.low == 0:
        verdict = (
            "That is no more than chance makes of a perfectly calibrated model on so many "
            f"galaxies (about {number(100 * evaluation.chance_ece, 1)} points): the stated "
            "probabilities can be taken at face value."
        )
    else:
        side = "too sure of itself" if gap > 0 else "surer than it says"
        verdict = (
            "That is more than chance makes of a perfectly calibrated model (about "
            f"{number(100 * evaluation.chance_ece, 1)} points): on the whole the model is {side}."
        )
    return (
        "<p>Of all answers given with 70&nbsp;% probability, 70 in 100 should be right. Each "
        "point is a fifteenth of the galaxies; it should lie on the diagonal. Below it the model "
        "is too sure, above it not sure enough. The thin lines are 95&nbsp;% intervals.</p>"
        f"<p>On average stated probability and truth differ by "
        f"<b>{number(100 * error.value, 1)} points</b> (95&nbsp;% interval "
        f"{number(100 * error.low, 1)} to {number(100 * error.high, 1)}). {verdict}</p>"
    )


def gallery_text(decision: str) -> str:
    """Say what stands under each picture."""
    rare = (
        " A rare class may be named although another is more probable: that is the rule in force."
        if decision != "probable"
        else ""
    )
    return (
        "<p>A random draw from each true class. Under each picture: the class the model names "
        "and its probability; where that is wrong, the true class and the probability given to "
        f"it.{rare}</p>"
    )


def resampling_text(resampling: Resampling, decision: str) -> str:
    """Say how the training classes were balanced, and why."""
    method, members, own = resampling.method, resampling.members, resampling.own
    title, how = _RESAMPLING.get(
        method, (method.capitalize(), f"The classes were balanced by the method {method!r}.")
    )
    how = escape(how)
    if method == "none" and own:
        title = "Balanced in part"
        how = (
            f"Of the {members} members of the model {own} grow each of their trees on a draw with "
            "as many galaxies of each class as of the smallest (balanced random forest). The "
            "others were fitted to the classes as they were collected."
        )
    elif method not in ("none", "balanced-forest"):
        if members > 1:
            how += f" This was done for each of the {members} members of the model by itself."
        if own:
            how += " The balanced random forest among them then draws again for each of its trees."
    if method == "none" and decision != "probable":
        how += " That common classes weigh more in such a fit is made up for by the decision rule."
    return (
        f"<p><b>{escape(title)}.</b> {how}</p>"
        "<p>Classes are balanced only in what a model is fitted to, never in what it is scored "
        "on, nor in what its members are combined and its probabilities calibrated on. "
        "Probabilities are set back to how common the classes really are.</p>"
    )


def _name(evaluation: Evaluation, index: int) -> str:
    return f"<em>{escape(evaluation.classes[index])}</em>"


def _hundredths(share: float) -> str:
    return f"{100 * share:.0f}" if math.isfinite(share) else "?"
