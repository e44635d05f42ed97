"""What families and columns of features are worth, in words and as HTML tables."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np

from galfeat.evaluate.comparison.left_out import SCORES, Ablation, Losses
from galfeat.evaluate.importances import Importances
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.report.figures import DASH, bar, number

_VERDICTS = {
    "needed": "needed. Without it the model names classes worse by more than luck; nothing else "
    "replaces all that it tells.",
    "replaced": "used, but replaceable. The model leans on it, yet one fitted without it does as "
    "well, as far as so many galaxies can tell: other families stand in for it. One such family "
    "may go; whether several may go at once was not tried.",
    "spare": "not missed. Neither shuffling nor leaving out makes the model name classes worse by "
    "more than luck.",
    "harmful": "in the way. Without it the model names classes better by more than luck.",
    "only": "cannot be left out. No part of the model could be fitted without it.",
}


def importance_text(n: int) -> str:
    """Say how the worth of a family to the model was measured, on n galaxies."""
    return (
        f"<p><b>Shuffled.</b> On {n:,} galaxies the measurements of one family after the other "
        "were dealt out among the galaxies anew, so that they tell nothing. What the finished "
        "model then loses shows how much it leans on that family, as when somebody is missing "
        "on the day of the work. Families that say much the same share the work, so the losses "
        "do not add up, and a small one does not mean that a family says nothing.</p>"
    )


def ablation_note(ablation: Ablation) -> str:
    """Say how the worth of a family for which others may stand in was measured."""
    return (
        "<p><b>Left out.</b> For each family a new model was fitted to the same "
        f"{ablation.n_training:,} galaxies that never saw its measurements, as when a team is "
        "put together without somebody from the start: the others take over what they can. "
        f"Scored on the same {ablation.n:,} galaxies as the model itself, it loses what nothing "
        "else replaces. So the first tells what this model depends on, and the second whether a "
        "family need be measured at all.</p>"
    )


def chance_text(ablation: Ablation) -> str:
    """Say how large a loss must be to be more than luck."""
    widths = [
        losses["balanced_accuracy"].high - losses["balanced_accuracy"].low
        for losses in (ablation.again, *ablation.families.values())
    ]
    return (
        f"<p>On {ablation.n:,} galaxies a loss below about "
        f"{number(50 * float(np.median(widths)), 1)} points of balanced accuracy cannot be told "
        "from luck. The last line of the table is a check: the model fitted again with other "
        "random numbers and nothing left out should lose about nothing, and a loss no larger "
        "than that counts as luck. Log loss, which weighs every probability, also follows the luck "
        "of a single fit; it does not decide.</p>"
    )


def verdict_text(importances: Importances, ablation: Ablation) -> str:
    """Sort the families by what shuffling and leaving out say together."""
    groups: dict[str, list[str]] = {name: [] for name in _VERDICTS}
    for family in ablation.families:
        mean, spread = importances.families.get(family, (0.0, 0.0))
        if ablation.costs(family):
            verdict = "needed"
        elif ablation.helps(family):
            verdict = "harmful"
        else:
            verdict = "replaced" if mean > 2 * spread else "spare"
        groups[verdict].append(family)
    groups["only"] = list(ablation.only)
    items = "".join(
        f"<li><b>{escape(', '.join(families))}</b>: {_VERDICTS[verdict]}</li>"
        for verdict, families in groups.items()
        if families
    )
    return (
        "<p>Each family of measurements was put to two tests: taken away from the finished model "
        "(shuffled), and left out from the start (left out, and the model fitted again). "
        f'Together they say:</p><ul class="verdicts">{items}</ul>'
    )


def family_table(families: Mapping[str, tuple[float, float]]) -> str:
    """Lay out what each family is worth, with bars.

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
        '<table class="families"><caption>Points of balanced accuracy lost without the family '
        "(mean and standard deviation over shuffles)</caption>"
        '<thead><tr><th scope="col">Family</th><th scope="col">Points lost</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def column_table(columns: Mapping[str, float]) -> str:
    """Lay out the share of gain of single columns, with bars."""
    largest = max(columns.values(), default=1.0)
    rows = [
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td><span class="figure">'
        f"{100 * share:.1f}&nbsp;%</span>{bar(share, None, largest)}</td></tr>"
        for name, share in columns.items()
    ]
    return (
        '<table class="families columns"><caption>Share of the gain in training</caption>'
        '<thead><tr><th scope="col">Column</th><th scope="col">Share</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def ablation_table(shuffled: Mapping[str, tuple[float, float]], ablation: Ablation) -> str:
    """Lay out what is lost when a family is shuffled and when it is left out.

    Parameters
    ----------
    shuffled : mapping of str to (float, float)
        Mean and standard deviation of the loss of balanced accuracy, by family.
    ablation : Ablation
        The losses without each family, in the order of the rows.
    """
    largest = max((mean + spread for mean, spread in shuffled.values()), default=0.0)
    every = [ablation.again, *ablation.families.values()]
    ends = [end for losses in every for end in losses["balanced_accuracy"][1:]]
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
        f'<td colspan="{len(SCORES)}">cannot be left out: no member would be left</td></tr>'
        for name in ablation.only
    ]
    check = _ablation_row(
        '<th scope="row">nothing, only fitted again</th>', f"<td>{DASH}</td>", ablation.again, scale
    )
    return (
        '<table class="plain ablation"><caption>What is lost, in points of balanced accuracy and '
        "macro-F1 and in log loss; above zero the model is worse without the family. Shuffled: "
        "mean and standard deviation over shuffles. Left out: with 95&nbsp;% intervals, paired "
        "galaxy by galaxy; bold where the interval leaves zero out.</caption>"
        '<thead><tr><td></td><th scope="col">Shuffled</th>'
        f'<th scope="colgroup" colspan="{len(SCORES)}">Left out, and fitted again</th></tr>'
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


def _loss(lost: Interval, unit: float, digits: int) -> str:
    value, low, high = (number(unit * end, digits) for end in lost)
    tag = "b" if lost.low > 0 or lost.high < 0 else "span"
    return f"<{tag}>{value}</{tag}><small>{low} to {high}</small>"


def loss_strip(lost: Interval, low: float, high: float) -> str:
    """Draw a loss and its interval on a line from `low` to `high`, with a tick at zero."""
    width = max(high - low, 1e-9)
    value, start, end, zero = (100 * (x - low) / width for x in (*lost, 0.0))
    return (
        '<svg class="strip" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<line class="track" x1="0" x2="100" y1="5" y2="5"/>'
        f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="10"/>'
        f'<line class="range" x1="{start:.1f}" x2="{end:.1f}" y1="5" y2="5"/>'
        f'<line class="mark" x1="{value:.1f}" x2="{value:.1f}" y1="1" y2="9"/></svg>'
    )
