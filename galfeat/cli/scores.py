"""Tables of scores as they are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from galfeat.evaluate.evaluation import Evaluation
    from galfeat.validation import CrossValidation

SCORE_NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "log_loss": "log loss",
    "ece": "calibration error (ECE)",
}


def cross_validation_table(scores: CrossValidation) -> str:
    """Return mean and standard deviation over the repeats of each score."""
    repeated = scores.repeats > 1
    times = f", repeated {scores.repeats} times" if repeated else ""
    lines = [f"{scores.folds}-fold cross-validation{times}, {scores.n} galaxies"]
    lines.append(f"{'':<24}{'mean':>8}" + (f"{'SD':>8}" if repeated else ""))
    for metric, name in SCORE_NAMES.items():
        spread = f"{scores.spread(metric):8.4f}" if repeated else ""
        lines.append(f"{name:<24}{scores.mean(metric):8.4f}{spread}")
    return "\n".join(lines)


def evaluation_table(evaluation: Evaluation) -> str:
    """Return each score with its interval, the other decision's, and those of each class."""
    lines = [f"{evaluation.n} galaxies, classes named by the rule {evaluation.decision!r}"]
    lines.append(f"{'':<24}{'value':>8}  95 % interval")
    for metric, name in SCORE_NAMES.items():
        lines.append(_score_line(name, *evaluation.scores[metric]))
    lines += ["", f"with the rule {evaluation.other_decision!r} instead"]
    for metric, interval in evaluation.alternative.items():
        lines.append(_score_line(SCORE_NAMES[metric], *interval))
    width = max(24, *(len(name) + 2 for name in evaluation.classes))
    lines += ["", f"{'class':<{width}}{'precision':>10}{'recall':>8}{'F1':>8}{'support':>9}"]
    for name, precision, recall, f1, support in zip(
        evaluation.classes, *evaluation.per_class, strict=True
    ):
        lines.append(f"{name:<{width}}{precision:10.3f}{recall:8.3f}{f1:8.3f}{support:9.0f}")
    return "\n".join(lines)


def _score_line(name: str, value: float, low: float, high: float) -> str:
    return f"{name:<24}{value:8.4f}  {low:.4f} to {high:.4f}"
