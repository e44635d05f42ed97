"""The model card that lies in a model folder as README.md."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from galfeat.evaluate.intervals import Interval, class_intervals
from galfeat.evaluate.text import METRIC_NAMES
from galfeat.features.registry import OWN_FAMILIES
from galfeat.model_io.manifest import METRICS, read_manifest

_TRUST = """\
Loading `model.joblib`, so or with `joblib.load`, runs code that is in it. `load_model` opens it
only if you trust it: say so once, with `trust=True`. Where `galfeat share` has written the folder,
`model.skops` stands in its place, which runs none and needs no trust."""
_SHIPS = """\
It comes with galfeat, which knows its digest, so it needs no trust. On the command line its name
stands for its folder."""
_OF_CALIBRATION = """\
The calibration error is what a probability and how often it is right differ by. Chance alone makes
it larger than it is, so its interval lies below the value, and reaches 0 where a perfectly
calibrated model could have measured as much."""
#: How many confusions are listed.
_CONFUSIONS = 6


def model_card(
    manifest: Mapping[str, Any], metrics: Mapping[str, Any], about: str = "", name: str = ""
) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    manifest : mapping
        See `galfeat.model_io.manifest.read_manifest`.
    metrics : mapping
        Scores; those of an evaluation or a cross-validation are listed.
    about : str
        What only those who fitted it know, such as where the data are from: whole paragraphs of
        Markdown.
    name : str
        Of a model that comes with galfeat.
    """
    pipeline = manifest["pipeline"]
    families = ", ".join(pipeline["features"]["families"])
    named = sum(column.split(".", 1)[0] in OWN_FAMILIES for column in manifest["feature_names"])
    others = len(manifest["feature_names"]) - named
    members = ", ".join(member["kind"] for member in pipeline["ensemble"]["members"])
    classes = "\n".join(
        f"| {label} | {prior:.4f} |"
        for label, prior in zip(manifest["classes"], manifest["priors"], strict=True)
    )
    versions = ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
    return f"""# galfeat model `{name or pipeline["name"]}`

Pipeline `{pipeline["name"]}`: {pipeline["description"]}.

It gives calibrated probabilities of {len(manifest["classes"])} morphology classes for a galaxy
image with the galaxy near its centre.

- Features: {named:,} with names\
{f", and {others:,} pixels or activations" if others else ""}, of the families {families}, \
{"on the canonical frame" if pipeline["features"]["frame"] else "on the image as it is"}.
- Members: {members}; combined by: {pipeline["ensemble"]["combine"]}.
- Classes balanced while fitting by: {pipeline["balance"]["method"]}.
- Calibration: {pipeline["calibrate"]["method"]}, to the class frequencies below.
- Class named by the rule: {manifest["decision"]}.
- Fitted on {manifest["n_training"]} images; {manifest["n_held_out"]} held out; \
seed {manifest["seed"]}.

{about}## Classes

| class | frequency in the training images |
|---|---|
{classes}

{_scores(metrics)}
## Use

```python
import galfeat

model = galfeat.load_model("{name or "this-folder"}")
probabilities = model.predict_proba(images)  # uint8, shape (n, H, W, 3)
```

{_SHIPS if name else _TRUST}

## Limits

The probabilities hold for galaxies like those it was fitted on, in the same mix of classes and
the same rendering: another survey, stretch or selection moves them. Columns that fail to be
measured are flagged, not guessed.

Made with {versions}.
"""


def headline_scores(folder: Path) -> str:
    """Say in one line what a model knows and how good it was on galaxies new to it."""
    manifest = read_manifest(folder)
    scores, crossed = measured(json.loads((folder / METRICS).read_text(encoding="utf-8")))
    known = f"{len(manifest['classes'])} classes, fitted to {manifest['n_training']:,} galaxies"
    if "macro_f1" not in scores:
        return known
    return f"{known}; macro-F1 {_score(scores['macro_f1'])} {_how(scores, crossed)}"


def measured(metrics: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Return the scores of a model, and whether they are of a cross-validation.

    Parameters
    ----------
    metrics : mapping
        What lies in its folder as `METRICS`. Where there are scores of held-out galaxies too, the
        cross-validation's are returned: they are of more galaxies.
    """
    if "cross_validation" in metrics:
        return metrics["cross_validation"], True
    return metrics, False


def _how(scores: Mapping[str, Any], crossed: bool) -> str:
    number = f"{scores.get('n', 0):,}"
    return f"cross-validated on {number}" if crossed else f"on {number} held out"


def _score(score: Mapping[str, Any]) -> str:
    value = score.get("value", score.get("mean"))
    return f"{value:.3f} ({score['low']:.3f} to {score['high']:.3f})"


def _scores(metrics: Mapping[str, Any]) -> str:
    """Return the scores with their intervals, by class, and what is taken for what; or nothing."""
    scores, crossed = measured(metrics)
    listed = [
        f"| {name} | {_score(scores[key])} |"
        for key, name in METRIC_NAMES.items()
        if isinstance(scores.get(key), Mapping)
    ]
    if not listed:
        return ""
    lines = [f"## Scores, {_how(scores, crossed)}", ""]
    lines += ["| score | value (95 % interval) |", "|---|---|", *listed]
    if "ece" in scores:
        lines += ["", _OF_CALIBRATION]
    if "confusion" in scores:
        lines += ["", *_by_class(scores), "", "Most often mistaken:", "", *_confusions(scores)]
    return "\n".join([*lines, "", ""])


def _by_class(scores: Mapping[str, Any]) -> Iterator[str]:
    """Give a table of the scores of each class."""
    yield "| class | galaxies | precision (95 % interval) | recall | F1 |"
    yield "|---|---|---|---|---|"
    intervals = class_intervals(scores["confusion"])
    for name, row, one in zip(scores["classes"], scores["confusion"], intervals, strict=True):
        yield f"| {name} | {sum(row):,.0f} | {' | '.join(map(_cell, one))} |"


def _cell(score: Interval) -> str:
    if math.isnan(score.value):
        return ""
    return f"{score.value:.2f} ({score.low:.2f} to {score.high:.2f})"


def _confusions(scores: Mapping[str, Any]) -> Iterator[str]:
    """Give the commonest confusions, by the share of the true class."""
    names, table = scores["classes"], scores["confusion"]
    wrong = [
        (count / max(sum(row), 1), count, true, named)
        for true, row in enumerate(table)
        for named, count in enumerate(row)
        if named != true and count > 0
    ]
    for share, count, true, named in sorted(wrong, reverse=True)[:_CONFUSIONS]:
        yield (
            f"- {names[true]} taken for {names[named]}: {100 * share:.0f} % of them "
            f"({count:g} galaxies)"
        )
