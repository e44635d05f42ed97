"""The tables and the page of `worth.py`."""

from __future__ import annotations

from collections.abc import Sequence

from worth_fits import ALL, Ablation, family_of, name_of, without

from galfeat.evaluate.comparison.paired import Comparison, Difference
from galfeat.experiments.fits import AS_IT_IS, RERENDERED
from galfeat.features import DEFAULT_FAMILIES, classifier_columns, columns

SCORES = {"macro_f1": "macro-F1", "balanced_accuracy": "balanced accuracy", "log_loss": "log loss"}
TOP = 5

PAGE = """# What each family is worth

Made by `python benchmarks/worth.py`; do not edit. Real SDSS images with labels from Galaxy Zoo:
{data}. The pipeline `lightgbm` is fitted to the columns of some
families and predicts out of fold, with the folds of `galfeat fit --cv 5 --seed {seed}`: {repeats}
repeats for the ten classes, one for the four. Each test fold is calibrated by the predictions on
the other four instead of by inner folds, which takes a sixth of the time.

- *Less all*: the score less that of all families together, paired, with the 95 % interval of
  [`galfeat compare`](../guides/compare.md). = means that these galaxies can't tell the two apart,
  which does not say that they are equal.
- *Re-rendered*: test images as a survey with half the resolution, another size, PSF, stretch, band
  balance, sky and noise would show them, training images as they are, one repeat.
- µs: processor time per galaxy on one thread, the least of nine, the median over {timed} of the
  images. The frame, which every family needs, comes once on top.

{overview}

![Macro-F1 as families are added, without each, and alone](worth.png)

Families were added in two orders: by cost, as in the picture, and the greedy one, which takes at
each step the family that lowers the log loss most, in one repeat; it is chosen on the same
galaxies, and neighbours in it are often as good as each other.

The pipelines are fitted to {pipelines}, chosen by these tables and `galfeat compare` on these
galaxies: what is left out changes no macro-F1 by as much as they can tell.

{sections}
## Which family separates which classes

The area under the ROC curve between two classes, 0.5 by chance, from the out-of-fold probabilities
of the fits to one family alone (±: standard error of Hanley and McNeil 1982). The best of several
is chosen on the same galaxies, and so a little kind.

![Area under the ROC curve of each pair of ten classes, by family](worth_pairs.png)

{pairs}
## Importance

Balanced accuracy lost when all columns of a family are shuffled among the test galaxies, mean ± SD
over five folds, with all families in the model; and the columns of the family that bring most of
LightGBM's gain, with their share of the whole. What is shuffled stays in the model, so that a
family looks needed here that could be left out.

{importances}
## What limits the score

The labels come without vote fractions, and no galaxy carries two labels, so that their noise can't
be read off; what follows surrounds it. Learning curves and planted labels are of one repeat.

- Labels, more than anything: each doubling of their number still lowers the log loss, most so of
  the ten classes, some of which have fewer than twenty galaxies.
- Where a class ends: calibrated probabilities promise about the share that is right, so that wrong
  answers are mostly galaxies which the model knows it can't tell. They pile up between neighbours,
  such as edge-on discs with and without a bulge, where votes cut a continuum.
- Wrong labels: a few at random cost training little, but lower every score they are part of. That
  bounds what any model can reach here, by an amount these data can only bracket.
- What a label means: with the same number of galaxies of each class, a collection teaches its own
  labels better than the other does. Labels or the choice of galaxies differ between them, and no
  feature mends that.

{limits}
"""


def plain(costs: dict[str, float]) -> str:
    """Return costs in one line."""
    return ", ".join(f"{name} {cost:.0f}" for name, cost in costs.items())


def overview(ablations: dict[str, Ablation], costs: dict[str, float]) -> str:
    """Return cost and loss of every family side by side, and what follows from it."""
    titles = [title.lower() for title in ablations]
    total = sum(costs[name] for name in ALL)
    head = [
        f"alone, {title} | without, {title} | without, {title}, re-rendered" for title in titles
    ]
    lines = [
        f"| family | columns | µs | of all | {' | '.join(head)} |",
        "|---|---:|---:|---:|" + "---:|" * (3 * len(titles)),
    ]
    given = given_columns()
    for family in ALL:
        cells = []
        for ablation in ablations.values():
            scores = ablation.shown[AS_IT_IS].scores
            cells.append(f"{scores[family]['macro_f1'].mean:.3f}")
            cells += [
                changed(lost(ablation.shown[view], family), "macro_f1")
                for view in (AS_IT_IS, RERENDERED)
            ]
        lines.append(
            f"| `{family}` | {given[family]} | {costs[family]:.0f} | {costs[family] / total:.0%} | "
            f"{' | '.join(cells)} |"
        )
    alls = []
    for ablation in ablations.values():
        shown = [ablation.shown[view].scores[name_of(ALL)]["macro_f1"].mean for view in
                 (AS_IT_IS, RERENDERED)]  # fmt: skip
        alls += [f"{shown[0]:.3f}", "", f"({shown[1]:.3f})"]
    lines.append(f"| all | {sum(given.values())} | {total:.0f} | 100% | {' | '.join(alls)} |")
    return (
        "Macro-F1 of each family alone, and its change when all others are kept and it is left "
        f"out. The frame takes {costs['frame']:.0f} µs.\n\n"
        + "\n".join(lines)
        + "\n\nIn brackets: all families on re-rendered images. In which of the three scores the "
        "difference can be told from none:\n\n"
        + verdicts(ablations)
        + "\n\n"
        + "\n".join(enough(title, found, costs) for title, found in ablations.items())
    )


def verdicts(ablations: dict[str, Ablation]) -> str:
    """Return where the absence of a family can be told, as a table."""
    shown = [(title, view) for title, found in ablations.items() for view in found.shown]
    heads = [title.lower() + ", re-rendered" * (view == RERENDERED) for title, view in shown]
    lines = [f"| without | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for family in ALL:
        cells = []
        for title, view in shown:
            difference = lost(ablations[title].shown[view], family)
            winners = {word: difference.better(metric) for metric, word in SCORES.items()}
            worse = [word for word, winner in winners.items() if winner == name_of(ALL)]
            better = [
                word for word, winner in winners.items() if winner not in (None, name_of(ALL))
            ]
            said = [f"worse: {', '.join(worse)}"] * bool(worse)
            said += [f"better: {', '.join(better)}"] * bool(better)
            cells.append("; ".join(said) or "can't tell apart")
        lines.append(f"| `{family}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def enough(title: str, found: Ablation, costs: dict[str, float]) -> str:
    """Say how many families, added in order, are level with all, and what they cost."""
    total = sum(costs[name] for name in ALL)
    sentences = []
    for word, order in (("in the greedy order", found.order), ("by cost", found.cheapest)):
        parts = []
        for view, where in ((AS_IT_IS, "as they are"), (RERENDERED, "re-rendered")):
            number = first_level(found.shown[view], order)
            spent = sum(costs[name] for name in order[:number])
            parts.append(f"the first {number} ({spent:.0f} of {total:.0f} µs) {where}")
        listed = ", ".join(f"`{name}`" for name in order)
        sentences.append(f"{word} ({listed}) {' and '.join(parts)}")
    return (
        f"- {title}: the fewest families from which on all together are better in none of the "
        f"three scores: {'; '.join(sentences)}."
    )


def first_level(comparison: Comparison, order: Sequence[str]) -> int:
    """Return from how many families on all can't be shown to be better in any score."""
    level = len(order)
    for number in range(len(order) - 1, 0, -1):
        difference = comparison.difference(name_of(tuple(order[:number])), name_of(ALL))
        if any(difference.better(metric) == name_of(ALL) for metric in SCORES):
            break
        level = number
    return level


def given_columns() -> dict[str, int]:
    """Return how many columns of each family a classifier is given."""
    names = [column.name for column in columns(ALL)]
    owners = [family_of(names[place]) for place in classifier_columns(names)]
    return {family: owners.count(family) for family in ALL}


def lost(comparison: Comparison, family: str) -> Difference:
    """Return all families without one, less all."""
    return comparison.difference(name_of(without(family)), name_of(ALL))


def changed(difference: Difference, metric: str) -> str:
    """Return a difference with its interval, marked where it can't be told from none."""
    value, low, high = difference.scores[metric]
    equal = "" if difference.better(metric) else " ="
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f}){equal}"


def ablation(found: Ablation, costs: dict[str, float]) -> str:
    """Return the table of all sets of families on one label."""
    heads = [f"{word} | less all" for word in SCORES.values()]
    lines = [
        f"| families | µs | {' | '.join(heads)} | re-rendered: macro-F1 | less all |",
        "|---|---:|" + "---:|" * (2 * len(SCORES) + 2),
    ]
    named = [("all", ALL)]
    named += [(f"`{name}` alone", (name,)) for name in ALL]
    named += [(f"without `{name}`", without(name)) for name in ALL]
    for word, order in (("best", found.order), ("cheapest", found.cheapest)):
        named += [
            (f"{number} {word}: + `{order[number - 1]}`", order[:number])
            for number in range(2, len(ALL) - 1)
        ]
    for title, families in named:
        cells = []
        for metric in SCORES:
            cells += scored(found.shown[AS_IT_IS], name_of(families), metric)
        cells += scored(found.shown[RERENDERED], name_of(families), "macro_f1")
        spent = sum(costs[name] for name in families)
        lines.append(f"| {title} | {spent:.0f} | {' | '.join(cells)} |")
    first = (
        "The last rows are sums in two orders: the greedy one, which begins with "
        f"`{found.order[0]}`, and by cost, which begins with `{found.cheapest[0]}`."
    )
    return "\n".join([*lines, "", first])


def scored(comparison: Comparison, name: str, metric: str) -> list[str]:
    """Return a score, and its difference to all families."""
    own = f"{comparison.scores[name][metric].mean:.3f}"
    if name == name_of(ALL):
        return [own, ""]
    return [own, changed(comparison.difference(name, name_of(ALL)), metric)]


def importances(families: dict[str, tuple[float, float]], gains: dict[str, float]) -> str:
    """Return the table of importances."""
    lines = [
        "| family | lost when shuffled | share of gain | its first columns |",
        "|---|---:|---:|---|",
    ]
    for family in sorted(families, key=lambda name: -families[name][0]):
        own = {name: gain for name, gain in gains.items() if family_of(name) == family}
        first = sorted(own, key=lambda name: -own[name])[:TOP]
        listed = ", ".join(f"`{name}` {100 * own[name]:.1f}" for name in first)
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
