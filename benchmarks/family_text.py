"""The tables and the page of `feature_families.py`."""

from __future__ import annotations

from collections.abc import Sequence

from family_fits import ALL, Ablation, family_of, name_of, without

from galfeat.evaluate.comparison.paired import Comparison, Difference
from galfeat.experiments.fits import ORIGINAL, RERENDERED
from galfeat.features import DEFAULT_FAMILIES, classifier_columns, columns

SCORES = {"macro_f1": "macro-F1", "balanced_accuracy": "balanced accuracy", "log_loss": "log loss"}
TOP = 5

PAGE = """# Contribution of each feature family

Made by `python benchmarks/feature_families.py`; do not edit. Real SDSS images with labels from
Galaxy Zoo: {data}. The pipeline `lightgbm` is fitted to the columns of
some families and scored on out-of-fold predictions, with the folds of `galfeat fit --cv 5 --seed
{seed}`: {repeats} repeats for the ten classes, one for the four. Each test fold is calibrated with
the predictions on the other four rather than with inner folds, which takes a sixth of the time.

- *Minus all*: the score minus that of all families together, paired, with the 95 % interval of
  [`galfeat compare`](../guides/compare.md); = marks differences that are not significant.
- *Re-rendered*: test images re-rendered as a survey with half the resolution and a different size,
  PSF, stretch, band balance, sky and noise; training images unchanged; one repeat.
- µs: processor time per galaxy on one thread, the minimum of nine rounds, the median over {timed}
  images. The frame, which all families need, is not included.

{overview}

![Macro-F1 as families are added, without each, and alone](feature_families.png)

Families were added in two orders: by cost, as in the figure, and by greedy selection, which adds
the family that lowers the log loss most, in one repeat. The greedy order is selected on the same
galaxies, and neighbours in it are often equally good.

The pipelines use {pipelines}, selected with these tables and `galfeat compare` on these galaxies;
the families left out make no significant difference in macro-F1.

{sections}
## Which family separates which classes

The area under the ROC curve between two classes (chance: 0.5), from out-of-fold probabilities of
fits to a single family (±: standard error of Hanley and McNeil 1982). The best family is selected
on the same galaxies, so its area is slightly optimistic.

![Area under the ROC curve of each pair of ten classes, by family](feature_family_pairs.png)

{pairs}
## Importance

Loss in balanced accuracy when all columns of a family are shuffled among the test galaxies, mean ±
SD over five folds, for a model with all families; and the columns with the largest share of
LightGBM's gain. The model is not refitted without the shuffled columns, so a family may appear
important although it could be omitted.

{importances}
## What limits the score

The labels have no vote fractions, and no galaxy has two labels, so label noise cannot be measured
directly; the following bounds it. Learning curves and replaced labels use one repeat.

- Number of labels, above all: each doubling still lowers the log loss, most for the ten classes,
  some of which have fewer than twenty galaxies.
- Class boundaries: calibrated probabilities match the fraction correct, so most wrong predictions
  have low confidence. They concentrate between neighbouring classes, such as edge-on discs with
  and without a bulge, where votes divide a continuum.
- Wrong labels: a few at random affect training little, but lower every score that uses them. This
  limits the score of any model, by an amount that these data can only bound.
- Definition of labels: with equal class counts, a model trained on one collection predicts its
  labels better than those of the other. Labels or selection differ between collections, which
  features cannot correct.

{limits}
"""


def plain(costs: dict[str, float]) -> str:
    """Return the costs in one line."""
    return ", ".join(f"{name} {cost:.0f}" for name, cost in costs.items())


def overview(ablations: dict[str, Ablation], costs: dict[str, float]) -> str:
    """Return the cost and contribution of each family, with a summary."""
    titles = [title.lower() for title in ablations]
    total = sum(costs[name] for name in ALL)
    head = [
        f"alone, {title} | without, {title} | without, {title}, re-rendered" for title in titles
    ]
    lines = [
        f"| family | columns | µs | share | {' | '.join(head)} |",
        "|---|---:|---:|---:|" + "---:|" * (3 * len(titles)),
    ]
    counts = column_counts()
    for family in ALL:
        cells = []
        for ablation in ablations.values():
            scores = ablation.comparisons[ORIGINAL].scores
            cells.append(f"{scores[family]['macro_f1'].mean:.3f}")
            cells += [
                difference_text(without_family(ablation.comparisons[view], family), "macro_f1")
                for view in (ORIGINAL, RERENDERED)
            ]
        lines.append(
            f"| `{family}` | {counts[family]} | {costs[family]:.0f} | "
            f"{costs[family] / total:.0%} | {' | '.join(cells)} |"
        )
    totals = []
    for ablation in ablations.values():
        original, rerendered = (
            ablation.comparisons[view].scores[name_of(ALL)]["macro_f1"].mean
            for view in (ORIGINAL, RERENDERED)
        )
        totals += [f"{original:.3f}", "", f"({rerendered:.3f})"]
    lines.append(f"| all | {sum(counts.values())} | {total:.0f} | 100% | {' | '.join(totals)} |")
    return (
        "Macro-F1 with each family alone, and the change when only that family is left out. "
        f"The frame takes {costs['frame']:.0f} µs.\n\n"
        + "\n".join(lines)
        + "\n\nIn brackets: all families on re-rendered images. Significant differences in the "
        "three scores:\n\n"
        + verdicts(ablations)
        + "\n\n"
        + "\n".join(sufficient(title, ablated, costs) for title, ablated in ablations.items())
    )


def verdicts(ablations: dict[str, Ablation]) -> str:
    """Return a table of the scores that change significantly without each family."""
    views = [(title, view) for title, ablated in ablations.items() for view in ablated.comparisons]
    heads = [title.lower() + ", re-rendered" * (view == RERENDERED) for title, view in views]
    lines = [f"| without | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for family in ALL:
        cells = []
        for title, view in views:
            difference = without_family(ablations[title].comparisons[view], family)
            winners = {score: difference.better(metric) for metric, score in SCORES.items()}
            worse = [score for score, winner in winners.items() if winner == name_of(ALL)]
            better = [
                score for score, winner in winners.items() if winner not in (None, name_of(ALL))
            ]
            texts = [f"worse: {', '.join(worse)}"] * bool(worse)
            texts += [f"better: {', '.join(better)}"] * bool(better)
            cells.append("; ".join(texts) or "not significant")
        lines.append(f"| `{family}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def sufficient(title: str, ablated: Ablation, costs: dict[str, float]) -> str:
    """Describe how many families, added in order, score as well as all, and their cost."""
    total = sum(costs[name] for name in ALL)
    sentences = []
    for label, order in (("In greedy order", ablated.greedy), ("By cost", ablated.cheapest)):
        parts = []
        for view, images in ((ORIGINAL, "original"), (RERENDERED, "re-rendered")):
            number = sufficient_number(ablated.comparisons[view], order)
            spent = sum(costs[name] for name in order[:number])
            parts.append(f"{number} on {images} images ({spent:.0f} of {total:.0f} µs)")
        listed = ", ".join(f"`{name}`" for name in order)
        sentences.append(f"{label} ({listed}): {', '.join(parts)}.")
    return (
        f"- {title}, number of families beyond which using all improves none of the three scores "
        f"significantly. {' '.join(sentences)}"
    )


def sufficient_number(comparison: Comparison, order: Sequence[str]) -> int:
    """Return the number of families beyond which using all is not significantly better."""
    sufficient = len(order)
    for number in range(len(order) - 1, 0, -1):
        difference = comparison.difference(name_of(tuple(order[:number])), name_of(ALL))
        if any(difference.better(metric) == name_of(ALL) for metric in SCORES):
            break
        sufficient = number
    return sufficient


def column_counts() -> dict[str, int]:
    """Return the number of columns of each family that classifiers use."""
    names = [column.name for column in columns(ALL)]
    owners = [family_of(names[column]) for column in classifier_columns(names)]
    return {family: owners.count(family) for family in ALL}


def without_family(comparison: Comparison, family: str) -> Difference:
    """Return the difference between all families but one and all families."""
    return comparison.difference(name_of(without(family)), name_of(ALL))


def difference_text(difference: Difference, metric: str) -> str:
    """Return a difference with its interval, marked with = if it is not significant."""
    value, low, high = difference.scores[metric]
    mark = "" if difference.better(metric) else " ="
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f}){mark}"


def ablation(ablated: Ablation, costs: dict[str, float]) -> str:
    """Return the table of all sets of families for one label column."""
    heads = [f"{score} | minus all" for score in SCORES.values()]
    lines = [
        f"| families | µs | {' | '.join(heads)} | re-rendered: macro-F1 | minus all |",
        "|---|---:|" + "---:|" * (2 * len(SCORES) + 2),
    ]
    named = [("all", ALL)]
    named += [(f"`{name}` alone", (name,)) for name in ALL]
    named += [(f"without `{name}`", without(name)) for name in ALL]
    for label, order in (("greedy", ablated.greedy), ("cheapest", ablated.cheapest)):
        named += [
            (f"{number} {label}: + `{order[number - 1]}`", order[:number])
            for number in range(2, len(ALL) - 1)
        ]
    for title, families in named:
        cells = []
        for metric in SCORES:
            cells += score_cells(ablated.comparisons[ORIGINAL], name_of(families), metric)
        cells += score_cells(ablated.comparisons[RERENDERED], name_of(families), "macro_f1")
        spent = sum(costs[name] for name in families)
        lines.append(f"| {title} | {spent:.0f} | {' | '.join(cells)} |")
    note = (
        "The last rows add families cumulatively, in greedy order starting with "
        f"`{ablated.greedy[0]}`, and by cost starting with `{ablated.cheapest[0]}`."
    )
    return "\n".join([*lines, "", note])


def score_cells(comparison: Comparison, name: str, metric: str) -> list[str]:
    """Return a score and its difference from that of all families."""
    own = f"{comparison.scores[name][metric].mean:.3f}"
    if name == name_of(ALL):
        return [own, ""]
    return [own, difference_text(comparison.difference(name, name_of(ALL)), metric)]


def importances(families: dict[str, tuple[float, float]], gains: dict[str, float]) -> str:
    """Return the table of importances."""
    lines = [
        "| family | loss when shuffled | share of gain | top columns |",
        "|---|---:|---:|---|",
    ]
    for family in sorted(families, key=lambda name: -families[name][0]):
        own = {name: gain for name, gain in gains.items() if family_of(name) == family}
        top = sorted(own, key=lambda name: -own[name])[:TOP]
        listed = ", ".join(f"`{name}` {100 * own[name]:.1f}" for name in top)
        mean, sd = families[family]
        lines.append(
            f"| `{family}` | {mean:.3f} ± {sd:.3f} | {100 * sum(own.values()):.0f} % | {listed} |"
        )
    return "\n".join(lines)


def page(
    labels: Sequence[tuple[str, int]],
    repeats: int,
    seed: int,
    timed: int,
    top: str,
    sections: Sequence[tuple[str, str, str]],
    ends: Sequence[str],
) -> str:
    """Return the page."""
    tables, pairs, importance = zip(*sections, strict=True)
    return PAGE.format(
        data=", ".join(f"{number:,} of {title.lower()}" for title, number in labels),
        repeats=repeats, seed=seed, timed=timed, overview=top, sections="\n".join(tables),
        pairs="\n".join(pairs), importances="\n".join(importance), limits="\n".join(ends).rstrip(),
        pipelines=", ".join(f"`{name}`" for name in DEFAULT_FAMILIES),
    )  # fmt: skip
