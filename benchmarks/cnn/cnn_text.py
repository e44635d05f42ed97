"""The page of `cnn_ablation.py`."""

from __future__ import annotations

from collections.abc import Mapping

from galfeat.evaluate.comparison.paired import LOWER_IS_BETTER, Comparison, Difference

SCORES = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro-F1", "log_loss": "log loss"}
#: The variant that the others are compared with.
REFERENCE = "baseline"

PAGE = """# The plain CNN

Made by `python benchmarks/cnn/cnn_ablation.py DATA --label {label}`; do not edit. {n:,} images of
{size} pixels, {classes} classes, {folds} folds with groups kept together, {repeats}, seed {seed};
all predictions are out of fold. The baseline is the pipeline `cnn-baseline`: three blocks of 32 3×3
filters, ReLU and pooling, a dense layer of 128 and a softmax, trained from scratch for 20 epochs
with Adam on 64×64 pixels in colour. Each other row changes one setting. SGD uses a learning rate of
0.01. astroNN's network is its CNN for Galaxy10, trained with its settings (30 epochs, learning rate
0.005) but without reducing the learning rate. Boosting on top fits LightGBM to the inputs of the
last layer. *Transfer learning* uses a different network, the small one [of galfeat](network.md):
either a network pretrained on simulated galaxies is fine-tuned on the training rows (the pipeline
`network`), or LightGBM is fitted to the activations of a network also trained on other real
galaxies. All variants are calibrated with two inner folds.

- In brackets: 95 % intervals from resampling galaxies. *Minus baseline* is paired; = marks
  differences that are not significant.
- s: processor time of a fit on one thread: three trainings, one on all and two on half of the
  training images.

{table}

## Results

{findings}
"""


def page(
    comparison: Comparison,
    seconds: Mapping[str, float],
    label: str,
    size: str,
    folds: int,
    seed: int,
) -> str:
    """Return the page.

    Parameters
    ----------
    comparison : Comparison
        Comparison of the variants by name, including `REFERENCE`.
    seconds : mapping of str to float
        Processor time of a fit of each variant.
    label, size, folds, seed
        Column of classes, size of the images, number of folds, seed.
    """
    repeats = comparison.repeats
    return PAGE.format(
        label=label, size=size, folds=folds, seed=seed, n=comparison.n,
        classes=len(comparison.classes), repeats="once" if repeats == 1 else f"{repeats} times",
        table=table(comparison, seconds), findings="\n".join(findings(comparison, seconds)),
    )  # fmt: skip


def table(comparison: Comparison, seconds: Mapping[str, float]) -> str:
    """Return the table of scores, differences and times of all variants."""
    heads = [f"{name} | minus baseline" for name in SCORES.values()]
    lines = [f"| | {' | '.join(heads)} | s |", "|---|" + "---:|" * (2 * len(SCORES) + 1)]
    for name, scores in comparison.scores.items():
        cells = []
        for metric in SCORES:
            score = scores[metric]
            cells.append(f"{score.mean:.3f} ({score.low:.3f} to {score.high:.3f})")
            cells.append(
                ""
                if name == REFERENCE
                else _difference(comparison.difference(name, REFERENCE), metric)
            )
        lines.append(f"| {name} | {' | '.join(cells)} | {seconds[name]:,.0f} |")
    return "\n".join(lines)


def _difference(difference: Difference, metric: str) -> str:
    value, low, high = difference.scores[metric]
    mark = "" if difference.better(metric) else " ="
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f}){mark}"


def findings(comparison: Comparison, seconds: Mapping[str, float]) -> list[str]:
    """Return sentences that summarise the table."""
    chance = 1 / len(comparison.classes)
    own = comparison.scores[REFERENCE]
    lines = [
        f"- The baseline has a balanced accuracy of {own['balanced_accuracy'].mean:.3f} (chance: "
        f"{chance:.3f}) and a macro-F1 of {own['macro_f1'].mean:.3f}."
    ]
    lines += [f"- {_verdict(comparison, metric)}" for metric in SCORES]
    best = comparison.ranked("macro_f1")[0]
    hours = sum(seconds.values()) / 3600
    slowest = max(seconds, key=lambda name: seconds[name])
    lines.append(
        f"- The highest macro-F1 is that of {_quoted(best)}, "
        f"{comparison.scores[best]['macro_f1'].mean:.3f}, at "
        f"{seconds[best] / seconds[REFERENCE]:.1f} times the time of the baseline. The slowest is "
        f"{_quoted(slowest)}, at {seconds[slowest] / seconds[REFERENCE]:.1f} times. One fit of "
        f"each takes {hours:.1f} hours on one thread."
    )
    return lines


def _verdict(comparison: Comparison, metric: str) -> str:
    """Summarise which changes are significantly better or worse in a score."""
    others = [name for name in comparison.scores if name != REFERENCE]
    winners = {name: comparison.difference(name, REFERENCE).better(metric) for name in others}
    better = [name for name, winner in winners.items() if winner == name]
    worse = [name for name, winner in winners.items() if winner == REFERENCE]
    direction = "lower is better" if metric in LOWER_IS_BETTER else "higher is better"
    title = SCORES[metric][0].upper() + SCORES[metric][1:]
    significant = [
        f"better with {_listed(better)}" if better else "better with none of the changes",
        f"worse with {_listed(worse)}" if worse else "worse with none",
    ]
    rest = len(others) - len(better) - len(worse)
    return (
        f"{title} ({direction}) is significantly {' and '.join(significant)}; {rest} of the "
        f"{len(others)} changes make no significant difference."
    )


def _listed(names: list[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f"*{name}*"
