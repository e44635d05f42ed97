"""Importance of feature families and columns, as text and HTML tables."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np

from galfeat.evaluate.comparison.left_out import SCORES, Ablation, Losses
from galfeat.evaluate.importances import Importances
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.report.figures import DASH, bar, number

_VERDICTS = {
    "needed": "needed. Without it, predicted classes are significantly worse; no other family "
    "fully replaces its information.",
    "replaced": "used, but replaceable. This model depends on it, but a model fitted without it is "
    "not significantly worse: other families replace it. One such family can be dropped; dropping "
    "several at once was not tested.",
    "spare": "not needed. Neither shuffling it nor leaving it out makes predicted classes "
    "significantly worse.",
    "harmful": "harmful. Without it, predicted classes are significantly better.",
    "only": "indispensable. No part of the model could be fitted without it.",
}


def importance_text(n: int) -> str:
    """Describe how the importance of families to the fitted model was measured."""
    return (
        f"<p><b>Shuffled.</b> On {n:,} galaxies, the measurements of one family at a time were "
        "randomly exchanged between galaxies, which removes their information. The resulting loss "
        "shows how much the fitted model depends on that family. Families with similar information "
        "replace each other, so the losses do not add up, and a small loss does not mean that a "
        "family is uninformative.</p>"
    )


def ablation_note(ablation: Ablation) -> str:
    """Describe how the loss from leaving out a family was measured."""
    return (
        "<p><b>Left out.</b> For each family, a new model was fitted without it to the same "
        f"{ablation.n_training:,} galaxies, so that other families could replace it, and scored "
        f"on the same {ablation.n:,} galaxies. Its loss is what no other family can replace. "
        "Shuffling shows what this model depends on; leaving out shows whether a family needs to "
        "be measured at all.</p>"
    )


def chance_text(ablation: Ablation) -> str:
    """Describe how large a loss must be to be significant."""
    widths = [
        losses["balanced_accuracy"].high - losses["balanced_accuracy"].low
        for losses in (ablation.refitted, *ablation.families.values())
    ]
    return (
        f"<p>With {ablation.n:,} galaxies, a loss below about "
        f"{number(50 * float(np.median(widths)), 1)} points of balanced accuracy is not "
        "significant. The last line of the table is a check: the same model refitted with another "
        "random seed should lose about nothing, and no smaller loss counts as significant. Log "
        "loss also varies between fits, so it does not decide whether a family is needed.</p>"
    )


def verdict_text(importances: Importances, ablation: Ablation) -> str:
    """Group the families by the combined results of shuffling and leaving out."""
    groups: dict[str, list[str]] = {name: [] for name in _VERDICTS}
    for family in ablation.families:
        mean, spread = importances.families.get(family, (0.0, 0.0))
        if ablation.is_needed(family):
            verdict = "needed"
        elif ablation.is_harmful(family):
            verdict = "harmful"
        else:
            verdict = "replaced" if mean > 2 * spread else "spare"
        groups[verdict].append(family)
    groups["only"] = list(ablation.indispensable)
    items = "".join(
        f"<li><b>{escape(', '.join(families))}</b>: {_VERDICTS[verdict]}</li>"
        for verdict, families in groups.items()
        if families
    )
    return (
        "<p>Each feature family was tested in two ways: its values were shuffled for the fitted "
        "model, and the model was refitted without it. Results:</p>"
        f'<ul class="verdicts">{items}</ul>'
    )


def family_table(families: Mapping[str, tuple[float, float]]) -> str:
    """Return a table of the loss from shuffling each family, with bars.

    Parameters
    ----------
    families : mapping of str to (float, float)
        Mean and standard deviation of the loss, in the order of the rows.
    """
    largest = max((mean + spread for mean, spread in families.values()), default=0.0)
    rows = [
        f'<tr><th scope="row">{escape(name)}</th><td><span class="figure">{number(100 * mean, 1)}'
        f"<small> ± {100 * spread:.1f}</small></span>"
        f"{bar(mean, Interval(mean, mean - spread, mean + spread), max(largest, 1e-9))}</td></tr>"
        for name, (mean, spread) in families.items()
    ]
    return (
        '<table class="families"><caption>Loss in balanced accuracy, in points, when the family is '
        "shuffled (mean and standard deviation)</caption>"
        '<thead><tr><th scope="col">Family</th><th scope="col">Points lost</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def column_table(columns: Mapping[str, float]) -> str:
    """Return a table of the share of gain of individual columns, with bars."""
    largest = max(columns.values(), default=1.0)
    rows = [
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td><span class="figure">'
        f"{100 * share:.1f}&nbsp;%</span>{bar(share, None, largest)}</td></tr>"
        for name, share in columns.items()
    ]
    return (
        '<table class="families columns"><caption>Share of the total gain in training</caption>'
        '<thead><tr><th scope="col">Column</th><th scope="col">Share</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def ablation_table(shuffled: Mapping[str, tuple[float, float]], ablation: Ablation) -> str:
    """Return a table of the losses when families are shuffled and when they are left out.

    Parameters
    ----------
    shuffled : mapping of str to (float, float)
        Mean and standard deviation of the loss in balanced accuracy, by family.
    ablation : Ablation
        Losses without each family, in the order of the rows.
    """
    largest = max((mean + spread for mean, spread in shuffled.values()), default=0.0)
    all_losses = [ablation.refitted, *ablation.families.values()]
    ends = [end for losses in all_losses for end in losses["balanced_accuracy"][1:]]
    scale = min([0.0, *ends]), max([0.0, *ends])
    rows = [
        _ablation_row(
            f'<th scope="row">{escape(name)}</th>',
            _shuffled_cell(shuffled.get(name), max(largest, 1e-9)),
            losses,
            scale,
        )
        for name, losses in ablation.families.items()
    ]
    rows += [
        f'<tr><th scope="row">{escape(name)}</th>'
        f"{_shuffled_cell(shuffled.get(name), max(largest, 1e-9))}"
        f'<td colspan="{len(SCORES)}">indispensable: no member can be fitted without it</td></tr>'
        for name in ablation.indispensable
    ]
    check = _ablation_row(
        '<th scope="row">none (refitted)</th>', f"<td>{DASH}</td>", ablation.refitted, scale
    )
    return (
        '<table class="plain ablation"><caption>Losses in balanced accuracy and macro-F1, in '
        "points, and in log loss; positive means worse without the family. Shuffled: mean and "
        "standard deviation over shuffles. Left out: 95&nbsp;% intervals, paired by galaxy; bold "
        "if the interval excludes zero.</caption>"
        '<thead><tr><td></td><th scope="col">Shuffled</th>'
        f'<th scope="colgroup" colspan="{len(SCORES)}">Left out and refitted</th></tr>'
        '<tr><th scope="col">Family</th><th scope="col">Balanced accuracy</th>'
        '<th scope="col">Balanced accuracy</th><th scope="col">Macro-F1</th>'
        '<th scope="col">Log loss</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody><tfoot>{check}</tfoot></table>"
    )


def _shuffled_cell(loss: tuple[float, float] | None, largest: float) -> str:
    if loss is None:
        return f"<td>{DASH}</td>"
    mean, spread = loss
    return (
        f'<td><span class="figure">{number(100 * mean, 1)}<small> ± {100 * spread:.1f}</small>'
        f"</span>{bar(mean, Interval(mean, mean - spread, mean + spread), largest)}</td>"
    )


def _ablation_row(head: str, shuffled: str, losses: Losses, scale: tuple[float, float]) -> str:
    balanced, macro, log_loss = (losses[name] for name in SCORES)
    return (
        f"<tr>{head}{shuffled}"
        f"<td>{_loss(balanced, 100, 1)}{loss_strip(balanced, *scale)}</td>"
        f"<td>{_loss(macro, 100, 1)}</td><td>{_loss(log_loss, 1, 3)}</td></tr>"
    )


def _loss(loss: Interval, unit: float, digits: int) -> str:
    value, low, high = (number(unit * end, digits) for end in loss)
    tag = "b" if loss.low > 0 or loss.high < 0 else "span"
    return f"<{tag}>{value}</{tag}><small>{low} to {high}</small>"


def loss_strip(loss: Interval, low: float, high: float) -> str:
    """Draw a loss and its interval on a line from `low` to `high`, with a tick at zero."""
    width = max(high - low, 1e-9)
    value, start, end, zero = (100 * (x - low) / width for x in (*loss, 0.0))
    return (
        '<svg class="strip" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<line class="track" x1="0" x2="100" y1="5" y2="5"/>'
        f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="10"/>'
        f'<line class="range" x1="{start:.1f}" x2="{end:.1f}" y1="5" y2="5"/>'
        f'<line class="mark" x1="{value:.1f}" x2="{value:.1f}" y1="1" y2="9"/></svg>'
    )
