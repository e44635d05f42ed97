"""The page of `cnn_ablation.py`."""

from __future__ import annotations

from collections.abc import Mapping

from galfeat.evaluate.comparison.paired import LOWER_IS_BETTER, Comparison, Difference

SCORES = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro-F1", "log_loss": "log loss"}
#: The variant that the others are held against.
FIRST = "baseline"

PAGE = """# The plain CNN

Made by `python benchmarks/cnn/cnn_ablation.py DATA --label {label}`; do not edit. {n:,} images of
{size} pixels, {classes} classes, {folds} folds with groups kept together, {repeats}, seed {seed};
each galaxy is predicted by networks that did not see it. The baseline is the pipeline
`cnn-baseline`: three blocks of 32 3×3 filters, a ReLU and a pool, a dense layer of 128 and a
softmax, trained from scratch for 20 epochs by Adam on 64×64 pixels in colour. Every other row
changes one thing. With SGD
comes a learning rate of 0.01. astroNN's network is its CNN for Galaxy10, trained as there (30
epochs, learning rate 0.005) but that the learning rate does not fall. Boosting on top grows
LightGBM on what enters the last layer. *Transfer learning* is another network altogether, the
small one [of galfeat](network.md): one that has seen simulated galaxies alone is trained further
on the rows of a fit (the pipeline `network`), or LightGBM is grown on the activations of one that
has seen other real galaxies too. All are calibrated by two inner folds.

- In brackets: 95 % intervals when galaxies are resampled. *Less the baseline* is paired. = means
  that these galaxies can't tell the two apart, which does not say that they are equal.
- s: processor time of a fit on one thread: three trainings, one on all and two on half of the
  training images.

{table}

## What it says

{words}
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
        Of the variants by name, `FIRST` among them.
    seconds : mapping of str to float
        Of a fit of each.
    label, size, folds, seed
        What was done: column of classes, size of the images, number of folds, seed.
    """
    repeats = comparison.repeats
    return PAGE.format(
        label=label, size=size, folds=folds, seed=seed, n=comparison.n,
        classes=len(comparison.classes), repeats="once" if repeats == 1 else f"{repeats} times",
        table=table(comparison, seconds), words="\n".join(words(comparison, seconds)),
    )  # fmt: skip


def table(comparison: Comparison, seconds: Mapping[str, float]) -> str:
    """Return scores, differences and times of all variants."""
    heads = [f"{name} | less the baseline" for name in SCORES.values()]
    lines = [f"| | {' | '.join(heads)} | s |", "|---|" + "---:|" * (2 * len(SCORES) + 1)]
    for name, scores in comparison.scores.items():
        cells = []
        for metric in SCORES:
            score = scores[metric]
            cells.append(f"{score.mean:.3f} ({score.low:.3f} to {score.high:.3f})")
            cells.append(
                "" if name == FIRST else _changed(comparison.difference(name, FIRST), metric)
            )
        lines.append(f"| {name} | {' | '.join(cells)} | {seconds[name]:,.0f} |")
    return "\n".join(lines)


def _changed(difference: Difference, metric: str) -> str:
    value, low, high = difference.scores[metric]
    equal = "" if difference.better(metric) else " ="
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f}){equal}"


def words(comparison: Comparison, seconds: Mapping[str, float]) -> list[str]:
    """Return in sentences what can be told from the table."""
    chance = 1 / len(comparison.classes)
    own = comparison.scores[FIRST]
    lines = [
        f"- The baseline reaches a balanced accuracy of {own['balanced_accuracy'].mean:.3f}, where "
        f"chance gives {chance:.3f}, and a macro-F1 of {own['macro_f1'].mean:.3f}."
    ]
    lines += [f"- {_verdict(comparison, metric)}" for metric in SCORES]
    best = comparison.ranked("macro_f1")[0]
    hours = sum(seconds.values()) / 3600
    slowest = max(seconds, key=lambda name: seconds[name])
    lines.append(
        f"- The highest macro-F1 is that of {_quoted(best)}, "
        f"{comparison.scores[best]['macro_f1'].mean:.3f}, for "
        f"{seconds[best] / seconds[FIRST]:.1f} times the baseline's time. The dearest is "
        f"{_quoted(slowest)}, {seconds[slowest] / seconds[FIRST]:.1f} times. One fit of each takes "
        f"{hours:.1f} hours on one thread."
    )
    return lines


def _verdict(comparison: Comparison, metric: str) -> str:
    """Say which changes raise a score, which lower it, and for how many that can't be told."""
    others = [name for name in comparison.scores if name != FIRST]
    winners = {name: comparison.difference(name, FIRST).better(metric) for name in others}
    better = [name for name, winner in winners.items() if winner == name]
    worse = [name for name, winner in winners.items() if winner == FIRST]
    less = "less is better" if metric in LOWER_IS_BETTER else "more is better"
    title = SCORES[metric][0].upper() + SCORES[metric][1:]
    told = [
        f"better with {_listed(better)}" if better else "better with none of the changes",
        f"worse with {_listed(worse)}" if worse else "worse with none",
    ]
    rest = len(others) - len(better) - len(worse)
    return (
        f"{title} ({less}) is {' and '.join(told)}; for {rest} of the "
        f"{len(others)} changes these galaxies can't tell."
    )


def _listed(names: list[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f"*{name}*"
