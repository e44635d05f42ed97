"""The report's prose: explanations of the numbers for readers without statistical training."""

from __future__ import annotations

import math
from html import escape

import numpy as np

from galfeat.ensemble.balance import BAGS
from galfeat.evaluate.balancing import Balancing
from galfeat.evaluate.evaluation import Evaluation
from galfeat.evaluate.report.figures import number, percent

# Name and explanation, in the order of the cards.
SCORES = {
    "accuracy": ("Accuracy", "Share of all galaxies that are classified correctly."),
    "balanced_accuracy": (
        "Balanced accuracy",
        "Accuracy within each class, averaged: rare classes count as much as common ones.",
    ),
    "macro_f1": (
        "Macro-F1",
        "F1 averaged over the classes that occur; galaxies wrongly assigned to a class count "
        "against it too.",
    ),
    "log_loss": (
        "Log loss",
        "Penalty on the probabilities, largest for confident mistakes. Lower is better.",
    ),
    "ece": (
        "Calibration error",
        "Mean difference between predicted probability and accuracy. Lower is better.",
    ),
}

DECISIONS = {
    "balanced": "predicts the class with the largest probability relative to its frequency "
    "(probability divided by prior), so that rare classes are not neglected",
    "tempered": "predicts the most probable class with a preference for rare ones (probability "
    "divided by the cube root of the prior), so that they are not neglected",
    "probable": "predicts the most probable class",
}

# Title and description of each balancing method.
_RESAMPLING = {
    "none": (
        "Not balanced",
        "The model was fitted to the classes as collected; no galaxy was repeated, left out or "
        "weighted.",
    ),
    "class-weight": (
        "Weighted",
        "Galaxies of rare classes were given more weight and galaxies of common classes less, so "
        "that all classes have the same total weight in training. No galaxy was repeated or left "
        "out.",
    ),
    "over": (
        "Oversampled",
        "Randomly drawn galaxies of the rarer classes were repeated until every class had as many "
        "rows as the largest. Otherwise the model would gain by ignoring rare classes.",
    ),
    "under": (
        "Undersampled",
        "Only a random sample of the larger classes was used, so that every class had as many rows "
        "as the smallest. Otherwise the model would gain by ignoring rare classes; the drawback is "
        "that many galaxies are not used.",
    ),
    "smote": (
        "Oversampled with SMOTE",
        "New rows were generated for the rarer classes by interpolating between similar galaxies "
        "of the same class (SMOTE), until every class had as many rows as the largest. Otherwise "
        "the model would gain by ignoring rare classes.",
    ),
    "bagging": (
        "Balanced bagging",
        f"{BAGS} copies of the model were fitted, each to a different balanced sample of galaxies, "
        "and their predictions averaged: rare classes are not neglected, and more galaxies are "
        "used than in a single sample.",
    ),
    "simulate": (
        "Simulated galaxies added",
        "Simulated galaxies of each class were added to the training galaxies with a small weight.",
    ),
    "balanced-forest": (
        "Balanced random forest",
        "Each tree of the forest was grown on a different random sample with as many galaxies of "
        "each class as of the smallest: rare classes are not neglected, and most galaxies are used "
        "by some tree.",
    ),
}

_SHARES = (
    "The model was fitted to fractions of votes: each galaxy counts in several classes, weighted "
    "by its fractions. The numbers of galaxies are sums of these."
)
# Description of each balancing method of a model that was fitted to fractions of votes.
_SOFT = {
    "none": _SHARES,
    "class-weight": f"{_SHARES} The weights of rare classes were raised and those of common "
    "classes lowered, so that all classes have the same total weight in training.",
}

# How the surveys that simulated images imitate are called.
_SURVEYS = {"sdss": "SDSS", "legacy": "the Legacy Surveys"}

CONFUSION_TEXT = (
    "<p>Rows are true classes, columns predicted classes. Large numbers are per cent of the row, "
    "small ones are counts; the framed diagonal contains the correct predictions.</p>"
)


def summary_text(evaluation: Evaluation) -> str:
    """Summarise accuracy and the best and worst classes."""
    accuracy = evaluation.scores["accuracy"]
    balanced = evaluation.scores["balanced_accuracy"]
    text = (
        f"The model classifies <b>{100 * accuracy.value:.0f} of 100</b> galaxies correctly "
        f"(95&nbsp;% interval {_hundredths(accuracy.low)} to {_hundredths(accuracy.high)}). "
        "Averaged over classes, which gives rare ones the same weight as common ones, it is "
        f"<b>{_hundredths(balanced.value)} of 100</b>."
    )
    recall = evaluation.per_class.recall
    present = np.flatnonzero(np.isfinite(recall))
    if len(present) > 1:
        best, worst = (present[pick(recall[present])] for pick in (np.argmax, np.argmin))
        if recall[best] == recall[worst]:
            return f"{text} The recall of every class is {percent(recall[best])}."
        text += (
            f" The recall is highest for {_name(evaluation, best)} ({percent(recall[best])}) and "
            f"lowest for {_name(evaluation, worst)} ({percent(recall[worst])})."
        )
    return text


def baseline_scores(evaluation: Evaluation) -> dict[str, tuple[str, float]]:
    """Return a baseline for each score that ignores the images: its description and value."""
    shares = evaluation.confusion.sum(axis=1) / evaluation.n
    present = shares[shares > 0]
    largest, majority = float(present.max()), "Always predicting the most common class"
    return {
        "accuracy": (majority, largest),
        "balanced_accuracy": (majority, 1 / len(present)),
        "macro_f1": (majority, 2 * largest / (1 + largest) / len(present)),
        "log_loss": ("Predicting class frequencies", float(-np.sum(present * np.log(present)))),
        "ece": ("By chance, if perfectly calibrated", evaluation.chance_ece),
    }


def alternative_text(evaluation: Evaluation) -> str:
    """Describe the decision rule and the scores under the other rule."""
    others = ", ".join(
        f"{SCORES[name][0][0].lower()}{SCORES[name][0][1:]} {number(interval.value, 3)}"
        for name, interval in evaluation.alternative.items()
    )
    return (
        f"Decision rule: <b>{evaluation.decision}</b>, which {DECISIONS[evaluation.decision]}. "
        f"The alternative, <b>{evaluation.other_decision}</b>, "
        f"{DECISIONS[evaluation.other_decision]}; its scores are {others}. "
        "Log loss and calibration error do not depend on the rule."
    )


def confusion_text(evaluation: Evaluation, limit: int = 4) -> str:
    """List the most frequent mistakes, by their share of the true class."""
    counts = evaluation.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    mistakes = [
        (shares[true, predicted], true, predicted)
        for true, predicted in np.argwhere(counts > 0)
        if true != predicted
    ]
    if not mistakes:
        return "<p>All of these galaxies are classified correctly.</p>"
    mistakes.sort(key=lambda mistake: (-mistake[0], mistake[1], mistake[2]))
    items = "".join(
        f"<li>{_name(evaluation, true)} as {_name(evaluation, predicted)}: "
        f"{counts[true, predicted]:,.0f} of {counts[true].sum():,.0f} ({percent(share)})</li>"
        for share, true, predicted in mistakes[:limit]
    )
    return f"<p>Most frequent mistakes, by share of the true class:</p><ul>{items}</ul>"


def calibration_text(evaluation: Evaluation) -> str:
    """Explain the reliability curve and assess the calibration."""
    error, curve = evaluation.scores["ece"], evaluation.reliability
    filled = curve.rows > 0
    gap = np.average((curve.confidence - curve.accuracy)[filled], weights=curve.rows[filled])
    if error.low == 0:
        verdict = (
            "On this number of galaxies, chance alone gives a perfectly calibrated model about "
            f"{number(100 * evaluation.chance_ece, 1)} points: no miscalibration is detectable. "
            f"An error of up to {number(100 * error.high, 1)} points is not excluded."
        )
    else:
        tendency = "overconfident" if gap > 0 else "underconfident"
        verdict = (
            "This is significantly more than for a perfectly calibrated model (about "
            f"{number(100 * evaluation.chance_ece, 1)} points): overall the model is {tendency}."
        )
    return (
        "<p>Of all predictions with a probability of 70&nbsp;%, 70 in 100 should be correct. Each "
        "point is a fifteenth of the galaxies and should lie on the diagonal. Below it the model "
        "is overconfident, above it underconfident. Thin lines are 95&nbsp;% intervals.</p>"
        f"<p>On average, predicted probability and accuracy differ by "
        f"<b>{number(100 * error.value, 1)} points</b> (95&nbsp;% interval "
        f"{number(100 * error.low, 1)} to {number(100 * error.high, 1)}). {verdict}</p>"
    )


def gallery_text(decision: str) -> str:
    """Describe the captions of the pictures."""
    return (
        "<p>A random sample of each true class. Captions: the predicted class and its probability; "
        "for mistakes also the true class and its probability."
        f"{_preference_text(decision)}</p>"
    )


def mistakes_text(decision: str) -> str:
    """Describe the pictures of the most confident mistakes."""
    return (
        "<p>Wrong predictions with the highest probabilities. Some may be due to wrong labels."
        f"{_preference_text(decision)}</p>"
    )


def _preference_text(decision: str) -> str:
    if decision == "probable":
        return ""
    return " The decision rule may predict a rare class although another one is more probable."


def balancing_text(balancing: Balancing, decision: str) -> str:
    """Describe how the training classes were balanced, and why."""
    method, members, own = balancing.method, balancing.members, balancing.self_balancing
    title, how = _RESAMPLING.get(
        method, (method.capitalize(), f"The classes were balanced by the method {method!r}.")
    )
    if balancing.simulated is not None:
        title, how = "Simulated galaxies added", _simulated_text(balancing)
    how = _SOFT[method] if balancing.soft and method in _SOFT else escape(how)
    if method == "none" and own:
        title = "Partly balanced"
        how = (
            f"{own} of the {members} members of the model "
            f"{'are balanced random forests' if own > 1 else 'is a balanced random forest'}: each "
            "tree is grown on a sample with as many galaxies of each class as the smallest class "
            "has. The rest of the model was fitted to the classes as collected."
        )
    elif method not in ("none", "balanced-forest"):
        if members > 1 and method != "simulate":
            how += f" This was done separately for each of the {members} members of the model."
        if own and method != "simulate":
            how += " The balanced random forest among them also resamples for each of its trees."
    if method == "none" and decision != "probable":
        how += " The decision rule compensates for the larger weight of common classes."
    return (
        f"<p><b>{escape(title)}.</b> {how}</p>"
        "<p>Classes are balanced only in the rows that members are fitted to, never in those used "
        "for scoring, combination or calibration. Probabilities are corrected to the natural class "
        "frequencies.</p>"
    )


def _simulated_text(balancing: Balancing) -> str:
    """Describe the simulated galaxies: how many, with which weight, and why."""
    assert balancing.simulated is not None
    surveys = " and ".join(_SURVEYS[rendering] for rendering in balancing.renderings)
    real = balancing.weight * sum(balancing.before) / len(balancing.before)
    text = (
        f"{sum(balancing.simulated):,} simulated galaxies, drawn as images of {surveys}, were "
        "added to the training galaxies: classes with few galaxies are learned from the shapes "
        "that define them, too. All simulated galaxies of a class together weigh as much as "
        f"{number(real, 1)} real galaxies. Probabilities are combined and calibrated on real "
        "galaxies only."
    )
    if balancing.soft:
        text = f"{_SHARES} {text}"
    if balancing.without_simulated:
        text += (
            f" {balancing.without_simulated} of the {balancing.members} members, networks or "
            "balanced random forests, were fitted without them."
        )
    return text


def _name(evaluation: Evaluation, index: int) -> str:
    return f"<em>{escape(evaluation.classes[index])}</em>"


def _hundredths(share: float) -> str:
    return f"{100 * share:.0f}" if math.isfinite(share) else "?"
