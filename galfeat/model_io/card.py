"""The model card, README.md in a model folder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from galfeat.evaluate.intervals import Interval, class_intervals
from galfeat.evaluate.metrics import METRIC_NAMES
from galfeat.evaluate.soft import MOST_VOTED_NOTE, SOFT_NAMES
from galfeat.features.registry import OWN_FAMILIES
from galfeat.model_io.manifest import read_manifest, read_metrics

_TRUST = """\
Loading `model.joblib`, here or with `joblib.load`, runs code contained in it. `load_model` only
opens trusted models: pass `trust=True` once to trust this one. Folders written by `galfeat share`
contain `model.skops` instead, which runs no code and needs no trust."""
_SHIPPED = """\
The model is shipped with galfeat, which pins its digest, so it needs no trust. On the command line,
its name can be used in place of its folder."""
_CALIBRATION = """\
The calibration error is the mean absolute difference between predicted probability and accuracy.
Chance alone increases it, so its interval is shifted downwards and reaches 0 if a perfectly
calibrated model could have scored as high."""
_ASSUMED = """\
The probabilities assume these frequencies; `galfeat classify --priors` and
`GalaxyClassifier.with_priors` move them to others."""
#: Number of confusions listed.
_CONFUSIONS = 6


def model_card(
    manifest: Mapping[str, Any], metrics: Mapping[str, Any], about: str = "", name: str = ""
) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    manifest : mapping
        See `read_manifest`.
    metrics : mapping
        Scores of an evaluation or a cross-validation.
    about : str
        Background that only the model's author knows, such as the origin of the data: complete
        paragraphs of Markdown.
    name : str
        Name of a model shipped with galfeat.

    Examples
    --------
    >>> import json
    >>> from galfeat.model_io import model_card, model_folder, read_manifest
    >>> folder = model_folder("galaxy10")
    >>> metrics = json.loads((folder / "metrics.json").read_text())
    >>> model_card(read_manifest(folder), metrics, name="galaxy10").splitlines()[0]
    '# galfeat model `galaxy10`'
    """
    pipeline = manifest["pipeline"]
    families = ", ".join(pipeline["features"]["families"])
    n_named = sum(column.split(".", 1)[0] in OWN_FAMILIES for column in manifest["feature_names"])
    n_others = len(manifest["feature_names"]) - n_named
    members = ", ".join(member["kind"] for member in pipeline["ensemble"]["members"])
    versions = ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
    return f"""# galfeat model `{name or pipeline["name"]}`

Pipeline `{pipeline["name"]}`: {pipeline["description"]}.

It predicts calibrated probabilities of {len(manifest["classes"])} morphology classes from images
with a galaxy near the centre.

- Features: {n_named:,} named features\
{f" and {n_others:,} pixels or activations" if n_others else ""} from the families {families}, \
measured on the {"canonical frame" if pipeline["features"]["frame"] else "original image"}.
- Members: {members}; combination: {pipeline["ensemble"]["combine"]}.
- Class balancing: {_balancing(pipeline["balance"])}.
- Calibration: {calibration_text(manifest)}, to the class frequencies below.
- Prediction sets: {_calibrated(manifest)}.
- Decision rule: {manifest["decision"]}.
- Fitted to {manifest["n_training"]:,} images\
{", by the fractions of volunteers' votes" if manifest.get("soft_labels") else ""}; \
{manifest["n_held_out"]:,} held out; seed {manifest["seed"]}.

{about}## Classes

{_class_table(manifest)}

{_scores(metrics)}
## Use

```python
import galfeat

model = galfeat.load_model("{name or "this-folder"}")
probabilities = model.predict_proba(images)  # uint8, shape (n, H, W, 3)
```

{_SHIPPED if name else _TRUST}

## Limits

The probabilities are valid for galaxies like those in the training set, with the same class
frequencies and rendering; another survey, stretch or selection changes them. Features that cannot
be measured are flagged as missing.

Created with {versions}.
"""


def calibration_text(manifest: Mapping[str, Any]) -> str:
    """Return the method of calibration, and whether it was chosen by cross-validation.

    Examples
    --------
    >>> from galfeat.model_io.card import calibration_text
    >>> pipeline = {"calibrate": {"method": "auto"}}
    >>> calibration_text({"pipeline": pipeline, "calibration": "isotonic"})
    'isotonic (chosen by cross-validation)'
    """
    method = str(manifest["pipeline"]["calibrate"]["method"])
    used = str(manifest.get("calibration", method))
    return used if used == method else f"{used} (chosen by cross-validation)"


def _balancing(balance: Mapping[str, Any]) -> str:
    """Return the method, with the number and weight of simulated galaxies."""
    if balance["method"] != "simulate":
        return str(balance["method"])
    return (
        f"{balance['number']:,} simulated galaxies in training, those of each class with the "
        f"weight {balance['weight']:g} of an equal share of the real ones"
    )


def _calibrated(manifest: Mapping[str, Any]) -> str:
    """Describe how prediction sets are calibrated."""
    n_rows = manifest.get("calibration_rows", 0)
    if not n_rows:
        return "not calibrated; `--calibrate DATA` calibrates them on labelled galaxies"
    return f"calibrated on {n_rows:,} galaxies, predicted by models not fitted to them"


def _class_table(manifest: Mapping[str, Any]) -> str:
    """Return the class frequencies of the training images, and of the probabilities if others."""
    assumed = manifest.get("assumed_priors", manifest["priors"])
    columns = (
        [manifest["priors"]] if assumed == manifest["priors"] else [manifest["priors"], assumed]
    )
    heads = ["frequency in the training images", "frequency assumed by the probabilities"]
    lines = [f"| class | {' | '.join(heads[: len(columns)])} |", f"|---|{'---|' * len(columns)}"]
    lines += [
        f"| {label} | {' | '.join(f'{value:.4f}' for value in values)} |"
        for label, *values in zip(manifest["classes"], *columns, strict=True)
    ]
    if len(columns) == 1:
        lines += ["", _ASSUMED]
    return "\n".join(lines)


def headline_scores(folder: Path) -> str:
    """Return a one-line summary: classes, training set and macro-F1 on unseen galaxies.

    Examples
    --------
    >>> from galfeat.model_io import headline_scores, model_folder
    >>> headline_scores(model_folder("galaxy10")).split(";")[0]
    '10 classes, fitted to 723 galaxies'
    """
    manifest = read_manifest(folder)
    scores, crossed = measured(read_metrics(folder))
    summary = f"{len(manifest['classes'])} classes, fitted to {manifest['n_training']:,} galaxies"
    score = scores.get("macro_f1")
    if not isinstance(score, Mapping):
        return summary
    return f"{summary}; macro-F1 {_score(score)} {_how(scores, crossed)}"


def measured(metrics: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Return the scores of a model, and whether they are from a cross-validation.

    Parameters
    ----------
    metrics : mapping
        Contents of `METRICS` in its folder. Cross-validation scores take precedence over those of
        held-out galaxies, because they cover more galaxies.
    """
    if "cross_validation" in metrics:
        return metrics["cross_validation"], True
    return metrics, False


def _how(scores: Mapping[str, Any], crossed: bool) -> str:
    n = f"{scores.get('n', 0):,}"
    return f"cross-validated on {n}" if crossed else f"on {n} held out"


def _score(score: Mapping[str, Any]) -> str:
    value = score.get("value", score.get("mean"))
    return f"{value:.3f} ({score['low']:.3f} to {score['high']:.3f})"


def _scores(metrics: Mapping[str, Any]) -> str:
    """Return scores with intervals, scores by class and confusions; empty without scores."""
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
        lines += ["", _CALIBRATION]
    if isinstance(votes := scores.get("vote_fractions"), Mapping):
        lines += ["", MOST_VOTED_NOTE, "", *_votes(votes)]
    if "confusion" in scores:
        lines += ["", *_by_class(scores), "", "Most frequent confusions:", "", *_confusions(scores)]
    return "\n".join([*lines, "", ""])


def _votes(votes: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a table of the scores against fractions of votes."""
    yield "| score against the fractions of votes | value (95 % interval) |"
    yield "|---|---|"
    for key, name in SOFT_NAMES.items():
        yield f"| {name} | {_score(votes['scores'][key])} |"


def _by_class(scores: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a table of the scores of each class."""
    yield "| class | galaxies | precision (95 % interval) | recall | F1 |"
    yield "|---|---|---|---|---|"
    intervals = class_intervals(scores["confusion"])
    for name, row, cells in zip(scores["classes"], scores["confusion"], intervals, strict=True):
        yield f"| {name} | {sum(row):,.0f} | {' | '.join(map(_cell, cells))} |"


def _cell(score: Interval) -> str:
    if math.isnan(score.value):
        return ""
    return f"{score.value:.2f} ({score.low:.2f} to {score.high:.2f})"


def _confusions(scores: Mapping[str, Any]) -> Iterator[str]:
    """Yield the most frequent confusions, by share of the true class."""
    names, table = scores["classes"], scores["confusion"]
    wrong = [
        (count / max(sum(row), 1), count, true, predicted)
        for true, row in enumerate(table)
        for predicted, count in enumerate(row)
        if predicted != true and count > 0
    ]
    for share, count, true, predicted in sorted(wrong, reverse=True)[:_CONFUSIONS]:
        yield (
            f"- {names[true]} as {names[predicted]}: {100 * share:.0f} % of the class "
            f"({count:g} galaxies)"
        )
