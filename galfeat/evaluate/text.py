"""Scores as aligned tables for a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from galfeat.evaluate.class_reliability import ClassReliability
from galfeat.evaluate.comparison.left_out import SCORES, Ablation
from galfeat.evaluate.evaluation import Evaluation
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.metrics import LABEL_METRICS, METRIC_NAMES, METRICS, Floats, PerClass
from galfeat.evaluate.repeats import CrossValidation

DECISION_NAMES = {
    "balanced": "balanced (largest probability over prior)",
    "tempered": "tempered (largest probability over cube root of prior)",
    "probable": "probable (largest probability)",
}


def evaluation_text(evaluation: Evaluation) -> str:
    """Format an evaluation for a terminal.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    str
        Scores with intervals and for the other decision rule, scores and reliability by class,
        the confusion matrix and scores by source; without a final newline.
    """
    rows = [
        [METRIC_NAMES[name], _number(interval.value), _range(interval)]
        + ([_number(evaluation.alternative[name].value)] if name in LABEL_METRICS else [""])
        for name, interval in evaluation.scores.items()
    ]
    other = f"if {evaluation.other_decision}"
    parts = [
        f"{evaluation.n:,} galaxies scored{evaluation.unscored_text()}; "
        f"decision: {DECISION_NAMES[evaluation.decision]}",
        table(["score", "value", "95 % interval", other], rows),
        f"A perfectly calibrated model would have a calibration error of about "
        f"{evaluation.chance_ece:.3f} on these galaxies.",
        evaluation.averages_text(),
        class_table(evaluation.classes, evaluation.per_class),
        reliability_table(evaluation.by_class),
        confusion_table(evaluation.classes, evaluation.confusion),
    ]
    if evaluation.sources:
        parts.append(_source_table(evaluation.sources))
    return "\n\n".join(parts)


def cross_validation_text(result: CrossValidation) -> str:
    """Format a cross-validation for a terminal.

    Parameters
    ----------
    result : CrossValidation

    Returns
    -------
    str
        Mean and standard deviation over repeats, interval, mean for the other decision rule,
        scores by class and by source; without a final newline.
    """
    rows = [
        [METRIC_NAMES[name], _number(score.mean), _number(score.sd)]
        + [_range(score.interval)]
        + ([_number(result.alternative[name].mean)] if name in LABEL_METRICS else [""])
        for name, score in result.scores.items()
    ]
    other = f"if {result.other_decision}"
    times = "once" if result.repeats == 1 else f"{result.repeats} times"
    parts = [
        f"{result.n:,} galaxies, each predicted out of fold {times}; "
        f"decision: {DECISION_NAMES[result.decision]}",
        table(["score", "mean", "SD", "95 % interval", other], rows),
        "SD: variation between repeats (random splits); interval: resampled galaxies.",
        result.averages_text(),
        class_table(result.classes, result.per_class),
    ]
    if result.sources:
        intervals = {
            name: (
                n,
                {key: score.interval for key, score in scores.items()},
            )
            for name, (n, scores) in result.sources.items()
        }
        parts.append(_source_table(intervals))
    return "\n\n".join(parts)


def ablation_text(ablation: Ablation) -> str:
    """Format the losses without each feature family for a terminal."""
    lines = [*ablation.families.items(), ("none (refitted)", ablation.refitted)]
    rows = [
        [name, *(cell for loss in losses.values() for cell in (_number(loss.value), _range(loss)))]
        for name, losses in lines
    ]
    header = ["loss without", *(c for name in SCORES for c in (METRIC_NAMES[name], "95 %"))]
    parts = [
        table(header, rows),
        f"Each model was refitted without the family to the same {ablation.n_training:,} galaxies "
        f"and scored on the same {ablation.n:,}; positive means worse without the family.",
    ]
    if ablation.indispensable:
        parts.append(f"Cannot be left out: {', '.join(ablation.indispensable)}.")
    return "\n\n".join(parts)


def class_table(classes: Sequence[str], scores: PerClass) -> str:
    """Format precision, recall, F1 and support of each class."""
    rows = [
        [name, *(_number(float(value)) for value in (precision, recall, f1)), f"{support:,.0f}"]
        for name, precision, recall, f1, support in zip(classes, *scores, strict=True)
    ]
    return table(["class", "precision", "recall", "F1", "galaxies"], rows)


def reliability_table(by_class: Mapping[str, ClassReliability]) -> str:
    """Format probability, frequency and calibration error of each class."""
    header = ["probability of class", "galaxies", "mean", "frequency", "error", "95 % interval"]
    rows = [
        [
            *(name, f"{part.galaxies:,}", _number(part.mean_probability), _number(part.frequency)),
            *(_number(part.error.value), _range(part.error), _number(part.chance)),
        ]
        for name, part in by_class.items()
    ]
    return table([*header, "by chance"], rows)


def confusion_table(classes: Sequence[str], confusion: Floats) -> str:
    """Format a confusion matrix, with class numbers as column names."""
    numbers = [str(number) for number in range(len(classes))]
    rows = [
        [f"{number} {name}", *(f"{count:.0f}" if count else "." for count in row)]
        for number, name, row in zip(numbers, classes, confusion.tolist(), strict=True)
    ]
    return table(["true class, by predicted class", *numbers], rows)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align cells in columns, the first to the left and the others to the right."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _source_table(sources: Mapping[str, tuple[int, Mapping[str, Interval]]]) -> str:
    rows = [
        [name, f"{n:,}", *(_number(scores[metric].value) for metric in METRICS)]
        for name, (n, scores) in sources.items()
    ]
    return table(["source", "galaxies", *(METRIC_NAMES[metric] for metric in METRICS)], rows)


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "-"


def _range(interval: Interval) -> str:
    if not math.isfinite(interval.low):
        return "-"
    return f"{interval.low:.3f} to {interval.high:.3f}"
